"""``caphistory capability``: the capabilities of a release, or one through the releases."""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter

import click

from caphistory.cli.complete import complete_capability
from caphistory.cli.session import Session, abi_option, pass_session, subcommand
from caphistory.cli.text import ends_of, say
from caphistory.errors import NothingFound
from caphistory.questions.descriptions import read_descriptions
from caphistory.questions.names import newest_release, resolve_capability
from caphistory.records import Row
from caphistory.wording.phrases import describe_gap, format_count, format_place, format_run
from caphistory.wording.plain import clean, wrap

OLDEST_ABI = "i386"
"""The table whose syscalls are counted through all releases, unless another is asked for."""


@subcommand("capability", release=True)
@click.argument("name", metavar="[CAP_X]", required=False, shell_complete=complete_capability)
@abi_option
@pass_session
def command(session: Session, name: str | None, abi: str | None) -> None:
    """The capabilities, or one through all releases.

    Their numbers and definitions, what the source says of them, and how many sites and
    syscalls check them.

    \b
    Examples:
      caphistory capability --release 2.2.24
      caphistory capability CAP_SYS_CHROOT
    """
    if name is None:
        _print_all(session, session.asked_abi(abi))
    else:
        capability = resolve_capability(session.connection, name)
        _print_history(session, capability, session.asked_abi(abi))


def _print_all(session: Session, abi: str | None) -> None:
    release = session.asked_release
    rows = session.ask("capability_list", release=release, abi=abi)
    if not rows:
        raise NothingFound(f"{release} defines no capability")
    if not session.for_people:
        session.print_rows(rows)
        return
    table = abi or session.find_usual_abi(release)
    say(f"{release} ({table}): {format_count(len(rows), 'capability')}", bold=True)
    session.print_table(
        ("number", "capability", "sites", "syscalls", "shared", "defined"),
        [
            (
                clean(row["number"]),
                clean(row["capability"]),
                str(row["sites"]),
                str(row["syscalls"]),
                str(row["shared"]),
                format_place(row),
            )
            for row in rows
        ],
        flexible=("defined",),
        optional=("defined",),
    )
    say("shared: of the syscalls, those that ask for it only in code that many share", dim=True)
    say(f"\nnext: caphistory capability {clean(rows[0]['capability'])}", dim=True)


def _print_history(session: Session, capability: str, abi: str | None) -> None:
    rows = session.ask("capability", capability=capability, abi=abi)
    if session.release is not None:
        release = session.asked_release
        rows = [row for row in rows if row["release"] == release]
        if not rows:
            raise NothingFound(f"{release} does not define {capability}")
    if not session.for_people:
        session.print_rows(rows)
        return
    last = rows[-1]
    say(f"{capability} ({clean(last['number'])}): {_format_releases(session, rows)}", bold=True)
    description = read_descriptions().get(capability)
    if description is not None:
        for line in wrap(f"  {description.permits}", session.width):
            say(line)
    for row in rows:
        if row["gap_before"]:
            say(describe_gap(row["gap_before"], row["release"], "not in", "there in"))
        if row["gap_after"]:
            say(describe_gap(row["release"], row["gap_after"], "still in", "not in"))
    say(f"{format_place(last)} in {clean(last['release'])}")
    doc = [f"  {clean(line)}" for line in (last["doc"] or "").splitlines()]
    shown = ends_of(doc, session.room and session.room // 3)
    for line in shown:
        say(line)
    say()
    runs = [
        (_format_releases(session, run), str(sites), str(syscalls))
        for (sites, syscalls), group in groupby(rows, key=itemgetter("sites", "syscalls"))
        for run in [list(group)]
    ]
    session.print_table(
        ("releases", "sites", f"syscalls of {abi or OLDEST_ABI}"),
        runs[::-1],
        most=session.room_under(len(shown)),
    )
    say(f"\nnext: caphistory which {capability} --all-releases", dim=True)


def _format_releases(session: Session, rows: list[Row]) -> str:
    """Return the run of releases that ``rows``, one per release, cover."""
    first, last = rows[0]["release"], rows[-1]["release"]
    newest = newest_release(session.connection)
    return format_run({"first_release": first, "last_release": last, "open": last == newest})
