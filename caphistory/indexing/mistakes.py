"""Errors of this program, not of the user: reported in one line, with their traceback in a log
file."""

from __future__ import annotations

import hashlib
import os
import platform
import tempfile
import traceback
from datetime import datetime, timezone
from pathlib import Path

from caphistory import __version__
from caphistory.paths import log_folder


def report_mistake(error: Exception, what: str) -> str:
    """Return a line that reports an error while ``what`` was being done, with the log file that has
    its traceback (see ``log_mistake``)."""
    place = traceback.extract_tb(error.__traceback__)[-1:]
    where = f" ({Path(place[0].filename).name}:{place[0].lineno})" if place else ""
    return (
        f"a mistake in caphistory, please report it: {type(error).__name__}: {error}{where};"
        f" its traceback is in {log_mistake(error, what)}"
    )


def log_mistake(error: Exception, what: str) -> Path:
    """Write the traceback of an error while ``what`` was being done to a file, and return its path.

    One mistake has one file, in the user's log folder, wherever it happens again: only a line
    is added for each further time. Where that folder cannot be written it is the system's
    temporary one, and where that cannot either, ``os.devnull``.
    """
    frames = traceback.extract_tb(error.__traceback__)
    places = [f"{frame.filename}:{frame.lineno}" for frame in frames]
    identity = "\n".join([__version__, type(error).__name__, *places])
    name = f"mistake-{hashlib.sha256(identity.encode()).hexdigest()[:12]}.log"
    when = f"{datetime.now(timezone.utc):%Y-%m-%d %H:%M:%S} UTC, {what}"
    whole = (
        f"caphistory {__version__}, Python {platform.python_version()}, {platform.platform()}\n"
        f"{when}\n\n{''.join(traceback.format_exception(error))}\n"
    )
    again = f"again: {when}: {type(error).__name__}: {error}\n"
    for folder in (log_folder(), Path(tempfile.gettempdir())):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            path = folder / name
            text = again if path.exists() else whole
            with path.open("a", encoding="utf-8", errors="backslashreplace") as file:
                file.write(text)
        except OSError:
            continue
        return path
    return Path(os.devnull)
