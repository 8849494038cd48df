"""Lay out requirements: a syscall's own in a table, shared ones in a line for each place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any

import click

from caphistory.cli.complete import complete_operation
from caphistory.cli.session import EVERY_ROW, Session
from caphistory.cli.text import say, shares, shorten
from caphistory.records import Row
from caphistory.wording.phrases import (
    decode_steps,
    describe_alternatives,
    describe_effect,
    describe_owner,
    explain_effects,
    explain_owners,
    format_chain,
    format_count,
    format_place,
    get_privilege,
)
from caphistory.wording.plain import clean, wrap

operation_option = click.option(
    "--operation",
    metavar="NAME",
    shell_complete=complete_operation,
    help="Only what is asked of the syscall by this name, such as SIOCSIFADDR or 'TIOC*'.",
)

COLUMNS: dict[str, Callable[[Row], str]] = {
    "syscall": lambda row: clean(row["syscall"]),
    "operation": lambda row: clean(row["operation"]),
    "asks for": get_privilege,
    "missing": get_privilege,
    "else": describe_effect,
    "instead": describe_alternatives,
    "whose": describe_owner,
    "sites": lambda row: str(row["sites"]),
    "reach": lambda row: clean(row["reach"]),
    "where": format_place,
    "function": lambda row: format_chain(decode_steps(row)) or clean(row["function"]),
}
"""The columns of a table of requirements, and what each says of a row."""

_OPTIONAL = ("operation", "instead", "whose", "sites", "reach", "function")
_FLEXIBLE = ("operation", "where", "function")


def print_requirements(
    session: Session,
    rows: Sequence[Row],
    columns: Sequence[str],
    *,
    most: int | None,
    by: Callable[[Row], Any] = lambda row: row["syscall"],
) -> None:
    """Print requirements in a table with ``columns`` (of COLUMNS), in ``most`` lines (None for as
    many as it takes); those that belong together ``by`` a key stand together, and share the
    room."""
    groups: dict[Any, list[Row]] = {}
    for row in rows:
        groups.setdefault(by(row), []).append(row)
    fair = shares([len(group) for group in groups.values()], most)
    lines: list[list[str]] = []
    for group, shown in zip(groups.values(), fair, strict=True):
        cells = [[COLUMNS[name](row) for name in columns] for row in group[:shown]]
        if shown < len(group):
            at = columns.index("operation")
            cells[-1][at] = f"{cells[-1][at]} +{len(group) - shown}".lstrip()
        lines += cells
    session.print_table(
        columns,
        lines,
        flexible=[name for name in _FLEXIBLE if name in columns],
        optional=[name for name in _OPTIONAL if name in columns],
        most=len(lines) if most is None else most,
    )


def list_shared(session: Session, rows: Sequence[Row], *, privilege: bool = False) -> list[str]:
    """Return a line for each place that many syscalls come through, the most shared first: the
    syscalls, the function and what happens; with ``privilege`` also what is asked for."""

    def key(row: Row) -> tuple[str, ...]:
        asked = get_privilege(row) if privilege else ""
        return clean(row["function"]), asked, describe_effect(row), clean(row["operation"])

    ordered = sorted(rows, key=lambda row: (key(row), row["depth"], row["syscall"]))
    groups = [
        (place, list(dict.fromkeys(clean(row["syscall"]) for row in group)))
        for place, group in groupby(ordered, key)
    ]
    groups.sort(key=lambda group: -len(group[1]))
    return [
        line
        for (function, asked, otherwise, operation), syscalls in groups
        for line in _format_shared(
            session,
            syscalls,
            f", through {function}"
            + (f" ({operation})" if operation else "")
            + ": "
            + ", ".join(filter(None, (asked, otherwise or "effect unknown"))),
        )
    ]


def _format_shared(session: Session, syscalls: list[str], end: str) -> list[str]:
    """Return ``end`` after as many syscalls as fit one line, or after all with ``--rows all``."""
    whole = ", ".join(syscalls) + end
    if len(whole) <= session.width or session.rows == EVERY_ROW:
        return wrap(whole, session.width)
    for count in range(len(syscalls) - 1, 1, -1):
        line = f"{', '.join(syscalls[:count])} … and {len(syscalls) - count} more{end}"
        if len(line) <= session.width:
            return [line]
    return [shorten(f"{syscalls[0]} … and {len(syscalls) - 1} more{end}", session.width)]


def print_shared(session: Session, lines: Sequence[str], *, most: int | None) -> None:
    """Print the lines of ``list_shared``, at most ``most`` of them (None for all)."""
    for line in lines[:most]:
        say(line)
    session.say_left_out(len(lines) - len(lines[:most]), "shared place")


def list_shared_of(rows: Sequence[Row], width: int) -> list[str]:
    """Return a line for each shared requirement of one syscall."""
    return [
        shorten(
            f"through {clean(row['function'])}, with"
            f" {format_count(row['shared_by'] - 1, 'more syscall')}: {get_privilege(row)},"
            f" {describe_effect(row) or 'effect unknown'}",
            width,
        )
        for row in rows
    ]


def print_explanations(session: Session, rows: Sequence[Row]) -> None:
    """Print what the words in the columns of ``rows`` mean, where they are not plain."""
    alternatives = [row for row in rows if describe_alternatives(row)]
    lines = [
        *explain_effects(rows),
        *(["instead: any one of these does as well"] if alternatives else []),
        *explain_owners(rows),
    ]
    for line in lines:
        say("\n".join(wrap(line, session.width)), dim=True)


def describe_extent(own: Sequence[Row], shared: Sequence[Row]) -> str:
    """Return how many syscalls ask: ``12 syscalls, and 90 in code that many share``."""
    names = {row["syscall"] for row in own}
    more = {row["syscall"] for row in shared} - names
    if not more:
        return format_count(len(names), "syscall")
    if not names:
        return f"{format_count(len(more), 'syscall')}, in code that many share"
    return f"{format_count(len(names), 'syscall')}, and {len(more)} more in code that many share"
