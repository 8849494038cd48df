"""Open database files for reading or writing, with clear errors if one cannot be opened."""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from caphistory.errors import CaphistoryError

#: Marks a SQLite file as ours (``PRAGMA application_id``): the letters "CAPH".
APPLICATION_ID = 0x43415048

#: Goes up whenever a database of the previous version cannot be read any more
#: (``PRAGMA user_version``).
SCHEMA_VERSION = 4

#: STRICT tables came with this version of SQLite.
OLDEST_SQLITE = (3, 37, 0)

_HEADER = b"SQLite format 3\x00"
# Where the header of a file has them (sqlite.org/fileformat2.html, "The Database Header").
_HEADER_BYTES, _USER_VERSION, _APPLICATION_ID = 100, 60, 68
_NUMBER = struct.Struct(">I")
_BUSY_SECONDS = 30.0


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """Run a block in a transaction, rolled back if it raises."""
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
    """Run several queries on one state of the database."""
    db.execute("BEGIN")
    try:
        yield
    finally:
        db.execute("ROLLBACK")


def open_reader(path: Path | str, *, any_thread: bool = False) -> sqlite3.Connection:
    """Open a database for reading only (see ``forbid_writing``); rows can be asked by column
    name, and in ``any_thread``, not only in this one.

    Works in a folder that cannot be written to and while an index run is writing. Raises
    CaphistoryError when there is no such file, when it is not a database of ours, when a
    newer version made it, or when it cannot be read.
    """
    path = Path(path)
    check(path)
    with translate_errors(path, "read"):
        db = _open_readable(path, any_thread)
    forbid_writing(db)
    return db


def _open_readable(path: Path, any_thread: bool) -> sqlite3.Connection:
    """Open for reading; where SQLite cannot make its files beside a database that was left
    in WAL mode (a folder without write permission), read the main file as it stands."""
    db = connect(path, mode="ro", any_thread=any_thread)
    try:
        db.execute("SELECT count(*) FROM meta").fetchone()
    except sqlite3.OperationalError:
        db.close()
        if _append_suffix(path, "-wal").exists():
            raise
        db = connect(path, mode="ro", immutable=True, any_thread=any_thread)
        db.execute("SELECT count(*) FROM meta").fetchone()
    return db


def forbid_writing(db: sqlite3.Connection) -> None:
    """Let a connection answer queries and do nothing else: no statement can write, attach
    another file (which ``query_only`` and a file opened for reading would let it make) or
    change a setting; what tries is a sqlite3.DatabaseError."""
    db.execute("PRAGMA query_only = ON")
    db.set_authorizer(_authorize)


_READING = frozenset(
    {
        sqlite3.SQLITE_SELECT,
        sqlite3.SQLITE_READ,
        sqlite3.SQLITE_FUNCTION,
        sqlite3.SQLITE_RECURSIVE,
        sqlite3.SQLITE_TRANSACTION,
        sqlite3.SQLITE_SAVEPOINT,
    }
)

# The pragmas whose argument says what is asked about; that of any other is a setting.
_ASKING = frozenset(
    {
        "foreign_key_check",
        "foreign_key_list",
        "index_info",
        "index_list",
        "index_xinfo",
        "integrity_check",
        "quick_check",
        "table_info",
        "table_list",
        "table_xinfo",
    }
)


# sqlite-utils, by which Datasette 1.0 reads tables, sets it on every connection; where nothing can
# be written there are no triggers either.
_HARMLESS = frozenset({"recursive_triggers"})


def _authorize(action: int, what: str | None, value: str | None, *_: str | None) -> int:
    """Allow what only reads (see ``sqlite3.Connection.set_authorizer``)."""
    if action == sqlite3.SQLITE_PRAGMA:
        allowed = value is None or what in _ASKING | _HARMLESS
    elif action == sqlite3.SQLITE_UPDATE:
        # So SQLite calls it when it sets up pragma_table_info and the like; no statement of a
        # user's may do it.
        allowed = what == "sqlite_master"
    else:
        allowed = action in _READING
    return sqlite3.SQLITE_OK if allowed else sqlite3.SQLITE_DENY


class Header(NamedTuple):
    """What the header of a SQLite file says of its content."""

    application_id: int
    schema_version: int


def read_header(path: Path) -> Header | None:
    """The header of a file, None where it is no SQLite file; OSError where it cannot be read.

    From the file itself: SQLite needs a lock and files beside it, or takes one for damaged
    whose last changes stand in the journal beside it, as a full disk leaves them.
    """
    with path.open("rb") as file:
        header = file.read(_HEADER_BYTES)
    if not header.startswith(_HEADER) or len(header) < _HEADER_BYTES:
        return None
    (application,) = _NUMBER.unpack_from(header, _APPLICATION_ID)
    (version,) = _NUMBER.unpack_from(header, _USER_VERSION)
    return Header(application, version)


def _read_marks(path: Path) -> Header | None:
    """``read_header``, or of a copy that another program made from our tables, without the marks in
    its header, what stands in the table meta."""
    header = read_header(path)
    if header is None or header.application_id:
        return header
    wrong = (sqlite3.Error, TypeError, ValueError)
    with suppress(*wrong), closing(connect(path, mode="ro", immutable=True)) as db:
        rows = db.execute("SELECT value FROM meta WHERE key = 'schema_version'")
        return Header(APPLICATION_ID, int(rows.fetchone()[0]))
    return header


def is_database(path: Path) -> bool:
    """Whether a file is a database that this version can read; no where it cannot be read."""
    try:
        return _read_marks(path) == (APPLICATION_ID, SCHEMA_VERSION)
    except OSError:
        return False


def check(path: Path) -> None:
    """Raise CaphistoryError unless the file is a database that this version can read."""
    _check_sqlite()
    if not path.exists():
        raise CaphistoryError(f"no database at {path}: make one with `caphistory index`")
    if path.is_dir():
        raise CaphistoryError(f"{path} is a folder, not a database")
    try:
        header = _read_marks(path)
    except OSError as error:
        raise CaphistoryError(f"cannot read {path}: {error.strerror}") from error
    if header is None:
        raise CaphistoryError(f"{path} is not a caphistory database (it is no SQLite file)")
    if header.application_id != APPLICATION_ID:
        raise CaphistoryError(f"{path} is not a caphistory database (another program made it)")
    version = header.schema_version
    if version > SCHEMA_VERSION:
        raise CaphistoryError(
            f"{path} was made by a newer version of caphistory (schema {version}, this one"
            f" knows {SCHEMA_VERSION}): upgrade caphistory, or choose another --db"
        )
    if version < SCHEMA_VERSION:
        raise CaphistoryError(
            f"{path} was made by an older version of caphistory (schema {version}, this one"
            f" needs {SCHEMA_VERSION}): delete it and run `caphistory index` again"
        )


def connect(
    path: Path, mode: str = "rwc", *, immutable: bool = False, any_thread: bool = False
) -> sqlite3.Connection:
    """Connect without any check; transactions are begun and ended by hand."""
    _check_sqlite()
    uri = f"{path.absolute().as_uri()}?mode={mode}{'&immutable=1' if immutable else ''}"
    db = sqlite3.connect(
        uri,
        uri=True,
        timeout=_BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=not any_thread,
    )
    db.row_factory = sqlite3.Row
    return db


@contextmanager
def translate_errors(path: Path, doing: str) -> Iterator[None]:
    """Turn what SQLite raises into one clear line; ``doing`` is ``read`` or ``write``."""
    try:
        yield
    except sqlite3.Error as error:
        raise CaphistoryError(f"cannot {doing} {path}: {_explain(error)}") from error


@contextmanager
def hold_writer_lock(path: Path) -> Iterator[None]:
    """Hold the right to write to the database at ``path``; only one process can.

    The lock is an exclusive transaction on an empty SQLite file beside the database: it is
    given back by the operating system when its process dies, works wherever SQLite works
    and does not keep readers of the database itself away. Raises CaphistoryError when
    another process holds it.
    """
    check_folder(path)
    lock = _append_suffix(path, ".lock")
    with translate_errors(lock, "write"):
        db = sqlite3.connect(lock, timeout=0, isolation_level=None)
    with closing(db):
        try:
            db.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                raise CaphistoryError(f"cannot write {path}: {_explain(error)}") from error
            raise CaphistoryError(
                f"another index run is writing to {path}: wait for it, or choose another --db"
            ) from error
        yield


def check_folder(path: Path) -> None:
    """Raise CaphistoryError unless the folder that ``path`` is to be in is there."""
    if not path.parent.is_dir():
        raise CaphistoryError(f"no folder {path.parent}: make it first, or choose another --db")


def _append_suffix(path: Path, suffix: str) -> Path:
    """Return the path of a file beside another."""
    return path.with_name(path.name + suffix)


def _check_sqlite() -> None:
    """Raise CaphistoryError if SQLite is too old."""
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        raise CaphistoryError(
            f"SQLite {sqlite3.sqlite_version} is too old: caphistory needs"
            f" {'.'.join(map(str, OLDEST_SQLITE))} or newer (use a newer Python)"
        )


def _explain(error: sqlite3.Error) -> str:
    """Return an error of SQLite in words for the user."""
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
