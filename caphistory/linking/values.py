"""Values that are known in part: what an expression is worth, and whether a condition holds.

A value is a number, ``Bits``, or a string: ``:NAME`` for a constant or global whose number is not
known, ``&`` for the address of something. What is not known at all is None.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple, TypeAlias

from caphistory.syntax.guards import Expr


class Bits(NamedTuple):
    """A number of which some bits are known: those that it has (``must``), and those that it
    may have (``may``; negative numbers have infinitely many)."""

    must: int
    may: int


Value: TypeAlias = "int | str | Bits"
ADDRESS = "&"
_ANY = Bits(0, -1)
_WORD = 1 << 32


def value_of(expr: Expr, known: Mapping[str, Value]) -> Value | None:
    """The value of an expression; None where it cannot be told."""
    if isinstance(expr, str):
        if expr[0] == "$":
            return known.get(expr)
        if expr[0] == ":":
            return known.get(expr, expr if expr[1:].isupper() else None)
        return int(expr) if expr.lstrip("-").isdigit() else None
    operator = str(expr[0])
    if operator == "addr":
        return ADDRESS
    if operator == "unless":
        return value_of(expr[1], known) if all(str(f) in known for f in expr[2:]) else None
    if operator == "?:":
        truth = truth_of(expr[1], known)
        chosen = expr[2:] if truth is None else (expr[2] if truth else expr[3],)
        return any_of(value_of(one, known) for one in chosen)
    if operator in ("&", "|", "|?"):
        left, right = (bits(value_of(side, known)) for side in expr[1:])
        if operator == "&":
            return _value(Bits(left.must & right.must, left.may & right.may))
        may = left.may | right.may
        return _value(Bits(left.must | right.must if operator == "|" else left.must, may))
    if operator == "~":
        inner = bits(value_of(expr[1], known))
        return _value(Bits(~inner.may, ~inner.must))
    if operator in _ARITHMETIC:
        left_, right_ = (value_of(side, known) for side in expr[1:])
        if isinstance(left_, int) and isinstance(right_, int):
            return _ARITHMETIC[operator](left_, right_)
        return 0 if operator in ("^", "-") and _same(expr[1], expr[2], known) else None
    truth = truth_of(expr, known)
    return None if truth is None else int(truth)


def _shifted(left: int, right: int) -> int | None:
    return left << right if 0 <= right < 64 else None


_ARITHMETIC: dict[str, Callable[[int, int], int | None]] = {
    "+": lambda left, right: left + right,
    "-": lambda left, right: left - right,
    "*": lambda left, right: left * right,
    "^": lambda left, right: left ^ right,
    "<<": _shifted,
    ">>": lambda left, right: left >> right if left >= 0 and 0 <= right < 64 else None,
}


def bits(value: Value | None) -> Bits:
    """What is known of a value's bits."""
    if isinstance(value, int):
        return Bits(value, value)
    return value if isinstance(value, Bits) else _ANY


def _value(found: Bits) -> Value | None:
    if found.must == found.may:
        return found.must
    return None if found == _ANY else found


def any_of(values: Iterable[Value | None]) -> Value | None:
    """What is known of something that has one of these values."""
    listed = list(values)
    if not listed:
        return None
    if all(value == listed[0] for value in listed):
        return listed[0]
    must, may = -1, 0
    for value in listed:
        one = bits(value)
        must, may = must & one.must, may | one.may
    return _value(Bits(must, may))


def truth_of(expr: Expr, known: Mapping[str, Value]) -> bool | None:
    """Whether a condition holds; None where it cannot be told."""
    operator = str(expr[0]) if isinstance(expr, tuple) else ""
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
        equal = _equal(value_of(expr[1], known), value_of(expr[2], known))
        if equal is None and _same(expr[1], expr[2], known):
            equal = True
        return None if equal is None else equal == (operator == "==")
    if operator in _ORDERS:
        left, right = value_of(expr[1], known), value_of(expr[2], known)
        # Whether a comparison is one of signed numbers is not known.
        if isinstance(left, int) and isinstance(right, int) and _plain(left) and _plain(right):
            return _ORDERS[operator](left, right)
        return None
    if operator == "case":
        return _in_case(value_of(expr[1], known), expr[2], expr[3], known)
    value = value_of(expr, known)
    if isinstance(value, int):
        return bool(value)
    if isinstance(value, Bits):
        return True if value.must else None
    return True if value == ADDRESS else None


_ORDERS: dict[str, Callable[[int, int], bool]] = {
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
}


def _plain(number: int) -> bool:
    return 0 <= number < _WORD // 2


def _equal(left: Value | None, right: Value | None) -> bool | None:
    """Whether two values are the same; 4294967295 and -1 may be."""
    if left is None or right is None:
        return None
    if isinstance(left, str) or isinstance(right, str):
        if left == right:
            return None if left == ADDRESS else True
        return False if {left, right} == {ADDRESS, 0} else None
    one, other = bits(left), bits(right)
    if (one.must & ~other.may | other.must & ~one.may) % _WORD:
        return False
    return True if isinstance(left, int) and left == right else None


def _same(left: Expr, right: Expr, known: Mapping[str, Value]) -> bool:
    """Whether two expressions are a member of the same object: ``current->uid`` and
    ``p->uid`` where the caller handed ``current`` on."""
    sides = [_object(side, known) for side in (left, right)]
    return sides[0] is not None and sides[0] == sides[1]


def _object(expr: Expr, known: Mapping[str, Value]) -> str | None:
    if not isinstance(expr, str) or ">" not in expr:
        return None
    base, _, member = expr.partition(">")
    return f"{known.get(base + '>', base)}>{member}"


def _in_case(value: Value | None, own: Expr, all_: Expr, known: Mapping[str, Value]) -> bool | None:
    """Whether a value leads to a branch of a switch. C allows no label twice: labels that have
    different names are different."""
    if value is None:
        return None
    labels = dict.fromkeys((*all_[1:], *own[1:]))
    equal = {label: _equal(value, value_of(label, known)) for label in labels}
    other = any(same for label, same in equal.items() if label not in own)
    if any(equal.get(label) for label in own[1:]):
        return True
    if other:
        return False
    excluded = all(same is False for label, same in equal.items() if label != "default")
    if "default" in own:
        return True if excluded else None
    return False if all(equal.get(label) is False for label in own[1:]) else None
