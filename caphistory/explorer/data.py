"""Pages as data: JSON with every table of a page, CSV with one."""

from __future__ import annotations

import json

from caphistory.errors import UsageError
from caphistory.explorer.pages.page import Page
from caphistory.records import unfolded
from caphistory.wording.formats import render

FORMATS = {"json": "application/json; charset=utf-8", "csv": "text/csv; charset=utf-8"}
"""The formats, by what an address ends with, with their content types."""


def as_data(page: Page, format: str, table: str | None) -> str:
    """A page in one of FORMATS: all its tables, or only ``table``, in JSON; ``table``, or else
    the first, in CSV. UsageError where the page has no such table."""
    if table is not None and table not in page.tables:
        there = ", ".join(page.tables)
        raise UsageError(f"no table {table!r} on this page; there are: {there}")
    if format == "csv":
        return render(page.tables[table or next(iter(page.tables))], "csv") + "\n"
    shown = [table] if table else page.tables
    rows = {name: [unfolded(row) for row in page.tables[name]] for name in shown}
    return json.dumps({"title": page.title, **rows})


def problem_as_data(problem: str, format: str) -> str:
    """What is said where there is no page, in one of FORMATS."""
    return json.dumps({"ok": False, "error": problem}) if format == "json" else f"{problem}\n"
