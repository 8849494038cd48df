"""What every command shares: the global options, the open database, the way to answer."""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import click

from caphistory.cli.complete import complete_abi, complete_release
from caphistory.cli.progress import LateProgress
from caphistory.cli.text import echo, say, table
from caphistory.errors import UsageError
from caphistory.questions.names import known_abi, named_release, newest_release
from caphistory.questions.queries import ask
from caphistory.records import Row
from caphistory.wording.formats import FORMATS, render
from caphistory.wording.phrases import counted

_AROUND_A_TABLE = 8
"""So many lines of the screen are left for headings, remarks, hints and the next prompt."""
_FEWEST = 5
"""A table shows so many rows on any screen."""
EVERY_ROW = 0
"""What ``--rows all`` means."""


class Session:
    """One run of the program: what the global options say, and the open database."""

    def __init__(self) -> None:
        self.db: Path | None = None
        self.format: str | None = None
        self.release: str | None = None
        self.rows: int | None = None

    @cached_property
    def database_path(self) -> Path:
        """The database that was asked for, else the default one."""
        from caphistory.questions.database import default_database

        progress = LateProgress("unpacking the facts that ship with caphistory", sys.stderr)
        try:
            return default_database(self.db, progress)
        finally:
            progress.close()

    @cached_property
    def connection(self) -> sqlite3.Connection:
        """The database, open for reading until the command ends."""
        from caphistory.questions.database import open_reader

        connection = open_reader(self.database_path)
        click.get_current_context().find_root().call_on_close(connection.close)
        return connection

    @cached_property
    def asked_release(self) -> str:
        """The release that ``--release`` names, else the newest of the database."""
        if self.release is None:
            return newest_release(self.connection)
        return self.known_release(self.release)

    def known_release(self, text: str) -> str:
        """The release that ``text`` means; where that is not its name, says so on stderr."""
        named = named_release(self.connection, text)
        if named.remark:
            say(f"caphistory: {named.remark}", err=True)
        return named.release

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

    @property
    def room(self) -> int | None:
        """How many rows the answer may show: what ``--rows`` says, else what fits the screen,
        else (no terminal, or all asked for) None: every one."""
        if self.rows is not None:
            return self.rows or None
        if not self._fits_screen:
            return None
        return max(_FEWEST, shutil.get_terminal_size((100, 40)).lines - _AROUND_A_TABLE)

    @property
    def _fits_screen(self) -> bool:
        return self.rows is None and sys.stdout.isatty()

    def room_under(self, lines: int) -> int | None:
        """How many rows there is room for under so many ``lines`` more than usual."""
        return None if self.room is None else max(_FEWEST, self.room - lines)

    def linked(self, text: str, release: str, path: str, line: int) -> str:
        """``text`` (which must be clean), on a terminal as a link to a line of the source."""
        plain = click.get_current_context().find_root().color is False
        if plain or os.environ.get("TERM") == "dumb" or not sys.stdout.isatty():
            return text
        from caphistory.wording.source_browser import source

        return f"\x1b]8;;{source(release, path, line)}\x1b\\{text}\x1b]8;;\x1b\\"

    def print_rows(self, rows: Sequence[Row]) -> None:
        """Print ``rows`` for machines, in the format asked for (TSV where none was); all of
        them, unless ``--rows`` asked for fewer."""
        echo(render(rows[: self.rows or None], self.format or "tsv"))

    def print_table(
        self,
        headers: Sequence[str],
        rows: Sequence[Sequence[str]],
        flexible: Sequence[str] = (),
        *,
        most: int | None = None,
    ) -> None:
        """Print aligned columns that fit the terminal (see ``text.table``), as many rows as
        there is room for (``most``, where several tables share it), and how many were left out."""
        fitting = rows[: self.room if most is None else most]
        head, *body = table(headers, fitting, self.width, flexible)
        lines = head.count("\n") + 1
        if lines > 1 and self._fits_screen:
            fitting = fitting[: max(_FEWEST, len(fitting) // lines)]
            head, *body = table(headers, fitting, self.width, flexible)
        say(head, dim=True)
        for line in body:
            say(line)
        self.say_left_out(len(rows) - len(fitting))

    def say_left_out(self, count: int, noun: str = "row") -> None:
        """Say that ``count`` things were left out for want of room, if any."""
        if count:
            say(f"… {counted(count, f'more {noun}')}: --rows all", dim=True)


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


def _remember_rows(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    if value is None:
        return
    if value != "all" and (not value.isdecimal() or int(value) == 0):
        raise click.BadParameter(f"{value!r} is no number of rows: give 1 or more, or all")
    context.ensure_object(Session).rows = EVERY_ROW if value == "all" else int(value)


def global_options(*, release: bool) -> list[click.Parameter]:
    """The options that stand before or after a command's name, ``--release`` among them
    where the answer is about one release."""
    database = click.Option(
        ["--db"],
        type=click.Path(path_type=Path, readable=False),
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
    limit = click.Option(
        ["--rows"],
        metavar="N|all",
        expose_value=False,
        callback=_remember_rows,
        help="How many rows are shown (default: what fits the screen; when piped, all).",
    )
    asked = click.Option(
        ["--release"],
        metavar="R",
        expose_value=False,
        callback=_remember,
        shell_complete=complete_release,
        help="The release asked about, with or without v (default: the newest in the database).",
    )
    everywhere: list[click.Parameter] = [database, form, limit]
    return [asked, *everywhere] if release else everywhere


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
    help="The system-call table (default: i386; for one release from 3.0 on x86_64).",
)
