"""C and diffs in colours, for a terminal."""

from __future__ import annotations

from functools import lru_cache
from itertools import groupby

import click
import tree_sitter_c
from tree_sitter import Language, Parser, Query, QueryCursor

from caphistory.wording.plain import clean

# What this is all about stands out from the other names.
_CHECK_NAMES = "^(f?suser|.*capable|cap_raised|CAP_[A-Z0-9_]+)$"
_CHECKS = f'((identifier) @check (#match? @check "{_CHECK_NAMES}"))'
_COLORS = {
    "keyword": "blue",
    "type": "blue",
    "constant": "cyan",
    "number": "cyan",
    "check": "yellow",
    "string": "green",
    "comment": "bright_black",
}
"""The colours of captures of tree-sitter's query, the stronger ones last."""
_DIFF_COLORS = {"+": "green", "-": "red", "@": "cyan"}


def c_lines(source: str) -> list[str]:
    """The lines of C ``source`` in colours, without control characters of their own."""
    code = source.encode()
    language, query = _grammar()
    captures = QueryCursor(query).captures(Parser(language).parse(code).root_node)
    colors: list[str | None] = [None] * len(code)
    for capture, color in _COLORS.items():
        for node in captures.get(capture, ()):
            colors[node.start_byte : node.end_byte] = [color] * (node.end_byte - node.start_byte)
    runs = groupby(zip(code, colors, strict=True), lambda one: one[1])
    parts = [_styled(bytes(byte for byte, _ in run).decode(), color) for color, run in runs]
    return "".join(parts).split("\n")


@lru_cache(maxsize=1)
def _grammar() -> tuple[Language, Query]:
    language = Language(tree_sitter_c.language())
    return language, Query(language, tree_sitter_c.HIGHLIGHTS_QUERY + _CHECKS)


def diff_line(line: str) -> str:
    """A line of a unified diff in its colour, without control characters of its own."""
    is_name = line.startswith(("--- ", "+++ "))
    return click.style(_safe(line), bold=is_name or None, fg=_DIFF_COLORS.get(line[:1]))


def _safe(line: str) -> str:
    """``line`` without control characters; the form feeds of old files mean nothing here."""
    return clean(line.replace("\f", ""))


def _styled(text: str, color: str | None) -> str:
    lines = map(_safe, text.split("\n"))
    return "\n".join(click.style(line, fg=color) if line and color else line for line in lines)
