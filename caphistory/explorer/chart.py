"""Draw counts through the releases as a chart: its lines, its picture, and its numbers as rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup

from caphistory.explorer.step_lines import AXIS_WIDTH, Mark, StepLine, draw_step_lines
from caphistory.records import Row
from caphistory.wording.axis import lay_out
from caphistory.wording.kinds import CAPABILITY, ROOT, UID0

OTHERS = "others"
SITES, SYSCALLS = "sites", "syscalls"
"""The styles of lines that count places and syscalls, which have no colour of a kind."""
_NAMED = 4
_STYLES = {
    "capable": CAPABILITY,
    "ns_capable": "owner",
    "suser": ROOT,
    "fsuser": "fsuser",
    "uid0": UID0,
}
"""The class in the style sheet of each check's line; checks missing here are drawn like
``others``."""


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


def check_chart(
    counts: Sequence[Row], releases: Sequence[Row], marks: Sequence[Mark] = ()
) -> Chart:
    """Return the chart of ``counts`` (rows of the query ``check_counts``) over ``releases`` (rows
    of ``release_list``). Rare checks are drawn as one line."""
    most: defaultdict[str, int] = defaultdict(int)
    for row in counts:
        most[row["check_name"]] = max(most[row["check_name"]], row["sites"])
    named = sorted(most, key=lambda name: (-most[name], name))[:_NAMED]
    names = [*named, *([OTHERS] if len(most) > len(named) else [])]
    column = {row["release"]: at for at, row in enumerate(releases)}
    values = {name: [0] * len(releases) for name in names}
    for row in counts:
        if row["release"] in column:
            name = row["check_name"] if row["check_name"] in named else OTHERS
            values[name][column[row["release"]]] += row["sites"]
    lines = [Line(name, _STYLES.get(name, OTHERS), tuple(values[name])) for name in names]
    return chart(lines, releases, "Check sites of each kind in each release", marks)


def chart(
    lines: Sequence[Line], releases: Sequence[Row], says: str, marks: Sequence[Mark] = ()
) -> Chart:
    """Return the chart of ``lines`` over ``releases`` (rows of ``release_list``); ``says``
    describes it for screen readers."""
    axis = lay_out(releases, AXIS_WIDTH)
    names = [*axis.places]
    drawn = [StepLine(line.style, dict(zip(names, line.counts, strict=True))) for line in lines]
    picture = draw_step_lines(
        drawn, axis, says, [mark for mark in marks if mark.release in axis.places]
    )
    ends: dict[str, list[int]] = {}
    for at, row in enumerate(releases):
        ends.setdefault(row["series"], [at, at])[1] = at
    rows = [
        {
            "series": name,
            "release": releases[at]["release"],
            **{line.name: line.counts[at] for line in lines},
        }
        for name, both in ends.items()
        for at in dict.fromkeys(both)
    ]
    return Chart(list(lines), picture, rows)
