"""What initialisers store: the names in braced lists, each with its place."""

from __future__ import annotations

from collections.abc import Iterator

from tree_sitter import Node

from caphistory.syntax.facts import Stored
from caphistory.syntax.places import made_name


def initialiser(
    value: Node, code: bytes, variable: str, type_: str, base_row: int, array: bool
) -> list[tuple[int, Stored]]:
    """The names that a braced list stores, each with the path to where it stands.

    For an array the first step of the path is left out, as all elements are alike.
    """
    return [
        (
            name.start_byte,
            Stored(
                base_row + name.start_point[0],
                variable,
                type_,
                path,
                ":" + code[name.start_byte : name.end_byte].decode("latin-1"),
            ),
        )
        for name, path in _listed(value, code, (), 0, array)
    ]


def _listed(
    node: Node, code: bytes, path: tuple[str, ...], depth: int, array: bool
) -> Iterator[tuple[Node, tuple[str, ...]]]:
    """The names in a braced list, each with its path."""
    if depth > 20:
        return
    for index, child in enumerate(c for c in node.named_children if c.type != "comment"):
        names, value = _designated(child, code)
        if value is None:
            continue
        inner = _bare(value)
        element = array and depth == 0 and inner.type == "initializer_list"
        here = (*path, *(names or (() if element else (f"#{index}",))))
        if inner.type == "initializer_list":
            yield from _listed(inner, code, here, depth + 1, array)
        elif inner.type == "identifier" or made_name(inner, code):
            yield inner, here


_WRAPPINGS = frozenset(
    (
        "cast_expression",
        "parenthesized_expression",
        "pointer_expression",
        "compound_literal_expression",
    )
)


def _bare(node: Node) -> Node:
    """An expression without casts, parentheses and ``&`` around it."""
    while node.type in _WRAPPINGS:
        inner = node.child_by_field_name("value") or node.child_by_field_name("argument")
        if inner is None:
            if not node.named_child_count:
                break
            inner = node.named_children[-1]
        node = inner
    return node


def _designated(entry: Node, code: bytes) -> tuple[tuple[str, ...], Node | None]:
    """The members that an entry of a braced list names (``.ops.bind = f``, ``bind: f``;
    subscripts are left out), and its value."""
    if entry.type != "initializer_pair":
        return (), entry
    names = []
    for designator in entry.children_by_field_name("designator"):
        at = designator.named_children[0] if designator.named_child_count else designator
        if "field_identifier" in (designator.type, at.type):
            names.append(code[at.start_byte : at.end_byte].decode("latin-1"))
    return tuple(names), entry.child_by_field_name("value")
