"""All facts of a database as one compressed file, and back.

The file ships with the package. It is made from what the views show and from nothing
else: the same content gives the same bytes, whatever the order of writing, the ids in
the database or the version of SQLite. It holds no kernel text: the comments at the
definitions of capabilities stay out.

Inside the compression, after a mark, are parts with their length: first a header with the
releases and audits (JSON), then each column of each fact table, run table and table of successions
in the order of the schema. Releases stand as their rank.
"""

from __future__ import annotations

import gc
import hashlib
import json
import lzma
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from functools import partial
from io import BufferedIOBase
from itertools import chain, islice
from pathlib import Path
from typing import Any

from caphistory.errors import CaphistoryError
from caphistory.records import Release
from caphistory.store import columns, database
from caphistory.store.line import count_missing, link_predecessors
from caphistory.store.operations import write_all_operations
from caphistory.store.runs import Fact
from caphistory.store.tables import (
    AUDITS,
    FACT_TABLES,
    OPEN,
    RUN_TABLES,
    SUCCESSION_TABLES,
    TABLES,
    Column,
    Table,
)
from caphistory.store.views import VIEWS

#: Goes up whenever an older program could not read the file.
FORMAT = 4

_MAGIC = b"caphistory facts\n"

#: Columns that hold text of the kernel, which does not ship.
_KERNEL_TEXT = {("definitions", "doc")}

_RELEASE_COLUMNS = (*Release._fields, "extractor_version")
_SHIPPED = (*FACT_TABLES, *RUN_TABLES, *SUCCESSION_TABLES)
_EDGE_LISTS = ("chains", "edges")
_POSITIONS = ("first", "from_position", "to_position")

#: Rows that one statement stores: with 100 inserting takes 1.0 s instead of 1.9, with 500 as long.
_ROWS_AT_ONCE = 100
_FILTERS = [{"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME}]

Progress = Callable[[int, int], None]
_Ids = dict[str, dict[int, int]]


def export(db: sqlite3.Connection, path: Path | str) -> None:
    """Write all facts of a database to ``path``, in place of what was there.

    Raises CaphistoryError when it cannot be written.
    """
    path = Path(path)
    try:
        with (
            replacing(path) as temporary,
            lzma.open(temporary, "wb", check=lzma.CHECK_SHA256, filters=_FILTERS) as file,
            database.snapshot(db),
        ):
            file.write(_MAGIC)
            for part in _make_parts(db):
                columns.write_part(file, part)
    except OSError as error:
        raise CaphistoryError(f"cannot write {path}: {error.strerror}") from error


def unpack(path: Path | str, db_path: Path | str, progress: Progress | None = None) -> None:
    """Build the database at ``db_path`` from an exported file.

    It appears there when it is complete, not before, in place of what was there; several
    processes may do so at once. ``progress`` is given how many of how many rows are done.
    Raises CaphistoryError when the file is no such export or the database cannot be written.
    """
    path, db_path = Path(path), Path(db_path)
    try:
        with (
            lzma.open(path) as file,
            replacing(db_path) as temporary,
            database.translate_errors(db_path, "write"),
            _pause_collector(),
        ):
            _build(file, temporary, progress)
    except (lzma.LZMAError, EOFError, ValueError, KeyError) as error:
        raise CaphistoryError(f"{path} is damaged or no export of caphistory") from error
    except OSError as error:
        raise CaphistoryError(
            f"cannot unpack {error.filename or path}: {error.strerror}"
        ) from error


def name_content(path: Path | str) -> str:
    """Return a short name for the database that this program makes of an exported file: another one
    when the facts differ, or the views.

    Such a file ends with the SHA-256 of what was compressed and a summary of its size, so
    that its tail stands for the whole, which need not be read on every start.
    """
    try:
        with Path(path).open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - 128))
            return hashlib.sha256(file.read() + repr((TABLES, VIEWS)).encode()).hexdigest()[:16]
    except OSError as error:
        raise CaphistoryError(f"cannot read {path}: {error.strerror}") from error


# Export: from rows with the ids of this database to columns with canonical ids.


def _make_parts(db: sqlite3.Connection) -> Iterator[bytes]:
    """Return the parts of an export: the header, then the columns of each table."""
    releases = db.execute(
        f"SELECT {', '.join(_RELEASE_COLUMNS)} FROM stored_releases ORDER BY position"
    ).fetchall()
    ranks = {row["position"]: rank for rank, row in enumerate(releases)}
    ids: _Ids = {}
    parts: list[bytes] = []
    rows: dict[str, int] = {}
    used = _find_used_ids(db)
    for table in FACT_TABLES:
        facts = _read_facts(db, table, used[table.name], ids)
        rows[table.name] = len(facts)
        parts += _pack_columns(table, facts)
    for table in RUN_TABLES:
        runs = _read_runs(db, table, ids, ranks)
        rows[table.name] = len(runs)
        parts += _pack_columns(table, runs)
    for table in SUCCESSION_TABLES:
        successions = _read_successions(db, table, ids, ranks)
        rows[table.name] = len(successions)
        parts += _pack_columns(table, successions)
    header = {
        "format": FORMAT,
        "schema": database.SCHEMA_VERSION,
        "standing": _read_rule(db),
        "releases": [list(row) for row in releases],
        "audits": [list(row) for row in db.execute("SELECT * FROM audits ORDER BY position")],
        "rows": rows,
    }
    yield json.dumps(header, separators=(",", ":")).encode()
    yield from parts


def _read_rule(db: sqlite3.Connection) -> str:
    """Return the rule that the standings follow, which may not be the one of this program."""
    (rule,) = db.execute("SELECT value FROM meta WHERE key = 'standing'").fetchone()
    return str(rule)


def _find_used_ids(db: sqlite3.Connection) -> dict[str, set[int]]:
    """Return the facts that runs lead to, by table; releases that were written anew leave others
    behind."""
    used: dict[str, set[int]] = {table.name: set() for table in FACT_TABLES}
    for table in (*SUCCESSION_TABLES, *RUN_TABLES, *reversed(FACT_TABLES)):
        wanted = used.get(table.name)
        for column in table.columns:
            if column.references:
                first = table.columns[0].name
                rows = db.execute(f"SELECT {first}, {column.name} FROM {table.name}")
                used[column.references].update(
                    value
                    for key, value in rows
                    if value is not None and (wanted is None or key in wanted)
                )
        if table.name == "chains":
            for key, edges in db.execute("SELECT id, edges FROM chains"):
                if key in used["chains"]:
                    used["edges"].update(json.loads(edges))
    return used


def _read_facts(db: sqlite3.Connection, table: Table, used: set[int], ids: _Ids) -> list[Fact]:
    """Return the facts of a table without their ids, in the order that makes their new ids, which
    are added to ``ids``."""
    new: dict[int, Fact] = {}
    for number, *values in db.execute(f"SELECT {_join_names(table.columns)} FROM {table.name}"):
        if number in used:
            pairs = zip(table.columns[1:], values, strict=True)
            new[number] = tuple(_translate_value(table, *pair, ids) for pair in pairs)
    facts = sorted(set(new.values()), key=_make_sort_key)
    numbers = {fact: number for number, fact in enumerate(facts, 1)}
    ids[table.name] = {number: numbers[fact] for number, fact in new.items()}
    return facts


def _translate_value(table: Table, column: Column, value: Any, ids: _Ids) -> Any:
    """Return a value with canonical ids and without kernel text."""
    if value is None or (table.name, column.name) in _KERNEL_TEXT:
        return None
    if (table.name, column.name) == _EDGE_LISTS:
        return tuple(ids["edges"][edge] for edge in json.loads(value))
    return ids[column.references][value] if column.references else value


def _make_sort_key(fact: Fact) -> Fact:
    """Sorts facts that hold None in the same column as numbers or texts."""
    return tuple((value is not None, value) for value in fact)


def _read_runs(
    db: sqlite3.Connection, table: Table, ids: _Ids, ranks: dict[int, int]
) -> list[Fact]:
    """Return the runs of a table with canonical ids, ranks for positions, sorted by key; runs that
    differed in kernel text only are joined."""
    newest = len(ranks) - 1
    maps = [ids[column.references] if column.references else None for column in table.columns]
    rows = [
        (
            *(
                ids_of[value] if ids_of else value
                for ids_of, value in zip(maps, fact, strict=False)
            ),
            ranks[first],
            ranks.get(last, newest),
        )
        for *fact, first, last in db.execute(
            f"SELECT {_join_names(table.columns)} FROM {table.name}"
        )
    ]
    width = len(table.key) - 1
    rows.sort(key=lambda row: (row[:width], row[-2]))
    joined: list[Fact] = []
    for row in rows:
        first, last = row[-2:]
        if joined and joined[-1][:-2] == row[:-2] and first <= joined[-1][-1] + 1:
            joined[-1] = (*joined[-1][:-1], max(joined[-1][-1], last))
        else:
            joined.append(row)
    return joined


def _read_successions(
    db: sqlite3.Connection, table: Table, ids: _Ids, ranks: dict[int, int]
) -> list[Fact]:
    """Return the rows of a table about two releases with canonical ids, ranks for positions,
    sorted."""

    def translate(column: Column, value: Any) -> Any:
        if column.name in _POSITIONS:
            return ranks[value]
        return ids[column.references][value] if column.references and value else value

    rows = (
        tuple(map(translate, table.columns, row))
        for row in db.execute(f"SELECT {_join_names(table.columns)} FROM {table.name}")
    )
    return sorted(rows, key=_make_sort_key)


def _pack_columns(table: Table, rows: list[Fact]) -> Iterator[bytes]:
    """Give each stored column of a table as bytes."""
    for number, column in enumerate(_list_stored(table)):
        values = [row[number] for row in rows]
        if (table.name, column.name) == _EDGE_LISTS:
            yield "\n".join(f"[{','.join(map(str, edges))}]" for edges in values).encode()
        else:
            yield _pack(column, values)


def _pack(column: Column, values: Sequence[Any]) -> bytes:
    """Return a column as bytes, by its type."""
    if column.type is str:
        return columns.pack_texts(values)
    if column.type is bytes:
        return columns.pack_blobs(values)
    return columns.pack_optional(values) if column.optional else columns.pack_numbers(values)


# Unpacking: from columns to the rows of a new database.


def _build(file: BufferedIOBase, path: Path, progress: Progress | None) -> None:
    """Make the database at ``path``, which is nobody else's yet: if the machine stops in the
    middle nothing is lost, so nothing needs to be safe before the end."""
    # Takes 0.3 s to import, which only the first start after an installation is to wait for.
    from caphistory.store import ddl

    if file.read(len(_MAGIC)) != _MAGIC:
        raise ValueError("not an export")
    header = json.loads(columns.read_part(file))
    if (header["format"], header["schema"]) != (FORMAT, database.SCHEMA_VERSION):
        raise CaphistoryError(
            f"the facts are of format {header['format']}, schema {header['schema']}: they do not"
            " belong to this version of caphistory"
        )
    with closing(database.connect(path)) as db:
        db.execute("PRAGMA journal_mode = OFF")
        db.execute("PRAGMA synchronous = OFF")
        db.execute("PRAGMA locking_mode = EXCLUSIVE")
        with database.transaction(db):
            ddl.create_empty(db)
            positions = _insert_releases(db, header)
            ddl.set_meta(db, "standing", header["standing"])
            _insert_rows(db, file, header["rows"], positions, progress)
            ddl.apply_schema(db)
            write_all_operations(db)
        db.execute("ANALYZE")


def _insert_rows(
    db: sqlite3.Connection,
    file: BufferedIOBase,
    counts: dict[str, int],
    positions: list[int],
    progress: Progress | None,
) -> None:
    """Store the rows of all tables, ``counts`` being how many each has."""
    done, total = 0, sum(counts.values())
    for table, rows in _unpack_tables(file, counts, positions):
        for added in _append_rows(db, table, rows):
            done += added
            if progress:
                progress(done, total)


def _append_rows(db: sqlite3.Connection, table: Table, rows: Iterator[Fact]) -> Iterator[int]:
    """Store rows, many with each statement; gives how many were stored."""
    statement = table.append_many(_ROWS_AT_ONCE)
    while len(some := list(islice(rows, _ROWS_AT_ONCE))) == _ROWS_AT_ONCE:
        db.execute(statement, list(chain.from_iterable(some)))
        yield _ROWS_AT_ONCE
    db.executemany(table.append, some)
    yield len(some)


def _insert_releases(db: sqlite3.Connection, header: dict[str, Any]) -> list[int]:
    """Store releases and audits; returns the position of each release by its rank."""
    releases = [Release(*row[:-1]) for row in header["releases"]]
    before = link_predecessors(releases)
    names = (*_RELEASE_COLUMNS, "predecessor", "missing")
    rows = [(*row, *count_missing(before[row[3]])) for row in header["releases"]]
    db.executemany(
        f"INSERT INTO stored_releases ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})",
        rows,
    )
    db.executemany(AUDITS.insert, header["audits"])
    return [release.position for release in releases]


def _unpack_tables(
    file: BufferedIOBase, counts: dict[str, int], positions: list[int]
) -> Iterator[tuple[Table, Iterator[Fact]]]:
    """Give each table with its rows. A thread decompresses ahead of the one that stores: this
    takes an eighth of the time."""
    # A file of a program that did not know a table yet does not have it.
    tables = [table for table in _SHIPPED if table.name in counts]
    with ThreadPoolExecutor(1) as ahead:
        for table, parts in zip(tables, ahead.map(partial(_read_parts, file), tables), strict=True):
            yield table, _unpack_rows(parts, table, counts[table.name], positions)


def _read_parts(file: BufferedIOBase, table: Table) -> list[bytes]:
    """Read the columns of a table as bytes."""
    return [columns.read_part(file) for _ in _list_stored(table)]


def _list_stored(table: Table) -> tuple[Column, ...]:
    """Return the columns that the file has: ids are counted instead."""
    return table.columns[1:] if table.key == ("id",) else table.columns


def _unpack_rows(
    parts: list[bytes], table: Table, rows: int, positions: list[int]
) -> Iterator[Fact]:
    """Return what ``_pack_columns`` was given, with ids, and positions for ranks."""
    values: list[Iterable[Any]] = [range(1, rows + 1)] if table.key == ("id",) else []
    for column, data in zip(_list_stored(table), parts, strict=True):
        if (table.name, column.name) == _EDGE_LISTS:
            values.append(data.decode().splitlines())
        elif column.name == "last":
            values.append(map([*positions[:-1], OPEN].__getitem__, _unpack(column, data)))
        elif column.name in _POSITIONS:
            values.append(map(positions.__getitem__, _unpack(column, data)))
        else:
            values.append(_unpack(column, data))
    return zip(*values, strict=True)


def _unpack(column: Column, data: bytes) -> Sequence[Any]:
    """Return the values that ``_pack`` was given."""
    if column.type is str:
        return columns.unpack_texts(data)
    if column.type is bytes:
        return columns.unpack_blobs(data)
    return columns.unpack_optional(data) if column.optional else columns.unpack_numbers(data)


def _join_names(of: Iterable[Column]) -> str:
    """Return the names of columns for SQL."""
    return ", ".join(column.name for column in of)


@contextmanager
def _pause_collector() -> Iterator[None]:
    """Switch the garbage collector off: rows hold no cycles, and searching them for some takes a
    sixth of the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary file, which becomes ``path`` on success and is removed on failure."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}.tmp")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
