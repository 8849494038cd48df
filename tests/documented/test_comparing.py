"""The verdicts: what is documented beside what a release checks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from caphistory.documented.comparing import COLUMNS, VERDICTS, compare, compared, narrowed
from caphistory.documented.documents import Claim, Documents, Place
from caphistory.documented.manual import list_manual_folders
from caphistory.documented.reading import read_documents
from caphistory.records import Row
from caphistory.store import open_reader
from tests.documented import MANUAL
from tests.kernels.database import build_history

THERE = {"f", "f32", "g", "_sysctl"}
DEFINED = {"CAP_A", "CAP_B"}
KNOWN = {*THERE, "newer"}
OPERATIONS = {"F_A", "F_B"}


def claim(
    named: str = "",
    covered: str = "",
    capability: str = "CAP_A",
    since: str | None = None,
    before: str | None = None,
    document: str = "f(2)",
    part: str = "ERRORS EPERM",
    constants: tuple[str, ...] = (),
) -> Claim:
    place = Place(document, part, "man2/f.2", 7, constants)
    names = frozenset(named.split()), frozenset(covered.split())
    return Claim(capability, *names, place, since, before)


def check(syscall: str, capability: str = "CAP_A", **more: object) -> Row:
    """A row of ``queries/checked_pairs.sql``."""
    row = dict.fromkeys(COLUMNS[COLUMNS.index("check_name") :])
    evidence = {"reach": "call", "depth": 1, "pointer_hops": 0, "shared_by": 1, "path": "fs/f.c"}
    pair = {"syscall": syscall, "capability": capability, "standing": "own"}
    return {**row, **evidence, **pair, **more}


def verdicts(
    *claims: Claim, checked: tuple[Row, ...] = (), complete: bool = True
) -> dict[str, str]:
    """The verdict for each pair, with the release 2.6.10."""
    silent = {"g": Place("g(2)", "", "man2/g.2", None)}
    documents = Documents("manual", claims, silent, complete)
    rows = compare(documents, "2.6.10", "i386", checked, THERE, DEFINED, KNOWN, OPERATIONS)
    assert all(tuple(row) == COLUMNS for row in rows)
    return {f"{row['syscall']} {row['capability']}": row["verdict"] for row in rows}


@pytest.mark.parametrize(
    ("part", "errors", "verdict"),
    [
        ("ERRORS EPERM", ["EPERM"], "agree"),
        ("ERRORS EPERM", ["EACCES", "EPERM"], "agree"),
        ("ERRORS EPERM", ["EACCES"], "checked, documented with another error"),
        ("ERRORS EPERM", [None], "agree"),
        ("DESCRIPTION", ["EACCES"], "agree"),
    ],
)
def test_the_error_is_compared_where_both_name_one(
    part: str, errors: list[str | None], verdict: str
) -> None:
    found = verdicts(claim("f", part=part), checked=(check("f", errors=json.dumps(errors)),))
    assert found == {"f CAP_A": verdict}


@pytest.mark.parametrize(
    ("constants", "operations", "verdict"),
    [
        (("F_A",), ["F_A", "F_B"], "agree"),
        (("F_A",), ["F_B/F_A"], "agree"),
        (("F_A",), ["F_B"], "checked, documented of other operations"),
        (("F_A",), ["", "F_B"], "agree"),
        (("OTHER_WORD",), ["F_B"], "agree"),
        ((), ["F_B"], "agree"),
    ],
)
def test_operations_are_compared_where_both_name_some(
    constants: tuple[str, ...], operations: list[str], verdict: str
) -> None:
    found = verdicts(
        claim("f", constants=constants), checked=(check("f", operations=json.dumps(operations)),)
    )
    assert found == {"f CAP_A": verdict}


def test_what_is_both_documented_and_checked_agrees() -> None:
    assert verdicts(claim("f"), checked=(check("f"),)) == {"f CAP_A": "agree"}


def test_each_syscall_that_is_named_must_check_it() -> None:
    assert verdicts(claim("f g", "f32"), checked=(check("f"),)) == {
        "f CAP_A": "agree",
        "g CAP_A": "documented, not checked",
        "f32 CAP_A": "documented of several, checked by another",
    }


def test_of_those_only_covered_one_is_enough() -> None:
    assert verdicts(claim(covered="f f32 g"), checked=(check("g"),)) == {
        "f CAP_A": "documented of several, checked by another",
        "f32 CAP_A": "documented of several, checked by another",
        "g CAP_A": "agree",
    }
    assert set(verdicts(claim(covered="f f32")).values()) == {"documented, not checked"}


def test_a_check_that_says_little_is_told_from_none() -> None:
    assert verdicts(claim("f"), checked=(check("f", standing="remote"),)) == {
        "f CAP_A": "documented, checked only in ways that say little"
    }
    assert verdicts(checked=(check("f", standing="remote"),)) == {}


def test_a_syscall_of_another_release_puts_the_claim_on_nobody_else() -> None:
    assert verdicts(claim("newer", "f"), checked=()) == {
        "newer CAP_A": "documented, no such syscall",
        "f CAP_A": "documented of several, checked by another",
    }


def test_a_capability_of_another_release_is_told() -> None:
    assert verdicts(claim("f", capability="CAP_NEW")) == {
        "f CAP_NEW": "documented, no such capability"
    }


def test_what_nobody_knows_is_no_syscall() -> None:
    assert verdicts(claim("printf")) == {}


@pytest.mark.parametrize(
    ("since", "before", "verdict"),
    [
        ("2.6.10", None, "agree"),
        ("2.6.11", None, "checked, documented of other releases"),
        (None, "2.6.11", "agree"),
        (None, "2.6.10", "checked, documented of other releases"),
        ("no release", None, "agree"),
    ],
)
def test_a_claim_counts_in_its_releases(
    since: str | None, before: str | None, verdict: str
) -> None:
    limited = claim("f", since=since, before=before)
    assert verdicts(limited, checked=(check("f"),)) == {"f CAP_A": verdict}


def test_a_claim_of_other_releases_demands_nothing() -> None:
    assert verdicts(claim("f", since="3.5")) == {"f CAP_A": "documented of other releases"}


def test_a_check_that_is_documented_only_in_general_is_told_from_an_undocumented_one() -> None:
    found = verdicts(
        claim(document="capabilities(7)"),
        claim(capability="CAP_B", document="capabilities(7)"),
        claim("g", capability="CAP_B", document="capabilities(7)"),
        claim("g", document="g(2)"),
        checked=(check("f"), check("f", "CAP_B"), check("g"), check("g", "CAP_B")),
    )
    assert found == {
        "f CAP_A": "checked, documented in general",
        "f CAP_B": "checked, not documented",
        "g CAP_A": "agree",
        "g CAP_B": "agree",
    }


def test_a_profile_need_not_tell_of_what_it_forbids() -> None:
    assert verdicts(checked=(check("f"), check("g")), complete=False) == {
        "g CAP_A": "checked, allowed without it"
    }


def test_the_manual_calls_sysctl_what_the_table_calls__sysctl() -> None:
    assert verdicts(claim("sysctl"), checked=(check("_sysctl"),)) == {"_sysctl CAP_A": "agree"}


def test_the_disagreements_come_first_and_the_nearest_checks_before_others() -> None:
    rows = compare(
        Documents("manual", [claim("f"), claim("newer")], {}, True),
        "2.6.10",
        "i386",
        [check("f"), check("g", reach="pointer"), check("f32", shared_by=9), check("_sysctl")],
        THERE,
        DEFINED,
        KNOWN,
    )
    assert [row["syscall"] for row in rows] == ["_sysctl", "f32", "g", "f", "newer"]
    assert [row["syscall"] for row in narrowed(rows)] == ["_sysctl", "f32", "g"]
    assert len(narrowed(rows, everything=True)) == 5
    assert [row["syscall"] for row in narrowed(rows, ["f", "g", "CAP_A"])] == ["g", "f"]
    assert narrowed(rows, ["CAP_B"]) == []


def test_every_verdict_is_explained() -> None:
    assert all(meaning and not meaning.endswith(".") for meaning in VERDICTS.values())


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Row]]:
    """The manual of the tests beside 2.2.24 of the small history."""
    database = build_history(tmp_path_factory.mktemp("documented") / "history.db")
    with closing(open_reader(database)) as connection:
        found = compared(connection, read_documents(list_manual_folders(MANUAL)), "2.2.24")
        yield {f"{row['syscall']} {row['capability']}": row for row in found}


def test_a_manual_is_compared_with_a_database(rows: dict[str, Row]) -> None:
    assert {pair: row["verdict"] for pair, row in rows.items()} == {
        "getpid CAP_SYS_ADMIN": "documented, not checked",
        "stime CAP_SYS_TIME": "documented, checked only in ways that say little",
        "mount CAP_SYS_ADMIN": "checked, not documented",
        "chroot CAP_SYS_CHROOT": "agree",
        "setgid CAP_SETGID": "agree",
        "bind CAP_NET_BIND_SERVICE": "checked, documented in general",
    }


def test_both_sides_have_their_evidence(rows: dict[str, Row]) -> None:
    row = rows["chroot CAP_SYS_CHROOT"]
    assert row["source"] == "Manual of the tests 1.0"
    assert (row["path"], row["line"], row["depth"]) == ("fs/open.c", 405, 0)
    places = json.loads(row["documented"])
    assert [(one["document"], one["part"], one["line"], one["scope"]) for one in places] == [
        ("capabilities(7)", "DESCRIPTION", 35, "named"),
        ("chroot(2)", "ERRORS EPERM", 21, "covered"),
    ]
    assert Path(places[1]["file"]) == MANUAL / "man2/chroot.2"
    (silent,) = json.loads(rows["mount CAP_SYS_ADMIN"]["documented"])
    assert (silent["document"], silent["scope"]) == ("mount(2)", "silent")
    assert rows["getpid CAP_SYS_ADMIN"]["chain"] is None
