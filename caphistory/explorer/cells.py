"""Cells of the explorer's tables that lead on: to the syscall, the capability, the chain."""

from __future__ import annotations

import json
from urllib.parse import urlencode

from markupsafe import Markup, escape

_QUESTIONS = {
    "syscall": ("syscall", "syscall"),
    "capability": ("which", "privilege"),
    "release": ("capability_list", "release"),
}
"""For a column, the query that its values lead to and the parameter that they are."""


def cell(column: str, value: object, database_address: str) -> Markup | None:
    """The HTML of a cell that leads on, None where it is plain text."""
    if not isinstance(value, str) or not value:
        return None
    if column == "chain":
        return chain(value)
    if column not in _QUESTIONS:
        return None
    question, parameter = _QUESTIONS[column]
    query = urlencode({parameter: value})
    return Markup('<a href="{}/{}?{}">{}</a>').format(database_address, question, query, value)


def chain(text: str) -> Markup | None:
    """A chain as an ordered list of its steps, None where ``text`` is no chain."""
    try:
        steps = json.loads(text)
        return Markup("<ol>{}</ol>").format(Markup("").join(_step(step) for step in steps))
    except (ValueError, TypeError, KeyError):
        return None


def _step(step: dict[str, object]) -> Markup:
    place = Markup("<li>{function} <small>{path}:{line}</small>").format(**step)
    through = Markup(" through {}").format(step["via"]) if step["via"] else escape("")
    return place + through + Markup("</li>")
