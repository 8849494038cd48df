"""What every command shares: the global options, the open database, the way to answer."""

from __future__ import annotations

import shutil
import sqlite3
import sys
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import click

from caphistory.answers import Row, ask
from caphistory.cli.complete import complete_abi, complete_release
from caphistory.cli.output import FORMATS, render
from caphistory.cli.text import say, table
from caphistory.errors import UsageError
from caphistory.names import known_abi, known_release, newest_release
from caphistory.progress import LateProgress


class Session:
    """One run of the program: what the global options say, and the open database."""

    def __init__(self) -> None:
        self.db: Path | None = None
        self.format: str | None = None
        self.release: str | None = None

    @cached_property
    def database_path(self) -> Path:
        """The database that was asked for, else the default one."""
        from caphistory.store import default_database

        progress = LateProgress("unpacking the facts that ship with caphistory", sys.stderr)
        try:
            return default_database(self.db, progress)
        finally:
            progress.close()

    @cached_property
    def connection(self) -> sqlite3.Connection:
        """The database, open for reading until the command ends."""
        from caphistory.store import open_reader

        connection = open_reader(self.database_path)
        click.get_current_context().find_root().call_on_close(connection.close)
        return connection

    @cached_property
    def asked_release(self) -> str:
        """The release that ``--release`` names, else the newest of the database."""
        if self.release is None:
            return newest_release(self.connection)
        return known_release(self.connection, self.release)

    def asked_abi(self, abi: str | None) -> str | None:
        """The system-call table ``abi``, which the database must have."""
        return abi and known_abi(self.connection, abi)

    def ask(self, name: str, **parameters: str | None) -> list[Row]:
        """The rows that the query ``name`` gives."""
        return ask(self.connection, name, **parameters)

    @property
    def for_people(self) -> bool:
        """Whether the answer is laid out for reading: by ``--format table``, and on a
        terminal unless another format was asked for."""
        return self.format == "table" or (self.format is None and sys.stdout.isatty())

    @property
    def width(self) -> int:
        """The columns of the terminal (``COLUMNS``, else 100, where there is none)."""
        return shutil.get_terminal_size((100, 40)).columns

    def print_rows(self, rows: Sequence[Row]) -> None:
        """Print ``rows`` for machines, in the format asked for (TSV where none was)."""
        click.echo(render(rows, self.format or "tsv"))

    def print_table(
        self, headers: Sequence[str], rows: Sequence[Sequence[str]], flexible: Sequence[str] = ()
    ) -> None:
        """Print aligned columns that fit the terminal (see ``text.table``)."""
        head, *body = table(headers, rows, self.width, flexible)
        say(head, dim=True)
        for line in body:
            say(line)


pass_session = click.make_pass_decorator(Session, ensure=True)


class Command(click.Command):
    """A command that refuses a ``--release`` which would change nothing in its answer."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        takes_release = any(parameter.name == "release" for parameter in self.params)
        if ctx.ensure_object(Session).release is not None and not takes_release:
            raise UsageError(f"{self.name} does not ask about one release: leave --release out")
        return super().invoke(ctx)


def _remember(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    if value is not None:
        setattr(context.ensure_object(Session), str(parameter.name), value)


def global_options(*, release: bool) -> list[click.Parameter]:
    """The options that stand before or after a command's name, ``--release`` among them
    where the answer is about one release."""
    database = click.Option(
        ["--db"],
        type=click.Path(path_type=Path),
        metavar="PATH",
        expose_value=False,
        callback=_remember,
        help="The database (default: your own, else the one that ships with caphistory).",
    )
    form = click.Option(
        ["--format"],
        type=click.Choice(FORMATS),
        expose_value=False,
        callback=_remember,
        help="How rows are printed (default: table on a terminal, tsv when piped).",
    )
    asked = click.Option(
        ["--release"],
        metavar="R",
        expose_value=False,
        callback=_remember,
        shell_complete=complete_release,
        help="The release asked about, with or without v (default: the newest in the database).",
    )
    return [asked, database, form] if release else [database, form]


def subcommand(name: str, *, release: bool = False) -> Callable[[Callable[..., Any]], Command]:
    """A decorator: the command ``name``, with the global options after its own."""

    def decorate(function: Callable[..., Any]) -> Command:
        made = click.command(name, cls=Command)(function)
        made.params += global_options(release=release)
        return made

    return decorate


abi_option = click.option(
    "--abi",
    metavar="ABI",
    shell_complete=complete_abi,
    help="The system-call table (default: i386).",
)
