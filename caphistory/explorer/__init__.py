"""The explorer: a Datasette plugin that knows what a caphistory database holds.

Datasette finds it by its entry point, so that ``datasette caphistory.db`` has it too. It
leaves databases that are not caphistory's as they are.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

from datasette import hookimpl
from markupsafe import Markup

from caphistory.explorer import cells, filters, headers, metadata, routes
from caphistory.explorer.addresses import Addresses
from caphistory.explorer.databases import alone, ours
from caphistory.questions.database import forbid_writing
from caphistory.questions.schema import VIEWS

if TYPE_CHECKING:
    # Datasette loads its plugins while it is being imported itself.
    from datasette.app import Datasette
    from datasette.filters import FilterArguments
    from datasette.utils.asgi import Request

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
def prepare_connection(conn: sqlite3.Connection, database: str, datasette: Datasette) -> None:
    """Nothing but reading, where Datasette connects to a caphistory database itself."""
    if database in ours(datasette):
        forbid_writing(conn)


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
    # Asked for every cell of a page, most of which are plain text.
    if column not in cells.LEADING or value is None or database not in ours(datasette):
        return None
    return cells.cell(column, value, row, _addresses(datasette, database))


@lru_cache(maxsize=8)
def _addresses(datasette: Datasette, database: str) -> Addresses:
    return Addresses(datasette.urls.path, datasette.urls.database(database))


# After Datasette's own, which else would take the search box away.
@hookimpl(trylast=True)  # type: ignore[untyped-decorator]
def filters_from_request(
    request: Request, database: str, table: str, datasette: Datasette
) -> Callable[[], Awaitable[FilterArguments | None]]:
    """What a view shows when nothing is asked of it, and the search box of every view."""

    async def inner() -> FilterArguments | None:
        return await _filtered(request, database, table, datasette)

    return inner


async def _filtered(
    request: Request, database: str, table: str, datasette: Datasette
) -> FilterArguments | None:
    from datasette.filters import FilterArguments

    view = next((one for one in VIEWS if one.name == table), None)
    if view is None or database not in ours(datasette):
        return None
    found = []
    narrow = filters.default(table, request.args)
    if narrow is not None:
        column, sql = narrow
        row = (await datasette.get_database(database).execute(sql)).first()
        found += [filters.narrowed(column, row[0])] if row else []
    text = request.args.get("_search") or ""
    words = filters.searched(view.columns, text)
    found += [words] if words else []
    return FilterArguments(
        [one.where for one in found],
        {name: value for one in found for name, value in one.parameters.items()},
        [one.says for one in found],
        {"supports_search": True, "search": text},
    )
