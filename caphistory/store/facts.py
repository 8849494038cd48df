"""Turn the records of one release into rows of the fact and run tables."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any, TypeVar

from caphistory.records import CheckSite, LinkedRelease, Meaning, Step, Syscall, SyscallCheck
from caphistory.store import standing
from caphistory.store.requirements import Evidence, list_requirements
from caphistory.store.runs import Fact
from caphistory.store.tables import AUDIT_KINDS, FACT_TABLES, HISTORIES, RUN_TABLES

#: Arguments of checks are kept as facts, not as source text: only so many characters.
ARGUMENT_LENGTH = 200

_Item = TypeVar("_Item")


class Interner:
    """Numbers facts: the same fact gets the same id forever.

    New facts are kept in ``new`` (rows by table name, each beginning with its id) until
    ``flush`` stores them.
    """

    def __init__(self, db: sqlite3.Connection) -> None:
        """``db`` has the facts that are stored already."""
        self._db = db
        self._ids: dict[str, dict[Fact, int]] = {}
        self._next: dict[str, int] = {}
        self._functions: dict[tuple[str, str], int] = {}
        self.new: dict[str, list[Fact]] = {table.name: [] for table in FACT_TABLES}

    def _read(self, name: str) -> dict[Fact, int]:
        """Read the ids of a table's facts, when one is first asked for: what became of check sites
        is written with those of functions alone."""
        (table,) = (table for table in FACT_TABLES if table.name == name)
        rows = self._db.execute(f"SELECT {', '.join(table.column_names)} FROM {name}")
        ids = self._ids[name] = {row[1:]: row[0] for row in map(tuple, rows)}
        self._next[name] = max(ids.values(), default=0) + 1
        return ids

    def number(self, table: str, *fact: Any) -> int:
        """Return the id of a fact, which the next ``flush`` stores if it is new."""
        ids = self._ids.get(table)
        if ids is None:
            ids = self._read(table)
        number = ids.get(fact)
        if number is None:
            number = self._next[table]
            self._next[table] += 1
            ids[fact] = number
            self.new[table].append((number, *fact))
        return number

    def number_function(self, path: str, name: str) -> int:
        """Return the id of a function in a file."""
        number = self._functions.get((path, name))
        if number is None:
            number = self.number("functions", self.number("files", path), name)
            self._functions[path, name] = number
        return number

    def flush(self, db: sqlite3.Connection) -> None:
        """Store what is new."""
        for table in FACT_TABLES:
            rows = self.new[table.name]
            if rows:
                db.executemany(table.insert, rows)
                rows.clear()


def collect_facts(linked: LinkedRelease, interner: Interner) -> dict[str, set[Fact]]:
    """Return the rows of each run table but those that ``histories`` makes, without first and last
    position.

    Raises ValueError when a chain does not end in its check, its check is no check site, or an
    audit note is of a kind that ``AUDIT_KINDS`` does not describe.
    """
    facts: dict[str, set[Fact]] = {
        table.name: set() for table in RUN_TABLES if table.name not in HISTORIES
    }
    sites = _add_sites(linked.check_sites, interner, facts)
    _add_syscalls(linked.syscalls, interner, facts)
    tables = Counter(syscall.abi for syscall in linked.syscalls)
    evidence = _add_checks(linked.syscall_checks, sites, tables, interner, facts)
    facts.update(list_requirements(evidence))
    facts["definition_runs"] = {
        (interner.number("definitions", *definition),)
        for definition in linked.capability_definitions
    }
    facts["wrapper_runs"] = {
        (interner.number("wrapper_facts", *wrapper),) for wrapper in linked.wrappers
    }
    undescribed = {note.kind for note in linked.audit_details} - AUDIT_KINDS.keys()
    if undescribed:
        raise ValueError(f"audit notes of an undescribed kind: {', '.join(sorted(undescribed))}")
    facts["audit_note_runs"] = {
        (interner.number("audit_notes", *note),) for note in linked.audit_details
    }
    return facts


def refuse_contradictions(facts: dict[str, set[Fact]]) -> None:
    """Raise ValueError when a run table would hold two rows of one key in one release: two
    blobs of one path, two counts of ``shared_by`` for one site and number of
    pointer steps."""
    for table in RUN_TABLES:
        rows = facts.get(table.name, set())
        width = len(table.key) - 1
        if len({row[:width] for row in rows}) < len(rows):
            keys = Counter(row[:width] for row in rows)
            (key, _), *_ = keys.most_common(1)
            raise ValueError(
                f"{table.name}: two rows for {dict(zip(table.key, key, strict=False))}"
            )


def _add_sites(
    sites: list[CheckSite], interner: Interner, facts: dict[str, set[Fact]]
) -> dict[CheckSite, list[int]]:
    """Add the check sites; returns the ids of each record, one for each time it occurs."""
    ids: defaultdict[CheckSite, list[int]] = defaultdict(list)
    fact_of = {site: _make_site_fact(site, interner) for site in sites}
    ordered = sorted(sites, key=lambda site: site.line)
    for site, occurrence in _count_occurrences(ordered, key=lambda site: fact_of[site]):
        number = interner.number("sites", *fact_of[site], occurrence)
        ids[site].append(number)
        facts["site_runs"].add((number,))
        facts["site_lines"].add((number, site.line))
        facts["file_blobs"].add((fact_of[site][0], bytes.fromhex(site.blob)))
    return dict(ids)


def _make_site_fact(site: CheckSite, interner: Interner) -> Fact:
    """Return the row of a check site, without its id and occurrence."""
    file = interner.number("files", site.path)
    return (
        file,
        None if site.function is None else interner.number_function(site.path, site.function),
        site.check_name,
        site.capability,
        None if site.argument is None else site.argument[:ARGUMENT_LENGTH],
        site.form,
        site.effect,
        site.errno,
        site.condition,
    )


def _add_checks(
    checks: list[SyscallCheck],
    sites: dict[CheckSite, list[int]],
    tables: Counter[str],
    interner: Interner,
    facts: dict[str, set[Fact]],
) -> list[Evidence]:
    """Add chains and meanings, and return the evidence that stands behind each check; ``tables``
    are the numbers of syscalls by ABI. Raises ValueError if a chain does not fit its check."""
    # Hops are long to hash and most of them stand in many chains, and chains in many checks as
    # one object: number them once.
    numbers: dict[_Hop, int] = {}
    chains = {id(check.chain): check.chain for check in checks}
    ways = {
        chain: [
            numbers.setdefault((step, to.function, to.path), len(numbers))
            for step, to in pairwise(steps)
        ]
        for chain, steps in chains.items()
    }
    edges = _add_edges(list(numbers), interner, facts)
    used: Counter[Hashable] = Counter()
    written = {
        chain: f"[{','.join([str(edges[hop]) for hop in way])}]" for chain, way in ways.items()
    }
    shapes = {chain: _measure_chain(steps) for chain, steps in chains.items()}
    orders = {chain: _make_chain_order(steps) for chain, steps in chains.items()}
    weights = {
        chain: standing.weigh([(step.edge, step.via) for step in steps], len(steps) - 1)
        for chain, steps in chains.items()
    }
    evidence = []
    for check in checks:
        _refuse_misfit(check, shapes[id(check.chain)])
        ids = sites.get(check.check)
        if ids is None:
            raise ValueError(f"{check.abi} {check.syscall}: unknown check site {check.check}")
        place = 0
        if len(ids) > 1:
            # Sites that agree in all columns, two on one line: each row gets its own.
            row = (*check[:3], check.meaning)
            place = min(used[row], len(ids) - 1)
            used[row] += 1
        site, steps = ids[place], written[id(check.chain)]
        facts["site_shared"].add((site, check.abi, check.pointer_hops, check.shared_by))
        evidence.append(
            Evidence(
                name=interner.number("syscall_names", check.abi, check.syscall),
                privilege=interner.number(
                    "privileges", check.check.capability or check.check.check_name
                ),
                meaning=number_meaning(check.meaning, interner),
                site=site,
                chain=interner.number("chains", site, steps, check.depth, check.pointer_hops),
                conditional=check.conditional,
                feasible=check.feasible,
                standing=standing.decide(
                    feasible=check.feasible,
                    way=weights[id(check.chain)],
                    pointer_hops=check.pointer_hops,
                    shared_by=check.shared_by,
                    check_name=check.check.check_name,
                    operation=check.meaning.operation,
                    effect=check.meaning.effect,
                    subject=check.meaning.subject,
                    table=tables[check.abi],
                ),
                order=(
                    check.pointer_hops,
                    check.depth,
                    check.conditional,
                    *_make_site_order(check.check),
                    check.check.line,
                    place,
                    *orders[id(check.chain)],
                    tuple(part or "" for part in check.meaning),
                ),
            )
        )
    return evidence


def number_meaning(meaning: Meaning, interner: Interner) -> int:
    """Return the id of a meaning."""
    instead = json.dumps(meaning.instead, separators=(",", ":"))
    return interner.number("meanings", *meaning._replace(instead=instead))  # type: ignore[arg-type]


def _make_site_order(site: CheckSite) -> tuple[str, ...]:
    """Sorts check sites by what they are, whatever their line."""
    return tuple(part or "" for part in (site.path, site.function, *site[3:10]))


def _make_chain_order(chain: Sequence[Step]) -> Fact:
    """Sorts chains by their functions, then by their lines: so that of two that are as good the
    same one is chosen in the next release."""
    return (
        tuple((step.path, step.function, step.via or "") for step in chain),
        tuple(step.line for step in chain),
    )


def _measure_chain(chain: Sequence[Step]) -> tuple[int, int, str]:
    """Return depth, pointer_hops and reach of a row with this chain."""
    hops = [step.edge for step in chain[:-1]].count("pointer")
    return len(chain) - 1, hops, "pointer" if hops else "call" if len(chain) > 1 else "direct"


def _refuse_misfit(check: SyscallCheck, shape: tuple[int, int, str]) -> None:
    """Raise ValueError when the chain of a row, of this shape, does not say what its columns
    say."""
    site = check.check
    last = (site.function, site.path, site.line, "call", None)
    fits = (check.depth, check.pointer_hops, check.reach) == shape and check.chain[-1] == last
    if not fits:
        raise ValueError(f"{check.abi} {check.syscall}: the chain does not fit its check: {check}")


#: A step of a chain, with function and path of the step after it.
_Hop = tuple[Step, str, str]


def _add_edges(hops: list[_Hop], interner: Interner, facts: dict[str, set[Fact]]) -> list[int]:
    """Add the steps of chains; returns the edge of each."""
    fact_of = [_make_edge_fact(hop, interner) for hop in hops]
    edges = [0] * len(hops)
    by_line = sorted(range(len(hops)), key=lambda number: hops[number][0].line)
    for number, occurrence in _count_occurrences(by_line, key=fact_of.__getitem__):
        edges[number] = interner.number("edges", *fact_of[number], occurrence)
        facts["edge_lines"].add((edges[number], hops[number][0].line))
    return edges


def _make_edge_fact(hop: _Hop, interner: Interner) -> Fact:
    """Return the row of a step, without its id and occurrence."""
    step, function, path = hop
    return (
        interner.number_function(step.path, step.function),
        interner.number_function(path, function),
        step.edge,
        step.via,
    )


def _add_syscalls(
    syscalls: Iterable[Syscall], interner: Interner, facts: dict[str, set[Fact]]
) -> None:
    """Add the rows of the system-call tables."""
    for syscall in syscalls:
        entry = interner.number(
            "syscall_entries",
            interner.number("syscall_names", syscall.abi, syscall.syscall),
            syscall.number,
            syscall.function,
            None if syscall.path is None else interner.number("files", syscall.path),
            syscall.parent,
        )
        facts["entry_runs"].add((entry,))
        facts["entry_lines"].add((entry, syscall.line))


def _count_occurrences(
    items: Iterable[_Item], key: Callable[[_Item], Hashable]
) -> Iterator[tuple[_Item, int]]:
    """Give each item with its number, from 0, among those of the same key."""
    seen: Counter[Hashable] = Counter()
    for item in items:
        group = key(item)
        yield item, seen[group]
        seen[group] += 1
