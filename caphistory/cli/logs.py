"""Open logs of strace for the commands that read them."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from caphistory.cli.text import say
from caphistory.errors import UsageError
from caphistory.questions import strace
from caphistory.questions.strace import Call
from caphistory.wording.phrases import format_count


def open_log(file: Path) -> Iterator[Call]:
    """Yield the calls of the log in ``file`` (``-``: standard input; else as ``strace.open_log``);
    say on stderr how many lines are cut off.

    Raises UsageError if no line is a call as strace prints it.
    """

    def say_cut_off(count: int) -> None:
        say(f"caphistory: {format_count(count, 'call')} cut off, left out", err=True)

    lines = _read_stdin() if str(file) == "-" else strace.open_log(str(file))
    yield from strace.read_log(lines, _name(file), say_cut_off)


def _read_stdin() -> Iterable[str]:
    if sys.stdin.isatty():
        raise UsageError("give a log of strace, or pipe one: strace -f … 2>&1 | caphistory …")
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="replace")
    return sys.stdin


def _name(file: Path) -> str:
    return "standard input" if str(file) == "-" else f"{str(file)[:60]!r}"
