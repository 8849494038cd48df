"""The transition: the matrix of syscalls and releases, and two releases compared."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

from markupsafe import Markup

from caphistory.explorer.pages.page import Asked, Page
from caphistory.explorer.strips import Bar, axis, labels, series_of, strip
from caphistory.questions.names import known_privilege
from caphistory.questions.names import privileges as known_privileges
from caphistory.records import Row
from caphistory.wording.kinds import kind, privileges
from caphistory.wording.phrases import counted, span

HEADINGS = {
    "capability": "From root to a capability",
    "changed": "Changed otherwise",
    "gained": "Checked nothing before",
    "lost": "Check nothing any more",
    "added": "New syscalls that check something",
    "removed": "Syscalls that are gone",
}
"""What a row of the query ``transition`` became, in words."""

_NO_FILE = "unknown"


class Filters(NamedTuple):
    """What a reader wants to see of the matrix: None is everything."""

    series: str | None
    privilege: str | None
    subsystem: str | None
    everything: bool


class Syscall(NamedTuple):
    """A row of the matrix; ``runs`` are those that the shown releases see, ``now`` says in
    short what the last of these releases has."""

    name: str
    strip: Markup
    runs: list[Row]
    now: str


def transition(asked: Asked) -> Page:
    """Two releases compared where one is named, else the matrix."""
    if asked.given("from") or asked.given("to"):
        return _compared(asked)
    return _matrix(asked)


def _compared(asked: Asked) -> Page:
    ends = {name: asked.release(name) for name in ("from", "to")}
    rows = asked.ask("transition", **ends, abi=asked.abi)
    # Where nothing changed no row says which releases the query compares.
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


def _matrix(asked: Asked) -> Page:
    releases = asked.ask("release_list")
    series = list(dict.fromkeys(str(one["series"]) for one in releases))
    subsystem_of = {
        str(one["syscall"]): _subsystem(one) for one in asked.ask("syscall_index", abi=asked.abi)
    }
    subsystems = sorted(set(subsystem_of.values()))
    privilege = asked.given("privilege")
    chosen = Filters(
        asked.choice("series", series),
        privilege and known_privilege(asked.connection, privilege),
        asked.choice("subsystem", subsystems),
        asked.given("all") is not None,
    )
    shown = [one for one in releases if chosen.series in (None, one["series"])]
    column = {str(one["release"]): at for at, one in enumerate(shown)}
    kept = {
        name: runs
        for name, runs in _by_syscall(asked.ask("matrix", abi=asked.abi), shown, releases)
        if _wanted(runs, subsystem_of.get(name, _NO_FILE), chosen)
    }
    changes = [
        one
        for one in asked.ask("release_changes", abi=asked.abi)
        if one["syscall"] in kept and one["to_release"] in column
    ]
    counts = Counter(str(one["to_release"]) for one in changes)
    sections = series_of([(one["release"], one["series"]) for one in shown])
    return Page(
        "transition",
        "What every syscall checks, through the releases",
        {"matrix": [run for runs in kept.values() for run in runs]},
        {
            "rows": _rows(kept, changes, column),
            "labels": labels(sections, len(shown), _pointed(counts, column)),
            "axis": axis(sections, {column[one]: n for one, n in counts.items()}, len(shown)),
            "busiest": counts.most_common(5),
            "first": shown[0]["release"],
            "last": shown[-1]["release"],
            "releases": releases,
            "choices": {
                "series": series,
                "privilege": known_privileges(asked.connection),
                "subsystem": subsystems,
            },
            "chosen": chosen._asdict(),
        },
    )


def _by_syscall(
    runs: Iterable[Row], shown: Sequence[Row], releases: Sequence[Row]
) -> Iterable[tuple[str, list[Row]]]:
    """The runs, which are in order, of each syscall, those that see the shown releases."""
    ordinal = {one["release"]: one["ordinal"] for one in releases}
    first, last = shown[0]["ordinal"], shown[-1]["ordinal"]
    seen = (
        run
        for run in runs
        if ordinal[run["first_release"]] <= last and ordinal[run["last_release"]] >= first
    )
    return ((name, list(group)) for name, group in groupby(seen, lambda run: str(run["syscall"])))


def _wanted(runs: list[Row], subsystem: str, chosen: Filters) -> bool:
    names = {name for run in runs for name in privileges(run["checks"])}
    if chosen.subsystem not in (None, subsystem):
        return False
    if chosen.privilege is not None:
        return chosen.privilege in names
    return bool(names) or chosen.everything


def _rows(
    kept: Mapping[str, list[Row]], changes: Iterable[Row], column: Mapping[str, int]
) -> list[Syscall]:
    changed: dict[str, list[int]] = defaultdict(list)
    for change in changes:
        changed[change["syscall"]].append(column[change["to_release"]])
    return [_row(name, runs, changed[name], column) for name, runs in kept.items()]


def _row(name: str, runs: list[Row], changes: list[int], column: Mapping[str, int]) -> Syscall:
    newest = len(column) - 1
    # A run that begins before the shown releases, or ends after them, is cut off there.
    bars = [
        Bar(
            column.get(run["first_release"], 0),
            column.get(run["last_release"], newest),
            kind(run["checks"]),
            f"{name} {span(run)}: {run['checks'] or 'nothing'}",
        )
        for run in runs
    ]
    now = "gone" if bars[-1].last < newest else _in_short(runs[-1]["checks"])
    return Syscall(name, strip(bars, changes, len(column)), runs, now)


def _pointed(counts: Counter[str], column: Mapping[str, int]) -> tuple[int, str] | None:
    """The release that changed most, with how much, where there is one."""
    if not counts:
        return None
    (release, count), *_ = counts.most_common(1)
    return column[release], f"{release}: {counted(count, 'change')}"


def _in_short(checks: str) -> str:
    names = privileges(checks)
    return counted(len(names), "privilege") if len(names) > 2 else ", ".join(names) or "nothing"


def _subsystem(syscall: Row) -> str:
    """The first folder of the file that defines a syscall, such as ``fs``."""
    return str(syscall["path"]).split("/", 1)[0] if syscall["path"] else _NO_FILE
