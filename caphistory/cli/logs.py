"""Open logs of strace for the commands that read them."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from caphistory.cli.text import say
from caphistory.errors import UsageError
from caphistory.questions.inputs import open_file
from caphistory.questions.strace import Call, Log
from caphistory.wording.phrases import format_count


def open_log(file: Path) -> Iterator[Call]:
    """Yield the calls of the log in ``file`` (``-``: standard input; a text with a parenthesis and
    no file of that name: that line itself); say on stderr how many lines are cut off.

    Raises UsageError if no line is a call as strace prints it.
    """
    log = Log(_open_lines(file))
    count = 0
    for count, call in enumerate(log, start=1):  # noqa: B007 - the last count is used
        yield call
    if not count:
        raise UsageError(f"no line of {_name(file)} is a call as strace prints it")
    if log.cut_off:
        say(f"caphistory: {format_count(log.cut_off, 'call')} cut off, left out", err=True)


def _open_lines(file: Path) -> Iterable[str]:
    text = str(file)
    if text == "-":
        if sys.stdin.isatty():
            raise UsageError("give a log of strace, or pipe one: strace -f … 2>&1 | caphistory …")
        if isinstance(sys.stdin, io.TextIOWrapper):
            sys.stdin.reconfigure(errors="replace")
        return sys.stdin
    if "(" in text and not file.exists():
        return text.splitlines()
    return open_file(file)


def _name(file: Path) -> str:
    return "standard input" if str(file) == "-" else f"{str(file)[:60]!r}"
