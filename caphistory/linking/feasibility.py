"""Whether constants on the way switch a check off.

A caller hands constants down (``send_sig(SIGSEGV, current, 1)``) or a struct whose flags
it set itself (``newattrs.ia_valid = ATTR_MODE | ATTR_CTIME``); a guard in the callee
(``!priv && …``, ``ia_valid & ATTR_UID``) can be decided with them. What cannot be
decided counts as possible.

A *context* is what is known of a function's parameters: values by place (``$priv``,
``$attr>ia_valid``). A value is a number, or the set of the flags that it may hold.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from caphistory.linking.program import Definition
from caphistory.syntax.facts import Call, Function
from caphistory.syntax.guards import Expr, leaves

Value: TypeAlias = "int | frozenset[str]"
Context: TypeAlias = "frozenset[tuple[str, Value]]"
NOTHING_KNOWN: Context = frozenset()


def value_of(expr: Expr, known: Mapping[str, Value]) -> Value | None:
    """The value of an expression; None where it cannot be told."""
    if isinstance(expr, str):
        if expr[0] == "$":
            return known.get(expr)
        if expr[0] == ":":
            return frozenset((expr[1:],)) if expr[1:].isupper() else None
        return int(expr) if expr.lstrip("-").isdigit() else None
    operator = expr[0]
    if operator in ("!", "&&", "||", "==", "!="):
        truth = truth_of(expr, known)
        return None if truth is None else int(truth)
    left, right = value_of(expr[1], known), value_of(expr[2], known)
    if operator == "&":
        return _and(left, right)
    if operator == "|" and left is not None and right is not None:
        if isinstance(left, frozenset) and isinstance(right, frozenset):
            return left | right
        if left == 0:
            return right
        if right == 0:
            return left
    return None


def _and(left: Value | None, right: Value | None) -> Value | None:
    if left == 0 or right == 0:
        return 0
    if isinstance(left, frozenset) and isinstance(right, frozenset) and not left & right:
        return 0
    return None


def truth_of(expr: Expr, known: Mapping[str, Value]) -> bool | None:
    """Whether a condition holds; None where it cannot be told."""
    if isinstance(expr, tuple):
        operator = expr[0]
        if operator == "!":
            inner = truth_of(expr[1], known)
            return None if inner is None else not inner
        if operator in ("&&", "||"):
            decisive = operator == "||"
            sides = [truth_of(side, known) for side in expr[1:]]
            if decisive in sides:
                return decisive
            return None if None in sides else not decisive
        if operator in ("==", "!="):
            left, right = value_of(expr[1], known), value_of(expr[2], known)
            if isinstance(left, int) and isinstance(right, int):
                return (left == right) == (operator == "==")
            return None
    value = value_of(expr, known)
    # A set of flags may turn out to be empty: only a number is certain.
    return bool(value) if isinstance(value, int) else None


def possible(guards: Iterable[Expr], context: Context) -> bool:
    """Whether no guard is known to fail."""
    if not context:
        return True
    known = dict(context)
    return all(truth_of(guard, known) is not False for guard in guards)


class Constants:
    """Carries constants from caller to callee, as far as a guard somewhere below needs them."""

    def __init__(self) -> None:
        self._wanted: dict[Definition, set[str]] = {}
        self._sets: dict[Definition, dict[str, list[Expr]]] = {}
        self._handed: dict[Definition, dict[str, set[str]]] = {}

    def want(self, definition: Definition, guards: Iterable[Expr]) -> bool:
        """Say that guards in a definition can be decided; True if this is news."""
        return self._add(definition, {leaf for guard in guards for leaf in leaves(guard)})

    def want_for(self, caller: Definition, call: Call, callee: Definition) -> bool:
        """Say that a caller's constants matter for a callee; True if this is news."""
        needed: set[str] = set()
        for place, (expr, member) in self._arguments(call, callee).items():
            del place
            if member is None:
                needed |= leaves(expr)
            elif isinstance(expr, str) and expr[0] == "$" and ">" not in expr:
                needed.add(f"{expr}>{member}")
        parameters = set(caller.parameters())
        return self._add(caller, {n for n in needed if n[1:].partition(">")[0] in parameters})

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
        names = callee.parameters()
        found = {}
        for place in wanted:
            base, _, member = place[1:].partition(">")
            position = names.index(base) if base in names else len(call.passes)
            if position < len(call.passes):
                found[place] = (call.passes[position], member or None)
        return found

    def handed(
        self, caller: Definition, context: Context, call: Call | None, callee: Definition
    ) -> Context:
        """What is known of the callee's parameters when the caller calls it."""
        if call is None or not self._wanted.get(callee):
            return NOTHING_KNOWN
        known = dict(context)
        found = set()
        for place, (expr, member) in self._arguments(call, callee).items():
            value = (
                value_of(expr, known)
                if member is None
                else self._member(caller, known, expr, member)
            )
            if value is not None:
                found.add((place, value))
        return frozenset(found)

    def _member(
        self, caller: Definition, known: Mapping[str, Value], expr: Expr, member: str
    ) -> Value | None:
        """The flags that ``member`` of a struct may hold that the caller hands on: all that
        it sets there, together with what it was handed itself."""
        if not isinstance(expr, str) or expr[0] != "$" or ">" in expr:
            return None
        if not isinstance(caller.fact, Function):
            return None
        place = f"{expr}>{member}"
        own = expr[1:] in caller.parameters()
        values: list[Value | None] = [known.get(place)] if own else []
        if not own and len(self._handed_to(caller).get(expr, ())) > 1:
            return None  # another callee may have changed it
        values += [value_of(one, known) for one in self._sets_of(caller).get(place, ())]
        flags: frozenset[str] = frozenset()
        if not values:
            return None
        for value in values:
            if isinstance(value, frozenset):
                flags |= value
            elif value != 0:
                return None
        return flags

    def _sets_of(self, caller: Definition) -> dict[str, list[Expr]]:
        if caller not in self._sets:
            sets: dict[str, list[Expr]] = {}
            if isinstance(caller.fact, Function):
                for place, expr in caller.fact.sets:
                    sets.setdefault(place, []).append(expr)
            self._sets[caller] = sets
        return self._sets[caller]

    def _handed_to(self, caller: Definition) -> dict[str, set[str]]:
        if caller not in self._handed:
            handed: dict[str, set[str]] = {}
            for call in caller.fact.calls:
                for expr in call.passes:
                    if isinstance(expr, str) and expr[0] == "$" and ">" not in expr:
                        handed.setdefault(expr, set()).add(call.target)
            self._handed[caller] = handed
        return self._handed[caller]
