"""Everything in the database has a description, and the contract's columns are exact."""

from __future__ import annotations

from pathlib import Path

import pytest

from caphistory import store
from caphistory.store.tables import AUDIT_KINDS, TABLES
from caphistory.store.views import VIEWS
from tests.factories import build, linked, site

ROOT = Path(__file__).parents[2]

CONTRACT = {
    "releases": "release, series, kind, ordinal, released, source, commit_sha, provenance, note,"
    " swhid",
    "check_sites": "release, path, line, function, check_name, capability, argument, form, effect,"
    " errno, condition, blob, swhid",
    "capability_definitions": "release, capability, number, path, line, doc",
    "syscalls": "release, abi, number, syscall, function, path, line, parent",
    "syscall_checks": "release, abi, syscall, check_name, capability, reach, depth, pointer_hops,"
    " conditional, feasible, function, path, line, effect, errno, shared_by, chain, operations,"
    " instead, subject, namespace, standing",
    "requirements": "release, abi, syscall, operation, privilege, instead, effect, errno, subject,"
    " namespace, standing, sites, check_name, capability, reach, depth, pointer_hops, function,"
    " path, line, shared_by, chain, swhid",
    "transitions": "abi, syscall, from_release, to_release, before, after",
    "audit": "release, lexical, calls, macros, definitions, declarations, unexplained, functions,"
    " parse_errors, pointer_calls, pointer_calls_resolved",
    "wrappers": "release, name, kind, check_name, capability, parameter, path, line",
    "successions": "from_release, to_release, path_before, function_before, line_before,"
    " check_before, path_after, function_after, line_after, check_after, capability_after, fate,"
    " capability_before, found, certain, likeness, neighbours, site_before, site_after",
    "audit_details": "release, kind, path, line, detail",
}


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("schema") / "a.db", linked("2.2.0"))


@pytest.mark.parametrize("view", CONTRACT)
def test_columns_of_the_contract(path: Path, view: str) -> None:
    cursor = store.open_reader(path).execute(f"SELECT * FROM {view}")
    assert ", ".join(column[0] for column in cursor.description) == CONTRACT[view]


def test_nothing_lacks_a_description(path: Path) -> None:
    db = store.open_reader(path)
    described = {table.name: table.description for table in TABLES} | {
        view.name: view.description for view in VIEWS
    }
    columns = {
        table.name: {column.name: column.description for column in table.columns}
        for table in TABLES
    } | {view.name: dict(view.columns) for view in VIEWS}
    names = [
        row["name"]
        for row in db.execute(
            "SELECT name FROM sqlite_master WHERE type IN ('table', 'view')"
            " AND name NOT LIKE 'sqlite_%'"
        )
    ]
    assert set(names) == set(described)
    for name in names:
        assert described[name], name
        there = [column[0] for column in db.execute(f"SELECT * FROM {name}").description]
        assert there == list(columns[name]), name
        assert all(columns[name].values()), name


def test_every_kind_of_audit_note_that_ships_is_described(tmp_path: Path) -> None:
    store.unpack(ROOT / "data" / "facts.xz", tmp_path / "a.db")
    kinds = {
        kind
        for (kind,) in store.open_reader(tmp_path / "a.db").execute(
            "SELECT DISTINCT kind FROM audit_notes"
        )
    }
    assert kinds <= AUDIT_KINDS.keys()
    (view,) = (view for view in VIEWS if view.name == "audit_details")
    assert all(kind in view.columns["kind"] for kind in AUDIT_KINDS)


def test_every_table_is_strict(path: Path) -> None:
    tables = store.open_reader(path).execute("PRAGMA table_list").fetchall()
    ours = [row for row in tables if row["type"] == "table" and row["schema"] == "main"]
    loose = {row["name"] for row in ours if not row["strict"]}
    assert {name for name in loose if not name.startswith("sqlite_")} == set()


def test_opening_again_brings_old_views_up_to_date(path: Path) -> None:
    def views() -> list[tuple[str, str]]:
        db = store.open_reader(path)
        rows = db.execute("SELECT name, sql FROM sqlite_master WHERE type = 'view' ORDER BY name")
        return [tuple(row) for row in rows]

    wanted = views()
    with store.open_writer(path, "1") as writer:
        writer.db.execute("DROP VIEW releases")
        writer.db.execute("CREATE VIEW releases AS SELECT 1 AS one")
        writer.db.execute("CREATE VIEW of_an_earlier_version AS SELECT 1 AS one")
    with store.open_writer(path, "1"):
        pass
    assert views() == wanted


def test_opening_again_adds_the_indexes_of_a_newer_program(path: Path) -> None:
    def indexes() -> list[str]:
        rows = store.open_reader(path).execute(
            "SELECT name FROM sqlite_master WHERE type = 'index' ORDER BY name"
        )
        return [row["name"] for row in rows]

    wanted = indexes()
    with store.open_writer(path, "1") as writer:
        writer.db.execute("DROP INDEX succession_pairs_to_position")
    assert indexes() != wanted
    with store.open_writer(path, "1"):
        pass
    assert indexes() == wanted


def test_what_a_question_names_is_found_by_any_spelling(tmp_path: Path) -> None:
    old = linked("2.2.0", sites=[site("a.c", 1, "f", capability="CAP_GONE")])
    new = linked("2.2.1", sites=[site("a.c", 1, "f", capability="CAP_CHOWN")])
    db = store.open_reader(build(tmp_path / "a.db", old, new, old._replace(check_sites=[])))
    newest = db.execute("SELECT release, abi FROM asked_releases WHERE asked = ''").fetchall()
    assert [tuple(row) for row in newest] == [("2.2.1", "i386")]
    assert dict(db.execute("SELECT asked, privilege FROM asked_privileges").fetchall()) == {
        "cap_chown": "CAP_CHOWN",
        "chown": "CAP_CHOWN",
        "suser": "suser",
        "fsuser": "fsuser",
        "uid0": "uid0",
        "": None,
    }
