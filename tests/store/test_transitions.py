"""What a syscall checks, from release to release, along the lines of development."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from caphistory import store
from caphistory.records import LinkedRelease
from caphistory.store.line import find_predecessors, list_between
from tests import factories
from tests.factories import build, check, linked, site, step, syscall


def chroot(name: str, *privileges: str) -> LinkedRelease:
    """A release whose chroot asks for these, in a file of its own for each."""
    checks = [
        check(
            "chroot",
            site(
                f"{privilege}.c",
                1,
                "f",
                "capable" if privilege.startswith("CAP_") else privilege,
                privilege if privilege.startswith("CAP_") else None,
            ),
        )
        for privilege in privileges
    ]
    return linked(name, checks=checks, syscalls=[syscall("chroot", 61)])


def transitions(db: sqlite3.Connection) -> set[tuple[str | None, ...]]:
    rows = db.execute("SELECT syscall, from_release, to_release, before, after FROM transitions")
    return {tuple(row) for row in rows}


def test_a_transition_names_both_releases_and_what_is_checked(tmp_path: Path) -> None:
    path = build(
        tmp_path / "a.db",
        chroot("2.1.30", "suser"),
        chroot("2.1.31", "CAP_SYS_CHROOT"),
        chroot("2.1.32", "CAP_SYS_CHROOT", "CAP_CHOWN"),
        chroot("2.1.33"),
    )
    assert transitions(store.open_reader(path)) == {
        ("chroot", "2.1.30", "2.1.31", "suser", "CAP_SYS_CHROOT"),
        ("chroot", "2.1.31", "2.1.32", "CAP_SYS_CHROOT", "CAP_CHOWN, CAP_SYS_CHROOT"),
        ("chroot", "2.1.32", "2.1.33", "CAP_CHOWN, CAP_SYS_CHROOT", ""),
    }


def test_a_new_syscall_comes_from_null_and_a_removed_one_goes_to_null(tmp_path: Path) -> None:
    path = build(tmp_path / "a.db", linked("2.1.30"), chroot("2.1.31", "suser"), linked("2.1.32"))
    assert transitions(store.open_reader(path)) == {
        ("chroot", "2.1.30", "2.1.31", None, "suser"),
        ("chroot", "2.1.31", "2.1.32", "suser", None),
    }


def test_a_syscall_that_checks_nothing_makes_no_transition(tmp_path: Path) -> None:
    path = build(tmp_path / "a.db", linked("2.1.30"), chroot("2.1.31"), linked("2.1.32"))
    assert transitions(store.open_reader(path)) == set()


def test_a_development_series_is_compared_with_its_branch_point(tmp_path: Path) -> None:
    path = build(
        tmp_path / "a.db",
        chroot("2.0.21", "suser"),
        chroot("2.0.40", "fsuser"),
        chroot("2.1.0", "suser"),
        chroot("2.1.132", "CAP_SYS_CHROOT"),
        chroot("2.2.0", "CAP_SYS_CHROOT"),
    )
    assert transitions(store.open_reader(path)) == {
        ("chroot", "2.0.21", "2.0.40", "suser", "fsuser"),
        ("chroot", "2.1.0", "2.1.132", "suser", "CAP_SYS_CHROOT"),
    }


def test_a_syscall_removed_at_a_branch_and_back_later_is_seen(tmp_path: Path) -> None:
    path = build(
        tmp_path / "a.db",
        chroot("2.0.21", "suser"),
        chroot("2.0.40", "suser"),
        linked("2.1.0"),
        chroot("2.1.1", "suser"),
    )
    assert transitions(store.open_reader(path)) == {
        ("chroot", "2.0.21", "2.1.0", "suser", None),
        ("chroot", "2.1.0", "2.1.1", None, "suser"),
    }


def bind(name: str, **evidence: Any) -> LinkedRelease:
    """A release whose bind comes to a check through a pointer; shared by 29 syscalls it is a remote
    requirement."""
    end = site("inet.c", 9, "inet_bind", "suser")
    hop = step("sys_bind", "socket.c", 2, via="proto_ops.bind")
    return linked(name, checks=[check("bind", end, hop, **evidence)])


def timeline(path: Path) -> list[tuple[str, ...]]:
    rows = store.open_reader(path).execute(
        "SELECT checks, first_release, last_release FROM syscall_timeline ORDER BY first_ordinal"
    )
    return [tuple(row) for row in rows]


def test_a_change_of_standing_is_no_change_of_what_is_asked(tmp_path: Path) -> None:
    path = build(
        tmp_path / "a.db",
        bind("2.0.1"),
        bind("2.0.2", shared_by=29),
        bind("2.0.3"),
        bind("2.0.4", shared_by=29),
    )
    db = store.open_reader(path)
    assert timeline(path) == [("suser", "2.0.1", "2.0.4")]
    assert transitions(db) == set()
    runs = db.execute("SELECT standing FROM syscall_privilege_runs ORDER BY first_ordinal")
    assert [run["standing"] for run in runs] == ["own", "remote", "own", "remote"]


def test_what_is_remote_most_of_the_time_is_not_told(tmp_path: Path) -> None:
    path = build(
        tmp_path / "a.db",
        bind("2.0.1"),
        bind("2.0.2", shared_by=29),
        bind("2.0.3", shared_by=29),
    )
    assert timeline(path) == [("", "2.0.1", "2.0.3")]
    assert transitions(store.open_reader(path)) == set()


def test_what_is_switched_off_is_not_asked_for(tmp_path: Path) -> None:
    path = build(tmp_path / "a.db", bind("2.0.1"), bind("2.0.2", feasible=0), bind("2.0.3"))
    assert timeline(path) == [
        ("suser", "2.0.1", "2.0.1"),
        ("", "2.0.2", "2.0.2"),
        ("suser", "2.0.3", "2.0.3"),
    ]
    assert transitions(store.open_reader(path)) == {
        ("bind", "2.0.1", "2.0.2", "suser", ""),
        ("bind", "2.0.2", "2.0.3", "", "suser"),
    }


def test_a_privilege_that_the_branch_point_has_as_remote_does_not_come_anew(
    tmp_path: Path,
) -> None:
    path = build(
        tmp_path / "a.db",
        bind("2.0.21", shared_by=29),
        linked("2.0.40", syscalls=[syscall("bind")]),
        bind("2.1.0"),
    )
    assert transitions(store.open_reader(path)) == set()


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (0, 2, 1), (1, 0, 2)])
def test_a_release_that_comes_between_breaks_a_history(
    tmp_path: Path, order: tuple[int, ...]
) -> None:
    releases = [bind("2.0.1"), linked("2.0.2"), bind("2.0.3", shared_by=15)]
    path = build(tmp_path / "a.db", *(releases[number] for number in order))
    assert timeline(path) == [("suser", "2.0.1", "2.0.1"), ("suser", "2.0.3", "2.0.3")]


def test_standings_follow_a_rule_that_has_changed(tmp_path: Path) -> None:
    releases = [bind(f"2.0.{number}", shared_by=n) for number, n in enumerate((3, 29, 3, 19))]
    path = build(tmp_path / "a.db", chroot("2.1.30", "suser"), *releases)
    export(path, wanted := tmp_path / "wanted.xz")
    with store.open_writer(path, "1") as writer:
        # What a database looks like that was made under another rule.
        writer.db.execute("UPDATE check_runs SET standing = 1, best = 0")
        writer.db.execute("DELETE FROM requirement_runs")
        writer.db.execute("UPDATE timeline_runs SET checks = 'other' || name")
        writer.db.execute("UPDATE meta SET value = 'another' WHERE key = 'standing'")
    with store.open_writer(path, "1"):
        pass
    export(path, tmp_path / "now.xz")
    assert (tmp_path / "now.xz").read_bytes() == wanted.read_bytes()


def export(path: Path, facts: Path) -> None:
    store.export(store.open_reader(path), facts)


@pytest.mark.parametrize(
    ("stored", "release", "predecessor"),
    [
        (["2.2.9", "2.2.10"], "2.2.10", "2.2.9"),
        (["2.2.9"], "2.2.9", None),
        (["2.0.21", "2.0.22", "2.0.40", "2.1.0"], "2.1.0", "2.0.21"),
        (["2.0", "2.0.40", "2.1.0"], "2.1.0", "2.0"),
        (["2.0.30", "2.0.40", "2.1.0"], "2.1.0", "2.0.40"),
        (["2.0.21", "2.0.40", "2.1.5"], "2.1.5", "2.0.21"),
        (["2.2.26", "2.3.51", "2.4.0"], "2.4.0", "2.3.51"),
        (["2.4.15", "2.4.37", "2.5.0"], "2.5.0", "2.4.15"),
        (["2.6.11", "2.6.11.12", "2.6.12"], "2.6.12", "2.6.11"),
        (["2.6.11", "2.6.11.1", "2.6.11.2", "2.6.12"], "2.6.11.2", "2.6.11.1"),
        (["2.6.11", "2.6.11.1"], "2.6.11.1", "2.6.11"),
        (["2.6.10", "2.6.10.1", "2.6.11.1"], "2.6.11.1", "2.6.10"),
        (["6.1", "6.1.192", "6.2"], "6.2", "6.1"),
        (["6.1", "6.1.1", "6.1.192"], "6.1.192", "6.1.1"),
        (["5.19", "6.0"], "6.0", "5.19"),
        (["2.2.9", "2.2.10pre1", "2.2.10pre2", "2.2.10"], "2.2.10", "2.2.9"),
        (["2.2.9", "2.2.10pre1", "2.2.10pre2"], "2.2.10pre2", "2.2.10pre1"),
        (["2.2.9", "2.2.10pre1"], "2.2.10pre1", "2.2.9"),
        (["2.1.132", "2.2.0pre1", "2.2.0"], "2.2.0", "2.1.132"),
        (["2.6.11", "2.6.11.12", "2.6.12-rc1"], "2.6.12-rc1", "2.6.11"),
        (["3.1", "3.2.4", "3.3.6"], "3.3.6", "3.2.4"),
        (["3.1", "3.2.4", "3.2.9", "3.3"], "3.3", "3.2.4"),
        (["6.1.192", "6.5"], "6.5", "6.1.192"),
        (["5.15", "6.1.192", "6.5.1", "6.5.2"], "6.5.2", "6.5.1"),
    ],
)
def test_what_a_release_is_compared_with(
    stored: list[str], release: str, predecessor: str | None
) -> None:
    releases = {name: factories.release(name) for name in stored}
    found = find_predecessors(releases.values())[releases[release].position]
    assert found == (releases[predecessor].position if predecessor else None)


@pytest.mark.parametrize(
    ("before", "after", "missing"),
    [
        ("2.2.9", "2.2.10", []),
        ("2.2.9", "2.2.12", ["2.2.10", "2.2.11"]),
        ("2.0", "2.0.1", []),
        ("2.0", "2.0.3", ["2.0.1", "2.0.2"]),
        ("1.3.100", "2.0", []),
        ("1.3.99", "2.0", ["1.3.100"]),
        ("1.3.100", "pre2.0.5", []),
        ("pre2.0.5", "2.0", []),
        ("2.0.21", "2.1.0", []),
        ("2.0.40", "2.1.0", []),
        ("2.0.20", "2.1.1", ["2.0.21", "2.1.0"]),
        ("2.0.40", "2.1.2", ["2.1.0", "2.1.1"]),
        ("2.1.131", "2.2.0", ["2.1.132"]),
        ("2.1.132", "2.2.0pre1", []),
        ("2.2.0pre1", "2.2.0", []),
        ("2.2.9", "2.2.10pre1", []),
        ("2.2.8", "2.2.10pre1", ["2.2.9"]),
        ("2.3.51", "2.3.99pre3", []),
        ("2.3.99pre9", "2.4.0-test1", []),
        ("2.3.51", "2.4.0", []),
        ("2.4.9", "2.4.9.15", []),
        ("2.4.9.15", "2.4.10", []),
        ("2.4.14", "2.5.0", ["2.4.15"]),
        ("2.4.37", "2.5.0", []),
        ("2.5.75", "2.6.0", []),
        ("2.6.11", "2.6.11.5", []),
        ("2.6.11.5", "2.6.12", []),
        ("2.6.11.5", "2.6.14", ["2.6.12", "2.6.13"]),
        ("2.6.39.4", "3.0", []),
        ("2.6.38", "3.1", ["2.6.39", "3.0"]),
        ("2.6.10", "2.6.11.1", ["2.6.11"]),
        ("2.6.11.1", "2.6.11.2", []),
        ("3.2.4", "3.3.6", ["3.3"]),
        ("3.3.6", "3.6.5", ["3.4", "3.5", "3.6"]),
        ("3.19.8", "4.0", []),
        ("4.20", "5.2.1", ["5.0", "5.1", "5.2"]),
        ("6.19", "7.1.5", ["7.0", "7.1"]),
        ("7.1.5", "7.2", []),
        ("7.30", "8.0", []),
        ("7.30", "8.1", ["8.0"]),
        ("0.01", "0.11", ["0.02", "0.03", "0.10"]),
        ("0.12", "0.95", []),
        ("0.95c+", "0.96pre", []),
        ("0.96c-patch2", "0.97", []),
        ("0.99.14z", "0.99.15", []),
        ("0.99.15j", "1.0", []),
        ("lia64-v2.5.10", "lia64-v2.5.12", ["2.5.11"]),
    ],
)
def test_the_mainline_releases_between_two(before: str, after: str, missing: list[str]) -> None:
    assert list(list_between(before, after)) == missing


def test_gaps_are_in_the_database_and_close_when_a_release_is_added(tmp_path: Path) -> None:
    gaps = (
        "SELECT from_release, to_release, missing FROM neighbours WHERE missing ORDER BY to_ordinal"
    )
    path = build(tmp_path / "a.db", *(linked(name) for name in ("3.1", "3.2.4", "3.6.5", "4.8")))
    wanted = [("3.1", "3.2.4", 1), ("3.2.4", "3.6.5", 4), ("3.6.5", "4.8", 21)]
    assert [tuple(row) for row in store.open_reader(path).execute(gaps)] == wanted
    facts = tmp_path / "facts.xz"
    store.export(store.open_reader(path), facts)
    store.unpack(facts, tmp_path / "b.db")
    assert [tuple(row) for row in store.open_reader(tmp_path / "b.db").execute(gaps)] == wanted
    build(path, *(linked(name) for name in ("3.3", "3.4", "3.5")))
    assert [tuple(row) for row in store.open_reader(path).execute(gaps)] == [
        wanted[0],
        ("3.5", "3.6.5", 1),
        wanted[2],
    ]
