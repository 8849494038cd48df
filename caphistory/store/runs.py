"""Runs of releases: how they change when a release is written.

Pure functions on positions. A fact is a tuple; a span is ``(first, last)``, the
positions of the first and last release of an unbroken run of the releases that are
stored, with ``last`` OPEN when the run reaches the newest. Runs are always as long as
they can be, so that what is stored does not depend on the order of writing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from caphistory.store.tables import OPEN

Fact = tuple[Any, ...]
Span = tuple[int, int]
Spans = Mapping[Fact, Span]


class Place(NamedTuple):
    """A release among the stored ones: its position and those of its neighbours."""

    before: int | None
    at: int
    after: int | None


class Change(NamedTuple):
    """Rows to delete (by fact and first position), then rows to store; the last replace
    rows of the same fact and first position."""

    deleted: list[tuple[Fact, int]]
    stored: list[tuple[Fact, int, int]]


def write(
    facts: Iterable[Fact], covering: Spans, ended: Spans, following: Spans, place: Place
) -> tuple[Change, dict[Fact, Span]]:
    """Make ``facts`` what holds at ``place``.

    ``covering`` are the runs that hold the release or pass over it, ``ended`` those whose
    last release is ``place.before``, ``following`` those whose first is ``place.after``.
    Returns the change and the runs that hold the release afterwards.
    """
    change = Change([], [])
    now: dict[Fact, Span] = {}
    for fact in facts:
        span = covering.get(fact)
        if span is None:
            span = _join(fact, ended.get(fact), following.get(fact), place, change)
        now[fact] = span
    for fact, span in covering.items():
        if fact not in now:
            _cut(fact, span, place, change)
    return change, now


def _join(fact: Fact, left: Span | None, right: Span | None, place: Place, change: Change) -> Span:
    """Add the release to the runs on both sides of it, where there are any."""
    first = left[0] if left else place.at
    last = right[1] if right else OPEN if place.after is None else place.at
    if right:
        change.deleted.append((fact, right[0]))
    change.stored.append((fact, first, last))
    return first, last


def _cut(fact: Fact, span: Span, place: Place, change: Change) -> None:
    """Take the release out of a run that covers it."""
    first, last = span
    if first == place.at:
        change.deleted.append((fact, first))
    elif place.before is not None:
        change.stored.append((fact, first, place.before))
    if last > place.at and place.after is not None:
        change.stored.append((fact, place.after, last))
