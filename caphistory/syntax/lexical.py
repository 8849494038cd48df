"""Comments, strings and preprocessor lines: the part of C that a grammar should not see.

``scan`` blanks them out at the same length, so that every offset stays true, and
gives the preprocessor lines apart.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from typing import NamedTuple

_START = re.compile(rb"/[*/]|\"|'|#")
_LINE_END = re.compile(rb"(?:[^\n\\]|\\\r?\n|\\.|\\\Z)*")
_STRING_END = re.compile(rb'[^"\\]*(?:\\.[^"\\]*)*"', re.S)
# A character constant is short and on one line; an apostrophe in the prose that old
# kernels keep under #if 0 (1.x drivers) is not one.
_CHARACTER = re.compile(rb"'(?:\\[^\n']{1,4}|\\'|[^'\\\n]{1,8})'")
_BLANK = bytes(c if c in b"\n\r" else 0x20 for c in range(256))
_SPACES = bytes(0x20 for _ in range(256))
_DIRECTIVE = re.compile(rb"\s*#\s*([A-Za-z_]\w*)?")
_CONTINUATION = re.compile(rb"\\(?=\r?\n)")


class Directive(NamedTuple):
    """A preprocessor line: its extent, its keyword and its code from ``start`` on
    (comments, strings and continuation backslashes blanked, same length)."""

    start: int
    end: int
    keyword: str
    code: bytes
    rest: int

    @property
    def text(self) -> str:
        """What follows the keyword, with white space folded."""
        return " ".join(self.code[self.rest :].decode("latin-1").split())


class Scan(NamedTuple):
    """``code`` is the source at the same length without comments, strings' contents
    and preprocessor lines; ``newlines`` are the offsets of line ends."""

    code: bytes
    directives: list[Directive]
    newlines: list[int]

    def line(self, offset: int) -> int:
        """The line, from 1, on which ``offset`` lies."""
        return bisect_left(self.newlines, offset) + 1


def _blank_range(out: bytearray, start: int, end: int) -> None:
    out[start:end] = out[start:end].translate(_BLANK)


def scan(source: bytes) -> Scan:
    """Blank what is not C proper. Never fails: what does not end, ends with the file."""
    out = bytearray(source)
    directives: list[Directive] = []
    position, size = 0, len(source)
    while found := _START.search(source, position):
        start = found.start()
        token = found.group()
        if token == b"/*":
            end = source.find(b"*/", start + 2)
            position = size if end < 0 else end + 2
            _blank_range(out, start, position)
        elif token == b"//":
            end = source.find(b"\n", start)
            position = size if end < 0 else end
            _blank_range(out, start, position)
        elif token == b'"':
            closed = _STRING_END.match(source, start + 1)
            position = closed.end() if closed else start + 1
            if closed:
                # Strings over several lines were allowed by gcc 2 (2.0 to 2.4 asm blocks).
                out[start + 1 : position - 1] = out[start + 1 : position - 1].translate(_SPACES)
        elif token == b"'":
            constant = _CHARACTER.match(source, start)
            position = constant.end() if constant else start + 1
            if constant:
                out[start + 1 : position - 1] = b"0" * (position - start - 2)
        elif _first_on_line(out, start):
            directive = _directive(source, start)
            directives.append(directive)
            position = directive.end
            _blank_range(out, start, position)
        else:
            position = start + 1
    newlines = [m.start() for m in re.finditer(rb"\n", source)]
    return Scan(bytes(out), directives, newlines)


def _first_on_line(code: bytearray, position: int) -> bool:
    return not code[code.rfind(b"\n", 0, position) + 1 : position].strip()


def _directive(source: bytes, start: int) -> Directive:
    """The directive at ``start``; a comment in it may go on over several lines."""
    end = start
    comment = False
    while True:
        match = _LINE_END.match(source, end)
        end = match.end() if match else end
        comment = _open_comment(source[start:end])
        if not comment or end >= len(source):
            break
        close = source.find(b"*/", end)
        if close < 0:
            end = len(source)
            break
        end = close + 2
    code = _CONTINUATION.sub(b" ", _without_comments(source[start:end]))
    head = _DIRECTIVE.match(code)
    keyword = head.group(1) if head else None
    return Directive(
        start,
        end,
        keyword.decode("latin-1") if keyword else "",
        code,
        head.end() if head else 1,
    )


_COMMENT_OR_STRING = re.compile(
    rb"/\*.*?\*/|//[^\n]*|\"(?:[^\"\\\n]|\\.)*\"|'(?:\\[^\n']{1,4}|\\'|[^'\\\n]{1,8})'", re.S
)


def _open_comment(text: bytes) -> bool:
    return b"/*" in _COMMENT_OR_STRING.sub(b"", text)


def _without_comments(text: bytes) -> bytes:
    def blank(match: re.Match[bytes]) -> bytes:
        found = match.group()
        if found.startswith(b"/"):
            return found.translate(_BLANK)
        return found[:1] + found[1:-1].translate(_SPACES) + found[-1:]

    return _COMMENT_OR_STRING.sub(blank, text)
