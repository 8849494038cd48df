"""Route the addresses of the pages to the functions that answer them."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qs, unquote, urlencode

from markupsafe import Markup

from caphistory import __version__
from caphistory.errors import CaphistoryError, NothingFound, UsageError
from caphistory.explorer import headers
from caphistory.explorer.addresses import Addresses
from caphistory.explorer.data import FORMATS, as_data, problem_as_data
from caphistory.explorer.databases import get_answers, ours
from caphistory.explorer.pages import (
    capabilities,
    chains,
    container,
    documented,
    home,
    matrix,
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
    r"/matrix": matrix.matrix,
    r"/container": container.container,
    r"/search": search.search,
    r"/function/(?P<name>[^/]+?)": search.function,
    r"/file/(?P<path>.+?)": search.file,
}
"""The page at each address."""

READ_BEFORE: dict[MakePage, Callable[[], None]] = {documented.documented: documented.read_manual}
"""What to read for a page besides the database, before the time limit of its queries starts and
outside Datasette's few threads for queries."""

LOCAL: frozenset[MakePage] = frozenset(
    {documented.documented, successions.succession, syscalls.diff, container.container}
)
"""The pages that also show what this machine has (its manual, a clone) or what was sent to it."""

_FORMAT = r"(?:\.(?P<format>json|csv))?$"

STYLES = {
    "/-/caphistory.css": "caphistory.css",
    "/-/caphistory-datasette.css": "datasette.css",
    "/-/caphistory-filter.js": "filter.js",
}
"""The style sheets of our pages and, additionally, of Datasette's own pages; and the script that
filters two lists as one types, without which their forms ask the server."""


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
        kind = "javascript" if name.endswith(".js") else "css"
        response = _response(text, f"text/{kind}; charset=utf-8")
        response.headers["Cache-Control"] = "max-age=3600"
        return response

    return style


def _make_view(database: str, make: MakePage) -> View:
    async def view(datasette: Datasette, request: Request) -> Response:
        await require_view(datasette, request.actor, database)
        parts = {name: unquote(part) for name, part in request.url_vars.items() if part}
        tag = _make_tag(datasette, database, make)
        if tag and request.headers.get("if-none-match") == tag:
            return _response("", "text/html; charset=utf-8", 304, tag)
        query = await _read_query(request)
        answer = await _answer(datasette, database, make, parts, query)
        if isinstance(answer.page, Redirect):
            return _redirect(answer.page.address)
        if "format" in parts:
            return _data(answer.page, parts["format"], query.get("table"), answer.status, tag)
        context = {
            **answer.page.context,
            "page": answer.page,
            "remarks": answer.remarks,
            "to": answer.to,
            "data_address": partial(_data_address, request.path, query),
            "style": datasette.urls.path("/-/caphistory.css"),
            "script": datasette.urls.path("/-/caphistory-filter.js"),
            "here": request.path,
            "text": query.get("q"),
            "canonical": datasette.absolute_url(request, _canonical_path(request.path, query)),
        }
        html = render(answer.page.template, context)
        response = _response(html, "text/html; charset=utf-8", answer.status, tag)
        if answer.page.scripted:
            response.headers |= headers.SCRIPTED
        return response

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
        try:
            asked = asked._replace(addresses=to._replace(abi=asked.abi))
            return _Answer(make(asked), asked.addresses, remarks=asked.remarks)
        except (NothingFound, UsageError) as error:
            wanted = " ".join(parts.get(name, "") for name in ("name", "syscall", "privilege"))
            near = search.suggest(connection, wanted, to) if wanted.strip() else []
            return _Answer(_problem("Not found", str(error), near), to, 404)


def _problem(title: str, problem: str, near: Sequence[tuple[str, str]] = ()) -> Page:
    return Page("problem", title, {}, {"problem": problem, "near": near})


def _data(page: Page, format: str, table: str | None, status: int, tag: str | None) -> Response:
    if status != 200:
        text = problem_as_data(page.context["problem"], format)
        return _response(text, FORMATS[format], status)
    try:
        return _response(as_data(page, format, table), FORMATS[format], tag=tag)
    except UsageError as error:
        return _response(problem_as_data(str(error), format), FORMATS[format], 404)


def _data_address(
    path: str, query: Mapping[str, str], format: str, table: str | None = None
) -> str:
    """Return the address of a page, or of one of its tables, as data."""
    parameters = {**query, **({"table": table} if table else {})}
    base = path.rstrip("/") + "/home" if path.endswith("/") else path
    return f"{base}.{format}" + (f"?{urlencode(parameters)}" if parameters else "")


def render_header(datasette: Datasette, here: str) -> Markup:
    """Return the head of every page, for Datasette's templates; ``here`` is the path shown."""
    database = ours(datasette)[0]
    to = Addresses(datasette.urls.path, datasette.urls.database(database))
    return Markup(render("header", {"to": to, "here": here, "text": None}))


async def answer_problem(
    datasette: Datasette, path: str, problem: Exception, status: int
) -> Response:
    """Return the page of an error of Datasette's at ``path``, with the names that are nearest to
    the last part of an unknown address."""
    from datasette.utils.asgi import Response

    to = Addresses(datasette.urls.path, datasette.urls.database(ours(datasette)[0]))
    wanted = unquote(path).rstrip("/").rpartition("/")[2]
    near: list[tuple[str, str]] = []
    if status == 404 and wanted:
        served = datasette.get_database(ours(datasette)[0])
        near = await served.execute_fn(lambda connection: search.suggest(connection, wanted, to))
    text = f"There is nothing at {unquote(path)}." if status == 404 else str(problem.args[0])
    body, lines = tell_problem(
        datasette, text, path, near, "Not found" if status == 404 else "Error"
    )
    return Response(body.decode(), status, lines, content_type=lines["Content-Type"])


def tell_problem(
    datasette: Datasette,
    problem: str,
    path: str,
    near: Sequence[tuple[str, str]] = (),
    title: str = "Not found",
) -> tuple[bytes, dict[str, str]]:
    """Return the page that tells a problem at ``path``, in its format, with its headers; ``near``
    are names that may be meant, with their addresses."""
    format = path.rpartition(".")[2]
    if format in FORMATS:
        text, kind = problem_as_data(problem, format), FORMATS[format]
    else:
        to = Addresses(datasette.urls.path, datasette.urls.database(ours(datasette)[0]))
        page = _problem(title, problem, near)
        context = {
            **page.context,
            "page": page,
            "remarks": (),
            "to": to,
            "style": datasette.urls.path("/-/caphistory.css"),
            "here": path,
            "text": None,
            "canonical": path,
        }
        text, kind = render(page.template, context), "text/html; charset=utf-8"
    return text.encode(), {**headers.PAGES, "Content-Type": kind}


_SENT = ("file",)
"""What a form sends that belongs in no address."""


def _canonical_path(path: str, query: Mapping[str, str]) -> str:
    """Return the address of a page without parameters that are empty, the others in order."""
    given = sorted(
        (name, value) for name, value in query.items() if value.strip() and name not in _SENT
    )
    return path + (f"?{urlencode(given)}" if given else "")


async def _read_query(request: Request) -> dict[str, str]:
    """Return the parameters of a request; several of one name are joined by commas. A form with a
    pasted file sends its fields in the body, which no log keeps."""
    sent = (
        parse_qs((await request.post_body()).decode("utf-8", "replace"))
        if (request.method == "POST")
        else {}
    )
    given = {name: request.args.getlist(name) for name in request.args} | sent
    return {name: ",".join(map(str, values)) for name, values in given.items()}


def _make_tag(datasette: Datasette, database: str, make: MakePage) -> str | None:
    """Return the entity tag of a page: a database that does not change and a version of the program
    make the same page every time, unless it also shows what else is on this machine."""
    served = datasette.get_database(database)
    if served.is_mutable or make in LOCAL:
        return None
    return f'W/"{served.hash[:16]}-{__version__}"'


def _response(text: str, content_type: str, status: int = 200, tag: str | None = None) -> Response:
    from datasette.utils.asgi import Response

    kept = {"ETag": tag, "Cache-Control": "no-cache"} if tag and status in (200, 304) else {}
    return Response(text, status, {**headers.PAGES, **kept}, content_type=content_type)


def _redirect(address: str) -> Response:
    from datasette.utils.asgi import Response

    return Response.redirect(address, headers={**headers.PAGES})
