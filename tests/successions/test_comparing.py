"""What index stores of the checks between releases, and what is found without it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from caphistory import store
from caphistory.errors import CaphistoryError
from caphistory.questions.queries import ask
from caphistory.questions.successions import compare_sites, compare_texts
from caphistory.store import successions
from caphistory.store.views import VIEWS
from tests.kernels.widgets import TEXTS
from tests.successions.indexing import indexed

FATES = "function_before, check_before, fate, function_after, capability_after"


def fates(db: Path, before: str, after: str) -> list[tuple[str | None, ...]]:
    rows = store.open_reader(db).execute(
        f"SELECT {FATES} FROM successions WHERE from_release = ? AND to_release = ?"
        " AND coalesce(path_before, path_after) = 'kernel/widget.c' ORDER BY 1",
        (before, after),
    )
    return [tuple(row) for row in rows]


def everything(db: Path) -> list[tuple[object, ...]]:
    rows = store.open_reader(db).execute("SELECT * FROM successions")
    return sorted(map(tuple, rows), key=str)


def short(rows: Sequence[dict[str, object]]) -> list[tuple[object, ...]]:
    return [
        (row["function_before"], row["fate"], row["function_after"], row["capability_after"])
        for row in rows
        if "kernel/widget.c" in (row["path_before"], row["path_after"])
    ]


def test_index_stores_every_neighbouring_pair_and_the_last_of_2_0_and_2_2(database: Path) -> None:
    rows = store.open_reader(database).execute(
        "SELECT from_release, to_release, neighbours FROM succession_pairs_stored"
        " ORDER BY to_ordinal, from_ordinal"
    )
    assert [tuple(row) for row in rows] == [
        ("2.0.39", "2.0.40", 1),
        ("2.0.40", "2.1.0", 1),
        ("2.1.0", "2.1.1", 1),
        ("2.1.1", "2.2.0", 1),
        ("2.0.40", "2.2.1", 0),
        ("2.2.0", "2.2.1", 1),
    ]


def test_what_became_of_each_check(database: Path) -> None:
    assert fates(database, "2.0.39", "2.0.40") == [
        ("sys_gadget", "suser", "same", "sys_gadget", None),
        ("sys_widget", "suser", "same", "sys_widget", None),
    ]
    assert fates(database, "2.1.0", "2.1.1") == [
        ("sys_gadget", "suser", "replaced", "sys_gadget", "CAP_SYS_ADMIN"),
        ("sys_widget", "suser", "replaced", "sys_widget", "CAP_SYS_ADMIN"),
    ]
    assert fates(database, "2.0.40", "2.2.1") == [
        ("sys_gadget", "suser", "gone", None, None),
        ("sys_widget", "suser", "replaced", "sys_trinket", "CAP_CHOWN"),
    ]


def test_every_site_of_both_releases_is_in_a_pair(database: Path) -> None:
    db = store.open_reader(database)
    for side, release in (("before", "from_release"), ("after", "to_release")):
        rows = db.execute(
            f"""
            SELECT p.from_release, p.to_release,
                (SELECT count(DISTINCT site_{side}) FROM successions AS s
                    WHERE s.from_release = p.from_release AND s.to_release = p.to_release),
                (SELECT count(*) FROM check_sites AS c WHERE c.release = p.{release})
            FROM succession_pairs_stored AS p
            """
        )
        for *pair, said, there in rows:
            assert said == there, pair


def test_the_order_of_indexing_and_the_number_of_workers_change_nothing(
    database: Path, repository: Path, tmp_path: Path
) -> None:
    db = tmp_path / "parts.db"
    for tags in (["2.2.*"], ["2.0.40"], ["2.1.*", "2.0.39"]):
        indexed(db, repository, *tags, jobs=2)
    assert everything(db) == everything(database)


def test_a_run_that_was_stopped_is_gone_on_with(
    database: Path, repository: Path, tmp_path: Path
) -> None:
    db = indexed(tmp_path / "stopped.db", repository)
    with store.open_writer(db, "2") as writer:
        ends = successions.list_wanted(writer.db)[2].after
        successions.forget(writer.db, ends.position)
    assert everything(db) != everything(database)
    indexed(db, repository)
    assert everything(db) == everything(database)


def test_a_database_of_before_gets_what_it_lacks(
    database: Path, repository: Path, tmp_path: Path
) -> None:
    db = indexed(tmp_path / "old.db", repository)
    with store.open_writer(db, "2") as writer:
        for view in (one.name for one in VIEWS if one.name.startswith("succession")):
            writer.db.execute(f"DROP VIEW {view}")
        for table in ("succession_changes", "succession_pairs"):
            writer.db.execute(f"DROP TABLE {table}")
    reader = store.open_reader(db)
    ends = successions.Ends(*(successions.read_end(reader, one) for one in ("2.0.39", "2.0.40")))
    assert not successions.is_stored(reader, ends)
    indexed(db, repository)
    assert everything(db) == everything(database)


def test_it_ships(database: Path, tmp_path: Path) -> None:
    store.export(store.open_reader(database), tmp_path / "facts.xz")
    store.unpack(tmp_path / "facts.xz", tmp_path / "b.db")
    assert everything(tmp_path / "b.db") == everything(database)
    store.export(store.open_reader(tmp_path / "b.db"), tmp_path / "again.xz")
    assert (tmp_path / "again.xz").read_bytes() == (tmp_path / "facts.xz").read_bytes()


def test_two_other_releases_are_compared_in_the_source(database: Path, repository: Path) -> None:
    rows = compare_texts(store.open_reader(database), "2.0.39", "2.2.0", [repository])
    assert short(rows) == [
        ("sys_widget", "replaced", "sys_widget", "CAP_SYS_ADMIN"),
        ("sys_gadget", "gone", None, None),
    ]


def test_what_is_compared_is_what_is_stored(database: Path, repository: Path) -> None:
    db = store.open_reader(database)
    for one, other in zip(TEXTS, list(TEXTS)[1:], strict=False):
        stored = ask(db, "successions_between", **{"from": one, "to": other})
        assert compare_texts(db, one, other, [repository]) == stored


def test_without_the_source_the_releases_between_lead_to_the_answer(database: Path) -> None:
    rows = compare_sites(store.open_reader(database), "2.1.0", "2.2.1", [])
    assert short(rows) == [
        ("sys_widget", "replaced", "sys_trinket", "CAP_CHOWN"),
        ("sys_gadget", "gone", None, None),
    ]


def test_without_both_it_says_what_to_do(database: Path) -> None:
    with pytest.raises(CaphistoryError, match="caphistory index"):
        compare_sites(store.open_reader(database), "2.2.1", "2.0.39", [])


def test_how_a_check_came_to_ask_what_it_asks(database: Path) -> None:
    rows = ask(store.open_reader(database), "succession_history", path="kernel/widget.c")
    found = [(row["release"], row["check_before"], row["capability_after"]) for row in rows]
    assert found == [
        ("2.1.1", "suser", "CAP_SYS_ADMIN"),
        ("2.2.1", "capable", "CAP_CHOWN"),
    ]


def test_where_checks_began_to_ask_something_else(database: Path) -> None:
    rows = ask(store.open_reader(database), "succession_moves")
    found = [(row["release"], row["move"], row["function_before"]) for row in rows]
    assert found == [
        ("2.1.1", "to capability", "sys_widget"),
        ("2.1.1", "to capability", "sys_gadget"),
        ("2.2.1", "capability changed", "sys_widget"),
    ]
