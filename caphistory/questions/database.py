"""Open a database for questions, find the default one, and export one."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from caphistory.store import database_to_write, default_database, open_reader
from caphistory.store.database import forbid_writing, is_database

__all__ = [
    "database_to_write",
    "default_database",
    "export",
    "forbid_writing",
    "is_database",
    "open_reader",
]


def export(connection: sqlite3.Connection, file: Path) -> None:
    """Write all facts of a database to ``file``, compressed (see ``store.shipped``)."""
    from caphistory.store import export

    export(connection, file)
