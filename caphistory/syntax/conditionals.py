"""#if groups: the condition that encloses a place, and the branches to read together.

A compiler sees one branch of each group; a grammar that sees all of them at once
loses its place where branches open a brace each (``if (a) {`` / ``#else`` /
``if (b) {``: drivers of 2.2 and 2.4). So a stretch of code is read once for each
*selection* of branches, and as few selections are made as cover every branch.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right, insort
from collections.abc import Sequence
from typing import NamedTuple

from caphistory.syntax.lexical import Directive

# Deeper nesting and longer #elif chains than any kernel has (6 and 35): what lies beyond
# them in a mangled file is taken for unconditional, or for a part of the branch before.
DEEPEST = 32
MOST_BRANCHES = 100
_OPEN = frozenset(("if", "ifdef", "ifndef"))
_NEXT = frozenset(("else", "elif"))
CONDITIONAL = _OPEN | _NEXT | {"endif"}


class Branch(NamedTuple):
    """One branch: from after its directive to the next directive of its group.

    ``facts`` are what holds in it: (expression, truth) pairs."""

    start: int
    end: int
    directive: int
    facts: tuple[tuple[str, bool], ...]


class Group(NamedTuple):
    """One #if … #endif with its branches; the extent includes both lines."""

    start: int
    end: int
    branches: tuple[Branch, ...]


_DEFINED = re.compile(r"(!?) ?defined ?\(? ?(\w+) ?\)?")
_VISIBLE = re.compile(rb"\S")


def expression(directive: Directive) -> tuple[str, bool]:
    """What an #if, #ifdef, #ifndef or #elif asks, and the answer that opens its branch."""
    text = directive.text
    if directive.keyword == "ifdef":
        return f"defined({text.split(' ')[0]})", True
    if directive.keyword == "ifndef":
        return f"defined({text.split(' ')[0]})", False
    plain = _DEFINED.fullmatch(text)
    if plain:
        return f"defined({plain.group(2)})", not plain.group(1)
    return text, True


def groups(directives: list[Directive], size: int) -> list[Group]:
    """All groups of a file, ordered by start; one that is not closed ends with the file.
    A stray #else or #endif is passed over."""
    found: list[Group] = []
    stack: list[tuple[int, list[Branch], list[tuple[str, bool]], int, int, tuple[str, bool]]] = []
    too_deep = 0
    for directive in directives:
        keyword = directive.keyword
        if keyword in _OPEN and (too_deep or len(stack) >= DEEPEST):
            too_deep += 1
        elif too_deep:
            too_deep -= keyword == "endif"
        elif keyword in _OPEN:
            fact = expression(directive)
            stack.append((directive.start, [], [], directive.end, directive.start, fact))
        elif keyword in _NEXT and stack and len(stack[-1][1]) < MOST_BRANCHES:
            start, branches, denied, begin, at, fact = stack.pop()
            branches.append(Branch(begin, directive.start, at, (*denied, fact)))
            denied.append((fact[0], not fact[1]))
            following = expression(directive) if keyword == "elif" else ("", True)
            stack.append((start, branches, denied, directive.end, directive.start, following))
        elif keyword == "endif" and stack:
            found.append(_close(stack.pop(), directive.start, directive.end))
    while stack:
        found.append(_close(stack.pop(), size, size))
    return sorted(found)


def _close(
    open_group: tuple[int, list[Branch], list[tuple[str, bool]], int, int, tuple[str, bool]],
    end: int,
    after: int,
) -> Group:
    start, branches, denied, begin, at, fact = open_group
    branches.append(Branch(begin, end, at, (*denied, fact) if fact[0] else tuple(denied)))
    return Group(start, after, tuple(branches))


def without_guards(found: list[Group], directives: list[Directive], code: bytes) -> list[Group]:
    """The groups that are no header's guard against double inclusion: ``#ifndef X`` with
    nothing but comments before it and ``#define X`` right behind."""
    visible = _VISIBLE.search(code)
    first = visible.start() if visible else len(code)
    following = dict(zip((d.start for d in directives), directives[1:], strict=False))
    return [
        group
        for group in found
        if group.start > first or not _is_guard(group.branches[0], following)
    ]


def _is_guard(branch: Branch, following: dict[int, Directive]) -> bool:
    behind = following.get(branch.directive)
    if behind is None or behind.keyword != "define":
        return False
    name = behind.text.split("(")[0].split(" ")[0]
    return branch.facts == ((f"defined({name})", False),)


class Nest:
    """The groups of a file by place: which hold an offset, and which lie in an item."""

    def __init__(self, found: list[Group]) -> None:
        self._groups = found
        self._starts = [group.start for group in found]
        self._parents: list[int] = []
        for index, group in enumerate(found):
            parent = index - 1
            while parent >= 0 and found[parent].end <= group.start:
                parent = self._parents[parent]
            self._parents.append(parent)

    def enclosing(self, offset: int) -> list[Group]:
        """The groups that hold an offset, the outermost first."""
        index = bisect_right(self._starts, offset) - 1
        held = []
        while index >= 0:
            if self._groups[index].end > offset:
                held.append(self._groups[index])
            index = self._parents[index]
        return held[::-1]

    def split(self, start: int, end: int) -> tuple[list[Group], list[Group]]:
        """The groups with a line inside an extent, and those that hold all of it."""
        inner: list[Group] = []
        outer: list[Group] = []
        for group in self.enclosing(start - 1):
            lines = [branch.directive for branch in group.branches] + [group.branches[-1].end]
            if any(start <= line < end for line in lines):
                inner.append(group)
            elif group.end > start:
                outer.append(group)
        first, last = bisect_left(self._starts, start), bisect_left(self._starts, end)
        return inner + self._groups[first:last], outer


class Conditions:
    """The condition of every offset among some groups."""

    def __init__(self, found: list[Group]) -> None:
        events: list[tuple[int, int, tuple[tuple[str, bool], ...]]] = []
        for group in found:
            for branch in group.branches:
                if branch.start < branch.end:
                    events += [(branch.start, 1, branch.facts), (branch.end, 0, ())]
        self._offsets = [-1]
        self._facts: list[tuple[tuple[str, bool], ...]] = [()]
        held = [self._facts[0]]
        for offset, opens, facts in sorted(events):
            if opens:
                held.append((*held[-1], *facts))
            else:
                held.pop()
            self._offsets.append(offset)
            self._facts.append(held[-1])
        self._texts: dict[int, str] = {}

    def at(self, offset: int) -> str:
        """The condition at an offset as text, empty where there is none."""
        index = bisect_right(self._offsets, offset) - 1
        if index not in self._texts:
            self._texts[index] = condition_text(self._facts[index])
        return self._texts[index]


def condition_text(facts: Sequence[tuple[str, bool]]) -> str:
    """Facts as one expression: ``defined(A) && !(B > 1)``; ``0`` alone for #if 0."""
    parts = []
    for expression, truth in facts:
        if not truth and re.fullmatch(r"\d+", expression):
            parts.append("1" if expression == "0" else "0")
        elif truth:
            parts.append(f"({expression})" if "||" in expression else expression)
        elif expression.startswith("defined(") and "&" not in expression and "|" not in expression:
            parts.append(f"!{expression}")
        else:
            parts.append(f"!({expression})")
    if "0" in parts:
        return "0"
    return " && ".join(dict.fromkeys(part for part in parts if part != "1"))


def selections(inner: list[Group], most: int = MOST_BRANCHES) -> list[list[tuple[int, int]]]:
    """Ways to read a stretch of code, at most so many: for each, the extents to blank out.

    Every branch is left standing in at least one selection (no function of the kernel needs
    more than 15). Branches that depend on the same expression go together (``#ifdef A``
    here, ``#ifndef A`` there), except ``#if 0``, whose code is read as if it were compiled.
    """
    if not inner:
        return [[]]
    left = {branch.directive: branch for group in inner for branch in group.branches}
    result: list[list[tuple[int, int]]] = []
    while left and len(result) < most:
        chosen, removed = _select(inner, left, _needed(inner, min(left)))
        result.append(removed)
        for at in chosen:
            left.pop(at, None)
    return result


def _needed(inner: list[Group], directive: int) -> dict[str, bool] | None:
    """What must hold for the branch of a directive to be compiled; None where it contradicts
    itself (``#ifdef A`` within ``#ifndef A``)."""
    needed: dict[str, bool] = {}
    for group in inner:
        for branch in group.branches:
            if branch.directive == directive or branch.start <= directive < branch.end:
                for expression, truth in branch.facts:
                    if not expression.isdigit() and needed.setdefault(expression, truth) != truth:
                        return None
    return needed


def _select(
    inner: list[Group], left: dict[int, Branch], needed: dict[str, bool] | None
) -> tuple[list[int], list[tuple[int, int]]]:
    assumed = dict(needed or {})
    chosen: list[int] = []
    removed: list[tuple[int, int]] = []
    waiting = sorted(left)
    for group in inner:
        before = bisect_right(removed, (group.start, group.end)) - 1
        if before >= 0 and removed[before][1] > group.start:
            continue
        branch = _pick(group, left, waiting, assumed)
        for other in group.branches:
            if other is not branch:
                insort(removed, (other.start, other.end))
        if branch is not None:
            chosen.append(branch.directive)
            for expression, truth in branch.facts:
                if needed is not None and not expression.isdigit():
                    assumed.setdefault(expression, truth)
    return chosen, removed


def _pick(
    group: Group, left: dict[int, Branch], waiting: list[int], assumed: dict[str, bool]
) -> Branch | None:
    """The branch of a group to read this time; ``waiting`` are the offsets of those that no
    reading has had yet. None where what is assumed forbids all
    of them (``#ifdef A`` without #else while A is taken as not defined)."""
    allowed = [
        branch
        for branch in group.branches
        if all(assumed.get(expression, truth) == truth for expression, truth in branch.facts)
    ]
    wanted = [branch for branch in allowed if branch.directive in left] or [
        branch
        for branch in allowed
        if bisect_left(waiting, branch.start) < bisect_left(waiting, branch.end)
    ]
    if wanted:
        return wanted[0]
    if allowed:
        return allowed[0]
    # An #else is missing: nothing is compiled here under what is assumed.
    return None
