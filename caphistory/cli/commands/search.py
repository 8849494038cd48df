"""``caphistory search``: find what a person has words for."""

from __future__ import annotations

import click

from caphistory.cli.session import Session, pass_session, subcommand
from caphistory.cli.text import say, say_next
from caphistory.errors import NothingFound
from caphistory.questions.descriptions import read_descriptions, search_capabilities
from caphistory.questions.names import newest_release
from caphistory.wording.phrases import format_count
from caphistory.wording.plain import clean, wrap

_KIND = "capability"
_SYSCALLS_NAMED = 12


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
    known = {row["capability"] for row in session.ask("capability_list")}
    permitting = [name for name in search_capabilities(text) if name in known or not known]
    named = session.ask("search", text=text)
    rows = [_make_row(session, name) for name in permitting]
    if not rows and not named:
        raise NothingFound(f"nothing is called {text!r}, and no capability is described so")
    if not session.for_people:
        session.print_rows([*rows, *({**row, "about": None} for row in named)])
        return
    for row in rows:
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
            most=session.room_under(3 * len(rows)),
        )
    first = rows[0]["name"] if rows else None
    if first:
        say_next(f"caphistory which {first}", f"caphistory capability {first}", width=session.width)


def _make_row(session: Session, capability: str) -> dict[str, object]:
    """Return a row for a capability: what it permits, and which syscalls ask for it."""
    release = newest_release(session.connection)
    syscalls = dict.fromkeys(
        row["syscall"] for row in session.ask("which", privilege=capability, release=release)
    )
    named = ", ".join([*syscalls][:_SYSCALLS_NAMED])
    more = f" and {len(syscalls) - _SYSCALLS_NAMED} more" if len(syscalls) > _SYSCALLS_NAMED else ""
    asked = f" Asked by {named}{more} in {release}." if syscalls else ""
    return {
        "kind": _KIND,
        "name": capability,
        "first_release": None,
        "last_release": None,
        "about": read_descriptions()[capability].permits + asked,
    }
