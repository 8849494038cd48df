"""Cells of Datasette's tables that lead on: to a page, to the source, or a chain as a list."""

from __future__ import annotations

import json
from collections.abc import Mapping

from markupsafe import Markup, escape

from caphistory.explorer.addresses import Addresses, source
from caphistory.names import ROOT_CHECKS

_RELEASES = ("release", "first_release", "last_release", "from_release", "to_release")


def cell(column: str, value: object, row: Mapping[str, object], to: Addresses) -> Markup | None:
    """The HTML of a cell that leads on, None where it is plain text."""
    if column == "line" and isinstance(value, int):
        return _line(value, row)
    if not isinstance(value, str) or not value:
        return None
    if column == "chain":
        return chain(value)
    if column in _RELEASES:
        return _link(to.release(value), value)
    if column == "syscall":
        return _link(to.syscall(value), value)
    if column in ("capability", "privilege") or (column == "check_name" and value in ROOT_CHECKS):
        return _link(to.privilege(value), value)
    return None


def chain(text: str) -> Markup | None:
    """A chain as an ordered list of its steps, None where ``text`` is no chain."""
    try:
        steps = json.loads(text)
        return Markup("<ol>{}</ol>").format(Markup("").join(_step(step) for step in steps))
    except (ValueError, TypeError, KeyError):
        return None


def _line(line: int, row: Mapping[str, object]) -> Markup | None:
    release, path = row.get("release"), row.get("path")
    if isinstance(release, str) and isinstance(path, str):
        return _link(source(release, path, line), line)
    return None


def _link(address: str, text: object) -> Markup:
    return Markup('<a href="{}">{}</a>').format(address, text)


def _step(step: dict[str, object]) -> Markup:
    place = Markup("<li>{function} <small>{path}:{line}</small>").format(**step)
    through = Markup(" through {}").format(step["via"]) if step["via"] else escape("")
    return place + through + Markup("</li>")
