"""What is printed where the output's encoding lacks a character: ASCII that says the same."""

from __future__ import annotations

import codecs
import io
from typing import TextIO

HANDLER = "caphistory.ascii"
"""The name by which codecs know ``replace_with_ascii``."""

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
    """ASCII for the characters that an encoding lacks, and where to go on: a codec error handler.
    What has no likeness in ASCII becomes its escape, such as ``\\xe9``."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    parts = (
        _ASCII.get(character) or character.encode("ascii", "backslashreplace").decode("ascii")
        for character in lacking
    )
    return "".join(parts), error.end


def accept_any_text(*streams: TextIO | None) -> None:
    """Let each stream (standard output or error) write any text in its encoding, by
    ``replace_with_ascii``, unless its user chose what becomes of other characters
    (``PYTHONIOENCODING=ascii:replace``)."""
    codecs.register_error(HANDLER, replace_with_ascii)
    for stream in streams:
        if isinstance(stream, io.TextIOWrapper) and stream.errors in _OVERRIDDEN:
            stream.reconfigure(errors=HANDLER)
