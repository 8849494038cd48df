"""Variables, and what their initialisers store: names, each with its place."""

from __future__ import annotations

from collections.abc import Iterator

from tree_sitter import Node

from caphistory.syntax.declarations import declared, type_name
from caphistory.syntax.facts import Stored, Variable
from caphistory.syntax.notation import use
from caphistory.syntax.places import Places, made_name


def variables_in(node: Node, code: bytes) -> Iterator[tuple[int, Variable | Stored]]:
    """The variables of a declaration outside functions and what is stored in them, each with
    its offset."""
    type_ = type_name(node.child_by_field_name("type"), code)
    static = any(
        child.type == "storage_class_specifier" and _text(child, code) == "static"
        for child in node.children
    )
    for declarator in node.children_by_field_name("declarator"):
        found = declared(declarator, code)
        if found is None or found.function:
            continue
        own = "()" if found.pointer_to_function else (type_ or found.name)
        yield declarator.start_byte, Variable(found.name, own, static, found.array)
        value = (
            declarator.child_by_field_name("value")
            if declarator.type == "init_declarator"
            else None
        )
        if value is None:
            continue
        place = ":" + found.name
        if value.type == "initializer_list":
            yield from initialiser(value, code, place, own, 0, found.array)
            continue
        used = used_macro(value, code)
        for source in Places(code, {}).sources(value) or ([used] if used else []):
            yield value.start_byte, Stored(value.start_point[0], place, own, (), source)


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
                source,
            ),
        )
        for name, source, path in _listed(value, code, (), 0, array)
    ]


def _listed(
    node: Node, code: bytes, path: tuple[str, ...], depth: int, array: bool
) -> Iterator[tuple[Node, str, tuple[str, ...]]]:
    """The names and uses of macros in a braced list, each with its source and path."""
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
        elif inner.type == "identifier":
            yield inner, ":" + _text(inner, code), here
        else:
            made = made_name(inner, code)
            source = ":" + made if made else used_macro(inner, code)
            if source:
                # The macro may be a braced list: an element as any other.
                yield inner, source, path if array and depth == 0 and not names else here


def used_macro(node: Node, code: bytes) -> str:
    """The use of a macro that is handed a name, ``CTL(:name,:handler)``; empty for anything
    else."""
    if node.type != "call_expression":
        return ""
    function = node.child_by_field_name("function")
    arguments = node.child_by_field_name("arguments")
    if function is None or arguments is None or function.type != "identifier":
        return ""
    found = [
        ":" + _text(one, code) if one.type == "identifier" else ""
        for one in map(_bare, arguments.named_children)
        if one.type != "comment"
    ]
    return (
        use(_text(function, code), found) if any(not one.isupper() for one in found if one) else ""
    )


def _text(node: Node, code: bytes) -> str:
    return code[node.start_byte : node.end_byte].decode("latin-1")


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
