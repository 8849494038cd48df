"""Whether constants on the way switch a check off.

A caller hands constants down (``send_sig(SIGSEGV, current, 1)``) or a struct whose flags
it set itself (``newattrs.ia_valid = ATTR_MODE | ATTR_CTIME``); a guard in the callee
(``!priv && …``, ``ia_valid & ATTR_UID``) can be decided with them. What cannot be
decided counts as possible.

A *context* is what is known of a function's parameters: values by place (``$priv``,
``$attr>ia_valid``; ``$p>`` is the name of the object that ``p`` points to).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

from caphistory.linking.numbers import Numbers
from caphistory.linking.program import Definition, Program
from caphistory.linking.values import Value, any_of, truth_of, value_of
from caphistory.syntax.facts import Call, Function
from caphistory.syntax.guards import Expr, leaves, names

Context: TypeAlias = "frozenset[tuple[str, Value]]"
NOTHING_KNOWN: Context = frozenset()


class Constants:
    """Carries constants from caller to callee, as far as a guard somewhere below needs them."""

    def __init__(self, program: Program, targets: Targets) -> None:
        """``targets`` gives what a call through a pointer may call."""
        self._program = program
        self._targets = targets
        self._numbers = Numbers(program)
        self._changes: dict[tuple[Definition, int, str], bool] = {}
        self._wanted: dict[Definition, set[str]] = {}
        self._named: dict[Definition, dict[str, Value]] = {}
        self._sets: dict[Definition, dict[str, list[Expr]]] = {}
        self._handed: dict[Definition, dict[str, list[tuple[Call, int]]]] = {}
        self._names: dict[Definition, set[str]] = {}

    # What is asked for.

    def want(self, definition: Definition, guards: Iterable[Expr]) -> bool:
        """Say that guards in a definition can be decided; True if this is news."""
        listed = list(guards)
        self._names.setdefault(definition, set()).update(n for one in listed for n in names(one))
        return self._add(definition, {leaf for guard in listed for leaf in leaves(guard)})

    def want_for(self, caller: Definition, call: Call, callee: Definition) -> bool:
        """Say that a caller's constants matter for a callee; True if this is news."""
        needed: set[str] = set()
        named = self._names.setdefault(caller, set())
        for expr, member in self._arguments(call, callee).values():
            base = _struct(expr)
            if not member:
                named |= names(expr)
                needed |= leaves(expr) if member is None else {f"{base}>"} if base else set()
            elif base is not None:
                needed.add(f"{base}>{member}")
                for one in self._sets_of(caller).get(f"{base}>{member}", ()):
                    named |= names(one)
                    needed |= leaves(one)
        parameters = set(caller.parameters())
        return self._add(caller, {n for n in needed if n[1:].partition(">")[0] in parameters})

    def find_numbers(self) -> None:
        """Look for the values of all constants that matter. To be asked when nothing more is
        wanted."""
        all_ = {name for names_ in self._names.values() for name in names_}
        self._numbers.find(name for name in all_ if name[0] == ":")

    def _add(self, definition: Definition, places: set[str]) -> bool:
        wanted = self._wanted.setdefault(definition, set())
        before = len(wanted)
        wanted |= places
        return len(wanted) > before

    def _arguments(self, call: Call, callee: Definition) -> dict[str, tuple[Expr, str | None]]:
        """For each place that the callee wants: the argument's expression, and the member of
        it that the place is, if it is one."""
        wanted = self._wanted.get(callee)
        if not wanted:
            return {}
        parameters = callee.parameters()
        found = {}
        for place in wanted:
            base, sign, member = place[1:].partition(">")
            position = parameters.index(base) if base in parameters else len(call.passes)
            if position < len(call.passes):
                found[place] = (call.passes[position], member if sign else None)
        return found

    # What is known.

    def possible(self, definition: Definition, guards: Iterable[Expr], context: Context) -> bool:
        """Whether no guard of a definition is known to fail."""
        if not context:
            return True
        known = self._known(definition, context)
        return all(truth_of(guard, known) is not False for guard in guards)

    def _known(self, definition: Definition, context: Context) -> dict[str, Value]:
        named = self._named.get(definition)
        if named is None:
            wanted = sorted(self._names.get(definition, ()))
            constants = [name for name in wanted if name[0] == ":"]
            named = self._numbers.of(constants, definition.path)
            named.update((f, 1) for f in wanted if f[0] == "@" and self._is_function(f, definition))
            self._named[definition] = named
        return {**named, **dict(context)}

    def _is_function(self, name: str, user: Definition) -> bool:
        found = self._program.resolve(name[1:], user.path)
        return bool(found) and all(isinstance(one.fact, Function) for one in found)

    def handed(
        self, caller: Definition, context: Context, call: Call, callee: Definition
    ) -> list[Context]:
        """What is known of the callee's parameters when the caller calls it: one or another of
        these."""
        if not self._wanted.get(callee):
            return [NOTHING_KNOWN]
        known = self._known(caller, context)
        ways: list[Context] = [NOTHING_KNOWN]
        for place, (expr, member) in self._arguments(call, callee).items():
            values = (
                [value_of(expr, known)]
                if member is None
                else self._member(caller, known, expr, member, call.target)
            )
            if len(ways) * len(values) > _MOST_WAYS:
                values = [any_of(values)]
            ways = [
                way if value is None else way | {(place, value)} for way in ways for value in values
            ]
        return ways

    def _member(
        self,
        caller: Definition,
        known: Mapping[str, Value],
        expr: Expr,
        member: str,
        target: str,
    ) -> list[Value | None]:
        """What ``member`` of a struct may hold that the caller hands on to ``target``: what the
        caller was handed itself or sets there, with the flags that it adds or not."""
        base = _struct(expr)
        if not member and (base is None or base[0] == ":"):
            return [expr if base is not None and isinstance(expr, str) else None]
        if base is None or base[0] == ":":
            return [None]
        place = f"{base}>{member}"
        own = base[1:] in caller.parameters()
        others = self._handed_to(caller).get(base, ()) if not own else ()
        if any(self._may_change(caller, *one, member) for one in others if one[0].target != target):
            return [None]
        sets = self._sets_of(caller).get(place, [])
        changes = [one for one in sets if isinstance(one, tuple) and place in one[1:]]
        plain = [value_of(one, known) for one in sets if one not in changes]
        values = _distinct([any_of([known.get(place), *plain] if own else plain)])
        for change in changes:
            changed = [
                value_of(change, known if value is None else {**known, place: value})
                for value in values
            ]
            values = _distinct([*values, *changed])
        return values

    def _sets_of(self, caller: Definition) -> dict[str, list[Expr]]:
        if caller not in self._sets:
            sets: dict[str, list[Expr]] = {}
            if isinstance(caller.fact, Function):
                for place, expr in caller.fact.sets:
                    sets.setdefault(place, []).append(expr)
            self._sets[caller] = sets
        return self._sets[caller]

    def _handed_to(self, caller: Definition) -> dict[str, list[tuple[Call, int]]]:
        """The calls that are handed a variable, and as which argument."""
        if caller not in self._handed:
            handed: dict[str, list[tuple[Call, int]]] = {}
            for call in caller.fact.calls:
                for position, expr in enumerate(call.passes):
                    base = _struct(expr)
                    # What a return hands on is handed to nobody after that.
                    if base is not None and not (isinstance(expr, tuple) and "last" in expr):
                        handed.setdefault(base, []).append((call, position))
            self._handed[caller] = handed
        return self._handed[caller]

    def _may_change(self, caller: Definition, call: Call, position: int, member: str) -> bool:
        """Whether a call may give another value to ``member`` of the struct that it is handed
        as its argument number ``position``: not if all that it may call is known and leaves it
        alone (what notifies of a quota's transfer only looks at ``ia_valid``, 2.0)."""
        if call.pointer:
            callees = list(self._targets(caller, call))
        else:
            callees = self._program.resolve(call.target, caller.path)
        return not callees or any(self._changed_by(one, position, member) for one in callees)

    def _changed_by(self, callee: Definition, position: int, member: str) -> bool:
        key = (callee, position, member)
        if key not in self._changes:
            self._changes[key] = True  # for one that calls itself
            self._changes[key] = self._sets_or_hands_on(callee, position, member)
        return self._changes[key]

    def _sets_or_hands_on(self, callee: Definition, position: int, member: str) -> bool:
        fact = callee.fact
        if not isinstance(fact, Function) or position >= len(fact.parameters):
            return True
        parameter = fact.parameters[position]
        place = "$" + parameter.name
        # memset and copy_from_user take any bytes, and work in assembler.
        if self._program.struct(parameter.type, callee.path) is None or any(
            name.endswith(">" + member) or place in (name, *leaves(expr))
            for name, expr in fact.sets
        ):
            return True
        if any(place in (flow.source, flow.target) for flow in fact.flows):
            return True
        for call in fact.calls:
            for at, argument in enumerate(call.arguments):
                expr = call.passes[at] if at < len(call.passes) else "?"
                handed = _struct(expr) == place if expr[0] == "addr" else place in leaves(expr)
                if handed and self._may_change(callee, call, at, member):
                    return True
                # Its address, or something that is made of it.
                if expr == "?" and (argument == place or argument.endswith(">" + member)):
                    return True
        return False


# What a call through a pointer in a definition may call.
Targets: TypeAlias = "Callable[[Definition, Call], Iterable[Definition]]"
# So many different sets of constants for one call; from there on what they have in common.
_MOST_WAYS = 4


def _distinct(values: Iterable[Value | None]) -> list[Value | None]:
    listed = list(dict.fromkeys(values))
    many = None in listed or len(listed) > _MOST_WAYS
    return [any_of(listed)] if many else listed


def _struct(expr: Expr) -> str | None:
    """The variable or name whose members an argument hands on."""
    if isinstance(expr, tuple):
        inner = expr[1] if expr[0] == "addr" else None
        return inner if isinstance(inner, str) else None
    return expr if expr[0] in "$:" and ">" not in expr else None
