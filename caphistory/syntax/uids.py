"""Expressions that are a uid of a task."""

from __future__ import annotations

import re

from tree_sitter import Node

from caphistory.syntax.places import Places

_TASK_UID = re.compile(
    r"(?:(?::current|get_current\(\)|struct task_struct)(?:>(?:real_)?cred)?"
    r"|struct cred|current_cred\(\)|__task_cred\([^>]*\))>(?:e|s|fs)?uid(?:>val)?"
)
_UID_CALL = re.compile(r"current_(?:e|s|fs)?uid")


def is_uid(node: Node, places: Places) -> bool:
    """Whether an expression is a uid of a task: ``current->euid``, ``current_fsuid()``."""
    if node.type == "field_expression":
        field = node.child_by_field_name("field")
        if field is None or not places.text(field).endswith(("uid", "val")):
            return False
        return bool(_TASK_UID.fullmatch(places.place(node)))
    if node.type == "call_expression":
        function = node.child_by_field_name("function")
        return function is not None and bool(_UID_CALL.fullmatch(places.text(function)))
    return False


def compares_root(arguments: Node, places: Places) -> bool:
    """Whether a call's arguments are a task's uid and root's: ``uid_eq(…, GLOBAL_ROOT_UID)``."""
    children = arguments.named_children
    return any(places.text(child) == "GLOBAL_ROOT_UID" for child in children) and any(
        is_uid(child, places) for child in children
    )
