"""Decide all standings of a database anew, and what follows from them.

A release that is written brings its rows with their standings (``facts``). Where another rule is
to hold for the releases that are stored already, this makes the same rows for all of them at once,
from runs to runs, which is as quick as reading a hundred releases.
"""

from __future__ import annotations

import sqlite3
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from heapq import heappop, heappush
from itertools import accumulate, islice, pairwise
from json import loads
from typing import NamedTuple

from caphistory.store.histories import write_histories
from caphistory.store.operations import write_all_operations
from caphistory.store.runs import Fact
from caphistory.store.standing import PRIVILEGE, Way, decide, weigh
from caphistory.store.tables import OPEN, RUN_TABLES

#: A run of releases, by their numbers from 0; and rows with one.
_Run = tuple[int, int]
_Rows = dict[Fact, list[_Run]]


class _Piece(NamedTuple):
    """A row of ``check_runs`` while its standing stays the same."""

    run: _Run
    standing: int
    order: Fact
    fact: Fact
    site: int


def reassess(db: sqlite3.Connection) -> None:
    """Make ``check_runs``, ``requirement_runs``, ``privilege_runs`` and the histories anew, by the
    rule of this program; in the transaction of the caller."""
    positions = [row[0] for row in db.execute("SELECT position FROM stored_releases ORDER BY 1")]
    of_site: defaultdict[Fact, list[_Piece]] = defaultdict(list)
    of_requirement: defaultdict[Fact, list[_Piece]] = defaultdict(list)
    privileges = _read_privileges(db)
    for piece in _read_pieces(db, positions):
        name, _, meaning, *_ = piece.fact
        of_site[name, piece.site].append(piece)
        of_requirement[name, privileges[piece.site], meaning].append(piece)
    _replace(db, "check_runs", _mark_best(of_site.values()), positions)
    requirements = _choose_best(of_requirement)
    _replace(db, "requirement_runs", requirements, positions)
    _replace(db, "privilege_runs", _combine_standings(requirements), positions)
    write_histories(db)
    write_all_operations(db)


def _mark_best(groups: Iterable[list[_Piece]]) -> _Rows:
    """Return the rows of ``check_runs``, from the pieces of each syscall and site."""
    rows: _Rows = defaultdict(list)
    for pieces in groups:
        best: defaultdict[int, list[_Run]] = defaultdict(list)
        for run, piece, _ in _sweep(pieces):
            best[id(piece)].append(run)
        for piece in pieces:
            others = list(_list_gaps(piece.run, best[id(piece)]))
            for is_best, runs in enumerate((others, best[id(piece)])):
                fact = (*piece.fact, piece.standing, is_best)
                rows[fact] += runs
    return rows


def _choose_best(groups: dict[Fact, list[_Piece]]) -> _Rows:
    """Return the rows of ``requirement_runs``, from the pieces of each requirement."""
    rows: _Rows = defaultdict(list)
    for requirement, pieces in groups.items():
        for run, best, sites in _sweep(pieces):
            _, chain, _, conditional, _ = best.fact
            fact = (*requirement, chain, conditional, best.standing, sites)
            rows[fact].append(run)
    return rows


def _combine_standings(requirements: _Rows) -> _Rows:
    """Return the rows of ``privilege_runs``, from those of ``requirement_runs``."""
    of_privilege: defaultdict[Fact, list[_Piece]] = defaultdict(list)
    for (name, privilege, *_, standing, _), runs in requirements.items():
        of_privilege[name, privilege] += [_Piece(run, standing, (), (), 0) for run in runs]
    rows: _Rows = defaultdict(list)
    for asked, pieces in of_privilege.items():
        for run, best, _ in _sweep(pieces):
            fact = (*asked, best.standing)
            rows[fact].append(run)
    return rows


def _sweep(pieces: list[_Piece]) -> Iterator[tuple[_Run, _Piece, int]]:
    """Give for each run of releases the best of the pieces that hold there, and how many sites are
    of its standing."""
    if len(pieces) == 1:
        yield pieces[0].run, pieces[0], 1
        return
    starting: defaultdict[int, list[_Piece]] = defaultdict(list)
    ending: defaultdict[int, list[_Piece]] = defaultdict(list)
    for piece in pieces:
        starting[piece.run[0]].append(piece)
        ending[piece.run[1] + 1].append(piece)
    waiting: list[tuple[int, Fact, int, _Piece]] = []
    held: defaultdict[int, Counter[int]] = defaultdict(Counter)
    for first, after in pairwise(sorted(starting.keys() | ending.keys())):
        for piece in ending[first]:
            sites = held[piece.standing]
            sites[piece.site] -= 1
            if not sites[piece.site]:
                del sites[piece.site]
        for piece in starting[first]:
            heappush(waiting, (piece.standing, piece.order, id(piece), piece))
            held[piece.standing][piece.site] += 1
        while waiting and waiting[0][3].run[1] < first:
            heappop(waiting)
        if waiting:
            best = waiting[0][3]
            yield (first, after - 1), best, len(held[best.standing])


def _list_gaps(run: _Run, covered: list[_Run]) -> Iterator[_Run]:
    """Give the parts of a run that are not covered; those that are stand in order."""
    first, last = run
    for begin, end in covered:
        if first < begin:
            yield first, begin - 1
        first = end + 1
    if first <= last:
        yield first, last


def _read_pieces(db: sqlite3.Connection, positions: list[int]) -> Iterator[_Piece]:
    """Give the rows of ``check_runs``, cut where their standing changes."""
    number = {position: at for at, position in enumerate(positions)}
    number[OPEN] = len(positions) - 1
    shared = _read_shared(db, number)
    tables = _read_tables(db, positions, number)
    order_of = _Orders(db)
    standings: dict[Fact, list[tuple[_Run, int]]] = {}
    query = """
        SELECT k.name, k.chain, k.meaning, k.conditional, k.feasible, k.first, k.last, c.site,
            c.depth, c.pointer_hops, n.abi, s.check_name, m.operation, m.effect,
            m.subject
        FROM check_runs AS k
            JOIN syscall_names AS n ON n.id = k.name
            JOIN chains AS c ON c.id = k.chain
            JOIN sites AS s ON s.id = c.site
            JOIN meanings AS m ON m.id = k.meaning
        ORDER BY k.name, k.chain, k.meaning, k.first
    """
    for row in map(tuple, db.execute(query)):
        fact, (first, last, site, depth, hops, abi, *rest) = row[:5], row[5:]
        key = (fact[4], order_of.weigh(fact[1], depth), hops, site, abi, *rest)
        if key not in standings:
            standings[key] = _list_standings(key, shared[site, abi, hops], tables[abi])
        order = (hops, depth, fact[3], *order_of.get(site, fact[1], fact[2]))
        for run, standing in _cut((number[first], number[last]), standings[key]):
            yield _Piece(run, standing, order, fact, site)


def _list_standings(
    key: Fact, shared: list[tuple[_Run, int]], tables: list[tuple[_Run, int]]
) -> list[tuple[_Run, int]]:
    """Return in which releases rows of one kind have which standing."""
    feasible, way, hops, _, _, check_name, operation, effect, subject = key
    runs: defaultdict[int, list[_Run]] = defaultdict(list)
    for run, count in shared:
        for part, size in _cut(run, tables):
            standing = decide(
                feasible=feasible,
                way=way,
                pointer_hops=hops,
                shared_by=count,
                check_name=check_name,
                operation=operation,
                effect=effect,
                subject=subject,
                table=size,
            )
            runs[standing].append(part)
    return sorted((run, standing) for standing, parts in runs.items() for run in _join(parts))


class _Orders:
    """What makes of rows that are as good the same one the best in each release (see
    ``requirements.Evidence``): the places of sites, steps and meanings among all of them."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._sites = _rank(
            db,
            "SELECT s.id, p.path, coalesce(f.name, ''), s.check_name, coalesce(s.capability, ''),"
            " coalesce(s.argument, ''), s.form, s.effect, coalesce(s.errno, ''),"
            " coalesce(s.condition, ''), s.occurrence"
            " FROM sites AS s JOIN files AS p ON p.id = s.file"
            " LEFT JOIN functions AS f ON f.id = s.function",
        )
        steps = db.execute(
            "SELECT e.id, p.path, f.name, coalesce(e.via, ''), e.occurrence FROM edges AS e"
            " JOIN functions AS f ON f.id = e.from_function JOIN files AS p ON p.id = f.file"
        )
        self._steps = {number: (tuple(step), occurrence) for number, *step, occurrence in steps}
        self._meanings = _rank(
            db,
            "SELECT id, operation, effect, coalesce(errno, ''), instead, subject,"
            " coalesce(namespace, '') FROM meanings",
        )
        self._chains = dict(db.execute("SELECT id, edges FROM chains").fetchall())
        steps = db.execute("SELECT id, edge, via FROM edges WHERE via IS NOT NULL")
        self._named = {number: (edge, via) for number, edge, via in steps}

    def weigh(self, chain: int, depth: int) -> Way:
        """Return what counts of a chain for the standing."""
        edges = loads(self._chains[chain])
        return weigh([self._named[edge] for edge in edges if edge in self._named], depth)

    def get(self, site: int, chain: int, meaning: int) -> Fact:
        """Return what sorts a row."""
        steps = [self._steps[edge] for edge in loads(self._chains[chain])]
        return (
            self._sites[site],
            [step for step, _ in steps],
            [occurrence for _, occurrence in steps],
            self._meanings[meaning],
        )


def _rank(db: sqlite3.Connection, query: str) -> dict[int, int]:
    """Return the place of each row of a query, by its first column, among all of them."""
    rows = sorted(map(tuple, db.execute(query)), key=lambda row: row[1:])
    return {row[0]: place for place, row in enumerate(rows)}


def _read_privileges(db: sqlite3.Connection) -> dict[int, int]:
    """Return the privilege that each check site asks for."""
    return dict(
        db.execute(
            f"SELECT s.id, p.id FROM sites AS s JOIN privileges AS p ON p.privilege = {PRIVILEGE}"
        ).fetchall()
    )


def _read_shared(
    db: sqlite3.Connection, number: dict[int, int]
) -> dict[Fact, list[tuple[_Run, int]]]:
    """Return how many syscalls share a site, by site, ABI and pointer steps."""
    shared: defaultdict[Fact, list[tuple[_Run, int]]] = defaultdict(list)
    for site, abi, hops, count, first, last in db.execute(
        "SELECT site, abi, pointer_hops, shared_by, first, last FROM site_shared"
        " ORDER BY site, abi, pointer_hops, first"
    ):
        shared[site, abi, hops].append(((number[first], number[last]), count))
    return shared


def _read_tables(
    db: sqlite3.Connection, positions: list[int], number: dict[int, int]
) -> dict[str, list[tuple[_Run, int]]]:
    """Return how many syscalls the table of each ABI has, in runs of all releases."""
    steps: defaultdict[str, Counter[int]] = defaultdict(Counter)
    for (abi,) in db.execute("SELECT DISTINCT abi FROM syscall_names"):
        steps[abi][0] = 0
    for abi, first, last in db.execute(
        "SELECT n.abi, k.first, k.last FROM entry_runs AS k"
        " JOIN syscall_entries AS e ON e.id = k.entry JOIN syscall_names AS n ON n.id = e.name"
    ):
        steps[abi][number[first]] += 1
        steps[abi][number[last] + 1] -= 1
    tables: dict[str, list[tuple[_Run, int]]] = {}
    for abi, changes in steps.items():
        cuts = sorted({*changes, len(positions)})
        sizes = accumulate(changes[cut] for cut in cuts)
        tables[abi] = [
            ((first, after - 1), size)
            for (first, after), size in zip(pairwise(cuts), sizes, strict=False)
        ]
    return tables


def _cut(run: _Run, values: list[tuple[_Run, int]]) -> Iterator[tuple[_Run, int]]:
    """Give the parts of a run, with the value that holds in each; ``values`` are in order."""
    first, last = run
    at = max(bisect_right(values, first, key=lambda value: value[0][0]) - 1, 0)
    for (begin, end), value in islice(values, at, None):
        if begin > last:
            break
        if end >= first:
            yield (max(first, begin), min(last, end)), value


def _replace(db: sqlite3.Connection, table: str, rows: _Rows, positions: list[int]) -> None:
    """Store these rows in place of all that a run table holds."""
    (insert,) = (run_table.insert for run_table in RUN_TABLES if run_table.name == table)
    db.execute(f"DELETE FROM {table}")
    newest = len(positions) - 1
    db.executemany(
        insert,
        sorted(
            (*fact, positions[first], OPEN if last == newest else positions[last])
            for fact, runs in rows.items()
            for first, last in _join(runs)
        ),
    )


def _join(runs: list[_Run]) -> list[_Run]:
    """Return runs in order, joined where they adjoin."""
    joined: list[_Run] = []
    for first, last in sorted(runs):
        if joined and first == joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], last)
        else:
            joined.append((first, last))
    return joined
