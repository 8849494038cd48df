"""By which operations each syscall asks for a privilege in any release, made from the runs of its
requirements: there are so many that a list of the operations would read most of the database."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection

from caphistory.store.tables import ASKED_OPERATIONS

_INSERT = f"INSERT INTO {ASKED_OPERATIONS.name} (name, operation)"
_EVERY = f"""
    {_INSERT} SELECT DISTINCT k.name, m.operation
    FROM (SELECT DISTINCT meaning, name FROM requirement_runs) AS k
        CROSS JOIN meanings AS m ON m.id = k.meaning
    WHERE m.operation <> ''
    ORDER BY k.name, m.operation
"""
_OF_ONE = f"""
    {_INSERT} SELECT DISTINCT k.name, m.operation
    FROM requirement_runs AS k JOIN meanings AS m ON m.id = k.meaning
    WHERE k.name = ? AND m.operation <> ''
"""


def write_all_operations(db: sqlite3.Connection) -> None:
    """Make the operations of all syscalls anew; in the transaction of the caller."""
    db.execute(f"DELETE FROM {ASKED_OPERATIONS.name}")
    db.execute(_EVERY)


def write_operations(db: sqlite3.Connection, names: Collection[int]) -> None:
    """Make the operations of the syscalls ``names`` (their ids) anew; in the transaction of the
    caller."""
    of_one = [(name,) for name in names]
    db.executemany(f"DELETE FROM {ASKED_OPERATIONS.name} WHERE name = ?", of_one)
    db.executemany(_OF_ONE, of_one)


def complete_operations(db: sqlite3.Connection) -> None:
    """Make the operations of a database of a program that did not keep them yet; in the transaction
    of the caller."""
    if db.execute(f"SELECT 1 FROM {ASKED_OPERATIONS.name} LIMIT 1").fetchone() is None:
        write_all_operations(db)
