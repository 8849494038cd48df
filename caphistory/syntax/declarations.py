"""What declarations declare: names with their types, and the members of structs."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import tree_sitter_c
from tree_sitter import Language, Node, Parser

from caphistory.syntax.facts import Parameter, Struct

# Deeper than any declarator of a kernel; Python itself stops at 1,000.
_DEEPEST = 500
_DEEPEST_STRUCT = 30


@lru_cache(maxsize=1)
def parser() -> Parser:
    """The parser of this process: making one is dear, using one is not."""
    return Parser(Language(tree_sitter_c.language()))


def type_name(node: Node | None, code: bytes) -> str:
    """A type without qualifiers: ``struct sock``, a typedef's name, or empty."""
    if node is None:
        return ""
    kind = node.type
    if kind in ("struct_specifier", "union_specifier"):
        name = node.child_by_field_name("name")
        if name is None:
            return ""
        return f"{kind.split('_')[0]} {code[name.start_byte : name.end_byte].decode('latin-1')}"
    if kind == "type_identifier":
        return code[node.start_byte : node.end_byte].decode("latin-1")
    return ""


class Declared(NamedTuple):
    """A declarator: its name and what stands around it."""

    name: str
    function: bool
    pointer_to_function: bool
    array: bool


def declared(node: Node, code: bytes) -> Declared | None:
    """The name that a declarator declares, and whether it is a function (a prototype),
    a pointer to one, or an array."""
    function = pointer = array = False
    at: Node | None = node
    for _ in range(_DEEPEST):
        if at is None:
            return None
        kind = at.type
        if kind in ("identifier", "field_identifier", "type_identifier"):
            name = code[at.start_byte : at.end_byte].decode("latin-1")
            return Declared(name, function and not pointer, function and pointer, array)
        if kind == "function_declarator":
            function, pointer = True, False
        elif kind == "pointer_declarator":
            pointer = pointer or function
        elif kind == "array_declarator":
            array = True
        following = at.child_by_field_name("declarator")
        if following is None:
            named = [c for c in at.named_children if "declarator" in c.type or "ident" in c.type]
            following = named[0] if named else None
        at = following
    return None


def structs_in(node: Node, code: bytes, outer: str = "", depth: int = 0) -> list[Struct]:
    """The structs and unions that a specifier defines, the nested ones after their outer
    one. A nested one without a tag is named after its place: ``struct inode>u``."""
    fields = node.child_by_field_name("body")
    if fields is None or depth > _DEEPEST_STRUCT:
        return []
    tag = type_name(node, code) or outer
    members: list[Parameter] = []
    nested: list[Struct] = []
    for field in fields.named_children:
        if field.type != "field_declaration":
            continue
        specifier = field.child_by_field_name("type")
        type_ = type_name(specifier, code)
        declarators = field.children_by_field_name("declarator")
        inline = specifier is not None and specifier.child_by_field_name("body") is not None
        names = [d for d in (declared(x, code) for x in declarators) if d is not None and d.name]
        if inline and specifier is not None:
            if not names:
                # Members of an anonymous struct or union belong to the outer one.
                inner = structs_in(specifier, code, f"{tag}>", depth + 1)
                if inner:
                    members.extend(inner[0].members)
                    nested.extend(inner[1:])
                    if not inner[0].tag.endswith(">"):
                        nested.append(inner[0])
                continue
            inner = structs_in(specifier, code, f"{tag}>{names[0].name}", depth + 1)
            nested.extend(inner)
            type_ = inner[0].tag if inner else type_
        for name in names:
            members.append(
                Parameter(name.name, "()" if name.pointer_to_function or name.function else type_)
            )
    return [Struct(tag, tuple(members)), *nested]
