"""Runs of releases as strips: one bar for each run, one unit wide for each release.

A kind is told by colour and by height, so that it can be told without colours.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from markupsafe import Markup, escape

from caphistory.explorer.kinds import BOTH, CAPABILITY, NOTHING, ROOT, UID0

_HEIGHT = 20
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
    marks = "".join(f"M{column} 0V{_HEIGHT}" for column in changes)
    change = f'<path class="change" d="{marks}"/>' if marks else ""
    return _picture("strip", columns, _HEIGHT, "".join(map(_bar, bars)) + change)


def key(kind: str) -> Markup:
    """The sign of a kind, for a legend."""
    return _picture("key", 24, _HEIGHT, _shape(kind, 0, 24))


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


def labels(series: Sequence[Series], columns: int, least: float = 0.035) -> Markup:
    """The names of the series that are at least the share ``least`` of the axis wide."""
    shown = (one for one in series if one.last + 1 - one.first >= least * columns)
    texts = (
        # What begins near the right end would not fit there.
        Markup('<text x="100%" y="13" text-anchor="end">{}</text>').format(one.name)
        if one.first > 0.94 * columns
        else Markup('<text x="{:.1f}%" y="13">{}</text>').format(
            100 * one.first / columns, one.name
        )
        for one in shown
    )
    return Markup('<svg class="labels" height="18" aria-hidden="true">{}</svg>').format(
        Markup("").join(texts)
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


def _bar(bar: Bar) -> str:
    title = escape(bar.title)
    return f"<g><title>{title}</title>{_shape(bar.kind, bar.first, bar.last + 1 - bar.first)}</g>"


def _shape(kind: str, x: int, width: int) -> str:
    # The whole height answers to the mouse, however low the bar is.
    return f'<path class="area" d="{_box(x, 0, width, _HEIGHT)}"/>' + "".join(
        f'<path class="{color}" d="{_box(x, top, width, bottom)}"/>'
        for top, bottom, color in _SHAPES[kind]
    )


def _box(x: int, top: float, width: int, bottom: float) -> str:
    return f"M{x} {top:g}h{width}V{bottom:g}h-{width}z"


def _picture(classes: str, width: int, height: int, content: str) -> Markup:
    return Markup(
        f'<svg class="{classes}" viewBox="0 0 {max(width, 1)} {height}"'
        f' preserveAspectRatio="none" aria-hidden="true" focusable="false">{content}</svg>'
    )
