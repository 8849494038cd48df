"""``caphistory syscall``: the checks of a syscall through all releases."""

from __future__ import annotations

import click

from caphistory.cli.complete import complete_syscall
from caphistory.cli.session import Session, abi_option, pass_session, subcommand
from caphistory.cli.text import ends_of, say
from caphistory.errors import NothingFound
from caphistory.questions.names import resolve_syscall
from caphistory.records import Row
from caphistory.wording.phrases import (
    GAPS,
    decode_steps,
    describe_check,
    describe_effect,
    format_chain,
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


@subcommand("syscall", release=True)
@click.argument("name", shell_complete=complete_syscall)
@click.option("--all", "everything", is_flag=True, help="Also the rows that say little.")
@abi_option
@pass_session
def command(session: Session, name: str, everything: bool, abi: str | None) -> None:
    """What the syscall NAME checks, through all releases.

    With --release, its checks in that release.

    \b
    Examples:
      caphistory syscall setgid
      caphistory syscall mount --release 2.2.24
    """
    syscall = resolve_syscall(session.connection, name)
    abi = session.asked_abi(abi)
    if session.release is None:
        _through_releases(session, syscall, abi, everything)
    else:
        _in_one_release(session, syscall, abi, everything)


def _through_releases(session: Session, syscall: str, abi: str | None, everything: bool) -> None:
    rows = session.ask("syscall", syscall=syscall, abi=abi, withheld="1" if everything else None)
    if not rows:
        hidden = session.ask("syscall", syscall=syscall, abi=abi, withheld="1")
        raise _no_check(syscall, "any release", bool(hidden))
    if not session.for_people:
        session.print_rows(rows)
        return
    say(syscall, bold=True)
    runs = session.ask("timeline", syscall=syscall, abi=abi)
    timeline = wrap_timeline(runs, session.width)
    text = "\n".join(ends_of(timeline, session.room and session.room // 2, "run"))
    say(f"{text}\n")
    shown = _choose_best(rows, session.room_under(text.count("\n") + 1))
    session.print_table(
        ("releases", "check", "reach", "where", "function"),
        [
            (
                format_run(row),
                describe_check(row),
                clean(row["reach"]),
                format_place(row),
                clean(row["function"]),
            )
            for row in shown
        ],
        flexible=("function",),
        most=len(shown),
    )
    session.say_left_out(len(rows) - len(shown), "check")
    best = min(rows, key=lambda row: (not row["open"], *_rank(row)))
    say("\nlines are those of the last release of each run", dim=True)
    if has_gaps([*runs, *shown]):
        say("\n".join(wrap(GAPS, session.width, "")), dim=True)
    say(
        f"next: caphistory why {syscall} {get_privilege(best)}"
        f" --release {clean(best['last_release'])}",
        dim=True,
    )


def _choose_best(rows: list[Row], room: int | None) -> list[Row]:
    """Return the best ``room`` of ``rows`` (all for None) in their order: those in the syscall's
    own function before others, then those that the fewest syscalls share."""
    chosen = {id(row) for row in sorted(rows, key=_rank)[:room]}
    return [row for row in rows if id(row) in chosen]


def _rank(row: Row) -> tuple[int, int, bool]:
    return (rank_reach(row), row["shared_by"], not row["open"])


def _in_one_release(session: Session, syscall: str, abi: str | None, everything: bool) -> None:
    release = session.asked_release
    rows = session.ask("why", syscall=syscall, release=release, abi=abi)
    shown = [row for row in rows if everything or row["telling"]]
    if not shown:
        if not session.ask("syscall_entry", syscall=syscall, release=release, abi=abi):
            raise NothingFound(f"{release} has no syscall {syscall}")
        raise _no_check(syscall, release, bool(rows))
    if not session.for_people:
        session.print_rows(shown)
        return
    say(f"{syscall} in {format_release(shown[0])}: {format_count(len(shown), 'check')}", bold=True)
    session.print_table(
        ("check", "reach", "else", "where", "function"),
        [
            (
                describe_check(row),
                clean(row["reach"]),
                describe_effect(row),
                format_place(row),
                format_chain(decode_steps(row)) or clean(row["function"]),
            )
            for row in shown
        ],
        flexible=("function",),
    )
    if len(shown) < len(rows):
        more = format_count(len(rows) - len(shown), "more check")
        say(f"{more} in code that many syscalls share, or switched off: --all", dim=True)
    say(f"\nnext: caphistory why {syscall} {get_privilege(shown[0])} --release {release}", dim=True)


def _no_check(syscall: str, release: str, hidden: bool) -> NothingFound:
    more = " but in code that many syscalls share, or switched off: --all" if hidden else ""
    return NothingFound(f"{syscall} checks no privilege in {release}{more}")
