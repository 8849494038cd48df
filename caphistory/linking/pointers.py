"""Calls through function pointers, resolved by struct type and member.

Functions flow into cells (see ``cells``) by initialisers, assignments and arguments, and from
cell to cell; a call through a pointer calls whatever may be in its cell. This is a field-based
points-to analysis without regard for order, after Heintze and Tardieu, "Ultra-fast Aliasing
Analysis using CLA" (PLDI 2001).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from caphistory.linking.cells import Cell, Cells, local
from caphistory.linking.expansion import ANY_NUMBER, Expansions
from caphistory.linking.news import News
from caphistory.linking.program import Definition, Program
from caphistory.syntax.facts import Blob, Call, Function
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


# A call through a pointer: who calls, the call, and the cell through which it does.
_Called = tuple[Definition, Call, "Cell | None"]


class _Of(NamedTuple):
    """What a file has, while it holds this: its calls through pointers; the cells into which it
    puts functions by their names; the cells through which it calls what it hands functions by
    name, as which argument; and, by the place's last part (as far as somebody asked), what it
    copies from cell to cell, and what calls through pointers are handed: the cell, the
    argument's number and the cell through which they call."""

    blob: Blob
    calls: list[_Called]
    seeds: list[tuple[Cell, Definition]]
    named: list[tuple[Cell, Call, int, list[Definition]]]
    copies: dict[str, list[tuple[Cell, Cell]]]
    passing: dict[str, list[tuple[Cell, Call, int, Cell | None]]]


class Pointers:
    """Answers which pointer calls may call a function. What single files have is kept from
    release to release, until something changes that it depends on."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.cells = Cells(program)
        self.expansions = Expansions(program)
        self._of: dict[str, _Of] = {}
        self.clear()

    def clear(self) -> None:
        """Forget what is where; what single files have is kept."""
        self._flow_maps: dict[_Where, dict[Cell, list[Cell]]] = {}
        self._passing_maps: dict[_Where, dict[Cell, list[tuple[Call, int, Cell | None]]]] = {}
        # What is where: for each cell its functions, each with the names of the cells that are
        # no locals through which it came, or of the local one that it was handed to.
        self._held: dict[Cell, dict[Definition, set[str]]] = {}
        self._leading: dict[Cell, bool] = {}
        self._cells_of: dict[Definition, dict[Cell, set[str]]] = {}
        self._called: list[_Called] = []
        self._calls_at: dict[Cell, list[tuple[Definition, Call]]] = {}

    def solve(self, news: News, *, last: bool = False) -> None:
        """Find out what is where in the program as it is now; ``news`` are those since this was
        asked last. After the ``last`` release nothing is kept of single files."""
        self.clear()
        self._refresh(news)
        self._called = [*self._hooks(), *(one for of in self._of.values() for one in of.calls)]
        for caller, call, cell in self._called:
            if cell is not None:
                self._calls_at.setdefault(cell, []).append((caller, call))
        self._solve()
        # Nobody asks for these any more, and a kernel of today has millions of them.
        self._flow_maps, self._passing_maps, self._leading = {}, {}, {}
        if last:
            self._of = {}

    # What single files have.

    def _refresh(self, news: News) -> None:
        """Work out anew what the files have that changed, or for which something did."""
        program, expansions = self.program, self.expansions
        stale = self._stale(news)
        gone = [
            path
            for path, of in self._of.items()
            if path in stale or program.files.get(path) is not of.blob or not program.built(path)
        ]
        for path in gone:
            del self._of[path]
            self.cells.drop(path)
            expansions.drop(path)
        expansions.refresh(news)
        new = sorted(program.built_files - self._of.keys())
        for path in new:
            with self.cells.noting(path):
                expansions.make(path)
                self._of[path] = _Of(
                    program.files[path],
                    list(self._calls(path)),
                    list(self._seeds(path)),
                    list(self._named(path)),
                    {},
                    {},
                )
        if gone and new:
            self._of = {path: self._of[path] for path in sorted(self._of)}

    def _stale(self, news: News) -> set[str]:
        """The files in which something may mean something else."""
        program, expansions = self.program, self.expansions
        found = news.touched(self.cells.asked)
        for name in news.names:
            # Nobody asked for a name while nothing had it.
            if name in program.with_parameters:
                found.update(program.calls.paths(name))
            if name in program.by_name:
                for entries in (program.stored, expansions.stored):
                    found.update(entries.paths(name))
                found.update(self._using(":" + name))
        return found

    def _calls(self, path: str) -> Iterator[_Called]:
        program, expansions = self.program, self.expansions
        for found in program.pointer_calls.held(path).values():
            for caller, call in found:
                if not expansions.is_template(caller, call):
                    yield caller, call, self._cell(call.target, caller)
        for found in expansions.pointer_calls.held(path).values():
            for caller, call in found:
                yield caller, call, self._cell(call.target, caller)

    def _hooks(self) -> Iterator[_Called]:
        """ "hook(…)" of a variable looks like a call of a function."""
        program = self.program
        for name in program.variables:
            if name not in program.by_name:
                for caller, call in program.of_built(program.calls, name):
                    cell = self._cell(":" + name, caller)
                    if cell is not None:
                        yield caller, call._replace(pointer=True), cell

    def _seeds(self, path: str) -> Iterator[tuple[Cell, Definition]]:
        """The cells into which a file puts functions by their names."""
        program, expansions = self.program, self.expansions
        for index in (program.stored, expansions.stored):
            for name, entries in index.held(path).items():
                functions = self._functions(name, path)
                for stored in entries if functions else ():
                    cell = self.cells.stored(stored)
                    if cell is not None:
                        yield from ((cell, one) for one in functions)
        for flows in (program.flows, expansions.flows):
            for last, copied in flows.held(path).items():
                functions = self._functions(last[1:], path) if last[0] == ":" else []
                for user, flow in copied if functions else ():
                    cell = self._cell(flow.target, user) if names(flow.source) else None
                    if cell is not None:
                        yield from ((cell, one) for one in functions)
        for user, call, position, functions in self._handed(path):
            if not call.pointer:
                for cell in self._parameters(user, call, position):
                    yield from ((cell, one) for one in functions)

    def _named(self, path: str) -> Iterator[tuple[Cell, Call, int, list[Definition]]]:
        for user, call, position, functions in self._handed(path):
            if call.pointer:
                cell = self._cell(call.target, user)
                if cell is not None:
                    yield cell, call, position, functions

    def _handed(self, path: str) -> Iterator[tuple[Definition, Call, int, list[Definition]]]:
        """The functions that calls in a file are handed by name."""
        for index in (self.program.passed, self.expansions.passed):
            for last, passed in index.held(path).items():
                functions = self._functions(last[1:], path) if last[0] == ":" else []
                for user, call, position in passed if functions else ():
                    if names(call.arguments[position]):
                        yield user, call, position, functions

    def _functions(self, name: str, path: str) -> list[Definition]:
        """What a name means that stands as a value, without the macros that are no other names
        of functions: constants (``PCM512x_GPIO_CONTROL_1``)."""
        if name not in self.program.by_name:
            return []
        return [one for one in self.program.resolve(name, path) if self._is_function(one, 0)]

    def _is_function(self, definition: Definition, depth: int) -> bool:
        fact = definition.fact
        if isinstance(fact, Function):
            return True
        if fact.parameters is not None or not fact.alias or depth > _DEEPEST_ALIAS:
            return False
        named = self.program.resolve(fact.alias, definition.path)
        return any(self._is_function(one, depth + 1) for one in named if one is not definition)

    def _cell(self, place: str, user: Definition) -> Cell | None:
        return self.cells.cell(place, user.path, user)

    # What flows where.

    def _flows_from(self, cell: Cell) -> list[Cell]:
        """The cells into which what is in a cell is copied. The copies from places that meet
        are looked at once, as members like ``data`` are copied thousands of times."""
        where = cell.last, cell.path
        found = self._flow_maps.get(where)
        if found is None:
            found = self._flow_maps[where] = {}
            for path in self._copying(*where):
                for source, target in self._copies(where[0], path):
                    found.setdefault(source, []).append(target)
        return found.get(cell, [])

    def _copying(self, last: str, path: str | None) -> Iterable[str]:
        """The files that may copy what is in places that meet."""
        program, expansions = self.program, self.expansions
        if path is not None:
            return (path,) if path in self._of else ()
        found = self._using(last)
        if last[0] == ":":
            found.update(program.stored.paths(last[1:]), expansions.stored.paths(last[1:]))
        return sorted(found & self._of.keys())

    def _using(self, last: str) -> set[str]:
        """The files in which places that meet are copied, or handed to calls."""
        program, expansions = self.program, self.expansions
        return {
            *(*program.flows.paths(last), *expansions.flows.paths(last)),
            *(*program.passed.paths(last), *expansions.passed.paths(last)),
        }

    def _copies(self, last: str, path: str) -> list[tuple[Cell, Cell]]:
        known = self._of[path].copies
        found = known.get(last)
        if found is None:
            with self.cells.noting(path):
                found = known[last] = list(self._copied(last, path))
        return found

    def _copied(self, last: str, path: str) -> Iterator[tuple[Cell, Cell]]:
        program, expansions = self.program, self.expansions
        for flows in (program.flows, expansions.flows):
            for user, flow in flows.at(last, path):
                source = self._cell(flow.source, user)
                target = self._cell(flow.target, user) if source else None
                if source is not None and target is not None:
                    yield source, target
        for index in (program.passed, expansions.passed):
            for user, call, position in index.at(last, path):
                source = self._cell(call.arguments[position], user) if not call.pointer else None
                if source is not None:
                    for target in self._parameters(user, call, position):
                        yield source, target
        for entries in (program.stored, expansions.stored) if last[0] == ":" else ():
            for stored in entries.at(last[1:], path):
                source = self.cells.cell(last, path, None)
                target = self.cells.stored(stored) if source else None
                if source is not None and target is not None:
                    yield source, target

    def _parameters(self, user: Definition, call: Call, position: int) -> Iterator[Cell]:
        """The parameters that receive an argument of a call by name."""
        for callee in self.program.resolve(call.target, user.path):
            cell = _parameter(callee, position)
            if cell is not None:
                yield cell

    def _passing(self, cell: Cell) -> list[tuple[Call, int, Cell | None]]:
        """The pointer calls that are handed what is in a cell, as which argument, and the cells
        through which they call."""
        where = cell.last, cell.path
        found = self._passing_maps.get(where)
        if found is None:
            found = self._passing_maps[where] = {}
            for path in self._copying(*where):
                for source, call, position, through in self._passed(where[0], path):
                    found.setdefault(source, []).append((call, position, through))
        return found.get(cell, [])

    def _passed(self, last: str, path: str) -> list[tuple[Cell, Call, int, Cell | None]]:
        known = self._of[path].passing
        found = known.get(last)
        if found is None:
            found = known[last] = []
            with self.cells.noting(path):
                for index in (self.program.passed, self.expansions.passed):
                    for user, call, position in index.at(last, path):
                        if call.pointer and not self.expansions.is_template(user, call):
                            source = self._cell(call.arguments[position], user)
                            if source is not None:
                                through = self._cell(call.target, user)
                                found.append((source, call, position, through))
        return found

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
            if cell.local and not self._leads_on(cell):
                return
            held = self._held.get(cell)
            if not cell.local or not via:
                if not cell.local and held is not None and function in held:
                    return  # by its one label
                via = cell.label
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

        for of in self._of.values():
            for at, call, position, functions in of.named:
                named.setdefault(at, []).append((call, position, functions))
        for of in self._of.values():
            for cell, function in of.seeds:
                put(cell, function)
        while waiting:
            cell, function, via = waiting.pop()
            if cell not in begun:
                begun.add(cell)
                for call, position, through in self._passing(cell):
                    if through is not None:
                        copied.setdefault(through, []).append((call, position, cell))
                        for callee in list(self._held.get(through, ())):
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

    # Answers.

    def callers(self, definition: Definition) -> Iterator[PointerCall]:
        """The pointer calls that may call a function, in no particular order."""
        for ways, calls in self._calling(definition):
            named = sorted(ways)
            yield from (PointerCall(caller, call, named) for caller, call in calls)

    def calls(self, definition: Definition) -> list[tuple[Definition, Call]]:
        """The same, without the ways: a caller and its call."""
        return [one for _, calls in self._calling(definition) for one in calls]

    def _calling(
        self, definition: Definition
    ) -> Iterator[tuple[set[str], list[tuple[Definition, Call]]]]:
        """For each cell that holds a function, the ways in which it came there, and the calls
        through the cell that it fits."""
        for cell, ways in self._cells_of.get(definition, {}).items():
            fitting = [one for one in self._calls_at.get(cell, ()) if fits(one[1], definition)]
            if fitting:
                yield ways, fitting

    def targets(self, caller: Definition, call: Call) -> Iterator[Definition]:
        """What a pointer call may call."""
        cell = self._cell(call.target, caller)
        for function in self._held.get(cell, ()) if cell is not None else ():
            if fits(call, function):
                yield function

    def count(self) -> Count:
        """How many pointer calls there are, and what became of them."""
        members = {cell.last for cell in self._held if cell.member}
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
            if found > most or (found == most and widest > cell.label):
                most, widest = found, cell.label
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


def _parameter(definition: Definition, position: int) -> Cell | None:
    """The cell of a parameter by position; None where there is none."""
    parameters = definition.fact.parameters or ()
    if position < len(parameters):
        one = parameters[position]
        name = one if isinstance(one, str) else one.name
        if name not in ("", "...", RETURNED):
            return local(definition, name)
    return None
