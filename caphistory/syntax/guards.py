"""The conditions under which code runs, in a form that constants can decide.

An expression (``Expr``) is a string or a tuple. Strings are ``$x`` (a parameter or local
variable), ``$x>m`` (a member of it), ``:X`` (a name from outside), a number, or ``?``
for whatever is not followed. Tuples are an operator (``!``, ``&&``, ``||``, ``==``,
``!=``, ``&``, ``|``) with its operands.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TypeAlias

from tree_sitter import Node

Expr: TypeAlias = "str | tuple[Expr, ...]"
UNKNOWN: Expr = "?"
_OPERATORS = frozenset(("&&", "||", "==", "!=", "&", "|"))
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
    if kind in ("parenthesized_expression", "cast_expression"):
        inner = node.child_by_field_name("value") or (
            node.named_children[-1] if node.named_child_count else None
        )
        return UNKNOWN if inner is None else expression(inner, code, local, depth + 1)
    if kind == "pointer_expression" and code[node.start_byte] == 0x26:
        inner = node.child_by_field_name("argument")
        if inner is not None and inner.type == "identifier":
            return expression(inner, code, local, depth + 1)
        return UNKNOWN
    if kind == "field_expression":
        base = node.child_by_field_name("argument")
        field = node.child_by_field_name("field")
        if base is None or field is None or base.type != "identifier":
            return UNKNOWN
        name = _text(base, code)
        return f"${name}>{_text(field, code)}" if name in local else UNKNOWN
    if kind == "unary_expression":
        operand = node.child_by_field_name("argument")
        if operand is None:
            return UNKNOWN
        inner_value = expression(operand, code, local, depth + 1)
        if code[node.start_byte] == 0x21:
            return UNKNOWN if inner_value == UNKNOWN else ("!", inner_value)
        if code[node.start_byte] == 0x2D and isinstance(inner_value, str) and inner_value.isdigit():
            return "-" + inner_value
        return UNKNOWN
    if kind == "binary_expression":
        return _binary(node, code, local, depth)
    return UNKNOWN


def _binary(node: Node, code: bytes, local: Collection[str], depth: int) -> Expr:
    operator = node.child_by_field_name("operator")
    left = node.child_by_field_name("left")
    right = node.child_by_field_name("right")
    if operator is None or left is None or right is None or operator.type not in _OPERATORS:
        return UNKNOWN
    first = expression(left, code, local, depth + 1)
    second = expression(right, code, local, depth + 1)
    if first == UNKNOWN and second == UNKNOWN:
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
    """The parameters, locals and members of them in an expression: ``$x``, ``$x>m``."""
    if isinstance(expr, str):
        return {expr} if expr[0] == "$" else set()
    return {leaf for part in expr[1:] for leaf in leaves(part)}


def substitute(expr: Expr, values: Mapping[str, Expr]) -> Expr:
    """Put what variables stand for in their place."""
    if isinstance(expr, str):
        return values.get(expr, expr)
    return (expr[0], *(substitute(part, values) for part in expr[1:]))


def negated(expr: Expr) -> Expr:
    """The opposite of a condition."""
    if isinstance(expr, tuple) and expr[0] == "!":
        return expr[1]
    return ("!", expr)
