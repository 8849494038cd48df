"""The transition pages: the matrix of syscalls and releases, and two releases compared."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

from markupsafe import Markup

from caphistory.explorer.pages.page import Asked, Page
from caphistory.explorer.strips import Bar, draw_axis, draw_labels, draw_strip, group_series
from caphistory.questions.names import list_privileges, resolve_privilege
from caphistory.records import Row
from caphistory.wording.kinds import classify, split_privileges
from caphistory.wording.phrases import format_count, format_run

HEADINGS = {
    "capability": "From root to a capability",
    "changed": "Changed otherwise",
    "gained": "Checked nothing before",
    "lost": "Check nothing any more",
    "added": "New syscalls that check something",
    "removed": "Syscalls that are gone",
}
"""The heading for each value of ``became`` in the query ``transition``."""

_NO_FILE = "unknown"


class Filters(NamedTuple):
    """What the reader wants to see of the matrix; None means no restriction."""

    series: str | None
    privilege: str | None
    subsystem: str | None
    everything: bool


class Syscall(NamedTuple):
    """A row of the matrix; ``runs`` are those that overlap the shown releases, ``now`` says briefly
    what the last of these checks."""

    name: str
    strip: Markup
    runs: list[Row]
    now: str


def transition(asked: Asked) -> Page:
    """Return the comparison of two releases if one is named, else the matrix."""
    if asked.given("from") or asked.given("to"):
        return _compare(asked)
    return _draw_matrix(asked)


def _compare(asked: Asked) -> Page:
    ends = {name: asked.release(name) for name in ("from", "to")}
    rows = asked.ask("transition", **ends, abi=asked.abi)
    # If nothing changed, no row says which releases the query compares.
    compared = asked.ask("transition_ends", **ends)[0]
    groups = [
        (heading, [row for row in rows if row["became"] == became])
        for became, heading in HEADINGS.items()
    ]
    return Page(
        "compare",
        f"What changed from {compared['from']} to {compared['to']}",
        {"transition": rows},
        {
            "ends": compared,
            "groups": [(heading, group) for heading, group in groups if group],
            "total": len(rows),
            "releases": asked.ask("release_list"),
        },
    )


def _draw_matrix(asked: Asked) -> Page:
    releases = asked.ask("release_list")
    series = list(dict.fromkeys(str(row["series"]) for row in releases))
    subsystem_of = {
        str(row["syscall"]): _find_subsystem(row)
        for row in asked.ask("syscall_index", abi=asked.abi)
    }
    subsystems = sorted(set(subsystem_of.values()))
    privilege = asked.given("privilege")
    chosen = Filters(
        asked.choice("series", series),
        privilege and resolve_privilege(asked.connection, privilege),
        asked.choice("subsystem", subsystems),
        asked.given("all") is not None,
    )
    shown = [row for row in releases if chosen.series in (None, row["series"])]
    column = {str(row["release"]): at for at, row in enumerate(shown)}
    kept = {
        name: runs
        for name, runs in _group_by_syscall(asked.ask("matrix", abi=asked.abi), shown, releases)
        if _is_wanted(runs, subsystem_of.get(name, _NO_FILE), chosen)
    }
    changes = [
        row
        for row in asked.ask("release_changes", abi=asked.abi)
        if row["syscall"] in kept and row["to_release"] in column
    ]
    counts = Counter(str(row["to_release"]) for row in changes)
    sections = group_series([(row["release"], row["series"]) for row in shown])
    return Page(
        "transition",
        "What every syscall checks, through the releases",
        {"matrix": [run for runs in kept.values() for run in runs]},
        {
            "rows": _make_rows(kept, changes, column),
            "labels": draw_labels(sections, len(shown), _find_busiest(counts, column)),
            "axis": draw_axis(
                sections, {column[release]: count for release, count in counts.items()}, len(shown)
            ),
            "busiest": counts.most_common(5),
            "first": shown[0]["release"],
            "last": shown[-1]["release"],
            "releases": releases,
            "choices": {
                "series": series,
                "privilege": list_privileges(asked.connection),
                "subsystem": subsystems,
            },
            "chosen": chosen._asdict(),
        },
    )


def _group_by_syscall(
    runs: Iterable[Row], shown: Sequence[Row], releases: Sequence[Row]
) -> Iterable[tuple[str, list[Row]]]:
    """Group the runs, which must be in order, by syscall, leaving out those outside the shown
    releases."""
    ordinal = {row["release"]: row["ordinal"] for row in releases}
    first, last = shown[0]["ordinal"], shown[-1]["ordinal"]
    overlapping = (
        run
        for run in runs
        if ordinal[run["first_release"]] <= last and ordinal[run["last_release"]] >= first
    )
    return (
        (name, list(group)) for name, group in groupby(overlapping, lambda run: str(run["syscall"]))
    )


def _is_wanted(runs: list[Row], subsystem: str, chosen: Filters) -> bool:
    names = {name for run in runs for name in split_privileges(run["checks"])}
    if chosen.subsystem not in (None, subsystem):
        return False
    if chosen.privilege is not None:
        return chosen.privilege in names
    return bool(names) or chosen.everything


def _make_rows(
    kept: Mapping[str, list[Row]], changes: Iterable[Row], column: Mapping[str, int]
) -> list[Syscall]:
    changed: defaultdict[str, list[int]] = defaultdict(list)
    for change in changes:
        changed[change["syscall"]].append(column[change["to_release"]])
    return [_make_row(name, runs, changed[name], column) for name, runs in kept.items()]


def _make_row(name: str, runs: list[Row], changes: list[int], column: Mapping[str, int]) -> Syscall:
    newest = len(column) - 1
    # A run that extends beyond the shown releases is cut off.
    bars = [
        Bar(
            column.get(run["first_release"], 0),
            column.get(run["last_release"], newest),
            classify(run["checks"]),
            f"{name} {format_run(run)}: {run['checks'] or 'nothing'}",
        )
        for run in runs
    ]
    now = "gone" if bars[-1].last < newest else _shorten(runs[-1]["checks"])
    return Syscall(name, draw_strip(bars, changes, len(column)), runs, now)


def _find_busiest(counts: Counter[str], column: Mapping[str, int]) -> tuple[int, str] | None:
    """Return the column of the release with the most changes and their number as text; None if
    nothing changed."""
    if not counts:
        return None
    (release, count), *_ = counts.most_common(1)
    return column[release], f"{release}: {format_count(count, 'change')}"


def _shorten(checks: str) -> str:
    names = split_privileges(checks)
    return (
        format_count(len(names), "privilege") if len(names) > 2 else ", ".join(names) or "nothing"
    )


def _find_subsystem(syscall: Row) -> str:
    """Return the first folder of the file that defines a syscall, such as ``fs``."""
    return str(syscall["path"]).split("/", 1)[0] if syscall["path"] else _NO_FILE
