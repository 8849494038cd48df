"""What a missing privilege does, read from the syntax around a check.

A check stands in a decision (an if, a ``?:``); following the side that is taken when
the check fails leads to a return, a goto, or on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tree_sitter import Node

_ERRNO = re.compile(rb"\b(E[A-Z][A-Z0-9]{2,})\b")
_NEGATIVE = re.compile(rb"\(?\s*-\s*\d+\s*\)?")
# Also "*err = -ENOSPC" (the balloc.c of ext2), "code = XFS_ERROR(EPERM)", "ERR_PTR(-EPERM)".
_ASSIGNMENT = re.compile(
    rb"(\*?)\s*\b(\w+)\s*=(?!=)\s*"
    rb"(?:(?:[A-Z_]+\s*\(\s*)?[-(\s]*(E[A-Z][A-Z0-9]{2,})\b(?!\s*[(.\[]|->))?"
)
# "pt_error_return(regs, EPERM);" (the ptrace of sparc)
_REPORTED = re.compile(rb"[(,]\s*-?\s*(E[A-Z][A-Z0-9]{2,})\s*[,)]")
_VARIABLE = re.compile(rb"[-(\s]*(?:ERR_PTR\s*\(\s*)?(\w+)[)\s]*")
_NOTHING = frozenset((b"", b"0", b"NULL"))
_OUT = b"*"  # what a function leaves in a variable of its caller
_LEAVING = frozenset(("return_statement", "goto_statement", "break_statement"))
_BREAKABLE = frozenset(("switch_statement", "for_statement", "while_statement", "do_statement"))
_CLIMBED = frozenset(("if_statement", "else_clause", "compound_statement", "labeled_statement"))
_LOOK_BACK = 16
_LEVELS = 6
_LONGEST = 400  # bytes of a statement: what sets an error is short
_DEEPEST = 20

Effect = tuple[str, str]
UNKNOWN: Effect = ("unknown", "")
LIMIT: Effect = ("limit", "")
Known = dict[bytes, str]


class Decisions:
    """The ifs and conditional expressions of one syntax tree, each with its outcomes."""

    def __init__(self, code: bytes) -> None:
        self.code = code
        self._labels: dict[bytes, Node] | None = None

    def of(self, node: Node) -> Decision:
        """The decision that an if statement or conditional expression makes."""
        return Decision(node, self)

    def label(self, goto: Node) -> Node | None:
        """The labelled statement that a goto leads to."""
        if self._labels is None:
            top = goto
            while top.parent is not None:
                top = top.parent
            self._labels = {
                self.code[name.start_byte : name.end_byte]: node
                for node in _labelled(top)
                if (name := node.child_by_field_name("label")) is not None
            }
        wanted = goto.child_by_field_name("label")
        if wanted is None:
            return None
        return self._labels.get(self.code[wanted.start_byte : wanted.end_byte])


def _labelled(top: Node) -> Iterator[Node]:
    waiting = [top]
    while waiting:
        node = waiting.pop()
        if node.type == "labeled_statement":
            yield node
        if node.type.endswith(("statement", "definition", "clause", "unit")):
            waiting.extend(node.named_children)


class Decision:
    """An if statement or conditional expression; outcomes are worked out when first asked
    for."""

    __slots__ = ("_among", "_node", "_outcomes")

    def __init__(self, node: Node, among: Decisions) -> None:
        self._node = node
        self._among = among
        self._outcomes: dict[bool, Effect] = {}

    def when(self, truth: bool) -> Effect:
        """The effect of the condition being ``truth``."""
        if truth not in self._outcomes:
            self._outcomes[truth] = (
                self._ternary(truth)
                if self._node.type == "conditional_expression"
                else self._statement(truth)
            )
        return self._outcomes[truth]

    def _ternary(self, truth: bool) -> Effect:
        side = self._node.child_by_field_name("consequence" if truth else "alternative")
        effect = _value(_text(side, self._among.code), {}) if side is not None else UNKNOWN
        above = self._node.parent
        while above is not None and above.type == "parenthesized_expression":
            above = above.parent
        if effect == UNKNOWN and above is not None and above.type != "return_statement":
            return LIMIT  # "resvport = capable(…) ? 1 : 0"
        return effect

    def _statement(self, truth: bool) -> Effect:
        way = _Way(self._among)
        taken = self._node.child_by_field_name("consequence" if truth else "alternative")
        if taken is not None:
            return way.follow([taken], self._before())
        if truth:
            return UNKNOWN
        # "if (capable(…)) return 0;" denies behind the statement.
        granted = self._node.child_by_field_name("consequence")
        if granted is not None and _leaves(granted):
            effect = way.follow(_behind(self._node), self._before())
            return effect if effect[0] == "deny" else LIMIT
        return LIMIT

    def _before(self) -> Known:
        """What variables hold on the way to the decision: the nearest assignment wins."""
        known: Known = {}
        at: Node | None = self._node
        levels = 0
        while at is not None and levels < _LEVELS:
            sibling = at.prev_named_sibling
            seen = 0
            while sibling is not None and seen < _LOOK_BACK:
                if sibling.type in ("expression_statement", "declaration"):
                    for name, errno in _assignments(_text(sibling, self._among.code)):
                        known.setdefault(name, errno)
                sibling = sibling.prev_named_sibling
                seen += 1
            at = at.parent
            levels += 1
        return known


class _Way:
    """What happens from a statement on, through blocks, labels and breaks."""

    def __init__(self, among: Decisions) -> None:
        self._among = among
        self._steps = 0

    def follow(
        self, statements: list[Node], before: Known, fresh: str = "", leaving: bool = False
    ) -> Effect:
        """The effect of running statements. ``before`` is what variables hold, by name;
        ``fresh`` is an error that was set on this way, or empty; ``leaving`` is True behind a
        goto or break, where what a nested if denies has nothing to do with the check
        (copy_to_user behind ``err_out:`` in the userfaultfd.c of 6.8)."""
        self._steps += 1
        if self._steps > _DEEPEST:
            return UNKNOWN
        known = dict(before)
        within = UNKNOWN  # what a nested if does
        for statement in statements:
            kind = statement.type
            if kind in ("expression_statement", "declaration"):
                fresh = self._set(_text(statement, self._among.code), known) or fresh
            elif kind in ("compound_statement", "else_clause", "labeled_statement"):
                effect = self.follow(_inside(statement), known, fresh, leaving)
                if effect != LIMIT:
                    return effect
            elif kind == "if_statement" and _is_else_if(statement):
                # "if (suser()) … else if (gid == …) … else return -EPERM" (sys_setgid of 2.0):
                # what the last else does is what a missing privilege comes to.
                last = statement.child_by_field_name("alternative")
                return self.follow([last], known, fresh) if last is not None else LIMIT
            elif kind == "if_statement" and within[0] != "deny" and not leaving:
                # "if (!suser()) { if (changes) return -EPERM; … goto exit; }": what every
                # driver of a serial port does to TIOCSSERIAL.
                then = statement.child_by_field_name("consequence")
                within = self.follow([then], known) if then is not None else UNKNOWN
            elif kind in _LEAVING or kind == "continue_statement":
                effect = self._leave(statement, known, fresh)
                return within if within[0] == "deny" and effect[0] != "deny" else effect
        if within[0] == "deny":
            return within
        return ("deny", fresh) if fresh else LIMIT

    def _set(self, text: bytes, known: Known) -> str:
        """Take an assignment in; the error that it sets or reports, or empty."""
        errno = ""
        for name, value in _assignments(text):
            known[name] = value
            errno = value or errno
        if not errno and text.rstrip().endswith(b";") and len(text) < _LONGEST:
            reported = _REPORTED.search(text)
            errno = reported.group(1).decode("latin-1") if reported else ""
        return errno

    def _leave(self, statement: Node, known: Known, fresh: str) -> Effect:
        if statement.type == "return_statement":
            values = statement.named_children
            text = _text(values[0], self._among.code) if values else b""
            effect = _value(text, known)
            left = fresh or known.get(_OUT, "")
            if effect == UNKNOWN and left and text.strip() in _NOTHING:
                return "deny", left
            return effect
        if fresh:
            return "deny", fresh
        if statement.type == "continue_statement":
            return LIMIT
        if statement.type == "goto_statement":
            label = self._among.label(statement)
            if label is None:
                return UNKNOWN
            behind = [label, *_following(label)]
            if label.start_byte < statement.start_byte and not _returns(behind):
                return LIMIT  # "goto retry" (the proc.c of NFS up to 2.0)
            return self.follow(behind, known, leaving=True)
        switch = statement.parent
        while switch is not None and switch.type not in _BREAKABLE:
            switch = switch.parent
        if switch is None:
            return UNKNOWN
        return self.follow(_following(switch), known, leaving=True)


def _inside(statement: Node) -> list[Node]:
    return [child for child in statement.named_children if child.type != "statement_identifier"]


def _is_else_if(statement: Node) -> bool:
    return statement.parent is not None and statement.parent.type == "else_clause"


def _following(node: Node) -> list[Node]:
    result: list[Node] = []
    sibling = node.next_named_sibling
    while sibling is not None and len(result) < _LOOK_BACK:
        result.append(sibling)
        sibling = sibling.next_named_sibling
    return result


def _returns(statements: list[Node]) -> bool:
    """Whether statements come to a return at once: "out: return rc;" stands before the label
    that goes back to it in inet_create of 2.6."""
    for statement in statements:
        if statement.type == "labeled_statement":
            inner = _inside(statement)
            if inner and inner[0].type != "expression_statement":
                return _returns(inner)
        elif statement.type != "expression_statement":
            return statement.type == "return_statement"
    return False


def _behind(node: Node) -> list[Node]:
    """What runs behind a statement: behind the if or block that it ends, if nothing else
    (``if (a) if (capable(…)) return 0;``: vfs_permission in the namei.c of 2.2)."""
    at: Node | None = node
    while at is not None and at.type in _CLIMBED:
        found = _following(at)
        if found and at.parent is not None and at.parent.type != "if_statement":
            return found
        at = at.parent
    return []


def _leaves(statement: Node) -> bool:
    last = statement
    while last.type == "compound_statement" and last.named_child_count:
        last = last.named_children[-1]
    return last.type in _LEAVING


def _text(node: Node, code: bytes) -> bytes:
    return code[node.start_byte : node.end_byte]


def _value(text: bytes, known: Known) -> Effect:
    """The effect of returning an expression."""
    errno = _ERRNO.search(text)
    if errno:
        return "deny", errno.group(1).decode("latin-1")
    if _NEGATIVE.fullmatch(text):
        return "deny", ""
    variable = _VARIABLE.fullmatch(text)
    held = known.get(variable.group(1), "") if variable else ""
    return ("deny", held) if held else UNKNOWN


def _assignments(text: bytes) -> list[tuple[bytes, str]]:
    """The variables that a statement sets, each with the error that it sets them to, or
    with the empty string."""
    if len(text) > _LONGEST:
        return []
    return [
        (_OUT if star else name, errno.decode("latin-1"))
        for star, name, errno in _ASSIGNMENT.findall(text)
        if errno or not star
    ]
