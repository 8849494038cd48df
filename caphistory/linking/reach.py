"""How syscalls come to checks: the best chains in the graph of steps between definitions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from caphistory.linking.checks import Site
from caphistory.linking.feasibility import (
    NOTHING_HANDED,
    NOTHING_KNOWN,
    Constants,
    Context,
    Situation,
)
from caphistory.linking.graph import Bounds, Edge, Graph
from caphistory.linking.pointers import Pointers
from caphistory.linking.program import Definition, Program
from caphistory.linking.syscalls import Entry


def constants(program: Program, pointers: Pointers, graph: Graph, sites: list[Site]) -> Constants:
    """What must be known of parameters to decide the guards of sites and steps."""
    found = Constants(program, pointers.targets)
    for site in sites:
        found.want(site.definition, site.guards)
    for caller, edges in graph.out.items():
        for edge in edges:
            if edge.call is not None:
                found.want(caller, edge.call.guards)
    while news := found.news():
        for callee, wishes in news:
            for edge in graph.into.get(callee, ()):
                if edge.call is not None:
                    found.want_for(edge.caller, edge.call, wishes)
    found.find_numbers()
    return found


class Found(NamedTuple):
    """The best chain from an entry function to the definition that holds a site: its edges
    in order, and how many of them are pointer steps."""

    pointer_hops: int
    edges: tuple[Edge, ...]


class _Node:
    """A definition with what is known of its parameters, and the entries that came to it, each a
    bit of an integer: those that came first with so many pointer steps and steps stand together.
    What lies around it is known to the search: nodes that know each other are a cycle, and where
    many releases are linked nobody looks for those."""

    __slots__ = ("arrivals", "arrived", "definition", "situation")

    def __init__(self, definition: Definition, situation: Situation | None) -> None:
        self.definition = definition
        self.situation = situation
        self.arrived = 0
        self.arrivals: dict[tuple[int, int], int] = {}


class _Search:
    """Breadth first from all entries together.

    With ``constants``, steps whose guards are known to fail are not taken, and a function is
    a node of its own for each set of constants that it is called with.
    """

    def __init__(self, graph: Graph, entries: list[Entry], constants: Constants | None) -> None:
        self._graph = graph
        self._constants = constants
        self._barred = _dispatched(entries)
        self._nodes: dict[Definition, dict[Context, _Node]] = {}
        # The nodes to which steps lead: of those by name, and of those through pointers.
        self._following: dict[_Node, tuple[dict[_Node, None], dict[_Node, None]]] = {}
        self._before: dict[_Node, list[tuple[Edge, _Node]]] = {}
        # Of the steps to a node those by which entries came in so many, and the chains.
        self._last: dict[tuple[_Node, int, int], list[tuple[Edge, _Node, int]]] = {}
        self._chains: dict[tuple[_Node, int, int, int], tuple[Edge, ...]] = {}

    def run(self, entries: list[Entry], bounds: Bounds) -> None:
        """Fewest pointer steps first, then fewest steps."""
        waiting: list[dict[_Node, int]] = [{} for _ in range(bounds.steps[0] + 1)]
        for bit, entry in enumerate(entries):
            if entry.definition is not None:
                start = self._node(entry.definition, NOTHING_KNOWN)
                waiting[0][start] = waiting[0].get(start, 0) | 1 << bit
        for hops, most in enumerate(bounds.steps):
            later: list[dict[_Node, int]] = [{} for _ in waiting]
            for depth, level in enumerate(waiting[: most + 1]):
                for at, mask in level.items():
                    fresh = mask & ~at.arrived
                    if not fresh:
                        continue
                    at.arrived |= fresh
                    at.arrivals[hops, depth] = fresh
                    if depth == most:
                        continue
                    named, pointed = self._following.get(at) or self._follow(at)
                    target = waiting[depth + 1]
                    for one in named:
                        target[one] = target.get(one, 0) | fresh
                    target = later[depth + 1]
                    for one in pointed:
                        target[one] = target.get(one, 0) | fresh
            waiting = later

    def nodes(self, definition: Definition) -> Iterable[_Node]:
        """The nodes of a definition, as they were found."""
        return self._nodes.get(definition, {}).values()

    def _node(self, definition: Definition, context: Context) -> _Node:
        known = self._nodes.get(definition)
        if known is None:
            known = self._nodes[definition] = {}
        found = known.get(context)
        if found is None:
            if len(known) >= _MOST_CONTEXTS and context:
                return self._node(definition, NOTHING_KNOWN)
            situation = (
                None if self._constants is None else Situation(self._constants, definition, context)
            )
            found = known[context] = _Node(definition, situation)
        return found

    def _follow(self, at: _Node) -> tuple[dict[_Node, None], dict[_Node, None]]:
        found = self._following[at] = ({}, {})
        situation = at.situation
        barred = self._barred.get(at.definition, ())
        for edge in self._graph.out.get(at.definition, ()):
            if edge.callee in barred:
                continue
            ways: Sequence[Context] = NOTHING_HANDED
            if situation is not None and edge.call is not None:
                if not situation.possible(edge.call.guards):
                    continue
                ways = situation.handed(edge.call, edge.callee)
            kind = found[edge.via is not None]
            for following in dict.fromkeys([self._node(edge.callee, known) for known in ways]):
                kind[following] = None
                self._before.setdefault(following, []).append((edge, at))
        return found

    def chain(self, at: _Node, hops: int, depth: int, bit: int) -> tuple[Edge, ...]:
        """Back along the steps by which a bit arrived; of equals the first in the source."""
        if depth == 0:
            return ()
        key = (at, hops, depth, bit)
        found = self._chains.get(key)
        if found is None:
            edge, before = next(
                (edge, before) for edge, before, mask in self._steps(at, hops, depth) if mask & bit
            )
            rest = self.chain(before, hops - (edge.via is not None), depth - 1, bit)
            found = self._chains[key] = (*rest, edge)
        return found

    def _steps(self, at: _Node, hops: int, depth: int) -> list[tuple[Edge, _Node, int]]:
        """The last steps of those chains to a node that have so many, in order."""
        found = self._last.get((at, hops, depth))
        if found is None:
            came = ((hops, depth - 1), (hops - 1, depth - 1))
            found = [
                (edge, before, before.arrivals.get(came[edge.via is not None], 0))
                for edge, before in self._before[at]
            ]
            found = [step for step in found if step[2]]
            found.sort(key=lambda step: step[0].order)
            self._last[at, hops, depth] = found
        return found


# So many different sets of constants for one function; from there on nothing is assumed.
_MOST_CONTEXTS = 64


def reached(
    graph: Graph,
    entries: list[Entry],
    sites: list[Site],
    bounds: Bounds,
    constants: Constants | None,
    known: Sequence[Mapping[int, Found]] = (),
) -> list[dict[int, Found]]:
    """For each entry, the sites (by their number in ``sites``) that it comes to, with the
    best chain: fewest pointer steps, then fewest steps, then the order of the source.

    With ``constants``, only those that no constant on the way switches off. What a
    multiplexer dispatches is not entered from it: those are syscalls of their own. Where
    ``known`` has an answer for an entry and a site, it is taken instead of the best chain.
    """
    search = _Search(graph, entries, constants)
    search.run(entries, bounds)
    result: list[dict[int, Found]] = [{} for _ in entries]
    answers = known or result
    for number, site in enumerate(sites):
        found = sorted(
            (hops, depth, order, mask, node)
            for order, node in enumerate(search.nodes(site.definition))
            if node.situation is None or node.situation.possible(site.guards)
            for (hops, depth), mask in node.arrivals.items()
        )
        seen = 0
        for hops, depth, _, mask, node in found:
            mask &= ~seen
            seen |= mask
            while mask:
                low = mask & -mask
                mask ^= low
                entry = low.bit_length() - 1
                answer = answers[entry].get(number)
                result[entry][number] = answer or Found(hops, search.chain(node, hops, depth, low))
    return result


def _dispatched(entries: list[Entry]) -> dict[Definition, set[Definition]]:
    found: dict[Definition, set[Definition]] = {}
    for entry in entries:
        if entry.dispatcher is not None and entry.definition is not None:
            found.setdefault(entry.dispatcher, set()).add(entry.definition)
    return found
