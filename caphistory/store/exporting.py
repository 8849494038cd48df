"""Write a database for other programs, in the form that the suffix of the file asks for.

SQLite is a copy of the database. CSV and Parquet are a folder with a file for each view and a
``datapackage.json`` that describes them (frictionlessdata.io).
"""

from __future__ import annotations

import csv
import json
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import date
from pathlib import Path
from typing import Any

from caphistory.errors import CaphistoryError, UsageError
from caphistory.store import column_types, database
from caphistory.store.datapackage import EXPORTED, describe_package
from caphistory.store.shipped import export, replacing
from caphistory.store.views import View

SQLITE = (".db", ".sqlite", ".sqlite3")
FACTS = (".facts", ".xz")
CSV, PARQUET = ".csv", ".parquet"

_BATCH = 50_000
_Rows = Iterator[Sequence[Any]]


def export_as(db: sqlite3.Connection, path: Path, release: str | None = None) -> None:
    """Write a database to ``path`` as its suffix says.

    A file that is there is replaced, a folder is not. A folder has the views with rows of each
    release for ``release`` only, if that is given. Raises UsageError for another suffix, and
    CaphistoryError when it cannot be written.
    """
    suffix = path.suffix.lower()
    if suffix in SQLITE:
        copy_database(db, path)
    elif suffix in FACTS:
        export(db, path)
    elif suffix in (CSV, PARQUET):
        write = _write_csv if suffix == CSV else _make_parquet_writer()
        _export_folder(db, path, suffix, write, release)
    else:
        known = ", ".join((*SQLITE, *FACTS, CSV, PARQUET))
        raise UsageError(f"the suffix of {path.name!r} says no form of export; there are: {known}")


def copy_database(db: sqlite3.Connection, path: Path) -> None:
    """Write a copy of a database to ``path``, which no file beside it belongs to."""
    with (
        _translate_errors(path),
        replacing(path) as temporary,
        database.translate_errors(path, "write"),
        closing(database.connect(temporary)) as copy,
    ):
        db.backup(copy)
        # That of a database which an index run wrote to needs files beside it.
        copy.execute("PRAGMA journal_mode = DELETE")


def _export_folder(
    db: sqlite3.Connection,
    folder: Path,
    suffix: str,
    write: Callable[[Path, View, _Rows], None],
    release: str | None,
) -> None:
    """Write each view into ``folder``, which appears when it is complete."""
    if folder.exists():
        raise CaphistoryError(f"{folder} is there already: remove it, or choose another name")
    with _translate_errors(folder), _making(folder) as temporary, database.snapshot(db):
        for view in EXPORTED:
            write(temporary / f"{view.name}{suffix}", view, _read_view(db, view, release))
        package = describe_package(suffix, release)
        (temporary / "datapackage.json").write_text(json.dumps(package, indent=1) + "\n", "utf-8")


def _read_view(db: sqlite3.Connection, view: View, release: str | None) -> _Rows:
    """Return the rows of a view, only those of a release if that is given."""
    only = release is not None and repeats_releases(view)
    where, values = (" WHERE release = ?", (release,)) if only else ("", ())
    return db.execute(f"SELECT {', '.join(view.columns)} FROM {view.name}{where}", values)


def repeats_releases(view: View) -> bool:
    """Whether a view tells of each release all that it has, what another has too included."""
    return "release" in view.columns and view.name not in ("releases", "audit")


def _write_csv(path: Path, view: View, rows: _Rows) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(view.columns)
        writer.writerows(rows)


def _make_parquet_writer() -> Callable[[Path, View, _Rows], None]:
    """Return a function that writes rows as Parquet; raises CaphistoryError without pyarrow."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise CaphistoryError(
            "Parquet needs pyarrow: python -m pip install pyarrow (or export .csv)"
        ) from error

    arrow = {
        column_types.BOOLEAN: pyarrow.bool_(),
        column_types.DATE: pyarrow.date32(),
        column_types.INTEGER: pyarrow.int64(),
        column_types.NUMBER: pyarrow.float64(),
    }

    def write(path: Path, view: View, rows: _Rows) -> None:
        kinds = [column_types.get_column_type(name) for name in view.columns]
        schema = pyarrow.schema(
            [
                pyarrow.field(
                    name, arrow.get(kind, pyarrow.string()), metadata={"description": text}
                )
                for (name, text), kind in zip(view.columns.items(), kinds, strict=True)
            ]
        )
        with pyarrow.parquet.ParquetWriter(path, schema, compression="zstd") as file:
            for batch in _split(rows, kinds):
                file.write_batch(pyarrow.record_batch(batch, schema=schema))

    return write


def _split(rows: _Rows, kinds: Sequence[str]) -> Iterator[list[list[Any]]]:
    """Give rows in pieces, each as its columns, with booleans and dates as such; at least one."""
    converters = [_CONVERTERS.get(kind) for kind in kinds]
    first = True
    while (piece := _take(rows)) or first:
        first = False
        columns: Iterable[Sequence[Any]] = zip(*piece, strict=True) if piece else [()] * len(kinds)
        yield [
            [None if value is None else convert(value) for value in column]
            if convert
            else list(column)
            for convert, column in zip(converters, columns, strict=True)
        ]


_CONVERTERS: dict[str, Callable[[Any], Any]] = {
    column_types.BOOLEAN: bool,
    column_types.DATE: date.fromisoformat,
}


def _take(rows: _Rows) -> list[Sequence[Any]]:
    return [row for _, row in zip(range(_BATCH), rows, strict=False)]


@contextmanager
def _making(folder: Path) -> Iterator[Path]:
    """Give a temporary folder, which becomes ``folder`` on success and is removed on failure."""
    temporary = folder.with_name(f".{folder.name}.{os.getpid()}.tmp")
    temporary.mkdir()
    try:
        yield temporary
        temporary.rename(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def _translate_errors(path: Path) -> Iterator[None]:
    """Turn what the operating system raises into one clear line."""
    try:
        yield
    except OSError as error:
        raise CaphistoryError(f"cannot write {path}: {error.strerror}") from error
