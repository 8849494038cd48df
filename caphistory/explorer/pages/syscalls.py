"""The pages of syscalls: all of them, one through the releases, and its source."""

from __future__ import annotations

from itertools import groupby, pairwise
from typing import NamedTuple

from markupsafe import Markup

from caphistory.explorer.pages.page import Asked, Page
from caphistory.explorer.sourcediff import FunctionDiff, chain_diff
from caphistory.explorer.strips import Bar, axis, labels, series_of, strip
from caphistory.questions.names import known_privilege, known_syscall
from caphistory.questions.source_text import cached_repositories
from caphistory.records import Row
from caphistory.wording.kinds import BOTH, CAPABILITY, ROOT, UID0, kind, privileges
from caphistory.wording.phrases import span

#: So many checks of a release are on a syscall's page; the rest is in the CSV.
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
        """The checks that are on the page: the best evidence comes first."""
        return self.rows[:_MOST_CHECKS]


class Privilege(NamedTuple):
    """A privilege that a syscall asks for, with the runs in which it does."""

    name: str
    strip: Markup
    runs: list[Row]


def index(asked: Asked) -> Page:
    """Every syscall of any release."""
    rows = asked.ask("syscall_index", abi=asked.abi)
    return Page(
        "syscalls",
        "Syscalls",
        {"syscall_index": rows},
        {"rows": rows, "tables": asked.ask("abi_list")},
    )


def syscall(asked: Asked) -> Page:
    """One syscall: what it checks through the releases, and its checks in two of them."""
    name = known_syscall(asked.connection, asked.parts["name"])
    everything = asked.given("all") is not None
    releases = asked.ask("release_list")
    column = {one["release"]: at for at, one in enumerate(releases)}
    runs = asked.ask("timeline", syscall=name, abi=asked.abi)
    asks = asked.ask(
        "syscall_privileges", syscall=name, abi=asked.abi, withheld="1" if everything else None
    )
    withheld = not everything and len(
        {
            (one["check_name"], one["capability"])
            for one in asked.ask("syscall_privileges", syscall=name, abi=asked.abi, withheld="1")
        }
        - {(one["check_name"], one["capability"]) for one in asks}
    )
    ends = _ends(asked, runs, releases)
    abi = _table(asked, runs)
    sides = [_side(asked, name, abi, end, release, everything) for end, release in ends.items()]
    sections = series_of([(one["release"], one["series"]) for one in releases])
    whole = [
        Bar(
            column[run["first_release"]],
            column[run["last_release"]],
            kind(run["checks"]),
            f"{span(run)}: {run['checks'] or 'nothing'}",
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
            "strip": strip(whole, (), len(releases)),
            "axis": axis(sections, {}, len(releases)),
            "labels": labels(sections, len(releases)),
            "privileges": [_privilege(group, column) for group in _grouped(asks)],
            "withheld": withheld,
            "everything": everything,
            "ends": ends,
            "sides": sides,
            "releases": releases,
        },
    )


def diff(asked: Asked) -> Page:
    """The functions between a syscall and its checks, in two releases."""
    name = known_syscall(asked.connection, asked.parts["name"])
    privilege = asked.given("privilege")
    privilege = privilege and known_privilege(asked.connection, privilege)
    releases = asked.ask("release_list")
    runs = asked.ask("timeline", syscall=name, abi=asked.abi)
    ends = _ends(asked, runs, releases)
    commits = {one["release"]: one["commit_sha"] for one in releases}
    abi = _table(asked, runs)
    chains = [
        asked.ask("why", syscall=name, privilege=privilege, release=release, abi=abi)
        for release in ends.values()
    ]
    found = chain_diff(
        [
            (release, commits[release], rows)
            for release, rows in zip(ends.values(), chains, strict=True)
        ],
        cached_repositories(),
    )
    return Page(
        "diff",
        f"{name}: its source from {ends['from']} to {ends['to']}",
        {"functions": [_function_row(one) for one in found.functions]},
        {
            "name": name,
            "privilege": privilege,
            "ends": ends,
            "found": found,
            "releases": releases,
            "privileges": sorted(
                {one for run in runs for one in privileges(run["checks"])}
                | ({privilege} if privilege else set())
            ),
        },
    )


def _ends(asked: Asked, runs: list[Row], releases: list[Row]) -> dict[str, str]:
    """The two releases to compare, ``from`` and ``to``: those asked for, else those around the
    change from root to a capability, else around the last change, else the first and the last
    release that has it."""
    changes = list(pairwise(runs))
    moved = [
        (before, after)
        for before, after in changes
        if kind(after["checks"]) in (CAPABILITY, BOTH) and kind(before["checks"]) in (UID0, ROOT)
    ]
    if changes:
        before, after = (moved or changes[-1:])[0]
        first, last = before["last_release"], after["first_release"]
    elif runs:
        first, last = runs[0]["first_release"], runs[0]["last_release"]
    else:
        first, last = releases[0]["release"], releases[-1]["release"]
    return {"from": asked.release("from") or first, "to": asked.release("to") or last}


def _table(asked: Asked, runs: list[Row]) -> str | None:
    """One system-call table for all releases of a page: what a syscall's history is of."""
    return asked.abi or (str(runs[0]["abi"]) if runs else None)


def _side(
    asked: Asked, syscall: str, abi: str | None, name: str, release: str, everything: bool
) -> Side:
    entries = asked.ask("syscall_entry", syscall=syscall, release=release, abi=abi)
    rows = [
        row
        for row in asked.ask("why", syscall=syscall, release=release, abi=abi)
        if everything or row["telling"]
    ]
    return Side(name, release, entries[0] if entries else None, rows)


def _grouped(asks: list[Row]) -> list[tuple[str, list[Row]]]:
    return [
        (name, list(group))
        for name, group in groupby(asks, lambda one: str(one["capability"] or one["check_name"]))
    ]


def _privilege(group: tuple[str, list[Row]], column: dict[str, int]) -> Privilege:
    name, runs = group
    bars = [
        Bar(
            column[run["first_release"]],
            column[run["last_release"]],
            kind(name),
            f"{name} {span(run)}: {run['reach']}",
        )
        for run in runs
    ]
    return Privilege(name, strip(bars, (), len(column)), runs)


def _function_row(one: FunctionDiff) -> Row:
    return {
        "function": one.function,
        "path_from": one.path_from,
        "line_from": one.line_from,
        "path_to": one.path_to,
        "line_to": one.line_to,
        "diff": one.text,
    }
