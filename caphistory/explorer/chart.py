"""Counts through the releases as a chart, drawn by pygal on the server.

The library places axes, ticks and lines. Colours, dashes and fonts are the style sheet's, which
knows light from dark: what pygal says of them is left out, and so are its scripts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple
from xml.etree import ElementTree

from markupsafe import Markup

from caphistory.explorer.strips import Series, series_of
from caphistory.records import Row
from caphistory.wording.kinds import CAPABILITY, ROOT, UID0

WIDTH = 960
HEIGHT = 300
OTHERS = "others"
_NAMED = 4
_STYLES = {"capable": CAPABILITY, "suser": ROOT, "fsuser": "fsuser", "uid0": UID0}
"""The style of the line of a check: its name in the style sheet. What has none is drawn as
``others`` are."""

_LEAST_SHARE = 0.028
_LEAST_SHARE_NARROW = 0.09
"""So much of the axis lies at least between the names of two series, in a narrow window too."""
_LARGEST = 24
"""The size of texts in a narrow window."""

_SVG = "{http://www.w3.org/2000/svg}"


class Line(NamedTuple):
    """A line of a chart: a count for each release, drawn in ``style``."""

    name: str
    style: str
    counts: tuple[int, ...]

    @property
    def last(self) -> int:
        """Its count in the last release."""
        return self.counts[-1] if self.counts else 0


class Chart(NamedTuple):
    """A picture with its lines; ``rows`` are the counts of the first and the last release of
    each series, by the names of the lines."""

    lines: list[Line]
    picture: Markup
    rows: list[Row]


def check_chart(counts: Sequence[Row], releases: Sequence[tuple[str, str]]) -> Chart:
    """The chart of ``counts`` (rows of the query ``check_counts``) over ``releases``, given in
    order as ``(release, series)``. Checks that are rare are drawn as one line."""
    most: dict[str, int] = defaultdict(int)
    for row in counts:
        most[row["check_name"]] = max(most[row["check_name"]], row["sites"])
    named = sorted(most, key=lambda name: (-most[name], name))[:_NAMED]
    names = [*named, *([OTHERS] if len(most) > len(named) else [])]
    column = {release: at for at, (release, _) in enumerate(releases)}
    values = {name: [0] * len(releases) for name in names}
    for row in counts:
        if row["release"] in column:
            name = row["check_name"] if row["check_name"] in named else OTHERS
            values[name][column[row["release"]]] += row["sites"]
    lines = [Line(name, _STYLES.get(name, OTHERS), tuple(values[name])) for name in names]
    return chart(lines, releases, "Check sites of each kind in each release")


def chart(lines: Sequence[Line], releases: Sequence[tuple[str, str]], says: str) -> Chart:
    """The chart of ``lines`` over ``releases``; ``says`` is what is told to those who cannot
    see it, and where the numbers stand as text."""
    series = series_of(releases)
    picture = _picture(tuple(lines), tuple(series), len(releases), says)
    ends = dict.fromkeys((one.name, at) for one in series for at in (one.first, one.last))
    rows = [
        {
            "series": name,
            "release": releases[at][0],
            **{line.name: line.counts[at] for line in lines},
        }
        for name, at in ends
    ]
    return Chart(list(lines), picture, rows)


@lru_cache(maxsize=64)
def _picture(
    lines: tuple[Line, ...], series: tuple[Series, ...], releases: int, says: str
) -> Markup:
    # pygal takes longer to be imported than the pages without a chart to be made.
    import pygal
    from pygal.style import Style

    labels = _labels(series, releases)
    drawing = pygal.XY(
        width=WIDTH,
        height=HEIGHT,
        margin=4,
        show_legend=False,
        show_dots=False,
        show_x_guides=True,
        include_x_axis=True,
        xrange=(0, max(releases, 1)),
        range=(0, max((max(line.counts, default=0) for line in lines), default=0) or 1),
        # Without a line pygal has nothing to place them by.
        x_labels=[{"value": one.first, "label": name} for one, name in labels if lines],
        truncate_label=-1,
        value_formatter=lambda count: f"{count:,.0f}",
        max_scale=7,
        css=[],
        js=[],
        # Only room is made by this; the style sheet sets the size, larger in a narrow window.
        style=Style(label_font_size=_LARGEST, major_label_font_size=_LARGEST),
    )
    for line in lines:
        drawing.add(line.name, _steps(line.counts))
    root = drawing.render_tree()
    _mark_tight(root, labels, releases)
    return _inline(root, lines, says)


def _labels(series: Sequence[Series], releases: int) -> list[tuple[Series, str]]:
    """The series, with their names where there is room, else ''."""
    labels = []
    free = 0.0
    for one in series:
        name = one.name if one.first >= free else ""
        labels.append((one, name))
        if name:
            free = one.first + _LEAST_SHARE * releases
    return labels


def _mark_tight(
    root: ElementTree.Element, labels: Sequence[tuple[Series, str]], releases: int
) -> None:
    """Mark the names that are too near to another in a narrow window."""
    texts = root.iterfind(".//*[@class='axis x always_show']//text")
    free = 0.0
    for (one, name), text in zip(labels, texts, strict=False):
        if one.first < free:
            text.set("class", "tight")
        elif name:
            free = one.first + _LEAST_SHARE_NARROW * releases


def _steps(counts: Sequence[int]) -> list[tuple[int, int]]:
    """The corners of a line that keeps a release's count until the next release."""
    corners: list[tuple[int, int]] = []
    for at, count in enumerate(counts):
        if not corners:
            corners.append((at, count))
        elif corners[-1][1] != count:
            corners += [(at, corners[-1][1]), (at, count)]
    return [*corners, (len(counts), corners[-1][1])] if corners else []


def _inline(root: ElementTree.Element, lines: Sequence[Line], says: str) -> Markup:
    """pygal's tree as a part of a page, which has its own styles and no script."""
    for parent in root.iter():
        for child in list(parent):
            # Comments have a function for a tag.
            if not isinstance(child.tag, str) or (
                child.tag.removeprefix(_SVG) in _LEFT_OUT or "overlay" in child.get("class", "")
            ):
                parent.remove(child)
    for number, line in enumerate(lines):
        for group in root.iterfind(f".//*[@class='series serie-{number} color-{number}']"):
            group.set("class", f"line {line.style}")
    for name in ("id", "style"):
        root.attrib.pop(name, None)
    root.attrib |= {"class": "chart", "role": "img", "aria-label": says}
    return Markup(ElementTree.tostring(root, encoding="unicode"))


#: pygal's styles and scripts, and titles such as the position of a tick; what its scripts show
#: when the mouse comes near stands in overlays.
_LEFT_OUT = ("defs", "style", "script", "title", "desc")
