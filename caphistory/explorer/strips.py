"""Draw runs of releases as strips: one bar for each run, one unit wide for each release.

Kinds differ in colour and in height, so that they can be told apart without colours.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from markupsafe import Markup, escape

from caphistory.wording.kinds import BOTH, CAPABILITY, NOTHING, ROOT, UID0

_HEIGHT = 20
_LEAST_NAMED = 0.035
"""The minimum share of the axis that a series needs to be named."""
_LEAST_NAMED_NARROW = 0.1
"""The minimum distance between the names of two series in a narrow window."""
#: The bars of each kind: top, bottom, and the class of the colour.
_SHAPES = {
    NOTHING: ((18, 20, NOTHING),),
    UID0: ((14, 20, UID0),),
    ROOT: ((9, 20, ROOT),),
    BOTH: ((0, 9, CAPABILITY), (9, 20, ROOT)),
    CAPABILITY: ((0, 20, CAPABILITY),),
}


class Bar(NamedTuple):
    """A run of releases from ``first`` to ``last``, counted from 0; ``title`` describes it."""

    first: int
    last: int
    kind: str
    title: str


class Series(NamedTuple):
    """A series on the axis: its releases from ``first`` to ``last``, counted from 0."""

    name: str
    first: int
    last: int


def draw_strip(bars: Iterable[Bar], changes: Iterable[int], columns: int) -> Markup:
    """Return the strip of ``bars``, with a mark at each release in ``changes``. The page must also
    say as text what the strip shows, because screen readers skip it."""
    bars = list(bars)
    marks = "".join(f"M{column} 0V{_HEIGHT}" for column in changes)
    change = f'<path class="change" d="{marks}"/>' if marks else ""
    return _draw(
        "strip", columns, _HEIGHT, _draw_shapes(bars) + change + "".join(map(_draw_area, bars))
    )


def draw_key(kind: str) -> Markup:
    """Return the sign of a kind for a legend."""
    return _draw("key", 24, _HEIGHT, _draw_shapes([Bar(0, 23, kind, "")]))


def draw_axis(series: Sequence[Series], counts: Mapping[int, int], columns: int) -> Markup:
    """Return the axis above strips: a line where each series begins, and a bar for each release in
    ``counts``, scaled to the highest count."""
    most = max(counts.values(), default=1) or 1
    borders = "".join(f"M{run.first} 0V{_HEIGHT}" for run in series)
    bars = "".join(
        _trace_box(column, round(_HEIGHT * (1 - count / most), 1), 1, _HEIGHT)
        for column, count in counts.items()
    )
    drawn = f'<path class="border" d="{borders}"/><path class="count" d="{bars}"/>'
    return _draw("strip axis", columns, _HEIGHT, drawn)


def draw_labels(
    series: Sequence[Series], columns: int, pointed: tuple[int, str] | None = None
) -> Markup:
    """Return the names of the series that have room on the axis; ``pointed`` is the column of a
    release to point at, and the text to show there."""
    texts = []
    free = 0.0
    for run in series:
        share = run.first / max(columns, 1)
        if run.last + 1 - run.first >= _LEAST_NAMED * columns:
            texts.append(_draw_label(share, 13, run.name, tight=share < free))
            free = free if share < free else share + _LEAST_NAMED_NARROW
    if pointed:
        share = (pointed[0] + 0.5) / max(columns, 1)
        texts.append(_draw_label(share, 29, f"{pointed[1]} ▾", anchor="end"))
    return Markup('<svg class="labels" height="{}" aria-hidden="true">{}</svg>').format(
        34 if pointed else 18, Markup("").join(texts)
    )


def _draw_label(
    share: float, y: int, text: str, *, anchor: str = "start", tight: bool = False
) -> Markup:
    # A text that begins near the right end, or ends near the left end, would not fit.
    if share > 0.94 and anchor == "start":
        share, anchor = 1.0, "end"
    elif share < 0.2 and anchor == "end":
        share, anchor = 0.0, "start"
    kind = Markup(' class="tight"') if tight else ""
    return Markup('<text{} x="{:.1f}%" y="{}" text-anchor="{}">{}</text>').format(
        kind, 100 * share, y, anchor, text
    )


def group_series(releases: Sequence[tuple[str, str]]) -> list[Series]:
    """Return the series of releases, given in order as ``(release, series)``."""
    runs: list[Series] = []
    for column, (_, name) in enumerate(releases):
        if runs and runs[-1].name == name:
            runs[-1] = runs[-1]._replace(last=column)
        else:
            runs.append(Series(name, column, column))
    return runs


def _draw_shapes(bars: Iterable[Bar]) -> str:
    """Return the bars as one path for each colour, because a matrix has thousands of them."""
    paths: dict[str, list[str]] = {}
    for bar in bars:
        for top, bottom, color in _SHAPES[bar.kind]:
            box = _trace_box(bar.first, top, bar.last + 1 - bar.first, bottom)
            paths.setdefault(color, []).append(box)
    return "".join(
        f'<path class="{color}" d="{"".join(boxes)}"/>' for color, boxes in paths.items()
    )


def _draw_area(bar: Bar) -> str:
    # The whole height responds to the mouse, however low the bar is.
    box = _trace_box(bar.first, 0, bar.last + 1 - bar.first, _HEIGHT)
    return f'<path class="area" d="{box}"><title>{escape(bar.title)}</title></path>'


def _trace_box(x: int, top: float, width: int, bottom: float) -> str:
    return f"M{x} {top:g}h{width}V{bottom:g}h-{width}z"


def _draw(classes: str, width: int, height: int, content: str) -> Markup:
    return Markup(
        f'<svg class="{classes}" viewBox="0 0 {max(width, 1)} {height}"'
        f' preserveAspectRatio="none" aria-hidden="true" focusable="false">{content}</svg>'
    )
