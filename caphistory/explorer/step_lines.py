"""Draw counts as step lines in SVG: data in, a picture out. The style sheet sets the colours,
dashes and text sizes, because it can tell light from dark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from markupsafe import Markup

from caphistory.wording.axis import Axis

HEIGHT = 300
AXIS_WIDTH = 1290
"""The width of an axis that fills a window of 1440 pixels."""
_MARGIN = 8
_LEFT = 44
_RIGHT = 10
_TOP = 26
"""Room for the text at a mark."""
_BOTTOM = HEIGHT - 22
_MOST_VALUES = 7


class StepLine(NamedTuple):
    """A line: its class ``style`` in the style sheet, and the count of each release."""

    style: str
    counts: Mapping[str, int]


class Mark(NamedTuple):
    """A release to point at in a chart, and what to say there."""

    release: str
    text: str


def draw_step_lines(
    lines: Sequence[StepLine], axis: Axis, says: str, marks: Sequence[Mark] = ()
) -> Markup:
    """Return an ``<svg>`` of ``lines`` over the releases of ``axis``. A line keeps its count until
    the next release and is torn at holes. ``says`` describes the picture for screen readers."""
    most = max((max(line.counts.values(), default=0) for line in lines), default=0) or 1
    width = _LEFT + axis.width + _RIGHT

    def x(place: float) -> str:
        return f"{_LEFT + place:.5g}"

    def y(count: float) -> str:
        return f"{_BOTTOM - (_BOTTOM - _TOP) * count / most:.5g}"

    def draw_value(value: int) -> Markup:
        kind = "ground" if value == 0 else "guide"
        return Markup(
            '<path class="{}" d="M{} {}H{}"/><text x="{}" y="{}" dy=".35em">{}</text>'
        ).format(kind, _LEFT, y(value), x(axis.width), _LEFT - _MARGIN, y(value), f"{value:,}")

    def draw_band(left: float, name: str) -> Markup:
        return Markup('<path class="guide" d="M{} {}V{}"/><text x="{}" y="{}">{}</text>').format(
            x(left), _TOP, _BOTTOM, x(left + 2), HEIGHT - 6, name
        )

    def draw_mark(mark: Mark) -> Markup:
        place = axis.left(mark.release)
        end = place > axis.width / 2
        return Markup(
            '<path class="mark" d="M{} {}V{}"/><text class="mark" x="{}" y="{}" {}>{}</text>'
        ).format(
            x(place),
            _TOP - 8,
            _BOTTOM,
            x(place - 4 if end else place + 4),
            _TOP - 10,
            Markup('text-anchor="end"') if end else "",
            mark.text,
        )

    def draw_line(line: StepLine) -> Markup:
        paths = []
        for stretch in axis.stretches:
            corners = find_corners([line.counts.get(release, 0) for release in stretch])
            if not any(count for _, count in corners):
                continue
            ends = [axis.left(release) for release in stretch] + [axis.right(stretch[-1])]
            traced = " ".join(f"{x(ends[at])} {y(count)}" for at, count in corners)
            paths.append(f"M{traced}")
        drawn = Markup('<path d="{}"/>').format("".join(paths)) if paths else ""
        return Markup('<g class="line {}">{}</g>').format(line.style, drawn)

    holes = "".join(
        f"M{x(hole.left)} {_TOP}h{hole.right - hole.left:.4g}V{_BOTTOM}"
        f"h-{hole.right - hole.left:.4g}z"
        for hole in axis.holes
    )
    return Markup(
        '<svg class="chart" viewBox="0 0 {:.6g} {}" role="img" aria-label="{}">'
        '<g class="axis y">{}</g><g class="axis x">{}</g><path class="hole" d="{}"/>{}{}</svg>'
    ).format(
        width,
        HEIGHT,
        says,
        Markup("").join(map(draw_value, choose_axis_values(most))),
        Markup("").join(draw_band(band.left, band.name) for band in axis.bands),
        holes,
        Markup("").join(map(draw_line, lines)),
        Markup("").join(map(draw_mark, marks)),
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
