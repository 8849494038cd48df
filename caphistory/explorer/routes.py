"""Route the addresses of the pages to the functions that answer them."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote, urlencode

from caphistory.errors import CaphistoryError, NothingFound, UsageError
from caphistory.explorer import headers
from caphistory.explorer.addresses import Addresses
from caphistory.explorer.data import FORMATS, as_data, problem_as_data
from caphistory.explorer.databases import get_answers
from caphistory.explorer.pages import (
    capabilities,
    chains,
    documented,
    home,
    releases,
    search,
    successions,
    syscalls,
    transition,
)
from caphistory.explorer.pages.page import Answers, Asked, MakePage, Page, Redirect
from caphistory.explorer.seam import require_view
from caphistory.explorer.templating import render

if TYPE_CHECKING:
    # Datasette loads its plugins while it is being imported itself.
    from datasette.app import Datasette
    from datasette.utils.asgi import Request, Response

View = Callable[..., Awaitable["Response"]]

PAGES: dict[str, MakePage] = {
    r"/": home.home,
    r"/home": home.home,
    r"/transition": transition.transition,
    r"/successions": successions.successions,
    r"/succession": successions.succession,
    r"/syscall": syscalls.index,
    r"/syscall/(?P<name>[^/]+?)": syscalls.syscall,
    r"/diff/(?P<name>[^/]+?)": syscalls.diff,
    r"/capability": capabilities.index,
    r"/capability/(?P<name>[^/]+?)": capabilities.capability,
    r"/release": releases.index,
    r"/release/(?P<name>[^/]+?)": releases.release,
    r"/chain/(?P<abi>[^/]+)/(?P<syscall>[^/]+)/(?P<privilege>[^/]+?)": chains.chain,
    r"/documented": documented.documented,
    r"/search": search.search,
    r"/function/(?P<name>[^/]+?)": search.function,
    r"/file/(?P<path>.+?)": search.file,
}
"""The page at each address."""

READ_BEFORE: dict[MakePage, Callable[[], None]] = {documented.documented: documented.read_manual}
"""What to read for a page besides the database, before the time limit of its queries starts and
outside Datasette's few threads for queries."""

_FORMAT = r"(?:\.(?P<format>json|csv))?$"

STYLES = {
    "/-/caphistory.css": "caphistory.css",
    "/-/caphistory-datasette.css": "datasette.css",
}
"""The style sheets of our pages and, additionally, of Datasette's own pages."""


class _Answer(NamedTuple):
    """A page or a redirect, with its links, its HTTP status and remarks to show on it."""

    page: Page | Redirect
    to: Addresses
    status: int = 200
    remarks: Sequence[str] = ()


def make_routes(database: str, *, at_home: bool) -> list[tuple[str, View]]:
    """Return the routes of the pages, which show ``database``; with ``at_home`` they include the
    home page."""
    shown = {pattern: make for pattern, make in PAGES.items() if at_home or pattern != "/"}
    return [
        (r"/robots\.txt$", _make_robots(database)),
        *((re.escape(address) + "$", _make_style(file)) for address, file in STYLES.items()),
        *((pattern + _FORMAT, _make_view(database, make)) for pattern, make in shown.items()),
    ]


def _make_robots(database: str) -> View:
    """Return the view of robots.txt: pages that can be cited may be indexed; the endless ones
    (tables, filters, SQL) may not."""

    async def robots(datasette: Datasette) -> Response:
        endless = (f"/{database}", "/search", "/diff/", "/-/", "/*?")
        lines = ["User-agent: *", *(f"Disallow: {datasette.urls.path(path)}" for path in endless)]
        return _response("\n".join(lines) + "\n", "text/plain; charset=utf-8")

    return robots


def _make_style(name: str) -> View:
    # Datasette could serve static files itself, but their address would depend on how it found
    # the plugin.
    async def style() -> Response:
        text = (Path(__file__).parent / "static" / name).read_text("utf-8")
        response = _response(text, "text/css; charset=utf-8")
        response.headers["Cache-Control"] = "max-age=3600"
        return response

    return style


def _make_view(database: str, make: MakePage) -> View:
    async def view(datasette: Datasette, request: Request) -> Response:
        await require_view(datasette, request.actor, database)
        parts = {name: unquote(part) for name, part in request.url_vars.items() if part}
        query = {name: str(request.args[name]) for name in request.args}
        answer = await _answer(datasette, database, make, parts, query)
        if isinstance(answer.page, Redirect):
            return _redirect(answer.page.address)
        if "format" in parts:
            return _data(answer.page, parts["format"], query.get("table"), answer.status)
        context = {
            **answer.page.context,
            "page": answer.page,
            "remarks": answer.remarks,
            "to": answer.to,
            "data_address": partial(_data_address, request.path, query),
            "style": datasette.urls.path("/-/caphistory.css"),
        }
        html = render(answer.page.template, context)
        return _response(html, "text/html; charset=utf-8", answer.status)

    return view


async def _answer(
    datasette: Datasette,
    database: str,
    make: MakePage,
    parts: Mapping[str, str],
    query: Mapping[str, str],
) -> _Answer:
    """Return the page that ``make`` returns, or one that explains why there is none."""
    to = Addresses(datasette.urls.path, datasette.urls.database(database))
    limit_ms = datasette.setting("sql_time_limit_ms")
    served = datasette.get_database(database)
    read = partial(_read, make, parts, query, to, get_answers(served), limit_ms)
    try:
        if make in READ_BEFORE:
            await asyncio.to_thread(READ_BEFORE[make])
        answer: _Answer = await served.execute_fn(read)
        return answer
    except (NothingFound, UsageError) as error:
        return _Answer(_problem("Not found", str(error)), to, 404)
    except CaphistoryError as error:
        return _Answer(_problem("Cannot be read", str(error)), to, 500)
    except sqlite3.OperationalError as error:
        if "interrupted" not in str(error):
            raise
        limit = f"this took longer than {limit_ms} ms, which is the limit of this server"
        return _Answer(_problem("Too slow", limit), to, 503)


def _read(
    make: MakePage,
    parts: Mapping[str, str],
    query: Mapping[str, str],
    to: Addresses,
    cached: Answers | None,
    limit_ms: int,
    connection: sqlite3.Connection,
) -> _Answer:
    from datasette.utils import sqlite_timelimit

    with sqlite_timelimit(connection, limit_ms):
        asked = Asked(connection, parts, query, to, cached, [])
        asked = asked._replace(addresses=to._replace(abi=asked.abi))
        return _Answer(make(asked), asked.addresses, remarks=asked.remarks)


def _problem(title: str, problem: str) -> Page:
    return Page("problem", title, {}, {"problem": problem})


def _data(page: Page, format: str, table: str | None, status: int) -> Response:
    if status != 200:
        text = problem_as_data(page.context["problem"], format)
        return _response(text, FORMATS[format], status)
    try:
        return _response(as_data(page, format, table), FORMATS[format])
    except UsageError as error:
        return _response(problem_as_data(str(error), format), FORMATS[format], 404)


def _data_address(
    path: str, query: Mapping[str, str], format: str, table: str | None = None
) -> str:
    """Return the address of a page, or of one of its tables, as data."""
    parameters = {**query, **({"table": table} if table else {})}
    base = path.rstrip("/") + "/home" if path.endswith("/") else path
    return f"{base}.{format}" + (f"?{urlencode(parameters)}" if parameters else "")


def _response(text: str, content_type: str, status: int = 200) -> Response:
    from datasette.utils.asgi import Response

    return Response(text, status, {**headers.PAGES}, content_type=content_type)


def _redirect(address: str) -> Response:
    from datasette.utils.asgi import Response

    return Response.redirect(address, headers={**headers.PAGES})
