"""The transition pages: a strip for every syscall through all releases, and two releases
compared."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

from markupsafe import Markup

from caphistory.explorer.pages.page import Asked, Page
from caphistory.explorer.pages.paging import cut_page
from caphistory.explorer.pages.successions import count_flows
from caphistory.explorer.ribbons import draw_ribbons
from caphistory.explorer.strips import Bar, define_holes, draw_axis, draw_labels, draw_strip
from caphistory.questions.names import list_privileges, resolve_privilege
from caphistory.records import Row
from caphistory.wording.axis import Axis, lay_out
from caphistory.wording.kinds import BOTH, classify, split_privileges
from caphistory.wording.phrases import format_count, format_run

HEADINGS = {
    "capability": "From root to a capability alone",
    "both": "From root to a capability, and root still",
    "changed": "Changed otherwise",
    "gained": "Checked nothing before",
    "lost": "Check nothing any more",
    "added": "New syscalls that check something",
    "removed": "Syscalls that are gone",
}
"""The heading for each value of ``became`` in the query ``transition``; what came to ask for a
capability is ``both`` where root is still asked for somewhere too."""

SORTS = {"name": "by name", "changed": "what changed most first", "subsystem": "by subsystem"}

NO_FILE = "unknown"

#: How many strips are on a page: so many are less than 150 KB, also those with most changes.
_MOST_ROWS, _MOST_CHANGED = 60, 22


class Filters(NamedTuple):
    """What the reader wants to see of the strips; None means no restriction."""

    series: str | None
    privilege: str | None
    subsystem: str | None
    sort: str
    everything: bool


class Syscall(NamedTuple):
    """A row of the strips; ``story`` says briefly what was checked first and what is last,
    ``changes`` counts the changes that no hole hides."""

    name: str
    strip: Markup
    story: str
    changes: int


def transition(asked: Asked) -> Page:
    """Return the comparison of two releases if one is named, or an operation, else the strips."""
    if asked.given("operation"):
        return _compare_operations(asked)
    if asked.given("from") or asked.given("to"):
        return _compare(asked)
    return _draw_strips(asked)


def _compare(asked: Asked) -> Page:
    ends = {name: asked.release(name) for name in ("from", "to")}
    rows = asked.ask("transition", **ends, abi=asked.abi)
    # If nothing changed, no row says which releases the query compares.
    compared = asked.ask("transition_ends", **ends)[0]
    groups = [
        (heading, [row for row in rows if _find_group(row) == became])
        for became, heading in HEADINGS.items()
    ]
    return Page(
        "compare",
        f"What changed from {compared['from']} to {compared['to']}",
        {"transition": rows},
        {
            "ends": compared,
            "operation": None,
            "groups": [(heading, group) for heading, group in groups if group],
            "total": len(rows),
            "missing": rows[0]["missing"] if rows else 0,
            "ribbons": draw_ribbons(
                count_flows(asked.ask("successions_between", **compared)),
                lambda flow: asked.addresses.page(
                    "successions", privilege=flow.before, after=flow.after, **compared
                ),
            ),
            "releases": asked.ask("release_list"),
        },
        f"{format_count(len(rows), 'syscall')} changed what they check from {compared['from']} to"
        f" {compared['to']}.",
    )


def _compare_operations(asked: Asked) -> Page:
    """Return the comparison of two releases by operation."""
    operation = asked.given("operation")
    ends = {name: asked.release(name) for name in ("from", "to")}
    rows = asked.ask("operation_changes", **ends, operation=operation, abi=asked.abi)
    compared = asked.ask("transition_ends", **ends)[0]
    shown, pages = cut_page(asked, rows)
    return Page(
        "compare",
        f"What changed for {operation} from {compared['from']} to {compared['to']}",
        {"operation_changes": rows},
        {
            "ends": compared,
            "operation": operation,
            "groups": [("By operation", shown)] if shown else [],
            "pages": pages,
            "total": len(rows),
            "missing": rows[0]["missing"] if rows else 0,
            "ribbons": "",
            "releases": asked.ask("release_list"),
        },
        f"{format_count(len(rows), 'operation')} of Linux syscalls ask for something else in"
        f" {compared['to']} than in {compared['from']}.",
    )


def _find_group(row: Row) -> str:
    """Return the key of HEADINGS under which a row of the query ``transition`` stands."""
    still_root = row["became"] == "capability" and classify(row["after"]) == BOTH
    return "both" if still_root else str(row["became"])


def _draw_strips(asked: Asked) -> Page:
    releases = asked.ask("release_list")
    series = list(dict.fromkeys(str(row["series"]) for row in releases))
    subsystem_of = {
        str(row["syscall"]): find_subsystem(row)
        for row in asked.ask("syscall_index", abi=asked.abi)
    }
    subsystems = sorted(set(subsystem_of.values()))
    privilege = asked.given("privilege")
    chosen = Filters(
        asked.choice("series", series),
        privilege and resolve_privilege(asked.connection, privilege),
        asked.choice("subsystem", subsystems),
        asked.choice("sort", SORTS) or "name",
        asked.given("all") is not None,
    )
    shown = [row for row in releases if chosen.series in (None, row["series"])]
    axis = lay_out(shown)
    kept = {
        name: runs
        for name, runs in _group_by_syscall(asked.ask("matrix", abi=asked.abi), shown, releases)
        if _is_wanted(runs, subsystem_of.get(name, NO_FILE), chosen)
    }
    # What differs across a hole may have changed in any of the releases that are missing there.
    changes = [
        row
        for row in asked.ask("release_changes", abi=asked.abi)
        if row["syscall"] in kept and row["to_release"] in axis.places and not row["missing"]
    ]
    counts = Counter(str(row["to_release"]) for row in changes)
    rows, pages = cut_page(
        asked,
        _sort_rows(_make_rows(kept, changes, axis), chosen.sort, subsystem_of),
        _MOST_CHANGED if chosen.sort == "changed" else _MOST_ROWS,
    )
    return Page(
        "transition",
        "What every syscall checks, through the releases",
        {"matrix": [run for runs in kept.values() for run in runs]},
        {
            "rows": rows,
            "total": len(kept),
            "pages": pages,
            "labels": draw_labels(axis, _find_busiest(counts)),
            "axis": draw_axis(axis, counts),
            "holes": define_holes(axis),
            "missing": sum(hole.missing for hole in axis.holes),
            "busiest": counts.most_common(5),
            "first": shown[0]["release"],
            "last": shown[-1]["release"],
            "releases": releases,
            "choices": {
                "series": series,
                "privilege": list_privileges(asked.connection),
                "subsystem": subsystems,
            },
            "sorts": SORTS,
            "chosen": chosen._asdict(),
        },
        f"What {format_count(len(kept), 'syscall')} ask for in every release from"
        f" {shown[0]['release']} to {shown[-1]['release']}.",
        wide=True,
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


def _make_rows(kept: Mapping[str, list[Row]], changes: Iterable[Row], axis: Axis) -> list[Syscall]:
    changed: defaultdict[str, list[float]] = defaultdict(list)
    for change in changes:
        changed[change["syscall"]].append(axis.left(change["to_release"]))
    return [_make_row(name, runs, changed[name], axis) for name, runs in kept.items()]


def _make_row(name: str, runs: list[Row], changes: list[float], axis: Axis) -> Syscall:
    # A run that extends beyond the shown releases is cut off.
    bars = [
        Bar(
            axis.left(run["first_release"]),
            axis.right(run["last_release"]),
            classify(run["checks"]),
            f"{name} {format_run(run)}: {run['checks'] or 'nothing'}",
        )
        for run in runs
    ]
    now = "gone" if bars[-1].right < axis.width else _shorten(runs[-1]["checks"])
    then = next((_shorten(run["checks"]) for run in runs if run["checks"]), now)
    story = now if then == now else f"{then} → {now}"
    return Syscall(name, draw_strip(bars, changes, axis), story, len(changes))


def _sort_rows(rows: list[Syscall], sort: str, subsystem_of: Mapping[str, str]) -> list[Syscall]:
    if sort == "changed":
        return sorted(rows, key=lambda row: (-row.changes, row.name))
    if sort == "subsystem":
        return sorted(rows, key=lambda row: (subsystem_of.get(row.name, NO_FILE), row.name))
    return rows


def _find_busiest(counts: Counter[str]) -> tuple[str, str] | None:
    """Return the release with the most changes and their number as text; None if nothing
    changed."""
    if not counts:
        return None
    (release, count), *_ = counts.most_common(1)
    return release, f"{release}: {format_count(count, 'change')}"


def _shorten(checks: str) -> str:
    names = split_privileges(checks)
    return format_count(len(names), "privilege") if len(names) > 1 else "".join(names) or "nothing"


def find_subsystem(syscall: Row) -> str:
    """Return the first folder of the file that defines a syscall, such as ``fs``."""
    return str(syscall["path"]).split("/", 1)[0] if syscall["path"] else NO_FILE
