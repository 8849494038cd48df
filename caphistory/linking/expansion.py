"""Macros as they are where they are used: the calls and stores that depend on their arguments.

``#define CALL(p, x) ((p)->ops->f(x))`` calls something else in each function that uses it, and
``#define ENTRY(name, f) { name, f }`` stores something else in each list. What a macro does
whatever its arguments are stays with the macro itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from caphistory.linking.program import Definition, Index, Program, StoredAt, may_be_function
from caphistory.syntax.facts import Call, Flow, Function, Macro, Stored
from caphistory.syntax.guards import UNKNOWN, Expr, substitute
from caphistory.syntax.notation import PASTE, as_use, filled, meeting, named, names, used

# Macros within macros: deeper than any kernel has them.
_DEEPEST = 8


class Template(NamedTuple):
    """What a macro calls and stores that depends on its arguments."""

    calls: tuple[Call, ...]
    flows: tuple[Flow, ...]


_NOTHING = Template((), ())
ANY_NUMBER = ":__VA_ARGS__"


class Expansions:
    """The calls, flows and initialisers' entries of a program that macros make, under the keys
    under which a ``Program`` has its own."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._templates: dict[Definition, Template] = {}
        self.calls: dict[str, list[tuple[Definition, Call]]] = {}
        self.pointer_calls: dict[str, list[tuple[Definition, Call]]] = {}
        self.passed: Index[tuple[Definition, Call, int]] = Index()
        self.flows: Index[tuple[Definition, Flow]] = Index()
        self.stored: dict[str, list[StoredAt]] = {}
        for macro in program.with_parameters.get(""):
            template = self._template(macro, 0)
            if template != _NOTHING:
                self._expand(macro, template)
        for at in _uses(program):
            self._store(at, 0)

    def is_template(self, caller: Definition, call: Call) -> bool:
        """Whether a call in a macro depends on its arguments: it is made where the macro is
        used, and not in the macro."""
        fact = caller.fact
        return isinstance(fact, Macro) and bool(fact.parameters) and _depends(call, fact)

    def _template(self, macro: Definition, depth: int) -> Template:
        found = self._templates.get(macro)
        if found is None:
            self._templates[macro] = _NOTHING  # a macro is not expanded within itself
            found = self._templates[macro] = self._make_template(macro, depth)
        return found

    def _make_template(self, macro: Definition, depth: int) -> Template:
        fact = macro.fact
        if not isinstance(fact, Macro) or depth > _DEEPEST:
            return _NOTHING
        calls = [call for call in fact.calls if _depends(call, fact)]
        flows = [flow for flow in fact.flows if "$" in flow.source + flow.target]
        for call in fact.calls:
            if call.pointer or not any(a.startswith("$") for a in call.arguments):
                continue
            for inner in self._program.resolve(call.target, macro.path):
                if isinstance(inner.fact, Macro) and inner.fact.parameters:
                    within = _instance(inner.fact, self._template(inner, depth + 1), macro, call)
                    calls += within.calls
                    flows += within.flows
        return Template(tuple(dict.fromkeys(calls)), tuple(dict.fromkeys(flows)))

    def _expand(self, macro: Definition, template: Template) -> None:
        fact = macro.fact
        assert isinstance(fact, Macro)
        for user, call in self._program.calls.get(macro.name):
            if isinstance(user.fact, Macro) and user.fact.parameters:
                continue  # made where that one is used
            if macro in self._program.resolve(macro.name, user.path) and self._program.built(
                user.path
            ):
                instance = _instance(fact, template, user, call)
                for one in instance.calls:
                    self._add_call(user, one)
                for flow in instance.flows:
                    self.flows.add(meeting(flow.source), user.path, (user, flow))

    def _add_call(self, user: Definition, call: Call) -> None:
        if call.pointer and names(call.target) and call.target[1:] in self._program.by_name:
            call = call._replace(target=call.target[1:], pointer=False)
        if call.pointer:
            self.pointer_calls.setdefault(meeting(call.target), []).append((user, call))
        else:
            self.calls.setdefault(call.target, []).append((user, call))
        own = set(user.parameters())
        for position, argument in enumerate(call.arguments):
            if may_be_function(argument, own):
                self.passed.add(meeting(argument), user.path, (user, call, position))

    def _store(self, at: StoredAt, depth: int) -> None:
        name, arguments = used(at.stored.source) or (at.stored.source[1:], [])
        for macro in self._program.resolve(name, at.path):
            fact = macro.fact
            if not isinstance(fact, Macro) or depth > _DEEPEST:
                continue
            values = dict(zip(fact.parameters or (), arguments, strict=False))
            if used(fact.place) and not fact.stored:  # "#define ENTRY(f) OTHER(0, f)"
                source = filled(fact.place, values, values)
                if source and used(source) != (name, arguments):
                    self._store(at._replace(stored=at.stored._replace(source=source)), depth + 1)
            for inner in fact.stored:
                source = filled(inner.source, values, values)
                stored = Stored(
                    at.stored.line,
                    filled(inner.variable, values, values) or at.stored.variable,
                    inner.type or at.stored.type,
                    (*self._element(at), *(named(step, values) for step in inner.path)),
                    source,
                )
                made = StoredAt(stored, at.path, at.within)
                if used(source) or _lists(self._program, source, at.path):
                    self._store(made, depth + 1)
                elif names(source):
                    self.stored.setdefault(source[1:], []).append(made)

    def _element(self, at: StoredAt) -> tuple[str, ...]:
        """The path to an entry, without the step to the element of an array of structs:
        ``Scsi_Host_Template builtin_scsi_hosts[] = { ULTRASTOR_14F, … }`` (up to 2.2)."""
        path, place = at.stored.path, at.stored.variable
        if len(path) == 1 and path[0].startswith("#") and names(place):
            variable = self._program.variable(place[1:], at.path)
            if variable is not None and variable[1].array:
                return ()
        return path


def _uses(program: Program) -> Iterator[StoredAt]:
    """The entries of initialisers that are macros, and those that stand alone."""
    for name in program.uses:
        yield from program.uses.get(name)
    for name in program.stored:
        if name.endswith(")") and name not in program.by_name:
            for at in program.stored.get(name):
                yield at._replace(stored=at.stored._replace(source=as_use(at.stored.source)))
        for definition in program.by_name.get(name):
            if isinstance(definition.fact, Macro) and definition.fact.stored:
                for at in program.stored.get(name):
                    if _lists(program, at.stored.source, at.path):
                        yield at
                break


def _lists(program: Program, source: str, path: str) -> bool:
    """Whether a source is a macro that is a braced list."""
    return names(source) and any(
        isinstance(d.fact, Macro) and d.fact.stored for d in program.resolve(source[1:], path)
    )


def _depends(call: Call, macro: Macro) -> bool:
    """Whether what a call in a macro calls depends on the macro's arguments."""
    if not call.pointer:
        return PASTE in call.target
    members = call.target.split(">")[1:]
    return "$" in call.target or any(member in (macro.parameters or ()) for member in members)


def _instance(macro: Macro, template: Template, user: Definition, use: Call) -> Template:
    """A template as it is in a use of the macro."""
    if template == _NOTHING:
        return template
    given = [a if a[:1] in ("$", ":") or ">" in a else "" for a in use.arguments]
    parameters = macro.parameters or ()
    values = dict(zip(parameters, given, strict=False))
    # "#define MTD_READ(mtd, args...)": any number of arguments, as __VA_ARGS__.
    more = [f":{name[:-3].rstrip()}" for name in parameters if name.endswith("...")]
    # The arguments that they stand for, where the use itself names all of them.
    more += [ANY_NUMBER] if "..." in parameters else []
    fixed = len(parameters) - 1 if more else len(parameters)
    rest = None if ANY_NUMBER in given else given[fixed:]
    typed = _types(user)
    types = {name: typed.get(value, value) for name, value in values.items()}
    passes: dict[str, Expr] = {}
    for position, name in enumerate(macro.parameters or ()):
        passes["$" + name] = use.passes[position] if position < len(use.passes) else UNKNOWN
    calls = []
    for call in template.calls:
        target = filled(call.target, values, types) if call.pointer else named(call.target, values)
        if target:
            calls.append(
                call._replace(
                    line=use.line,
                    target=target,
                    arguments=tuple(_arguments(call.arguments, more, rest, values)),
                    conditional=max(use.conditional, call.conditional),
                    condition=use.condition,
                    guards=(*use.guards, *(substitute(one, passes) for one in call.guards)),
                    passes=tuple(_passes(call.passes, more, use.passes, fixed, passes)),
                )
            )
    flows = []
    for flow in template.flows:
        source, target = (filled(p, values, types) for p in (flow.source, flow.target))
        if source and target:
            flows.append(Flow(use.line, target, source))
    return Template(tuple(calls), tuple(flows))


def _arguments(
    arguments: tuple[str, ...], more: list[str], rest: list[str] | None, values: dict[str, str]
) -> Iterator[str]:
    """A call's arguments as they are in a use, those that ``__VA_ARGS__`` stands for among them."""
    for one in arguments:
        if one not in more:
            yield filled(one, values, {})
        elif rest is None:
            yield ANY_NUMBER
        else:
            yield from rest


def _passes(
    passes: tuple[Expr, ...],
    more: list[str],
    given: tuple[Expr, ...],
    fixed: int,
    values: dict[str, Expr],
) -> Iterator[Expr]:
    for one in passes:
        if one in more:
            yield from given[fixed:]
        else:
            yield substitute(one, values)


def _types(user: Definition) -> dict[str, str]:
    """What a function's variables are, by place; a macro's parameters are themselves."""
    fact = user.fact
    if not isinstance(fact, Function):
        return {}
    return {"$" + one.name: one.type for one in (*fact.parameters, *fact.variables) if one.type}
