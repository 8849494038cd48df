"""The naive model of the store: every view as plain rows made from the records."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from caphistory.records import LinkedRelease

Row = tuple[Any, ...]


def expected(releases: list[LinkedRelease]) -> dict[str, Counter[Row]]:
    """What the views that hold one release's rows must show."""
    views: dict[str, Callable[[LinkedRelease], Iterable[Row]]] = {
        "releases": _releases,
        "check_sites": _check_sites,
        "capability_definitions": lambda of: _prefixed(of, of.capability_definitions),
        "syscalls": _syscalls,
        "syscall_checks": _syscall_checks,
        "wrappers": lambda of: _prefixed(of, of.wrappers),
        "audit": lambda of: _prefixed(of, [of.audit]),
        "audit_details": lambda of: _prefixed(of, of.audit_details),
    }
    return {
        name: Counter(row for release in releases for row in rows(release))
        for name, rows in views.items()
    }


def shown(db: sqlite3.Connection, view: str) -> Counter[Row]:
    """What a view shows, chains read from their JSON."""
    cursor = db.execute(f"SELECT * FROM {view}")
    names = [column[0] for column in cursor.description]
    return Counter(
        tuple(
            _steps(json.loads(value)) if name == "chain" else value
            for name, value in zip(names, row, strict=True)
        )
        for row in cursor
    )


def _steps(chain: list[dict[str, Any]]) -> Row:
    return tuple(tuple(step.values()) for step in chain)


def _prefixed(of: LinkedRelease, rows: list[Any]) -> Iterator[Row]:
    return ((of.release.release, *row) for row in rows)


def _releases(of: LinkedRelease) -> Iterator[Row]:
    yield tuple(of.release)


def _check_sites(of: LinkedRelease) -> Iterator[Row]:
    for site in of.check_sites:
        yield (of.release.release, site.path, site.line, site.function, *site[3:])


def _syscalls(of: LinkedRelease) -> Iterator[Row]:
    yield from _prefixed(of, list(of.syscalls))


def _syscall_checks(of: LinkedRelease) -> Iterator[Row]:
    for row in of.syscall_checks:
        check = row.check
        yield (
            of.release.release,
            row.abi,
            row.syscall,
            check.check_name,
            check.capability,
            row.reach,
            row.depth,
            row.pointer_hops,
            row.conditional,
            row.feasible,
            check.function,
            check.path,
            check.line,
            check.effect,
            check.errno,
            row.shared_by,
            tuple(tuple(step) for step in row.chain),
        )
