"""The query files: their headers, and that each answers with and without parameters."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from caphistory.paths import queries_path
from caphistory.questions.names import resolve_release
from caphistory.questions.queries import ask, expand, parse_query, queries
from caphistory.records import ROOT_CHECKS, LinkedRelease, SyscallCheck
from caphistory.store import open_reader
from caphistory.store.views import VIEWS
from tests.factories import build, check, linked, site, step, syscall

NAMES = sorted(queries())


@pytest.fixture
def connection(database: Path) -> Iterator[sqlite3.Connection]:
    with closing(open_reader(database)) as connection:
        yield connection


@pytest.mark.parametrize("name", NAMES)
def test_a_query_declares_exactly_the_parameters_that_it_uses(
    name: str, connection: sqlite3.Connection
) -> None:
    query = queries()[name]
    given = {parameter.name: "" for parameter in query.parameters}
    connection.execute(query.sql, given).fetchall()
    for missing in given:
        rest = {name: value for name, value in given.items() if name != missing}
        with pytest.raises(sqlite3.ProgrammingError, match=f":{missing}"):
            connection.execute(query.sql, rest)


def test_a_fragment_stands_in_its_place_with_its_argument_and_its_indent() -> None:
    sql = expand("select\n    {{asked_ends}},\n    {{is_root check_name}} as root")
    lines = sql.split("\n")
    assert "{{" not in sql and "$1" not in sql
    assert lines[1:3] == [
        "    coalesce(",
        "        nullif(ltrim(trim(coalesce(:from, '')), 'vV'), ''),",
    ]
    assert lines[-1] == "    check_name in ('suser', 'fsuser', 'uid0') as root"


def test_every_fragment_says_what_it_means_and_is_used_more_than_once() -> None:
    texts = [file.read_text("utf-8") for file in sorted(queries_path().rglob("*.sql"))]
    for file in (queries_path() / "fragments").iterdir():
        assert file.read_text("utf-8").startswith("-- ")
        assert sum(text.count(f"{{{{{file.stem}") for text in texts) > 1, file.stem


def test_root_checks_are_the_same_in_queries_and_in_python() -> None:
    names = re.findall(r"'(\w+)'", expand("{{is_root check_name}}"))
    assert tuple(names) == ROOT_CHECKS


@pytest.mark.parametrize("text", ["2.2.24", "v2.2.24", "V2.2.24", " v2.2.24 "])
def test_a_release_is_read_alike_in_queries_and_in_python(
    text: str, connection: sqlite3.Connection
) -> None:
    (found,) = connection.execute(f"select {expand('{{without_v :release}}')}", [text]).fetchone()
    assert found == resolve_release(connection, text).release == "2.2.24"


@pytest.mark.parametrize("name", NAMES)
def test_a_query_shows_rows_when_every_parameter_is_empty(
    name: str, connection: sqlite3.Connection
) -> None:
    given = {parameter.name: "" for parameter in queries()[name].parameters}
    assert ask(connection, name, **given)


@pytest.mark.parametrize("name", NAMES)
def test_a_query_asks_the_views_alone(name: str) -> None:
    sql = re.sub(r"--.*", "", queries()[name].sql)
    own = set(re.findall(r"(\w+) as (?:materialized )?\(", sql))
    asked = {
        source
        for first, others in re.findall(r"\b(?:from|join)\s+(\w+)((?:,\s*\w+)*)", sql)
        for source in (first, *re.findall(r"\w+", others))
    }
    assert asked <= own | {view.name for view in VIEWS}


def test_no_query_has_the_name_of_a_view_whose_page_it_would_hide() -> None:
    assert not queries().keys() & {view.name for view in VIEWS}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("select 1", "title"),
        ("-- title: T\nselect 1", "description"),
        ("-- title: T\n-- description: D\n-- param a: what\nselect :a", "no default"),
    ],
)
def test_a_header_that_lacks_something_is_refused(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        parse_query("q", text)


def test_a_header_is_read_with_its_defaults() -> None:
    text = "-- title: T\n-- description: D.\n-- param a: what (default: all)\nselect :a"
    query = parse_query("q", text)
    assert (query.title, query.description) == ("T", "D.")
    assert query.parameters == (("a", "what", "all"),)


def test_names_may_be_written_as_people_write_them(connection: sqlite3.Connection) -> None:
    for written in ("CAP_SYS_CHROOT", "cap_sys_chroot", "sys_chroot", " Sys_Chroot "):
        rows = ask(connection, "which", privilege=written, release="v2.2.24")
        assert [row["syscall"] for row in rows] == ["chroot"], written


def test_shared_and_switched_off_checks_are_withheld(connection: sqlite3.Connection) -> None:
    for capability, name, standing in (
        ("DAC_OVERRIDE", "chdir", "remote"),
        ("SYS_TIME", "stime", "off"),
    ):
        assert ask(connection, "which", privilege=capability) == []
        withheld = ask(connection, "which_withheld", privilege=capability)
        assert [(row["syscall"], row["standing"]) for row in withheld] == [(name, standing)]
        shown = ask(connection, "which", privilege=capability, everything="1")
        assert [row["syscall"] for row in shown] == [name]


def test_which_puts_direct_checks_first(connection: sqlite3.Connection) -> None:
    rows = ask(connection, "which", privilege="suser", release="2.0.40", everything="1")
    assert [(row["syscall"], row["reach"]) for row in rows] == [
        ("chroot", "direct"),
        ("mount", "direct"),
        ("setgid", "direct"),
        ("bind", "pointer"),
        ("chdir", "pointer"),
        ("ioctl", "pointer"),
        ("stime", "call"),
    ]
    assert [row["standing"] for row in rows] == ["own"] * 4 + ["remote"] * 2 + ["off"]


def test_a_check_that_more_syscalls_come_to_share_is_not_lost(tmp_path: Path) -> None:
    lookup = site("fs/namei.c", 10, "permission", capability="CAP_DAC_OVERRIDE")
    way = (step("sys_open", "fs/open.c", 1),)

    def one(release: str, feasible: int, shared_by: int) -> LinkedRelease:
        return linked(
            release, checks=[check("open", lookup, *way, feasible=feasible, shared_by=shared_by)]
        )

    path = build(tmp_path / "a.db", one("2.2.0", 1, 5), one("2.2.1", 1, 99), one("2.2.2", 0, 99))
    with closing(open_reader(path)) as db:
        states = [row["checks"] for row in ask(db, "timeline", syscall="open")]
        assert states == ["CAP_DAC_OVERRIDE", ""]
        assert ask(db, "transition", **{"from": "2.2.0", "to": "2.2.1"}) == []
        (lost,) = ask(db, "transition", **{"from": "2.2.0", "to": "2.2.2"})
        assert (lost["before"], lost["after"], lost["became"]) == ("CAP_DAC_OVERRIDE", "", "lost")


@pytest.mark.parametrize("name", ["check_list", "sites_through_releases", "why", "which"])
def test_a_privilege_that_nothing_asks_for_has_no_rows(
    name: str, connection: sqlite3.Connection
) -> None:
    assert ask(connection, name, privilege="nope") == []


def test_the_default_transition_is_from_the_last_2_0_to_the_last_2_2(
    connection: sqlite3.Connection,
) -> None:
    rows = ask(connection, "transition")
    assert {(row["from_release"], row["to_release"]) for row in rows} == {("2.0.40", "2.2.24")}
    assert {(row["syscall"], row["before"], row["after"], row["became"]) for row in rows} == {
        ("setgid", "suser", "CAP_SETGID", "capability"),
        ("chroot", "suser", "CAP_SYS_CHROOT", "capability"),
        ("bind", "suser", "CAP_NET_BIND_SERVICE", "capability"),
        ("mount", "suser", "CAP_SYS_ADMIN", "capability"),
    }


def test_check_counts_follow_the_sites_of_each_release(connection: sqlite3.Connection) -> None:
    counts = {
        (row["release"], row["check_name"]): row["sites"] for row in ask(connection, "check_counts")
    }
    direct = connection.execute(
        "select release, check_name, count(*) from check_sites group by release, check_name"
    )
    assert counts == {(release, name): count for release, name, count in direct}


def test_a_capability_is_counted_in_each_release(connection: sqlite3.Connection) -> None:
    rows = ask(connection, "capability", capability="setgid")
    assert [(row["release"], row["number"], row["sites"], row["syscalls"]) for row in rows] == [
        ("2.1.92", 6, 1, 1),
        ("2.2.0", 6, 1, 1),
        ("2.2.24", 6, 1, 1),
    ]


def test_a_container_loses_what_is_neither_kept_nor_added(connection: sqlite3.Connection) -> None:
    def lost(**asked: str) -> set[str]:
        return {row["syscall"] for row in ask(connection, "container", **asked)}

    assert lost() == {"mount"}
    assert lost(dropped="CAP_SYS_CHROOT", added="CAP_SYS_ADMIN") == {"chroot"}
    assert lost(base="none") == {"setgid", "chroot", "bind", "mount"}
    assert lost(base="all", dropped="ALL", added="CAP_SETGID") == {"chroot", "bind", "mount"}
    assert lost(base="CAP_SETGID, CAP_SYS_CHROOT") == {"bind", "mount"}


def test_a_run_of_a_syscall_goes_on_while_its_evidence_changes(tmp_path: Path) -> None:
    at, way = site("fs/a.c", 7, "ask", "suser"), step("sys_a", "fs/a.c", 1)
    path = build(
        tmp_path / "runs.db",
        linked("2.2.1", checks=[check("a", at, way, shared_by=2)]),
        linked("2.2.2", checks=[check("a", at, step("sys_a", "fs/a.c", 1, "ops.ask"))]),
        linked("2.2.3", checks=[check("b", at, way)]),
        linked("2.2.4", checks=[check("a", at._replace(line=9), way, shared_by=200)]),
        linked("2.2.5", checks=[check("a", at._replace(line=8), way, shared_by=3)]),
        linked("2.2.6", checks=[check("b", at, way)]),
        linked("2.2.7", checks=[check("a", at._replace(line=8), way, shared_by=200)]),
    )
    with closing(open_reader(path)) as connection:
        runs = ask(connection, "syscall", syscall="a")
        everything = ask(connection, "syscall", syscall="a", everything="1")
    told = ("first_release", "last_release", "open", "reach", "line", "standing")
    assert [tuple(run[column] for column in told) for run in runs] == [
        ("2.2.1", "2.2.2", 0, "pointer", 7, "own"),
        ("2.2.4", "2.2.5", 0, "call", 8, "own"),
    ]
    assert [(run["first_release"], run["last_release"]) for run in everything] == [
        ("2.2.1", "2.2.2"),
        ("2.2.4", "2.2.5"),
        ("2.2.7", "2.2.7"),
    ]


def test_what_became_of_root_counts_those_that_did_not_change(tmp_path: Path) -> None:
    def asks(syscall: str, *privileges: str) -> list[SyscallCheck]:
        return [
            check(syscall, site("a.c", line, f"sys_{syscall}", *privilege.split()))
            for line, privilege in enumerate(privileges, start=1)
        ]

    admin = "capable CAP_SYS_ADMIN"
    path = build(
        tmp_path / "became.db",
        linked(
            "2.0.40",
            checks=[row for name in "abcde" for row in asks(name, "suser")] + asks("f", "uid0"),
        ),
        linked(
            "2.2.24",
            checks=[
                *asks("a", admin, "uid0"),
                *asks("b", admin, "fsuser"),
                *asks("c", "suser"),
                *asks("f", admin),
            ],
            syscalls=[syscall(name) for name in "abcdf"],
        ),
    )
    with closing(open_reader(path)) as connection:
        rows = ask(connection, "root_became")
    assert {row["syscall"]: row["became"] for row in rows} == {
        "a": "capability",
        "b": "both",
        "c": "root",
        "d": "nothing",
        "e": "removed",
    }


def test_a_question_about_a_modern_release_means_x86_64(tmp_path: Path) -> None:
    def kernel(name: str) -> LinkedRelease:
        there = site("kernel/sys.c", 10, "sys_setgid", capability="CAP_SETGID")
        old = site("kernel/uid16.c", 20, "sys_setgid16", capability="CAP_SETGID")
        return linked(
            name,
            syscalls=[
                syscall("setgid", 46, "sys_setgid16"),
                syscall("setgid32", 214, "sys_setgid"),
                syscall("setgid", 106, "sys_setgid", abi="x86_64"),
                syscall("arch_only", 300, "sys_arch_only", abi="x86_64"),
            ],
            checks=[
                check("setgid", old),
                check("setgid32", there),
                check("setgid", there, abi="x86_64"),
                check("arch_only", there, abi="x86_64"),
            ],
        )

    path = tmp_path / "tables.db"
    build(path, kernel("2.6.39"), kernel("3.0"))
    with closing(open_reader(path)) as db:

        def tables(query: str, **asked: str) -> set[tuple[str, str]]:
            return {(row["abi"], row["syscall"]) for row in ask(db, query, **asked)}

        old = {("i386", "setgid"), ("i386", "setgid32")}
        new = {("x86_64", "setgid"), ("x86_64", "arch_only")}
        assert tables("which", privilege="CAP_SETGID", release="2.6.39") == old
        assert tables("which", privilege="CAP_SETGID", release="3.0") == new
        assert tables("which", privilege="CAP_SETGID", release="3.0", abi="i386") == old
        assert tables("syscall_table", release="3.0") == new
        # A table without the syscall that is asked for is not meant.
        for query in ("why", "syscall_entry"):
            assert tables(query, syscall="setgid", release="3.0") == {("x86_64", "setgid")}
            assert tables(query, syscall="setgid32", release="3.0") == {("i386", "setgid32")}
        for query in ("syscall", "timeline", "syscall_privileges"):
            rows = ask(db, query, syscall="setgid")
            assert rows and {row["abi"] for row in rows} == {"i386"}
            assert ask(db, query, syscall="arch_only")
