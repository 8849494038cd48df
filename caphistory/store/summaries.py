"""Summarise what a syscall checks in a release, over all its check sites."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable
from typing import Any, NamedTuple

from caphistory.records import LinkedRelease
from caphistory.store.standing import TELLING

_COLUMNS = (
    "abi, syscall, check_name, capability, reach, depth, pointer_hops, conditional, feasible,"
    " shared_by"
)


class Privilege(NamedTuple):
    """What a syscall asks for: ``reach`` of its best evidence, and whether any of its rows is
    feasible and telling (flags)."""

    abi: str
    syscall: str
    check_name: str
    capability: str | None
    reach: str
    feasible: int
    telling: int


def summarise_linked(db: sqlite3.Connection, linked: LinkedRelease) -> list[Privilege]:
    """Return the privileges of a release that is being written.

    Its rows go through a temporary table, so that the one rule of what is telling
    (``standing.TELLING``, an SQL expression) holds for them too.
    """
    db.execute(f"CREATE TEMP TABLE IF NOT EXISTS written ({_COLUMNS})")
    db.execute("DELETE FROM temp.written")
    db.executemany(
        "INSERT INTO temp.written VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            (
                check.abi,
                check.syscall,
                check.check.check_name,
                check.check.capability,
                check.reach,
                check.depth,
                check.pointer_hops,
                check.conditional,
                check.feasible,
                check.shared_by,
            )
            for check in linked.syscall_checks
        ),
    )
    return _summarise(db, "temp.written", ())


def summarise_stored(db: sqlite3.Connection, release: str) -> list[Privilege]:
    """Return the privileges of a release that is in the database."""
    rows = f"(SELECT {_COLUMNS} FROM main.syscall_checks WHERE release = ?)"
    return _summarise(db, rows, (release,))


def _summarise(db: sqlite3.Connection, rows: str, parameters: tuple[Any, ...]) -> list[Privilege]:
    """Return the privileges in ``rows``, a table or subquery with ``_COLUMNS``."""
    # With min() SQLite takes the bare column ``reach`` from the row of the minimum.
    grouped = db.execute(
        f"""
        SELECT abi, syscall, check_name, capability, reach, max(feasible), max({TELLING}),
            min((1 - feasible) * 1000000 + pointer_hops * 1000 + depth)
        FROM {rows} GROUP BY abi, syscall, check_name, capability
        """,
        parameters,
    )
    return [Privilege(*tuple(row)[:7]) for row in grouped]


def name_checks(
    syscalls: Iterable[tuple[str, str]], privileges: Iterable[Privilege]
) -> dict[tuple[str, str], str]:
    """Return what each syscall, given as ``(abi, syscall)``, checks: its telling capabilities (or
    check names where there is no capability), sorted, with commas; '' for none."""
    checks: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for syscall in syscalls:
        checks[syscall] = set()
    for privilege in privileges:
        asked = checks[privilege.abi, privilege.syscall]
        if privilege.telling:
            asked.add(privilege.capability or privilege.check_name)
    return {syscall: ", ".join(sorted(asked)) for syscall, asked in checks.items()}
