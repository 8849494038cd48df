"""Shorten the pages of questions whose answers are long; their CSV and JSON have all rows.

Datasette pages through tables and views. Of a query it puts every row on one page: thousands, with
links in each cell, which take seconds and megabytes. Of a view it counts the rows each time, which
takes longer than all else on the page.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from datasette.database import Database, Results

MOST_ROWS = 40
"""So many rows, each with its chain, are less than 150 KB."""

_COUNTS = "select count(*) "
_MOST_COUNTS = 500
"""How Datasette begins a statement that counts the rows of a table or view, and of how many such
statements the answer is kept where the database does not change."""

_cuts: ContextVar[list[str] | None] = ContextVar("cuts", default=None)
"""The statements whose rows were cut; None where nothing is to be. A list, as Datasette asks in
tasks of its own."""


@contextmanager
def shorten(wanted: bool) -> Iterator[None]:
    """Shorten what is asked within, if ``wanted``."""
    token = _cuts.set([] if wanted else None)
    try:
        yield
    finally:
        _cuts.reset(token)


def was_cut() -> bool:
    """Tell whether rows of an answer were left out within ``shorten``."""
    return bool(_cuts.get())


class ShorteningDatabase(Database):  # type: ignore[misc]
    """A database whose answers are cut, as Datasette cuts what is beyond its own limit, to
    MOST_ROWS rows within ``shorten``, and that counts the same rows once."""

    def __init__(self, *given: Any, **how: Any) -> None:
        """Take what Datasette's ``Database`` takes."""
        super().__init__(*given, **how)
        self._counts: dict[tuple[str, str], Results] = {}

    async def execute(
        self, sql: str, params: Any = None, truncate: bool = False, **how: Any
    ) -> Any:
        """Return the results of a query (see Datasette's ``Database.execute``)."""
        if sql.startswith(_COUNTS) and not self.is_mutable:
            return await self._count(sql, params, truncate=truncate, **how)
        cuts = _cuts.get()
        if not truncate or cuts is None:
            return await super().execute(sql, params, truncate=truncate, **how)
        # With a limit SQLite makes no chains of rows that are not shown.
        limited = f"{sql}\nlimit {MOST_ROWS + 1}"
        results = await super().execute(limited, params, truncate=True, **how)
        if len(results.rows) <= MOST_ROWS:
            return results
        cuts.append(sql)
        return Results(results.rows[:MOST_ROWS], True, results.description)

    async def _count(self, sql: str, params: Any, **how: Any) -> Results:
        question = (sql, repr(params))
        if question in self._counts:
            return self._counts[question]
        results: Results = await super().execute(sql, params, **how)
        # Of what a visitor writes so, only what is small is kept.
        if [[type(value) for value in row] for row in results.rows] == [[int]]:
            while len(self._counts) >= _MOST_COUNTS:
                del self._counts[next(iter(self._counts))]
            self._counts[question] = results
        return results
