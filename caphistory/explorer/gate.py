"""Settle the addresses of Datasette's own pages before Datasette answers them.

A view such as ``check_sites`` has rows of every release: the newest is shown first, and the address
says so, in HTML and in CSV alike. A question is asked by names as people write them; what names
nothing is said instead of answered with an empty table.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qsl, urlencode

from caphistory.errors import NothingFound, UsageError
from caphistory.explorer import filters
from caphistory.explorer.databases import ours
from caphistory.explorer.headers import Application, Message, Receive, Send
from caphistory.explorer.shortening import shorten
from caphistory.questions import names
from caphistory.questions.containers import ALL, NONE, RUNTIMES
from caphistory.questions.queries import queries
from caphistory.questions.schema import VIEWS
from caphistory.records import capability_name

if TYPE_CHECKING:
    from datasette.app import Datasette

Answer = tuple[bytes, Mapping[str, str]]
Resolve = Callable[[sqlite3.Connection, str], str]


class Settled(NamedTuple):
    """What to do with an address: go on (both are None), go to another ``address``, or tell a
    ``problem``."""

    address: str | None = None
    problem: str | None = None


def guard(
    datasette: Datasette, application: Application, tell: Callable[[str, str], Answer]
) -> Application:
    """Return ``application`` with its addresses settled first; ``tell`` returns the page of a
    problem at a path: its body, and its headers."""

    async def guarded(scope: Message, receive: Receive, send: Send) -> None:
        settled = Settled()
        if scope["type"] == "http" and scope["method"] in ("GET", "HEAD"):
            settled = await settle(
                datasette, scope["path"], scope["query_string"].decode("latin-1")
            )
        if settled.address is not None:
            await _respond(send, 302, b"", [(b"location", settled.address.encode())])
        elif settled.problem is not None:
            body, headers = tell(settled.problem, scope["path"])
            lines = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
            await _respond(send, 404, body, lines)
        else:
            with shorten(scope["type"] == "http" and _is_answer(datasette, scope["path"])):
                await application(scope, receive, send)

    return guarded


def _is_answer(datasette: Datasette, path: str) -> bool:
    """Whether the page at a path is the answer to a question, and not its JSON or CSV."""
    database, _, name = _find_place(datasette, path).partition("/")
    return name in queries() and database in ours(datasette)


def _find_place(datasette: Datasette, path: str) -> str:
    """Return a path without Datasette's base URL."""
    return path.removeprefix(datasette.setting("base_url").rstrip("/")).lstrip("/")


async def _respond(
    send: Send, status: int, body: bytes, headers: list[tuple[bytes, bytes]]
) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def settle(datasette: Datasette, path: str, query: str) -> Settled:
    """Return what to do with an address of one of Datasette's pages; with others, go on."""
    database, _, rest = _find_place(datasette, path).partition("/")
    name = rest.partition(".")[0]
    given = parse_qsl(query, keep_blank_values=True)
    if "/" in rest or not name or database not in ours(datasette):
        return Settled()
    served = datasette.get_database(database)
    if name in queries():
        changed = await served.execute_fn(lambda connection: _resolve(connection, name, given))
        if isinstance(changed, str):
            return Settled(problem=changed)
        return Settled(f"{path}?{urlencode(changed)}") if changed != given else Settled()
    wanted = filters.find_default(name, [key for key, _ in given])
    if wanted is None or name not in {view.name for view in VIEWS}:
        return Settled()
    column, sql = wanted
    row = (await served.execute(sql)).first()
    if row is None:
        return Settled()
    return Settled(f"{path}?{urlencode([(column, row[0]), *given])}")


def _resolve(
    connection: sqlite3.Connection, name: str, given: list[tuple[str, str]]
) -> list[tuple[str, str]] | str:
    """Return the parameters of a question with the names that they mean, or what is wrong."""
    known = [parameter.name for parameter in queries()[name].parameters]
    # Datasette's own begin with an underscore.
    unknown = [key for key, _ in given if key not in known and not key.startswith("_")]
    if unknown:
        there = f"; there are: {', '.join(known)}" if known else ""
        return f"no parameter {unknown[0]!r}{there}"
    try:
        return [
            (key, _RESOLVERS[key](connection, value))
            if key in _RESOLVERS and value.strip()
            else (key, value)
            for key, value in given
        ]
    except (UsageError, NothingFound) as error:
        return str(error)


def _resolve_release(connection: sqlite3.Connection, text: str) -> str:
    named = names.resolve_release(connection, text)
    if " is read as " in named.remark or not named.remark:
        return named.release
    raise UsageError(f"no release {text!r} here; nearest: {named.release}")


def _resolve_set(connection: sqlite3.Connection, text: str) -> str:
    """Return capabilities separated by commas, or ``ALL``, with their full names."""
    return ",".join(_resolve_member(connection, each) for each in text.split(",") if each.strip())


def _resolve_member(connection: sqlite3.Connection, text: str) -> str:
    if text.strip().upper() == "ALL":
        return "ALL"
    return names.resolve_capability(connection, capability_name(text))


def _resolve_base(connection: sqlite3.Connection, text: str) -> str:
    base = text.strip().lower()
    if base in (ALL, NONE) or base in RUNTIMES:
        return base
    try:
        return _resolve_set(connection, text)
    except UsageError as error:
        known = ", ".join([*RUNTIMES, ALL, NONE])
        raise UsageError(f"{error}; the base of a set is one of {known}, or capabilities") from None


_RESOLVERS: Mapping[str, Resolve] = {
    "abi": names.resolve_abi,
    "added": _resolve_set,
    "base": _resolve_base,
    "capability": names.resolve_capability,
    "dropped": _resolve_set,
    "from": _resolve_release,
    "privilege": names.resolve_privilege,
    "release": _resolve_release,
    "syscall": names.resolve_syscall,
    "to": _resolve_release,
}
"""How to read each parameter of the questions that names something."""
