"""What is said where the database holds nothing between two releases."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from datasette.app import Datasette

from caphistory.cli import run
from caphistory.explorer.server import explorer_application
from caphistory.history.versions import position, series
from caphistory.records import CapabilityDefinition, LinkedRelease
from tests.explorer.asking import page
from tests.factories import build, check, linked, release, site, syscall

Ask = Callable[..., str]

RELEASES = ("2.6.38", "2.6.39", "3.1", "3.2.4", "3.13.10", "3.16", "3.17", "4.4.155")
BETWEEN = "between them nothing is held"


def kernel(name: str) -> LinkedRelease:
    """CAP_AUDIT_READ is there from 3.16 to 3.17; ``chroot`` and ``mount`` ask for CAP_SYS_ADMIN
    from 3.13.10 and 2.6.39 on, and for CAP_SYS_CHROOT before."""
    at = position(name)
    asked = {
        syscall: "CAP_SYS_ADMIN" if at >= position(first) else "CAP_SYS_CHROOT"
        for syscall, first in (("chroot", "3.13.10"), ("mount", "2.6.39"))
    }
    numbers = {"CAP_SYS_CHROOT": 18, "CAP_SYS_ADMIN": 21}
    if position("3.16") <= at < position("4.0"):
        numbers["CAP_AUDIT_READ"] = 37
    return linked(
        release(name, position=at)._replace(series=series(name)),
        checks=[
            check(one, site(f"fs/{one}.c", 3, f"sys_{one}", capability=capability))
            for one, capability in asked.items()
        ],
        syscalls=[syscall(one, number) for number, one in enumerate(asked)],
        definitions=[
            CapabilityDefinition(one, number, "include/linux/capability.h", number, None)
            for one, number in numbers.items()
        ],
    )


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("gaps") / "gaps.db"
    return build(path, *(kernel(name) for name in RELEASES))


@pytest.fixture
def caphistory(
    database: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Ask:
    """What ``caphistory`` says, as a table unless it is asked for otherwise."""
    monkeypatch.setenv("COLUMNS", "100")

    def ask(*arguments: str) -> str:
        form = [] if "--format" in arguments else ["--format", "table"]
        assert run(["--db", str(database), *arguments, *form]) == 0
        return capsys.readouterr().out

    return ask


@pytest.fixture(scope="module")
def explorer(database: Path) -> Datasette:
    return explorer_application(database, time_limit_ms=5000)


def rows(said: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(said)
    return found


def test_a_capability_that_came_and_went_in_a_gap(caphistory: Ask) -> None:
    lines = caphistory("capability", "audit_read").splitlines()
    assert lines[:4] == [
        "CAP_AUDIT_READ (37): 3.16 – 3.17",
        "  Read the audit log by a multicast netlink socket.",
        f"not in 3.13.10, there in 3.16; {BETWEEN}",
        f"still in 3.17, not in 4.4.155; {BETWEEN}",
    ]
    said = rows(caphistory("capability", "audit_read", "--format", "json"))
    assert [(row["release"], row["gap_before"], row["gap_after"]) for row in said] == [
        ("3.16", "3.13.10", None),
        ("3.17", None, "4.4.155"),
    ]


def test_a_capability_that_is_there_from_the_first_release_came_in_no_gap(caphistory: Ask) -> None:
    assert BETWEEN not in caphistory("capability", "sys_admin")


def test_the_runs_of_a_syscall_say_between_which_releases_it_changed(caphistory: Ask) -> None:
    said = caphistory("syscall", "chroot")
    assert "2.6.38 – 3.2.4 (3.13.10) CAP_SYS_CHROOT · (3.2.4) 3.13.10 – CAP_SYS_ADMIN" in said
    assert "in brackets: the nearest release outside the run" in said
    (old, new) = rows(caphistory("syscall", "chroot", "--format", "json"))
    assert (old["gap_before"], old["gap_after"]) == (None, "3.13.10")
    assert (new["gap_before"], new["gap_after"]) == ("3.2.4", None)


def test_a_change_between_neighbours_is_told_as_always(caphistory: Ask) -> None:
    """Nor is a gap told at which nothing changed: 2.6.39 to 3.1 lacks 3.0."""
    said = caphistory("syscall", "mount")
    assert "2.6.38 CAP_SYS_CHROOT · 2.6.39 – CAP_SYS_ADMIN" in said
    assert "brackets" not in said


def test_which_says_it_too(caphistory: Ask) -> None:
    said = caphistory("which", "CAP_SYS_ADMIN", "--all-releases")
    assert "(3.2.4) 3.13.10 –" in said
    assert "in brackets: " in said
    said = caphistory("which", "CAP_SYS_ADMIN", "--all-releases", "--format", "json")
    assert {row["syscall"]: row["gap_before"] for row in rows(said)} == {
        "chroot": "3.2.4",
        "mount": None,
    }


def test_a_transition_counts_what_is_missing_between(caphistory: Ask) -> None:
    for ends, missing in (
        (("2.6.38", "2.6.39"), 0),
        (("3.2.4", "3.13.10"), 11),
        (("3.2.4", "4.4.155"), 20),
        (("2.6.39", "3.13.10"), 13),
    ):
        (row,) = rows(caphistory("transition", *ends, "--format", "json"))
        assert row["missing"] == missing
        said = caphistory("transition", *ends)
        assert ("mainline releases between them not in the database" in said) == bool(missing)


def test_releases_name_the_one_before_and_what_is_missing(caphistory: Ask) -> None:
    said = rows(caphistory("releases", "--format", "json"))
    assert [(row["before"], row["missing"]) for row in said] == [
        (None, None),
        ("2.6.38", 0),
        ("2.6.39", 1),
        ("3.1", 1),
        ("3.2.4", 11),
        ("3.13.10", 2),
        ("3.16", 0),
        ("3.17", 7),
    ]


def test_the_pages_say_it(explorer: Datasette) -> None:
    assert f"(not in 3.13.10; {BETWEEN})" in page(explorer, "/capability/CAP_AUDIT_READ").text
    told = page(explorer, "/syscall/chroot").text
    assert "(3.2.4) 3.13.10 –" in told
    between = "the releases between the two are not in this database"
    assert between in told
    assert between not in page(explorer, "/syscall/mount").text
    assert "11 mainline releases" in page(explorer, "/release/3.13.10").text
    assert "mainline release" not in page(explorer, "/release/2.6.39").text


@pytest.mark.parametrize(
    ("text", "release", "remark"),
    [
        ("3.16", "3.16", ""),
        ("v3.16", "3.16", ""),
        ("3.16.0", "3.16", "3.16.0 is read as 3.16"),
        ("3.16.0-45-generic", "3.16", "3.16.0-45-generic is read as 3.16"),
        ("4.4", "4.4.155", "4.4 is read as 4.4.155, the newest 4.4 here"),
        (
            "4.4.0-210-generic",
            "4.4.155",
            "4.4.0-210-generic is read as 4.4.155, the newest 4.4 here",
        ),
        ("2.6", "2.6.39", "2.6 is read as 2.6.39, the newest 2.6 here"),
        ("3.0", "2.6.39", "3.0 is not in the database: this is of 2.6.39, the nearest before it"),
        ("3.10.0-1160.el7.x86_64", "3.2.4", "3.10 is not in the database: this is of 3.2.4, the"),
        ("3.16-rc3", "3.13.10", "3.16-rc3 is not in the database: this is of 3.13.10, the nearest"),
        ("3.16.7", "3.16", "3.16.7 is not in the database: this is of 3.16, the nearest before it"),
        (
            "4.4.10",
            "4.4.155",
            "4.4.10 is not in the database: this is of 4.4.155, the first 4.4 here",
        ),
        ("3.2.4-custom", "3.2.4", "3.2.4-custom is read as 3.2.4"),
        ("3.13.10.1-microsoft-WSL2", "3.13.10", "3.13.10.1-microsoft-WSL2 is read as 3.13.10"),
    ],
)
def test_releases_are_named_as_people_write_them(
    database: Path,
    capsys: pytest.CaptureFixture[str],
    explorer: Datasette,
    text: str,
    release: str,
    remark: str,
) -> None:
    asked = ["--db", str(database), "capability", "--release", text, "--format", "json"]
    assert run(asked) == 0
    said = capsys.readouterr()
    assert {row["release"] for row in rows(said.out)} == {release}
    assert said.err.startswith(f"caphistory: {remark}" if remark else "")
    assert bool(said.err) == bool(remark)
    told = page(explorer, f"/release/{text}").text
    assert f"<h1>Linux {release}</h1>" in told
    assert ('<p role="note"' in told) == bool(remark)


@pytest.mark.parametrize("text", ["4.5", "2.6.37", "2.6.40", "3.20", "4.4.200", "generic", "3", ""])
def test_what_lies_outside_and_what_there_never_was(
    database: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    assert run(["--db", str(database), "capability", "--release", text]) == 2
    assert "no release" in capsys.readouterr().err


def test_a_transition_of_series(caphistory: Ask) -> None:
    said = rows(caphistory("transition", "2.6", "4.4", "--format", "json"))
    assert {(row["from_release"], row["to_release"]) for row in said} == {("2.6.39", "4.4.155")}
