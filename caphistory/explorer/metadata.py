"""Datasette's metadata, made from the descriptions that the schema and the queries carry."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from caphistory.answers import Query, queries
from caphistory.store.schema import TABLES, VIEWS

TITLE = "caphistory: Linux' move from root to capabilities"
ABOUT = (
    "Which Linux syscalls check which privilege, in which release, where, and since when:"
    " read from the source of each release, syscall by syscall and line by line."
)
_FIRST = ("which", "syscall", "timeline", "transition", "why", "which_all_releases", "container")
"""The questions that most people come with."""

_FORMS = {
    "which": ("privilege", "release"),
    "timeline": ("syscall",),
    "transition": ("from", "to"),
    "why": ("syscall", "privilege", "release"),
}
"""The questions that the home page has a form for, with the parameters that it asks for."""


def database_metadata() -> dict[str, Any]:
    """The metadata of one caphistory database: the views described, column by column, and
    the tables that they are made of hidden."""
    views = {
        view.name: {"description": view.description, "columns": dict(view.columns)}
        for view in VIEWS
    }
    return {
        "description": ABOUT,
        "tables": views | {table.name: {"hidden": True} for table in TABLES},
    }


def view_names() -> set[str]:
    """The views that every caphistory database has."""
    return {view.name for view in VIEWS}


def instance_metadata(databases: Mapping[str, str], alone: bool) -> dict[str, Any]:
    """The metadata of a Datasette that serves the caphistory ``databases`` (their names,
    with the address of each); its home page is theirs when they are ``alone``."""
    if not databases:
        return {}
    home = {"title": TITLE, "description_html": _home(databases)} if alone else {}
    return home | {"databases": {name: database_metadata() for name in databases}}


def canned_queries() -> dict[str, dict[str, Any]]:
    """The queries of ``queries/*.sql``, as Datasette takes them, what most people ask first."""
    return {
        query.name: {
            "sql": query.sql,
            "title": query.title,
            "description_html": _described(query),
            "params": [parameter.name for parameter in query.parameters],
            "hide_sql": True,
        }
        for query in _in_order()
    }


def _described(query: Query) -> str:
    parameters = "".join(
        f"<dt><code>{escape(parameter.name)}</code></dt>"
        f"<dd>{escape(parameter.description)}; without it: {escape(parameter.default)}</dd>"
        for parameter in query.parameters
    )
    return f"<p>{escape(query.description)}</p>" + (f"<dl>{parameters}</dl>" if parameters else "")


def _in_order() -> list[Query]:
    known = queries()
    first = [known[name] for name in _FIRST]
    return first + [query for name, query in known.items() if name not in _FIRST]


def _home(databases: Mapping[str, str]) -> str:
    return f"<p>{escape(ABOUT)}</p>" + "".join(map(_entrances, databases.values()))


def _entrances(address: str) -> str:
    """Forms for the first questions and links to all, for the database at ``address``."""
    known = queries()
    forms = "".join(_form(address, known[name], asked) for name, asked in _FORMS.items())
    questions = "".join(
        f'<li><a href="{escape(address)}/{escape(query.name)}">{escape(query.title)}</a></li>'
        for query in _in_order()
    )
    return f"<h2>Ask</h2>{forms}<h2>All questions</h2><ul>{questions}</ul>"


def _form(address: str, query: Query, asked: tuple[str, ...]) -> str:
    """A form with a field for each parameter in ``asked``, its default as a hint."""
    fields = "".join(
        f'<label style="width:auto">{escape(one.name)} <input type="text" name="{escape(one.name)}"'
        f' placeholder="{escape(one.default)}" size="28" style="width:auto"></label> '
        for one in query.parameters
        if one.name in asked
    )
    return (
        f'<form action="{escape(address)}/{escape(query.name)}" method="get">'
        f'<p><strong>{escape(query.title)}</strong><br>{fields}<input type="submit" value="Ask">'
        "</p></form>"
    )
