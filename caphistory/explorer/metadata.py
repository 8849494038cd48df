"""Make Datasette's metadata from the descriptions in the schema and the queries."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from markupsafe import escape

from caphistory.citing import DATA_LICENSE, HOMEPAGE
from caphistory.questions.queries import Query, format_call, queries
from caphistory.questions.schema import TABLES, VIEWS

TITLE = "caphistory: Linux' move from root to capabilities"
ABOUT = (
    "Which Linux syscalls check which privilege, in which release, where, and since when:"
    " read from the source of each release, syscall by syscall and line by line."
)
RIGHTS = {
    "license": DATA_LICENSE["name"],
    "license_url": DATA_LICENSE["path"],
    "source": "the source of each release: see the view releases",
    "source_url": f"{HOMEPAGE}/blob/main/data/sources.toml",
    "about": "caphistory",
    "about_url": HOMEPAGE,
}
"""Under which licence the facts are, where they come from, and what made them."""
_FIRST = ("which", "syscall", "timeline", "transition", "why", "which_all_releases", "container")
"""The queries that are listed first, because most people need them."""

_GROUPS = {
    "Privileges: who asks for what": (
        "which", "which_all_releases", "which_withheld", "privilege_counts", "check_counts",
        "checked_pairs", "capability", "capability_list", "definitions_through_releases",
    ),
    "Syscalls: what they ask for": (
        "requirement_list", "requirement_cells", "requirement_since", "syscall", "timeline",
        "syscall_privileges", "why", "operation_list", "operation_history", "syscall_index",
        "syscall_table", "known_syscalls", "syscall_entry", "matrix",
    ),
    "Changes from release to release": (
        "transition", "operation_changes", "root_became", "release_changes", "site_changes",
        "successions_between", "succession_moves", "succession_history", "transition_ends",
    ),
    "Containers": ("container", "container_capabilities"),
}  # fmt: skip
"""Which queries belong together; those not named here are about releases and their reading."""
_OTHER = "Releases, places in the source, and how completely they were read"

_HOW_SHOWN: dict[str, dict[str, Any]] = {
    "releases": {"sort": "ordinal", "facets": ["series", "kind"]},
    "check_sites": {"sort": "path", "facets": ["check_name", "capability", "effect"]},
    "check_site_runs": {"sort": "path", "facets": ["check_name", "effect"]},
    "capability_definitions": {"sort": "number"},
    "syscalls": {"sort": "number", "facets": ["parent"]},
    # Not sorted: that would make the chain of every row for the hundred that are shown.
    "requirements": {"facets": ["privilege"], "size": 30},
    "syscall_checks": {"size": 30},
    "syscall_check_runs": {"sort": "first_ordinal", "facets": ["check_name", "reach"]},
    "syscall_timeline": {"sort": "syscall"},
    "syscall_privilege_runs": {"sort": "syscall", "facets": ["privilege", "standing"]},
    "transitions": {"sort": "syscall"},
    "wrappers": {"sort": "name", "facets": ["kind"]},
    "audit_details": {"sort": "kind"},
}
"""How Datasette sorts each view, which columns it counts, if that is fast enough, and how many rows
it puts on a page where they hold a chain each."""

CONFIGURATION = ("sort", "facets", "hidden", "label_column", "size")
"""What of a table's metadata says how it is shown."""

_LABELS = {"files": "path", "functions": "name", "syscall_names": "syscall"}
"""The column of a table whose value Datasette shows for a foreign key to it."""


def database_metadata() -> dict[str, Any]:
    """Return the metadata of one caphistory database: a description of each view and its columns;
    the tables that they are made of are hidden."""
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
    return {"description": ABOUT, **RIGHTS, "tables": views | tables}


def instance_metadata(databases: Sequence[str], alone: bool) -> dict[str, Any]:
    """Return the metadata of a Datasette that serves the caphistory ``databases``; ``alone`` says
    that it serves nothing else."""
    if not databases:
        return {}
    home = {"title": TITLE, "description": ABOUT, **RIGHTS} if alone else {}
    return home | {"databases": {name: database_metadata() for name in databases}}


def canned_queries() -> dict[str, dict[str, Any]]:
    """Return the queries of ``queries/*.sql`` in the form that Datasette takes, in ``list_queries``
    order."""
    return {
        query.name: {
            "sql": query.sql,
            "title": query.title,
            "description_html": _describe(query),
            "params": [parameter.name for parameter in query.parameters],
            "hide_sql": True,
        }
        for query in list_queries()
    }


@cache
def _describe(query: Query) -> str:
    # Datasette asks for all of them for each one that it shows.
    parameters = "".join(
        f"<dt><code>{escape(parameter.name)}</code></dt>"
        f"<dd>{escape(parameter.description)}; without it: {escape(parameter.default)}</dd>"
        for parameter in query.parameters
    )
    return (
        f"<p>{escape(query.description)}</p>"
        + (f"<dl>{parameters}</dl>" if parameters else "")
        + f"<p>In Python: <code>{escape(format_call(query))}</code></p>"
    )


def group_queries() -> list[tuple[str, list[Query]]]:
    """Return all queries in five groups, each with its heading."""
    by_name = queries()
    named = {name for names in _GROUPS.values() for name in names}
    groups = [
        (heading, [by_name[name] for name in names if name in by_name])
        for heading, names in _GROUPS.items()
    ]
    return [*groups, (_OTHER, [query for name, query in by_name.items() if name not in named])]


def list_queries() -> list[Query]:
    """Return all queries, those that most people need first."""
    by_name = queries()
    first = [by_name[name] for name in _FIRST]
    return first + [query for name, query in by_name.items() if name not in _FIRST]
