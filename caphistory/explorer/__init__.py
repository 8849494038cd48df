"""The explorer: a Datasette plugin that adds pages for caphistory databases.

Datasette finds it by its entry point, so ``datasette caphistory.db`` uses it too. It leaves other
databases alone.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable
from functools import cache, lru_cache, partial
from typing import TYPE_CHECKING, Any, TypeVar

from datasette import hookimpl
from markupsafe import Markup

from caphistory.explorer import cells, dress, filters, gate, headers, metadata, routes, seam
from caphistory.explorer.addresses import Addresses
from caphistory.explorer.databases import alone, ours
from caphistory.explorer.shortening import was_cut
from caphistory.questions.database import forbid_writing
from caphistory.questions.schema import VIEWS

if TYPE_CHECKING:
    # Datasette loads its plugins while it is being imported itself.
    from datasette.app import Datasette
    from datasette.filters import FilterArguments
    from datasette.utils.asgi import Request, Response
    from jinja2 import Environment

Hook = TypeVar("Hook", bound=Callable[..., Any])

# Datasette's own decorator, which it leaves untyped.
hook: Callable[[Hook], Hook] = hookimpl


@hook
def startup(datasette: Datasette) -> Callable[[], Awaitable[None]]:
    """Tell Datasette 1.0 what it keeps itself (see ``seam``)."""

    async def inner() -> None:
        await seam.fill(datasette)

    return inner


@hook
def get_metadata(datasette: Datasette) -> dict[str, Any]:
    """Return titles and descriptions of the caphistory databases, and of no others."""
    return _metadata(tuple(ours(datasette)), alone(datasette))


@cache
def _metadata(databases: tuple[str, ...], alone: bool) -> dict[str, Any]:
    # Datasette asks hundreds of times for one page.
    return metadata.instance_metadata(databases, alone)


@hook
def prepare_connection(conn: sqlite3.Connection, database: str, datasette: Datasette) -> None:
    """Make the connections that Datasette opens to a caphistory database read-only."""
    if database in ours(datasette):
        forbid_writing(conn)


@hook
def canned_queries(datasette: Datasette, database: str) -> dict[str, dict[str, Any]]:
    """Return the queries of ``queries/*.sql`` for a caphistory database."""
    return metadata.canned_queries() if database in ours(datasette) else {}


@hook
def register_routes(datasette: Datasette) -> list[tuple[str, routes.View]]:
    """Return the routes of the pages, which show the first caphistory database."""
    return [
        route
        for name in ours(datasette)[:1]
        for route in routes.make_routes(name, at_home=alone(datasette))
    ]


@hook
def asgi_wrapper(datasette: Datasette) -> Callable[[headers.Application], headers.Application]:
    """Settle the addresses of Datasette's own pages of caphistory databases, and add headers and
    compression if it serves nothing else."""

    def wrap(application: headers.Application) -> headers.Application:
        if not ours(datasette):
            return application
        settled = gate.guard(datasette, application, partial(routes.tell_problem, datasette))
        if alone(datasette):
            settled = headers.compress(headers.add_headers(settled, headers.DATASETTES))
        return settled

    return wrap


@hook
def prepare_jinja2_environment(env: Environment) -> None:
    """Give Datasette's templates the filter of ours that names fields and orders headings."""
    env.filters["caphistory_accessible"] = dress.make_accessible


@hook
def extra_template_vars(
    datasette: Datasette, request: Request | None, database: str | None, table: str | None
) -> dict[str, Any]:
    """Return the head of our pages for Datasette's templates, whether an answer was cut, and what
    the search box of a view looked for, neither of which Datasette 1.0 tells; none for pages of
    other databases."""
    wanted = database in ours(datasette) or (database is None and alone(datasette))
    if not wanted:
        return {"caphistory_header": ""}
    path = request.path if request else ""
    found = {
        "caphistory_header": routes.render_header(datasette, path),
        "caphistory_style": datasette.urls.path("/-/caphistory.css"),
        "caphistory_cut": was_cut(),
    }
    if request is not None and table is not None:
        found["search"] = request.args.get("_search") or ""
    return found


@hookimpl(tryfirst=True)  # type: ignore[untyped-decorator]
def handle_exception(
    datasette: Datasette, request: Request, exception: Exception
) -> Callable[[], Awaitable[Response]] | None:
    """Return the page of an unknown address, or of SQL that cannot be answered, inside the site if
    it serves only caphistory databases; None for other errors and for data."""
    status = getattr(exception, "status", 500)
    if not alone(datasette) or status >= 500 or request.path.endswith(".json"):
        return None

    async def inner() -> Response:
        return await routes.answer_problem(datasette, request.path, exception, status)

    return inner


@hook
def skip_csrf(datasette: Datasette, scope: dict[str, Any]) -> bool:
    """Let the form of the container page send its file: it changes nothing."""
    return bool(ours(datasette)) and str(scope.get("path", "")).endswith("/container")


@hook
def extra_css_urls(datasette: Datasette, database: str | None) -> list[str]:
    """Return the style sheet with the dark mode of Datasette's pages of a caphistory database."""
    wanted = database in ours(datasette) or (database is None and alone(datasette))
    return [datasette.urls.path("/-/caphistory-datasette.css")] if wanted else []


@hook
def render_cell(
    datasette: Datasette, database: str, column: str, value: object, row: Any
) -> Markup | None:
    """Return a cell as a link or, for a chain, as a list; None to leave it as it is."""
    # Called for every cell of a page, most of which are plain text.
    if column not in cells.LINKED or value is None or database not in ours(datasette):
        return None
    return cells.render(column, value, row, _addresses(datasette, database))


@lru_cache(maxsize=8)
def _addresses(datasette: Datasette, database: str) -> Addresses:
    return Addresses(datasette.urls.path, datasette.urls.database(database))


# Last, because Datasette's own hook would otherwise remove the search box.
@hookimpl(trylast=True)  # type: ignore[untyped-decorator]
def filters_from_request(
    request: Request, database: str, table: str, datasette: Datasette
) -> Callable[[], Awaitable[FilterArguments | None]]:
    """Return what the search box of a view looks for."""

    async def inner() -> FilterArguments | None:
        return await _filter(request, database, table, datasette)

    return inner


async def _filter(
    request: Request, database: str, table: str, datasette: Datasette
) -> FilterArguments | None:
    from datasette.filters import FilterArguments

    view = next((view for view in VIEWS if view.name == table), None)
    if view is None or database not in ours(datasette):
        return None
    text = request.args.get("_search") or ""
    words = filters.search(view.columns, text)
    conditions = [words] if words else []
    return FilterArguments(
        [condition.where for condition in conditions],
        {name: value for condition in conditions for name, value in condition.parameters.items()},
        [condition.says for condition in conditions],
        {"supports_search": True, "search": text},
    )
