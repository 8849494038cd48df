"""Lay out the bands of a flow diagram, from ends on the left to ends on the right.

This module turns counts into coordinates and knows nothing of charts. One check is one unit high; x
goes from 0 to 1, and y downwards from 0.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

GAP = 9.0
"""The space between two ends, so that a name fits beside the smallest."""
_STEPS = 12

Flows = Mapping[tuple[str, str], int]
"""How many checks go from an end on the left to one on the right, by both names."""


class End(NamedTuple):
    """An end of bands: ``x`` is 0 or 1, ``size`` its number of checks, ``low`` its upper edge."""

    name: str
    size: int
    x: int
    low: float

    @property
    def middle(self) -> float:
        """The y of its name."""
        return self.low + self.size / 2


class Point(NamedTuple):
    """A cross-section of a band at ``x``, from ``low`` to ``high``."""

    before: str
    after: str
    size: int
    x: float
    low: float
    high: float


def place_ends(flows: Flows, last: Collection[str] = ()) -> list[End]:
    """Return the ends of both sides, one below the other, the largest first and those in ``last``
    at the bottom; the shorter side is centred beside the taller one."""
    sides = [_count((pair[x], count) for pair, count in flows.items()) for x in (0, 1)]
    heights = [sum(side.values()) + GAP * max(0, len(side) - 1) for side in sides]
    return [
        end
        for x, (side, height) in enumerate(zip(sides, heights, strict=True))
        for end in _stack(side, x, (max(heights) - height) / 2, last)
    ]


def trace_points(flows: Flows, ends: Sequence[End]) -> Iterator[Point]:
    """Yield the outline of each band between ``ends``, from left to right."""
    free = {(end.x, end.name): end.low for end in ends}
    order = {key: at for at, key in enumerate(free)}
    for (before, after), count in sorted(
        flows.items(), key=lambda flow: (order[0, flow[0][0]], order[1, flow[0][1]])
    ):
        start, end = free[0, before], free[1, after]
        free[0, before] += count
        free[1, after] += count
        for step in range(_STEPS + 1):
            x = step / _STEPS
            low = start + (end - start) * x * x * (3 - 2 * x)
            yield Point(before, after, count, x, low, low + count)


def _count(names: Iterable[tuple[str, int]]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for name, count in names:
        counts[name] += count
    return counts


def _stack(counts: Counter[str], x: int, at: float, last: Collection[str]) -> Iterator[End]:
    for name, count in sorted(
        counts.items(), key=lambda item: (item[0] in last, -item[1], item[0])
    ):
        yield End(name, count, x, at)
        at += count + GAP
