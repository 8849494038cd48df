"""Draw counts as step lines in SVG: data in, a picture out. The style sheet sets the colours,
dashes and text sizes, because it can tell light from dark and narrow windows from wide ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup

WIDTH, HEIGHT = 960, 300
_MARGIN = 5
_LARGEST = 24
"""The text size in a narrow window, in units of the picture, for which room is left."""
_PER_CHARACTER = 0.65
"""The maximum width of a digit as a share of the text size."""
_BOTTOM = HEIGHT - 2 * _LARGEST + 6
_MOST_VALUES = 7
_RIGHT = 28
"""The room for a name at the last tick in a wide window."""
_LATE = 0.96
"""Beyond this share of the axis a name has no room in a narrow window, so there it ends at its
tick."""


class StepLine(NamedTuple):
    """A line: its class ``style`` in the style sheet, and a count for each column."""

    style: str
    counts: Sequence[int]


class Tick(NamedTuple):
    """A mark on the axis of the columns, at the column ``at``, with its name or ''; a ``tight``
    name has room only in a wide window."""

    at: int
    name: str
    tight: bool = False


def draw_step_lines(
    lines: Sequence[StepLine], ticks: Sequence[Tick], columns: int, says: str
) -> Markup:
    """Return an ``<svg>`` of ``lines`` over ``columns`` columns; a line keeps its count until the
    next column. ``says`` describes the picture for screen readers."""
    most = max((max(line.counts, default=0) for line in lines), default=0) or 1
    values = choose_axis_values(most)
    left = _MARGIN + round(_PER_CHARACTER * _LARGEST * max(len(f"{value:,}") for value in values))
    right = WIDTH - _RIGHT

    def x(column: float) -> str:
        return f"{left + (right - left) * column / max(columns, 1):.5g}"

    def y(count: float) -> str:
        return f"{_BOTTOM - (_BOTTOM - _MARGIN) * count / most:.5g}"

    def value_mark(value: int) -> Markup:
        kind = "ground" if value == 0 else "guide"
        return Markup(
            '<path class="{}" d="M{} {}H{}"/><text x="{}" y="{}" dy=".35em">{}</text>'
        ).format(kind, left, y(value), right, left - _MARGIN, y(value), f"{value:,}")

    def tick_mark(tick: Tick) -> Markup:
        path = Markup('<path class="guide" d="M{} {}V{}"/>').format(x(tick.at), _MARGIN, _BOTTOM)
        if not tick.name:
            return path
        classes = ["tight"] * tick.tight + ["late"] * (tick.at > _LATE * columns)
        return path + Markup('<text class="{}" x="{}" y="{}">{}</text>').format(
            " ".join(classes), x(tick.at), HEIGHT - _LARGEST + 6, tick.name
        )

    def path(line: StepLine) -> Markup:
        corners = " ".join(f"{x(column)} {y(count)}" for column, count in find_corners(line.counts))
        drawn = Markup('<path d="M{}"/>').format(corners) if corners else ""
        return Markup('<g class="line {}">{}</g>').format(line.style, drawn)

    return Markup(
        '<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}">'
        '<g class="axis y">{}</g><g class="axis x">{}</g>{}</svg>'
    ).format(
        WIDTH,
        HEIGHT,
        says,
        Markup("").join(map(value_mark, values)),
        Markup("").join(map(tick_mark, ticks)),
        Markup("").join(map(path, lines)),
    )


def choose_axis_values(most: int) -> list[int]:
    """Return at most seven round numbers to mark on an axis from 0 to ``most``, 0 first."""
    unit = 1
    while True:
        for step in (unit, 2 * unit, 5 * unit):
            if most // step < _MOST_VALUES:
                return [*range(0, most + 1, step)]
        unit *= 10


def find_corners(counts: Sequence[int]) -> list[tuple[int, int]]:
    """Return the corners, as (column, count), of a line of steps."""
    corners: list[tuple[int, int]] = []
    for at, count in enumerate(counts):
        if not corners:
            corners.append((at, count))
        elif corners[-1][1] != count:
            corners += [(at, corners[-1][1]), (at, count)]
    return [*corners, (len(counts), corners[-1][1])] if corners else []
