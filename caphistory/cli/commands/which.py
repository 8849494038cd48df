"""``caphistory which``: the syscalls that check a privilege."""

from __future__ import annotations

import click

from caphistory.cli.complete import complete_privilege
from caphistory.cli.requirements import (
    describe_extent,
    list_shared,
    operation_option,
    print_explanations,
    print_requirements,
    print_shared,
)
from caphistory.cli.session import Session, abi_option, pass_session, subcommand
from caphistory.cli.text import say, say_next, shares
from caphistory.errors import NothingFound, UsageError
from caphistory.questions.names import resolve_operation, resolve_privilege
from caphistory.records import ROOT_CHECKS, Row
from caphistory.wording.phrases import (
    GAPS,
    format_count,
    format_release,
    format_run,
    has_gaps,
)
from caphistory.wording.plain import clean, wrap

_AROUND_ANOTHER = 5
"""Lines around each table after the first."""
_COLUMNS = (
    "syscall",
    "operation",
    "else",
    "instead",
    "whose",
    "sites",
    "reach",
    "where",
    "function",
)


@subcommand("which", release=True)
@click.argument(
    "names", nargs=-1, required=True, metavar="CAP_X...", shell_complete=complete_privilege
)
@click.option(
    "--reach",
    type=click.Choice(("direct", "call", "pointer")),
    help="Only the checks that are reached in this way.",
)
@operation_option
@click.option("--all-releases", is_flag=True, help="From which release to which, for each syscall.")
@click.option("--all", "everything", is_flag=True, help="Also the rows that say little.")
@abi_option
@pass_session
def command(
    session: Session,
    names: tuple[str, ...],
    reach: str | None,
    operation: str | None,
    all_releases: bool,
    everything: bool,
    abi: str | None,
) -> None:
    """Which syscalls check CAP_X, how, and where.

    CAP_X is a capability in any case, with or without CAP_, or suser, fsuser or uid0. What many
    syscalls ask for in code that they share, such as path lookup, stands in one line. Left out
    are checks that constants on the way switch off, and those far away in code that many
    share: --all shows them.

    \b
    Examples:
      caphistory which CAP_SYS_CHROOT --release 2.2.24
      caphistory which net_admin sys_admin --reach direct
      caphistory which sys_admin --operation 'TIOC*'
      caphistory which suser --all-releases
    """
    wanted = [resolve_privilege(session.connection, name) for name in names]
    operation = operation and resolve_operation(session.connection, operation)
    abi = session.asked_abi(abi)
    if not all_releases:
        _in_one_release(session, wanted, reach, operation, abi, everything)
        return
    for given, option in ((session.release, "--release"), (reach, "--reach")):
        if given is not None:
            raise UsageError(f"--all-releases asks about every release: leave {option} out")
    if operation or everything:
        _operations_in_all_releases(session, wanted, operation, abi, everything)
    else:
        _in_all_releases(session, wanted, abi)


def _in_one_release(
    session: Session,
    wanted: list[str],
    reach: str | None,
    operation: str | None,
    abi: str | None,
    everything: bool,
) -> None:
    release = session.asked_release
    asked = {"release": release, "reach": reach, "operation": operation, "abi": abi}
    all_asked = "1" if everything else None
    rows = {
        privilege: session.ask("which", privilege=privilege, everything=all_asked, **asked)
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
        by = f" by {operation}" if operation else ""
        raise NothingFound(
            f"no syscall checks {' or '.join(wanted)}{by} in {release}"
            + (f" ({reasons})" if reasons else "")
        )
    if not session.for_people:
        session.print_rows([row for privilege in wanted for row in rows[privilege]])
        return
    room = session.room_under(_AROUND_ANOTHER * (len(wanted) - 1))
    fair = shares([len(rows[privilege]) for privilege in wanted], room)
    for privilege, most in zip(wanted, fair, strict=True):
        _print_privilege(session, privilege, release, rows[privilege], room and most)
        for line in left_out[privilege]:
            say(line, dim=True)
        say()
    named, first = next((privilege, rows[privilege][0]) for privilege in wanted if rows[privilege])
    say_next(
        f"caphistory why {clean(first['syscall'])} {named} --release {release}",
        f"caphistory which {named} --all-releases",
        width=session.width,
    )


def _print_privilege(
    session: Session, privilege: str, release: str, rows: list[Row], most: int | None
) -> None:
    shared = [row for row in rows if row["standing"] == "shared"]
    own = [row for row in rows if row["standing"] != "shared"]
    kernel = format_release(rows[0]) if rows else release
    say(f"{privilege} in {kernel}: {describe_extent(own, shared)}", bold=True)
    if own:
        print_requirements(session, own, _COLUMNS, most=most)
    print_shared(session, list_shared(session, shared), most=most)
    print_explanations(session, rows)


def _count_withheld(withheld: list[Row]) -> list[str]:
    """Return a line with the number of syscalls for each reason why they are withheld."""
    remote = sum(row["standing"] == "remote" for row in withheld)
    numbers = {
        "only far away, in code that many share": remote,
        "only where constants on the way switch the check off": len(withheld) - remote,
    }
    return [
        f"{format_count(number, 'more syscall')} {reason}: --all"
        for reason, number in numbers.items()
        if number
    ]


def _in_all_releases(session: Session, wanted: list[str], abi: str | None) -> None:
    rows = [
        row
        for privilege in wanted
        for row in session.ask("which_all_releases", privilege=privilege, abi=abi)
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
            ("syscall", "releases"),
            [
                (clean(syscall), " · ".join(format_run(run) for run in of_syscall))
                for syscall, of_syscall in runs[privilege].items()
            ],
            flexible=("releases",),
            most=most,
        )
        say()
    _end_histories(session, rows)


def _operations_in_all_releases(
    session: Session, wanted: list[str], operation: str | None, abi: str | None, everything: bool
) -> None:
    rows = [
        row
        for privilege in wanted
        for row in session.ask(
            "operation_history",
            operation=operation or "*",
            privilege=privilege,
            abi=abi,
            everything="1" if everything else None,
        )
    ]
    if not rows:
        raise NothingFound(f"no {operation} of any release checks {' or '.join(wanted)}")
    if not session.for_people:
        session.print_rows(rows)
        return
    session.print_table(
        ("syscall", "operation", "asks for", "releases"),
        [
            (
                clean(row["syscall"]),
                clean(row["operation"]),
                clean(row["privilege"]),
                format_run(row),
            )
            for row in rows
        ],
        flexible=("operation", "releases"),
        optional=("operation",),
    )
    say()
    _end_histories(session, rows)


def _end_histories(session: Session, rows: list[Row]) -> None:
    if has_gaps(rows):
        say("\n".join(wrap(GAPS, session.width, "")), dim=True)
    say(f"next: caphistory syscall {clean(rows[0]['syscall'])}", dim=True)
