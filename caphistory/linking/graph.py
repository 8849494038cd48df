"""The steps between definitions by which syscalls come to checks: from the checks backwards.

Only functions from which a check can be reached are looked at; from a modern syscall
forwards nearly the whole kernel would be.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Sequence, Set
from functools import cache
from itertools import groupby
from typing import NamedTuple

from caphistory.linking.checks import Site
from caphistory.linking.conditions import VERSION
from caphistory.linking.expansion import Expansions
from caphistory.linking.news import News
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
# The definitions, by number, at the other ends of steps: of those by name, and of those through
# pointers.
_Ends = tuple[Sequence[int], Sequence[int]]
# A caller and its call; None for it as in ``Edge``.
_Step = tuple[Definition, "Call | None"]


def build(
    program: Program,
    named: NamedSteps,
    pointers: Pointers,
    sites: list[Site],
    entries: list[Entry],
    bounds: Bounds,
) -> Graph:
    """Go backwards from the sites, as many steps as a chain may have, and keep the steps that a
    chain from an entry function can be made of. ``named`` is to be up to date."""
    steps = _Steps(program, named, pointers)
    definitions = {one.number: one for one in program.all_definitions()}
    out: dict[int, tuple[list[int], list[int]]] = {}

    def callers(callee: int) -> _Ends:
        ends = steps.ends(definitions[callee])
        for pointer, numbers in enumerate(ends):
            for caller in numbers:
                known = out.get(caller)
                if known is None:
                    known = out[caller] = ([], [])
                known[pointer].append(callee)
        return ends

    last = max(definitions, default=0)
    behind = _fewest([site.definition.number for site in sites], callers, bounds, last)
    starts = [entry.definition.number for entry in entries if entry.definition is not None]
    before = _fewest(starts, lambda caller: out.get(caller, ((), ())), bounds, last)

    @cache
    def within(before: _Fewest, behind: _Fewest, pointer: int) -> bool:
        return _within(before, behind, pointer, bounds)

    # Of 300,000 definitions of a kernel of today from which a check can be reached so, syscalls
    # come to one in twenty.
    kept: dict[int, tuple[set[int], set[int]]] = {}
    for caller, steps_before in before.items():
        for pointer, callees in enumerate(out.get(caller, ())):
            for callee in callees:
                if within(steps_before, behind[callee], pointer):
                    known = kept.get(callee)
                    if known is None:
                        known = kept[callee] = (set(), set())
                    known[pointer].add(caller)
    graph = Graph({}, {})
    for number in sorted(kept, key=lambda number: definitions[number].key):
        edges = graph.into[definitions[number]] = steps.edges(definitions[number], *kept[number])
        for edge in edges:
            graph.out.setdefault(edge.caller, []).append(edge)
    return graph


def _fewest(
    start: Iterable[int], neighbours: Callable[[int], _Ends], bounds: Bounds, last: int
) -> dict[int, _Fewest]:
    """The fewest steps, within the bounds, from some definitions to all others; ``last`` is the
    highest number that one has."""
    found: dict[int, _Fewest] = dict.fromkeys(start, ((0, 0),))
    # A byte for each: a table of objects, or of what they stand in, is no longer at hand when
    # it is looked at next.
    fewest = bytearray(b"\xff") * (last + 1)
    for one in found:
        fewest[one] = 0
    ends: dict[int, _Ends] = {}
    level: list[list[int]] = [list(found), *([] for _ in bounds.steps[1:])]
    for steps in range(1, bounds.steps[0] + 1):
        kinds = sum(steps <= most for most in bounds.steps)
        following: list[list[int]] = [[] for _ in bounds.steps]
        for hops, numbers in enumerate(level):
            for number in numbers:
                known = ends.get(number)
                if known is None:
                    known = ends[number] = neighbours(number)
                for more, others in enumerate(known, hops):
                    if more >= kinds:
                        break
                    # Fewer pointer steps are as good or better.
                    for other in [one for one in others if more < fewest[one]]:
                        fewest[other] = more
                        found[other] = (*found.get(other, ()), (more, steps))
                        following[more].append(other)
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


class _To(NamedTuple):
    """The steps by its name to a definition, and the numbers of those others who take them."""

    steps: list[_Step]
    callers: list[int]


_NONE = _To([], [])


class NamedSteps:
    """The steps to definitions by name, in code that can be built, from all but checks; kept from
    release to release, name by name, until something changes that a name's depend on."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._expansions: Expansions | None = None
        self._checks: Set[Definition] = frozenset()
        self._known: dict[str, dict[Definition, _To]] = {}
        # Names that are called where the kernel's version decides.
        self._versioned: set[str] = set()

    def refresh(self, news: News, expansions: Expansions, checks: Set[Definition]) -> None:
        """Forget what may be something else now: ``expansions`` are what macros make, and
        ``checks`` the definitions from which no steps lead."""
        if expansions is not self._expansions or checks != self._checks:
            self._known.clear()
        for name in (*news.names, *news.called, *expansions.news(), *self._versioned):
            self._known.pop(name, None)
        self._versioned.clear()
        self._expansions = expansions
        self._checks = checks

    def to(self, callee: Definition) -> _To:
        """The steps to a definition by its name, and those within it."""
        found = self._known.get(callee.name)
        if found is None:
            found = self._known[callee.name] = self._all(callee.name)
        return found.get(callee, _NONE)

    def _all(self, name: str) -> dict[Definition, _To]:
        """The steps by a name, to each definition that it means somewhere."""
        program = self._program
        found: dict[Definition, list[_Step]] = {}
        for path in program.calls.paths(name):
            if program.built(path):
                steps: Sequence[_Step] = program.calls.at(name, path)
                for callee in program.resolve(name, path):
                    known = found.get(callee)
                    if known is None:
                        known = found[callee] = []
                    known += steps
        assert self._expansions is not None
        more: list[_Step] = list(self._expansions.calls.get(name))
        if name in program.aliases:  # "#define iput_final really_iput"
            more += [(macro, None) for macro in program.aliases.get(name)]
        for step in more:
            if program.built(step[0].path):
                for callee in program.resolve(name, step[0].path):
                    found.setdefault(callee, []).append(step)
        if any(_asks_version(step) for steps in found.values() for step in steps):
            self._versioned.add(name)
        return {callee: self._to(callee, steps) for callee, steps in found.items()}

    def _to(self, callee: Definition, steps: Sequence[_Step]) -> _To:
        left = [step for step in steps if self.possible(*step)]
        return _To(left, list(dict.fromkeys([c.number for c, _ in left if c is not callee])))

    def possible(self, caller: Definition, call: Call | None) -> bool:
        """Whether a step can be part of such a kernel, and is not one within a check."""
        possible = self._program.possible
        return (
            caller not in self._checks
            and (not caller.condition or possible(caller.condition))
            and (call is None or not call.condition or possible(call.condition))
        )


def _asks_version(step: _Step) -> bool:
    caller, call = step
    return VERSION in caller.condition or (call is not None and VERSION in call.condition)


class _Steps:
    """The steps to definitions, by name and through pointers."""

    def __init__(self, program: Program, named: NamedSteps, pointers: Pointers) -> None:
        self._program = program
        self._named = named
        self._pointers = pointers

    def ends(self, callee: Definition) -> _Ends:
        """Where the steps to a definition begin."""
        possible = self._named.possible
        pointed = dict.fromkeys(
            [
                caller.number
                for caller, call in self._pointers.calls(callee)
                if possible(caller, call)
            ]
        )
        pointed.pop(callee.number, None)
        return self._named.to(callee).callers, list(pointed)

    def edges(
        self, callee: Definition, named: Container[int], pointed: Container[int]
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

        for caller, call in self._named.to(callee).steps:
            if caller.number in named:
                add(caller, call, None)
        if pointed:
            for caller, call, ways in self._pointers.callers(callee):
                if caller.number in pointed and self._program.possible(call.condition):
                    for via in ways:
                        add(caller, call, via)
        found.sort(key=_order)
        groups = groupby(found, key=_order)
        return [e._replace(order=n) for n, (_, edges) in enumerate(groups) for e in edges]


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
