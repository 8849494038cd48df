"""What a missing privilege does, read from the syntax around a check.

A check stands in a decision (an if, a ``?:``); following the side that is taken when
the check fails leads to a return, a goto, or on.
"""

from __future__ import annotations

import re

from tree_sitter import Node

_ERRNO = re.compile(rb"\b(E[A-Z][A-Z0-9]{2,})\b")
_NEGATIVE = re.compile(rb"\(?\s*-\s*\d+\s*\)?")
_ASSIGNMENT = re.compile(
    rb"\b(\w+)\s*=\s*-?\s*\(?-?\s*(?:ERR_PTR\s*\(\s*-)?\s*(E[A-Z][A-Z0-9]{2,})\b"
)
_LOOK_BACK = 8

Effect = tuple[str, str]
UNKNOWN: Effect = ("unknown", "")
LIMIT: Effect = ("limit", "")


class Decision:
    """An if statement or conditional expression in ``code``; outcomes are worked out
    when first asked for."""

    __slots__ = ("_outcomes", "code", "node")

    def __init__(self, node: Node, code: bytes) -> None:
        self.node = node
        self.code = code
        self._outcomes: dict[bool, Effect] = {}

    def when(self, truth: bool) -> Effect:
        """The effect of the condition being ``truth``."""
        if truth not in self._outcomes:
            self._outcomes[truth] = (
                self._ternary(truth)
                if self.node.type == "conditional_expression"
                else self._statement(truth)
            )
        return self._outcomes[truth]

    def _ternary(self, truth: bool) -> Effect:
        side = self.node.child_by_field_name("consequence" if truth else "alternative")
        return _value(side, self.code, {}) if side else UNKNOWN

    def _statement(self, truth: bool) -> Effect:
        taken = self.node.child_by_field_name("consequence" if truth else "alternative")
        if taken is not None:
            return _outcome([taken], self.code, _assigned_before(self.node, self.code), self.node)
        if truth:
            return UNKNOWN
        # "if (capable(…)) return 0;" denies behind the statement.
        granted = self.node.child_by_field_name("consequence")
        if granted is not None and _leaves(granted):
            following = _following(self.node)
            effect = _outcome(
                following, self.code, _assigned_before(self.node, self.code), self.node
            )
            return effect if effect[0] == "deny" else LIMIT
        return LIMIT


def _following(node: Node) -> list[Node]:
    result: list[Node] = []
    sibling = node.next_named_sibling
    while sibling is not None and len(result) < _LOOK_BACK:
        result.append(sibling)
        sibling = sibling.next_named_sibling
    return result


def _leaves(statement: Node) -> bool:
    last = statement
    while last.type == "compound_statement" and last.named_child_count:
        last = last.named_children[-1]
    return last.type in ("return_statement", "goto_statement", "break_statement")


def _text(node: Node, code: bytes) -> bytes:
    return code[node.start_byte : node.end_byte]


def _value(node: Node, code: bytes, known: dict[bytes, str]) -> Effect:
    """The effect of returning an expression."""
    text = _text(node, code)
    errno = _ERRNO.search(text)
    if errno:
        return "deny", errno.group(1).decode("latin-1")
    if _NEGATIVE.fullmatch(text):
        return "deny", ""
    name = text.strip(b"() \t\n")
    if name in known:
        return "deny", known[name]
    return UNKNOWN


def _assignments(node: Node, code: bytes) -> dict[bytes, str]:
    return {name: errno.decode("latin-1") for name, errno in _ASSIGNMENT.findall(_text(node, code))}


def _assigned_before(node: Node, code: bytes) -> dict[bytes, str]:
    """Variables that were set to an error on the way to ``node``: the nearest wins."""
    known: dict[bytes, str] = {}
    at: Node | None = node
    levels = 0
    while at is not None and levels < 6:
        sibling = at.prev_named_sibling
        seen = 0
        while sibling is not None and seen < _LOOK_BACK:
            if sibling.type in ("expression_statement", "declaration"):
                for name, errno in _assignments(sibling, code).items():
                    known.setdefault(name, errno)
            sibling = sibling.prev_named_sibling
            seen += 1
        at = at.parent
        levels += 1
    return known


def _outcome(
    statements: list[Node], code: bytes, before: dict[bytes, str], origin: Node, jumps: int = 0
) -> Effect:
    known = dict(before)
    fresh: str | None = None
    for statement in statements:
        kind = statement.type
        if kind == "compound_statement":
            inner = _outcome(list(statement.named_children), code, known, origin, jumps)
            if inner != LIMIT:
                return inner
            for name, errno in _assignments(statement, code).items():
                known[name] = fresh = errno
        elif kind in ("expression_statement", "declaration"):
            for name, errno in _assignments(statement, code).items():
                known[name] = errno
                fresh = errno
        elif kind == "else_clause":
            return _outcome(list(statement.named_children), code, known, origin, jumps)
        elif (
            kind == "if_statement"
            and statement.parent is not None
            and (statement.parent.type == "else_clause")
        ):
            # "if (suser()) … else if (gid == …) … else return -EPERM" (sys_setgid of 2.0):
            # what the last else does is what a missing privilege comes to.
            last = statement.child_by_field_name("alternative")
            return _outcome([last], code, known, origin, jumps) if last is not None else LIMIT
        elif kind == "return_statement":
            value = statement.named_children
            return _value(value[0], code, known) if value else UNKNOWN
        elif kind == "goto_statement":
            if fresh is not None:
                return "deny", fresh
            landed = _label(statement, code, origin)
            if landed is not None and jumps < 3:
                effect = _outcome(_after_label(landed), code, known, origin, jumps + 1)
                if effect[0] == "deny":
                    return effect
            return UNKNOWN
        elif kind in ("break_statement", "continue_statement"):
            return ("deny", fresh) if fresh is not None else UNKNOWN
    return ("deny", fresh) if fresh is not None else LIMIT


def _after_label(label: Node) -> list[Node]:
    inside = [child for child in label.named_children if child.type != "statement_identifier"]
    return inside + _following(label)


def _label(goto: Node, code: bytes, origin: Node) -> Node | None:
    wanted = goto.child_by_field_name("label")
    if wanted is None:
        return None
    name = _text(wanted, code)
    top = origin
    while top.parent is not None and top.type != "function_definition":
        top = top.parent
    waiting = [top]
    while waiting:
        node = waiting.pop()
        if node.type == "labeled_statement":
            label = node.child_by_field_name("label")
            if label is not None and _text(label, code) == name:
                return node
        if node.type.endswith(("statement", "definition", "clause")):
            waiting.extend(node.named_children)
    return None
