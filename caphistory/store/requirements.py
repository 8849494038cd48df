"""What a syscall asks for in one release, made from the evidence of all its check sites."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from caphistory.store.runs import Fact
from caphistory.store.standing import OFF


class Evidence(NamedTuple):
    """A row of the linker as the store keeps it: ids of facts, its standing (a place in
    ``standing.STANDINGS``), and ``order``, by which of rows of one standing the first is the best:
    fewest pointer steps, shortest, then what is the same in every release."""

    name: int
    privilege: int
    meaning: int
    site: int
    chain: int
    conditional: int
    feasible: int
    standing: int
    order: Fact


def list_requirements(evidence: Iterable[Evidence]) -> dict[str, set[Fact]]:
    """Return the rows of ``check_runs``, ``requirement_runs`` and ``privilege_runs``, without first
    and last position."""
    of_site: defaultdict[Fact, list[Evidence]] = defaultdict(list)
    of_requirement: defaultdict[Fact, list[Evidence]] = defaultdict(list)
    standings: dict[Fact, int] = {}
    for row in evidence:
        of_site[row.name, row.site].append(row)
        of_requirement[row.name, row.privilege, row.meaning].append(row)
        asked = (row.name, row.privilege)
        standings[asked] = min(standings.get(asked, OFF), row.standing)
    return {
        "check_runs": {
            (
                row.name,
                row.chain,
                row.meaning,
                row.conditional,
                row.feasible,
                row.standing,
                int((row.chain, row.meaning) == (best.chain, best.meaning)),
            )
            for rows in of_site.values()
            for best in [_choose_best(rows)]
            for row in rows
        },
        "requirement_runs": {
            (*requirement, best.chain, best.conditional, best.standing, _count_sites(rows, best))
            for requirement, rows in of_requirement.items()
            for best in [_choose_best(rows)]
        },
        "privilege_runs": {(*asked, standing) for asked, standing in standings.items()},
    }


def _choose_best(rows: list[Evidence]) -> Evidence:
    """Return the row with the best standing and, of these, the first in order."""
    if len(rows) == 1:
        return rows[0]
    return min(rows, key=lambda row: (row.standing, row.order))


def _count_sites(rows: list[Evidence], best: Evidence) -> int:
    """Return the number of check sites with the standing of the best one."""
    return len({row.site for row in rows if row.standing == best.standing})
