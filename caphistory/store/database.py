"""Making and opening database files, and saying clearly why one cannot be."""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from caphistory.errors import CaphistoryError
from caphistory.store import schema

#: STRICT tables came with this version of SQLite.
OLDEST_SQLITE = (3, 37, 0)

_HEADER = b"SQLite format 3\x00"
# Where the header of a file has them (sqlite.org/fileformat2.html, "The Database Header").
_HEADER_BYTES, _USER_VERSION, _APPLICATION_ID = 100, 60, 68
_NUMBER = struct.Struct(">I")
_BUSY_SECONDS = 30.0


def create(path: Path | str) -> None:
    """Make an empty database at ``path``; its folder must be there.

    A database of ours that is already there is left as it is. Raises CaphistoryError when
    the file is something else or cannot be written.
    """
    path = Path(path)
    _check_folder(path)
    if path.exists() and (path.is_dir() or path.stat().st_size):
        check(path)
        return
    with translated(path, "write"), closing(connect(path)) as db, transaction(db):
        if not db.execute("PRAGMA application_id").fetchone()[0]:
            make_tables(db)
            make_indexes(db)


def make_tables(db: sqlite3.Connection) -> None:
    """Make the tables and views of an empty database."""
    for statement in schema.create_statements():
        db.execute(statement)
    db.executemany(
        "INSERT INTO meta (key, value) VALUES (?, ?)",
        [("schema_version", str(schema.SCHEMA_VERSION)), ("telling", schema.TELLING)],
    )


def make_indexes(db: sqlite3.Connection) -> None:
    """Make the indexes that a database has not."""
    for statement in schema.index_statements():
        db.execute(statement)


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """All or nothing: what is written inside is taken back when it raises."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        # A full disk makes SQLite roll back by itself.
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


@contextmanager
def snapshot(db: sqlite3.Connection) -> Iterator[None]:
    """Several questions answered from one state of the database."""
    db.execute("BEGIN")
    try:
        yield
    finally:
        db.execute("ROLLBACK")


def open_reader(path: Path | str) -> sqlite3.Connection:
    """Open a database for reading only; rows can be asked by column name.

    Works in a folder that cannot be written to and while an index run is writing. Raises
    CaphistoryError when there is no such file, when it is not a database of ours, when a
    newer version made it, or when it cannot be read.
    """
    path = Path(path)
    check(path)
    with translated(path, "read"):
        return _open_reader(path)


def _open_reader(path: Path) -> sqlite3.Connection:
    """Open for reading; where SQLite cannot make its files beside a database that was left
    in WAL mode (a folder without write permission), read the main file as it stands."""
    db = connect(path, mode="ro")
    try:
        db.execute("SELECT count(*) FROM meta").fetchone()
    except sqlite3.OperationalError:
        db.close()
        if _beside(path, "-wal").exists():
            raise
        db = connect(path, mode="ro", immutable=True)
        db.execute("SELECT count(*) FROM meta").fetchone()
    return db


def check(path: Path) -> None:
    """Raise CaphistoryError unless the file is a database that this version can read."""
    _check_sqlite()
    if not path.exists():
        raise CaphistoryError(f"no database at {path}: make one with `caphistory index`")
    if path.is_dir():
        raise CaphistoryError(f"{path} is a folder, not a database")
    try:
        with path.open("rb") as file:
            header = file.read(_HEADER_BYTES)
    except OSError as error:
        raise CaphistoryError(f"cannot read {path}: {error.strerror}") from error
    if not header.startswith(_HEADER) or len(header) < _HEADER_BYTES:
        raise CaphistoryError(f"{path} is not a caphistory database (it is no SQLite file)")
    # From the file itself: SQLite needs a lock and files beside it, or takes one for damaged
    # whose last changes stand in the journal beside it, as a full disk leaves them.
    (version,) = _NUMBER.unpack_from(header, _USER_VERSION)
    (application,) = _NUMBER.unpack_from(header, _APPLICATION_ID)
    if application != schema.APPLICATION_ID:
        raise CaphistoryError(f"{path} is not a caphistory database (another program made it)")
    if version > schema.SCHEMA_VERSION:
        raise CaphistoryError(
            f"{path} was made by a newer version of caphistory (schema {version}, this one"
            f" knows {schema.SCHEMA_VERSION}): upgrade caphistory, or choose another --db"
        )
    if version < schema.SCHEMA_VERSION:
        raise CaphistoryError(
            f"{path} was made by an older version of caphistory (schema {version}, this one"
            f" needs {schema.SCHEMA_VERSION}): delete it and run `caphistory index` again"
        )


def connect(path: Path, mode: str = "rwc", *, immutable: bool = False) -> sqlite3.Connection:
    """Connect without any check; transactions are begun and ended by hand."""
    _check_sqlite()
    uri = f"{path.absolute().as_uri()}?mode={mode}{'&immutable=1' if immutable else ''}"
    db = sqlite3.connect(uri, uri=True, timeout=_BUSY_SECONDS, isolation_level=None)
    db.row_factory = sqlite3.Row
    return db


@contextmanager
def translated(path: Path, doing: str) -> Iterator[None]:
    """Turn what SQLite raises into one clear line; ``doing`` is ``read`` or ``write``."""
    try:
        yield
    except sqlite3.Error as error:
        raise CaphistoryError(f"cannot {doing} {path}: {_reason(error)}") from error


@contextmanager
def writer_lock(path: Path) -> Iterator[None]:
    """Hold the right to write to the database at ``path``; only one process can.

    The lock is an exclusive transaction on an empty SQLite file beside the database: it is
    given back by the operating system when its process dies, works wherever SQLite works
    and does not keep readers of the database itself away. Raises CaphistoryError when
    another process holds it.
    """
    _check_folder(path)
    lock = _beside(path, ".lock")
    with translated(lock, "write"):
        db = sqlite3.connect(lock, timeout=0, isolation_level=None)
    with closing(db):
        try:
            db.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                raise CaphistoryError(f"cannot write {path}: {_reason(error)}") from error
            raise CaphistoryError(
                f"another index run is writing to {path}: wait for it, or choose another --db"
            ) from error
        yield


def _check_folder(path: Path) -> None:
    if not path.parent.is_dir():
        raise CaphistoryError(f"no folder {path.parent}: make it first, or choose another --db")


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _check_sqlite() -> None:
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        raise CaphistoryError(
            f"SQLite {sqlite3.sqlite_version} is too old: caphistory needs"
            f" {'.'.join(map(str, OLDEST_SQLITE))} or newer (use a newer Python)"
        )


def _reason(error: sqlite3.Error) -> str:
    text = str(error)
    if "disk is full" in text:
        return "the disk is full; what was stored before is unchanged"
    if "disk I/O error" in text:
        # So SQLite calls it too where the file that readers share finds no room.
        return "the disk is full, or broken; what was stored before is unchanged"
    if "locked" in text:
        return "another program holds it locked; try again when that is done"
    if "unable to open" in text or "readonly" in text:
        return "no permission, or its folder is missing"
    if "malformed" in text or "not a database" in text:
        return "the file is damaged; delete it and run `caphistory index` again"
    return text
