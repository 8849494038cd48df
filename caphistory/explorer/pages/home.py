"""The home page: what this is, the chart, and where to start."""

from __future__ import annotations

from itertools import groupby

from caphistory.explorer.chart import check_chart
from caphistory.explorer.metadata import list_queries
from caphistory.explorer.pages.page import Asked, Page
from caphistory.questions.names import newest_release
from caphistory.records import Row

#: Syscalls with an instructive history; those that the database has are shown.
_EXAMPLES = (
    "setgid",
    "chroot",
    "bind",
    "mount",
    "reboot",
    "nice",
    "kill",
    "ioperm",
    "settimeofday",
)
_MOST_RUNS = 8


def home(asked: Asked) -> Page:
    """Return the home page."""
    newest = newest_release(asked.connection)
    releases = asked.ask("release_list", kind="release") or asked.ask("release_list")
    counts = asked.ask("check_counts", kind=releases[0]["kind"])
    histories = {name: asked.ask("timeline", syscall=name) for name in _EXAMPLES}
    timelines = {name: runs for name, runs in histories.items() if 0 < len(runs) <= _MOST_RUNS}
    capabilities = asked.ask("capability_list", release=newest)
    return Page(
        "home",
        "Linux' move from root to capabilities",
        {"check_counts": counts, "releases": releases, "capabilities": capabilities},
        {
            "newest": newest,
            "ends": [asked.ask("transition_ends")[0][name] for name in ("from", "to")],
            "first_capable": next(
                (row["release"] for row in counts if row["check_name"] == "capable"), None
            ),
            "releases": releases,
            "first": releases[0]["release"],
            "number_of_releases": len(asked.ask("release_list")),
            "chart": check_chart(counts, [(row["release"], row["series"]) for row in releases]),
            "series": group_by_series(releases),
            "timelines": timelines,
            "capabilities": capabilities,
            "questions": list_queries(),
        },
    )


def group_by_series(releases: list[Row]) -> list[tuple[str, list[Row]]]:
    """Group releases, which must be in order, by series."""
    return [(name, list(group)) for name, group in groupby(releases, lambda row: row["series"])]
