"""How syscalls come to checks: the graph from the checks backwards, and the best chains.

Only functions from which a check can be reached are looked at; from a modern syscall
forwards nearly the whole kernel would be.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from caphistory.linking.checks import Checks, Site
from caphistory.linking.pointers import Pointers
from caphistory.linking.program import Definition, Program
from caphistory.linking.syscalls import Entry


class Bounds(NamedTuple):
    """How far chains are followed: steps in all, and steps through function pointers.
    What lies beyond is not answered; the bounds are stored with each release."""

    depth: int
    pointer_hops: int


BOUNDS = Bounds(depth=8, pointer_hops=3)


class Edge(NamedTuple):
    """A step from one definition to another: the line it is made at, and how."""

    caller: Definition
    callee: Definition
    line: int
    conditional: int
    via: str | None


class Graph(NamedTuple):
    """The steps between definitions that come to a check, by caller and by callee: of all
    steps of one kind between two definitions the first, unconditional ones before others."""

    out: dict[Definition, list[Edge]]
    into: dict[Definition, list[Edge]]


def build(
    program: Program, checks: Checks, pointers: Pointers, sites: list[Site], bounds: Bounds
) -> Graph:
    """Go backwards from the sites, as many steps as a chain may have."""
    level = {site.definition for site in sites if program.built(site.definition.path)}
    seen = set(level)
    graph = Graph({}, {})
    for _ in range(bounds.depth):
        following: set[Definition] = set()
        for callee in sorted(level, key=lambda d: d.key):
            edges = _edges_to(program, checks, pointers, callee)
            graph.into[callee] = edges
            for edge in edges:
                graph.out.setdefault(edge.caller, []).append(edge)
                if edge.caller not in seen:
                    seen.add(edge.caller)
                    following.add(edge.caller)
        level = following
    return graph


def _edges_to(
    program: Program, checks: Checks, pointers: Pointers, callee: Definition
) -> list[Edge]:
    best: dict[tuple[Definition, str], Edge] = {}
    for edge in _steps_to(program, pointers, callee):
        if edge.caller is callee or not program.built(edge.caller.path):
            continue
        key = (edge.caller, edge.via or "")
        known = best.get(key)
        if known is None or (edge.conditional, edge.line) < (known.conditional, known.line):
            best[key] = edge
    found = [edge for edge in best.values() if not checks.is_check(edge.caller)]
    return sorted(found, key=lambda e: (e.via or "", e.caller.key))


def _steps_to(program: Program, pointers: Pointers, callee: Definition) -> Iterator[Edge]:
    name = callee.name
    for caller, call in program.calls.get(name):
        if callee in program.resolve(name, caller.path):
            yield Edge(caller, callee, caller.item_line + call.line, call.conditional, None)
    for macro in program.aliases.get(name):  # "#define iput_final really_iput"
        if macro is not callee and callee in program.resolve(name, macro.path):
            yield Edge(macro, callee, macro.line, 0, None)
    for caller, call, via in pointers.callers(callee):
        yield Edge(caller, callee, caller.item_line + call.line, call.conditional, via)


# For each definition the entries (as bits) that arrive first at (pointer steps, steps).
_Arrivals = dict[Definition, dict[tuple[int, int], int]]


class Found(NamedTuple):
    """The best chain from an entry function to a definition with a check: its edges in
    order, and how many of them are pointer steps."""

    pointer_hops: int
    edges: tuple[Edge, ...]


def reached(
    graph: Graph, entries: list[Entry], holders: set[Definition], bounds: Bounds
) -> list[dict[Definition, Found]]:
    """For each entry, the definitions among ``holders`` that it comes to, with the best
    chain: fewest pointer steps, then fewest steps, then the order of the source.

    All entries go breadth first together, each one a bit of an integer. What a
    multiplexer dispatches is not entered from it: those are syscalls of their own.
    """
    barred = _dispatched(entries)
    arrivals: _Arrivals = {}
    arrived: dict[Definition, int] = {}
    start: dict[Definition, int] = {}
    for bit, entry in enumerate(entries):
        if entry.definition is not None:
            start[entry.definition] = start.get(entry.definition, 0) | 1 << bit
    waiting: list[dict[Definition, int]] = [start] + [{} for _ in range(bounds.depth)]
    for hops in range(bounds.pointer_hops + 1):
        later: list[dict[Definition, int]] = [{} for _ in range(bounds.depth + 1)]
        for depth, level in enumerate(waiting):
            for at, mask in level.items():
                fresh = mask & ~arrived.get(at, 0)
                if not fresh:
                    continue
                arrived[at] = arrived.get(at, 0) | fresh
                arrivals.setdefault(at, {})[hops, depth] = fresh
                if depth == bounds.depth:
                    continue
                for edge in graph.out.get(at, ()):
                    if (at, edge.callee) not in barred:
                        target = (waiting if edge.via is None else later)[depth + 1]
                        target[edge.callee] = target.get(edge.callee, 0) | fresh
        waiting = later
    return _collect(graph, entries, holders, arrivals, barred)


def _dispatched(entries: list[Entry]) -> set[tuple[Definition, Definition]]:
    multiplexers = {e.syscall: e.definition for e in entries if e.parent is None}
    pairs = set()
    for entry in entries:
        parent = multiplexers.get(entry.parent) if entry.parent is not None else None
        if parent is not None and entry.definition is not None:
            pairs.add((parent, entry.definition))
    return pairs


def _collect(
    graph: Graph,
    entries: list[Entry],
    holders: set[Definition],
    arrivals: _Arrivals,
    barred: set[tuple[Definition, Definition]],
) -> list[dict[Definition, Found]]:
    result: list[dict[Definition, Found]] = [{} for _ in entries]
    for holder in sorted(holders, key=lambda d: d.key):
        for (hops, depth), mask in arrivals.get(holder, {}).items():
            while mask:
                low = mask & -mask
                mask ^= low
                bit = low.bit_length() - 1
                edges = _trace(graph, arrivals, barred, holder, hops, depth, low)
                result[bit][holder] = Found(hops, tuple(edges))
    return result


def _trace(
    graph: Graph,
    arrivals: _Arrivals,
    barred: set[tuple[Definition, Definition]],
    at: Definition,
    hops: int,
    depth: int,
    bit: int,
) -> list[Edge]:
    """Back along the steps by which a bit arrived; of equals the first edge in order."""
    edges: list[Edge] = []
    while depth:
        for edge in graph.into[at]:
            before = hops - (edge.via is not None)
            here = arrivals.get(edge.caller)
            if here and here.get((before, depth - 1), 0) & bit and (edge.caller, at) not in barred:
                edges.append(edge)
                at, hops, depth = edge.caller, before, depth - 1
                break
        else:  # cannot happen: a bit arrives by an edge
            raise AssertionError(f"no step to {at}")
    edges.reverse()
    return edges
