"""Counts through the releases as a chart: its lines, its picture, and its numbers as rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup

from caphistory.explorer.step_lines import StepLine, Tick, step_lines
from caphistory.explorer.strips import Series, series_of
from caphistory.records import Row
from caphistory.wording.kinds import CAPABILITY, ROOT, UID0

OTHERS = "others"
_NAMED = 4
_STYLES = {"capable": CAPABILITY, "suser": ROOT, "fsuser": "fsuser", "uid0": UID0}
"""The style of the line of a check: its name in the style sheet. What has none is drawn as
``others`` are."""

_LEAST_SHARE = 0.028
_LEAST_SHARE_NARROW = 0.09
"""So much of the axis lies at least between the names of two series, in a narrow window too."""


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
    most: defaultdict[str, int] = defaultdict(int)
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
    ticks = _ticks(series, len(releases)) if lines else []
    drawn = [StepLine(line.style, line.counts) for line in lines]
    picture = step_lines(drawn, ticks, len(releases), says)
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


def _ticks(series: Sequence[Series], releases: int) -> list[Tick]:
    """Where each series begins, with its name where there is room for it."""
    ticks = []
    free = free_narrow = 0.0
    for one in series:
        named = one.first >= free
        tight = one.first < free_narrow
        ticks.append(Tick(one.first, one.name if named else "", tight))
        if named:
            free = one.first + _LEAST_SHARE * releases
            free_narrow = free_narrow if tight else one.first + _LEAST_SHARE_NARROW * releases
    return ticks
