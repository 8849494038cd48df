"""Whether constants on the way switch a check off.

A caller hands constants down (``send_sig(SIGSEGV, current, 1)``) or a struct whose flags
it set itself (``newattrs.ia_valid = ATTR_MODE | ATTR_CTIME``); a guard in the callee
(``!priv && …``, ``ia_valid & ATTR_UID``) can be decided with them. What cannot be
decided counts as possible.

A *context* is what is known of a function's parameters: values by place (``$priv``,
``$attr>ia_valid``; ``$p>`` is the name of the object that ``p`` points to).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from caphistory.linking.numbers import Numbers
from caphistory.linking.program import Definition, Program
from caphistory.linking.values import Value, any_of, truth_of, value_of
from caphistory.syntax.facts import Call, Function
from caphistory.syntax.guards import Expr, leaves, names

Context: TypeAlias = "frozenset[tuple[str, Value]]"
NOTHING_KNOWN: Context = frozenset()
NOTHING_HANDED = (NOTHING_KNOWN,)
_UNKNOWN: list[Value | None] = [None]


class Wish(NamedTuple):
    """What a definition wants to know: a place, the position of the parameter that it is in,
    and the member of that parameter that it is, if it is one."""

    place: str
    position: int
    member: str | None


class Constants:
    """Carries constants from caller to callee, as far as a guard somewhere below needs them."""

    def __init__(self, program: Program, targets: Targets) -> None:
        """``targets`` gives what a call through a pointer may call."""
        self._program = program
        self._targets = targets
        self._numbers = Numbers(program)
        self._changes: dict[tuple[Definition, int, str], bool] = {}
        self._positions: dict[Definition, dict[str, int]] = {}
        self._wanted: dict[Definition, dict[str, Wish]] = {}
        # What was asked for already: guards, and arguments of calls, by identity.
        self._guarded: set[tuple[Definition, int]] = set()
        self._asked: dict[int, set[tuple[int, str | None]]] = {}
        # How many of a definition's wishes ``news`` has told; those with others to tell.
        self._told: dict[Definition, int] = {}
        self._untold: dict[Definition, None] = {}
        self._wishes: dict[Definition, tuple[Wish, ...]] = {}
        # The same tuple for all definitions with the same wishes.
        self._shared: dict[tuple[Wish, ...], tuple[Wish, ...]] = {}
        self._named: dict[Definition, dict[str, Value]] = {}
        self._sets: dict[Definition, dict[str, list[Expr]]] = {}
        self._handed: dict[Definition, dict[str, list[tuple[Call, int]]]] = {}
        self._names: dict[Definition, set[str]] = {}

    # What is asked for.

    def want(self, definition: Definition, guards: Sequence[Expr]) -> None:
        """Say that guards in a definition, which stay as they are, can be decided."""
        # A call through a pointer is a step to each function that it may call.
        if not guards or (definition, id(guards)) in self._guarded:
            return
        self._guarded.add((definition, id(guards)))
        for guard in guards:
            self._names.setdefault(definition, set()).update(names(guard))
            self._add(definition, leaves(guard))

    def news(self) -> list[tuple[Definition, list[Wish]]]:
        """The definitions that want more since this was asked last, and what."""
        found = []
        for definition in self._untold:
            wishes = list(self._wanted[definition].values())
            found.append((definition, wishes[self._told.get(definition, 0) :]))
            self._told[definition] = len(wishes)
        self._untold.clear()
        return found

    def want_for(self, caller: Definition, call: Call, wishes: Iterable[Wish]) -> None:
        """Say that a caller's constants matter for what it calls, as that wants them."""
        asked = self._asked.setdefault(id(call), set())
        needed: set[str] = set()
        named: set[str] = set()
        for _, position, member in wishes:
            if position >= len(call.passes) or (position, member) in asked:
                continue
            asked.add((position, member))
            expr = call.passes[position]
            base = _struct(expr)
            if not member:
                named |= names(expr)
                needed |= leaves(expr) if member is None else {f"{base}>"} if base else set()
            elif base is not None:
                needed.add(f"{base}>{member}")
                for one in self._sets_of(caller).get(f"{base}>{member}", ()):
                    named |= names(one)
                    needed |= leaves(one)
        if named:
            self._names.setdefault(caller, set()).update(named)
        if needed:
            self._add(caller, needed)

    def find_numbers(self) -> None:
        """Look for the values of all constants that matter. To be asked when nothing more is
        wanted."""
        all_ = {name for names_ in self._names.values() for name in names_}
        self._numbers.find(name for name in all_ if name[0] == ":")

    def _add(self, definition: Definition, places: set[str]) -> None:
        """What is in no parameter nobody can know."""
        wanted = self._wanted.setdefault(definition, {})
        for place in places:
            if place not in wanted:
                base, sign, member = place[1:].partition(">")
                position = self._position(definition, base)
                if position is not None:
                    wanted[place] = Wish(place, position, member if sign else None)
                    self._untold[definition] = None

    def _position(self, definition: Definition, name: str) -> int | None:
        known = self._positions.get(definition)
        if known is None:
            listed = definition.parameters()
            known = self._positions[definition] = {one: listed.index(one) for one in listed}
        return known.get(name)

    def wishes(self, definition: Definition) -> tuple[Wish, ...]:
        """All that a definition wants to know; to be asked when nothing more is wanted."""
        found = self._wishes.get(definition)
        if found is None:
            found = tuple(sorted(self._wanted.get(definition, {}).values()))
            found = self._wishes[definition] = self._shared.setdefault(found, found)
        return found

    # What is known.

    def named(self, definition: Definition) -> Mapping[str, Value]:
        """The values of the constants that matter in a definition."""
        found = self._named.get(definition)
        if found is None:
            wanted = sorted(self._names.get(definition, ()))
            constants = [name for name in wanted if name[0] == ":"]
            found = self._numbers.of(constants, definition.path)
            found.update((f, 1) for f in wanted if f[0] == "@" and self._is_function(f, definition))
            self._named[definition] = found
        return found

    def _is_function(self, name: str, user: Definition) -> bool:
        found = self._program.resolve(name[1:], user.path)
        return bool(found) and all(isinstance(one.fact, Function) for one in found)

    def is_parameter(self, definition: Definition, variable: str) -> bool:
        """Whether a variable (``$x``) is one of a definition's parameters."""
        return self._position(definition, variable[1:]) is not None

    def sets(self, definition: Definition, place: str) -> Sequence[Expr]:
        """What a definition sets a place to."""
        return self._sets_of(definition).get(place, ())

    def is_changed(self, caller: Definition, variable: str, member: str, target: str) -> bool:
        """Whether anything but ``target`` that a caller hands a variable on to may give another
        value to its member."""
        return any(
            self._may_change(caller, call, position, member)
            for call, position in self._handed_to(caller).get(variable, ())
            if call.target != target
        )

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


class Situation:
    """A definition that is called with constants: what is known there."""

    __slots__ = ("_constants", "_context", "_decided", "_definition", "_known", "_ways")

    def __init__(self, constants: Constants, definition: Definition, context: Context) -> None:
        self._constants = constants
        self._definition = definition
        self._context = dict(context)
        self._known: Mapping[str, Value] | None = None
        # By identity: of guards; of calls, with that of what is wanted.
        self._decided: dict[int, bool] = {}
        self._ways: dict[tuple[int, int], Sequence[Context]] = {}

    def possible(self, guards: Sequence[Expr]) -> bool:
        """Whether no guard of the definition is known to fail."""
        if not guards or not self._context:
            return True
        found = self._decided.get(id(guards))
        if found is None:
            known = self._all_known()
            found = all(truth_of(guard, known) is not False for guard in guards)
            self._decided[id(guards)] = found
        return found

    def handed(self, call: Call, callee: Definition) -> Sequence[Context]:
        """What is known of a callee's parameters where the definition calls it: one or another
        of these."""
        wishes = self._constants.wishes(callee)
        if not wishes:
            return NOTHING_HANDED
        # What a pointer calls mostly wants the same.
        key = (id(call), id(wishes))
        found = self._ways.get(key)
        if found is None:
            found = self._ways[key] = self._handed(call, wishes)
        return found

    def _handed(self, call: Call, wishes: Iterable[Wish]) -> Sequence[Context]:
        ways: list[tuple[tuple[str, Value], ...]] = [()]
        for place, position, member in wishes:
            if position >= len(call.passes):
                continue
            expr = call.passes[position]
            values = (
                [self._value(expr)] if member is None else self._member(expr, member, call.target)
            )
            if len(ways) * len(values) > _MOST_WAYS:
                values = [any_of(values)]
            if values != _UNKNOWN:
                ways = [
                    way if value is None else (*way, (place, value))
                    for way in ways
                    for value in values
                ]
        return [frozenset(way) for way in ways]

    def _all_known(self) -> Mapping[str, Value]:
        if self._known is None:
            self._known = {**self._constants.named(self._definition), **self._context}
        return self._known

    def _value(self, expr: Expr) -> Value | None:
        # Most arguments are variables, or not followed: the constants need not be looked at.
        if isinstance(expr, str) and expr[0] in "$?":
            return self._context.get(expr)
        return value_of(expr, self._all_known())

    def _member(self, expr: Expr, member: str, target: str) -> list[Value | None]:
        """What ``member`` of a struct may hold that the caller hands on to ``target``: what the
        caller was handed itself or sets there, with the flags that it adds or not."""
        base = _struct(expr)
        if base is None or base[0] == ":":
            return _UNKNOWN if member or base is None or not isinstance(expr, str) else [expr]
        place = f"{base}>{member}"
        own = self._constants.is_parameter(self._definition, base)
        sets = self._constants.sets(self._definition, place)
        if not sets:
            return [self._context.get(place)] if own else _UNKNOWN
        if not own and self._constants.is_changed(self._definition, base, member, target):
            return _UNKNOWN
        known = self._all_known()
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
