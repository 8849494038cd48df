"""The types of places, and the cells in which functions are kept.

A *cell* is a place that can hold a function: a member of a struct type (whatever the
object), a variable, a function's parameter or local variable, or what a function returns.
"""

from __future__ import annotations

from contextlib import AbstractContextManager

from caphistory.linking.news import ALL_MEMBERS, member_of
from caphistory.linking.program import Definition, Program, StoredAt
from caphistory.syntax.facts import Function, Macro
from caphistory.syntax.notation import RETURNED, filled, names, split, used

# A struct's tag, and the path of its definition.
Type = tuple[str, str]


class Cell:
    """A place that can hold a function; whenever it is the same place, the same object.

    ``last`` is the key under which the places meet that it may be written as, and ``path`` the
    only file whose places are meant, if it is one: a function's locals are named in it alone, and
    ``dev`` and ``data`` are names of locals in thousands of others. ``label`` is its name for
    people: ``proto_ops.bind``, ``hook``, ``schedule_task(routine)``.
    """

    __slots__ = ("label", "last", "local", "member", "path")

    def __init__(
        self, label: str, last: str, path: str | None, *, local: bool, member: bool
    ) -> None:
        self.label = label
        self.last = last
        self.path = path
        self.local = local
        self.member = member


def local(function: Definition, name: str) -> Cell:
    """A parameter or local variable of a function, or what it returns (``RETURNED``)."""
    if function.cells is None:
        function.cells = {}
    found: Cell | None = function.cells.get(name)
    if found is None:
        if name == RETURNED:
            found = Cell(f"{function.name}()", name, None, local=True, member=False)
        else:
            label = f"{function.name}({name})"
            found = Cell(label, "$" + name, function.path, local=True, member=False)
        function.cells[name] = found
    return found


class Cells:
    """Tells what a place is, in a file of a program. ``asked`` is, for each file, what answers
    depend on that are kept (see ``Program.noting``)."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._types: dict[str, dict[str, Type | None]] = {}
        self._expanding: set[str] = set()
        self._members: dict[tuple[Type, str], Cell] = {}
        self._variables: dict[tuple[str, str], Cell] = {}
        self.asked: dict[str, set[str]] = {}

    def drop(self, path: str) -> None:
        """Forget what places are in a file."""
        self._types.pop(path, None)
        self.asked.pop(path, None)

    def noting(self, path: str) -> AbstractContextManager[None]:
        """While something is worked out that is kept with a file."""
        return self._program.noting(self.asked.setdefault(path, set()))

    def type_of(self, place: str, path: str) -> Type | None:
        """The struct type of what a place holds; None where it cannot be told."""
        types = self._types.setdefault(path, {})
        if place not in types:
            types[place] = None  # a place that depends on itself has no type
            with self.noting(path):
                types[place] = self._type_of(place, path)
        return types[place]

    def _type_of(self, place: str, path: str) -> Type | None:
        base, members = split(place)
        found = self._base_type(base, path)
        for member in members:
            if found is None:
                return None
            found = self._member_type(found, member, path)
        return found

    def _identify(self, type_: str, path: str) -> Type | None:
        struct = self._program.struct(type_, path)
        return (struct[0], struct[1]) if struct else None

    def _base_type(self, base: str, path: str) -> Type | None:
        if base.startswith("$"):
            return None
        call = used(base)
        if base.startswith(":"):
            name = base[1:]
            variable = self._program.variable(name, path)
            if variable is not None:
                return self._identify(variable[1].type, path)
            place = self._macro_place(name, None, path)
        elif call is not None:
            for definition in self._program.resolve(call[0], path):
                if isinstance(definition.fact, Function):
                    return self._identify(definition.fact.returns, definition.path)
            name, place = call[0], self._macro_place(call[0], call[1], path)
        else:
            return self._identify(base, path)
        # A macro is not expanded within itself.
        if not place or name in self._expanding:
            return None
        self._expanding.add(name)
        found = self.type_of(place, path)
        self._expanding.discard(name)
        return found

    def _macro_place(self, name: str, arguments: list[str] | None, path: str) -> str:
        """The place that a macro denotes where it is used; empty where it denotes none."""
        for definition in self._program.resolve(name, path):
            fact = definition.fact
            if isinstance(fact, Macro):
                place = fact.place or (":" + fact.alias if fact.alias else "")
                if arguments is not None and fact.parameters is not None:
                    values = dict(zip(fact.parameters, arguments, strict=False))
                    place = filled(place, values, values)
                if place and place not in (":" + name, name + "()"):
                    return place
        return ""

    def _member_type(self, struct: Type, member: str, path: str) -> Type | None:
        definition = self._program.struct(*struct)
        if definition is None:
            return None
        self._program.note((member_of(struct[0], member),))
        for one in definition[2].members:
            if one.name == member:
                return self._identify(one.type, struct[1])
        return self._behind_macro(struct, member, path)

    def _behind_macro(self, struct: Type, name: str, path: str) -> Type | None:
        """The type of the member that a macro stands for where it is used as a member's name:
        ``sk_prot`` is ``__sk_common.skc_prot`` in 4.15."""
        if name in self._expanding:
            return None
        self._expanding.add(name)
        found: Type | None = None
        place = self._macro_place(name, None, path)
        if names(place.replace(">", "_")):
            found = struct
            for member in place[1:].split(">"):
                found = self._member_type(found, member, path) if found is not None else None
        self._expanding.discard(name)
        return found

    def cell(self, place: str, path: str, function: Definition | None) -> Cell | None:
        """The cell that a place is, in a file and (for ``$`` places) a function; None where it
        is none or nobody can tell."""
        base, members = split(place)
        if members:
            holder = self.type_of(place.rpartition(">")[0], path)
            return self._member(holder, members[-1]) if holder is not None else None
        if base == "()":
            return local(function, RETURNED) if function is not None else None
        if base.startswith("$"):
            return local(function, base[1:]) if function is not None else None
        if base.startswith(":"):
            variable = self._program.variable(base[1:], path)
            return self._variable(variable[0], base[1:]) if variable is not None else None
        call = used(base)
        return self._returned(*call, path) if call is not None else None

    def _returned(self, name: str, arguments: list[str], path: str) -> Cell | None:
        for definition in self._program.resolve(name, path):
            if isinstance(definition.fact, Function):
                return local(definition, RETURNED)
        place = self._macro_place(name, arguments, path)
        if not place or name in self._expanding:
            return None
        self._expanding.add(name)
        found = self.cell(place, path, None)
        self._expanding.discard(name)
        return found

    def stored(self, at: StoredAt) -> Cell | None:
        """The cell that an entry of an initialiser fills."""
        stored = at.stored
        holder = self._identify(stored.type, at.path) if stored.type != "()" else None
        if holder is None:
            return self.cell(stored.variable, at.path, at.within)
        member = ""
        for depth, step in enumerate(stored.path):
            definition = self._program.struct(*holder)
            if definition is None:
                return None
            members = definition[2].members
            member = step
            if step.startswith("#"):
                self._program.note((member_of(holder[0], ALL_MEMBERS),))
                if not members:
                    return None
                # A flat list for an array of structs: the members come round again.
                member = members[int(step[1:]) % len(members)].name
            if depth + 1 < len(stored.path):
                inner = self._member_type(holder, member, at.path)
                if inner is None:
                    # An array of pointers in a member: the member itself is the cell.
                    return self._member(holder, member)
                holder = inner
        return self._member(holder, member) if member else None

    def _member(self, holder: Type, member: str) -> Cell:
        found = self._members.get((holder, member))
        if found is None:
            tag = holder[0].partition(" ")[2] or holder[0]
            label = f"{tag.replace('>', '.')}.{member}"
            found = Cell(label, member, None, local=False, member=True)
            self._members[holder, member] = found
        return found

    def _variable(self, path: str, name: str) -> Cell:
        found = self._variables.get((path, name))
        if found is None:
            found = Cell(name, ":" + name, None, local=False, member=False)
            self._variables[path, name] = found
        return found
