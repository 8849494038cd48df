"""Calls through function pointers, resolved by struct type and member.

Functions flow into cells (see ``cells``) by initialisers, assignments and arguments, and from
cell to cell; a call through a pointer calls whatever may be in its cell. This is a field-based
points-to analysis without regard for order, after Heintze and Tardieu, "Ultra-fast Aliasing
Analysis using CLA" (PLDI 2001).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from caphistory.linking.cells import Cell, Cells, label, meeting_of
from caphistory.linking.expansion import Expansions
from caphistory.linking.program import Definition, Program, StoredAt
from caphistory.syntax.facts import Call, Flow, Function
from caphistory.syntax.notation import RETURNED, names


class PointerCall(NamedTuple):
    """A call through a cell: the caller, the call, and the cell's name for people."""

    caller: Definition
    call: Call
    via: str


class Count(NamedTuple):
    """Pointer calls in what the ABI is built from: all; those with a target; those whose
    receiver is not known while functions are stored in a member of that name somewhere; the
    targets of all calls together; the most targets of one call, and that call's cell."""

    calls: int
    resolved: int
    by_name: int
    targets: int
    most: int
    widest: str


class Pointers:
    """Answers which pointer calls may call a function."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.cells = Cells(program)
        self.expansions = Expansions(program)
        self._flow_maps: dict[str, dict[Cell, list[Cell]]] = {}
        self._passing_maps: dict[str, dict[Cell, list[tuple[Definition, Call, int]]]] = {}
        # What is where: for each cell its functions, each with the names of the cells that are
        # no locals through which it came, or of the local one that it was handed to.
        self._held: dict[Cell, dict[Definition, set[str]]] = {}
        self._cells_of: dict[Definition, dict[Cell, set[str]]] = {}
        self._called = self._find_calls()
        self._calls_at: dict[Cell, list[tuple[Definition, Call]]] = {}
        for caller, call, cell in self._called:
            if cell is not None:
                self._calls_at.setdefault(cell, []).append((caller, call))
        self._solve()

    # The pointer calls of the program.

    def _find_calls(self) -> list[tuple[Definition, Call, Cell | None]]:
        """All that is built, each with the cell through which it calls."""
        program, expansions = self.program, self.expansions
        found = []
        for last in program.pointer_calls:
            for caller, call in program.pointer_calls.get(last):
                if program.built(caller.path) and not expansions.is_template(caller, call):
                    found.append((caller, call, self._cell(call.target, caller)))
        for expanded in expansions.pointer_calls.values():
            for caller, call in expanded:
                if program.built(caller.path):
                    found.append((caller, call, self._cell(call.target, caller)))
        # "hook(…)" of a variable looks like a call of a function.
        for name in program.variables:
            if name not in program.by_name:
                for caller, call in program.calls.get(name):
                    cell = self._cell(":" + name, caller)
                    if cell is not None and program.built(caller.path):
                        found.append((caller, call._replace(pointer=True), cell))
        return found

    def _cell(self, place: str, user: Definition) -> Cell | None:
        return self.cells.cell(place, user.path, user)

    # What flows where.

    def _flows_from(self, cell: Cell) -> list[Cell]:
        """The cells into which what is in a cell is copied. The copies from places that meet
        are looked at once, as members like ``data`` are copied thousands of times."""
        last = meeting_of(cell)
        found = self._flow_maps.get(last)
        if found is None:
            found = self._flow_maps[last] = {}
            for source, target in self._copies(last):
                if source is not None and target is not None:
                    found.setdefault(source, []).append(target)
        return found.get(cell, [])

    def _copies(self, last: str) -> Iterator[tuple[Cell | None, Cell | None]]:
        for user, flow in self._flows(last):
            source = self._cell(flow.source, user)
            yield source, self._cell(flow.target, user) if source else None
        for user, call, position in self._passed(last):
            if not call.pointer:
                source = self._cell(call.arguments[position], user)
                for target in self._parameters(user, call, position) if source else ():
                    yield source, target
        if last[0] == ":":
            for stored in self._stored(last[1:]):
                source = self.cells.cell(last, stored.path, None)
                yield source, self.cells.stored(stored) if source else None

    def _flows(self, last: str) -> Iterator[tuple[Definition, Flow]]:
        for found in (self.program.flows.get(last), self.expansions.flows.get(last, ())):
            yield from (one for one in found if self.program.built(one[0].path))

    def _passed(self, last: str) -> Iterator[tuple[Definition, Call, int]]:
        for found in (self.program.passed.get(last), self.expansions.passed.get(last, ())):
            yield from (one for one in found if self.program.built(one[0].path))

    def _stored(self, name: str) -> Iterator[StoredAt]:
        for found in (self.program.stored.get(name), self.expansions.stored.get(name, ())):
            yield from (one for one in found if self.program.built(one.path))

    def _parameters(self, user: Definition, call: Call, position: int) -> Iterator[Cell]:
        """The parameters that receive an argument of a call by name."""
        for callee in self.program.resolve(call.target, user.path):
            cell = _parameter(callee, position)
            if cell is not None:
                yield cell

    def _passing(self, cell: Cell) -> list[tuple[Definition, Call, int]]:
        """The pointer calls that are handed what is in a cell, and as which argument."""
        last = meeting_of(cell)
        found = self._passing_maps.get(last)
        if found is None:
            found = self._passing_maps[last] = {}
            for user, call, position in self._passed(last):
                if call.pointer and not self.expansions.is_template(user, call):
                    source = self._cell(call.arguments[position], user)
                    if source is not None:
                        found.setdefault(source, []).append((user, call, position))
        return found.get(cell, [])

    # The solution.

    def _solve(self) -> None:
        waiting: list[tuple[Cell, Definition, str]] = []
        # What the calls through a cell hand on as which argument: functions by name, or what
        # is in another cell.
        named: dict[Cell, list[tuple[Call, int, list[Definition]]]] = {}
        copied: dict[Cell, list[tuple[Call, int, Cell]]] = {}

        def put(cell: Cell, function: Definition, via: str = "") -> None:
            if cell[0] != "local" or not via:
                via = label(cell)
            held = self._held.get(cell)
            if held is None:
                held = self._held[cell] = {}
                for user, call, position in self._passing(cell):
                    at = self._cell(call.target, user)
                    if at is not None:
                        copied.setdefault(at, []).append((call, position, cell))
            ways = held.get(function)
            if ways is None:
                ways = held[function] = set()
                self._cells_of.setdefault(function, {})[cell] = ways
            if via not in ways:
                ways.add(via)
                waiting.append((cell, function, via))

        def hand(
            callee: Definition,
            call: Call,
            position: int,
            functions: Iterable[tuple[Definition, str]],
        ) -> None:
            parameter = _parameter(callee, position)
            if parameter is not None and fits(call, callee):
                for function, via in functions:
                    put(parameter, function, via)

        for user, call, position, functions in self._named_arguments():
            at = self._cell(call.target, user)
            if at is not None:
                named.setdefault(at, []).append((call, position, functions))
        for cell, function in self._seeds():
            put(cell, function)
        while waiting:
            cell, function, via = waiting.pop()
            for following in self._flows_from(cell):
                put(following, function, via)
            # This function is handed what the calls through its cell are given …
            for call, position, functions in named.get(cell, ()):
                hand(function, call, position, ((one, "") for one in functions))
            for call, position, source in list(copied.get(cell, ())):
                ways = [(one, way) for one, all_ in self._held[source].items() for way in all_]
                hand(function, call, position, ways)
            # … and may itself be handed to what other calls call.
            for user, call, position in self._passing(cell):
                at = self._cell(call.target, user)
                for callee in list(self._held.get(at, ())) if at is not None else ():
                    hand(callee, call, position, ((function, via),))

    def _named_arguments(
        self,
    ) -> Iterator[tuple[Definition, Call, int, list[Definition]]]:
        """The functions that pointer calls are handed by name."""
        for last, by_name in self._function_names(self.program.passed, self.expansions.passed):
            for user, call, position in self._passed(last):
                if call.pointer and names(call.arguments[position]):
                    functions = self.program.resolve(by_name, user.path)
                    if functions:
                        yield user, call, position, functions

    def _seeds(self) -> Iterator[tuple[Cell, Definition]]:
        """The cells into which functions are put by their names."""
        resolve = self.program.resolve
        for name in {**dict.fromkeys(self.program.stored), **self.expansions.stored}:
            if name in self.program.by_name:
                for stored in self._stored(name):
                    found = resolve(name, stored.path)
                    cell = self.cells.stored(stored) if found else None
                    for one in found if cell is not None else ():
                        yield cell, one  # type: ignore[misc]
        for last, name in self._function_names(self.program.flows, self.expansions.flows):
            for user, flow in self._flows(last):
                found = resolve(name, user.path) if names(flow.source) else []
                cell = self._cell(flow.target, user) if found else None
                for one in found if cell is not None else ():
                    yield cell, one  # type: ignore[misc]
        for last, name in self._function_names(self.program.passed, self.expansions.passed):
            for user, call, position in self._passed(last):
                if not call.pointer and names(call.arguments[position]):
                    for one in resolve(name, user.path):
                        for cell in self._parameters(user, call, position):
                            yield cell, one

    def _function_names(self, *indexes: Iterable[str]) -> Iterator[tuple[str, str]]:
        """The keys of indexes that may be functions' names, each with the name."""
        for last in dict.fromkeys(key for index in indexes for key in index):
            if last[0] == ":" and last[1:] in self.program.by_name:
                yield last, last[1:]

    # Answers.

    def callers(self, definition: Definition) -> Iterator[PointerCall]:
        """The pointer calls that may call a function, in no particular order."""
        for cell, ways in self._cells_of.get(definition, {}).items():
            for caller, call in self._calls_at.get(cell, ()):
                if fits(call, definition):
                    for via in sorted(ways):
                        yield PointerCall(caller, call, via)

    def count(self) -> Count:
        """How many pointer calls there are, and what became of them."""
        members = {cell[3] for cell in self._held if len(cell) == 4}
        calls = resolved = by_name = targets = most = 0
        widest = ""
        for _, call, cell in self._called:
            calls += 1
            if cell is None:
                by_name += call.target.rpartition(">")[2] in members
                continue
            found = sum(
                fits(call, one) and self.program.built(one.path) for one in self._held.get(cell, ())
            )
            resolved += found > 0
            targets += found
            if found > most or (found == most and widest > label(cell)):
                most, widest = found, label(cell)
        return Count(calls, resolved, by_name, targets, most, widest)


def fits(call: Call, function: Definition) -> bool:
    """Whether a function takes as many arguments as a call has, as far as both are known."""
    if not isinstance(function.fact, Function) or not function.fact.parameters:
        return True
    takes = len(function.fact.parameters)
    given = len(call.arguments)
    if function.fact.parameters[-1].name == "...":
        return given >= takes - 1
    return given == takes or ":__VA_ARGS__" in call.arguments


def _parameter(definition: Definition, position: int) -> Cell | None:
    """The cell of a parameter by position; None where there is none."""
    known = definition.parameters()
    if position < len(known) and known[position] not in ("", "...", RETURNED):
        return ("local", definition, known[position])
    return None
