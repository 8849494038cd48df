"""How syscalls come to checks: the graph from the checks backwards, and the best chains.

Only functions from which a check can be reached are looked at; from a modern syscall
forwards nearly the whole kernel would be.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Iterable, Mapping, Sequence
from functools import cache
from itertools import groupby
from typing import NamedTuple

from caphistory.linking.checks import Checks, Site
from caphistory.linking.feasibility import (
    NOTHING_HANDED,
    NOTHING_KNOWN,
    Constants,
    Context,
    Situation,
)
from caphistory.linking.pointers import Pointers
from caphistory.linking.program import Definition, Program
from caphistory.linking.syscalls import Entry
from caphistory.syntax.facts import Call


class Bounds(NamedTuple):
    """How far chains are followed: ``steps[n]`` is how many steps a chain with n pointer steps
    may have, never more than one with fewer. What lies beyond is not answered; the bounds are
    stored with each release."""

    steps: tuple[int, ...]


# No chain without pointers is cut off in 2.0.40 (7 steps at most) and 2.2.24 (8); from 2.4 on
# they go through the reclaim of memory, which says little. Through pointers the ways are many:
# all that readers found in 2.0.40 and 2.2.24 (tests/truth) have no more steps than these.
BOUNDS = Bounds((14, 10, 10, 8, 8, 8))
# For what constants switch off, which is shown on request only.
SWITCHED_OFF = Bounds((8, 8, 8, 8))


class Edge(NamedTuple):
    """A step from one definition to another: the line it is made at, and how. ``call`` is
    None for a macro that is only another name for the callee. ``order`` is its place among the
    steps to the callee, by way, caller and line."""

    caller: Definition
    callee: Definition
    line: int
    conditional: int
    via: str | None
    call: Call | None
    order: int


class Graph(NamedTuple):
    """The steps between definitions that come to a check, by caller and by callee. Of steps
    that neither kind, conditions nor arguments tell apart the first is kept, unconditional
    ones before others."""

    out: dict[Definition, list[Edge]]
    into: dict[Definition, list[Edge]]


# The fewest steps that lead from or to a definition, for each number of pointer steps: pairs of
# the two numbers.
_Fewest = tuple[tuple[int, int], ...]
# The definitions at the other ends of steps: of those by name, and of those through pointers.
_Ends = tuple[Collection[Definition], Collection[Definition]]
_Callees = tuple[list[Definition], list[Definition]]
# A caller and its call; None for it as in ``Edge``.
_Step = tuple[Definition, "Call | None"]


def build(
    program: Program,
    checks: Checks,
    pointers: Pointers,
    sites: list[Site],
    entries: list[Entry],
    bounds: Bounds,
) -> Graph:
    """Go backwards from the sites, as many steps as a chain may have, and keep the steps that a
    chain from an entry function can be made of."""
    steps = _Steps(program, checks, pointers)
    out: dict[Definition, _Callees] = {}

    def callers(callee: Definition) -> _Ends:
        ends = steps.ends(callee)
        for pointer, definitions in enumerate(ends):
            for caller in definitions:
                known = out.get(caller)
                if known is None:
                    known = out[caller] = ([], [])
                known[pointer].append(callee)
        return ends

    behind = _fewest([site.definition for site in sites], callers, bounds)
    starts = [entry.definition for entry in entries if entry.definition is not None]
    before = _fewest(starts, lambda caller: out.get(caller, ((), ())), bounds)

    @cache
    def within(before: _Fewest, behind: _Fewest, pointer: int) -> bool:
        return _within(before, behind, pointer, bounds)

    # Of 300,000 definitions of a kernel of today from which a check can be reached so, syscalls
    # come to one in twenty.
    kept: dict[Definition, tuple[set[Definition], set[Definition]]] = {}
    for caller, steps_before in before.items():
        for pointer, callees in enumerate(out.get(caller, ())):
            for callee in callees:
                if within(steps_before, behind[callee], pointer):
                    known = kept.get(callee)
                    if known is None:
                        known = kept[callee] = (set(), set())
                    known[pointer].add(caller)
    graph = Graph({}, {})
    for callee in sorted(kept, key=lambda d: d.key):
        edges = graph.into[callee] = steps.edges(callee, *kept[callee])
        for edge in edges:
            graph.out.setdefault(edge.caller, []).append(edge)
    return graph


def _fewest(
    start: list[Definition],
    neighbours: Callable[[Definition], _Ends],
    bounds: Bounds,
) -> dict[Definition, _Fewest]:
    """The fewest steps, within the bounds, from some definitions to all others."""
    found: dict[Definition, _Fewest] = dict.fromkeys(start, ((0, 0),))
    fewest = dict.fromkeys(start, 0)
    of = fewest.get
    ends: dict[Definition, _Ends] = {}
    level = [dict.fromkeys(start), *({} for _ in bounds.steps[1:])]
    for steps in range(1, bounds.steps[0] + 1):
        kinds = sum(steps <= most for most in bounds.steps)
        following: list[dict[Definition, None]] = [{} for _ in bounds.steps]
        for hops, definitions in enumerate(level):
            for definition in definitions:
                known = ends.get(definition)
                if known is None:
                    known = ends[definition] = neighbours(definition)
                for more, others in enumerate(known, hops):
                    if more >= kinds:
                        break
                    # Fewer pointer steps are as good or better.
                    for other in [one for one in others if more < of(one, kinds)]:
                        fewest[other] = more
                        found[other] = (*found.get(other, ()), (more, steps))
                        following[more][other] = None
        level = following
    return found


def _within(before: _Fewest, behind: _Fewest, pointer: int, bounds: Bounds) -> bool:
    """Whether a step can be part of a chain that the bounds allow."""
    for hops, steps in before:
        for more, further in behind:
            all_ = hops + more + pointer
            if all_ < len(bounds.steps) and steps + 1 + further <= bounds.steps[all_]:
                return True
    return False


class _Steps:
    """The steps to definitions, in code that can be built, from all but checks."""

    def __init__(self, program: Program, checks: Checks, pointers: Pointers) -> None:
        self._program = program
        self._pointers = pointers
        self._checks = checks.definitions()
        self._named: dict[str, dict[Definition, list[_Step]]] = {}

    def ends(self, callee: Definition) -> _Ends:
        """Where the steps to a definition begin."""
        possible = self._possible
        named = dict.fromkeys([caller for caller, _ in self._by_name(callee)])
        pointed = dict.fromkeys(
            [caller for caller, call, _ in self._pointers.callers(callee) if possible(caller, call)]
        )
        named.pop(callee, None)
        pointed.pop(callee, None)
        return list(named), list(pointed)

    def edges(
        self, callee: Definition, named: Container[Definition], pointed: Container[Definition]
    ) -> list[Edge]:
        """The steps to a definition from these by name, and from those through pointers."""
        found: list[Edge] = []
        known: dict[tuple[Definition, str | None], list[int]] = {}

        def add(caller: Definition, call: Call | None, via: str | None) -> None:
            edge = _edge(caller, callee, call, via)
            same = known.setdefault((caller, via), [])
            for number in same:
                if _told(found[number].call) == _told(call):
                    if _rank(edge) < _rank(found[number]):
                        found[number] = edge
                    return
            same.append(len(found))
            found.append(edge)

        for caller, call in self._by_name(callee):
            if caller in named:
                add(caller, call, None)
        if pointed:
            for caller, call, ways in self._pointers.callers(callee):
                if caller in pointed and self._program.possible(call.condition):
                    for via in ways:
                        add(caller, call, via)
        found.sort(key=_order)
        groups = groupby(found, key=_order)
        return [e._replace(order=n) for n, (_, edges) in enumerate(groups) for e in edges]

    def _by_name(self, callee: Definition) -> Sequence[_Step]:
        """The steps to a definition by its name, and those within it."""
        found = self._named.get(callee.name)
        if found is None:
            found = self._named[callee.name] = self._all_by(callee.name)
        return found.get(callee, ())

    def _all_by(self, name: str) -> dict[Definition, list[_Step]]:
        """The steps by a name, to each definition that it means somewhere."""
        program, possible = self._program, self._possible
        found: dict[Definition, list[_Step]] = {}
        for path in program.calls.paths(name):
            if program.built(path):
                steps: Sequence[_Step] = program.calls.at(name, path)
                for callee in program.resolve(name, path):
                    known = found.get(callee)
                    if known is None:
                        known = found[callee] = []
                    known += [step for step in steps if possible(*step)]
        more: list[_Step] = list(self._pointers.expansions.calls.get(name))
        if name in program.aliases:  # "#define iput_final really_iput"
            more += [(macro, None) for macro in program.aliases.get(name)]
        for step in more:
            if possible(*step) and program.built(step[0].path):
                for callee in program.resolve(name, step[0].path):
                    found.setdefault(callee, []).append(step)
        return found

    def _possible(self, caller: Definition, call: Call | None) -> bool:
        possible = self._program.possible
        return (
            caller not in self._checks
            and (not caller.condition or possible(caller.condition))
            and (call is None or not call.condition or possible(call.condition))
        )


def _edge(caller: Definition, callee: Definition, call: Call | None, via: str | None) -> Edge:
    if call is None:
        return Edge(caller, callee, caller.line, 0, via, None, 0)
    return Edge(caller, callee, caller.item_line + call.line, call.conditional, via, call, 0)


def _told(call: Call | None) -> tuple[object, ...]:
    return (call.guards, call.passes) if call else ()


def _rank(edge: Edge) -> tuple[int, int]:
    return edge.conditional, edge.line


def _order(edge: Edge) -> tuple[str, tuple[str, int, str], tuple[int, int]]:
    return edge.via or "", edge.caller.key, _rank(edge)


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
