"""What an expression passes on: the calls and uid tests that it is made of."""

from __future__ import annotations

from collections.abc import Collection

from tree_sitter import Node

from caphistory.syntax.places import Places
from caphistory.syntax.uids import is_uid

_DEEPEST = 20


def relayed(
    expression: Node, places: Places, uid_tests: Collection[int], depth: int = 0
) -> tuple[str, ...]:
    """The names that an expression calls if it is made of nothing but calls and uid tests
    joined by ``!``, ``&&`` and ``||`` (a uid test is named ``uid0``); empty for any other
    expression. ``uid_tests`` are the offsets of the uid tests in the code."""

    def tests_uid(node: Node) -> bool:
        return any(node.start_byte <= at < node.end_byte for at in uid_tests)

    kind = expression.type
    if depth > _DEEPEST:
        return ()
    if kind == "call_expression":
        function = expression.child_by_field_name("function")
        if function is None or function.type != "identifier":
            return ()
        return ("uid0",) if tests_uid(expression) else (places.text(function),)
    if kind == "parenthesized_expression" and expression.named_child_count == 1:
        return relayed(expression.named_children[0], places, uid_tests, depth + 1)
    if kind == "unary_expression" and places.code[expression.start_byte] == 0x21:
        operand = expression.child_by_field_name("argument")
        if operand is None:
            return ()
        if is_uid(operand, places):
            return ("uid0",)
        return relayed(operand, places, uid_tests, depth + 1)
    if kind == "binary_expression":
        left = expression.child_by_field_name("left")
        right = expression.child_by_field_name("right")
        operator = expression.child_by_field_name("operator")
        if left is None or right is None or operator is None:
            return ()
        if operator.type == "==" and tests_uid(expression):
            return ("uid0",)
        if operator.type in ("&&", "||"):
            first = relayed(left, places, uid_tests, depth + 1)
            second = relayed(right, places, uid_tests, depth + 1)
            return (*first, *second) if first and second else ()
    return ()
