"""Comments, strings and preprocessor lines: the part of C that a grammar should not see.

``scan`` blanks them out at the same length and with the same line ends, so that every
offset and line stays true, and gives the preprocessor lines apart.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from itertools import accumulate
from typing import NamedTuple

_START = re.compile(rb"/[*/]|\"|'|#")
_LINE_END = re.compile(rb"[^\n\\]*(?:\\(?:\r?\n|.|\Z)[^\n\\]*)*")
# Without comments, strings and a backslash a line is what it is.
_PLAIN_LINE = re.compile(rb"[^\n\\/\"']*(?=\n)")
_STRING_END = re.compile(rb'[^"\\]*(?:\\.[^"\\]*)*"', re.S)
# A character constant is short and on one line; an apostrophe in the prose that old
# kernels keep under #if 0 (1.x drivers) is not one.
_CHARACTER = re.compile(rb"'(?:\\[^\n']{1,4}|\\'|[^'\\\n]{1,8})'")
_BLANK = bytes(c if c in b"\n\r" else 0x20 for c in range(256))
_WHITE = b" \t\v\f\r"
_DIRECTIVE = re.compile(rb"\s*#\s*([A-Za-z_]\w*)?")
_CONTINUATION = re.compile(rb"\\(?=\r?\n)")
# What sparse reads and a compiler does not (include/linux/compiler.h, from 2.5.68 on): a
# grammar loses the call in whose arguments "char __user * __user *" stands.
_SPARSE = re.compile(
    rb"\b__(?:user|kernel|iomem|force|percpu|rcu|safe|nocast|private|bitwise(?:__)?)\b"
)


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
    and preprocessor lines; ``ends`` are the offsets behind the lines."""

    code: bytes
    directives: list[Directive]
    ends: list[int]

    def line(self, offset: int) -> int:
        """The line, from 1, on which ``offset`` lies."""
        return bisect_right(self.ends, offset) + 1


def blanked(code: bytes | bytearray) -> bytes | bytearray:
    """Spaces in place of everything but line ends."""
    return code.translate(_BLANK)


def _blank_range(out: bytearray, start: int, end: int) -> None:
    out[start:end] = out[start:end].translate(_BLANK)


def scan(source: bytes) -> Scan:
    """Blank what is not C proper. Never fails: what does not end, ends with the file."""
    out = bytearray(source)
    directives: list[Directive] = []
    position, size = 0, len(source)
    strings_end = False  # a quote that nothing closes: nothing closes those behind it either
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
            closed = None if strings_end else _STRING_END.match(source, start + 1)
            strings_end = closed is None
            position = closed.end() if closed else start + 1
            if closed:
                out[start:position] = _quoted(source[start:position])
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
    ends = list(accumulate([len(line) + 1 for line in source.split(b"\n")]))
    # A line goes on behind a backslash outside macros too (eata.c of 2.2 to 2.6).
    code = _CONTINUATION.sub(b" ", bytes(out))
    return Scan(without_sparse(code), directives, ends)


def without_sparse(code: bytes) -> bytes:
    """Code with the annotations of the checker sparse blanked."""
    return _SPARSE.sub(lambda found: b" " * len(found.group()), code)


def _first_on_line(code: bytearray, position: int) -> bool:
    position -= 1
    while position >= 0 and code[position] in _WHITE:
        position -= 1
    return position < 0 or code[position] == 0x0A


def _directive(source: bytes, start: int) -> Directive:
    """The directive at ``start``; a comment in it may go on over several lines."""
    plain = _PLAIN_LINE.match(source, start)
    if plain:  # most: 3 of 4 in 2.2
        end, code = plain.end(), plain.group()
    else:
        end = _end_of_directive(source, start)
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


def _end_of_directive(source: bytes, start: int) -> int:
    piece = end = start
    while True:
        match = _LINE_END.match(source, end)
        end = match.end() if match else end
        if end >= len(source) or not _open_comment(source[piece:end]):
            return end
        close = source.find(b"*/", end)
        piece = end = len(source) if close < 0 else close + 2


def _quoted(literal: bytes) -> bytes:
    """A string literal without its content.

    One over several lines, as gcc 2 allowed (asm blocks of 2.0 to 2.4), is nothing that a
    grammar knows: it is made to stand on its first line with room for it.
    """
    if b"\n" not in literal:
        return literal[:1] + b" " * (len(literal) - 2) + literal[1:][-1:]
    blank = bytearray(blanked(literal))
    at = 0
    for line in bytes(blank).split(b"\n"):
        if len(line.rstrip(b"\r")) >= 2:
            blank[at : at + 2] = b'""'
            return bytes(blank)
        at += len(line) + 1
    blank[0] = 0x30
    return bytes(blank)


_COMMENT_OR_STRING = re.compile(
    rb"/\*.*?(?:\*/|\Z)|//[^\n]*|\"[^\"\\\n]*(?:\\.[^\"\\\n]*)*(?:\"|(?=\n)|\\?\Z)"
    rb"|'(?:\\[^\n']{1,4}|\\'|[^'\\\n]{1,8})'",
    re.S,
)


def _open_comment(text: bytes) -> bool:
    if b"/*" not in text:
        return False
    last = b""
    for match in _COMMENT_OR_STRING.finditer(text):
        last = match.group()
    return last.startswith(b"/*") and (not last.endswith(b"*/") or len(last) < 4)


def _without_comments(text: bytes) -> bytes:
    def blank(match: re.Match[bytes]) -> bytes:
        found = match.group()
        if found.startswith(b"/"):
            return found.translate(_BLANK)
        return _quoted(found)

    return _COMMENT_OR_STRING.sub(blank, text)
