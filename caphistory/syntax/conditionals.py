"""#if groups: the condition that encloses a place, and the branches to read together.

A compiler sees one branch of each group; a grammar that sees all of them at once
loses its place where branches open a brace each (``if (a) {`` / ``#else`` /
``if (b) {``: drivers of 2.2 and 2.4). So a stretch of code is read once for each
*selection* of branches, and as few selections are made as cover every branch.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from caphistory.syntax.lexical import Directive

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


def _expression(directive: Directive) -> tuple[str, bool]:
    text = directive.text
    if directive.keyword == "ifdef":
        return f"defined({text.split(' ')[0]})", True
    if directive.keyword == "ifndef":
        return f"defined({text.split(' ')[0]})", False
    plain = re.fullmatch(r"(!?) ?defined ?\(? ?(\w+) ?\)?", text)
    if plain:
        return f"defined({plain.group(2)})", not plain.group(1)
    return text, True


def groups(directives: list[Directive], size: int) -> list[Group]:
    """All groups of a file, ordered by start; one that is not closed ends with the file.
    A stray #else or #endif is passed over."""
    found: list[Group] = []
    stack: list[tuple[int, list[Branch], list[tuple[str, bool]], int, int, tuple[str, bool]]] = []
    for directive in directives:
        keyword = directive.keyword
        if keyword in _OPEN:
            fact = _expression(directive)
            stack.append((directive.start, [], [], directive.end, directive.start, fact))
        elif keyword in _NEXT and stack:
            start, branches, denied, begin, at, fact = stack.pop()
            branches.append(Branch(begin, directive.start, at, (*denied, fact)))
            denied.append((fact[0], not fact[1]))
            following = _expression(directive) if keyword == "elif" else ("", True)
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


def is_guard(group: Group, directives: list[Directive], code_before: bytes) -> bool:
    """Whether a group is a header's guard against double inclusion: ``#ifndef X`` with
    nothing but comments before it and ``#define X`` right behind."""
    branch = group.branches[0]
    if len(branch.facts) != 1 or branch.facts[0][1] or code_before.strip():
        return False
    name = branch.facts[0][0].removeprefix("defined(").removesuffix(")")
    for directive in directives:
        if directive.start > branch.directive:
            return (
                directive.keyword == "define" and directive.text.split("(")[0].split(" ")[0] == name
            )
    return False


def condition_text(facts: list[tuple[str, bool]]) -> str:
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


def selections(inner: list[Group]) -> list[list[tuple[int, int]]]:
    """Ways to read a stretch of code: for each, the extents to blank out.

    Every branch is left standing in at least one selection. Branches that depend on
    the same expression go together (``#ifdef A`` here, ``#ifndef A`` there), except
    ``#if 0``, whose code is read as if it were compiled.
    """
    if not inner:
        return [[]]
    left = {branch.directive: branch for group in inner for branch in group.branches}
    result: list[list[tuple[int, int]]] = []
    consistent = True
    while left:
        chosen, removed = _select(inner, left, consistent)
        progress = [at for at in chosen if at in left]
        for at in progress:
            del left[at]
        if progress:
            result.append(removed)
        elif consistent:
            consistent = False  # what is left contradicts itself: #ifdef A within #ifndef A
        else:
            break
    return result


def _select(
    inner: list[Group], left: dict[int, Branch], consistent: bool
) -> tuple[list[int], list[tuple[int, int]]]:
    assumed: dict[str, bool] = {}
    chosen: list[int] = []
    removed: list[tuple[int, int]] = []
    for group in inner:
        if any(start <= group.start < end for start, end in removed):
            continue
        branch = _pick(group, left, assumed)
        for other in group.branches:
            if other is not branch:
                removed.append((other.start, other.end))
        if branch is not None:
            chosen.append(branch.directive)
            for expression, truth in branch.facts:
                if consistent and not expression.isdigit():
                    assumed.setdefault(expression, truth)
    return chosen, removed


def _pick(group: Group, left: dict[int, Branch], assumed: dict[str, bool]) -> Branch | None:
    """The branch of a group to read this time; None where what is assumed forbids all
    of them (``#ifdef A`` without #else while A is taken as not defined)."""
    allowed = [
        branch
        for branch in group.branches
        if all(assumed.get(expression, truth) == truth for expression, truth in branch.facts)
    ]
    wanted = [branch for branch in allowed if branch.directive in left] or [
        branch for branch in allowed if any(branch.start <= at < branch.end for at in left)
    ]
    if wanted:
        return wanted[0]
    if allowed:
        return allowed[0]
    # An #else is missing: nothing is compiled here under what is assumed.
    return None
