"""Replace characters that the encoding of the output lacks by similar ASCII."""

from __future__ import annotations

import codecs
import io
from typing import TextIO

HANDLER = "caphistory.ascii"
"""The name of ``replace_with_ascii`` among the codec error handlers."""

_ASCII = {
    "→": "->",
    "–": "-",
    "—": "-",
    "…": "...",
    "·": ";",
    "•": "*",
    "█": "#",
    "░": ".",
    "‘": "'",  # noqa: RUF001
    "’": "'",  # noqa: RUF001
    "“": '"',
    "”": '"',
    "\N{NO-BREAK SPACE}": " ",
    "\N{REPLACEMENT CHARACTER}": "?",
}
_OVERRIDDEN = ("strict", "surrogateescape", "backslashreplace")


def replace_with_ascii(error: UnicodeError) -> tuple[str | bytes, int]:
    """Return ASCII for the characters that an encoding lacks, and the position to resume at: a
    codec error handler. A character without an equivalent becomes its escape, such as ``\\xe9``."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    parts = (
        _ASCII.get(character) or character.encode("ascii", "backslashreplace").decode("ascii")
        for character in lacking
    )
    return "".join(parts), error.end


def accept_any_text(*streams: TextIO | None) -> None:
    """Let each stream (standard output or error) write any text in its encoding, with
    ``replace_with_ascii``, unless the user chose another error handler
    (``PYTHONIOENCODING=ascii:replace``)."""
    codecs.register_error(HANDLER, replace_with_ascii)
    for stream in streams:
        if isinstance(stream, io.TextIOWrapper) and stream.errors in _OVERRIDDEN:
            stream.reconfigure(errors=HANDLER)
