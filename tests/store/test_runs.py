"""Runs cover exactly the releases that hold the fact, and are as long as they can be."""

from __future__ import annotations

from itertools import zip_longest

from hypothesis import given
from hypothesis import strategies as st

from caphistory.store import runs
from caphistory.store.runs import Place
from caphistory.store.tables import OPEN

FACTS = [("a",), ("b",)]


class Line:
    """Runs kept in a set and changed through ``runs`` only."""

    def __init__(self) -> None:
        self.rows: dict[tuple[runs.Fact, int], int] = {}
        self.positions: set[int] = set()

    def write(self, at: int, facts: set[runs.Fact]) -> None:
        """Write a release, in place of what it held before."""
        before = max((other for other in self.positions if other < at), default=None)
        after = min((other for other in self.positions if other > at), default=None)
        spans = [(fact, (first, last)) for (fact, first), last in self.rows.items()]
        covering = {
            fact: span
            for fact, span in spans
            if span[0] <= at <= span[1]
            and (at in self.positions or (before is not None and span[0] <= before))
        }
        ended = {fact: span for fact, span in spans if span[1] == before}
        following = {fact: span for fact, span in spans if span[0] == after}
        change, now = runs.write(facts, covering, ended, following, Place(before, at, after))
        self.positions.add(at)
        assert set(now) == facts
        for fact, first in change.deleted:
            del self.rows[fact, first]
        for fact, first, last in change.stored:
            self.rows[fact, first] = last


def longest_runs(held: dict[int, set[runs.Fact]]) -> dict[tuple[runs.Fact, int], int]:
    """The runs as they must be, one fact at a time."""
    wanted = {}
    positions = sorted(held)
    for fact in FACTS:
        first = None
        for position, following in zip_longest(positions, positions[1:]):
            if fact in held[position]:
                first = position if first is None else first
                if following is None:
                    wanted[fact, first] = OPEN
                elif fact not in held[following]:
                    wanted[fact, first] = position
                    first = None
    return wanted


@given(st.lists(st.tuples(st.integers(0, 6), st.sets(st.sampled_from(FACTS))), max_size=25))
def test_any_order_gives_the_longest_runs(actions: list[tuple[int, set[runs.Fact]]]) -> None:
    line = Line()
    held: dict[int, set[runs.Fact]] = {}
    for at, facts in actions:
        line.write(at, facts)
        held[at] = facts
        assert line.rows == longest_runs(held)


def test_appending_what_stays_the_same_changes_no_row() -> None:
    covering = {("a",): (1, OPEN)}
    change, now = runs.write({("a",)}, covering, {}, {}, Place(1, 2, None))
    assert change == runs.Change([], [])
    assert now == covering
