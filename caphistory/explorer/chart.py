"""The picture of the home page: how many checks of each kind each release has."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import NamedTuple

from caphistory.answers import Row
from caphistory.explorer.strips import Series, series_of

WIDTH, HEIGHT = 960, 340
LEFT, RIGHT, TOP, BOTTOM = 46, 118, 22, 30
_LEAST_LABEL = 26
_NAMED = 4
_LABEL_GAP = 15
OTHER = "others"


class Line(NamedTuple):
    """The line of one kind of check: ``path`` is its SVG path, ``label_y`` where its name
    stands, ``last`` its count in the last release, ``number`` which style it has."""

    name: str
    path: str
    label_y: float
    last: int
    number: int


class Label(NamedTuple):
    """A text on an axis."""

    at: float
    text: str


class Chart(NamedTuple):
    """The picture, from ``left`` to ``right`` and ``top`` to ``bottom`` of its ``width`` and
    ``height``: ``borders`` are where series begin; ``rows`` are the counts of the first and the
    last release of each series, and ``names`` their columns."""

    lines: list[Line]
    borders: list[float]
    series: list[Label]
    levels: list[Label]
    rows: list[dict[str, object]]
    names: list[str]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    top: int = TOP
    bottom: int = HEIGHT - BOTTOM


def check_chart(counts: Sequence[Row], releases: Sequence[tuple[str, str]]) -> Chart:
    """The chart of ``counts`` (rows of the query ``check_counts``) over ``releases``, given in
    order as ``(release, series)``. Kinds that are rare are drawn as one line."""
    column = {release: at for at, (release, _) in enumerate(releases)}
    most: dict[str, int] = defaultdict(int)
    for row in counts:
        most[row["check_name"]] = max(most[row["check_name"]], row["sites"])
    named = sorted(most, key=lambda name: (-most[name], name))[:_NAMED]
    names = [*named, *([OTHER] if len(most) > len(named) else [])]
    values = {name: [0] * len(releases) for name in names}
    for row in counts:
        if row["release"] in column:
            name = row["check_name"] if row["check_name"] in named else OTHER
            values[name][column[row["release"]]] += row["sites"]
    highest = max((max(line, default=0) for line in values.values()), default=0)
    step = _round_step(highest)
    top = max(step, -(-highest // step) * step)
    series = series_of(releases)

    def x(at: int) -> float:
        return round(LEFT + (WIDTH - LEFT - RIGHT) * at / max(len(releases), 1), 1)

    def y(count: int) -> float:
        return round(TOP + (HEIGHT - TOP - BOTTOM) * (1 - count / top), 1)

    ends = _apart([y(values[name][-1]) if values[name] else y(0) for name in names])
    return Chart(
        lines=[
            Line(name, _path(values[name], x, y), ends[at], (values[name] or [0])[-1], at)
            for at, name in enumerate(names)
        ],
        borders=[x(one.first) for one in series],
        series=[
            Label(x(one.first) + 3, one.name)
            for one in series
            if x(one.last + 1) - x(one.first) >= _LEAST_LABEL
        ],
        levels=[Label(y(level), f"{level:,}") for level in range(0, top + 1, step)],
        rows=_table(series, releases, values),
        names=names,
    )


def _table(
    series: list[Series], releases: Sequence[tuple[str, str]], values: dict[str, list[int]]
) -> list[dict[str, object]]:
    """The counts of the first and the last release of each series."""
    ends = [
        (one.name, at)
        for one in series
        for at in ([one.first] if one.first == one.last else [one.first, one.last])
    ]
    return [
        {
            "series": name,
            "release": releases[at][0],
            **{line: counted[at] for line, counted in values.items()},
        }
        for name, at in ends
    ]


def _path(counts: list[int], x: Callable[[int], float], y: Callable[[int], float]) -> str:
    parts: list[str] = []
    before: int | None = None
    for at, count in enumerate(counts):
        if before is None:
            parts.append(f"M{x(at)} {y(count)}")
        elif count != before:
            parts.append(f"H{x(at)}V{y(count)}")
        before = count
    return "".join(parts) + (f"H{x(len(counts))}" if counts else "")


def _round_step(highest: int) -> int:
    """A round number that goes into ``highest`` four to eight times, at least 1."""
    step = 1
    while True:
        for factor in (1, 2, 5):
            if highest <= 6 * step * factor:
                return step * factor
        step *= 10


def _apart(heights: list[float]) -> list[float]:
    """``heights`` moved down where needed, so that labels do not cover each other."""
    placed: list[float] = [0.0] * len(heights)
    last: float | None = None
    for at in sorted(range(len(heights)), key=lambda one: heights[one]):
        placed[at] = heights[at] if last is None else max(heights[at], last + _LABEL_GAP)
        last = placed[at]
    # Back up from the bottom, where the last ones were pushed below the axis.
    floor = HEIGHT - BOTTOM + 4.0
    for at in sorted(range(len(placed)), key=lambda one: -placed[one]):
        placed[at] = min(placed[at], floor)
        floor = placed[at] - _LABEL_GAP
    return [round(one, 1) for one in placed]
