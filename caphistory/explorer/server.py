"""Serve one database with Datasette to people on this machine."""

from __future__ import annotations

import asyncio
import socket
import webbrowser
from collections.abc import Callable
from pathlib import Path

import uvicorn
from datasette.app import Datasette, DatasetteClient
from datasette.plugins import pm

from caphistory import explorer
from caphistory.errors import CaphistoryError
from caphistory.explorer.shortening import MOST_ROWS, ShorteningDatabase

NAME = "caphistory"
"""The explorer's name for its database: the first part of the address of Datasette's pages."""

_PREFERRED_PORT = 8001


def explorer_application(database: Path, time_limit_ms: int) -> Datasette:
    """Return a Datasette that serves ``database``, immutable, with this package's plugin; no query
    may take longer than ``time_limit_ms``."""
    if not pm.is_registered(explorer):
        # In an installed package Datasette has already found it by its entry point.
        pm.register(explorer, name="caphistory")
    application = Datasette(
        [],
        settings={
            "sql_time_limit_ms": time_limit_ms,
            # A page without its facets would say that they took too long.
            "facet_time_limit_ms": time_limit_ms,
            "default_page_size": MOST_ROWS,
            "max_returned_rows": 10_000,
            "suggest_facets": False,
            "allow_download": False,
        },
    )
    # Datasette adds this database if it is given no file.
    application.remove_database("_memory")
    # The name does not depend on the file, so that addresses can be cited.
    application.add_database(
        ShorteningDatabase(application, str(database), is_mutable=False), name=NAME
    )
    # The first client took its routes before there was a database.
    application.client = DatasetteClient(application)
    return application


def listen(host: str, port: int | None) -> socket.socket:
    """Return a socket that listens on ``port`` of ``host``; without a port, on 8001 or, if that is
    taken, on a free one. Raise CaphistoryError if that is impossible."""
    wanted = [port] if port is not None else [_PREFERRED_PORT, 0]
    problem: OSError | None = None
    for number in wanted:
        try:
            family, _, _, _, address = socket.getaddrinfo(host, number, type=socket.SOCK_STREAM)[0]
            return socket.create_server(address[:2], family=family)
        except OSError as error:
            problem = error
    raise CaphistoryError(
        f"cannot listen on {host}"
        + (f" port {port}" if port is not None else "")
        + f": {problem.strerror if problem else 'no address'}; try another --port or --host"
    )


def address(listening: socket.socket) -> str:
    """Return the URL of a listening socket for a browser on this machine."""
    host, port = listening.getsockname()[:2]
    name = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
    return f"http://{name}:{port}/"


def serve(
    database: Path,
    *,
    host: str,
    port: int | None,
    open_browser: bool,
    time_limit_ms: int,
    announce: Callable[[str], None],
) -> None:
    """Serve the explorer of ``database`` until interrupted; ``announce`` is called with its
    URL."""
    with listen(host, port) as listening:
        url = address(listening)

        def report() -> None:
            announce(url)
            if open_browser:
                webbrowser.open(url)

        application = explorer_application(database, time_limit_ms)
        asyncio.run(_run(application, listening, report))


async def _run(
    application: Datasette, listening: socket.socket, when_ready: Callable[[], None]
) -> None:
    await application.invoke_startup()
    config = uvicorn.Config(application.app(), log_level="warning")
    await _Server(config, when_ready).serve(sockets=[listening])


class _Server(uvicorn.Server):
    """A server that calls ``when_ready`` once it answers requests and handles Ctrl-C."""

    def __init__(self, config: uvicorn.Config, when_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._when_ready = when_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start serving on ``sockets``, then call ``when_ready``."""
        await super().startup(sockets=sockets)
        self._when_ready()
