"""Place releases on an axis: every series has a band, and missing releases leave a hole.

Old series have up to 133 releases, modern ones a single one; with one step for each release today's
kernel would be a few pixels wide. A hole is never drawn as if nothing had happened in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import NamedTuple

from caphistory.records import Row

LEAST_BAND = 28.0
"""The minimum width of a series: room to point at it, and for its name in small print."""
_PER_RELEASE = 0.4
_HOLE = 8.0
FIRST = "0.x"
"""The band of all that came before 1.0."""


class Band(NamedTuple):
    """A series on the axis, from ``left`` to ``right``."""

    name: str
    left: float
    right: float


class Hole(NamedTuple):
    """The place of ``missing`` mainline releases between ``before`` and ``after``."""

    before: str
    after: str
    missing: int
    left: float
    right: float


class Axis(NamedTuple):
    """Where releases stand: ``places`` maps each, in order, to its left and right end."""

    places: dict[str, tuple[float, float]]
    bands: list[Band]
    holes: list[Hole]
    width: float

    def left(self, release: str) -> float:
        """Return where ``release`` begins; 0 for one before those on the axis."""
        return self.places[release][0] if release in self.places else 0.0

    def right(self, release: str) -> float:
        """Return where ``release`` ends; the end of the axis for one after those on it."""
        return self.places[release][1] if release in self.places else self.width

    @property
    def after_holes(self) -> set[str]:
        """The releases right after a hole: what changed in them may have changed in the hole."""
        return {hole.after for hole in self.holes}

    @property
    def stretches(self) -> list[list[str]]:
        """The releases between holes, in order: what is drawn as a line breaks at holes."""
        ends = self.after_holes
        groups: list[list[str]] = []
        for release in self.places:
            if not groups or release in ends:
                groups.append([])
            groups[-1].append(release)
        return groups


def lay_out(releases: Sequence[Row], width: float = 0) -> Axis:
    """Return the axis of ``releases``, rows of the query ``release_list`` in order, stretched to
    ``width`` if it is narrower."""
    groups = [(name, list(group)) for name, group in groupby(releases, _name_band)]
    missing = _find_missing(releases)
    widths = [_measure(group, missing) for _, group in groups]
    scale = max(1.0, width / (sum(widths) or 1))
    places: dict[str, tuple[float, float]] = {}
    bands, holes = [], []
    x = 0.0
    for (name, group), of_band in zip(groups, widths, strict=True):
        bands.append(Band(name, x, x + of_band * scale))
        torn = sum(row["release"] in missing for row in group)
        step = (of_band - _HOLE * torn) / len(group) * scale
        for row in group:
            if row["release"] in missing:
                before, count = missing[row["release"]]
                holes.append(Hole(before, row["release"], count, x, x + _HOLE * scale))
                x += _HOLE * scale
            places[row["release"]] = (x, x + step)
            x += step
    return Axis(places, bands, holes, x)


def _name_band(row: Row) -> str:
    return FIRST if str(row["series"]).startswith("0.") else str(row["series"])


def _find_missing(releases: Iterable[Row]) -> dict[str, tuple[str, int]]:
    """Return, for each release with a hole before it on this axis, the one before the hole and how
    many are missing."""
    holes = {}
    before = None
    for row in releases:
        if before is not None and row["missing"]:
            holes[str(row["release"])] = (str(row["before"]), int(row["missing"]))
        before = row["release"]
    return holes


def _measure(group: Sequence[Row], missing: dict[str, tuple[str, int]]) -> float:
    torn = sum(row["release"] in missing for row in group)
    return max(LEAST_BAND, _PER_RELEASE * len(group) + _HOLE * torn)
