"""``caphistory which``: the syscalls that check a privilege."""

from __future__ import annotations

from collections import Counter

import click

from caphistory.cli.complete import complete_privilege
from caphistory.cli.session import Session, abi_option, pass_session, subcommand
from caphistory.cli.text import say, say_next, shares
from caphistory.errors import NothingFound, UsageError
from caphistory.questions.names import known_privilege
from caphistory.records import ROOT_CHECKS, Row
from caphistory.wording.checks import namespaces, other_check
from caphistory.wording.phrases import (
    GAPS,
    counted,
    effect,
    has_gaps,
    nearness,
    place,
    span,
    steps,
    table_of,
    through,
)
from caphistory.wording.plain import clean, wrapped

_AROUND_ANOTHER = 5
"""So many lines stand around each table after the first."""


@subcommand("which", release=True)
@click.argument(
    "names", nargs=-1, required=True, metavar="CAP_X...", shell_complete=complete_privilege
)
@click.option(
    "--reach",
    type=click.Choice(("direct", "call", "pointer")),
    help="Only the checks that are reached in this way.",
)
@click.option("--all-releases", is_flag=True, help="From which release to which, for each syscall.")
@click.option("--all", "everything", is_flag=True, help="Also the rows that say little.")
@abi_option
@pass_session
def command(
    session: Session,
    names: tuple[str, ...],
    reach: str | None,
    all_releases: bool,
    everything: bool,
    abi: str | None,
) -> None:
    """Which syscalls check CAP_X, how, and where.

    CAP_X is a capability in any case, with or without CAP_, or suser, fsuser or uid0.
    Left out are checks that constants on the way switch off, and those in code that many
    syscalls share: --all shows them.

    \b
    Examples:
      caphistory which CAP_SYS_CHROOT --release 2.2.24
      caphistory which net_admin sys_admin --reach direct
      caphistory which suser --all-releases
    """
    wanted = [known_privilege(session.connection, name) for name in names]
    abi = session.asked_abi(abi)
    if all_releases:
        if session.release is not None:
            raise UsageError("--all-releases asks about every release: leave --release out")
        _in_all_releases(session, wanted, reach, abi, everything)
    else:
        _in_one_release(session, wanted, reach, abi, everything)


def _in_one_release(
    session: Session, wanted: list[str], reach: str | None, abi: str | None, everything: bool
) -> None:
    release = session.asked_release
    asked = {"release": release, "reach": reach, "abi": abi}
    withheld = "1" if everything else None
    rows = {one: session.ask("which", privilege=one, withheld=withheld, **asked) for one in wanted}
    left_out = {
        one: [] if everything else _left_out(session.ask("which_withheld", privilege=one, **asked))
        for one in wanted
    }
    if not any(rows.values()):
        reasons = "; ".join(line for lines in left_out.values() for line in lines)
        defined = {row["capability"] for row in session.ask("capability_list", release=release)}
        strangers = [one for one in wanted if one not in (*ROOT_CHECKS, *defined)]
        if strangers == wanted:
            raise NothingFound(f"{release} does not define {' or '.join(wanted)}")
        raise NothingFound(
            f"no syscall checks {' or '.join(wanted)} in {release}"
            + (f" ({reasons})" if reasons else "")
        )
    if not session.for_people:
        session.print_rows([row for one in wanted for row in rows[one]])
        return
    best = {one: _best(rows[one]) for one in wanted}
    room = session.room_under(_AROUND_ANOTHER * (len(wanted) - 1))
    fair = shares([len(best[one]) for one in wanted], room)
    for one, most in zip(wanted, fair, strict=True):
        _print_syscalls(session, one, release, best[one], most)
        for line in left_out[one]:
            say(line, dim=True)
        say()
    privilege, first = next((one, rows[one][0]) for one in wanted if rows[one])
    say_next(
        f"caphistory why {clean(first['syscall'])} {privilege} --release {release}",
        f"caphistory which {privilege} --all-releases",
        width=session.width,
    )


def _best(rows: list[Row]) -> list[tuple[Row, int]]:
    """For each syscall the row with its best evidence, and how many sites it comes to."""
    best: dict[str, Row] = {}
    for row in rows:
        best.setdefault(row["syscall"], row)
    sites = Counter(row["syscall"] for row in rows)
    return [(row, sites[syscall]) for syscall, row in best.items()]


def _print_syscalls(
    session: Session, privilege: str, release: str, best: list[tuple[Row, int]], most: int
) -> None:
    kernel = table_of(best[0][0]) if best else release
    say(f"{privilege} in {kernel}: {counted(len(best), 'syscall')}", bold=True)
    if not best:
        return
    # From 2.6.39 on a check may ask for it in a user namespace alone (ns_capable).
    named = any(other_check(row["capability"], row["check_name"]) for row, _ in best)
    headers = ["syscall", "reach", "check", "else", "sites", "where", "function"]
    rows = [
        [
            clean(row["syscall"]),
            clean(row["reach"]),
            clean(row["check_name"]),
            effect(row),
            str(sites),
            place(row),
            through(steps(row)) or clean(row["function"]),
        ]
        for row, sites in best
    ]
    if not named:
        headers, *rows = ([*line[:2], *line[3:]] for line in (headers, *rows))
    session.print_table(headers, rows, flexible=("function",), most=most)
    for name, where in namespaces(row["check_name"] for row, _ in best).items():
        say(f"{name}: {where}", dim=True)


def _left_out(withheld: list[Row]) -> list[str]:
    """For each reason why syscalls are withheld, a line with their number."""
    shared = sum(row["feasible"] for row in withheld)
    numbers = {
        "only through code that many syscalls share": shared,
        "only where constants on the way switch the check off": len(withheld) - shared,
    }
    return [
        f"{counted(number, 'more syscall')} {reason}: --all"
        for reason, number in numbers.items()
        if number
    ]


def _in_all_releases(
    session: Session, wanted: list[str], reach: str | None, abi: str | None, everything: bool
) -> None:
    withheld = "1" if everything else None
    rows = [
        row
        for one in wanted
        for row in session.ask(
            "which_all_releases", privilege=one, reach=reach, abi=abi, withheld=withheld
        )
    ]
    if not rows:
        raise NothingFound(f"no syscall of any release checks {' or '.join(wanted)}")
    if not session.for_people:
        session.print_rows(rows)
        return
    runs: dict[str, dict[str, list[Row]]] = {one: {} for one in wanted}
    for row in rows:
        runs[row["privilege"]].setdefault(row["syscall"], []).append(row)
    room = session.room_under(_AROUND_ANOTHER * (len(wanted) - 1))
    fair = shares([len(runs[one]) for one in wanted], room)
    for one, most in zip(wanted, fair, strict=True):
        say(f"{one}: {counted(len(runs[one]), 'syscall')} in any release", bold=True)
        session.print_table(
            ("syscall", "reach", "releases"),
            [
                (
                    clean(syscall),
                    clean(min(of_syscall, key=nearness)["reach"]),
                    " · ".join(span(run) for run in of_syscall),
                )
                for syscall, of_syscall in runs[one].items()
            ],
            flexible=("releases",),
            most=most,
        )
        say()
    if has_gaps(rows):
        say("\n".join(wrapped(GAPS, session.width, "")), dim=True)
    say(f"next: caphistory syscall {clean(rows[0]['syscall'])}", dim=True)
