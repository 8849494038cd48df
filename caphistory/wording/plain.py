"""Make text safe to print: nothing read from a kernel or a repository may move the terminal's
cursor, change its colours or reorder what it shows."""

from __future__ import annotations

import re
import textwrap

# C0 and C1 controls, the line separators and the marks that reorder text.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def clean(value: object) -> str:
    """Return ``value`` as text with each control character replaced by
    ``\N{REPLACEMENT CHARACTER}``; None becomes ""."""
    if value is None:
        return ""
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", str(value))


def wrap(text: str, width: int, indent: str = "  ") -> list[str]:
    """Return ``text`` as lines of at most ``width`` characters, all but the first indented."""
    return textwrap.wrap(
        text, max(width, 20), subsequent_indent=indent, break_on_hyphens=False, drop_whitespace=True
    )
