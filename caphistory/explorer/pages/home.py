"""The home page: the result in one sentence, three ways in, the chart, and all questions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

from caphistory.explorer.chart import check_chart
from caphistory.explorer.metadata import group_queries
from caphistory.explorer.pages.page import Asked, Page
from caphistory.explorer.step_lines import Mark
from caphistory.questions.names import newest_release
from caphistory.records import ROOT_CHECKS, Row
from caphistory.wording.phrases import format_count

BECAME = {
    "capability": "for a capability",
    "root": "still for root",
    "gone": "are gone",
}
"""What the places that asked for root ask for later."""


class Part(NamedTuple):
    """A part of the bar: ``share`` is its size in tenths of the whole, at least 1."""

    became: str
    words: str
    places: int
    share: int


def home(asked: Asked) -> Page:
    """Return the home page."""
    newest = newest_release(asked.connection)
    releases = asked.ask("release_list", kind="release") or asked.ask("release_list")
    every = {row["release"]: row for row in asked.ask("release_list")}
    counts = asked.ask("check_counts", kind=releases[0]["kind"])
    ends = asked.ask("transition_ends")[0]
    places = judge_places(asked.ask("successions_between"))
    moved = _find_busiest(asked.ask("succession_moves"))
    parts = make_parts(places, _count_capabilities(asked))
    return Page(
        "home",
        "How Linux moved from root to capabilities",
        {"check_counts": counts, "releases": releases},
        {
            "newest": newest,
            "ends": ends,
            "years": {name: (every[name]["released"] or "")[:4] for name in ends.values()},
            "places": len(places),
            "bar": parts,
            "moved": moved,
            "moved_on": moved and every[moved[0]]["released"],
            "releases": releases,
            "number_of_releases": len(every),
            "first": next(iter(every)),
            "chart": check_chart(counts, releases, _make_marks(moved, releases)),
            "groups": group_queries(),
        },
        "Which Linux syscalls check which privilege, in which release, where, and since when:"
        f" read from the source of {format_count(len(every), 'release')}.",
    )


def judge_places(rows: Iterable[Row]) -> dict[str, str]:
    """Return what became of each place that asked for root, by its name: a key of BECAME. Of a
    place with several successors the first that BECAME lists counts. ``rows`` are of the query
    ``successions_between``."""
    became: dict[str, str] = {}
    for row in rows:
        if row["check_before"] not in ROOT_CHECKS:
            continue
        now = judge(row)
        place = str(row["site_before"])
        became[place] = min(became.get(place, now), now, key=[*BECAME].index)
    return became


def judge(row: Row) -> str:
    """Return what the successor of a row of ``successions_between`` asks for: a key of BECAME."""
    if row["check_after"] is None:
        return "gone"
    return "root" if row["check_after"] in ROOT_CHECKS else "capability"


def make_parts(places: Mapping[str, str], capabilities: int) -> list[Part]:
    """Return the parts of the bar, without empty ones."""
    counts = Counter(places.values())
    words = BECAME | {"capability": f"for one of {format_count(capabilities, 'capability')}"}
    return [
        Part(name, words[name], counts[name], max(1, round(10 * counts[name] / len(places))))
        for name in BECAME
        if counts[name]
    ]


def _count_capabilities(asked: Asked) -> int:
    return len(
        {
            row["capability_after"]
            for row in asked.ask("successions_between")
            if row["check_before"] in ROOT_CHECKS and row["capability_after"]
        }
    )


def _find_busiest(moves: Iterable[Row]) -> tuple[str, int] | None:
    """Return the release in which most root checks became capabilities, and how many."""
    counts = Counter(str(row["release"]) for row in moves if row["move"] == "to capability")
    return counts.most_common(1)[0] if counts else None


def _make_marks(moved: tuple[str, int] | None, releases: Sequence[Row]) -> list[Mark]:
    if not moved:
        return []
    release, count = moved
    return [Mark(release, f"{release}: {format_count(count, 'check')} of root became capabilities")]


def group_by_series(releases: list[Row]) -> list[tuple[str, list[Row]]]:
    """Group releases, which must be in order, by series."""
    return [(name, list(group)) for name, group in groupby(releases, lambda row: row["series"])]
