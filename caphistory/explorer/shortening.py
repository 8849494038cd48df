"""Shorten the pages of questions whose answers are long; their CSV and JSON have all rows.

Datasette pages through tables and views. Of a query it puts every row on one page: thousands, with
links in each cell, which take seconds and megabytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from datasette.database import Database, Results

MOST_ROWS = 40
"""So many rows, each with its chain, are less than 150 KB."""

_shortens: ContextVar[bool] = ContextVar("shortens", default=False)


@contextmanager
def shorten(wanted: bool) -> Iterator[None]:
    """Shorten what is asked within, if ``wanted``."""
    token = _shortens.set(wanted)
    try:
        yield
    finally:
        _shortens.reset(token)


class ShorteningDatabase(Database):  # type: ignore[misc]
    """A database whose answers are cut, as Datasette cuts what is beyond its own limit, to
    MOST_ROWS rows within ``shorten``."""

    async def execute(
        self, sql: str, params: Any = None, truncate: bool = False, **how: Any
    ) -> Any:
        """Return the results of a query (see Datasette's ``Database.execute``)."""
        if not truncate or not _shortens.get():
            return await super().execute(sql, params, truncate=truncate, **how)
        # With a limit SQLite makes no chains of rows that are not shown.
        limited = f"{sql}\nlimit {MOST_ROWS + 1}"
        results = await super().execute(limited, params, truncate=True, **how)
        if len(results.rows) <= MOST_ROWS:
            return results
        return Results(results.rows[:MOST_ROWS], True, results.description)
