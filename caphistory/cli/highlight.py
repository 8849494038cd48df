"""C and diffs in colours, for a terminal."""

from __future__ import annotations

import re

import click

from caphistory.wording.plain import clean

_KEYWORDS = (
    "asm|asmlinkage|auto|break|case|char|const|continue|default|do|double|else|enum|extern|float"
    "|for|goto|if|inline|int|long|register|return|short|signed|sizeof|static|struct|switch"
    "|typedef|union|unsigned|void|volatile|while"
)
_TOKEN = re.compile(
    r"(?P<comment>/\*.*?(?:\*/|\Z)|//[^\n]*)"
    r"|(?P<string>\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])+')"
    r"|(?P<directive>^[ \t]*\#[ \t]*\w+)"
    rf"|(?P<keyword>\b(?:{_KEYWORDS})\b)"
    # What this is all about stands out from the other names.
    r"|(?P<check>\b(?:f?suser|\w*capable|cap_raised|CAP_[A-Z0-9_]+)\b)"
    r"|(?P<constant>\b(?:[A-Z][A-Z0-9_]{2,}|0[xX][0-9a-fA-F]+|\d+)\b)",
    re.DOTALL | re.MULTILINE,
)
_COLORS = {
    "comment": "bright_black",
    "string": "green",
    "directive": "magenta",
    "keyword": "blue",
    "check": "yellow",
    "constant": "cyan",
}
_DIFF_COLORS = {"+": "green", "-": "red", "@": "cyan"}


def c_lines(source: str) -> list[str]:
    """The lines of C ``source`` in colours, without control characters of their own."""
    parts, end = [], 0
    for token in _TOKEN.finditer(source):
        parts += [_styled(source[end : token.start()], None), _styled(token[0], token.lastgroup)]
        end = token.end()
    return "".join([*parts, _styled(source[end:], None)]).split("\n")


def diff_line(line: str) -> str:
    """A line of a unified diff in its colour, without control characters of its own."""
    is_name = line.startswith(("--- ", "+++ "))
    return click.style(_safe(line), bold=is_name or None, fg=_DIFF_COLORS.get(line[:1]))


def _safe(line: str) -> str:
    """``line`` without control characters; the form feeds of old files mean nothing here."""
    return clean(line.replace("\f", ""))


def _styled(text: str, kind: str | None) -> str:
    color = _COLORS[kind] if kind else None
    lines = map(_safe, text.split("\n"))
    return "\n".join(click.style(line, fg=color) if line and color else line for line in lines)
