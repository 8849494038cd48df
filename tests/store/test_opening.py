"""Files that are no database of ours, are locked, or cannot be written: one clear line."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from caphistory import store
from caphistory.errors import CaphistoryError
from caphistory.records import LinkedRelease
from caphistory.store.database import SCHEMA_VERSION
from tests.factories import build, check, linked, site

ROOT = Path(__file__).parents[2]

as_root = hasattr(os, "geteuid") and os.geteuid() == 0


def release(name: str, count: int = 1) -> LinkedRelease:
    checks = [check(f"call{n}", site(f"f{n}.c", 1, "f", "suser")) for n in range(count)]
    return linked(name, checks=checks)


def foreign(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE notes (text)")


def made_by_version(path: Path, version: int) -> None:
    store.create(path)
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"PRAGMA user_version = {version}")


def damaged(path: Path) -> None:
    """One of ours, of which only the header was left."""
    store.create(path)
    path.write_bytes(path.read_bytes()[:100] + b"\xff" * 4000)


BAD_FILES = [
    (lambda path: path.write_text("notes\n" * 100), "not a caphistory database"),
    (foreign, "another program made it"),
    (lambda path: made_by_version(path, SCHEMA_VERSION + 1), "newer version"),
    (lambda path: made_by_version(path, 0), "older version"),
    (lambda path: path.mkdir(), "is a folder"),
    (lambda path: path.write_bytes(b"SQLite format 3\x00"), "no SQLite file"),
    (lambda path: path.write_bytes(b"SQLite format 3\x00" + b"\xff" * 4000), "another program"),
    (damaged, "damaged"),
]


@pytest.mark.parametrize(("make", "says"), BAD_FILES)
def test_a_file_that_is_something_else_is_refused_and_kept(
    tmp_path: Path, make: Callable[[Path], object], says: str
) -> None:
    path = tmp_path / "a.db"
    make(path)
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(CaphistoryError, match=says) as caught:
        store.open_reader(path)
    assert "\n" not in str(caught.value)
    with pytest.raises(CaphistoryError, match=says), store.open_writer(path, "1"):
        pass
    assert (path.read_bytes() if path.is_file() else None) == before


WRITING = [
    "attach '{new}' as new",
    "vacuum into '{new}'",
    "detach main",
    "create table notes (text)",
    "create temp table notes (text)",
    "create virtual table temp.notes using fts5(text)",
    "insert into meta values ('a', 'b')",
    "update meta set value = ''",
    "delete from files",
    "drop table files",
    "alter table files rename to notes",
    "update sqlite_master set sql = ''",
    "analyze",
    "pragma query_only = off",
    "pragma writable_schema = on",
    "pragma user_version = 9",
    "pragma journal_mode = wal",
]


@pytest.mark.parametrize("sql", WRITING)
def test_a_question_cannot_write(tmp_path: Path, sql: str) -> None:
    path = build(tmp_path / "a.db", release("2.2.0"))
    before = path.read_bytes()
    with (
        closing(store.open_reader(path)) as db,
        pytest.raises(sqlite3.DatabaseError, match=r"authoriz|may not be modified"),
    ):
        db.execute(sql.format(new=tmp_path / "new.db"))
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir() if "lock" not in file.name] == ["a.db"]


@pytest.mark.parametrize(
    "sql",
    [
        "select * from pragma_table_info('files')",
        "pragma table_info(files)",
        "pragma database_list",
        "pragma user_version",
        "pragma integrity_check",
        "explain query plan select * from check_sites",
        "with recursive n (n) as (select 1 union all select n + 1 from n limit 3) select * from n",
        "select value from json_each('[1]')",
    ],
)
def test_a_question_can_ask_all_that_reads(tmp_path: Path, sql: str) -> None:
    with closing(store.open_reader(build(tmp_path / "a.db", release("2.2.0")))) as db:
        assert db.execute(sql).fetchall()


def test_nothing_to_read(tmp_path: Path) -> None:
    with pytest.raises(CaphistoryError, match="no database at"):
        store.open_reader(tmp_path / "none.db")
    assert not (tmp_path / "none.db").exists()


def test_no_folder_to_write_in(tmp_path: Path) -> None:
    with pytest.raises(CaphistoryError, match="no folder"):
        store.create(tmp_path / "none" / "a.db")
    with (
        pytest.raises(CaphistoryError, match="no folder"),
        store.open_writer(tmp_path / "none" / "a.db", "1"),
    ):
        pass


def test_names_with_characters_that_mean_something_in_addresses(tmp_path: Path) -> None:
    path = build(tmp_path / "a?mode=memory#50%.db", release("2.2.0"))
    assert path.exists()
    assert store.has_release(store.open_reader(path), "2.2.0")


@contextmanager
def unwritable(folder: Path) -> Iterator[None]:
    """A folder that its owner cannot write to; root can, so it becomes somebody else."""
    folder.chmod(0o555)
    for file in folder.iterdir():
        file.chmod(0o444)
    if as_root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if as_root:
            os.seteuid(0)
        folder.chmod(0o755)


@pytest.fixture
def open_folder(tmp_path: Path) -> Path:
    """A folder that another user can come to (pytest's own are for their owner only)."""
    for parent in (tmp_path, *tmp_path.parents):
        if parent.name.startswith("pytest-") or parent == tmp_path:
            parent.chmod(0o755)
    return tmp_path


def test_reading_needs_no_write_permission(open_folder: Path) -> None:
    path = build(open_folder / "a.db", release("2.2.0"))
    with unwritable(open_folder):
        db = store.open_reader(path)
        assert store.has_release(db, "2.2.0")


def test_reading_a_file_left_in_wal_mode_needs_no_write_permission(open_folder: Path) -> None:
    path = build(open_folder / "a.db", release("2.2.0"))
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA journal_mode = WAL")
    with unwritable(open_folder):
        assert store.has_release(store.open_reader(path), "2.2.0")


def test_writing_without_permission_is_refused(open_folder: Path) -> None:
    path = build(open_folder / "a.db", release("2.2.0"))
    with unwritable(open_folder):
        with pytest.raises(CaphistoryError, match="cannot write"), store.open_writer(path, "1"):
            pass
        with pytest.raises(CaphistoryError, match="cannot write"):
            store.create(open_folder / "b.db")


def test_a_second_writer_is_told_and_a_reader_goes_on(tmp_path: Path) -> None:
    path = build(tmp_path / "a.db", release("2.2.0"))
    with store.open_writer(path, "1") as writer:
        writer.write_release(release("2.2.1"))
        with (
            pytest.raises(CaphistoryError, match="another index run"),
            store.open_writer(path, "1"),
        ):
            pass
        reader = store.open_reader(path)
        assert list(store.read_indexed(reader)) == ["2.2.0", "2.2.1"]
        writer.write_release(release("2.2.2"))
        assert list(store.read_indexed(reader)) == ["2.2.0", "2.2.1", "2.2.2"]
    with store.open_writer(path, "1") as writer:
        assert store.has_release(writer.db, "2.2.2")


def test_a_writer_leaves_one_plain_file(tmp_path: Path) -> None:
    path = build(tmp_path / "a.db", release("2.2.0"))
    assert not (tmp_path / "a.db-wal").exists()
    assert not (tmp_path / "a.db-shm").exists()
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA journal_mode").fetchone() == ("delete",)


DYING_WRITER = """
import sys
from pathlib import Path
from caphistory import store
from tests.store.test_opening import release

class Checks(list):
    def __iter__(self):
        yield from super().__iter__()
        if armed:
            print("writing", flush=True)
            sys.stdin.read()

armed = False
with store.open_writer(sys.argv[1], "1") as writer:
    writer.write_release(release("2.2.1"))
    half = release("2.2.2")
    half = half._replace(audit_details=Checks())
    armed = True
    writer.write_release(half)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs kill")
def test_the_lock_of_a_killed_writer_is_free_and_its_release_is_not_there(tmp_path: Path) -> None:
    path = build(tmp_path / "a.db", release("2.2.0"))
    with subprocess.Popen(
        [sys.executable, "-c", DYING_WRITER, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"writing\n"
        with (
            pytest.raises(CaphistoryError, match="another index run"),
            store.open_writer(path, "1"),
        ):
            pass
        process.kill()
    with store.open_writer(path, "1") as writer:
        assert list(store.read_indexed(writer.db)) == ["2.2.0", "2.2.1"]
        writer.write_release(release("2.2.2"))
    assert list(store.read_indexed(store.open_reader(path))) == ["2.2.0", "2.2.1", "2.2.2"]


def test_a_full_disk_keeps_what_was_stored(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with store.open_writer(path, "1") as writer:
        writer.write_release(release("2.2.0"))
        (pages,) = writer.db.execute("PRAGMA page_count").fetchone()
        writer.db.execute(f"PRAGMA max_page_count = {pages + 2}")
        with pytest.raises(CaphistoryError, match="disk is full"):
            writer.write_release(release("2.2.1", count=2000))
        writer.db.execute("PRAGMA max_page_count = 1000000")
        writer.write_release(release("2.2.2"))
    db = store.open_reader(path)
    assert list(store.read_indexed(db)) == ["2.2.0", "2.2.2"]
    assert db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
