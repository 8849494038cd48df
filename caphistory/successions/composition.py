"""Compose what became of checks from release to release into what became of them over all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from caphistory.successions.contexts import Site
from caphistory.successions.matching import Match, Pair, list_fates


class _Way(NamedTuple):
    """The way of a site so far, by keys: where it began and where it is, None once it is lost;
    ``last`` is the match in which it was lost."""

    start: int
    now: int | None
    found: str
    certain: bool
    last: Match | None


def compose(
    before: Sequence[Site], after: Sequence[Site], steps: Iterable[Sequence[Match]]
) -> list[Match]:
    """Return what became of the sites of ``before`` in ``after``; ``steps`` are the matches from
    each release on the way to the next, the first from ``before`` and the last to ``after``. A site
    that a step does not name is the same in both of its releases."""
    ways = [_Way(site.key, site.key, "function", True, None) for site in before]
    for step in steps:
        named: dict[int | None, list[Match]] = {}
        for match in step:
            named.setdefault(match.before, []).append(match)
        ways = [
            longer
            for way in ways
            for longer in ([way] if way.now is None else _extend(way, named.get(way.now)))
        ]
    old = {site.key: site for site in before}
    new = {site.key: site for site in after}
    pairs = {
        (way.start, way.now): Pair(old[way.start], new[way.now], way.found, way.certain, None)
        for way in ways
        if way.now in new
    }
    reached = {key for _, key in pairs}
    kept = {key for key, _ in pairs}
    lost = {way.start: way for way in ways if way.last is not None and way.start not in kept}
    return [
        *list_fates(list(pairs.values())),
        *(
            Match(
                key,
                None,
                way.last.fate,
                "",
                way.certain and way.last.fate == "gone",
                None,
                way.last.lives,
            )
            for key, way in lost.items()
            if way.last is not None
        ),
        *(Match(None, key, "new", "", True, None) for key in new if key not in reached),
    ]


def _extend(way: _Way, matches: Sequence[Match] | None) -> list[_Way]:
    """Return the ways that a step, whose matches of the site these are, makes of one way."""
    if matches is None:
        return [way]
    return [
        _Way(
            way.start,
            match.after,
            way.found if match.found in ("", "function") else match.found,
            way.certain and match.certain,
            match if match.after is None else None,
        )
        for match in matches
    ]
