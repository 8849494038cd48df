"""``caphistory transition``: what changed between two releases."""

from __future__ import annotations

import click

from caphistory.cli.complete import complete_release
from caphistory.cli.phrases import counted
from caphistory.cli.session import Session, abi_option, pass_session, subcommand
from caphistory.cli.text import say
from caphistory.errors import NothingFound
from caphistory.names import known_release
from caphistory.plain import clean

_HEADINGS = {
    "capability": "from root to a capability",
    "changed": "changed otherwise",
    "gained": "checked nothing before",
    "lost": "check nothing any more",
    "added": "new syscalls that check something",
    "removed": "syscalls that are gone",
}


@subcommand("transition")
@click.argument("from_release", metavar="[FROM]", required=False, shell_complete=complete_release)
@click.argument("to_release", metavar="[TO]", required=False, shell_complete=complete_release)
@abi_option
@pass_session
def command(
    session: Session, from_release: str | None, to_release: str | None, abi: str | None
) -> None:
    """Which syscalls changed between two releases.

    FROM and TO are releases; without them, the last 2.0 and the last 2.2 in the database.

    \b
    Examples:
      caphistory transition
      caphistory transition 2.0.40 2.2.24
    """
    known = [
        name and known_release(session.connection, name) for name in (from_release, to_release)
    ]
    rows = session.ask(
        "transition", **{"from": known[0], "to": known[1], "abi": session.asked_abi(abi)}
    )
    if not rows:
        ends = f": {known[0]} → {known[1]}" if all(known) else ""
        raise NothingFound(f"no syscall changed what it checks{ends}")
    if not session.for_people:
        session.print_rows(rows)
        return
    ends = f"{clean(rows[0]['from_release'])} → {clean(rows[0]['to_release'])}"
    say(f"{ends}: {counted(len(rows), 'syscall')} changed", bold=True)
    size = max(len(clean(row["syscall"])) for row in rows)
    for became, heading in _HEADINGS.items():
        group = [row for row in rows if row["became"] == became]
        if group:
            say(f"\n{heading}: {len(group)}", bold=True)
        for row in group:
            before, after = (clean(row[side]) or "nothing" for side in ("before", "after"))
            say(f"{clean(row['syscall']).ljust(size)}  {before} → {after}")
    say(f"\nnext: caphistory syscall {clean(rows[0]['syscall'])}", dim=True)
