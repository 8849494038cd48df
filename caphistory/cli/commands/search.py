"""``caphistory search``: find what a person has words for."""

from __future__ import annotations

import click

from caphistory.cli.session import Session, pass_session, subcommand
from caphistory.cli.text import say, say_next
from caphistory.errors import NothingFound
from caphistory.questions.answers import PERMITS, search
from caphistory.wording.phrases import format_count
from caphistory.wording.plain import clean, wrap


@subcommand("search")
@click.argument("words", nargs=-1, required=True, metavar="TEXT...")
@pass_session
def command(session: Session, words: tuple[str, ...]) -> None:
    """Find capabilities by what they permit, and names by a part of them.

    Names are those of syscalls, capabilities, releases, and of the functions and files that
    hold checks.

    \b
    Examples:
      caphistory search port below 1024
      caphistory search dmesg
      caphistory search chroot
    """
    text = " ".join(words)
    rows = search(session.connection, text)
    if not rows:
        raise NothingFound(f"nothing is called {text!r}, and no capability is described so")
    if not session.for_people:
        session.print_rows(rows)
        return
    permitting = [row for row in rows if row["kind"] == PERMITS]
    named = rows[len(permitting) :]
    for row in permitting:
        say(clean(row["name"]), bold=True)
        for line in wrap(f"  {row['about']}", session.width):
            say(line)
    if named:
        say(f"{format_count(len(named), 'name')} with {clean(text)}:", bold=True)
        session.print_table(
            ("kind", "name", "first", "last"),
            [
                tuple(clean(row[key]) for key in ("kind", "name", "first_release", "last_release"))
                for row in named
            ],
            flexible=("name",),
            most=session.room_under(3 * len(permitting)),
        )
    if permitting:
        first = permitting[0]["name"]
        say_next(f"caphistory which {first}", f"caphistory capability {first}", width=session.width)
