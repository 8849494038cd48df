"""``caphistory transition``: what changed between two releases."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import NamedTuple

import click

from caphistory.cli.complete import complete_release
from caphistory.cli.functions import repository_option
from caphistory.cli.requirements import operation_option
from caphistory.cli.session import Session, abi_option, pass_session, subcommand
from caphistory.cli.text import say, shares
from caphistory.errors import NothingFound, UsageError
from caphistory.questions.names import resolve_operation
from caphistory.records import Row
from caphistory.wording.phrases import format_count
from caphistory.wording.plain import clean, wrap

_HEADINGS = {
    "capability": "from root to a capability",
    "changed": "changed otherwise",
    "gained": "checked nothing before",
    "lost": "check nothing any more",
    "added": "new syscalls that check something",
    "removed": "syscalls that are gone",
}
_ROOT_BECAME = {
    "capability": "for capabilities",
    "both": "for capabilities and still for root",
    "root": "still for root alone",
    "nothing": "for nothing",
}


@subcommand("transition")
@click.argument("from_release", metavar="[FROM]", required=False, shell_complete=complete_release)
@click.argument("to_release", metavar="[TO]", required=False, shell_complete=complete_release)
@click.option(
    "--sites", is_flag=True, help="What became of each check, wherever it stands, instead."
)
@operation_option
@repository_option
@abi_option
@pass_session
def command(
    session: Session,
    from_release: str | None,
    to_release: str | None,
    sites: bool,
    operation: str | None,
    repository: Path | None,
    abi: str | None,
) -> None:
    """Which syscalls changed between two releases, or with --sites: which checks.

    FROM and TO are releases, or series, whose newest release is meant; without them, the last
    2.0 and the last 2.2 in the database. What became of each check is stored for neighbouring
    releases and for those two; for others --sites reads the source of both, for which a clone must
    be on this machine.

    \b
    Examples:
      caphistory transition
      caphistory transition 2.0.40 2.2.24
      caphistory transition 2.2 2.4
      caphistory transition 2.4.18 2.6.10 --rows all
      caphistory transition 2.0 2.6 --operation 'SIOC*'
      caphistory transition --sites
      caphistory transition --sites 2.1.99 2.1.100
    """
    releases = [name and session.resolve_release(name) for name in (from_release, to_release)]
    if sites and operation:
        raise UsageError("a check site has no operation: leave out --sites, or --operation")
    if sites:
        _answer_sites(session, releases[0], releases[1], repository)
        return
    if repository is not None:
        raise UsageError("--repository is read for --sites: leave it out, or add --sites")
    asked = {"from": releases[0], "to": releases[1], "abi": session.asked_abi(abi)}
    if operation:
        _answer_operations(session, resolve_operation(session.connection, operation), asked)
        return
    rows = session.ask("transition", **asked)
    if not rows:
        ends = f": {releases[0]} → {releases[1]}" if all(releases) else ""
        raise NothingFound(f"no syscall changed what it checks{ends}")
    if not session.for_people:
        session.print_rows(rows)
        return
    _print_summary(rows, session.ask("root_became", **asked), session.width)
    groups = [
        (heading, _group_alike([row for row in rows if row["became"] == became], session.width))
        for became, heading in _HEADINGS.items()
    ]
    groups = [(heading, paragraphs) for heading, paragraphs in groups if paragraphs]
    room = session.room_under(2 * len(groups))
    fair = shares([sum(len(paragraph.lines) for paragraph in group) for _, group in groups], room)
    left_out = 0
    for (heading, paragraphs), lines in zip(groups, fair, strict=True):
        count = sum(paragraph.syscalls for paragraph in paragraphs)
        say(f"\n{heading}: {count}", bold=True)
        left_out += count - _print_fitting(paragraphs, lines)
    session.say_left_out(left_out, "syscall")
    say(f"\nnext: caphistory syscall {groups[0][1][0].first}", dim=True)


def _answer_operations(session: Session, operation: str, asked: dict[str, str | None]) -> None:
    """Print the answer of ``--operation``."""
    rows = session.ask("operation_changes", operation=operation, **asked)
    if not rows:
        (ends,) = session.ask("transition_ends", **{"from": asked["from"], "to": asked["to"]})
        raise NothingFound(
            f"nothing that asks by {operation} changed: {ends['from']} → {ends['to']}"
        )
    if not session.for_people:
        session.print_rows(rows)
        return
    before, after = clean(rows[0]["from_release"]), clean(rows[0]["to_release"])
    say(f"{before} → {after}: {format_count(len(rows), 'operation')} changed", bold=True)
    if rows[0]["missing"]:
        say(_describe_missing(rows[0]))
    most = session.room
    session.print_table(
        ("syscall", "operation", f"in {before}", f"in {after}"),
        [
            (
                clean(row["syscall"]),
                clean(row["operation"]),
                clean(row["before"]) or "nothing",
                clean(row["after"]) or "nothing",
            )
            for row in rows
        ],
        flexible=("operation", f"in {before}", f"in {after}"),
        most=most,
    )
    say(
        f"\nnext: caphistory syscall {clean(rows[0]['syscall'])}"
        f" --operation '{clean(rows[0]['operation'])}'",
        dim=True,
    )


def _describe_missing(row: Row) -> str:
    missing = format_count(row["missing"], "mainline release")
    return f"{missing} between them not in the database"


def _answer_sites(
    session: Session, from_release: str | None, to_release: str | None, repository: Path | None
) -> None:
    """Print the answer of ``--sites``."""
    from caphistory.cli.sites import print_sites
    from caphistory.questions.source_text import cached_repositories
    from caphistory.questions.successions import compare_sites, list_moves

    (ends,) = session.ask("transition_ends", **{"from": from_release, "to": to_release})
    repositories = [repository] if repository else cached_repositories()
    rows = compare_sites(session.connection, ends["from"], ends["to"], repositories)
    if not rows:
        raise NothingFound(f"no check in {ends['from']} or {ends['to']}")
    if not session.for_people:
        session.print_rows(rows)
        return
    moves = list_moves(session.connection, ends["from"], ends["to"])
    print_sites(session, ends, rows, moves)
    say(
        f"\nnext: caphistory serve, and open /successions?from={ends['from']}&to={ends['to']}",
        dim=True,
    )


def _print_summary(rows: list[Row], root: list[Row], width: int) -> None:
    """Print the number of changes, and what the syscalls that asked for root ask for now."""
    ends = f"{clean(rows[0]['from_release'])} → {clean(rows[0]['to_release'])}"
    say(f"{ends}: {format_count(len(rows), 'syscall')} changed", bold=True)
    became = Counter(row["became"] for row in root)
    parts = [f"{became[fate]} {words}" for fate, words in _ROOT_BECAME.items() if became[fate]]
    if parts:
        gone = f"; {became['removed']} gone" if became["removed"] else ""
        text = f"{len(root)} asked for root before; now {', '.join(parts)}{gone}"
        say("\n".join(wrap(text, width, "    ")))
    if rows[0]["missing"]:
        say(_describe_missing(rows[0]))


class _Paragraph(NamedTuple):
    """Syscalls that changed in the same way: the first, their number, and the lines to print."""

    first: str
    syscalls: int
    lines: list[str]


def _group_alike(rows: list[Row], width: int) -> list[_Paragraph]:
    """Group the changes of ``rows``, the simplest first: fewest privileges, then most syscalls."""
    alike: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        before, after = (clean(row[side]) or "nothing" for side in ("before", "after"))
        alike.setdefault((before, after), []).append(clean(row["syscall"]))
    plainest = sorted(
        alike.items(),
        key=lambda item: (item[0][1].count(","), item[0][0].count(","), -len(item[1])),
    )
    return [
        _Paragraph(
            syscalls[0],
            len(syscalls),
            wrap(f"{', '.join(syscalls)}: {before} → {after}", width, "    "),
        )
        for (before, after), syscalls in plainest
    ]


def _print_fitting(paragraphs: list[_Paragraph], lines: int) -> int:
    """Print at least one of ``paragraphs`` and as many as fit ``lines``; return the number of their
    syscalls."""
    printed = 0
    for paragraph in paragraphs:
        lines -= len(paragraph.lines)
        if lines < 0 and printed:
            break
        printed += paragraph.syscalls
        say("\n".join(paragraph.lines))
    return printed
