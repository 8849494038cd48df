"""What one syscall asks for through all releases, made from the runs of its privileges.

A standing goes up and down with the number of syscalls that share a site, which says nothing of
the syscall. So a history follows a privilege as long as the syscall can come to a check of it at
all, and tells of it where it is told in at least half of the releases of that time.
"""

from __future__ import annotations

import sqlite3
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from caphistory.store.runs import Span
from caphistory.store.standing import OFF, TOLD
from caphistory.store.tables import HISTORIES, OPEN, RUN_TABLES

_INSERTS = {table.name: table.insert for table in RUN_TABLES if table.name in HISTORIES}
_KEYS = {table.name: table.key for table in RUN_TABLES if table.name in HISTORIES}


class Asked(NamedTuple):
    """A row of ``privilege_runs`` of one syscall, with the name of its privilege."""

    privilege: int
    name: str
    standing: int
    first: int
    last: int

    @property
    def span(self) -> Span:
        """The positions of its first and last release."""
        return self.first, self.last


class History(NamedTuple):
    """The rows of ``asked_runs`` and ``timeline_runs`` of one syscall, without its id."""

    asked: list[tuple[int, int, int]]
    timeline: list[tuple[str, int, int]]


def make_history(
    asked: Iterable[Asked], there: Iterable[Span], positions: Sequence[int]
) -> History:
    """Return the history of a syscall, its rows in the order of their keys.

    ``there`` is where it is in a table, ``positions`` are those of all stored releases, in order.
    """
    line = _Line(positions)
    of_privilege: defaultdict[tuple[int, str], list[Asked]] = defaultdict(list)
    for run in asked:
        if run.standing != OFF:
            of_privilege[run.privilege, run.name].append(run)
    told = {
        privilege: [
            (first, last)
            for first, last in line.join(run.span for run in runs)
            if 2 * line.count([run.span for run in runs if run.standing in TOLD], first, last)
            > last - first
        ]
        for privilege, runs in of_privilege.items()
    }
    asking = [(number, span) for (number, _), spans in told.items() for span in spans]
    named = [(name, span) for (_, name), spans in told.items() for span in spans]
    return History(
        sorted((number, *line.store(span)) for number, span in asking),
        [(text, *line.store(span)) for text, span in _write_timeline(named, line.join(there))],
    )


def _write_timeline(asked: list[tuple[str, Span]], there: list[Span]) -> list[tuple[str, Span]]:
    """Return what is asked for, in one text, with the releases from which to which; '' where
    nothing is, though the syscall is there."""
    spans = [*there, *(span for _, span in asked)]
    cuts = sorted({first for first, _ in spans} | {last + 1 for _, last in spans})
    timeline: list[tuple[str, Span]] = []
    for first, after in pairwise(cuts):
        if not any(a <= first <= b for a, b in spans):
            continue
        text = ", ".join(sorted(name for name, (a, b) in asked if a <= first <= b))
        if timeline and timeline[-1][0] == text and timeline[-1][1][1] == first - 1:
            first = timeline.pop()[1][0]
        timeline.append((text, (first, after - 1)))
    return timeline


def write_histories(db: sqlite3.Connection) -> None:
    """Make the histories of all syscalls anew; in the transaction of the caller.

    With 745 releases it takes 0.2 s. Rows that are as they should be are left alone.
    """
    positions = [row[0] for row in db.execute("SELECT position FROM stored_releases ORDER BY 1")]
    held = {
        table: _group(db.execute(f"SELECT * FROM {table} ORDER BY {', '.join(_KEYS[table])}"))
        for table in HISTORIES
    }
    asked = _group(
        db.execute(
            "SELECT k.name, k.privilege, p.privilege, k.standing, k.first, k.last"
            " FROM privilege_runs AS k JOIN privileges AS p ON p.id = k.privilege"
            " ORDER BY k.name, k.privilege, k.first"
        )
    )
    there = _group(
        db.execute(
            "SELECT e.name, k.first, k.last"
            " FROM entry_runs AS k JOIN syscall_entries AS e ON e.id = k.entry"
        )
    )
    for name in {*asked, *there, *held["timeline_runs"]}:
        history = make_history(
            [Asked(*row) for row in asked.get(name, ())],
            there.get(name, ()),
            positions,
        )
        made: tuple[list[Any], ...] = tuple(history)
        for table, rows in zip(HISTORIES, made, strict=True):
            if held[table].get(name, []) != rows:
                db.execute(f"DELETE FROM {table} WHERE name = ?", (name,))
                db.executemany(_INSERTS[table], [(name, *row) for row in rows])


def _group(rows: Iterable[Any]) -> dict[int, list[Any]]:
    """Return rows by their first column, without it."""
    groups: dict[int, list[Any]] = {}
    for name, *row in rows:
        groups.setdefault(name, []).append(tuple(row))
    return groups


class _Line:
    """The stored releases, counted from 0."""

    def __init__(self, positions: Sequence[int]) -> None:
        self._positions = positions

    def join(self, spans: Iterable[Span]) -> list[Span]:
        """Return runs of positions as runs of numbers, joined where there is no release between."""
        joined: list[Span] = []
        for first, last in sorted(map(self._number, spans)):
            if joined and first <= joined[-1][1] + 1:
                joined[-1] = (joined[-1][0], max(joined[-1][1], last))
            else:
                joined.append((first, last))
        return joined

    def count(self, spans: Iterable[Span], first: int, last: int) -> int:
        """Return how many releases of a run of numbers are in runs of positions, which do not
        overlap."""
        common = (min(end, last) - max(begin, first) + 1 for begin, end in map(self._number, spans))
        return sum(releases for releases in common if releases > 0)

    def store(self, span: Span) -> Span:
        """Return a run of numbers as one of positions."""
        first, last = span
        newest = last == len(self._positions) - 1
        return self._positions[first], OPEN if newest else self._positions[last]

    def _number(self, span: Span) -> Span:
        first, last = span
        newest = len(self._positions) - 1
        return (
            bisect_left(self._positions, first),
            newest if last == OPEN else bisect_left(self._positions, last),
        )
