"""Calls through function pointers, resolved by struct type and member.

A *cell* is a place that can hold a function: a member of a struct type (whatever the
object), a variable, or a function's parameter or local variable. Functions flow into
cells by initialisers, assignments and arguments, and from cell to cell; a call
through a pointer calls whatever may be in its cell. This is a field-based points-to
analysis without regard for order, after Heintze and Tardieu, "Ultra-fast Aliasing
Analysis using CLA" (PLDI 2001), asked backwards: which calls reach this function?
"""

from __future__ import annotations

from typing import NamedTuple

from caphistory.linking.program import Definition, Program, StoredAt
from caphistory.syntax.facts import Call, Function

# ("member", tag, path of the definition, member), ("variable", path or "", name) or
# ("local", function, name).
Cell = tuple[str, str | Definition, str] | tuple[str, str, str, str]


class PointerCall(NamedTuple):
    """A call through a cell: the caller, the call, and the cell's name for people."""

    caller: Definition
    call: Call
    via: str


class Pointers:
    """Answers which pointer calls may call a function."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._types: dict[tuple[str, str], tuple[str, str] | None] = {}
        self._callers: dict[Cell, list[PointerCall]] = {}
        self._flow_maps: dict[str, dict[Cell, list[Cell]]] = {}
        self._call_maps: dict[str, dict[Cell, list[tuple[Definition, Call]]]] = {}

    # Types and cells.

    def type_of(self, place: str, path: str) -> tuple[str, str] | None:
        """The struct type (tag, path of its definition) of what a place holds."""
        key = (place, path)
        if key not in self._types:
            self._types[key] = None  # a place that depends on itself has no type
            self._types[key] = self._type_of(place, path)
        return self._types[key]

    def _type_of(self, place: str, path: str) -> tuple[str, str] | None:
        base, members = _split(place)
        found = self._base_type(base, path)
        for member in members:
            if found is None:
                return None
            found = self._member_type(found, member)
        return found

    def _identify(self, type_: str, path: str) -> tuple[str, str] | None:
        struct = self.program.struct(type_, path)
        return (struct[0], struct[1]) if struct else None

    def _base_type(self, base: str, path: str) -> tuple[str, str] | None:
        if base.startswith("$"):
            return None
        if base.startswith(":"):
            name = base[1:]
            variable = self.program.variable(name, path)
            if variable is not None:
                return self._identify(variable[1].type, path)
            return self._macro_type(name, path)
        if base.endswith("()"):
            name = base[:-2]
            for definition in self.program.resolve(name, path):
                if isinstance(definition.fact, Function):
                    return self._identify(definition.fact.returns, definition.path)
            return self._macro_type(name, path)
        return self._identify(base, path)

    def _macro_type(self, name: str, path: str) -> tuple[str, str] | None:
        for definition in self.program.resolve(name, path):
            fact = definition.fact
            if not isinstance(fact, Function):
                place = fact.place or (":" + fact.alias if fact.alias else "")
                if place and place not in (":" + name, name + "()"):
                    return self.type_of(place, path)
        return None

    def _member_type(self, struct: tuple[str, str], member: str) -> tuple[str, str] | None:
        definition = self.program.struct(*struct)
        if definition is None:
            return None
        for one in definition[2].members:
            if one.name == member:
                return self._identify(one.type, struct[1])
        return None

    def cell(self, place: str, path: str, function: Definition | None) -> Cell | None:
        """The cell that a place is, in a file and (for ``$`` places) a function."""
        base, members = _split(place)
        if members:
            holder = self.type_of(place.rpartition(">")[0], path)
            if holder is None:
                return None
            return self._member_cell(holder, members[-1])
        if base.startswith("$"):
            return ("local", function, base[1:]) if function is not None else None
        if base.startswith(":"):
            variable = self.program.variable(base[1:], path)
            return ("variable", variable[0], base[1:]) if variable is not None else None
        return None

    def _member_cell(self, holder: tuple[str, str], member: str) -> Cell:
        return ("member", holder[0], holder[1], member)

    def _stored_cell(self, at: StoredAt) -> Cell | None:
        """The cell that an entry of an initialiser fills."""
        stored = at.stored
        holder = self._identify(stored.type, at.path) if stored.type != "()" else None
        if holder is None:
            return self.cell(stored.variable, at.path, at.within)
        path = list(stored.path)
        member = ""
        for depth, step in enumerate(path):
            definition = self.program.struct(*holder)
            if definition is None:
                return None
            members = definition[2].members
            name = step
            if step.startswith("#"):
                position = int(step[1:])
                if position >= len(members):
                    # A flat list for an array of structs: the members come round again.
                    if not members:
                        return None
                    position %= len(members)
                name = members[position].name
            member = name
            if depth + 1 < len(path):
                inner = self._member_type(holder, name)
                if inner is None:
                    # An array of pointers in a member: the member itself is the cell.
                    return self._member_cell(holder, name)
                holder = inner
        return self._member_cell(holder, member) if member else None

    # Backwards: from a function to the calls that may call it.

    def callers(self, definition: Definition) -> list[PointerCall]:
        """The pointer calls that may call a function, in no particular order."""
        found: dict[tuple[int, str], PointerCall] = {}
        for cell in self._cells_of(definition):
            for call in self._cell_callers(cell):
                found.setdefault((id(call.call), call.via), call)
        return list(found.values())

    def _cells_of(self, definition: Definition) -> list[Cell]:
        """The cells into which a function's name is put."""
        name = definition.name
        cells: list[Cell] = []
        for stored in self.program.stored.get(name):
            if definition in self.program.resolve(name, stored.path):
                cell = self._stored_cell(stored)
                if cell is not None:
                    cells.append(cell)
        place = ":" + name
        for user, flow in self.program.flows.get(place):
            if flow.source == place and definition in self.program.resolve(name, user.path):
                cell = self.cell(flow.target, user.path, user)
                if cell is not None:
                    cells.append(cell)
        for user, call, position in self.program.passed.get(place):
            if call.arguments[position] == place and definition in self.program.resolve(
                name, user.path
            ):
                cells.extend(self._parameter_cells(user, call, position))
        return list(dict.fromkeys(cells))

    def _parameter_cells(self, user: Definition, call: Call, position: int) -> list[Cell]:
        if call.pointer:
            return []
        cells: list[Cell] = []
        for callee in self.program.resolve(call.target, user.path):
            name = _parameter(callee, position)
            if name:
                cells.append(("local", callee, name))
        return cells

    def _cell_callers(self, cell: Cell) -> list[PointerCall]:
        """The calls through a cell or through what is copied from it, under the name of the
        last cell on the way that is no local: ``fn = fmt->load_binary; fn(…)`` goes via
        ``linux_binfmt.load_binary``."""
        found = self._callers.get(cell)
        if found is None:
            seen = {cell}
            waiting = [(cell, self.label(cell))]
            found = []
            while waiting:
                at, via = waiting.pop()
                calls = self._call_map(_cell_last(at)).get(at, ())
                found.extend(PointerCall(caller, call, via) for caller, call in calls)
                for following in self._flows_from(at):
                    if following not in seen:
                        seen.add(following)
                        local = following[0] == "local"
                        waiting.append((following, via if local else self.label(following)))
            self._callers[cell] = found
        return found

    def _call_map(self, last: str) -> dict[Cell, list[tuple[Definition, Call]]]:
        """The pointer calls whose place ends in ``last``, by cell."""
        found = self._call_maps.get(last)
        if found is None:
            found = self._call_maps[last] = {}
            for caller, call in self.program.pointer_calls.get(last):
                cell = self.cell(call.target, caller.path, caller)
                if cell is not None:
                    found.setdefault(cell, []).append((caller, call))
            name = last[1:]
            if last[0] == ":" and name not in self.program.by_name:
                # "hook(…)" of a variable looks like a call of a function.
                for caller, call in self.program.calls.get(name):
                    cell = self.cell(last, caller.path, caller)
                    if cell is not None:
                        found.setdefault(cell, []).append((caller, call))
        return found

    def _flows_from(self, cell: Cell) -> list[Cell]:
        """The cells into which what is in a cell is copied."""
        return self._flow_map(_cell_last(cell)).get(cell, [])

    def _flow_map(self, last: str) -> dict[Cell, list[Cell]]:
        """The copies from places that end in ``last``, by cell: each place is looked at
        once, as members like ``data`` are copied thousands of times."""
        found = self._flow_maps.get(last)
        if found is not None:
            return found
        found = self._flow_maps[last] = {}
        for user, flow in self.program.flows.get(last):
            source = self.cell(flow.source, user.path, user)
            target = self.cell(flow.target, user.path, user) if source else None
            if source is not None and target is not None:
                found.setdefault(source, []).append(target)
        for user, call, position in self.program.passed.get(last):
            source = self.cell(call.arguments[position], user.path, user)
            if source is not None:
                found.setdefault(source, []).extend(self._parameter_cells(user, call, position))
        if last[0] == ":":
            for stored in self.program.stored.get(last[1:]):
                source = self.cell(last, stored.path, None)
                target = self._stored_cell(stored) if source else None
                if source is not None and target is not None:
                    found.setdefault(source, []).append(target)
        return found

    def label(self, cell: Cell) -> str:
        """A cell's name for people: ``proto_ops.bind``, ``hook``, ``schedule_task(routine)``."""
        if cell[0] == "member":
            tag = str(cell[1]).partition(" ")[2] or str(cell[1])
            return f"{tag.replace('>', '.')}.{cell[3]}"  # type: ignore[misc]
        if cell[0] == "local":
            return f"{cell[1].name}({cell[2]})"  # type: ignore[union-attr]
        return str(cell[2])

    # For the audit.

    def count(self) -> tuple[int, int]:
        """How many pointer calls there are in what the ABI is built from, and how many of
        them have a cell into which some function is put."""
        filled: set[Cell] = set()
        waiting: list[Cell] = []
        functions = self.program.by_name

        def fill(cell: Cell | None) -> None:
            if cell is not None and cell not in filled:
                filled.add(cell)
                waiting.append(cell)

        program = self.program
        for name in program.stored:
            if name in functions:
                for stored in program.stored.get(name):
                    if program.resolve(name, stored.path):
                        fill(self._stored_cell(stored))
        for last in program.flows:
            if last[0] == ":" and last[1:] in functions:
                for user, flow in program.flows.get(last):
                    if flow.source == last and program.resolve(last[1:], user.path):
                        fill(self.cell(flow.target, user.path, user))
        for last in program.passed:
            if last[0] == ":" and last[1:] in functions:
                for user, call, position in program.passed.get(last):
                    if call.arguments[position] == last:
                        for cell in self._parameter_cells(user, call, position):
                            fill(cell)
        while waiting:
            for following in self._flows_from(waiting.pop()):
                fill(following)
        total = resolved = 0
        for last in program.pointer_calls:
            for caller, call in program.pointer_calls.get(last):
                if program.built(caller.path):
                    total += 1
                    resolved += self.cell(call.target, caller.path, caller) in filled
        return total, resolved


def _parameter(definition: Definition, position: int) -> str:
    """The name of a parameter by position; empty where there is none."""
    names = definition.parameters()
    return names[position] if position < len(names) else ""


def _split(place: str) -> tuple[str, list[str]]:
    parts = place.split(">")
    return parts[0], parts[1:]


def _cell_last(cell: Cell) -> str:
    if cell[0] == "member":
        return str(cell[-1])
    return ("$" if cell[0] == "local" else ":") + str(cell[2])
