"""Where the bands of a flow picture lie: from ends on the left to ends on the right.

Counts in, places out: nothing of charts. One check is one unit from top to bottom; x goes from 0
to 1, and y downwards from 0.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

GAP = 9.0
"""Room between two ends, so that a name fits beside the smallest."""
_STEPS = 12

Flows = Mapping[tuple[str, str], int]
"""How much goes from which end on the left to which on the right."""


class End(NamedTuple):
    """An end of bands: ``x`` is 0 or 1, ``size`` how much begins or ends there."""

    name: str
    size: int
    x: int
    low: float

    @property
    def middle(self) -> float:
        """Where its name stands."""
        return self.low + self.size / 2


class Point(NamedTuple):
    """A point of a band, which lies from ``low`` to ``high`` there."""

    before: str
    after: str
    size: int
    x: float
    low: float
    high: float


def ends(flows: Flows, last: Collection[str] = ()) -> list[End]:
    """The ends on both sides, one below the other, the largest first and ``last`` below them;
    the lower side stands in the middle of the higher one."""
    sides = [_counted((pair[x], count) for pair, count in flows.items()) for x in (0, 1)]
    heights = [sum(side.values()) + GAP * max(0, len(side) - 1) for side in sides]
    return [
        end
        for x, (side, height) in enumerate(zip(sides, heights, strict=True))
        for end in _stacked(side, x, (max(heights) - height) / 2, last)
    ]


def points(flows: Flows, found: Sequence[End]) -> Iterator[Point]:
    """The outline of each band between the ``found`` ends, from left to right."""
    free = {(end.x, end.name): end.low for end in found}
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


def _counted(names: Iterable[tuple[str, int]]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for name, count in names:
        counts[name] += count
    return counts


def _stacked(counts: Counter[str], x: int, at: float, last: Collection[str]) -> Iterator[End]:
    for name, count in sorted(counts.items(), key=lambda one: (one[0] in last, -one[1], one[0])):
        yield End(name, count, x, at)
        at += count + GAP
