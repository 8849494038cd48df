"""Show the progress of long work: a bar on a terminal, lines in a log."""

from __future__ import annotations

import shutil
import sys
import time
from typing import TextIO

from caphistory.wording.plain import clean

_REDRAW_SECONDS = 0.1
_PATIENCE_SECONDS = 2.0


class QuietProgress:
    """Progress for a ``stream`` that nobody watches: notes only, one line each."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream if stream is not None else sys.stderr

    def stage(self, name: str, total: int | None = None) -> None:
        """Do nothing: nobody watches."""

    def advance(self, n: int = 1) -> None:
        """Do nothing: nobody watches."""

    def note(self, line: str) -> None:
        """Write ``line``."""
        print(clean(line), file=self._stream, flush=True)

    def close(self) -> None:
        """Leave the stream as it is."""


class TerminalProgress:
    """Progress as one line for each stage, redrawn in place: name, bar, count, rate, time left."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream if stream is not None else sys.stderr
        self._name = ""
        self._total: int | None = None
        self._done = 0
        self._began = 0.0
        self._drawn = 0.0

    def stage(self, name: str, total: int | None = None) -> None:
        """End the previous stage, keeping its line, and begin ``name`` with ``total`` units."""
        self.close()
        self._name, self._total, self._done = clean(name), total, 0
        self._began = time.monotonic()
        self._draw()

    def advance(self, n: int = 1) -> None:
        """Count ``n`` units, and redraw at most ten times a second."""
        self._done += n
        if time.monotonic() - self._drawn >= _REDRAW_SECONDS:
            self._draw()

    def note(self, line: str) -> None:
        """Write ``line`` above the line of the stage."""
        self._stream.write(f"\r\x1b[2K{clean(line)}\n")
        if self._name:
            self._draw()

    def close(self) -> None:
        """Draw the end of the stage and keep its line."""
        if self._name:
            self._draw()
            self._stream.write("\n")
            self._stream.flush()
            self._name = ""

    def _draw(self) -> None:
        self._drawn = time.monotonic()
        width = shutil.get_terminal_size().columns - 1
        line = progress_line(self._name, self._done, self._total, self._drawn - self._began, width)
        self._stream.write(f"\r\x1b[2K{line}")
        self._stream.flush()


class LateProgress:
    """Progress of work that is usually short: it appears on a terminal, as the stage ``name``, once
    the work has taken two seconds. Call it with the number of units done and their total."""

    def __init__(self, name: str, stream: TextIO) -> None:
        self._name = name
        self._progress = progress_for(stream)
        self._began = time.monotonic()
        self._done: int | None = None

    def __call__(self, done: int, total: int) -> None:
        """Report that ``done`` of ``total`` units are done."""
        if self._done is None:
            if time.monotonic() - self._began < _PATIENCE_SECONDS:
                return
            self._progress.stage(self._name, total)
            self._done = 0
        self._progress.advance(done - self._done)
        self._done = done

    def close(self) -> None:
        """End the stage if it was drawn."""
        self._progress.close()


def progress_line(name: str, done: int, total: int | None, seconds: float, width: int) -> str:
    """Return the line for ``done`` of ``total`` units of the stage ``name`` after ``seconds``, in
    at most ``width`` characters."""
    rate = done / seconds if seconds > 0 else 0.0
    if total is None:
        return f"{name}  {done:,}  {_rate(rate)}"[:width] if done else f"{name} …"[:width]
    left = (total - done) / rate if rate and done < total else 0.0
    when = f"{duration(left)} left" if done < total else f"in {duration(seconds)}"
    end = f"  {done:,}/{total:,}  {_rate(rate)}  {when if rate else ''}".rstrip()
    room = min(30, width - len(name) - len(end) - 2)
    if room < 5:
        return f"{name}{end}"[:width]
    filled = room * done // total if total else room
    return f"{name}  {'█' * filled}{'░' * (room - filled)}{end}"


def duration(seconds: float) -> str:
    """Return ``seconds`` as text: ``41 s``, ``3 min 20 s``, ``2 h 5 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def _rate(rate: float) -> str:
    return f"{rate:,.0f}/s" if rate >= 10 else f"{rate:.1f}/s"


def progress_for(stream: TextIO) -> TerminalProgress | QuietProgress:
    """Return the progress that suits ``stream``: drawn on a terminal, notes only elsewhere."""
    return TerminalProgress(stream) if stream.isatty() else QuietProgress(stream)
