"""The places (see ``facts``) that expressions denote, as far as one function's text tells."""

from __future__ import annotations

import re

from tree_sitter import Node

from caphistory.syntax.declarations import type_name
from caphistory.syntax.notation import use

_FLAGS = re.compile(rb"[A-Z0-9_|&~()\s<x]+")
_WITH_LAST = frozenset(
    (
        *("parenthesized_expression", "comma_expression"),
        *("compound_statement", "expression_statement"),
    )
)
_TYPE_ARGUMENT = re.compile(rb",\s*((?:struct|union)\s+\w+)\s*,")


def made_name(node: Node, code: bytes) -> str:
    """``DRM(open)``: a function's name that a macro makes (drm of 2.4 and 2.6), written as in
    its definition; empty for anything else."""
    if node.type != "call_expression":
        return ""
    function = node.child_by_field_name("function")
    arguments = node.child_by_field_name("arguments")
    if function is None or arguments is None or function.type != "identifier":
        return ""
    macro = code[function.start_byte : function.end_byte].decode("latin-1")
    if not macro.isupper() or arguments.named_child_count != 1:
        return ""
    only = arguments.named_children[0]
    if only.type != "identifier":
        return ""
    return f"{macro}({code[only.start_byte : only.end_byte].decode('latin-1')})"


# The type of a variable that has that of its value.
AUTO = "__auto_type"


class Places:
    """The expressions of one function. ``locals`` are its parameters and local variables: the
    type of each, and whether it is a pointer to a function."""

    def __init__(self, code: bytes, locals_known: dict[str, tuple[str, bool]]) -> None:
        self.code = code
        self.locals = locals_known

    def place(self, node: Node, depth: int = 0) -> str:
        """The place (see ``facts``) that an expression denotes, or the empty string."""
        if depth > 40:
            return ""
        kind = node.type
        if kind == "identifier":
            name = self.text(node)
            if name not in self.locals:
                return ":" + name
            return "$" + name
        if kind == "field_expression":
            argument = node.child_by_field_name("argument")
            field = node.child_by_field_name("field")
            if argument is None or field is None:
                return ""
            base = self.typed(self.place(argument, depth + 1))
            return f"{base}>{self.text(field)}" if base else ""
        if kind == "subscript_expression":
            argument = node.child_by_field_name("argument")
            return self.place(argument, depth + 1) if argument is not None else ""
        if kind == "pointer_expression":
            argument = node.child_by_field_name("argument")
            return self.place(argument, depth + 1) if argument is not None else ""
        if kind == "cast_expression":
            cast = node.child_by_field_name("type")
            inner = cast.child_by_field_name("type") if cast is not None else None
            name = type_name(inner, self.code)
            if name:
                return name
            value = node.child_by_field_name("value")
            return self.place(value, depth + 1) if value is not None else ""
        if kind == "call_expression":
            return self._call_place(node, depth)
        if kind in _WITH_LAST:
            children = node.named_children  # of ({ …; x; }) the last is its value
            return self.place(children[-1], depth + 1) if children else ""
        if kind in ("conditional_expression", "assignment_expression"):
            side = node.child_by_field_name("consequence") or node.child_by_field_name("left")
            return self.place(side, depth + 1) if side is not None else ""
        if kind in ("update_expression", "binary_expression"):
            # "current" is (0+current_set[smp_processor_id()]) in 2.0.
            sides = (node.child_by_field_name(name) for name in ("argument", "left", "right"))
            places = (self.place(side, depth + 1) for side in sides if side is not None)
            return next(filter(None, places), "")
        return ""

    def typed(self, place: str) -> str:
        """A local variable as something of its type."""
        if place.startswith("$") and ">" not in place:
            return self.locals[place[1:]][0] if place[1:] in self.locals else ""
        return place

    def _call_place(self, node: Node, depth: int) -> str:
        function = node.child_by_field_name("function")
        if function is None or function.type != "identifier":
            return ""
        # list_entry(p, struct task_struct, run_list) is of the type that it names.
        named = _TYPE_ARGUMENT.search(self.code, node.start_byte, node.end_byte)
        if named:
            return " ".join(named.group(1).decode("latin-1").split())
        listed = node.child_by_field_name("arguments")
        arguments = listed.named_children if listed is not None else []
        return use(
            self.text(function),
            [self.typed(self.place(a, depth + 1)) for a in arguments if a.type != "comment"],
        )

    def sources(self, node: Node, depth: int = 0, of_call: bool = False) -> list[str]:
        """Places whose value may be that of an expression; with ``of_call``, what a call
        returns too."""
        kind = node.type
        if depth > 8:
            return []
        if kind in ("parenthesized_expression", "cast_expression"):
            inner = node.child_by_field_name("value") or (
                node.named_children[-1] if node.named_child_count else None
            )
            return self.sources(inner, depth + 1, of_call) if inner is not None else []
        if kind == "conditional_expression":
            sides = (
                node.child_by_field_name("consequence"),
                node.child_by_field_name("alternative"),
            )
            return [
                s
                for side in sides
                if side is not None
                for s in self.sources(side, depth + 1, of_call)
            ]
        if kind == "assignment_expression":
            right = node.child_by_field_name("right")
            return self.sources(right, depth + 1, of_call) if right is not None else []
        if kind == "identifier":
            name = self.text(node)
            if name in self.locals:
                return ["$" + name] if self.may_hold_function(name) else []
            return [":" + name]
        if kind == "pointer_expression":
            inner = node.child_by_field_name("argument")
            return self.sources(inner, depth + 1, of_call) if inner is not None else []
        if kind in ("field_expression", "subscript_expression"):
            place = self.place(node)
            return [place] if place else []
        made = made_name(node, self.code)
        if made:
            return [":" + made]
        returned = self.place(node) if kind == "call_expression" and of_call else ""
        return [returned] if returned else []

    def holds_function(self, name: str) -> bool:
        """Whether a local variable is declared as a pointer to a function."""
        return self.locals.get(name, ("", False)) == ("", True)

    def may_hold_function(self, name: str) -> bool:
        """Whether a local variable can hold a function."""
        type_, pointer_to_function = self.locals.get(name, ("", False))
        return pointer_to_function or (bool(type_) and not type_.startswith(("struct ", "union ")))

    def called(self, function: Node) -> tuple[str, bool]:
        """What a call calls: a name, or a place and True; a member of something unknown is
        ``?>member``."""
        node = function
        while node.type == "parenthesized_expression" and node.named_child_count == 1:
            node = node.named_children[0]
        if node.type == "pointer_expression":
            inner = node.child_by_field_name("argument")
            node = inner if inner is not None else node
            while node.type == "parenthesized_expression" and node.named_child_count == 1:
                node = node.named_children[0]
        if node.type == "identifier":
            name = self.text(node)
            if name in self.locals:
                return "$" + name, True
            return name, False
        made = made_name(node, self.code)
        if made:
            return made, False
        place = self.place(node)
        if not place and node.type == "field_expression":
            field = node.child_by_field_name("field")
            place = "?>" + self.text(field) if field is not None else ""
        return place, True

    def argument(self, node: Node, callee: str) -> str:
        """An argument: a number, a place, ``=text`` of constant flags, or empty."""
        kind = node.type
        while kind in ("parenthesized_expression", "cast_expression") and node.named_child_count:
            node = node.named_children[-1]
            kind = node.type
        if kind == "number_literal":
            return self.text(node)
        if kind in ("identifier", "field_expression", "pointer_expression", "subscript_expression"):
            return self.place(node)
        text = self.code[node.start_byte : node.end_byte]
        # The text of any other argument is of use only if it names a capability.
        if len(text) <= 80 and (_FLAGS.fullmatch(text) or "cap" in callee):
            return "=" + " ".join(text.decode("latin-1").split())
        return ""

    def text(self, node: Node) -> str:
        """The text of an expression."""
        return self.code[node.start_byte : node.end_byte].decode("latin-1")
