"""The matrix: syscalls or operations against a few releases, a cell for each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from itertools import groupby, pairwise
from typing import NamedTuple

from caphistory.errors import UsageError
from caphistory.explorer.evidence import rank
from caphistory.explorer.pages.page import Asked, Page
from caphistory.explorer.pages.paging import cut_page
from caphistory.explorer.pages.transition import NO_FILE, find_subsystem
from caphistory.explorer.requirements import OWN
from caphistory.questions.names import resolve_privilege
from caphistory.questions.releases import is_known, position
from caphistory.records import ROOT_CHECKS, Row
from caphistory.wording.kinds import BOTH, classify

_MOST_COLUMNS = 14
_MOST_ROWS = 70
SHARED, NONE, GONE, UNKNOWN = "shared", "none", "gone", "unknown"
"""What a cell shows besides the kinds of what is asked for: only shared code asks; nothing asks;
the release has no such syscall; the release is not in the database."""

SORTS = {"subsystem": "by subsystem", "changed": "what changed most first", "name": "by name"}


class Cell(NamedTuple):
    """What a syscall asks for in a release: the strongest privilege, how many more, all of them."""

    kind: str
    words: str
    says: str


class Line(NamedTuple):
    """A row of the matrix; ``changes`` counts how often neighbouring cells differ."""

    syscall: str
    operation: str
    subsystem: str
    cells: list[Cell]
    changes: int


class Column(NamedTuple):
    """A release of the matrix; ``held`` is false for one that is not in the database. ``without``
    are the other columns."""

    release: str
    held: bool
    without: str


def matrix(asked: Asked) -> Page:
    """Return the page of the matrix: of the releases in the parameter ``releases``, else of the
    last ones of stable series."""
    releases = asked.ask("release_list")
    chosen = _choose_columns(asked, releases)
    columns = [
        Column(name, name in {row["release"] for row in releases},
               ",".join(other for other in chosen if other != name))
        for name in chosen
    ]  # fmt: skip
    by_operation = asked.choice("by", ("syscall", "operation")) == "operation"
    sort = asked.choice("sort", SORTS) or "subsystem"
    only_changed = asked.given("changed") is not None
    privilege = asked.given("privilege")
    privilege = privilege and resolve_privilege(asked.connection, privilege)
    lines = [
        line
        for line in _make_lines(asked, columns, by_operation, privilege)
        if line.changes or not only_changed
    ]
    lines.sort(key=_ORDERS[sort])
    shown, pages = cut_page(asked, lines, _MOST_ROWS)
    return Page(
        "matrix",
        "Operations × releases" if by_operation else "Syscalls × releases",
        {"matrix": [_make_row(line, columns) for line in lines]},
        {
            "columns": columns,
            "chosen": ",".join(chosen),
            "groups": _group(shown, sort),
            "total": len(lines),
            "pages": pages,
            "by": "operation" if by_operation else "syscall",
            "sort": sort,
            "sorts": SORTS,
            "only_changed": only_changed,
            "privilege": privilege,
            "releases": releases,
        },
        "What each Linux syscall asks for in "
        + ", ".join(chosen)
        + ": as one reads which browser supports what.",
        wide=True,
    )


def _choose_columns(asked: Asked, releases: Sequence[Row]) -> list[str]:
    given = [name.strip() for name in (asked.given("releases") or "").split(",") if name.strip()]
    added = asked.given("add")
    wanted = [*given, *([added] if added else [])]
    if not wanted:
        return _choose_usual(releases)
    held = {row["release"] for row in releases}
    names = []
    for text in wanted:
        name = text.removeprefix("v")
        if name not in held and is_known(name) and "." in name and not _is_series(name, releases):
            # A release that is not held is shown as unknown: it is no release that asks nothing.
            names.append(name)
        else:
            names.append(asked.resolve_release(text))
    names = list(dict.fromkeys(names))
    if len(names) > _MOST_COLUMNS:
        raise UsageError(f"at most {_MOST_COLUMNS} releases fit beside each other")
    return sorted(names, key=lambda name: position(name) if is_known(name) else 0)


def _is_series(name: str, releases: Sequence[Row]) -> bool:
    return any(row["series"] == name for row in releases)


def _choose_usual(releases: Sequence[Row]) -> list[str]:
    """Return the last release of each even series up to 2.6 and of each major version after it; all
    where there are few."""
    if len(releases) <= _MOST_COLUMNS // 2:
        return [str(row["release"]) for row in releases]
    last: dict[str, str] = {}
    for row in releases:
        major, minor = [*str(row["series"]).split("."), "0"][:2]
        if int(major) >= 3:
            last[major] = str(row["release"])
        elif row["kind"] == "release" and int(major) == 2 and int(minor) % 2 == 0:
            last[f"{major}.{minor}"] = str(row["release"])
    return list(last.values()) or [str(row["release"]) for row in releases[-7:]]


def _make_lines(
    asked: Asked, columns: Sequence[Column], by_operation: bool, privilege: str | None
) -> list[Line]:
    usual = {row["release"]: str(row["abi"]) for row in asked.ask("usual_abi_list")}
    subsystems = {
        str(row["syscall"]): find_subsystem(row)
        for abi in dict.fromkeys(usual[one.release] for one in columns if one.held)
        for row in asked.ask("syscall_index", abi=asked.abi or abi)
    }
    asks: dict[tuple[str, str], dict[str, list[Row]]] = defaultdict(dict)
    there: dict[str, set[str]] = {}
    for column in columns:
        if not column.held:
            continue
        table = asked.ask("known_syscalls", release=column.release, abi=asked.abi)
        there[column.release] = {str(row["syscall"]) for row in table}
        for row in asked.ask("requirement_cells", release=column.release, abi=asked.abi):
            if privilege in (None, row["privilege"]):
                key = (str(row["syscall"]), str(row["operation"]) if by_operation else "")
                asks[key].setdefault(column.release, []).append(row)
    lines = []
    for (syscall, operation), of_release in asks.items():
        cells = [
            _make_cell(
                column,
                of_release.get(column.release, []),
                syscall in there.get(column.release, set()),
            )
            for column in columns
        ]
        known = [cell.says for cell in cells if cell.kind != UNKNOWN]
        changes = sum(before != after for before, after in pairwise(known))
        lines.append(Line(syscall, operation, subsystems.get(syscall, NO_FILE), cells, changes))
    return lines


_NOT_HELD = Cell(UNKNOWN, "?", "not in this database")
_NO_SYSCALL = Cell(GONE, "", "no such syscall")
_NOTHING = Cell(NONE, "–", "asks for nothing")


def _make_cell(column: Column, rows: list[Row], there: bool) -> Cell:
    if not column.held:
        return _NOT_HELD
    if not there:
        return _NO_SYSCALL
    if not rows:
        return _NOTHING
    own = [row for row in rows if row["standing"] == OWN]
    best = sorted(own or rows, key=lambda row: (rank(row), row["depth"]))
    return _write_cell(tuple(dict.fromkeys(str(row["privilege"]) for row in best)), bool(own))


@cache
def _write_cell(names: tuple[str, ...], own: bool) -> Cell:
    """Return the cell of privileges, the strongest first; of operations by the thousand few
    differ."""
    kind = classify(", ".join(names)) if own else SHARED
    shown = [name for name in names if name not in ROOT_CHECKS] if kind == BOTH else names
    words = shown[0].removeprefix("CAP_") + (f" +{len(shown) - 1}" if len(shown) > 1 else "")
    return Cell(kind, words, ", ".join(sorted(names)) + ("" if own else " in shared code"))


def _by_subsystem(line: Line) -> tuple[object, ...]:
    return (line.subsystem == NO_FILE, line.subsystem, line.syscall, line.operation)


_ORDERS: Mapping[str, Callable[[Line], tuple[object, ...]]] = {
    "subsystem": _by_subsystem,
    "changed": lambda line: (-line.changes, line.syscall, line.operation),
    "name": lambda line: (line.syscall, line.operation),
}


def _group(lines: Iterable[Line], sort: str) -> list[tuple[str, list[Line]]]:
    if sort != "subsystem":
        return [("", list(lines))]
    return [(name, list(group)) for name, group in groupby(lines, lambda line: line.subsystem)]


def _make_row(line: Line, columns: Sequence[Column]) -> Row:
    cells = {
        column.release: "" if cell.kind in (NONE, GONE) else cell.says
        for column, cell in zip(columns, line.cells, strict=True)
    }
    return {"syscall": line.syscall, "operation": line.operation, **cells}
