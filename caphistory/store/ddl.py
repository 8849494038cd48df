"""Make a database from ``tables`` and ``views``: add what is missing, replace what differs."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

from sqlite_utils import Database

from caphistory.store import database, standing
from caphistory.store.tables import META, TABLES, Table
from caphistory.store.views import VIEWS


def create(path: Path | str) -> None:
    """Make an empty database at ``path``; its folder must be there.

    A database of ours that is already there is left as it is. Raises CaphistoryError when
    the file is something else or cannot be written.
    """
    path = Path(path)
    database.check_folder(path)
    if path.exists() and (path.is_dir() or path.stat().st_size):
        database.check(path)
        return
    with (
        database.translate_errors(path, "write"),
        closing(database.connect(path)) as db,
        database.transaction(db),
    ):
        # Another process may have made it in the meantime.
        if not db.execute("PRAGMA application_id").fetchone()[0]:
            create_empty(db)
            apply_schema(db)


def create_empty(connection: sqlite3.Connection) -> None:
    """Make tables and views, without indexes, in a new database, and mark it as ours."""
    connection.execute(f"PRAGMA application_id = {database.APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {database.SCHEMA_VERSION}")
    apply_schema(connection, indexes=False)
    set_meta(connection, "schema_version", str(database.SCHEMA_VERSION))
    set_meta(connection, "standing", standing.RULE)


def apply_schema(connection: sqlite3.Connection, *, indexes: bool = True) -> None:
    """Give a database the tables, indexes and views that it lacks; views that differ are
    replaced and others removed. Changes nothing if all is as it should be."""
    db = use(connection)
    present = {*db.table_names()}
    for table in TABLES:
        if table.name not in present:
            _create_table(db, table)
        if indexes:
            _create_indexes(db, table)
    for name in {*db.view_names()} - {view.name for view in VIEWS}:
        db.view(name).drop()
    for view in VIEWS:
        db.create_view(view.name, view.sql.strip(), replace=True)


def set_meta(connection: sqlite3.Connection, key: str, value: str) -> None:
    """Store a row of the table ``meta``, in place of one with this key."""
    use(connection).table(META.name).upsert({"key": key, "value": value}, pk="key")


def use(connection: sqlite3.Connection) -> Database:
    """Return a connection as sqlite-utils takes it, without a plugin's or its own settings."""
    return Database(connection, recursive_triggers=False, execute_plugins=False)


def _create_table(db: Database, table: Table) -> None:
    """Make a table."""
    sql = db.create_table_sql(
        table.name,
        {column.name: column.type for column in table.columns},
        pk=table.key or None,
        foreign_keys=[
            (column.name, column.references, "id") for column in table.columns if column.references
        ],
        not_null={column.name for column in table.columns if not column.optional},
        strict=True,
    )
    # Of which sqlite-utils knows nothing; with a rowid the shipped database is 43 % bigger.
    options = ", WITHOUT ROWID" if table.without_rowid else ""
    db.execute(sql.rstrip().removesuffix(";") + options)


def _create_indexes(db: Database, table: Table) -> None:
    """Make the indexes that a table does not have yet."""
    for index in (*table.indexes, *table.unique):
        name = "_".join(re.findall(r"\w+", " ".join((table.name, *index))))
        if {*index} <= {*table.column_names}:
            unique = index in table.unique
            db.table(table.name).create_index(index, name, unique=unique, if_not_exists=True)
        else:
            # Of an expression: sqlite-utils would take it for the name of a column.
            db.execute(f"CREATE INDEX IF NOT EXISTS {name} ON {table.name} ({', '.join(index)})")
