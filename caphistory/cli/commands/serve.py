"""``caphistory serve``: the explorer in the browser."""

from __future__ import annotations

import click

from caphistory.cli.session import Session, pass_session, subcommand
from caphistory.cli.text import say


@subcommand("serve")
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    metavar="N",
    help="The port to listen on (default: 8001, or a free one where that is taken).",
)
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    metavar="H",
    help="The address to listen on; anything but the default lets others in.",
)
@click.option("--no-open", is_flag=True, help="Do not open the browser.")
@click.option(
    "--time-limit",
    type=click.IntRange(min=100),
    default=5000,
    show_default=True,
    metavar="MS",
    help="The longest that a query may take, in milliseconds.",
)
@pass_session
def command(session: Session, port: int | None, host: str, no_open: bool, time_limit: int) -> None:
    """Open the explorer in the browser.

    It is Datasette on the database, read-only, until Ctrl-C.

    \b
    Examples:
      caphistory serve
      caphistory serve --port 8080 --no-open
    """
    from caphistory.explorer.server import serve

    serve(
        session.database_path,
        host=host,
        port=port,
        open_browser=not no_open,
        time_limit_ms=time_limit,
        announce=lambda url: say(f"the explorer is at {url} (Ctrl-C ends it)"),
    )
