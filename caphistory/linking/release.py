"""Links one release: the facts of its files in, the rows that are stored of it out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from caphistory.linking import reach
from caphistory.linking.audit import audit
from caphistory.linking.checks import Checks, Site
from caphistory.linking.pointers import Pointers
from caphistory.linking.program import I386, Definition, Program
from caphistory.linking.syscalls import Entry, entries
from caphistory.records import (
    AuditDetail,
    CapabilityDefinition,
    LinkedRelease,
    Release,
    Step,
    Syscall,
    SyscallCheck,
)
from caphistory.syntax.tables import capability_definitions

# include/uapi came with 3.7.
_CAPABILITY_HEADERS = ("include/uapi/linux/capability.h", "include/linux/capability.h")


class Tree(NamedTuple):
    """The files of a release: git blob ids by path, and how to read one."""

    blobs: Mapping[str, str]
    read: Callable[[str], bytes]


def link(release: Release, program: Program, tree: Tree, notes: list[AuditDetail]) -> LinkedRelease:
    """Link what ``program`` holds; ``notes`` are troubles of the reading, kept with it."""
    checks = Checks(program)
    pointers = Pointers(program)
    sites = checks.sites(tree.blobs)
    table = entries(program, I386, tree.blobs, tree.read)
    graph = reach.build(program, checks, pointers, sites, reach.BOUNDS)
    row, details = audit(program, checks, pointers, sites, reach.BOUNDS)
    return LinkedRelease(
        release,
        [site.check for site in sites],
        _definitions(tree),
        [_syscall(entry) for entry in table],
        syscall_checks(graph, table, sites, reach.BOUNDS),
        checks.wrappers(),
        row,
        [*details, *notes],
    )


def _definitions(tree: Tree) -> list[CapabilityDefinition]:
    for path in _CAPABILITY_HEADERS:
        if path in tree.blobs:
            found = capability_definitions(tree.read(tree.blobs[path]))
            if found:
                return [
                    CapabilityDefinition(d.capability, d.number, path, d.line, d.doc) for d in found
                ]
    return []


def _syscall(entry: Entry) -> Syscall:
    definition = entry.definition
    return Syscall(
        I386.name,
        entry.number,
        entry.syscall,
        entry.function,
        definition.path if definition else None,
        definition.line if definition else None,
        entry.parent,
    )


def syscall_checks(
    graph: reach.Graph, table: list[Entry], sites: list[Site], bounds: reach.Bounds
) -> list[SyscallCheck]:
    """One row for each syscall and check site that it comes to, with its best chain.

    ``shared_by`` counts the syscalls that come to the site with no more pointer steps than
    this row: over pointers nearly every syscall comes to nearly every check, which must
    not make a close one look common.
    """
    at: dict[Definition, list[Site]] = {}
    for site in sites:
        at.setdefault(site.definition, []).append(site)
    found = reach.reached(graph, table, set(at), bounds)
    shared = _shared(found)
    rows = []
    for entry, chains in zip(table, found, strict=True):
        for holder, chain in chains.items():
            for site in at[holder]:
                rows.append(_row(entry, site, chain, shared[holder, chain.pointer_hops]))
    return rows


def _shared(found: list[dict[Definition, reach.Found]]) -> dict[tuple[Definition, int], int]:
    exact: dict[Definition, dict[int, int]] = {}
    for chains in found:
        for holder, chain in chains.items():
            by_hops = exact.setdefault(holder, {})
            by_hops[chain.pointer_hops] = by_hops.get(chain.pointer_hops, 0) + 1
    result = {}
    for holder, by_hops in exact.items():
        total = 0
        for hops in sorted(by_hops):
            total += by_hops[hops]
            result[holder, hops] = total
    return result


def _row(entry: Entry, site: Site, chain: reach.Found, shared_by: int) -> SyscallCheck:
    steps = [
        Step(
            edge.caller.name,
            edge.caller.path,
            edge.line,
            "call" if edge.via is None else "pointer",
            edge.via,
        )
        for edge in chain.edges
    ]
    check = site.check
    steps.append(Step(site.definition.name, check.path, check.line, "call", None))
    return SyscallCheck(
        I386.name,
        entry.syscall,
        check,
        "pointer" if chain.pointer_hops else "call" if chain.edges else "direct",
        len(chain.edges),
        chain.pointer_hops,
        max([site.conditional, *(edge.conditional for edge in chain.edges)]),
        1,
        shared_by,
        tuple(steps),
    )
