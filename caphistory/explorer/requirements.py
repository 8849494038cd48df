"""Sort requirements for pages: the strongest evidence of each privilege, and one row for each
operation."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from caphistory.explorer.evidence import grade, rank
from caphistory.records import Row

OWN, SHARED = "own", "shared"


class Chip(NamedTuple):
    """A privilege with the grade of its best evidence; ``operations`` is 0 where no operation
    selects the way, else how many do."""

    privilege: str
    evidence: str
    operations: int


def make_chips(rows: Iterable[Row], standing: str) -> list[Chip]:
    """Return the privileges of the rows of one standing, the best evidence first."""
    of_privilege: dict[str, list[Row]] = {}
    for row in rows:
        of_privilege.setdefault(row["privilege"], []).append(row)
    chips = []
    for name, group in of_privilege.items():
        best = min(group, key=rank)
        if best["standing"] == standing:
            told = [row for row in group if row["standing"] == standing]
            operations = {row["operation"] for row in told}
            chips.append(Chip(name, grade(best), 0 if "" in operations else len(operations)))
    order = {chip.privilege: rank(min(of_privilege[chip.privilege], key=rank)) for chip in chips}
    return sorted(chips, key=lambda chip: (order[chip.privilege], chip.privilege))


def group_requirements(rows: Iterable[Row], *names: str) -> list[tuple[Row, int]]:
    """Return, for each combination of the columns ``names``, the row with the best evidence and the
    number of rows."""
    groups: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(row[name] for name in names), []).append(row)
    return [(min(group, key=rank), len(group)) for group in groups.values()]


def list_instead(row: Row) -> list[str]:
    """Return what does as well as the privilege of a row; nothing if that cannot be read."""
    try:
        return [str(name) for name in json.loads(row["instead"] or "[]")]
    except ValueError:
        return []


_SUBJECTS = {
    "caller": "the caller",
    "other": "another task",
    "opener": "who opened the file",
}
_NAMESPACES = {
    "init": "in the first user namespace",
    "owner": "in the user namespace that owns it",
}


def describe_subject(row: Row) -> str:
    """Say whose privilege is asked for, and where."""
    subject = _SUBJECTS.get(row["subject"], str(row["subject"]))
    namespace = _NAMESPACES.get(row["namespace"] or "", "")
    return f"{subject}, {namespace}" if namespace else subject


def count_operations(rows: Sequence[Row]) -> int:
    """Return under how many named operations something is asked for."""
    return len({row["operation"] for row in rows if row["operation"]})
