"""How syscalls come to checks: the graph from the checks backwards, and the best chains.

Only functions from which a check can be reached are looked at; from a modern syscall
forwards nearly the whole kernel would be.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import NamedTuple

from caphistory.linking.checks import Checks, Site
from caphistory.linking.feasibility import NOTHING_KNOWN, Constants, Context
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
    None for a macro that is only another name for the callee."""

    caller: Definition
    callee: Definition
    line: int
    conditional: int
    via: str | None
    call: Call | None


class Graph(NamedTuple):
    """The steps between definitions that come to a check, by caller and by callee. Of steps
    that neither kind, conditions nor arguments tell apart the first is kept, unconditional
    ones before others."""

    out: dict[Definition, list[Edge]]
    into: dict[Definition, list[Edge]]


# For each number of pointer steps, the fewest steps that lead from or to a definition.
_Steps = dict[Definition, dict[int, int]]
# The definitions at the other ends of steps, and whether a step goes through a pointer.
_Ends = Collection[tuple[Definition, bool]]


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
    into: dict[Definition, _Ends] = {}
    out: dict[Definition, list[tuple[Definition, bool]]] = {}

    def callers(callee: Definition) -> _Ends:
        ends = into[callee] = _ends_to(program, checks, pointers, callee)
        for caller, pointer in ends:
            out.setdefault(caller, []).append((callee, pointer))
        return ends

    behind = _steps([site.definition for site in sites], callers, bounds)
    starts = [entry.definition for entry in entries if entry.definition is not None]
    before = _steps(starts, lambda caller: out.get(caller, ()), bounds)
    # Of 300,000 definitions of a kernel of today from which a check can be reached so, syscalls
    # come to one in twenty.
    kept = {
        callee: frozenset(
            end for end in ends if _within(before.get(end[0]), behind[callee], end[1], bounds)
        )
        for callee, ends in into.items()
    }
    graph = Graph({}, {})
    for callee in sorted((one for one, ends in kept.items() if ends), key=lambda d: d.key):
        for edge in _edges_to(program, checks, pointers, callee):
            if (edge.caller, edge.via is not None) in kept[callee]:
                graph.into.setdefault(callee, []).append(edge)
                graph.out.setdefault(edge.caller, []).append(edge)
    return graph


def _steps(
    start: list[Definition],
    neighbours: Callable[[Definition], _Ends],
    bounds: Bounds,
) -> _Steps:
    """The fewest steps, within the bounds, from some definitions to all others."""
    found: _Steps = {definition: {0: 0} for definition in start}
    fewest = dict.fromkeys(start, 0)
    ends: dict[Definition, _Ends] = {}
    level = [dict.fromkeys(start), *({} for _ in bounds.steps[1:])]
    for steps in range(1, bounds.steps[0] + 1):
        following: list[dict[Definition, None]] = [{} for _ in bounds.steps]
        for hops, definitions in enumerate(level):
            for definition in definitions:
                if definition not in ends:
                    ends[definition] = neighbours(definition)
                for other, pointer in ends[definition]:
                    more = hops + pointer
                    # Fewer pointer steps are as good or better.
                    if more < fewest.get(other, len(bounds.steps)) and steps <= bounds.steps[more]:
                        fewest[other] = more
                        found.setdefault(other, {})[more] = steps
                        following[more][other] = None
        level = following
    return found


def _within(
    before: dict[int, int] | None, behind: dict[int, int], pointer: bool, bounds: Bounds
) -> bool:
    """Whether a step can be part of a chain that the bounds allow."""
    for hops, steps in (before or {}).items():
        for more, further in behind.items():
            all_ = hops + more + pointer
            if all_ < len(bounds.steps) and steps + 1 + further <= bounds.steps[all_]:
                return True
    return False


def _ends_to(program: Program, checks: Checks, pointers: Pointers, callee: Definition) -> _Ends:
    """Where the steps to a definition begin, and whether they go through a pointer."""
    ends = dict.fromkeys(
        (caller, bool(ways)) for caller, _, ways in _steps_to(program, pointers, callee)
    )
    return [end for end in ends if not checks.is_check(end[0])]


def _edges_to(
    program: Program, checks: Checks, pointers: Pointers, callee: Definition
) -> list[Edge]:
    best: dict[tuple[object, ...], Edge] = {}
    for caller, call, ways in _steps_to(program, pointers, callee):
        told = (call.guards, call.passes) if call else ()
        for via in ways or (None,):
            edge = _step(caller, callee, call, via)
            key = (caller, via, told)
            known = best.get(key)
            if known is None or _rank(edge) < _rank(known):
                best[key] = edge
    found = [edge for edge in best.values() if not checks.is_check(edge.caller)]
    return sorted(found, key=lambda e: (e.via or "", e.caller.key, _rank(e)))


def _rank(edge: Edge) -> tuple[int, int]:
    return edge.conditional, edge.line


def _steps_to(
    program: Program, pointers: Pointers, callee: Definition
) -> Iterator[tuple[Definition, Call | None, Sequence[str]]]:
    """The steps to a definition from others, in code that can be built: the caller, the call
    (None as in ``Edge``) and, for one through a pointer, the ways by which the callee came."""
    name = callee.name

    def means(path: str) -> bool:
        return program.built(path) and callee in program.resolve(name, path)

    def there(caller: Definition, call: Call | None) -> bool:
        return (
            caller is not callee
            and program.possible(caller.condition)
            and (call is None or program.possible(call.condition))
        )

    for path in program.calls.paths(name):
        for caller, call in program.calls.at(name, path) if means(path) else ():
            if there(caller, call):
                yield caller, call, ()
    for caller, call in pointers.expansions.calls.get(name, ()):
        if means(caller.path) and there(caller, call):
            yield caller, call, ()
    for macro in program.aliases.get(name):  # "#define iput_final really_iput"
        if means(macro.path) and there(macro, None):
            yield macro, None, ()
    for caller, call, ways in pointers.callers(callee):
        if there(caller, call):
            yield caller, call, ways


def _step(caller: Definition, callee: Definition, call: Call | None, via: str | None) -> Edge:
    if call is None:
        return Edge(caller, callee, caller.line, 0, via, None)
    return Edge(caller, callee, caller.item_line + call.line, call.conditional, via, call)


def constants(program: Program, pointers: Pointers, graph: Graph, sites: list[Site]) -> Constants:
    """What must be known of parameters to decide the guards of sites and steps."""
    found = Constants(program, pointers.targets)
    news = []
    for site in sites:
        if found.want(site.definition, site.guards):
            news.append(site.definition)
    for caller, edges in graph.out.items():
        for edge in edges:
            if edge.call is not None and found.want(caller, edge.call.guards):
                news.append(caller)
    while news:
        callee = news.pop()
        for edge in graph.into.get(callee, ()):
            if edge.call is not None and found.want_for(edge.caller, edge.call, callee):
                news.append(edge.caller)
    found.find_numbers()
    return found


class Found(NamedTuple):
    """The best chain from an entry function to the definition that holds a site: its edges
    in order, and how many of them are pointer steps."""

    pointer_hops: int
    edges: tuple[Edge, ...]


# A definition with what is known of its parameters.
_Node = tuple[Definition, Context]


class _Search:
    """Breadth first from all entries together, each one a bit of an integer.

    With ``constants``, steps whose guards are known to fail are not taken, and a function is
    a node of its own for each set of constants that it is called with.
    """

    def __init__(self, graph: Graph, entries: list[Entry], constants: Constants | None) -> None:
        self._graph = graph
        self._constants = constants
        self._barred = _dispatched(entries)
        self._steps: dict[_Node, list[tuple[Edge, _Node]]] = {}
        self._into: dict[_Node, list[tuple[Edge, _Node]]] = {}
        self._chains: dict[tuple[_Node, int, int, int], tuple[Edge, ...]] = {}
        self.contexts: dict[Definition, list[_Node]] = {}
        self.arrivals: dict[_Node, dict[tuple[int, int], int]] = {}

    def run(self, entries: list[Entry], bounds: Bounds) -> None:
        """Fewest pointer steps first, then fewest steps."""
        arrived: dict[_Node, int] = {}
        waiting: list[dict[_Node, int]] = [{} for _ in range(bounds.steps[0] + 1)]
        for bit, entry in enumerate(entries):
            if entry.definition is not None:
                start = self._node(entry.definition, NOTHING_KNOWN)
                waiting[0][start] = waiting[0].get(start, 0) | 1 << bit
        for hops, most in enumerate(bounds.steps):
            later: list[dict[_Node, int]] = [{} for _ in waiting]
            for depth, level in enumerate(waiting[: most + 1]):
                for at, mask in level.items():
                    fresh = mask & ~arrived.get(at, 0)
                    if not fresh:
                        continue
                    arrived[at] = arrived.get(at, 0) | fresh
                    self.arrivals.setdefault(at, {})[hops, depth] = fresh
                    if depth == most:
                        continue
                    for edge, following in self._from(at):
                        target = (waiting if edge.via is None else later)[depth + 1]
                        target[following] = target.get(following, 0) | fresh
            waiting = later

    def _node(self, definition: Definition, context: Context) -> _Node:
        known = self.contexts.setdefault(definition, [])
        node = (definition, context)
        if node not in known:
            if len(known) >= _MOST_CONTEXTS and context:
                return self._node(definition, NOTHING_KNOWN)
            known.append(node)
        return node

    def _from(self, at: _Node) -> list[tuple[Edge, _Node]]:
        found = self._steps.get(at)
        if found is None:
            found = self._steps[at] = []
            definition, context = at
            for edge in self._graph.out.get(definition, ()):
                if (definition, edge.callee) in self._barred:
                    continue
                ways = [NOTHING_KNOWN]
                if self._constants is not None and edge.call is not None:
                    if not self._constants.possible(definition, edge.call.guards, context):
                        continue
                    ways = self._constants.handed(definition, context, edge.call, edge.callee)
                for following in dict.fromkeys(self._node(edge.callee, known) for known in ways):
                    found.append((edge, following))
                    self._into.setdefault(following, []).append((edge, at))
        return found

    def chain(self, at: _Node, hops: int, depth: int, bit: int) -> tuple[Edge, ...]:
        """Back along the steps by which a bit arrived; of equals the first in the source."""
        if depth == 0:
            return ()
        key = (at, hops, depth, bit)
        found = self._chains.get(key)
        if found is None:
            edge, before = min(
                (
                    (edge, before)
                    for edge, before in self._into[at]
                    if self.arrivals.get(before, {}).get(
                        (hops - (edge.via is not None), depth - 1), 0
                    )
                    & bit
                ),
                key=lambda step: (step[0].via or "", step[0].caller.key, _rank(step[0])),
            )
            rest = self.chain(before, hops - (edge.via is not None), depth - 1, bit)
            found = self._chains[key] = (*rest, edge)
        return found


# So many different sets of constants for one function; from there on nothing is assumed.
_MOST_CONTEXTS = 64


def reached(
    graph: Graph,
    entries: list[Entry],
    sites: list[Site],
    bounds: Bounds,
    constants: Constants | None,
) -> list[dict[int, Found]]:
    """For each entry, the sites (by their number in ``sites``) that it comes to, with the
    best chain: fewest pointer steps, then fewest steps, then the order of the source.

    With ``constants``, only those that no constant on the way switches off. What a
    multiplexer dispatches is not entered from it: those are syscalls of their own.
    """
    search = _Search(graph, entries, constants)
    search.run(entries, bounds)
    result: list[dict[int, Found]] = [{} for _ in entries]
    for number, site in enumerate(sites):
        found = sorted(
            (hops, depth, order, mask, node)
            for order, node in enumerate(search.contexts.get(site.definition, ()))
            if constants is None or constants.possible(site.definition, site.guards, node[1])
            for (hops, depth), mask in search.arrivals.get(node, {}).items()
        )
        seen = 0
        for hops, depth, _, mask, node in found:
            mask &= ~seen
            seen |= mask
            while mask:
                low = mask & -mask
                mask ^= low
                chain = search.chain(node, hops, depth, low)
                result[low.bit_length() - 1][number] = Found(hops, chain)
    return result


def _dispatched(entries: list[Entry]) -> set[tuple[Definition, Definition]]:
    return {
        (entry.dispatcher, entry.definition)
        for entry in entries
        if entry.dispatcher is not None and entry.definition is not None
    }
