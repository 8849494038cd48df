"""What all commands share: the global options, the open database, and how answers are printed."""

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
from caphistory.questions.names import (
    newest_release,
    resolve_abi,
    resolve_release,
    resolve_syscall,
)
from caphistory.questions.queries import ask
from caphistory.records import Row
from caphistory.wording.formats import FORMATS, render
from caphistory.wording.phrases import format_count
from caphistory.wording.plain import clean, wrap

_AROUND_A_TABLE = 8
"""Lines of the screen left for headings, remarks, hints and the next prompt."""
_FEWEST = 5
"""The minimum number of rows that a table shows on any screen."""
_NAMED = 12
"""How many names a line lists."""
EVERY_ROW = 0
"""The value of ``Session.rows`` for ``--rows all``."""


class Session:
    """One run of the program: the values of the global options, and the open database."""

    def __init__(self) -> None:
        self.db: Path | None = None
        self.format: str | None = None
        self.release: str | None = None
        self.rows: int | None = None

    @cached_property
    def database_path(self) -> Path:
        """The path of the database: ``--db``, else the default one; where the user's cache cannot
        be written, one that is removed when the program ends."""
        return self.find_database(lambda line: say(f"caphistory: {line}", err=True))

    def find_database(self, warn: Callable[[str], None] | None) -> Path:
        """Return the path of the database; without ``warn``, only one that stays (see
        ``store.default_database``)."""
        from caphistory.questions.database import default_database

        progress = LateProgress("unpacking the facts that ship with caphistory", sys.stderr)
        try:
            return default_database(self.db, progress, warn)
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
        return self.resolve_release(self.release)

    def resolve_release(self, text: str) -> str:
        """Return the release that ``text`` means; if it is called otherwise, say so on stderr."""
        named = resolve_release(self.connection, text)
        if named.remark:
            say(f"caphistory: {named.remark}", err=True)
        return named.release

    def resolve_syscall(self, text: str, abi: str | None = None) -> str:
        """Return the syscall that ``text`` means: a name as people write it, or a number in the
        table ``abi`` of the asked release; of a number say on stderr which it is."""
        release = self.asked_release if self.release is not None else ""
        name = resolve_syscall(self.connection, text, release, self.asked_abi(abi))
        if text.strip().isdecimal():
            say(f"caphistory: syscall {text.strip()} is {name}", err=True)
        return name

    def asked_abi(self, abi: str | None) -> str | None:
        """Return the system-call table ``abi``; raise UsageError if the database lacks it."""
        return abi and resolve_abi(self.connection, abi)

    def find_usual_abi(self, release: str) -> str:
        """Return the system-call table that a question about ``release`` means."""
        row = self.connection.execute(
            "select abi from asked_releases where asked = ?", [release]
        ).fetchone()
        return str(row[0])

    def ask(self, name: str, **parameters: str | None) -> list[Row]:
        """Return the rows of the query ``name``."""
        return ask(self.connection, name, **parameters)

    @property
    def for_people(self) -> bool:
        """Whether to lay out the answer for reading: with ``--format table``, and on a terminal
        unless another format was asked for."""
        return self.format == "table" or (self.format is None and sys.stdout.isatty())

    @property
    def width(self) -> int:
        """The width of the terminal in columns (``COLUMNS``, else 100, without a terminal)."""
        return shutil.get_terminal_size((100, 40)).columns

    @property
    def room(self) -> int | None:
        """How many rows the answer may show: ``--rows``, else what fits the screen; None for all
        (``--rows all``, or no terminal)."""
        if self.rows is not None:
            return self.rows or None
        if not self._fits_screen:
            return None
        return max(_FEWEST, shutil.get_terminal_size((100, 40)).lines - _AROUND_A_TABLE)

    @property
    def _fits_screen(self) -> bool:
        return self.rows is None and sys.stdout.isatty()

    def room_under(self, lines: int) -> int | None:
        """Return how many rows fit if ``lines`` more lines than usual stand above; None for all."""
        return None if self.room is None else max(_FEWEST, self.room - lines)

    def link(self, text: str, release: str, path: str, line: int) -> str:
        """Return ``text``, which must be clean; on a terminal as a link to a line of the source."""
        plain = click.get_current_context().find_root().color is False
        if plain or os.environ.get("TERM") == "dumb" or not sys.stdout.isatty():
            return text
        from caphistory.wording.source_browser import link_to_source

        return f"\x1b]8;;{link_to_source(release, path, line)}\x1b\\{text}\x1b]8;;\x1b\\"

    def print_rows(self, rows: Sequence[Row]) -> None:
        """Print ``rows`` for machines, in the chosen format (by default TSV); all of them, unless
        ``--rows`` limits them."""
        echo(render(rows[: self.rows or None], self.format or "tsv"))

    def print_table(
        self,
        headers: Sequence[str],
        rows: Sequence[Sequence[str]],
        flexible: Sequence[str] = (),
        optional: Sequence[str] = (),
        *,
        most: int | None = None,
    ) -> None:
        """Print aligned columns that fit the terminal (see ``text.table``): as many rows as there
        is room for, or ``most`` if several tables share the room; then how many were left out."""
        fitting = rows[: self.room if most is None else most]
        head, *body = table(headers, fitting, self.width, flexible, optional)
        lines = head.count("\n") + 1
        if lines > 1 and self._fits_screen:
            fitting = fitting[: max(_FEWEST, len(fitting) // lines)]
            head, *body = table(headers, fitting, self.width, flexible, optional)
        say(head, dim=True)
        for line in body:
            say(line)
        self.say_left_out(len(rows) - len(fitting))

    def list_some(self, heading: str, names: Sequence[str]) -> list[str]:
        """Return lines with ``names`` after a heading: the first of them and how many others there
        are, or all with ``--rows all``; none if there are no names."""
        if not names:
            return []
        shown = names if self.rows == EVERY_ROW else names[:_NAMED]
        more = f" and {len(names) - len(shown)} more" if len(shown) < len(names) else ""
        return wrap(f"{heading}: {', '.join(map(clean, shown))}{more}", self.width)

    def say_left_out(self, count: int, noun: str = "row") -> None:
        """Print that ``count`` things were left out for lack of room, if any."""
        if count:
            say(f"… {format_count(count, f'more {noun}')}: --rows all", dim=True)


pass_session = click.make_pass_decorator(Session, ensure=True)


class Command(click.Command):
    """A command that rejects ``--release`` if its answer does not depend on it."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; raise UsageError for a ``--release`` that it does not take."""
        takes_release = any(parameter.name == "release" for parameter in self.params)
        if ctx.ensure_object(Session).release is not None and not takes_release:
            raise UsageError(f"{self.name} does not ask about one release: leave --release out")
        return super().invoke(ctx)


def _store_option(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    if value is not None:
        setattr(context.ensure_object(Session), str(parameter.name), value)


def _store_rows(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    if value is None:
        return
    if value != "all" and (not value.isdecimal() or int(value) == 0):
        raise click.BadParameter(f"{value!r} is no number of rows: give 1 or more, or all")
    context.ensure_object(Session).rows = EVERY_ROW if value == "all" else int(value)


def global_options(*, release: bool) -> list[click.Parameter]:
    """Return the options that may precede or follow a command's name; ``release`` adds
    ``--release``."""
    database = click.Option(
        ["--db"],
        type=click.Path(path_type=Path, readable=False),
        metavar="PATH",
        expose_value=False,
        callback=_store_option,
        help="The database (default: your own, else the one that ships with caphistory).",
    )
    form = click.Option(
        ["--format"],
        type=click.Choice(FORMATS),
        expose_value=False,
        callback=_store_option,
        help="How rows are printed (default: table on a terminal, tsv when piped).",
    )
    limit = click.Option(
        ["--rows"],
        metavar="N|all",
        expose_value=False,
        callback=_store_rows,
        help="How many rows are shown (default: what fits the screen; when piped, all).",
    )
    release_option = click.Option(
        ["--release"],
        metavar="R",
        expose_value=False,
        callback=_store_option,
        shell_complete=complete_release,
        help="The release asked about, with or without v (default: the newest in the database).",
    )
    common: list[click.Parameter] = [database, form, limit]
    return [release_option, *common] if release else common


def subcommand(name: str, *, release: bool = False) -> Callable[[Callable[..., Any]], Command]:
    """Return a decorator that makes the command ``name``, with the global options after its own."""

    def decorate(function: Callable[..., Any]) -> Command:
        command = click.command(name, cls=Command)(function)
        command.params += global_options(release=release)
        return command

    return decorate


abi_option = click.option(
    "--abi",
    metavar="ABI",
    shell_complete=complete_abi,
    help="The system-call table (default: i386; for one release from 3.0 on x86_64).",
)
