"""``caphistory syscall``: what a syscall asks for, in one release or through all of them."""

from __future__ import annotations

import click

from caphistory.cli.complete import complete_syscall
from caphistory.cli.requirements import (
    list_shared_of,
    operation_option,
    print_explanations,
    print_requirements,
    print_shared,
)
from caphistory.cli.session import Session, abi_option, pass_session, subcommand
from caphistory.cli.text import ends_of, say
from caphistory.errors import NothingFound
from caphistory.questions.names import resolve_operation
from caphistory.questions.requirements import is_told
from caphistory.records import Row
from caphistory.wording.phrases import (
    GAPS,
    describe_alternatives,
    describe_effect,
    describe_owner,
    format_count,
    format_place,
    format_release,
    format_run,
    get_privilege,
    has_gaps,
    rank_reach,
    wrap_timeline,
)
from caphistory.wording.plain import clean, wrap

_COLUMNS = ("operation", "asks for", "else", "instead", "whose", "reach", "where", "function")


@subcommand("syscall", release=True)
@click.argument("name", shell_complete=complete_syscall)
@operation_option
@click.option("--all", "everything", is_flag=True, help="Also the rows that say little.")
@abi_option
@pass_session
def command(
    session: Session, name: str, operation: str | None, everything: bool, abi: str | None
) -> None:
    """What the syscall NAME asks for, by operation, through all releases.

    With --release, in that release.

    \b
    Examples:
      caphistory syscall setgid
      caphistory syscall mount --release 2.2.24
      caphistory syscall ioctl --operation SIOCSIFADDR
    """
    syscall = session.resolve_syscall(name, abi)
    operation = operation and resolve_operation(session.connection, operation, syscall)
    abi = session.asked_abi(abi)
    if session.release is None:
        _through_releases(session, syscall, operation, abi, everything)
    else:
        _in_one_release(session, syscall, operation, abi, everything)


def _through_releases(
    session: Session, syscall: str, operation: str | None, abi: str | None, everything: bool
) -> None:
    asked = {"syscall": syscall, "operation": operation, "abi": abi}
    rows = session.ask("syscall", **asked, everything="1" if everything else None)
    if not rows:
        hidden = session.ask("syscall", **asked, everything="1")
        raise _no_check(syscall, operation, "any release", bool(hidden))
    if not session.for_people:
        session.print_rows(rows)
        return
    say(syscall, bold=True)
    runs = [] if operation else session.ask("timeline", syscall=syscall, abi=abi)
    text = "\n".join(
        ends_of(wrap_timeline(runs, session.width), session.room and session.room // 2, "run")
    )
    if runs:
        say(f"{text}\n")
    shown = _choose_best(rows, session.room_under(text.count("\n") + 1))
    session.print_table(
        ("operation", "asks for", "releases", "else", "instead", "whose", "where", "function"),
        [
            (
                clean(row["operation"]),
                get_privilege(row),
                format_run(row),
                describe_effect(row),
                describe_alternatives(row),
                describe_owner(row),
                format_place(row),
                clean(row["function"]),
            )
            for row in shown
        ],
        flexible=("operation", "where", "function"),
        optional=("operation", "else", "instead", "whose", "function"),
        most=len(shown),
    )
    session.say_left_out(len(rows) - len(shown), "requirement")
    best = min(rows, key=lambda row: (not row["open"], *_rank(row)))
    print_explanations(session, shown)
    say("\nwhere and else are those of the last release of each run", dim=True)
    if has_gaps([*runs, *shown]):
        say("\n".join(wrap(GAPS, session.width, "")), dim=True)
    say(
        f"next: caphistory why {syscall} {get_privilege(best)}"
        f" --release {clean(best['last_release'])}",
        dim=True,
    )


def _choose_best(rows: list[Row], room: int | None) -> list[Row]:
    """Return the best ``room`` of ``rows`` (all for None) in their order."""
    chosen = {id(row) for row in sorted(rows, key=_rank)[:room]}
    return [row for row in rows if id(row) in chosen]


def _rank(row: Row) -> tuple[bool, int, bool]:
    """Sort own requirements first, then those that are checked in the syscall's own function."""
    return (row["standing"] != "own", rank_reach(row), not row["open"])


def _in_one_release(
    session: Session, syscall: str, operation: str | None, abi: str | None, everything: bool
) -> None:
    release = session.asked_release
    rows = session.ask("why", syscall=syscall, operation=operation, release=release, abi=abi)
    shown = [row for row in rows if everything or is_told(row)]
    if not shown:
        if not session.ask("syscall_entry", syscall=syscall, release=release, abi=abi):
            raise NothingFound(f"{release} has no syscall {syscall}")
        raise _no_check(syscall, operation, release, bool(rows))
    if not session.for_people:
        session.print_rows(shown)
        return
    shared = [row for row in shown if row["standing"] == "shared"]
    own = sorted(
        (row for row in shown if row["standing"] != "shared"), key=lambda row: row["operation"]
    )
    count = format_count(len(shown), "requirement")
    say(f"{syscall} in {format_release(shown[0])}: {count}", bold=True)
    if own:
        print_requirements(
            session, own, _COLUMNS, most=session.room, by=lambda row: row["operation"]
        )
    if shared:
        say("in code that many syscalls share:", dim=True)
        print_shared(session, list_shared_of(shared, session.width), most=session.room)
    print_explanations(session, shown)
    if len(shown) < len(rows):
        more = format_count(len(rows) - len(shown), "more requirement")
        say(f"{more} far away in code that many share, or switched off: --all", dim=True)
    say(f"\nnext: caphistory why {syscall} {get_privilege(shown[0])} --release {release}", dim=True)


def _no_check(syscall: str, operation: str | None, release: str, hidden: bool) -> NothingFound:
    asked = f" for {operation}" if operation else ""
    more = " but far away in code that many share, or switched off: --all" if hidden else ""
    return NothingFound(f"{syscall} checks no privilege{asked} in {release}{more}")
