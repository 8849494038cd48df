"""What the syscalls of a release ask for, as rows of the view ``requirements``: the surface on
which the faces and the other questions build."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Container

from caphistory.questions.queries import ask
from caphistory.records import ROOT_CHECKS, Row
from caphistory.store.standing import MEANS, STANDINGS, TOLD

__all__ = [
    "STANDINGS",
    "STANDING_MEANS",
    "group_requirements",
    "is_told",
    "list_requirements",
    "may_be_replaced",
]

STANDING_MEANS = MEANS
"""What each standing means, in words."""

_FEW_SYSCALLS = 8
_TOLD = {STANDINGS[number] for number in TOLD}


def is_told(row: Row) -> bool:
    """Return whether a requirement is told unless all is asked for: whether it is own or shared."""
    return row["standing"] in _TOLD


def list_requirements(
    connection: sqlite3.Connection,
    release: str | None = None,
    *,
    syscall: str | None = None,
    privilege: str | None = None,
    operation: str | None = None,
    abi: str | None = None,
    everything: bool = False,
) -> list[Row]:
    """Return the requirements of ``release`` (by default the newest) with the columns of the view
    ``requirements``, by syscall, the best evidence first.

    ``operation`` may hold ``*`` for any text. Remote and switched off requirements are left out
    unless ``everything`` is asked for. ``instead`` and ``chain`` are JSON.
    """
    return ask(
        connection,
        "requirement_list",
        release=release,
        syscall=syscall,
        privilege=privilege,
        operation=operation,
        abi=abi,
        everything="1" if everything else None,
    )


def group_requirements(
    connection: sqlite3.Connection,
    syscalls: Collection[str],
    release: str,
    abi: str | None = None,
    *,
    conditional: bool = False,
) -> dict[str, list[Row]]:
    """Return the requirements that are told of ``syscalls``, by syscall; syscalls without any are
    left out, and checks of a capability that is no constant. ``conditional`` adds to each row a
    column of that name: 0 where no condition stands before the check."""
    # One question about everything takes as long as some about one syscall each.
    names = sorted(syscalls) if len(syscalls) <= _FEW_SYSCALLS else [None]
    grouped: dict[str, list[Row]] = {}
    for name in names:
        for row in list_requirements(connection, release, syscall=name, abi=abi):
            is_named = row["capability"] is not None or row["privilege"] in ROOT_CHECKS
            if row["syscall"] in syscalls and is_named:
                grouped.setdefault(row["syscall"], []).append(row)
    if conditional:
        _add_conditions(connection, grouped, release, abi)
    return grouped


def _add_conditions(
    connection: sqlite3.Connection, grouped: dict[str, list[Row]], release: str, abi: str | None
) -> None:
    """Add the column ``conditional`` to requirements."""
    rows = ask(
        connection, "unconditional", syscalls=",".join(sorted(grouped)), release=release, abi=abi
    )
    always = {(row["syscall"], row["path"], row["line"]) for row in rows}
    for row in (row for rows in grouped.values() for row in rows):
        row["conditional"] = int((row["syscall"], row["path"], row["line"]) not in always)


def may_be_replaced(row: Row, held: Container[str]) -> bool:
    """Return whether one of the ``held`` capabilities does as well as what a requirement asks
    for."""
    return any(name in held for name in json.loads(row["instead"]))
