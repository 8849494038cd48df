"""Draw runs of releases as strips: one bar for each run, on the axis of ``wording.axis``.

Kinds differ in colour and in height, so that they can be told apart without colours.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from markupsafe import Markup, escape

from caphistory.wording.axis import Axis
from caphistory.wording.kinds import BOTH, CAPABILITY, NOTHING, ROOT, UID0

_HEIGHT = 20
#: The bars of each kind: top, bottom, and the class of the colour.
_SHAPES = {
    NOTHING: ((18, 20, NOTHING),),
    UID0: ((14, 20, UID0),),
    ROOT: ((9, 20, ROOT),),
    BOTH: ((0, 9, CAPABILITY), (9, 20, ROOT)),
    CAPABILITY: ((0, 20, CAPABILITY),),
}
_HOLES = "holes"
"""The identifier of the picture of the holes, which every strip of a page shows."""


class Bar(NamedTuple):
    """A run of releases that is drawn from ``left`` to ``right``; ``title`` describes it."""

    left: float
    right: float
    kind: str
    title: str


def draw_strip(bars: Iterable[Bar], changes: Iterable[float], axis: Axis) -> Markup:
    """Return the strip of ``bars``, with a mark at each place in ``changes``. The page must also
    say as text what the strip shows, because screen readers skip it, and have ``define_holes``."""
    bars = list(bars)
    marks = "".join(f"M{place:.4g} 0V{_HEIGHT}" for place in changes)
    change = f'<path class="change" d="{marks}"/>' if marks else ""
    holes = f'<use href="#{_HOLES}"/>' if axis.holes else ""
    areas = "".join(map(_draw_area, bars))
    return _draw("strip", axis.width, _draw_shapes(bars) + holes + change + areas)


def define_holes(axis: Axis) -> Markup:
    """Return the picture of the holes that the strips of a page show, which draws nothing itself;
    hatched, so that a hole never looks like a kernel that asks for nothing."""
    boxes = "".join(
        _trace_box(hole.left, 0, hole.right - hole.left, _HEIGHT) for hole in axis.holes
    )
    return Markup(
        '<svg class="hidden" width="0" height="0" aria-hidden="true" focusable="false"><defs>'
        '<pattern id="hatch" width="5" height="5" patternUnits="userSpaceOnUse"'
        ' patternTransform="rotate(45)"><path class="hatch-ground" d="M0 0h5v5h-5z"/>'
        '<path class="hatch-line" d="M0 0h2v5h-2z"/></pattern>'
        f'<path id="{_HOLES}" class="hole" d="{boxes}"/></defs></svg>'
    )


def draw_key(kind: str) -> Markup:
    """Return the sign of a kind for a legend."""
    return _draw("key", 24, _draw_shapes([Bar(0, 24, kind, "")]))


def draw_hole_key() -> Markup:
    """Return the sign of a hole for a legend."""
    return _draw("key", 24, f'<path class="hole" d="{_trace_box(0, 0, 24, _HEIGHT)}"/>')


def draw_axis(axis: Axis, counts: Mapping[str, int]) -> Markup:
    """Return the axis above strips: a line where each series begins, its holes, and a bar for each
    release in ``counts``, scaled to the highest count."""
    most = max(counts.values(), default=1) or 1
    borders = "".join(f"M{band.left:.4g} 0V{_HEIGHT}" for band in axis.bands)
    bars = "".join(
        _trace_box(
            axis.left(release),
            round(_HEIGHT * (1 - count / most), 1),
            max(1, axis.right(release) - axis.left(release)),
            _HEIGHT,
        )
        for release, count in counts.items()
    )
    holes = f'<use href="#{_HOLES}"/>' if axis.holes else ""
    drawn = f'<path class="border" d="{borders}"/><path class="count" d="{bars}"/>{holes}'
    return _draw("strip axis", axis.width, drawn)


def draw_labels(axis: Axis, pointed: tuple[str, str] | None = None) -> Markup:
    """Return the names of the series above the axis; ``pointed`` is a release to point at, and the
    text to show there."""
    texts = [_draw_label(axis, band.left, 12, band.name) for band in axis.bands]
    if pointed:
        release, text = pointed
        middle = (axis.left(release) + axis.right(release)) / 2
        anchor = "end" if middle > axis.width / 2 else "start"
        shown = f"{text} ▾" if anchor == "end" else f"▾ {text}"
        texts.append(_draw_label(axis, middle, 27, shown, anchor))
    return Markup('<svg class="labels" height="{}" aria-hidden="true">{}</svg>').format(
        32 if pointed else 17, Markup("").join(texts)
    )


def _draw_label(axis: Axis, place: float, y: int, text: str, anchor: str = "start") -> Markup:
    share = 100 * place / max(axis.width, 1)
    return Markup('<text x="{:.2f}%" y="{}" text-anchor="{}">{}</text>').format(
        share, y, anchor, text
    )


def _draw_shapes(bars: Iterable[Bar]) -> str:
    """Return the bars as one path for each colour, because a page has thousands of them."""
    paths: dict[str, list[str]] = {}
    for bar in bars:
        for top, bottom, color in _SHAPES[bar.kind]:
            box = _trace_box(bar.left, top, bar.right - bar.left, bottom)
            paths.setdefault(color, []).append(box)
    return "".join(
        f'<path class="{color}" d="{"".join(boxes)}"/>' for color, boxes in paths.items()
    )


def _draw_area(bar: Bar) -> str:
    # The whole height responds to the mouse, however low the bar is.
    box = _trace_box(bar.left, 0, bar.right - bar.left, _HEIGHT)
    return f'<path class="area" d="{box}"><title>{escape(bar.title)}</title></path>'


def _trace_box(x: float, top: float, width: float, bottom: float) -> str:
    left, wide = round(x, 1), round(width, 1)
    return f"M{left:g} {top:g}h{wide:g}V{bottom:g}h-{wide:g}z"


def _draw(classes: str, width: float, content: str) -> Markup:
    return Markup(
        f'<svg class="{classes}" viewBox="0 0 {max(width, 1):.6g} {_HEIGHT}"'
        f' preserveAspectRatio="none" aria-hidden="true" focusable="false">{content}</svg>'
    )
