"""The databases that questions are put to: which there are, opening and exporting one."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from caphistory.store import database_to_write, default_database, open_reader
from caphistory.store.schema import APPLICATION_ID, SCHEMA_VERSION

__all__ = ["database_to_write", "default_database", "export", "is_database", "open_reader"]

# Where the header of a SQLite file has them (https://www.sqlite.org/fileformat.html).
_USER_VERSION = slice(60, 64)
_APPLICATION_ID = slice(68, 72)


def export(connection: sqlite3.Connection, file: Path) -> None:
    """Write all facts of a database to ``file`` (see ``store.shipped``)."""
    from caphistory.store import export

    export(connection, file)


def is_database(path: Path) -> bool:
    """Whether the header of a file is that of a database of this program."""
    try:
        with path.open("rb") as file:
            header = file.read(100)
    except OSError:
        return False
    return (
        int.from_bytes(header[_APPLICATION_ID], "big") == APPLICATION_ID
        and int.from_bytes(header[_USER_VERSION], "big") == SCHEMA_VERSION
    )
