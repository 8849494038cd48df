"""Macros as they are where they are used: the calls and stores that depend on their arguments.

``#define CALL(p, x) ((p)->ops->f(x))`` calls something else in each function that uses it, and
``#define ENTRY(name, f) { name, f }`` stores something else in each list. What a macro does
whatever its arguments are stays with the macro itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from caphistory.linking.news import News
from caphistory.linking.program import (
    Definition,
    Index,
    Program,
    StoredAt,
    may_be_function,
    places_of_parameters,
)
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


class _Made:
    """What macros make in one file, under the keys of a ``Program``."""

    def __init__(self) -> None:
        self.calls: dict[str, list[tuple[Definition, Call]]] = {}
        self.pointer_calls: dict[str, list[tuple[Definition, Call]]] = {}
        self.passed: dict[str, list[tuple[Definition, Call, int]]] = {}
        self.flows: dict[str, list[tuple[Definition, Flow]]] = {}
        self.stored: dict[str, list[StoredAt]] = {}


class Expansions:
    """The calls, flows and initialisers' entries of a program that macros make, under the keys
    under which a ``Program`` has its own. They are made file by file (``make``)."""

    def __init__(self, program: Program) -> None:
        self._program = program
        # Each with what it depends on.
        self._templates: dict[Definition, tuple[Template, set[str]]] = {}
        self._making: list[Definition] = []
        self._whole = True
        self.calls: Index[tuple[Definition, Call]] = Index()
        self.pointer_calls: Index[tuple[Definition, Call]] = Index()
        self.passed: Index[tuple[Definition, Call, int]] = Index()
        self.flows: Index[tuple[Definition, Flow]] = Index()
        self.stored: Index[StoredAt] = Index()
        self._called: set[str] = set()

    def news(self) -> set[str]:
        """The names that macros call in files for which they were made anew since this was asked
        last."""
        called, self._called = self._called, set()
        return called

    def refresh(self, news: News) -> None:
        """Drop what is known of macros and may be something else now."""
        asked = {macro: needed for macro, (_, needed) in self._templates.items()}
        for macro in news.touched(asked):
            del self._templates[macro]

    def make(self, path: str) -> None:
        """Make anew what macros make in a file."""
        made = _Made()
        for name, uses in self._program.calls.held(path).items():
            if name in self._program.with_parameters:
                for macro in self._program.resolve(name, path):
                    self._expand(macro, uses, made)
        for at in _uses(self._program, path):
            self._store(at, 0, made)
        self._hold(path, made)

    def drop(self, path: str) -> None:
        """Forget what macros make in a file."""
        self._hold(path, _Made())

    def _hold(self, path: str, made: _Made) -> None:
        self._called.update(self.calls.held(path), made.calls)
        self.calls.put(path, made.calls)
        self.pointer_calls.put(path, made.pointer_calls)
        self.passed.put(path, made.passed)
        self.flows.put(path, made.flows)
        self.stored.put(path, made.stored)

    def is_template(self, caller: Definition, call: Call) -> bool:
        """Whether a call in a macro depends on its arguments: it is made where the macro is
        used, and not in the macro."""
        fact = caller.fact
        return isinstance(fact, Macro) and bool(fact.parameters) and _depends(call, fact)

    def _template(self, macro: Definition) -> Template:
        known = self._templates.get(macro)
        if known is None:
            if macro in self._making or len(self._making) > _DEEPEST:
                # What is made now of others is not all that they are by themselves; but a macro
                # is never expanded within itself.
                self._whole = self._whole and macro is self._making[-1]
                return _NOTHING
            asked = {macro.name, macro.path}
            outer, self._whole = self._whole, True
            self._making.append(macro)
            with self._program.noting(asked):
                known = self._make_template(macro), asked
            self._making.pop()
            if self._whole or not self._making:
                self._templates[macro] = known
            self._whole = (self._whole and outer) or not self._making
        self._program.note(known[1])
        return known[0]

    def _make_template(self, macro: Definition) -> Template:
        fact = macro.fact
        if not isinstance(fact, Macro):
            return _NOTHING
        calls = [call for call in fact.calls if _depends(call, fact)]
        flows = [flow for flow in fact.flows if "$" in flow.source + flow.target]
        for call in fact.calls:
            if call.pointer or not any(a.startswith("$") for a in call.arguments):
                continue
            for inner in self._program.resolve(call.target, macro.path):
                if isinstance(inner.fact, Macro) and inner.fact.parameters:
                    within = _instance(inner.fact, self._template(inner), macro, call)
                    calls += within.calls
                    flows += within.flows
        return Template(tuple(dict.fromkeys(calls)), tuple(dict.fromkeys(flows)))

    def _expand(self, macro: Definition, uses: list[tuple[Definition, Call]], made: _Made) -> None:
        fact = macro.fact
        if not isinstance(fact, Macro) or fact.parameters is None:
            return
        template = self._template(macro)
        if template == _NOTHING:
            return
        for user, call in uses:
            if isinstance(user.fact, Macro) and user.fact.parameters:
                continue  # made where that one is used
            instance = _instance(fact, template, user, call)
            for one in instance.calls:
                self._add_call(user, one, made)
            for flow in instance.flows:
                made.flows.setdefault(meeting(flow.source), []).append((user, flow))

    def _add_call(self, user: Definition, call: Call, made: _Made) -> None:
        if call.pointer and names(call.target):
            self._program.note((call.target[1:],))
            if call.target[1:] in self._program.by_name:
                call = call._replace(target=call.target[1:], pointer=False)
        if call.pointer:
            made.pointer_calls.setdefault(meeting(call.target), []).append((user, call))
        else:
            made.calls.setdefault(call.target, []).append((user, call))
        own = places_of_parameters(user)
        for position, argument in enumerate(call.arguments):
            if may_be_function(argument, own):
                made.passed.setdefault(meeting(argument), []).append((user, call, position))

    def _store(self, at: StoredAt, depth: int, made: _Made) -> None:
        name, arguments = used(at.stored.source) or (at.stored.source[1:], [])
        for macro in self._program.resolve(name, at.path):
            fact = macro.fact
            if not isinstance(fact, Macro) or depth > _DEEPEST:
                continue
            values = dict(zip(fact.parameters or (), arguments, strict=False))
            if used(fact.place) and not fact.stored:  # "#define ENTRY(f) OTHER(0, f)"
                source = filled(fact.place, values, values)
                if source and used(source) != (name, arguments):
                    inner_at = at._replace(stored=at.stored._replace(source=source))
                    self._store(inner_at, depth + 1, made)
            for inner in fact.stored:
                source = filled(inner.source, values, values)
                stored = Stored(
                    at.stored.line,
                    filled(inner.variable, values, values) or at.stored.variable,
                    inner.type or at.stored.type,
                    (*self._element(at), *(named(step, values) for step in inner.path)),
                    source,
                )
                entry = StoredAt(stored, at.path, at.within)
                if used(source) or _lists(self._program, source, at.path):
                    self._store(entry, depth + 1, made)
                elif names(source):
                    made.stored.setdefault(source[1:], []).append(entry)

    def _element(self, at: StoredAt) -> tuple[str, ...]:
        """The path to an entry, without the step to the element of an array of structs:
        ``Scsi_Host_Template builtin_scsi_hosts[] = { ULTRASTOR_14F, … }`` (up to 2.2)."""
        path, place = at.stored.path, at.stored.variable
        if len(path) == 1 and path[0].startswith("#") and names(place):
            variable = self._program.variable(place[1:], at.path)
            if variable is not None and variable[1].array:
                return ()
        return path


def _uses(program: Program, path: str) -> Iterator[StoredAt]:
    """The entries of a file's initialisers that are macros, and those that stand alone."""
    for entries in program.uses.held(path).values():
        yield from entries
    for name, entries in program.stored.held(path).items():
        if name.endswith(")") and name not in program.by_name:
            for at in entries:
                yield at._replace(stored=at.stored._replace(source=as_use(at.stored.source)))
        elif name in program.lists:
            yield from (at for at in entries if _lists(program, at.stored.source, path))


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
