"""Render cells of Datasette's tables: as a link to a page or the source, or a chain as a list."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from functools import lru_cache

from markupsafe import Markup, escape

from caphistory.explorer.addresses import Addresses, link_to_source
from caphistory.records import ROOT_CHECKS
from caphistory.wording.source_browser import link_to_archive

Row = sqlite3.Row | Mapping[str, object]
"""A row as Datasette passes it."""

_RELEASES = ("release", "first_release", "last_release", "from_release", "to_release")
LINKED = frozenset(
    {*_RELEASES, "capability", "chain", "check_name", "function", "line", "path", "privilege"}
    | {"swhid", "syscall"}
)
"""The columns whose cells may be more than plain text."""


def render(column: str, value: object, row: Row, to: Addresses) -> Markup | None:
    """Return the HTML of a cell, None if it is plain text."""
    if column == "line" and isinstance(value, int):
        return _link_line(value, row)
    if not isinstance(value, str) or not value:
        return None
    if column == "chain":
        return render_chain(value)
    if column == "swhid":
        return _link(link_to_archive(value), value)
    if column in ("path", "function") and not _is_of_site(row):
        return None
    return _link_name(column, value, to)


@lru_cache(maxsize=20_000)
def _link_name(column: str, value: str, to: Addresses) -> Markup | None:
    # The same few names fill most cells of a page.
    if column in _RELEASES:
        return _link(to.release(value), value)
    if column == "syscall":
        return _link(to.syscall(value), value)
    if column in ("path", "function"):
        return _link((to.file if column == "path" else to.function)(value), value)
    if column in ("capability", "privilege") or (column == "check_name" and value in ROOT_CHECKS):
        return _link(to.privilege(value), value)
    return None


def render_chain(text: str) -> Markup | None:
    """Return a chain as an ordered list of its steps, None if ``text`` is not a chain."""
    try:
        steps = json.loads(text)
        return Markup("<ol>{}</ol>").format(Markup("").join(_render_step(step) for step in steps))
    except (ValueError, TypeError, KeyError):
        return None


def _is_of_site(row: Row) -> bool:
    # Only functions and files that hold checks have a page; an entry function may hold none.
    return "check_name" in row.keys() and "kind" not in row.keys()  # noqa: SIM118


def _link_line(line: int, row: Row) -> Markup | None:
    columns = row.keys()
    if "release" not in columns or "path" not in columns:
        return None
    release, path = row["release"], row["path"]
    if isinstance(release, str) and isinstance(path, str):
        return _link(link_to_source(release, path, line), line)
    return None


def _link(address: str, text: object) -> Markup:
    return Markup('<a href="{}">{}</a>').format(address, text)


def _render_step(step: dict[str, object]) -> Markup:
    place = Markup("<li>{function} <small>{path}:{line}</small>").format(**step)
    through = Markup(" through {}").format(step["via"]) if step["via"] else escape("")
    return place + through + Markup("</li>")
