"""Cuts a file into its top-level items: functions and declarations.

C's own nesting decides, with the preprocessor in view: after #else the nesting is
what it was at #if, and after #endif what the first branch left.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from caphistory.syntax.conditionals import CONDITIONAL
from caphistory.syntax.lexical import Scan

_OUTSIDE = re.compile(rb"[{}();=]")
_INSIDE = re.compile(rb"[{}]")
_AGGREGATE = re.compile(
    rb"(?:^|[\s;])(?:struct|union|enum)(?:\s+\w+)*\s*(?:__attribute__\s*\(\(.*\)\)\s*)?$", re.S
)
_LINKAGE = re.compile(rb'extern\s*"[^"]*"\s*$')
_OLD_STYLE = re.compile(rb"\)\s*[A-Za-z_][\w\s*\[\],]*;$")
_VISIBLE = re.compile(rb"\S")


class Extent(NamedTuple):
    """An item: its extent and, for a function definition, where its body's brace is."""

    start: int
    end: int
    body: int | None


def cut(scan: Scan) -> list[Extent]:
    """The top-level items of a file in order.

    Where the braces of a file do not balance, a brace in the first column is taken
    to end an item, as the kernel's coding style has it.
    """
    items, balanced = _cut(scan, resync=False)
    return items if balanced else _cut(scan, resync=True)[0]


class _Open:
    """An #if that is not closed: the nesting at its start and after its first branch."""

    __slots__ = ("after", "before", "disabled")

    def __init__(self, nesting: tuple[int, int], disabled: bool) -> None:
        self.before = nesting
        self.after: tuple[int, int] | None = None
        self.disabled = disabled


def _cut(scan: Scan, resync: bool) -> tuple[list[Extent], bool]:
    code = scan.code
    conditionals = [d for d in scan.directives if d.keyword in CONDITIONAL]
    upcoming = 0
    opened: list[_Open] = []
    items: list[Extent] = []
    depth = parentheses = 0
    start, position, size = 0, 0, len(code)
    body: int | None = None
    value = False  # an "=" was seen: braces hold an initialiser
    balanced = True

    def finish(end: int) -> None:
        nonlocal start, body, value, parentheses
        visible = _VISIBLE.search(code, start, end)
        if visible and end - visible.start() > 1:
            items.append(Extent(visible.start(), end, body))
        start, body, value, parentheses = end, None, False, 0

    while True:
        found = (_INSIDE if depth else _OUTSIDE).search(code, position)
        at = found.start() if found else size
        if upcoming < len(conditionals) and conditionals[upcoming].start < at:
            directive = conditionals[upcoming]
            upcoming += 1
            position = directive.end
            depth, parentheses = _through(
                directive.keyword, directive.text, opened, depth, parentheses
            )
            continue
        if found is None:
            break
        position = at + 1
        token = found.group()
        if depth:
            if token == b"{":
                depth += 1
                continue
            first_column = code[at - 1 : at] in (b"\n", b"")
            depth = 0 if resync and first_column else depth - 1
            if depth == 0 and body is not None:
                finish(position)
        elif token == b"{":
            if parentheses == 0 and body is None and not value:
                header = code[start:at]
                if _LINKAGE.search(header):
                    start = position
                    continue
                if not header.strip():
                    start = _old_style_start(code, items, start)
                    header = code[start:at]
                if b")" in header and not _AGGREGATE.search(header):
                    body = at
            depth = 1
        elif token == b"}":
            balanced = balanced and bool(_only_linkage(code, start, at))
            start = position
        elif token == b"(":
            parentheses += 1
        elif token == b")":
            parentheses = max(0, parentheses - 1)
        elif token == b"=":
            value = value or parentheses == 0
        elif parentheses == 0:
            finish(position)
    balanced = balanced and depth == 0
    finish(size)
    return items, balanced


def _only_linkage(code: bytes, start: int, at: int) -> bool:
    return not code[start:at].strip() and b'extern "' in code


def _through(
    keyword: str, text: str, opened: list[_Open], depth: int, parentheses: int
) -> tuple[int, int]:
    """The nesting behind a conditional directive."""
    now = (depth, parentheses)
    if keyword in ("if", "ifdef", "ifndef"):
        opened.append(_Open(now, keyword == "if" and text == "0"))
        return now
    if not opened:
        return now
    group = opened[-1]
    if group.after is None and not group.disabled:
        group.after = now
    if keyword == "endif":
        opened.pop()
        return group.after or group.before
    group.disabled = False
    return group.before


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
