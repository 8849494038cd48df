"""The facts of files that were read before, kept in the user's cache: a run that was stopped, a
linking that changed or one more release need not read again what did not change.

Nothing depends on them. They are kept by the id of the content and by a digest of the program
that reads it; a cache that is missing, damaged, locked or full is gone on without.
"""

from __future__ import annotations

import marshal
import shutil
import sqlite3
import sys
import zlib
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from hashlib import blake2b
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from caphistory import syntax
from caphistory.syntax import facts
from caphistory.syntax.facts import Blob, Item

_FOLDER = "facts"
# Raised whenever what is packed, or how, changes; a change of the reader itself is seen.
_FORMAT = "2"
# A quarter of the text: 1.5 GB for all of the default history, 0.25 GB for a kernel of today.
# Beyond this the oldest go.
_MOST_BYTES = 3_000_000_000
# The database matters more than this: nothing is kept on a disk that is nearly full.
_LEAST_FREE = 1_000_000_000
_BATCH_BYTES = 8_000_000
_BUSY_SECONDS = 10.0

_TABLE = """
CREATE TABLE IF NOT EXISTS remembered (
    id INTEGER PRIMARY KEY,
    blob TEXT NOT NULL UNIQUE,
    path TEXT NOT NULL,
    facts BLOB NOT NULL
)"""
_INDEX = "CREATE INDEX IF NOT EXISTS remembered_path ON remembered (path)"
_INSERT = "INSERT OR IGNORE INTO remembered (blob, path, facts) VALUES (?, ?, ?)"
_GET = "SELECT blob, facts FROM remembered WHERE blob = ?"
_KNOWN = "SELECT 1 FROM remembered WHERE blob = ?"
_LATELY = "SELECT blob, facts FROM remembered WHERE path = ? ORDER BY id DESC LIMIT 1"
_FORGET = """
DELETE FROM remembered
WHERE id <= (SELECT min(id) + (max(id) - min(id)) / 20 FROM remembered)"""

Items = Mapping[bytes, Item]


class FactCache:
    """What is known of files, by the id of their content; several processes may use one at once.

    No method raises for a trouble of the cache: from then on nothing is known any more.
    """

    def __init__(
        self,
        folder: Path,
        *,
        most_bytes: int = _MOST_BYTES,
        least_free: int = _LEAST_FREE,
    ) -> None:
        self._folder = folder / _FOLDER
        self._most_bytes = most_bytes
        self._least_free = least_free
        self._waiting: list[tuple[str, str, bytes]] = []
        self._waiting_bytes = 0
        self._db = _opened(self._folder)

    @property
    def open(self) -> bool:
        """Whether anything can be kept."""
        return self._db is not None

    def __contains__(self, blob: str) -> bool:
        """Whether the facts of a content are kept; they may turn out to be damaged."""
        try:
            return self._db is not None and bool(self._db.execute(_KNOWN, (blob,)).fetchone())
        except sqlite3.Error:
            self.close()
            return False

    def get(self, blob: str) -> tuple[Blob, Items] | None:
        """The facts of a content and of its items; None where they are not known."""
        return self._asked(_GET, blob)

    def lately(self, path: str) -> Items:
        """The items of the version of a file that was kept last; none if there is none."""
        found = self._asked(_LATELY, path)
        return found[1] if found else {}

    def put(self, blob: str, path: str, known: Blob, items: Items) -> None:
        """Keep the facts of a content, which stands at ``path``, from the next ``flush`` on."""
        if self._db is None:
            return
        packed = _packed(blob, known, items)
        self._waiting.append((blob, path, packed))
        self._waiting_bytes += len(packed)
        if self._waiting_bytes > _BATCH_BYTES:
            self.flush()

    def flush(self) -> None:
        """Write what was put, in one transaction."""
        waiting, self._waiting, self._waiting_bytes = self._waiting, [], 0
        if self._db is None or not waiting:
            return
        try:
            if shutil.disk_usage(self._folder).free < self._least_free:
                self.close()
                return
            self._db.execute("BEGIN IMMEDIATE")
            self._db.executemany(_INSERT, waiting)
            if self._bytes(self._db) > self._most_bytes:
                self._db.execute(_FORGET)
            self._db.execute("COMMIT")
        except (sqlite3.Error, OSError):
            self.close()

    def close(self) -> None:
        """Know nothing from now on."""
        if self._db is not None:
            with suppress(sqlite3.Error):
                self._db.close()
            self._db = None

    def _asked(self, question: str, key: str) -> tuple[Blob, Items] | None:
        if self._db is None:
            return None
        try:
            row = self._db.execute(question, (key,)).fetchone()
        except sqlite3.Error:
            self.close()
            return None
        if row is None:
            return None
        blob, packed = row
        try:
            name, known, items = _unpacked(packed)
        except Exception:  # whatever damaged facts may raise
            return None
        return (known, items) if name == blob else None

    @staticmethod
    def _bytes(db: sqlite3.Connection) -> int:
        pages, free, size = (
            db.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("page_count", "freelist_count", "page_size")
        )
        return int((pages - free) * size)


# What records are in which fields of others; all else is numbers, bytes, strings and tuples of
# these. ``marshal`` knows no records, but it has each string only once in memory, in half the
# time in which ``pickle`` can be made to.
_HELD: dict[type[Any], dict[str, type[Any]]] = {
    facts.Blob: {"items": facts.Placed},
    facts.Item: {
        "functions": facts.Function,
        "macros": facts.Macro,
        "structs": facts.Struct,
        "typedefs": facts.Typedef,
        "variables": facts.Variable,
        "stored": facts.Stored,
    },
    facts.Function: {
        "parameters": facts.Parameter,
        "calls": facts.Call,
        "uid_tests": facts.UidTest,
        "flows": facts.Flow,
        "variables": facts.Parameter,
    },
    facts.Macro: {
        "calls": facts.Call,
        "uid_tests": facts.UidTest,
        "flows": facts.Flow,
        "stored": facts.Stored,
    },
    facts.Struct: {"members": facts.Parameter},
}
_PLACES = {
    kind: [(kind._fields.index(name), held) for name, held in fields.items()]
    for kind, fields in _HELD.items()
}


def _packed(name: str, blob: Blob, items: Items) -> bytes:
    plain = {key: _plain(item, Item) for key, item in items.items()}
    return zlib.compress(marshal.dumps((name, _plain(blob, Blob), plain)), 1)


def _unpacked(packed: bytes) -> tuple[str, Blob, Items]:
    name, blob, items = marshal.loads(zlib.decompress(packed))
    return name, _fact(Blob, blob), {key: _fact(Item, item) for key, item in items.items()}


def _plain(fact: tuple[Any, ...], kind: type[Any]) -> tuple[Any, ...]:
    """A record as a tuple."""
    parts = list(fact)
    for at, held in _PLACES[kind]:
        if parts[at]:
            further = held in _PLACES
            parts[at] = tuple([_plain(o, held) if further else tuple(o) for o in parts[at]])
    return tuple(parts)


def _fact(kind: type[Any], plain: tuple[Any, ...]) -> Any:
    """The record that a tuple stands for."""
    parts = list(plain)
    for at, held in _PLACES[kind]:
        if parts[at]:
            make = partial(_fact if held in _PLACES else tuple.__new__, held)
            parts[at] = tuple(map(make, parts[at]))
    return tuple.__new__(kind, parts)


def _opened(folder: Path) -> sqlite3.Connection | None:
    """The file of this version of the program; those of others are dropped."""
    try:
        name = f"{_digest()}.db"
        folder.mkdir(parents=True, exist_ok=True)
        for other in folder.iterdir():
            if not other.name.startswith(name):
                other.unlink(missing_ok=True)
        path = folder / name
        try:
            return _connected(path)
        except sqlite3.OperationalError:  # locked, no permission, a full disk
            return None
        except sqlite3.DatabaseError:  # no database, or a damaged one
            for part in (path, Path(f"{path}-wal"), Path(f"{path}-shm")):
                part.unlink(missing_ok=True)
            return _connected(path)
    except (sqlite3.Error, OSError, PackageNotFoundError):
        return None


def _connected(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None)
    try:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")
        db.execute(_TABLE)
        db.execute(_INDEX)
    except sqlite3.Error:
        db.close()
        raise
    return db


def _digest() -> str:
    """A digest of all that decides what is read from a content."""
    digest = blake2b(digest_size=12)
    parts = (version("tree-sitter"), version("tree-sitter-c"), str(sys.version_info[:2]))
    for part in (_FORMAT, *parts):
        digest.update(part.encode() + b"\0")
    for path in sorted(Path(syntax.__file__ or "").parent.glob("*.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
