"""Print lines to a terminal and lay out tables."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Sequence
from itertools import zip_longest

import click

from caphistory.wording.plain import clean, wrap

_GAP = "  "
_STEP = " → "
_PLACE = re.compile(r"[^ ]+/[^ /]+:\d+")
_READABLE = 18
"""The width down to which an optional column is shortened before it is left out."""
_WHOLE = 32
"""The width down to which others are shortened only when no optional column is left."""
_NO_BREAK = "\N{NO-BREAK SPACE}"


def echo(text: str, *, nl: bool = True, err: bool = False) -> None:
    """Print ``text`` unchanged on standard output, or error with ``err``, in that stream's
    encoding: by default click writes UTF-8 even to an ASCII stream."""
    click.echo(text, file=sys.stderr if err else sys.stdout, nl=nl)


def say(
    text: str = "",
    *,
    bold: bool = False,
    dim: bool = False,
    color: str | None = None,
    end: str = "\n",
    err: bool = False,
) -> None:
    """Print ``text`` with all control characters but newlines replaced; with ``err`` on stderr,
    beside the answer."""
    safe = "\n".join(clean(line) for line in text.split("\n"))
    if bold or dim or color:
        safe = click.style(safe, fg=color, bold=bold or None, dim=dim or None)
    echo(safe, nl=False, err=err)
    echo(end, nl=False, err=err)


def say_next(*commands: str, width: int) -> None:
    """Print what to ask next: on one line if that fits ``width``, else one command per line."""
    line = f"next: {' · '.join(commands)}"
    say(line if len(line) <= width else "next: " + "\n      ".join(commands), dim=True)


def shorten(text: str, width: int) -> str:
    """Return ``text`` in at most ``width`` characters, with an ellipsis for what was cut: the end,
    but the middle of a path, whose file and line say the most, and the beginning of a chain
    (``a → b``), because its last function makes the check."""
    if len(text) <= width:
        return text
    kept = max(width - 1, 0)
    if _STEP in text or text.startswith("["):
        return "…" + text[len(text) - kept :]
    if _PLACE.fullmatch(text):
        folder = text.partition("/")[0] + "/"
        room = kept - len(folder)
        if room >= len(text.rpartition("/")[2]) + 1:
            return f"{folder}…{text[len(text) - room :]}"
        return "…" + text[len(text) - kept :]
    return text[:kept] + "…"


def table(
    headers: Sequence[str],
    rows: Sequence[Sequence[str]],
    width: int,
    flexible: Sequence[str] = (),
    optional: Sequence[str] = (),
) -> list[str]:
    """Return lines of aligned columns: the headers, then the rows.

    The columns named in ``flexible`` are shortened, the last named first, until the lines fit
    ``width``; before they get hard to read, those named in ``optional`` are left out, the last
    named first. The others are never cut, because a reader may copy them. If they do not
    fit, each row continues on further, indented lines.
    """
    headers, rows = _leave_out(headers, rows, width, flexible, optional)
    flexible = [name for name in flexible if name in headers]
    columns = list(zip_longest(headers, *rows, fillvalue=""))
    whole = [max(map(len, column)) for column in columns]
    widths = list(whole)
    for least in (_READABLE, 8):
        for name in reversed(flexible):
            excess = _width(widths) - width
            if excess > 0:
                at = headers.index(name)
                widths[at] = max(widths[at] - excess, min(widths[at], max(len(name), least)))
    folded = _width(widths) > width
    if folded:
        loose = {headers.index(name) for name in flexible}
        most = max(width - len(_GAP), 8)
        widths = [min(size, most) if at in loose else size for at, size in enumerate(whole)]
    parts = _fold(widths, width) if folded else [range(len(widths))]
    return [
        f"\n{_GAP}".join(
            _GAP.join(shorten(line[at], widths[at]).ljust(widths[at]) for at in part).rstrip()
            for part in parts
        )
        for line in (headers, *rows)
    ]


def _leave_out(
    headers: Sequence[str],
    rows: Sequence[Sequence[str]],
    width: int,
    flexible: Sequence[str],
    optional: Sequence[str],
) -> tuple[Sequence[str], Sequence[Sequence[str]]]:
    """Return the columns without those in which nothing is said, and without as many of the
    ``optional`` ones as do not fit."""
    room = {name: _READABLE if name in optional else _WHOLE for name in flexible}
    least = {
        name: min(max(map(len, column), default=0), room.get(name, width))
        for name, *column in zip_longest(headers, *rows, fillvalue="")
        if name not in optional or any(column)
    }
    for name in reversed(optional):
        if _width([max(len(head), size) for head, size in least.items()]) <= width:
            break
        least.pop(name, None)
    kept = [at for at, name in enumerate(headers) if name in least]
    return [headers[at] for at in kept], [[row[at] for at in kept] for row in rows]


def _width(widths: Sequence[int]) -> int:
    return sum(widths) + len(_GAP) * (len(widths) - 1)


def _fold(widths: Sequence[int], width: int) -> list[range]:
    """Return the columns of each line that a row is folded into; all but the first line are
    indented."""
    starts = [0]
    for at in range(1, len(widths)):
        indent = len(_GAP) if len(starts) > 1 else 0
        if indent + _width(widths[starts[-1] : at + 1]) > width:
            starts.append(at)
    return [range(*ends) for ends in zip(starts, [*starts[1:], len(widths)], strict=True)]


def listed(items: Iterable[str], width: int) -> list[str]:
    """Return ``items`` separated by commas, in lines of at most ``width``, with no item broken."""
    whole = ", ".join(item.replace(" ", _NO_BREAK) for item in items)
    return [line.replace(_NO_BREAK, " ") for line in wrap(whole, width, "")]


def ends_of(paragraphs: Sequence[str], most: int | None, noun: str = "line") -> list[str]:
    """Return ``paragraphs``, each of one or more lines; if they have more than ``most`` lines, only
    the first and last of them, with the number left out in between."""
    sizes = [paragraph.count("\n") + 1 for paragraph in paragraphs]
    if most is None or sum(sizes) <= most or len(sizes) < 3:
        return list(paragraphs)
    first, last = 1, 1
    room = most - 1 - sizes[0] - sizes[-1]
    while first + last < len(sizes):
        at = first if first <= last else len(sizes) - last - 1
        room -= sizes[at]
        if room < 0:
            break
        first, last = (first + 1, last) if at == first else (first, last + 1)
    count = len(sizes) - first - last
    if not count:
        return list(paragraphs)
    left_out = f"… {count} more {noun}{'s' if count > 1 else ''}: --rows all"
    return [*paragraphs[:first], left_out, *paragraphs[len(sizes) - last :]]


def shares(sizes: Sequence[int], room: int | None) -> list[int]:
    """Return how many lines of each of several tables to show so that together they fit ``room``
    (None: all do): at least one of each, and room that a small table leaves goes to the others."""
    if room is None:
        return list(sizes)
    shown = list(sizes)
    smallest_first = sorted(range(len(sizes)), key=lambda at: sizes[at])
    for done, at in enumerate(smallest_first):
        shown[at] = min(sizes[at], max(1, room // (len(sizes) - done)))
        room -= shown[at]
    return shown
