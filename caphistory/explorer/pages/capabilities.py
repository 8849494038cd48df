"""The pages of privileges: all capabilities, and one of them, or suser, fsuser, uid0."""

from __future__ import annotations

from itertools import dropwhile, groupby

from caphistory.explorer.chart import Chart, Line, chart
from caphistory.explorer.pages.page import Asked, Page
from caphistory.questions.names import known_privilege, newest_release
from caphistory.records import ROOT_CHECKS, Row
from caphistory.wording.checks import ROOT_CHECK, namespaces
from caphistory.wording.kinds import CAPABILITY, ROOT

#: So many rows of the sites are on the page; the rest is in the CSV.
_MOST_SITES = 400


def index(asked: Asked) -> Page:
    """The capabilities of a release, and the root checks before them."""
    release = asked.release("release") or newest_release(asked.connection)
    rows = asked.ask("capability_list", release=release, abi=asked.abi)
    return Page(
        "capabilities",
        f"Capabilities in {release}",
        {"capability_list": rows},
        {
            "rows": rows,
            "release": release,
            "releases": asked.ask("release_list"),
        },
    )


def capability(asked: Asked) -> Page:
    """One privilege: definition, counts, syscalls, sites."""
    name = known_privilege(asked.connection, asked.parts["name"])
    releases = asked.ask("release_list")
    counts = asked.ask("privilege_counts", privilege=name, abi=asked.abi)
    default = counts[-1]["release"] if counts else newest_release(asked.connection)
    release = asked.release("release") or default
    definitions = [] if name in ROOT_CHECKS else asked.ask("definition_runs", capability=name)
    checks = asked.ask("which", privilege=name, release=release, abi=asked.abi)
    withheld = asked.ask("which_withheld", privilege=name, release=release, abi=asked.abi)
    sites = asked.ask("check_list", privilege=name, release=release)
    histories = asked.ask("which_all_releases", privilege=name, abi=asked.abi)
    return Page(
        "capability",
        name,
        {
            "syscalls": checks,
            "sites": sites,
            "counts": counts,
            "definitions": definitions,
            "histories": histories,
        },
        {
            "name": name,
            "meaning": ROOT_CHECK.get(name),
            "release": release,
            "releases": releases,
            "definitions": definitions,
            "syscalls": best(checks),
            "namespaces": namespaces(str(row["check_name"]) for row in checks),
            "withheld": len(withheld),
            "sites": sites[:_MOST_SITES],
            "all_sites": len(sites),
            "chart": count_chart(name, counts, _since(counts, releases)),
            "histories": [
                (syscall, list(group))
                for syscall, group in groupby(histories, lambda one: str(one["syscall"]))
            ],
        },
    )


def best(rows: list[Row]) -> list[tuple[Row, int]]:
    """For each syscall its first row, which is its best evidence, and how many it has."""
    found: dict[str, tuple[Row, int]] = {}
    for row in rows:
        first, count = found.get(row["syscall"], (row, 0))
        found[row["syscall"]] = (first, count + 1)
    return list(found.values())


def _since(counts: list[Row], releases: list[Row]) -> list[Row]:
    """The releases from the series on in which ``counts`` begin."""
    of_release = {one["release"]: one["series"] for one in releases}
    first = of_release[counts[0]["release"]] if counts else None
    return list(dropwhile(lambda one: one["series"] != first, releases))


def count_chart(name: str, counts: list[Row], releases: list[Row]) -> Chart:
    """The chart of the check sites and syscalls of a privilege, ``counts`` being rows of the
    query ``privilege_counts``."""
    of_release = {one["release"]: one for one in counts}
    lines = [
        Line(
            what,
            style,
            tuple(of_release.get(one["release"], {}).get(column, 0) for one in releases),
        )
        for what, column, style in (
            ("check sites", "sites", CAPABILITY),
            ("syscalls", "syscalls", ROOT),
        )
    ]
    return chart(
        lines,
        [(one["release"], one["series"]) for one in releases],
        f"How many sites and syscalls check {name} in each release",
    )
