"""Which release each release is compared with: the lines of development; and what is missing
between the two.

Series do not follow one another like the numbers do: 2.1.0 grew out of 2.0.21 while
2.0 went on to 2.0.40, and 2.6.12 grew out of 2.6.11 and not out of 2.6.11.12.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable
from functools import cache
from itertools import takewhile
from typing import NamedTuple

from caphistory.records import Release

#: The release of the stable series before it (by its last number) that a development series
#: branched from, where the stable series went on afterwards. Found in the trees: of all
#: releases of the stable series this one differs least from the first of the development
#: series (1.0.6 by 1,161 lines, 1.2.10 by 41,345, 2.2.8 by 4 and 2.4.15 by 6). Only 2.1.0
#: is nearer to 2.0.22, which came after it; 2.0.21 was the newest at the time.
BRANCHED_FROM = {
    "1.1": ("1.0", 6),
    "1.3": ("1.2", 10),
    "2.1": ("2.0", 21),
    "2.3": ("2.2", 8),
    "2.5": ("2.4", 15),
}

# Releases of the stable team, which nothing later grows out of: the fourth number of
# 2.6.x.y and the third of 3.x.y and later. (2.4.14.9, a step between 2.4.14 and 2.4.15,
# also has four numbers, and 2.4.15 is compared with 2.4.14 all the same.)
_POINT_RELEASE = re.compile(r"(2\.\d+\.\d+|(?:[3-9]|\d{2,})\.\d+)\.\d+$")


# The releases of the mainline: the last number of each series, in the order in which they grew
# out of one another (0.01, 0.02, 0.03, 0.10: each its own series). From 3.0 on the numbers after
# the first go on: 3.19, 4.0.
_LAST_NUMBERS = {
    "0.01": 0, "0.02": 0, "0.03": 0, "0.10": 0, "0.11": 0, "0.12": 0, "0.95": 0, "0.96": 0,
    "0.97": 6, "0.98": 6, "0.99": 15, "1.0": 9, "1.1": 95, "1.2": 13, "1.3": 100, "2.0": 40,
    "2.1": 132, "2.2": 26, "2.3": 51, "2.4": 37, "2.5": 75, "2.6": 39,
    "3": 19, "4": 20, "5": 19, "6": 19,
}  # fmt: skip
_RANKS = {series: rank for rank, series in enumerate(_LAST_NUMBERS)}
_NUMBERS = re.compile(
    r"(?:[a-z0-9]+-v?)?(?P<pre>pre)?"
    r"(?P<series>(?P<major>\d+)\.(?P<minor>\d+))(?:\.(?P<sub>\d+))?"
)
_STAGE = re.compile(r"pre|rc|test|alpha|final")


class Predecessor(NamedTuple):
    """The release that another is compared with: its ``position``, and the mainline releases
    ``missing`` between the two, none where they are adjacent."""

    position: int
    missing: tuple[str, ...]


def link_predecessors(releases: Iterable[Release]) -> dict[int, Predecessor | None]:
    """Return what each release is compared with, by its own position.

    A release follows the release before it in its series, the first of a series the one it
    branched from, or, where that is not among ``releases``, the nearest before it. A
    prerelease also follows prereleases; no release does, so that what it is compared with
    does not depend on prereleases being stored. A stable release (2.6.11.2, 3.2.4) stands for
    the mainline release that it was made from where that is not among ``releases``, the first
    of them for all. None for the first of all.
    """
    ordered = sorted(releases, key=lambda release: release.position)
    stems: dict[str, int] = {}
    for release in ordered:
        stems.setdefault(_find_stem(release) or release.release, release.position)
    return {
        release.position: _link(_find_predecessor(release, ordered, stems), release)
        for release in ordered
    }


def count_missing(predecessor: Predecessor | None) -> tuple[int | None, int | None]:
    """Return the position of a predecessor, and how many releases are missing before it."""
    return (predecessor.position, len(predecessor.missing)) if predecessor else (None, None)


def find_predecessors(releases: Iterable[Release]) -> dict[int, int | None]:
    """Return only the positions of ``link_predecessors``."""
    return {
        position: predecessor.position if predecessor else None
        for position, predecessor in link_predecessors(releases).items()
    }


def may_exist(release: str) -> bool:
    """Whether there may be a release of this name: no series that ended goes on (2.2.42)."""
    numbers = _NUMBERS.match(release)
    if numbers is None or numbers["pre"]:
        return numbers is not None
    if int(numbers["major"]) > 2:
        major, minor = numbers["major"], int(numbers["minor"])
        return minor <= _LAST_NUMBERS.get(major, minor)
    # 2.2.27 had prereleases, and 2.3.99 had only these.
    last = _LAST_NUMBERS.get(numbers["series"], -1)
    number = int(numbers["sub"] or 0)
    return number <= last or (last >= 0 and _STAGE.search(release) is not None)


@cache
def list_between(before: str, after: str) -> tuple[str, ...]:
    """Return the mainline releases after one release and before another, along the line of the
    later.

    A stable release comes after the mainline release that it was made from (2.6.11.1 after 2.6.11),
    a prerelease before its release.
    """
    series, last = _parse_number(after)
    line = [*_list_line(series), *((series, number) for number in range(last + 1))]
    end = len(line) if _POINT_RELEASE.match(after) else -1
    return tuple(_format_name(*place) for place in line[_count_until(before, line) : end])


def _link(before: Release | None, after: Release) -> Predecessor | None:
    """Return the predecessor that a release before makes, with what is missing between."""
    if before is None:
        return None
    return Predecessor(before.position, list_between(before.release, after.release))


@cache
def _list_line(series: str) -> tuple[tuple[str, int], ...]:
    """Return the mainline releases before a series, as series and number; of a stable series those
    until the next series branched from it."""
    branches = dict(BRANCHED_FROM.values())
    before = takewhile(lambda earlier: earlier != series, _LAST_NUMBERS)
    return tuple(
        (earlier, number)
        for earlier in before
        for number in range(branches.get(earlier, _LAST_NUMBERS[earlier]) + 1)
    )


def _count_until(release: str, line: list[tuple[str, int]]) -> int:
    """Return how many on the line are a release or came before it."""
    series, number = _parse_number(release)
    if _STAGE.search(release):
        number -= 1
    return bisect_right(
        line, (_rank_series(series), number), key=lambda other: (_rank_series(other[0]), other[1])
    )


def _rank_series(series: str) -> int:
    """Return the place of a series in the order of ``_LAST_NUMBERS``, and of a later major after
    it."""
    if series in _RANKS:
        return _RANKS[series]
    return len(_RANKS) + (int(series) if series.isdigit() else 0)


def _parse_number(release: str) -> tuple[str, int]:
    """Return the series and the number of the mainline release that a release is of."""
    numbers = _NUMBERS.match(release)
    if numbers is None or numbers["pre"]:
        return numbers["series"] if numbers else release, 0
    if int(numbers["major"]) > 2:
        return numbers["major"], int(numbers["minor"])
    # 2.3.99pre1 comes right after 2.3.51.
    series, number = numbers["series"], int(numbers["sub"] or 0)
    return series, min(number, _LAST_NUMBERS.get(series, number) + 1)


def _format_name(series: str, number: int) -> str:
    """Return the name of a mainline release."""
    if "." not in series:
        return f"{series}.{number}"
    # 1.0 and 2.0, but 1.1.0 and 2.2.0.
    first = number == 0 and (series.startswith("0.") or series in ("1.0", "2.0"))
    return series if first else f"{series}.{number}"


def _find_predecessor(
    release: Release, ordered: list[Release], stems: dict[str, int]
) -> Release | None:
    """Return the release that another is compared with; ``ordered`` is by position, ``stems`` has
    the first position of each mainline release."""
    end = bisect_left(ordered, release.position, key=lambda other: other.position)

    def nearest(wanted: Callable[[Release], bool]) -> Release | None:
        earlier = reversed(ordered[:end])
        return next(
            (other for other in earlier if wanted(other) and _may_follow(release, other, stems)),
            None,
        )

    return (
        nearest(lambda other: other.series == release.series)
        or nearest(lambda other: _is_branch_point(other, release.series))
        or nearest(lambda other: True)
    )


def _may_follow(release: Release, other: Release, stems: dict[str, int]) -> bool:
    """Whether a release may be compared with an earlier one."""
    if release.kind == "release" and other.kind != "release":
        return False
    stem = _find_stem(other)
    return stem in (None, _find_stem(release)) or stems[stem] == other.position


def _is_branch_point(other: Release, series: str) -> bool:
    """Whether a release comes before the branching of a development series."""
    base, newest = BRANCHED_FROM.get(series, ("", 0))
    if other.series != base:
        return False
    number = other.release.removeprefix(base).lstrip(".")
    return not number or (number.isdigit() and int(number) <= newest)


def _find_stem(release: Release) -> str | None:
    """Return the mainline release that a point release was made from; None for one of the
    mainline."""
    match = _POINT_RELEASE.match(release.release)
    return match[1] if match and release.kind == "release" else None
