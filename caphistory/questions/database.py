"""Open a database for questions, find the default one, and export one."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from caphistory.store import database_to_write, default_database, open_reader
from caphistory.store.database import forbid_writing, is_database

#: The suffixes of exports that are a folder with a file for each view.
EXPORT_FOLDERS = (".csv", ".parquet")

__all__ = [
    "EXPORT_FOLDERS",
    "database_to_write",
    "default_database",
    "export",
    "forbid_writing",
    "is_database",
    "open_reader",
]


def export(connection: sqlite3.Connection, file: Path, release: str | None = None) -> None:
    """Write a database to ``file`` in the form that its suffix names (see
    ``store.exporting.export_as``)."""
    from caphistory.store import export_as

    export_as(connection, file, release)
