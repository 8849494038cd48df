"""The facts of one file as records, with ways to ask for some of them.

Lines inside an item count from 0 at the item's first line, as the engine gives them; the methods
of ``File`` give lines of the file, from 1.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

Expr: TypeAlias = "str | tuple[Expr, ...]"
"""A condition or value: ``$x``, ``:X``, a number, ``?``, or an operator with its operands."""


class Call(NamedTuple):
    """A call in a function or macro."""

    line: int
    target: str
    pointer: bool
    arguments: tuple[str, ...]
    conditional: int
    effect: str
    errno: str
    case: str
    condition: str
    guards: tuple[Expr, ...]
    passes: tuple[Expr, ...]
    outcomes: tuple[str, ...]
    instead: tuple[Expr, ...]


class UidTest(NamedTuple):
    """A place where a uid of a task is compared with 0."""

    line: int
    text: str
    conditional: int
    effect: str
    errno: str
    condition: str
    guards: tuple[Expr, ...]
    instead: tuple[Expr, ...]


class Flow(NamedTuple):
    """A value that may be a function goes from one place to another."""

    line: int
    target: str
    source: str


class Parameter(NamedTuple):
    """A parameter, local variable or member of a struct."""

    name: str
    type: str


class Stored(NamedTuple):
    """A name in an initialiser."""

    line: int
    variable: str
    type: str
    path: tuple[str, ...]
    source: str


class Naming(NamedTuple):
    """Labels that stand beside functions and objects, in an element of an initialiser or a call."""

    line: int
    end: int
    holder: str
    type: str
    labels: tuple[str, ...]
    sources: tuple[str, ...]


class Function(NamedTuple):
    """A function definition."""

    name: str
    line: int
    end: int
    static: bool
    inline: bool
    parameters: tuple[Parameter, ...]
    returns: str
    calls: tuple[Call, ...]
    uid_tests: tuple[UidTest, ...]
    flows: tuple[Flow, ...]
    relays: tuple[str, ...]
    error: bool
    sets: tuple[tuple[str, Expr], ...]
    variables: tuple[Parameter, ...]


class Macro(NamedTuple):
    """A ``#define`` that may be more than a constant."""

    name: str
    parameters: tuple[str, ...] | None
    calls: tuple[Call, ...]
    uid_tests: tuple[UidTest, ...]
    relays: tuple[str, ...]
    alias: str
    place: str
    flows: tuple[Flow, ...]
    stored: tuple[Stored, ...]


class Struct(NamedTuple):
    """A struct or union with its members in order."""

    tag: str
    members: tuple[Parameter, ...]


class Typedef(NamedTuple):
    """Another name of a type."""

    name: str
    type: str


class Variable(NamedTuple):
    """A variable outside functions."""

    name: str
    type: str
    static: bool
    array: bool


class Item(NamedTuple):
    """A stretch of a file, its first line and the preprocessor condition around it."""

    line: int
    condition: str
    functions: tuple[Function, ...]
    macros: tuple[Macro, ...]
    structs: tuple[Struct, ...]
    typedefs: tuple[Typedef, ...]
    variables: tuple[Variable, ...]
    stored: tuple[Stored, ...]
    namings: tuple[Naming, ...]

    def definitions(self) -> list[Function | Macro]:
        """Its functions and macros."""
        return [*self.functions, *self.macros]


class Constant(NamedTuple):
    """A macro that may be a constant; ``body`` is empty where it is no expression."""

    name: str
    parameters: tuple[str, ...]
    body: str


class Mention(NamedTuple):
    """An occurrence of a check's name outside comments and strings."""

    line: int
    name: str
    kind: str


class Asked(NamedTuple):
    """A call, or a test of a uid (``uid0``), with its line in the file and its whole condition."""

    line: int
    function: str
    name: str
    effect: str
    errno: str
    condition: str


class File(NamedTuple):
    """The facts of one content of a file. Items without facts are left out."""

    items: tuple[Item, ...]
    includes: tuple[str, ...]
    mentions: tuple[Mention, ...]
    required: tuple[str, ...]
    constants: tuple[Constant, ...]

    @property
    def functions(self) -> list[Function]:
        return [function for item in self.items for function in item.functions]

    @property
    def macros(self) -> list[Macro]:
        return [macro for item in self.items for macro in item.macros]

    @property
    def structs(self) -> list[Struct]:
        return [struct for item in self.items for struct in item.structs]

    @property
    def typedefs(self) -> list[Typedef]:
        return [typedef for item in self.items for typedef in item.typedefs]

    @property
    def variables(self) -> list[Variable]:
        return [variable for item in self.items for variable in item.variables]

    @property
    def stored(self) -> list[Stored]:
        return [stored for item in self.items for stored in item.stored]

    @property
    def namings(self) -> list[Naming]:
        return [naming for item in self.items for naming in item.namings]

    def function(self, name: str) -> Function:
        """The only function of that name."""
        (function,) = [each for each in self.functions if each.name == name]
        return function

    def line_of(self, name: str) -> int:
        """The line of the file on which the name of a function stands."""
        (line,) = [
            item.line + each.line
            for item in self.items
            for each in item.functions
            if each.name == name
        ]
        return line

    def condition_of(self, name: str) -> str:
        """The preprocessor condition around the only function or macro of that name."""
        (condition,) = [
            item.condition
            for item in self.items
            for each in item.definitions()
            if each.name == name
        ]
        return condition

    def asked(self) -> list[Asked]:
        """All calls and tests of uids, by line."""
        result = []
        for item in self.items:
            for holder in item.definitions():
                facts: list[Call | UidTest] = [*holder.calls, *holder.uid_tests]
                for fact in facts:
                    parts = [part for part in (item.condition, fact.condition) if part]
                    name = fact.target if isinstance(fact, Call) else "uid0"
                    result.append(
                        Asked(
                            item.line + fact.line,
                            holder.name,
                            name,
                            fact.effect,
                            fact.errno,
                            " && ".join(parts),
                        )
                    )
        return sorted(result)

    def lines(self, name: str) -> list[tuple[int, str]]:
        """Where something is called or tested: line and function."""
        return [(each.line, each.function) for each in self.asked() if each.name == name]

    def calls(self) -> dict[str, list[str]]:
        """What each function calls, by its name."""
        return {each.name: [call.target for call in each.calls] for each in self.functions}


def file_from(raw: tuple[Any, ...]) -> File:
    """The records of a file's facts.

    They are given as nested tuples in the order of the fields here; the facts of an item stand in
    a tuple behind its line and condition, and the constants are text: in each line the name with
    its parameters, a tab and the body.
    """
    items, includes, mentions, required, constants = raw
    return File(
        tuple(item for item in map(_item, items) if any(item[2:])),
        tuple(includes),
        tuple(Mention(*mention) for mention in mentions),
        tuple(required),
        tuple(_constant(line) for line in constants.decode("latin-1").split("\n") if line),
    )


def _constant(line: str) -> Constant:
    head, _, body = line.partition("\t")
    name, _, listed = head.partition("(")
    return Constant(name, tuple(listed.rstrip(")").split(",")) if listed else (), body)


def _item(raw: tuple[Any, ...]) -> Item:
    line, condition, (functions, macros, structs, typedefs, variables, stored, namings) = raw
    return Item(
        line,
        condition,
        tuple(map(_function, functions)),
        tuple(map(_macro, macros)),
        tuple(Struct(tag, _parameters(members)) for tag, members in structs),
        tuple(Typedef(*typedef) for typedef in typedefs),
        tuple(Variable(*variable) for variable in variables),
        tuple(Stored(*each) for each in stored),
        tuple(Naming(*each) for each in namings),
    )


def _function(raw: tuple[Any, ...]) -> Function:
    function = Function(*raw)
    return function._replace(
        parameters=_parameters(function.parameters),
        calls=tuple(Call(*call) for call in function.calls),
        uid_tests=tuple(UidTest(*test) for test in function.uid_tests),
        flows=tuple(Flow(*flow) for flow in function.flows),
        variables=_parameters(function.variables),
    )


def _macro(raw: tuple[Any, ...]) -> Macro:
    macro = Macro(*raw)
    return macro._replace(
        calls=tuple(Call(*call) for call in macro.calls),
        uid_tests=tuple(UidTest(*test) for test in macro.uid_tests),
        flows=tuple(Flow(*flow) for flow in macro.flows),
        stored=tuple(Stored(*each) for each in macro.stored),
    )


def _parameters(raw: tuple[Any, ...]) -> tuple[Parameter, ...]:
    return tuple(Parameter(*each) for each in raw)
