"""The conditions under which code runs, in a form that constants can decide.

An expression (``Expr``) is a string or a tuple. Strings are ``$x`` (a parameter or local
variable), ``$x>m`` (a member of it), ``:X`` (a name from outside), ``:x>m`` (a member of what
that stands for), a number, or ``?`` for whatever is not followed. Tuples are an operator of C
(``!``, ``&&``, ``==``, ``&``, ``?:`` …) with its operands, or

``("|?", x, y)``                 an ``|`` that may or may not take place
``("addr", "$x")``               the address of a variable, with the word ``last`` behind it where
                                 a return hands it on
``("unless", x, "@f", …)``       x, if none of these is a macro
``("case", x, own, all)``        true in a branch of a switch over x: ``own`` are the labels that
                                 lead there (``default`` among them), ``all`` those of the switch,
                                 each a tuple that begins with the word ``labels``
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TypeAlias

from tree_sitter import Node

Expr: TypeAlias = "str | tuple[Expr, ...]"
UNKNOWN: Expr = "?"
# Those whose value one known side may settle, and the others.
_PARTLY = frozenset(("&&", "||", "&", "|"))
_WHOLLY = frozenset(("==", "!=", "<", "<=", ">", ">=", "^", "<<", ">>", "+", "-", "*"))
_SAME = frozenset(("==", "!=", "^", "-"))
_DEEPEST = 12


def expression(node: Node, code: bytes, local: Collection[str], depth: int = 0) -> Expr:
    """An expression of C as an ``Expr``; ``local`` are the names of parameters and locals."""
    kind = node.type
    if depth > _DEEPEST:
        return UNKNOWN
    if kind == "identifier":
        name = _text(node, code)
        return ("$" if name in local else ":") + name
    if kind == "number_literal":
        return _number(_text(node, code))
    if kind == "null":
        return "0"
    if kind == "char_literal":
        text = _text(node, code)
        return str(ord(text[1])) if len(text) == 3 else UNKNOWN
    if kind == "conditional_expression":
        return _conditional(node, code, local, depth)
    if kind in ("parenthesized_expression", "cast_expression"):
        inner = node.child_by_field_name("value") or (
            node.named_children[-1] if node.named_child_count else None
        )
        return UNKNOWN if inner is None else expression(inner, code, local, depth + 1)
    if kind == "pointer_expression" and code[node.start_byte] == 0x26:
        inner = node.child_by_field_name("argument")
        if inner is not None and inner.type == "identifier" and _text(inner, code) in local:
            return ("addr", "$" + _text(inner, code))
        return UNKNOWN
    if kind == "field_expression":
        base = node.child_by_field_name("argument")
        field = node.child_by_field_name("field")
        if base is None or field is None or base.type != "identifier":
            return UNKNOWN
        name = _text(base, code)
        return f"{'$' if name in local else ':'}{name}>{_text(field, code)}"
    if kind == "unary_expression":
        operand = node.child_by_field_name("argument")
        if operand is None:
            return UNKNOWN
        inner_value = expression(operand, code, local, depth + 1)
        if code[node.start_byte] == 0x21:
            return UNKNOWN if inner_value == UNKNOWN else ("!", inner_value)
        if code[node.start_byte] == 0x2D and isinstance(inner_value, str) and inner_value.isdigit():
            return "-" + inner_value
        if code[node.start_byte] == 0x7E and inner_value != UNKNOWN:
            return ("~", inner_value)
        return UNKNOWN
    if kind == "binary_expression":
        return _binary(node, code, local, depth)
    return UNKNOWN


def _conditional(node: Node, code: bytes, local: Collection[str], depth: int) -> Expr:
    sides = [
        expression(side, code, local, depth + 1)
        for side in map(node.child_by_field_name, ("condition", "consequence", "alternative"))
        if side is not None
    ]
    known = len(sides) == 3 and UNKNOWN not in sides[1:]
    return ("?:", *sides) if known else UNKNOWN


def _binary(node: Node, code: bytes, local: Collection[str], depth: int) -> Expr:
    operator = node.child_by_field_name("operator")
    left = node.child_by_field_name("left")
    right = node.child_by_field_name("right")
    if operator is None or left is None or right is None:
        return UNKNOWN
    partly = operator.type in _PARTLY
    if not partly and operator.type not in _WHOLLY:
        return UNKNOWN
    first = expression(left, code, local, depth + 1)
    if first == UNKNOWN and not partly:
        return UNKNOWN
    second = expression(right, code, local, depth + 1)
    if second == UNKNOWN and (first == UNKNOWN or not partly):
        return UNKNOWN
    return (operator.type, first, second)


def _text(node: Node, code: bytes) -> str:
    return code[node.start_byte : node.end_byte].decode("latin-1")


def _number(text: str) -> Expr:
    """A number as a decimal one, whatever its base and suffix."""
    plain = text.lower().rstrip("ul")
    try:
        if plain.startswith("0x"):
            return str(int(plain, 16))
        return str(int(plain, 8) if plain.startswith("0") and len(plain) > 1 else int(plain))
    except ValueError:
        return UNKNOWN


def leaves(expr: Expr) -> set[str]:
    """What must be known of variables to decide an expression: ``$x``, ``$x>m``; ``$x>`` for
    which object ``x`` points to, where its member is compared with the same one of another."""
    if isinstance(expr, str):
        return {expr} if expr[0] == "$" else set()
    if expr[0] == "addr":
        return set()
    found = {leaf for part in expr[1:] for leaf in leaves(part)}
    if expr[0] in _SAME:
        found.update(_objects(expr))
    return found


def _objects(expr: tuple[Expr, ...]) -> list[str]:
    sides = [side.partition(">") for side in expr[1:] if isinstance(side, str)]
    if len(sides) == 2 and sides[0][2] and sides[0][2] == sides[1][2]:
        return [base + ">" for base, _, _ in sides if base[0] == "$"]
    return []


def names(expr: Expr) -> set[str]:
    """The constants that an expression names, ``:X``, and what it rests on, ``@f``."""
    if isinstance(expr, str):
        return {expr} if expr[0] == "@" or (expr[0] == ":" and expr[1:].isupper()) else set()
    return {name for part in expr[1:] for name in names(part)}


def substitute(expr: Expr, values: Mapping[str, Expr]) -> Expr:
    """Put what variables stand for in their place."""
    if isinstance(expr, str):
        base, sign, _ = expr.partition(">")
        return UNKNOWN if sign and values.get(base) == UNKNOWN else values.get(expr, expr)
    if expr[0] == "addr":
        return expr
    return (expr[0], *(substitute(part, values) for part in expr[1:]))


def known_part(expr: Expr, values: Mapping[str, Expr], followed: Collection[str]) -> Expr:
    """What of a condition rests on what is followed (the variables named there): the rest is
    ``?``. ``values`` stand for what they name."""
    if isinstance(expr, str):
        expr = values.get(expr, expr)
        if isinstance(expr, tuple):
            return known_part(expr, {}, followed)
        if expr[0] == "$" and expr[1:].partition(">")[0] not in followed:
            return UNKNOWN
        return expr
    if expr[0] == "addr":
        return expr
    if expr[0] == "case":
        subject = known_part(expr[1], values, followed)
        return (*("case", subject), *expr[2:]) if leaves(subject) else UNKNOWN
    if expr[0] == "unless":
        value = known_part(expr[1], values, followed)
        return ("unless", value, *expr[2:]) if leaves(value) else UNKNOWN
    parts = [known_part(part, values, followed) for part in expr[1:]]
    if not any(leaves(part) for part in parts) and UNKNOWN in parts:
        return UNKNOWN
    return (expr[0], *parts)


def negated(expr: Expr) -> Expr:
    """The opposite of a condition."""
    if isinstance(expr, tuple) and expr[0] == "!":
        return expr[1]
    return ("!", expr)
