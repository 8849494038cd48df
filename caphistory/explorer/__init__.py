"""The explorer: a Datasette plugin that knows what a caphistory database holds.

Datasette finds it by its entry point, so that ``datasette caphistory.db`` has it too. It
leaves databases that are not caphistory's as they are.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from datasette import hookimpl
from markupsafe import Markup

from caphistory.explorer import cells, headers, metadata, routes
from caphistory.explorer.addresses import Addresses
from caphistory.explorer.databases import alone, ours

if TYPE_CHECKING:
    # Datasette loads its plugins while it is being imported itself.
    from datasette.app import Datasette

Hook = TypeVar("Hook", bound=Callable[..., Any])

# Datasette's own decorator, which it leaves untyped.
hook: Callable[[Hook], Hook] = hookimpl


@hook
def get_metadata(datasette: Datasette) -> dict[str, Any]:
    """Titles and descriptions of the caphistory databases; nothing of any other."""
    return _metadata(tuple(ours(datasette)), alone(datasette))


@cache
def _metadata(databases: tuple[str, ...], alone: bool) -> dict[str, Any]:
    # Datasette asks hundreds of times for one page.
    return metadata.instance_metadata(databases, alone)


@hook
def canned_queries(datasette: Datasette, database: str) -> dict[str, dict[str, Any]]:
    """The questions of ``queries/*.sql`` for a caphistory database."""
    return metadata.canned_queries() if database in ours(datasette) else {}


@hook
def register_routes(datasette: Datasette) -> list[tuple[str, routes.View]]:
    """The pages, of the first caphistory database."""
    return [
        route
        for name in ours(datasette)[:1]
        for route in routes.routes(name, at_home=alone(datasette))
    ]


@hook
def asgi_wrapper(datasette: Datasette) -> Callable[[headers.Application], headers.Application]:
    """Headers for Datasette's own pages, where it serves nothing else."""

    def wrap(application: headers.Application) -> headers.Application:
        if alone(datasette):
            return headers.with_headers(application, headers.DATASETTES)
        return application

    return wrap


@hook
def extra_css_urls(datasette: Datasette, database: str | None) -> list[str]:
    """What makes Datasette's own pages of a caphistory database dark where that is asked for."""
    wanted = database in ours(datasette) or (database is None and alone(datasette))
    return [datasette.urls.path("/-/caphistory-datasette.css")] if wanted else []


@hook
def render_cell(
    datasette: Datasette, database: str, column: str, value: object, row: Any
) -> Markup | None:
    """Links from syscalls, capabilities, releases and lines, and chains as lists."""
    if database not in ours(datasette):
        return None
    to = Addresses(datasette.urls.path, datasette.urls.database(database))
    return cells.cell(column, value, {name: row[name] for name in row.keys()}, to)  # noqa: SIM118
