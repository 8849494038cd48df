"""Cuts a file into its top-level items: functions and declarations.

C's own nesting decides, with the preprocessor in view: after #else the nesting is
what it was at #if, and after #endif what one of the branches left.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from caphistory.syntax.conditionals import CONDITIONAL, DEEPEST, MOST_BRANCHES, expression
from caphistory.syntax.headers import KEYWORDS
from caphistory.syntax.lexical import Directive, Scan

_OUTSIDE = re.compile(rb"[{}();=]")
_INSIDE = re.compile(rb"[{}]")
_AGGREGATE = re.compile(
    rb"(?:^|[\s;}])(?:struct|union|enum)(?:\s+\w+)*\s*(?:__attribute__\s*\(\(.*\)\)\s*)?$", re.S
)
Fact = tuple[str, bool]
# How far back of a brace the words are looked for that say what it opens.
_BACK = 400
_LINKAGE = re.compile(rb'extern\s*"[^"]*"\s*$')
_FIRST_WORD = re.compile(rb"\s*(\w+)\s*[({]")
_OLD_STYLE = re.compile(rb"\)\s*[A-Za-z_][\w\s*\[\],]*;$")
_VISIBLE = re.compile(rb"\S")


class Extent(NamedTuple):
    """An item: its extent and, for a function definition, where its body's brace is."""

    start: int
    end: int
    body: int | None


def cut(scan: Scan) -> list[Extent]:
    """The top-level items of a file in order.

    Where what the first branches of conditionals leave does not balance, or would have a
    function begin with a statement, the last ones are tried (ip2main.c of 2.2, whose first
    branch lacks its brace). Where nothing balances, a brace in the first column is taken
    to end an item, as the kernel's coding style has it.
    """
    items, balanced = _cut(scan, _Nesting(False), resync=False)
    torn = _torn(scan, items)
    if balanced and not torn:
        return items
    others, others_balanced = _cut(scan, _Nesting(True), resync=False)
    if (others_balanced, -_torn(scan, others)) > (balanced, -torn):
        return others
    return items if balanced else _cut(scan, _Nesting(False), resync=True)[0]


def _torn(scan: Scan, items: list[Extent]) -> int:
    """How many functions begin with a statement."""
    count = 0
    for item in items:
        word = _FIRST_WORD.match(scan.code, item.start) if item.body is not None else None
        count += word is not None and word.group(1).decode("latin-1") in KEYWORDS
    return count


class _Open:
    """An #if that is not closed: the nesting at its start and behind the branch that decides,
    and what holds in the branch at hand."""

    __slots__ = ("after", "before", "counts", "denied", "facts")

    def __init__(self, before: tuple[int, int]) -> None:
        self.before = before
        self.after: tuple[int, int] | None = None
        self.counts = True
        self.denied: list[Fact] = []
        self.facts: list[Fact] = []


class _Nesting:
    """The nesting of braces and parentheses through conditionals. The first branch (or the
    last) decides what a group leaves, but not one that contradicts an earlier choice:
    ultrastor.c opens a loop under ``#else`` of ``#ifdef X`` and closes it under
    ``#ifndef X``."""

    def __init__(self, last: bool) -> None:
        self._last = last
        self._opened: list[_Open] = []
        self._assumed: dict[str, bool] = {}
        self._too_deep = 0

    def through(self, directive: Directive, now: tuple[int, int]) -> tuple[int, int]:
        """The nesting behind a conditional directive; ``now`` is that before it."""
        keyword = directive.keyword
        if keyword in ("if", "ifdef", "ifndef"):
            if self._too_deep or len(self._opened) >= DEEPEST:
                self._too_deep += 1
                return now
            self._opened.append(_Open(now))
            self._enter(directive)
            return now
        if self._too_deep:
            self._too_deep -= keyword == "endif"
            return now
        if not self._opened:
            return now
        group = self._opened[-1]
        if group.counts and (self._last or group.after is None):
            group.after = now
        if keyword == "endif":
            self._opened.pop()
            return group.after or group.before
        self._enter(directive)
        return group.before

    def within(self) -> bool:
        """Whether an open group began inside an item."""
        return any(group.before[0] for group in self._opened)

    def forget(self) -> None:
        """Drop what was assumed in an item that is over."""
        if self._assumed:
            self._assumed = {}
            for group in self._opened:
                self._assume(group.facts)

    def _enter(self, directive: Directive) -> None:
        group = self._opened[-1]
        group.facts = list(group.denied)
        if directive.keyword != "else":
            name, truth = expression(directive)
            group.facts.append((name, truth))
            if len(group.denied) < MOST_BRANCHES:
                group.denied.append((name, not truth))
        group.counts = all(
            self._assumed.get(name, truth) == truth and (name, truth) != ("0", True)
            for name, truth in group.facts
        )
        if group.counts and group.after is None and not self._last:
            self._assume(group.facts)

    def _assume(self, facts: list[Fact]) -> None:
        for name, truth in facts:
            if not name.isdigit():
                self._assumed.setdefault(name, truth)


def _cut(scan: Scan, nesting: _Nesting, resync: bool) -> tuple[list[Extent], bool]:
    code = scan.code
    conditionals = [d for d in scan.directives if d.keyword in CONDITIONAL]
    upcoming = 0
    items: list[Extent] = []
    depth = parentheses = 0
    start, position, size = 0, 0, len(code)
    body: int | None = None
    closed: int | None = None  # where a function ends in one branch of a group within it
    listed = False  # a ")" was seen: there may be a parameter list
    value = False  # an "=" was seen: braces hold an initialiser
    balanced = True
    linkage = b'extern "' in code

    def finish(end: int) -> None:
        nonlocal start, body, closed, value, listed, parentheses
        visible = _VISIBLE.search(code, start, end)
        if visible and end - visible.start() > 1:
            items.append(Extent(visible.start(), end, body))
        start, body, closed, value, listed, parentheses = end, None, None, False, False, 0
        nesting.forget()

    while True:
        directive = conditionals[upcoming] if upcoming < len(conditionals) else None
        limit = directive.start if directive else size
        found = (_INSIDE if depth else _OUTSIDE).search(code, position, limit)
        if found is None:
            if directive is None:
                break
            upcoming += 1
            position = directive.end
            within = nesting.within()
            depth, parentheses = nesting.through(directive, (depth, parentheses))
            if within and not nesting.within() and depth == 0 and body is not None:
                finish(position if closed is None else closed)
            continue
        at = found.start()
        position = at + 1
        token = found.group()
        if closed is not None and depth == 0 and token in b"({=":
            finish(closed)
        if depth:
            if token == b"{":
                depth += 1
                continue
            first_column = code[at - 1 : at] in (b"\n", b"")
            depth = 0 if resync and first_column else depth - 1
            if depth == 0 and body is not None:
                if nesting.within():
                    closed = position
                else:
                    finish(position)
        elif token == b"{":
            if parentheses == 0 and body is None and not value:
                if linkage and _LINKAGE.search(code, max(start, at - _BACK), at):
                    start = position
                    continue
                if not _VISIBLE.search(code, start, at):
                    before = start
                    start = _old_style_start(code, items, start)
                    listed = start != before
                if listed and not _AGGREGATE.search(code, max(start - 1, at - _BACK, 0), at):
                    body = at
            depth = 1
        elif token == b"}":
            balanced = balanced and linkage and not _VISIBLE.search(code, start, at)
            start = position
        elif token == b"(":
            parentheses += 1
        elif token == b")":
            parentheses = max(0, parentheses - 1)
            listed = True
        elif token == b"=":
            value = value or parentheses == 0
        elif parentheses == 0 and closed is None:
            finish(position)
    balanced = balanced and depth == 0
    finish(size)
    return items, balanced


def _old_style_start(code: bytes, items: list[Extent], start: int) -> int:
    """Where a K&R definition begins whose parameter declarations were taken for items
    (kernels up to 1.0, and drivers much longer)."""
    for back in range(1, min(len(items), 24) + 1):
        item = items[-back]
        if item.body is not None:
            break
        if _OLD_STYLE.search(code, item.start, item.end):
            del items[-back:]
            return item.start
    return start
