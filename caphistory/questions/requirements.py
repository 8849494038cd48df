"""What the syscalls of a release ask for, as rows of the view ``requirements``: the surface on
which the faces and the other questions build."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Container

from caphistory.questions.queries import ask
from caphistory.records import Row
from caphistory.store.standing import MEANS, STANDINGS, TOLD

__all__ = [
    "STANDINGS",
    "STANDING_MEANS",
    "is_told",
    "list_operations",
    "list_requirements",
    "may_be_replaced",
]

STANDING_MEANS = MEANS
"""What each standing means, in words."""

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


def list_operations(connection: sqlite3.Connection, syscall: str | None = None) -> list[str]:
    """Return the operations by which ``syscall``, or any, asks for a privilege in any release."""
    rows = ask(connection, "operation_list", syscall=syscall)
    return sorted({row["operation"] for row in rows})


def may_be_replaced(row: Row, held: Container[str]) -> bool:
    """Return whether one of the ``held`` capabilities does as well as what a requirement asks
    for."""
    return any(name in held for name in json.loads(row["instead"]))
