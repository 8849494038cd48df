"""Links one release: the facts of its files in, the rows that are stored of it out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from caphistory.linking import reach
from caphistory.linking.audit import ambiguous, audit
from caphistory.linking.checks import Checks, Site
from caphistory.linking.conditions import options_off
from caphistory.linking.feasibility import Constants
from caphistory.linking.folders import I386, X86_64, Abi
from caphistory.linking.graph import BOUNDS, SWITCHED_OFF, Edge, Graph, NamedSteps, build
from caphistory.linking.makefiles import stand_ins
from caphistory.linking.pointers import Pointers
from caphistory.linking.program import Program
from caphistory.linking.syscalls import Entry, entries
from caphistory.records import (
    Audit,
    AuditDetail,
    CapabilityDefinition,
    CheckSite,
    LinkedRelease,
    Release,
    Step,
    Syscall,
    SyscallCheck,
    Wrapper,
)
from caphistory.syntax.tables import capability_definitions

# include/uapi came with 3.7.
_CAPABILITY_HEADERS = ("include/uapi/linux/capability.h", "include/linux/capability.h")


class Tree(NamedTuple):
    """The files of a release: git blob ids by path, and how to read one."""

    blobs: Mapping[str, str]
    read: Callable[[str], bytes]


def link(
    release: Release,
    program: Program,
    tree: Tree,
    notes: list[AuditDetail],
    *,
    last: bool = False,
) -> LinkedRelease:
    """Link what ``program`` holds; ``notes`` are troubles of the reading, kept with it. If it
    is the ``last`` that is linked of this program, nothing is kept for the next."""
    kernel = _Kernel(I386, release.release, program, tree, last=last)
    row, details = kernel.audit()
    reached = kernel.reached()
    details += ambiguous(program, reached)
    table, checks, wrappers = kernel.rows()
    # One kernel at a time: those of today take a gigabyte each.
    kernel.end()
    del kernel
    if last:
        program.forget(I386)
    if entries(program, X86_64, tree.blobs, tree.read):
        kernel = _Kernel(X86_64, release.release, program, tree, last=last)
        reached += kernel.reached()
        more = kernel.rows()
        table += more[0]
        checks |= more[1]
        wrappers |= more[2]
        kernel.end()
    return LinkedRelease(
        release,
        sorted(checks, key=_order),
        _definitions(tree),
        table,
        reached,
        sorted(wrappers, key=_order),
        row,
        [*details, *notes],
    )


class _Kernel:
    """The release as a kernel with one ABI, which is linked step by step and before another one
    is: a wrapper may be another one there, and then its calls are other sites."""

    def __init__(self, abi: Abi, release: str, program: Program, tree: Tree, *, last: bool) -> None:
        self._stand_ins = stand_ins(tree.blobs, tree.read, options_off(abi.name))
        program.build_for(abi, release, self._stand_ins.paths, last=last)
        self._program = program
        self.abi = abi
        self.table = entries(program, abi, tree.blobs, tree.read)
        self.checks = Checks(program, {e.definition for e in self.table if e.definition})
        news = program.news()
        self._pointers = program.companion(Pointers)
        self._pointers.solve(news, last=last)
        self._steps = program.companion(NamedSteps)
        self._steps.refresh(news, self._pointers.expansions, self.checks.definitions())
        self.sites = self.checks.sites(tree.blobs)

    def end(self) -> None:
        """Keep nothing but what the next release can use."""
        self._pointers.clear()

    def audit(self) -> tuple[Audit, list[AuditDetail]]:
        row, details = audit(self._program, self.checks, self._pointers, self.sites, BOUNDS)
        unread = self._stand_ins.unread
        return row, [
            *details,
            *(AuditDetail("unreadable", path, None, why) for path, why in unread),
        ]

    def rows(self) -> tuple[list[Syscall], set[CheckSite], set[Wrapper]]:
        """Its syscalls, the check sites of the release as it sees them, and the wrappers."""
        return (
            [_syscall(self.abi, entry) for entry in self.table],
            {site.check for site in self.sites},
            set(self.checks.wrappers()),
        )

    def reached(self) -> list[SyscallCheck]:
        built = [
            site
            for site in self.sites
            if self._program.built(site.check.path)
            and self._program.possible(site.check.condition or "")
        ]
        graph = build(self._program, self._steps, self._pointers, built, self.table, BOUNDS)
        decided = reach.constants(self._program, self._pointers, graph, built)
        return syscall_checks(self.abi, graph, self.table, built, decided)


def _order(row: tuple[object, ...]) -> tuple[str, ...]:
    return tuple("" if v is None else f"{v:9}" if isinstance(v, int) else str(v) for v in row)


def _definitions(tree: Tree) -> list[CapabilityDefinition]:
    for path in _CAPABILITY_HEADERS:
        if path in tree.blobs:
            found = capability_definitions(tree.read(tree.blobs[path]))
            if found:
                return [
                    CapabilityDefinition(d.capability, d.number, path, d.line, d.doc) for d in found
                ]
    return []


def _syscall(abi: Abi, entry: Entry) -> Syscall:
    definition = entry.definition
    return Syscall(
        abi.name,
        entry.number,
        entry.syscall,
        entry.function,
        definition.path if definition else None,
        definition.line if definition else None,
        entry.parent,
    )


def syscall_checks(
    abi: Abi,
    graph: Graph,
    table: list[Entry],
    sites: list[Site],
    constants: Constants,
) -> list[SyscallCheck]:
    """One row for each syscall and check site that it comes to, with its best chain: of
    those that no constant on the way switches off, else (``feasible`` 0) of all.

    ``shared_by`` counts the syscalls that feasibly come to the site with no more pointer
    steps than this row: over pointers nearly every syscall comes to nearly every check,
    which must not make a close one look common.
    """
    feasible = reach.reached(graph, table, sites, BOUNDS, constants)
    every = reach.reached(graph, table, sites, SWITCHED_OFF, None, feasible)
    shared = _shared(feasible)
    steps = {id(edge): _step(edge) for edges in graph.into.values() for edge in edges}
    rows = []
    for entry, chains, sure in zip(table, every, feasible, strict=True):
        for number, chain in {**chains, **sure}.items():
            count = sum(
                n for hops, n in shared.get(number, {}).items() if hops <= chain.pointer_hops
            )
            rows.append(_row(abi, entry, sites[number], chain, steps, int(number in sure), count))
    return rows


def _shared(found: list[dict[int, reach.Found]]) -> dict[int, dict[int, int]]:
    """For each site, how many syscalls come to it with so many pointer steps."""
    counts: dict[int, dict[int, int]] = {}
    for chains in found:
        for number, chain in chains.items():
            by_hops = counts.setdefault(number, {})
            by_hops[chain.pointer_hops] = by_hops.get(chain.pointer_hops, 0) + 1
    return counts


def _step(edge: Edge) -> Step:
    return Step(
        edge.caller.name,
        edge.caller.path,
        edge.line,
        "call" if edge.via is None else "pointer",
        edge.via,
    )


def _row(
    abi: Abi,
    entry: Entry,
    site: Site,
    chain: reach.Found,
    steps: Mapping[int, Step],
    feasible: int,
    shared_by: int,
) -> SyscallCheck:
    check = site.check
    last = Step(site.definition.name, check.path, check.line, "call", None)
    return SyscallCheck(
        abi.name,
        entry.syscall,
        check,
        "pointer" if chain.pointer_hops else "call" if chain.edges else "direct",
        len(chain.edges),
        chain.pointer_hops,
        max([site.conditional, *(edge.conditional for edge in chain.edges)]),
        feasible,
        shared_by,
        (*[steps[id(edge)] for edge in chain.edges], last),
    )
