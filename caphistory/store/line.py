"""Which release each release is compared with: the lines of development.

Series do not follow one another like the numbers do: 2.1.0 grew out of 2.0.21 while
2.0 went on to 2.0.40, and 2.6.12 grew out of 2.6.11 and not out of 2.6.11.12.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable

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


def find_predecessors(releases: Iterable[Release]) -> dict[int, int | None]:
    """The position of the release that each one is compared with, by its own position.

    A release follows the release before it in its series, the first of a series the one it
    branched from, or, where that is not among ``releases``, the nearest before it. A
    prerelease also follows prereleases; no release does, so that what it is compared with
    does not depend on prereleases being stored. None for the first of all.
    """
    ordered = sorted(releases, key=lambda release: release.position)
    return {release.position: _predecessor(release, ordered) for release in ordered}


def _predecessor(release: Release, ordered: list[Release]) -> int | None:
    end = bisect_left(ordered, release.position, key=lambda other: other.position)

    def nearest(wanted: Callable[[Release], bool]) -> Release | None:
        earlier = reversed(ordered[:end])
        return next(
            (other for other in earlier if wanted(other) and _may_follow(release, other)), None
        )

    before = (
        nearest(lambda other: other.series == release.series)
        or nearest(lambda other: _is_branch_point(other, release.series))
        or nearest(lambda other: True)
    )
    return before.position if before else None


def _may_follow(release: Release, other: Release) -> bool:
    if release.kind == "release" and other.kind != "release":
        return False
    return _stem(other) in (None, _stem(release))


def _is_branch_point(other: Release, series: str) -> bool:
    base, newest = BRANCHED_FROM.get(series, ("", 0))
    if other.series != base:
        return False
    number = other.release.removeprefix(base).lstrip(".")
    return not number or (number.isdigit() and int(number) <= newest)


def _stem(release: Release) -> str | None:
    """What a point release is a point release of; None for one of the main line."""
    match = _POINT_RELEASE.match(release.release)
    return match[1] if match and release.kind == "release" else None
