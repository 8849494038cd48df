"""The pages of privileges: all capabilities, and one capability or suser, fsuser, uid0."""

from __future__ import annotations

from itertools import dropwhile, groupby

from caphistory.explorer.chart import Chart, Line, chart
from caphistory.explorer.pages.page import Asked, Page
from caphistory.questions.names import newest_release, resolve_privilege
from caphistory.records import ROOT_CHECKS, Row
from caphistory.wording.checks import ROOT_CHECK, find_namespaces
from caphistory.wording.kinds import CAPABILITY, ROOT

#: How many sites are on the page; the rest is in the CSV.
_MOST_SITES = 400


def index(asked: Asked) -> Page:
    """Return the page of a release's capabilities and the root checks before them."""
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
    """Return the page of one privilege: definition, counts, syscalls, sites."""
    name = resolve_privilege(asked.connection, asked.parts["name"])
    releases = asked.ask("release_list")
    counts = asked.ask("privilege_counts", privilege=name, abi=asked.abi)
    default = counts[-1]["release"] if counts else newest_release(asked.connection)
    release = asked.release("release") or default
    definitions = (
        [] if name in ROOT_CHECKS else asked.ask("definitions_through_releases", capability=name)
    )
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
            "syscalls": find_best(checks),
            "namespaces": find_namespaces(str(row["check_name"]) for row in checks),
            "withheld": len(withheld),
            "sites": sites[:_MOST_SITES],
            "all_sites": len(sites),
            "chart": draw_counts(name, counts, _since(counts, releases)),
            "histories": [
                (syscall, list(group))
                for syscall, group in groupby(histories, lambda row: str(row["syscall"]))
            ],
        },
    )


def find_best(rows: list[Row]) -> list[tuple[Row, int]]:
    """Return each syscall's first row, which is its best evidence, and the number of its rows."""
    best: dict[str, tuple[Row, int]] = {}
    for row in rows:
        first, count = best.get(row["syscall"], (row, 0))
        best[row["syscall"]] = (first, count + 1)
    return list(best.values())


def _since(counts: list[Row], releases: list[Row]) -> list[Row]:
    """Return the releases since the start of the series in which ``counts`` begin."""
    of_release = {row["release"]: row["series"] for row in releases}
    first = of_release[counts[0]["release"]] if counts else None
    return list(dropwhile(lambda row: row["series"] != first, releases))


def draw_counts(name: str, counts: list[Row], releases: list[Row]) -> Chart:
    """Return the chart of a privilege's check sites and syscalls; ``counts`` are rows of the query
    ``privilege_counts``."""
    of_release = {row["release"]: row for row in counts}
    lines = [
        Line(
            what,
            style,
            tuple(of_release.get(row["release"], {}).get(column, 0) for row in releases),
        )
        for what, column, style in (
            ("check sites", "sites", CAPABILITY),
            ("syscalls", "syscalls", ROOT),
        )
    ]
    return chart(
        lines,
        [(row["release"], row["series"]) for row in releases],
        f"How many sites and syscalls check {name} in each release",
    )
