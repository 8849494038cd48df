"""Draw counts through the releases as a chart: its lines, its picture, and its numbers as rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup

from caphistory.explorer.step_lines import StepLine, Tick, draw_step_lines
from caphistory.explorer.strips import Series, group_series
from caphistory.records import Row
from caphistory.wording.kinds import CAPABILITY, ROOT, UID0

OTHERS = "others"
_NAMED = 4
_STYLES = {"capable": CAPABILITY, "suser": ROOT, "fsuser": "fsuser", "uid0": UID0}
"""The class in the style sheet of each check's line; checks missing here are drawn like
``others``."""

_LEAST_SHARE = 0.028
_LEAST_SHARE_NARROW = 0.09
"""The minimum distance between the names of two series, as a share of the axis, in a wide and in a
narrow window."""


class Line(NamedTuple):
    """A line of a chart: a count for each release, drawn in ``style``."""

    name: str
    style: str
    counts: tuple[int, ...]

    @property
    def last(self) -> int:
        """The count in the last release."""
        return self.counts[-1] if self.counts else 0


class Chart(NamedTuple):
    """A picture with its lines; ``rows`` holds the counts of the first and last release of each
    series, by the names of the lines."""

    lines: list[Line]
    picture: Markup
    rows: list[Row]


def check_chart(counts: Sequence[Row], releases: Sequence[tuple[str, str]]) -> Chart:
    """Return the chart of ``counts`` (rows of the query ``check_counts``) over ``releases``, given
    in order as ``(release, series)``. Rare checks are drawn as one line."""
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
    """Return the chart of ``lines`` over ``releases``; ``says`` describes it for screen readers."""
    series = group_series(releases)
    ticks = _make_ticks(series, len(releases)) if lines else []
    drawn = [StepLine(line.style, line.counts) for line in lines]
    picture = draw_step_lines(drawn, ticks, len(releases), says)
    ends = dict.fromkeys((run.name, at) for run in series for at in (run.first, run.last))
    rows = [
        {
            "series": name,
            "release": releases[at][0],
            **{line.name: line.counts[at] for line in lines},
        }
        for name, at in ends
    ]
    return Chart(list(lines), picture, rows)


def _make_ticks(series: Sequence[Series], releases: int) -> list[Tick]:
    """Return a tick where each series begins, with its name if there is room."""
    ticks = []
    free = free_narrow = 0.0
    for run in series:
        named = run.first >= free
        tight = run.first < free_narrow
        ticks.append(Tick(run.first, run.name if named else "", tight))
        if named:
            free = run.first + _LEAST_SHARE * releases
            free_narrow = free_narrow if tight else run.first + _LEAST_SHARE_NARROW * releases
    return ticks
