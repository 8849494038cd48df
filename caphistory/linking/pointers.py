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
from caphistory.linking.expansion import ANY_NUMBER, Expansions
from caphistory.linking.program import Definition, Program, StoredAt
from caphistory.syntax.facts import Call, Flow, Function
from caphistory.syntax.notation import RETURNED, names

# "#define a b" after "#define b c" …
_DEEPEST_ALIAS = 5


class PointerCall(NamedTuple):
    """A call through a cell: the caller, the call, and the names for people of the cells
    through which the callee came."""

    caller: Definition
    call: Call
    ways: list[str]


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
        self._flow_maps: dict[_Where, dict[Cell, list[Cell]]] = {}
        self._passing_maps: dict[_Where, dict[Cell, list[tuple[Definition, Call, int]]]] = {}
        # What is where: for each cell its functions, each with the names of the cells that are
        # no locals through which it came, or of the local one that it was handed to.
        self._held: dict[Cell, dict[Definition, set[str]]] = {}
        self._leading: dict[Cell, bool] = {}
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
            for caller, call in program.of_built(program.pointer_calls, last):
                if not expansions.is_template(caller, call):
                    found.append((caller, call, self._cell(call.target, caller)))
        for expanded in expansions.pointer_calls.values():
            for caller, call in expanded:
                found.append((caller, call, self._cell(call.target, caller)))
        # "hook(…)" of a variable looks like a call of a function.
        for name in program.variables:
            if name not in program.by_name:
                for caller, call in program.of_built(program.calls, name):
                    cell = self._cell(":" + name, caller)
                    if cell is not None:
                        found.append((caller, call._replace(pointer=True), cell))
        return found

    def _cell(self, place: str, user: Definition) -> Cell | None:
        return self.cells.cell(place, user.path, user)

    # What flows where.

    def _flows_from(self, cell: Cell) -> list[Cell]:
        """The cells into which what is in a cell is copied. The copies from places that meet
        are looked at once, as members like ``data`` are copied thousands of times."""
        where = _where(cell)
        found = self._flow_maps.get(where)
        if found is None:
            found = self._flow_maps[where] = {}
            for source, target in self._copies(*where):
                if source is not None and target is not None:
                    found.setdefault(source, []).append(target)
        return found.get(cell, [])

    def _copies(self, last: str, path: str | None) -> Iterator[tuple[Cell | None, Cell | None]]:
        for user, flow in self._flows(last, path):
            source = self._cell(flow.source, user)
            yield source, self._cell(flow.target, user) if source else None
        for user, call, position in self._passed(last, path):
            if not call.pointer:
                source = self._cell(call.arguments[position], user)
                for target in self._parameters(user, call, position) if source else ():
                    yield source, target
        if last[0] == ":":
            for stored in self._stored(last[1:]):
                source = self.cells.cell(last, stored.path, None)
                yield source, self.cells.stored(stored) if source else None

    def _flows(self, last: str, path: str | None = None) -> Iterator[tuple[Definition, Flow]]:
        yield from self.program.of_built(self.program.flows, last, path)
        yield from self.program.of_built(self.expansions.flows, last, path)

    def _passed(self, last: str, path: str | None = None) -> Iterator[tuple[Definition, Call, int]]:
        yield from self.program.of_built(self.program.passed, last, path)
        yield from self.program.of_built(self.expansions.passed, last, path)

    def _stored(self, name: str) -> Iterator[StoredAt]:
        yield from self.program.of_built(self.program.stored, name)
        yield from (
            one for one in self.expansions.stored.get(name, ()) if self.program.built(one.path)
        )

    def _parameters(self, user: Definition, call: Call, position: int) -> Iterator[Cell]:
        """The parameters that receive an argument of a call by name."""
        for callee in self.program.resolve(call.target, user.path):
            cell = _parameter(callee, position)
            if cell is not None:
                yield cell

    def _passing(self, cell: Cell) -> list[tuple[Definition, Call, int]]:
        """The pointer calls that are handed what is in a cell, and as which argument."""
        where = _where(cell)
        found = self._passing_maps.get(where)
        if found is None:
            found = self._passing_maps[where] = {}
            for user, call, position in self._passed(*where):
                if call.pointer and not self.expansions.is_template(user, call):
                    source = self._cell(call.arguments[position], user)
                    if source is not None:
                        found.setdefault(source, []).append((user, call, position))
        return found.get(cell, [])

    # The solution.

    def _solve(self) -> None:
        waiting: list[tuple[Cell, Definition, str]] = []
        # What the calls through a cell hand on as which argument: functions by name, or what
        # is in another cell; and the parameters that so get what is in a cell.
        named: dict[Cell, list[tuple[Call, int, list[Definition]]]] = {}
        copied: dict[Cell, list[tuple[Call, int, Cell]]] = {}
        receivers: dict[Cell, dict[Cell, None]] = {}
        begun: set[Cell] = set()

        def put(cell: Cell, function: Definition, via: str = "") -> None:
            if cell[0] == "local" and not self._leads_on(cell):
                return
            held = self._held.get(cell)
            if cell[0] != "local" or not via:
                if cell[0] != "local" and held is not None and function in held:
                    return  # by its one label
                via = label(cell)
            if held is None:
                held = self._held[cell] = {}
            ways = held.get(function)
            if ways is None:
                ways = held[function] = set()
                self._cells_of.setdefault(function, {})[cell] = ways
            if via not in ways:
                ways.add(via)
                waiting.append((cell, function, via))

        def receive(callee: Definition, call: Call, position: int, source: Cell) -> None:
            parameter = _parameter(callee, position)
            known = receivers.setdefault(source, {})
            if parameter is None or parameter in known or not fits(call, callee):
                return
            if self._leads_on(parameter):
                known[parameter] = None
                for function, ways in list(self._held[source].items()):
                    for via in list(ways):
                        put(parameter, function, via)

        for user, call, position, functions in self._named_arguments():
            at = self._cell(call.target, user)
            if at is not None:
                named.setdefault(at, []).append((call, position, functions))
        for cell, function in self._seeds():
            put(cell, function)
        while waiting:
            cell, function, via = waiting.pop()
            if cell not in begun:
                begun.add(cell)
                for user, call, position in self._passing(cell):
                    at = self._cell(call.target, user)
                    if at is not None:
                        copied.setdefault(at, []).append((call, position, cell))
                        for callee in list(self._held.get(at, ())):
                            receive(callee, call, position, cell)
            for following in self._flows_from(cell):
                put(following, function, via)
            for parameter in [*receivers.get(cell, ())]:
                put(parameter, function, via)
            # This function is handed what the calls through its cell are given.
            for call, position, functions in named.get(cell, ()):
                handed = _parameter(function, position)
                if handed is not None and fits(call, function):
                    for one in functions:
                        put(handed, one)
            for call, position, source in list(copied.get(cell, ())):
                receive(function, call, position, source)

    def _leads_on(self, cell: Cell) -> bool:
        """Whether what is in a cell may come to be called, or handed to what a pointer calls.
        6.12 hands the numbers of interrupts on like this, under the names of functions."""
        leading = self._leading
        if cell in leading:
            return leading[cell]
        way = [(cell, iter(self._flows_from(cell)))]
        seen = {cell}
        found = self._ends(cell)
        while way and not found:
            following = next(way[-1][1], None)
            if following is None:
                way.pop()
            elif leading.get(following) or self._ends(following):
                found = leading[following] = True
            elif following not in seen and following not in leading:
                seen.add(following)
                way.append((following, iter(self._flows_from(following))))
        # Who comes to no end has seen all there is.
        leading.update((one, found) for one in ([one for one, _ in way] if found else seen))
        return found

    def _ends(self, cell: Cell) -> bool:
        return cell in self._calls_at or bool(self._passing(cell))

    def _named_arguments(
        self,
    ) -> Iterator[tuple[Definition, Call, int, list[Definition]]]:
        """The functions that pointer calls are handed by name."""
        for last, by_name in self._function_names(self.program.passed, self.expansions.passed):
            for user, call, position in self._passed(last):
                if call.pointer and names(call.arguments[position]):
                    functions = self._functions(by_name, user.path)
                    if functions:
                        yield user, call, position, functions

    def _seeds(self) -> Iterator[tuple[Cell, Definition]]:
        """The cells into which functions are put by their names."""
        resolve = self._functions
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

    def _functions(self, name: str, path: str) -> list[Definition]:
        """What a name means that stands as a value, without the macros that are no other names
        of functions: constants (``PCM512x_GPIO_CONTROL_1``)."""
        return [one for one in self.program.resolve(name, path) if self._is_function(one, 0)]

    def _is_function(self, definition: Definition, depth: int) -> bool:
        fact = definition.fact
        if isinstance(fact, Function):
            return True
        if fact.parameters is not None or not fact.alias or depth > _DEEPEST_ALIAS:
            return False
        named = self.program.resolve(fact.alias, definition.path)
        return any(self._is_function(one, depth + 1) for one in named if one is not definition)

    def _function_names(self, *indexes: Iterable[str]) -> Iterator[tuple[str, str]]:
        """The keys of indexes that may be functions' names, each with the name."""
        for last in dict.fromkeys(key for index in indexes for key in index):
            if last[0] == ":" and last[1:] in self.program.by_name:
                yield last, last[1:]

    # Answers.

    def callers(self, definition: Definition) -> Iterator[PointerCall]:
        """The pointer calls that may call a function, in no particular order."""
        for cell, ways in self._cells_of.get(definition, {}).items():
            calls = self._calls_at.get(cell)
            if calls:
                named = sorted(ways)
                for caller, call in calls:
                    if fits(call, definition):
                        yield PointerCall(caller, call, named)

    def targets(self, caller: Definition, call: Call) -> Iterator[Definition]:
        """What a pointer call may call."""
        cell = self._cell(call.target, caller)
        for function in self._held.get(cell, ()) if cell is not None else ():
            if fits(call, function):
                yield function

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
    return given == takes or ANY_NUMBER in call.arguments


# The key under which places meet, and the only file whose places are meant, if it is one.
_Where = tuple[str, "str | None"]


def _where(cell: Cell) -> _Where:
    """Where to look for the places that may be a cell: a function's locals are named in it
    alone, and ``dev`` and ``data`` are names of locals in thousands of others."""
    last = meeting_of(cell)
    own = last[0] == "$" and last != RETURNED
    return last, cell[1].path if own and isinstance(cell[1], Definition) else None


def _parameter(definition: Definition, position: int) -> Cell | None:
    """The cell of a parameter by position; None where there is none."""
    parameters = definition.fact.parameters or ()
    if position < len(parameters):
        one = parameters[position]
        name = one if isinstance(one, str) else one.name
        if name not in ("", "...", RETURNED):
            return ("local", definition, name)
    return None
