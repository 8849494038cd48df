"""``caphistory which``: the syscalls that check a privilege."""

from __future__ import annotations

from collections import Counter

import click

from caphistory.cli.complete import complete_privilege
from caphistory.cli.session import Session, abi_option, pass_session, subcommand
from caphistory.cli.text import say, say_next, shares
from caphistory.errors import NothingFound, UsageError
from caphistory.questions.names import resolve_privilege
from caphistory.records import ROOT_CHECKS, Row
from caphistory.wording.checks import find_namespaces, name_other_check
from caphistory.wording.phrases import (
    GAPS,
    decode_steps,
    describe_effect,
    format_chain,
    format_count,
    format_place,
    format_release,
    format_run,
    has_gaps,
    rank_reach,
)
from caphistory.wording.plain import clean, wrap

_AROUND_ANOTHER = 5
"""Lines around each table after the first."""


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
    wanted = [resolve_privilege(session.connection, name) for name in names]
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
    rows = {
        privilege: session.ask("which", privilege=privilege, withheld=withheld, **asked)
        for privilege in wanted
    }
    left_out = {
        privilege: []
        if everything
        else _count_withheld(session.ask("which_withheld", privilege=privilege, **asked))
        for privilege in wanted
    }
    if not any(rows.values()):
        reasons = "; ".join(line for lines in left_out.values() for line in lines)
        defined = {row["capability"] for row in session.ask("capability_list", release=release)}
        undefined = [privilege for privilege in wanted if privilege not in (*ROOT_CHECKS, *defined)]
        if undefined == wanted:
            raise NothingFound(f"{release} does not define {' or '.join(wanted)}")
        raise NothingFound(
            f"no syscall checks {' or '.join(wanted)} in {release}"
            + (f" ({reasons})" if reasons else "")
        )
    if not session.for_people:
        session.print_rows([row for privilege in wanted for row in rows[privilege]])
        return
    best = {privilege: _find_best(rows[privilege]) for privilege in wanted}
    room = session.room_under(_AROUND_ANOTHER * (len(wanted) - 1))
    fair = shares([len(best[privilege]) for privilege in wanted], room)
    for privilege, most in zip(wanted, fair, strict=True):
        _print_syscalls(session, privilege, release, best[privilege], most)
        for line in left_out[privilege]:
            say(line, dim=True)
        say()
    named, first = next((privilege, rows[privilege][0]) for privilege in wanted if rows[privilege])
    say_next(
        f"caphistory why {clean(first['syscall'])} {named} --release {release}",
        f"caphistory which {named} --all-releases",
        width=session.width,
    )


def _find_best(rows: list[Row]) -> list[tuple[Row, int]]:
    """Return for each syscall the row with its best evidence, and the number of its sites."""
    best: dict[str, Row] = {}
    for row in rows:
        best.setdefault(row["syscall"], row)
    sites = Counter(row["syscall"] for row in rows)
    return [(row, sites[syscall]) for syscall, row in best.items()]


def _print_syscalls(
    session: Session, privilege: str, release: str, best: list[tuple[Row, int]], most: int
) -> None:
    kernel = format_release(best[0][0]) if best else release
    say(f"{privilege} in {kernel}: {format_count(len(best), 'syscall')}", bold=True)
    if not best:
        return
    # Since 2.6.39 a check may ask for it in a user namespace only (ns_capable).
    named = any(name_other_check(row["capability"], row["check_name"]) for row, _ in best)
    headers = ["syscall", "reach", "check", "else", "sites", "where", "function"]
    rows = [
        [
            clean(row["syscall"]),
            clean(row["reach"]),
            clean(row["check_name"]),
            describe_effect(row),
            str(sites),
            format_place(row),
            format_chain(decode_steps(row)) or clean(row["function"]),
        ]
        for row, sites in best
    ]
    if not named:
        headers, *rows = ([*line[:2], *line[3:]] for line in (headers, *rows))
    session.print_table(headers, rows, flexible=("function",), most=most)
    for name, where in find_namespaces(row["check_name"] for row, _ in best).items():
        say(f"{name}: {where}", dim=True)


def _count_withheld(withheld: list[Row]) -> list[str]:
    """Return a line with the number of syscalls for each reason why they are withheld."""
    shared = sum(row["feasible"] for row in withheld)
    numbers = {
        "only through code that many syscalls share": shared,
        "only where constants on the way switch the check off": len(withheld) - shared,
    }
    return [
        f"{format_count(number, 'more syscall')} {reason}: --all"
        for reason, number in numbers.items()
        if number
    ]


def _in_all_releases(
    session: Session, wanted: list[str], reach: str | None, abi: str | None, everything: bool
) -> None:
    withheld = "1" if everything else None
    rows = [
        row
        for privilege in wanted
        for row in session.ask(
            "which_all_releases", privilege=privilege, reach=reach, abi=abi, withheld=withheld
        )
    ]
    if not rows:
        raise NothingFound(f"no syscall of any release checks {' or '.join(wanted)}")
    if not session.for_people:
        session.print_rows(rows)
        return
    runs: dict[str, dict[str, list[Row]]] = {privilege: {} for privilege in wanted}
    for row in rows:
        runs[row["privilege"]].setdefault(row["syscall"], []).append(row)
    room = session.room_under(_AROUND_ANOTHER * (len(wanted) - 1))
    fair = shares([len(runs[privilege]) for privilege in wanted], room)
    for privilege, most in zip(wanted, fair, strict=True):
        say(
            f"{privilege}: {format_count(len(runs[privilege]), 'syscall')} in any release",
            bold=True,
        )
        session.print_table(
            ("syscall", "reach", "releases"),
            [
                (
                    clean(syscall),
                    clean(min(of_syscall, key=rank_reach)["reach"]),
                    " · ".join(format_run(run) for run in of_syscall),
                )
                for syscall, of_syscall in runs[privilege].items()
            ],
            flexible=("releases",),
            most=most,
        )
        say()
    if has_gaps(rows):
        say("\n".join(wrap(GAPS, session.width, "")), dim=True)
    say(f"next: caphistory syscall {clean(rows[0]['syscall'])}", dim=True)
