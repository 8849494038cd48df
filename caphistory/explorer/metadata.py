"""Datasette's metadata, made from the descriptions that the schema and the queries carry."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from caphistory.questions.queries import Query, queries
from caphistory.questions.schema import TABLES, VIEWS

TITLE = "caphistory: Linux' move from root to capabilities"
ABOUT = (
    "Which Linux syscalls check which privilege, in which release, where, and since when:"
    " read from the source of each release, syscall by syscall and line by line."
)
_FIRST = ("which", "syscall", "timeline", "transition", "why", "which_all_releases", "container")
"""The questions that most people come with."""

_HOW_SHOWN: dict[str, dict[str, Any]] = {
    "releases": {"sort": "ordinal", "facets": ["series", "kind"]},
    "check_sites": {"sort": "path", "facets": ["check_name", "capability", "effect"]},
    "check_site_runs": {"sort": "path", "facets": ["check_name", "effect"]},
    "capability_definitions": {"sort": "number"},
    "syscalls": {"sort": "number", "facets": ["parent"]},
    "telling_checks": {"sort": "syscall", "facets": ["check_name", "reach"]},
    "syscall_check_runs": {"sort": "first_ordinal", "facets": ["check_name", "reach"]},
    "syscall_timeline": {"sort": "syscall"},
    "syscall_privilege_runs": {"sort": "syscall", "facets": ["check_name", "reach"]},
    "transitions": {"sort": "syscall", "facets": ["to_release"]},
    "wrappers": {"sort": "name", "facets": ["kind"]},
    "audit_details": {"sort": "kind"},
}
"""How Datasette sorts a view and what it counts: where it is quick enough for that."""

_LABELS = {"files": "path", "functions": "name", "syscall_names": "syscall"}
"""The column of a table that stands for a row of it where another table refers to it."""


def database_metadata() -> dict[str, Any]:
    """The metadata of one caphistory database: the views described, column by column, and
    the tables that they are made of hidden."""
    views = {
        view.name: {
            "description": view.description,
            "columns": dict(view.columns),
            **_HOW_SHOWN.get(view.name, {}),
        }
        for view in VIEWS
    }
    tables = {
        table.name: {
            "description": table.description,
            "columns": {column.name: column.description for column in table.columns},
            "hidden": True,
            **({"label_column": _LABELS[table.name]} if table.name in _LABELS else {}),
        }
        for table in TABLES
    }
    return {"description": ABOUT, "tables": views | tables}


def instance_metadata(databases: Sequence[str], alone: bool) -> dict[str, Any]:
    """The metadata of a Datasette that serves the caphistory ``databases``, and nothing else
    where they are ``alone``."""
    if not databases:
        return {}
    home = {"title": TITLE, "description": ABOUT} if alone else {}
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
        for query in in_order()
    }


def _described(query: Query) -> str:
    parameters = "".join(
        f"<dt><code>{escape(parameter.name)}</code></dt>"
        f"<dd>{escape(parameter.description)}; without it: {escape(parameter.default)}</dd>"
        for parameter in query.parameters
    )
    return f"<p>{escape(query.description)}</p>" + (f"<dl>{parameters}</dl>" if parameters else "")


def in_order() -> list[Query]:
    """The questions, those first that most people come with."""
    known = queries()
    first = [known[name] for name in _FIRST]
    return first + [query for name, query in known.items() if name not in _FIRST]
