"""Write pages as data: JSON with all tables of a page, CSV with one."""

from __future__ import annotations

import json

from caphistory.errors import UsageError
from caphistory.explorer.pages.page import Page
from caphistory.records import decode_nested
from caphistory.wording.formats import render

FORMATS = {"json": "application/json; charset=utf-8", "csv": "text/csv; charset=utf-8"}
"""The content type of each format, by the suffix of the address."""


def as_data(page: Page, format: str, table: str | None) -> str:
    """Return a page in one of FORMATS: JSON has all its tables, or only ``table``; CSV has
    ``table``, or the first. Raise UsageError if the page has no such table."""
    if table is not None and table not in page.tables:
        names = ", ".join(page.tables)
        raise UsageError(f"no table {table!r} on this page; there are: {names}")
    if format == "csv":
        return render(page.tables[table or next(iter(page.tables))], "csv") + "\n"
    shown = [table] if table else page.tables
    rows = {name: [decode_nested(row) for row in page.tables[name]] for name in shown}
    return json.dumps({"title": page.title, **rows})


def problem_as_data(problem: str, format: str) -> str:
    """Return the message ``problem``, shown if there is no page, in one of FORMATS."""
    return json.dumps({"ok": False, "error": problem}) if format == "json" else f"{problem}\n"
