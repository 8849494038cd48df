"""Lines for a terminal: printing them, and laying out tables."""

from __future__ import annotations

import textwrap
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


def say_next(*commands: str, width: int) -> None:
    """Print what to ask next: in one line where that fits ``width``, else one below the other."""
    line = f"next: {' · '.join(commands)}"
    say(line if len(line) <= width else "next: " + "\n      ".join(commands), dim=True)


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


def wrapped(text: str, width: int, indent: str = "  ") -> list[str]:
    """``text`` in lines of at most ``width``, the second and later ones indented."""
    return textwrap.wrap(
        text, max(width, 20), subsequent_indent=indent, break_on_hyphens=False, drop_whitespace=True
    )


def ends_of(lines: Sequence[str], most: int | None) -> list[str]:
    """``lines``, or where they are more than ``most`` the first and the last of them, and
    between these how many were left out."""
    if most is None or len(lines) <= most:
        return list(lines)
    first, last = max(1, most // 2), max(1, most - most // 2 - 1)
    left_out = f"… {len(lines) - first - last} more lines: --rows all"
    return [*lines[:first], left_out, *lines[-last:]]


def shares(sizes: Sequence[int], room: int | None) -> list[int]:
    """How many of the lines of several tables to show, so that they fit ``room`` together
    (None: all fit): at least one of each, and what a small one leaves goes to the others."""
    if room is None:
        return list(sizes)
    shown = list(sizes)
    smallest_first = sorted(range(len(sizes)), key=lambda at: sizes[at])
    for done, at in enumerate(smallest_first):
        shown[at] = min(sizes[at], max(1, room // (len(sizes) - done)))
        room -= shown[at]
    return shown
