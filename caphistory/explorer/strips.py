"""Runs of releases as strips: one bar for each run, one unit wide for each release.

A kind is told by colour and by height, so that it can be told without colours.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from markupsafe import Markup, escape

from caphistory.wording.kinds import BOTH, CAPABILITY, NOTHING, ROOT, UID0

_HEIGHT = 20
_LEAST_NAMED = 0.035
"""A series that is named takes at least so much of the axis."""
_LEAST_NAMED_NARROW = 0.1
"""So far apart are the names of two series that are both shown in a narrow window."""
#: Bars of a kind: where they begin and end, from the top, and the class of their colour.
_SHAPES = {
    NOTHING: ((18, 20, NOTHING),),
    UID0: ((14, 20, UID0),),
    ROOT: ((9, 20, ROOT),),
    BOTH: ((0, 9, CAPABILITY), (9, 20, ROOT)),
    CAPABILITY: ((0, 20, CAPABILITY),),
}


class Bar(NamedTuple):
    """A run: ``first`` and ``last`` count releases from 0, ``title`` says it in words."""

    first: int
    last: int
    kind: str
    title: str


class Series(NamedTuple):
    """A series on the axis: its releases from ``first`` to ``last``."""

    name: str
    first: int
    last: int


def strip(bars: Iterable[Bar], changes: Iterable[int], columns: int) -> Markup:
    """The strip of ``bars``, with a mark at each release in which something ``changes``.
    What it shows must also stand beside it as text: screen readers leave it out."""
    bars = list(bars)
    marks = "".join(f"M{column} 0V{_HEIGHT}" for column in changes)
    change = f'<path class="change" d="{marks}"/>' if marks else ""
    return _picture("strip", columns, _HEIGHT, _shapes(bars) + change + "".join(map(_area, bars)))


def key(kind: str) -> Markup:
    """The sign of a kind, for a legend."""
    return _picture("key", 24, _HEIGHT, _shapes([Bar(0, 23, kind, "")]))


def axis(series: Sequence[Series], counts: Mapping[int, int], columns: int) -> Markup:
    """The axis over strips: a line where each series begins, and a bar in each release with
    a count, the highest for the highest of ``counts``."""
    most = max(counts.values(), default=1) or 1
    borders = "".join(f"M{one.first} 0V{_HEIGHT}" for one in series)
    bars = "".join(
        _box(column, round(_HEIGHT * (1 - count / most), 1), 1, _HEIGHT)
        for column, count in counts.items()
    )
    drawn = f'<path class="border" d="{borders}"/><path class="count" d="{bars}"/>'
    return _picture("strip axis", columns, _HEIGHT, drawn)


def labels(
    series: Sequence[Series], columns: int, pointed: tuple[int, str] | None = None
) -> Markup:
    """The names of the series that have room on the axis; ``pointed`` is a release to be pointed
    at, by its column, with what is said of it."""
    texts = []
    free = 0.0
    for one in series:
        share = one.first / max(columns, 1)
        if one.last + 1 - one.first >= _LEAST_NAMED * columns:
            texts.append(_label(share, 13, one.name, tight=share < free))
            free = free if share < free else share + _LEAST_NAMED_NARROW
    if pointed:
        share = (pointed[0] + 0.5) / max(columns, 1)
        texts.append(_label(share, 29, f"{pointed[1]} ▾", anchor="end"))
    return Markup('<svg class="labels" height="{}" aria-hidden="true">{}</svg>').format(
        34 if pointed else 18, Markup("").join(texts)
    )


def _label(
    share: float, y: int, text: str, *, anchor: str = "start", tight: bool = False
) -> Markup:
    # What begins near the right end, or ends near the left one, would not fit there.
    if share > 0.94 and anchor == "start":
        share, anchor = 1.0, "end"
    elif share < 0.2 and anchor == "end":
        share, anchor = 0.0, "start"
    kind = Markup(' class="tight"') if tight else ""
    return Markup('<text{} x="{:.1f}%" y="{}" text-anchor="{}">{}</text>').format(
        kind, 100 * share, y, anchor, text
    )


def series_of(releases: Sequence[tuple[str, str]]) -> list[Series]:
    """The series of releases, given in order as ``(release, series)``."""
    found: list[Series] = []
    for column, (_, name) in enumerate(releases):
        if found and found[-1].name == name:
            found[-1] = found[-1]._replace(last=column)
        else:
            found.append(Series(name, column, column))
    return found


def _shapes(bars: Iterable[Bar]) -> str:
    """The bars, one path for each colour: a matrix has thousands of them."""
    paths: dict[str, list[str]] = {}
    for bar in bars:
        for top, bottom, color in _SHAPES[bar.kind]:
            box = _box(bar.first, top, bar.last + 1 - bar.first, bottom)
            paths.setdefault(color, []).append(box)
    return "".join(f'<path class="{color}" d="{"".join(of)}"/>' for color, of in paths.items())


def _area(bar: Bar) -> str:
    # The whole height answers to the mouse, however low the bar is.
    box = _box(bar.first, 0, bar.last + 1 - bar.first, _HEIGHT)
    return f'<path class="area" d="{box}"><title>{escape(bar.title)}</title></path>'


def _box(x: int, top: float, width: int, bottom: float) -> str:
    return f"M{x} {top:g}h{width}V{bottom:g}h-{width}z"


def _picture(classes: str, width: int, height: int, content: str) -> Markup:
    return Markup(
        f'<svg class="{classes}" viewBox="0 0 {max(width, 1)} {height}"'
        f' preserveAspectRatio="none" aria-hidden="true" focusable="false">{content}</svg>'
    )
