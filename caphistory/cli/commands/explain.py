"""``caphistory explain``: what the failed calls in a log of strace lacked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from caphistory.cli.logs import open_log
from caphistory.cli.session import Session, abi_option, pass_session, subcommand
from caphistory.cli.text import say, say_next, shorten
from caphistory.questions.answers import make_explanation_rows
from caphistory.questions.needs import (
    Explanation,
    asks_first_namespace,
    explain_failures,
    is_doubtful,
    list_alternatives,
    list_other_causes,
)
from caphistory.questions.requirements import group_requirements
from caphistory.questions.strace import MAY_FIT, Call
from caphistory.records import Row
from caphistory.wording.phrases import format_count, format_place
from caphistory.wording.plain import clean, wrap

_FITTING_SHOWN = 3
"""How many requirements are shown of one call, the best first, unless all are asked for."""


@subcommand("explain", release=True)
@click.argument(
    "file", metavar="[FILE]", default="-", type=click.Path(path_type=Path, allow_dash=True)
)
@click.option("--userns", is_flag=True, help="The program ran in a user namespace of its own.")
@click.option("--all", "everything", is_flag=True, help="Every requirement that fits.")
@abi_option
@pass_session
def command(session: Session, file: Path, userns: bool, everything: bool, abi: str | None) -> None:
    """Which privilege the failed calls in a log of strace lacked.

    FILE is a log of strace, or one line of it; - is standard input. Of each call that failed
    with EPERM, EACCES or another error that a missing privilege gives: the requirements that
    fit its syscall, its operation and its error, the best first.

    \b
    Examples:
      strace -f ping -c 1 localhost 2>&1 | caphistory explain
      caphistory explain log --release 6.12
      caphistory explain 'chroot("/srv") = -1 EPERM (Operation not permitted)'
    """
    asked_abi = session.asked_abi(abi)
    seen = Counter[str]()
    explanations = explain_failures(
        _count(open_log(file), seen),
        lambda names: group_requirements(
            session.connection, names, session.asked_release, asked_abi
        ),
    )
    if not session.for_people:
        session.print_rows(list(make_explanation_rows(explanations)))
        return
    if not explanations:
        say(f"none of {format_count(seen['calls'], 'call')} failed for want of a privilege")
        return
    _print_head(session, explanations, seen["calls"])
    for explanation in explanations[: session.room]:
        _print_explanation(session, explanation, userns, everything)
    session.say_left_out(len(explanations[session.room :]) if session.room else 0, "call")
    _print_next(session, explanations)


def _count(calls: Iterator[Call], seen: Counter[str]) -> Iterator[Call]:
    """Pass calls on, and count them in ``seen``."""
    for call in calls:
        seen["calls"] += call.times
        yield call


def _print_head(session: Session, explanations: Sequence[Explanation], total: int) -> None:
    """Print what was missing: the best requirement of each call."""
    missing = dict.fromkeys(
        _name_missing(explanation) for explanation in explanations if explanation.fitting
    )
    table = next((e.fitting[0][1]["abi"] for e in explanations if e.fitting), "")
    kernel = f"{session.asked_release}{f' {clean(table)}' if table else ''}"
    failed = sum(len(explanation.lines) for explanation in explanations)
    for line in wrap(
        f"{failed} of {format_count(total, 'call')} failed; missing by {kernel}:"
        f" {'; '.join(missing) or 'no requirement fits'}",
        session.width,
    ):
        say(line, bold=True)


def _name_missing(explanation: Explanation) -> str:
    """Return what a failed call lacked: the best requirement, or if that is in doubt the best
    ones."""
    names = dict.fromkeys(_name(row) for _, row in explanation.fitting)
    if not is_doubtful(explanation):
        return next(iter(names))
    return f"perhaps {' or '.join([*names][:_FITTING_SHOWN])}"


def _name(row: Row) -> str:
    return " or ".join(map(clean, list_alternatives(row)))


def _print_explanation(
    session: Session, explanation: Explanation, userns: bool, everything: bool
) -> None:
    call, lines, fitting = explanation
    times = f", {len(lines)} times" if len(lines) > 1 else ""
    where = f"line {lines[0]}{times}: "
    end = f") = {call.errno}"
    room = session.width - len(where) - len(end)
    say(f"\n{where}{shorten(clean(f'{call.syscall}({call.arguments}'), room)}{end}", bold=True)
    distinct: dict[tuple[str, ...], tuple[int, Row]] = {}
    for fit, row in fitting:
        distinct.setdefault((_name(row), row["operation"], row["subject"]), (fit, row))
    best = list(fitting if everything else distinct.values())
    shown = best if everything else best[:_FITTING_SHOWN]
    if shown:
        _print_fitting(session, shown, userns)
    if len(shown) < len(best):
        say(f"  … {len(best) - len(shown)} more: --all", dim=True)
    for cause in list_other_causes(call, bool(fitting)):
        for line in wrap(f"  {'or: ' if fitting else ''}{cause}", session.width, "      "):
            say(line, dim=True)


def _print_fitting(session: Session, fitting: Sequence[tuple[int, Row]], userns: bool) -> None:
    """Print the requirements that fit a call."""
    session.print_table(
        ("  asks for", "of", "operation", "where", "function"),
        [_make_line(fit, row, userns) for fit, row in fitting],
        flexible=("operation", "where", "function"),
        optional=("operation", "of", "function"),
        most=len(fitting),
    )


def _make_line(fit: int, row: Row, userns: bool) -> tuple[str, ...]:
    operation = clean(row["operation"])
    asked = _name(row) + (", in no user namespace" if userns and asks_first_namespace(row) else "")
    subject = "" if row["subject"] == "caller" else clean(row["subject"])
    return (
        f"  {asked}",
        subject if row["standing"] == "own" else "code that many share",
        f"{operation}?" if operation and fit == MAY_FIT else operation,
        format_place(row),
        clean(row["function"]),
    )


def _print_next(session: Session, explanations: Sequence[Explanation]) -> None:
    best = next((e.fitting[0][1] for e in explanations if e.fitting), None)
    if best is not None:
        say()
        say_next(
            f"caphistory why {clean(best['syscall'])} {clean(best['privilege'])}"
            f" --release {session.asked_release}",
            width=session.width,
        )
