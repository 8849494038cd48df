"""Colour C source and diffs for a terminal."""

from __future__ import annotations

from functools import lru_cache
from itertools import groupby

import click
import tree_sitter_c
from tree_sitter import Language, Parser, Query, QueryCursor

from caphistory.wording.plain import clean

# Checks and capabilities stand out from other names.
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
"""The colours of the captures of tree-sitter's highlight query; later ones win."""
_DIFF_COLORS = {"+": "green", "-": "red", "@": "cyan"}


def color_source(source: str) -> list[str]:
    """Return the lines of C ``source`` with terminal colours and without control characters."""
    code = source.encode()
    language, query = _load_grammar()
    captures = QueryCursor(query).captures(Parser(language).parse(code).root_node)
    colors: list[str | None] = [None] * len(code)
    for capture, color in _COLORS.items():
        for node in captures.get(capture, ()):
            colors[node.start_byte : node.end_byte] = [color] * (node.end_byte - node.start_byte)
    runs = groupby(zip(code, colors, strict=True), lambda pair: pair[1])
    parts = [_apply_color(bytes(byte for byte, _ in run).decode(), color) for color, run in runs]
    return "".join(parts).split("\n")


@lru_cache(maxsize=1)
def _load_grammar() -> tuple[Language, Query]:
    language = Language(tree_sitter_c.language())
    return language, Query(language, tree_sitter_c.HIGHLIGHTS_QUERY + _CHECKS)


def color_diff_line(line: str) -> str:
    """Return a line of a unified diff in its colour and without control characters."""
    is_name = line.startswith(("--- ", "+++ "))
    return click.style(_sanitize(line), bold=is_name or None, fg=_DIFF_COLORS.get(line[:1]))


def _sanitize(line: str) -> str:
    """Replace control characters in ``line``, and drop the form feeds that old files have."""
    return clean(line.replace("\f", ""))


def _apply_color(text: str, color: str | None) -> str:
    lines = map(_sanitize, text.split("\n"))
    return "\n".join(click.style(line, fg=color) if line and color else line for line in lines)
