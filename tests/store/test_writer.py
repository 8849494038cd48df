"""Releases go in, in any order, and the views show what went in."""

from __future__ import annotations

import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caphistory import store
from caphistory.errors import CaphistoryError
from caphistory.records import AuditDetail, LinkedRelease
from caphistory.store.tables import RUN_TABLES
from caphistory.store.views import VIEWS
from tests import factories
from tests.factories import build, check, linked, site, step
from tests.store import model, strategies

NAMES = ["2.0.39", "2.0.40", "2.1.0", "2.1.1pre1", "2.1.1", "2.2.0"]


@st.composite
def histories(draw: st.DrawFn) -> list[LinkedRelease | None]:
    """What is done to a database: write a release, also anew, or close and open it."""
    releases = {name: factories.release(name) for name in NAMES}
    write = st.sampled_from(NAMES).flatmap(lambda name: strategies.linked_releases(releases[name]))
    return draw(st.lists(st.one_of(write, write, write, st.none()), max_size=9))


def play(path: Path, history: list[LinkedRelease | None]) -> dict[str, LinkedRelease]:
    """Do all of it; returns what the database must hold in the end."""
    held: dict[str, LinkedRelease] = {}
    store.create(path)
    todo = list(history)
    while todo:
        with store.open_writer(path, "1") as writer:
            while todo and (action := todo.pop(0)) is not None:
                writer.write_release(action)
                held[action.release.release] = action
    return held


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(histories())
def test_views_equal_the_naive_model_whatever_the_order(
    history: list[LinkedRelease | None],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "any.db")
        held = play(path, history)
        in_order = sorted(held.values(), key=lambda each: each.release.position)
        straight = build(Path(folder, "straight.db"), *in_order)

        db, other = store.open_reader(path), store.open_reader(straight)
        for name, rows in model.expected(in_order).items():
            assert model.shown(db, name) == rows, name
        for view in VIEWS:
            assert model.shown(db, view.name) == model.shown(other, view.name), view.name
        store.export(db, Path(folder, "any.xz"))
        store.export(other, Path(folder, "straight.xz"))
        assert Path(folder, "any.xz").read_bytes() == Path(folder, "straight.xz").read_bytes()

        store.unpack(Path(folder, "any.xz"), Path(folder, "unpacked.db"))
        unpacked = store.open_reader(Path(folder, "unpacked.db"))
        for view in VIEWS:
            if view.name != "capability_definitions":
                assert model.shown(db, view.name) == model.shown(unpacked, view.name), view.name
        store.export(unpacked, Path(folder, "again.xz"))
        assert Path(folder, "any.xz").read_bytes() == Path(folder, "again.xz").read_bytes()

        with store.open_writer(path, "1") as writer:
            writer.reassess()
        store.export(store.open_reader(path), Path(folder, "reassessed.xz"))
        assert Path(folder, "any.xz").read_bytes() == Path(folder, "reassessed.xz").read_bytes()


def test_an_unchanged_fact_is_stored_once(tmp_path: Path) -> None:
    same = site("a.c", 10, "sys_a", capability="CAP_A")
    path = build(
        tmp_path / "a.db",
        *(linked(f"2.2.{number}", checks=[check("a", same)]) for number in range(20)),
    )
    db = store.open_reader(path)
    for table in RUN_TABLES:
        assert db.execute(f"SELECT count(*) FROM {table.name}").fetchone()[0] <= 1, table.name


def list_operations(path: Path) -> list[tuple[str, ...]]:
    with closing(store.open_reader(path)) as db:
        return sorted(map(tuple, db.execute("SELECT * FROM syscall_operations")))


def test_operations_follow_what_is_written(tmp_path: Path) -> None:
    def kernel_with(name: str, *operations: str) -> LinkedRelease:
        here = site("a.c", 10, "sys_a", capability="CAP_A")
        return linked(name, checks=[check("a", here, operation=text) for text in operations])

    path = build(tmp_path / "a.db", kernel_with("2.2.0", "A_GET"), kernel_with("2.2.1", "A_SET"))
    assert list_operations(path) == [("i386", "a", "A_GET"), ("i386", "a", "A_SET")]
    with store.open_writer(path, "1") as writer:
        writer.write_release(kernel_with("2.2.1", "", "A_PUT"))
    assert list_operations(path) == [("i386", "a", "A_GET"), ("i386", "a", "A_PUT")]


def test_a_database_without_a_table_of_operations_gets_one(tmp_path: Path) -> None:
    here = site("a.c", 10, "sys_a", capability="CAP_A")
    path = build(tmp_path / "a.db", linked("2.2.0", checks=[check("a", here, operation="A_GET")]))
    with closing(sqlite3.connect(path)) as db:
        db.execute("DROP VIEW syscall_operations")
        db.execute("DROP TABLE asked_operations")
    with store.open_writer(path, "1"):
        pass
    assert list_operations(path) == [("i386", "a", "A_GET")]


def test_a_moved_line_keeps_the_run_of_the_check(tmp_path: Path) -> None:
    path = build(
        tmp_path / "a.db",
        *(
            linked(f"2.2.{line}", checks=[check("a", site("a.c", line, "sys_a"))])
            for line in (1, 2, 3)
        ),
    )
    db = store.open_reader(path)
    runs = db.execute("SELECT first_release, last_release FROM syscall_check_runs").fetchall()
    assert [tuple(run) for run in runs] == [("2.2.1", "2.2.3")]
    lines = db.execute("SELECT release, line FROM check_sites").fetchall()
    assert [tuple(line) for line in lines] == [("2.2.1", 1), ("2.2.2", 2), ("2.2.3", 3)]


def test_a_run_of_checks_ends_where_it_becomes_shared_and_has_its_last_line(
    tmp_path: Path,
) -> None:
    way = step("sys_a", "a.c", 1)
    path = build(
        tmp_path / "a.db",
        *(
            linked(f"2.2.{number}", checks=[check("a", site("b.c", number, "b"), way, shared_by=n)])
            for number, n in enumerate((3, 3, 101), start=1)
        ),
    )
    runs = store.open_reader(path).execute(
        "SELECT first_release, last_release, line, shared_by, standing, open"
        " FROM syscall_check_runs ORDER BY first_ordinal"
    )
    assert [tuple(run) for run in runs] == [
        ("2.2.1", "2.2.2", 2, 3, "own", 0),
        ("2.2.3", "2.2.3", 3, 101, "remote", 1),
    ]


def test_a_chain_names_each_step_with_its_line(tmp_path: Path) -> None:
    end = site("net/ipv4/af_inet.c", 40, "inet_bind", capability="CAP_NET_BIND_SERVICE")
    first = step("sys_bind", "net/socket.c", 12, via="proto_ops.bind")
    path = build(tmp_path / "a.db", linked("2.2.24", checks=[check("bind", end, first)]))
    row = store.open_reader(path).execute("SELECT * FROM syscall_checks").fetchone()
    assert row["chain"] == (
        '[{"function":"sys_bind","path":"net/socket.c","line":12,"edge":"pointer",'
        '"via":"proto_ops.bind"},{"function":"inet_bind","path":"net/ipv4/af_inet.c",'
        '"line":40,"edge":"call","via":null}]'
    )
    assert (row["reach"], row["depth"], row["pointer_hops"]) == ("pointer", 1, 1)


def test_one_step_can_stand_at_two_lines_in_one_release(tmp_path: Path) -> None:
    one, two = site("a.c", 50, "check_one"), site("a.c", 60, "check_one", "suser")
    checks = [check("a", one, step("sys_a", "a.c", 5)), check("a", two, step("sys_a", "a.c", 9))]
    path = build(tmp_path / "a.db", linked("2.0", checks=checks))
    rows = store.open_reader(path).execute(
        "SELECT line, json_extract(chain, '$[0].line') FROM syscall_checks ORDER BY line"
    )
    assert [tuple(row) for row in rows] == [(50, 5), (60, 9)]


def test_long_arguments_are_cut(tmp_path: Path) -> None:
    path = build(
        tmp_path / "a.db", linked("2.2.0", sites=[site("a.c", 1, "f", argument="x" * 500)])
    )
    (argument,) = store.open_reader(path).execute("SELECT argument FROM check_sites").fetchone()
    assert argument == "x" * 200


def test_indexed_says_how_each_release_was_made(tmp_path: Path) -> None:
    path = build(tmp_path / "a.db", linked("2.2.10"), linked("2.2.9"), extractor_version="7")
    db = store.open_reader(path)
    assert list(store.read_indexed(db)) == ["2.2.9", "2.2.10"]
    assert store.read_indexed(db)["2.2.9"].extractor_version == "7"
    assert store.read_indexed(db)["2.2.9"].commit_sha == factories.release("2.2.9").commit_sha
    assert store.has_release(db, "2.2.10")
    assert not store.has_release(db, "2.2.11")


def test_one_version_has_one_name(tmp_path: Path) -> None:
    path = build(tmp_path / "a.db", linked("2.0"))
    with pytest.raises(CaphistoryError, match=r"2\.0\.0 is the same version as 2\.0,"):
        build(path, linked("2.0.0"))
    assert list(store.read_indexed(store.open_reader(path))) == ["2.0"]


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        (
            linked(
                "2.2.1",
                sites=[site("a.c", 1, "f", blob="aa" * 20), site("a.c", 2, "f", blob="bb" * 20)],
            ),
            "file_blobs",
        ),
        (
            linked("2.2.1", checks=[check("a", site("a.c", 1, "f"))._replace(depth=3)]),
            "does not fit",
        ),
        (
            linked("2.2.1", checks=[check("a", site("a.c", 1, "f"))])._replace(check_sites=[]),
            "unknown check site",
        ),
        (
            linked("2.2.1")._replace(audit_details=[AuditDetail("odd", None, None, "this")]),
            "undescribed kind: odd",
        ),
    ],
)
def test_contradictory_records_are_refused_and_change_nothing(
    tmp_path: Path, broken: LinkedRelease, says: str
) -> None:
    good = linked("2.2.0", checks=[check("a", site("a.c", 1, "f"))])
    later = linked("2.2.2", checks=[check("a", site("a.c", 1, "f"))])
    with store.open_writer(tmp_path / "a.db", "1") as writer:
        writer.write_release(good)
        with pytest.raises(ValueError, match=says):
            writer.write_release(broken)
        writer.write_release(later)
    db = store.open_reader(tmp_path / "a.db")
    for name, rows in model.expected([good, later]).items():
        assert model.shown(db, name) == rows, name


def test_an_interrupted_release_leaves_nothing_behind(tmp_path: Path) -> None:
    class Stopped(BaseException):
        """What stops the run in the middle of a release."""

    class Checks(list):  # type: ignore[type-arg]
        def __iter__(self):  # type: ignore[no-untyped-def]
            yield from super().__iter__()
            raise Stopped

    good = linked("2.2.0", checks=[check("a", site("a.c", 1, "f"))])
    half = linked("2.2.1", checks=[check("b", site("b.c", 1, "f"))])
    with pytest.raises(Stopped), store.open_writer(tmp_path / "a.db", "1") as writer:
        writer.write_release(good)
        writer.write_release(half._replace(syscall_checks=Checks(half.syscall_checks)))
    db = store.open_reader(tmp_path / "a.db")
    assert model.shown(db, "syscall_checks") == model.expected([good])["syscall_checks"]
    assert list(store.read_indexed(db)) == ["2.2.0"]
