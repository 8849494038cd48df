"""Lines for a terminal: printing them, and laying out tables."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

import click

from caphistory.plain import clean

_GAP = "  "


def say(
    text: str = "",
    *,
    bold: bool = False,
    dim: bool = False,
    color: str | None = None,
    end: str = "\n",
) -> None:
    """Print ``text``, without control characters but for the ends of its lines."""
    safe = "\n".join(clean(line) for line in text.split("\n"))
    if bold or dim or color:
        safe = click.style(safe, fg=color, bold=bold or None, dim=dim or None)
    click.echo(safe, nl=False)
    click.echo(end, nl=False)


def shorten(text: str, width: int) -> str:
    """``text`` in at most ``width`` characters, an ellipsis for what was cut."""
    return text if len(text) <= width else text[: max(width - 1, 0)] + "…"


def table(
    headers: Sequence[str],
    rows: Sequence[Sequence[str]],
    width: int,
    flexible: Sequence[str] = (),
) -> list[str]:
    """Lines of aligned columns: the headers, then the rows.

    The columns named in ``flexible`` are shortened, the last named first, until the
    lines fit ``width``; the others are whole at any width, so that what a reader
    would copy or click is never cut.
    """
    columns = list(zip_longest(headers, *rows, fillvalue=""))
    widths = [max(map(len, column)) for column in columns]
    for name in reversed(flexible):
        excess = sum(widths) + len(_GAP) * (len(widths) - 1) - width
        if excess > 0:
            at = headers.index(name)
            widths[at] = max(widths[at] - excess, min(widths[at], max(len(name), 8)))
    return [
        _GAP.join(
            shorten(cell, size).ljust(size) for cell, size in zip(line, widths, strict=True)
        ).rstrip()
        for line in (headers, *rows)
    ]


def columns(words: Sequence[str], width: int) -> list[str]:
    """``words`` in as many columns as fit ``width``, read line by line."""
    if not words:
        return []
    size = max(map(len, words))
    count = max(1, (width + len(_GAP)) // (size + len(_GAP)))
    return [
        _GAP.join(word.ljust(size) for word in words[at : at + count]).rstrip()
        for at in range(0, len(words), count)
    ]
