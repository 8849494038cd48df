"""The pages of syscalls: the list, one through the releases, and its source."""

from __future__ import annotations

from itertools import groupby, pairwise
from typing import NamedTuple

from markupsafe import Markup

from caphistory.explorer.pages.page import Asked, Page
from caphistory.explorer.sourcediff import FunctionDiff, diff_chains
from caphistory.explorer.strips import Bar, draw_axis, draw_labels, draw_strip, group_series
from caphistory.questions.names import resolve_privilege, resolve_syscall
from caphistory.questions.requirements import is_told
from caphistory.questions.source_text import cached_repositories
from caphistory.records import Row
from caphistory.wording.kinds import BOTH, CAPABILITY, ROOT, UID0, classify, split_privileges
from caphistory.wording.phrases import format_run

#: How many checks of a release are on a syscall's page; the rest is in the CSV.
_MOST_CHECKS = 60


class Side(NamedTuple):
    """A syscall in one of two releases: ``name`` is ``from`` or ``to``, ``entry`` its row of the
    system-call table, ``rows`` its checks."""

    name: str
    release: str
    entry: Row | None
    rows: list[Row]

    @property
    def shown(self) -> list[Row]:
        """The checks on the page, the best evidence first."""
        return self.rows[:_MOST_CHECKS]


class Privilege(NamedTuple):
    """A privilege that a syscall asks for, with the runs of releases in which it does."""

    name: str
    strip: Markup
    runs: list[Row]


def index(asked: Asked) -> Page:
    """Return the page of all syscalls of any release."""
    rows = asked.ask("syscall_index", abi=asked.abi)
    return Page(
        "syscalls",
        "Syscalls",
        {"syscall_index": rows},
        {"rows": rows, "tables": asked.ask("abi_list")},
    )


def syscall(asked: Asked) -> Page:
    """Return the page of one syscall: what it checks in all releases, and its checks in two."""
    name = resolve_syscall(asked.connection, asked.parts["name"])
    everything = asked.given("all") is not None
    releases = asked.ask("release_list")
    column = {row["release"]: at for at, row in enumerate(releases)}
    runs = asked.ask("timeline", syscall=name, abi=asked.abi)
    asks = asked.ask(
        "syscall_privileges", syscall=name, abi=asked.abi, everything="1" if everything else None
    )
    withheld = not everything and len(
        {
            row["privilege"]
            for row in asked.ask("syscall_privileges", syscall=name, abi=asked.abi, everything="1")
        }
        - {row["privilege"] for row in asks}
    )
    ends = _choose_ends(asked, runs, releases)
    abi = _choose_table(asked, runs)
    sides = [
        _read_side(asked, name, abi, end, release, everything) for end, release in ends.items()
    ]
    sections = group_series([(row["release"], row["series"]) for row in releases])
    whole = [
        Bar(
            column[run["first_release"]],
            column[run["last_release"]],
            classify(run["checks"]),
            f"{format_run(run)}: {run['checks'] or 'nothing'}",
        )
        for run in runs
    ]
    return Page(
        "syscall",
        f"{name}: what it checks",
        {
            "timeline": runs,
            "privileges": asks,
            **{f"checks_{side.name}": side.rows for side in sides},
        },
        {
            "name": name,
            "runs": runs,
            "strip": draw_strip(whole, (), len(releases)),
            "axis": draw_axis(sections, {}, len(releases)),
            "labels": draw_labels(sections, len(releases)),
            "privileges": [_make_privilege(group, column) for group in _group_by_privilege(asks)],
            "withheld": withheld,
            "everything": everything,
            "ends": ends,
            "sides": sides,
            "releases": releases,
        },
    )


def diff(asked: Asked) -> Page:
    """Return the page of the functions between a syscall and its checks, in two releases."""
    name = resolve_syscall(asked.connection, asked.parts["name"])
    privilege = asked.given("privilege")
    privilege = privilege and resolve_privilege(asked.connection, privilege)
    releases = asked.ask("release_list")
    runs = asked.ask("timeline", syscall=name, abi=asked.abi)
    ends = _choose_ends(asked, runs, releases)
    commits = {row["release"]: row["commit_sha"] for row in releases}
    abi = _choose_table(asked, runs)
    chains = [
        asked.ask("check_chains", syscall=name, privilege=privilege, release=release, abi=abi)
        for release in ends.values()
    ]
    comparison = diff_chains(
        [
            (release, commits[release], rows)
            for release, rows in zip(ends.values(), chains, strict=True)
        ],
        cached_repositories(),
    )
    return Page(
        "diff",
        f"{name}: its source from {ends['from']} to {ends['to']}",
        {"functions": [_make_function_row(function) for function in comparison.functions]},
        {
            "name": name,
            "privilege": privilege,
            "ends": ends,
            "comparison": comparison,
            "releases": releases,
            "privileges": sorted(
                {name for run in runs for name in split_privileges(run["checks"])}
                | ({privilege} if privilege else set())
            ),
        },
    )


def _choose_ends(asked: Asked, runs: list[Row], releases: list[Row]) -> dict[str, str]:
    """Return the two releases to compare, ``from`` and ``to``: those asked for, else those around
    the change from root to a capability, else around the last change, else the first and last
    release that has the syscall."""
    changes = list(pairwise(runs))
    moved = [
        (before, after)
        for before, after in changes
        if classify(after["checks"]) in (CAPABILITY, BOTH)
        and classify(before["checks"]) in (UID0, ROOT)
    ]
    if changes:
        before, after = (moved or changes[-1:])[0]
        first, last = before["last_release"], after["first_release"]
    elif runs:
        first, last = runs[0]["first_release"], runs[0]["last_release"]
    else:
        first, last = releases[0]["release"], releases[-1]["release"]
    return {"from": asked.release("from") or first, "to": asked.release("to") or last}


def _choose_table(asked: Asked, runs: list[Row]) -> str | None:
    """Return the one system-call table for all releases of a page: that of the history."""
    return asked.abi or (str(runs[0]["abi"]) if runs else None)


def _read_side(
    asked: Asked, syscall: str, abi: str | None, name: str, release: str, everything: bool
) -> Side:
    entries = asked.ask("syscall_entry", syscall=syscall, release=release, abi=abi)
    rows = [
        row
        for row in asked.ask("why", syscall=syscall, release=release, abi=abi)
        if everything or is_told(row)
    ]
    return Side(name, release, entries[0] if entries else None, rows)


def _group_by_privilege(asks: list[Row]) -> list[tuple[str, list[Row]]]:
    return [(name, list(group)) for name, group in groupby(asks, lambda row: str(row["privilege"]))]


def _make_privilege(group: tuple[str, list[Row]], column: dict[str, int]) -> Privilege:
    name, runs = group
    bars = [
        Bar(
            column[run["first_release"]],
            column[run["last_release"]],
            classify(name),
            f"{name} {format_run(run)}: {run['standing']}",
        )
        for run in runs
    ]
    return Privilege(name, draw_strip(bars, (), len(column)), runs)


def _make_function_row(function: FunctionDiff) -> Row:
    return {
        "function": function.function,
        "path_from": function.path_from,
        "line_from": function.line_from,
        "path_to": function.path_to,
        "line_to": function.line_to,
        "diff": function.text,
    }
