"""Manual pages as their passages: the macros of man(7), without formatting anything.

A formatter (groff, mandoc) gives lines of a terminal, in which neither the line of the source
nor the item that a paragraph belongs to can be told any more, and no library for Python reads
pages into such parts; so this is a reader of its own. It knows the macros, the escapes that
stand in words, tables and comments. What it does not know it leaves out. Pages in mdoc(7) (BSD)
have no passages here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple


class Line(NamedTuple):
    """A line of the page's source, from 1, as plain text."""

    number: int
    text: str


class Passage(NamedTuple):
    """A paragraph or an item: ``section`` and ``subsection`` are its headings ('' for none),
    ``tags`` those of the items that it stands in, the outermost first; ``code`` says that its
    lines are shown as they are (.nf, .EX)."""

    section: str
    subsection: str
    tags: tuple[str, ...]
    lines: tuple[Line, ...]
    code: bool

    @property
    def text(self) -> str:
        """Its lines in one."""
        return " ".join(line.text for line in self.lines)


_REQUEST = re.compile(r"[.']\s*(?P<name>[^\s\\]+)?\s*(?P<rest>.*)", re.DOTALL)
_COMMENT = re.compile(r"(?<!\\)\\[\"#].*", re.DOTALL)
_ARGUMENT = re.compile(r'"(?P<quoted>(?:[^"]|"")*)(?:"|$)|(?P<word>(?:\\.|[^\s\\])+)')
_ESCAPE = re.compile(
    r"""\\(?:
        f(?:\[[^\]]*\]|\(..|.)
        |[*nmMgFYkV](?:\[[^\]]*\]|\(..|.)
        |s(?:\[[^\]]*\]|'[^']*'|[-+]?\(\d\d|[-+]?\d)
        |[hvwobDlLNRSXZxHCA]'[^']*'
        |\[(?P<long>[^\]]*)\]
        |\((?P<two>..)
        |(?P<one>.)
    )""",
    re.VERBOSE,
)
_SPECIAL = {
    "-": "-",
    "hy": "-",
    "en": "–",
    "em": "—",
    "aq": "'",
    "oq": "'",
    "cq": "'",
    "dq": '"',
    "lq": '"',
    "rq": '"',
    "ha": "^",
    "ti": "~",
    "rs": "\\",
    "bu": "•",
}
"""Named characters that stand in what is read here; others become a space."""
_ONE = {"-": "-", "e": "\\", "\\": "\\", "'": "'", "`": "`", ".": ".", " ": " ", "~": " ", "0": " "}
"""Escapes of one character that print something."""
_ALTERNATING = {"BI", "BR", "IB", "IR", "RB", "RI"}
_FONTS = {"B", "I", "SM", "SB", "R"}
_DEFINING = {"de", "de1", "am", "am1", "ig", "dei", "ami"}


def read_page(text: str) -> tuple[Passage, ...]:
    """Return the passages of a manual page, given its source."""
    reader = _Reader()
    for number, line in _join_lines(text):
        reader.take(number, line)
    reader.finish()
    return tuple(reader.passages)


def strip_escapes(text: str) -> str:
    """Return ``text`` without the escapes of groff."""

    def printed(escape: re.Match[str]) -> str:
        name = escape["long"] if escape["long"] is not None else escape["two"]
        if name is not None:
            return _SPECIAL.get(name, " ")
        return _ONE.get(escape["one"] or "", "")

    return _ESCAPE.sub(printed, text)


def split_arguments(text: str) -> list[str]:
    """Return the arguments of a macro, escapes and all; quoted ones may hold spaces."""
    return [
        match["quoted"].replace('""', '"') if match["word"] is None else match["word"]
        for match in _ARGUMENT.finditer(text)
    ]


def _join_lines(text: str) -> Iterator[tuple[int, str]]:
    """Give the lines without comments, definitions of macros and what is conditional, each with the
    number of its first line; a line that ends with a backslash goes on in the next."""
    lines = iter(enumerate(text.splitlines(), 1))
    for number, line in lines:
        while line.endswith("\\") and not line.endswith("\\\\"):
            _, more = next(lines, (0, ""))
            line = line[:-1] + more
        line = _COMMENT.sub("", line)
        request = _REQUEST.fullmatch(line)
        if request is None:
            yield number, line
        elif request["name"] in _DEFINING:
            _skip_definition(lines, request["name"], split_arguments(request["rest"]))
        elif request["name"] in ("if", "ie", "el", "while"):
            _skip_block(lines, line)
        elif request["name"]:
            yield number, line


def _skip_definition(lines: Iterator[tuple[int, str]], name: str, given: list[str]) -> None:
    """Advance past the definition that a macro with the arguments ``given`` begins."""
    ends = given[0:1] if name == "ig" else given[1:2]
    end = "." + (ends[0] if ends else ".")
    for _, line in lines:
        if line.rstrip() == end:
            return


def _skip_block(lines: Iterator[tuple[int, str]], line: str) -> None:
    """Advance past the conditional that begins on ``line``."""
    depth = line.count("\\{") - line.count("\\}")
    while depth > 0:
        _, line = next(lines, (0, "\\}" * depth))
        depth += line.count("\\{") - line.count("\\}")


class _Reader:
    """Goes through the lines of a page, and keeps where it is in it."""

    def __init__(self) -> None:
        """Begin before the first line."""
        self.passages: list[Passage] = []
        self._section = ""
        self._subsection = ""
        self._depth = 0
        self._tags: dict[int, str] = {}
        self._lines: list[Line] = []
        self._code = 0
        self._table = ""
        self._wanted = ""

    def take(self, number: int, line: str) -> None:
        """Read one line."""
        request = _REQUEST.fullmatch(line)
        if request is None:
            self._take_text(number, line)
            return
        name, given = (
            request["name"],
            [strip_escapes(argument) for argument in split_arguments(request["rest"])],
        )
        if name in _ALTERNATING:
            self._take_plain(number, "".join(given))
        elif name in _FONTS:
            # Without arguments it is the next line that has the font.
            if given:
                self._take_plain(number, " ".join(given))
        elif name == "MR":
            self._take_plain(number, "{}({}){}".format(*(*given, "", "", "")[:3]))
        else:
            self._apply_macro(name, given)

    def finish(self) -> None:
        """End the page."""
        self._end_passage()

    def _apply_macro(self, name: str, given: list[str]) -> None:
        """Follow a macro that begins, ends or indents something."""
        if name in ("SH", "SS"):
            self._end_passage()
            self._depth, self._tags, self._code, self._subsection = 0, {}, 0, ""
            self._take_heading(name, " ".join(given))
        elif name in ("PP", "P", "LP", "HP", "sp"):
            self._end_passage()
            if name != "sp":
                self._end_items(self._depth)
        elif name == "TP":
            self._end_passage()
            self._end_items(self._depth)
            self._wanted = "TP"
        elif name == "TQ":
            self._wanted = "TP"
        elif name == "IP":
            self._end_passage()
            if given and given[0].strip():
                self._end_items(self._depth)
                self._tags[self._depth] = given[0].strip()
        elif name == "RS":
            self._end_passage()
            self._depth += 1
        elif name == "RE":
            self._end_passage()
            self._end_items(self._depth)
            self._depth = max(self._depth - 1, 0)
        elif name in ("nf", "EX", "fi", "EE"):
            self._end_passage()
            self._code = max(self._code + (1 if name in ("nf", "EX") else -1), 0)
        elif name in ("TS", "TE"):
            self._end_passage()
            self._table = "format" if name == "TS" else ""

    def _end_items(self, depth: int) -> None:
        """End the items at ``depth`` and below."""
        self._tags = {at: tag for at, tag in self._tags.items() if at < depth}

    def _take_heading(self, name: str, text: str) -> None:
        """Begin a section (``SH``) or subsection (``SS``); without a text it is on the next
        line."""
        if not text:
            self._wanted = name
        elif name == "SH":
            self._section = text
        else:
            self._subsection = text

    def _take_text(self, number: int, line: str) -> None:
        """Read a line that is no macro."""
        text = strip_escapes(line)
        if self._table == "format":
            if text.rstrip().endswith("."):
                self._table = "rows"
        elif not text.strip():
            if not self._code:
                self._end_passage()
        elif self._table == "rows":
            self._take_row(number, text)
        else:
            self._take_plain(number, text)

    def _take_row(self, number: int, text: str) -> None:
        """Read a row of a table, which is a passage, but a cell between ``T{`` and ``T}`` goes
        on."""
        self._lines.append(Line(number, re.sub(r"T[{}]", " ", text)))
        if text.startswith("T}"):
            self._table = "rows"
        if text.rstrip().endswith("T{"):
            self._table = "cell"
        if self._table == "rows":
            self._end_passage()

    def _take_plain(self, number: int, text: str) -> None:
        """Read a line of text without macros and escapes."""
        wanted, self._wanted = self._wanted, ""
        if wanted == "TP":
            before = self._tags.get(self._depth)
            self._tags[self._depth] = f"{before}, {text.strip()}" if before else text.strip()
        elif wanted:
            self._take_heading(wanted, text)
        elif self._table == "cell":
            self._take_row(number, text)
        else:
            self._lines.append(Line(number, text))

    def _end_passage(self) -> None:
        """Add the lines so far as a passage, if there are any."""
        self._wanted = ""
        if self._lines:
            self.passages.append(
                Passage(
                    self._section,
                    self._subsection,
                    tuple(tag for _, tag in sorted(self._tags.items())),
                    tuple(self._lines),
                    bool(self._code),
                )
            )
            self._lines = []


def split_sentences(lines: Iterable[Line]) -> Iterator[tuple[Line, ...]]:
    """Give the sentences of a passage: in a manual page a sentence ends with a line."""
    sentence: list[Line] = []
    for line in lines:
        sentence.append(line)
        if re.search(r"[.!?][)\"']*\s*$", line.text):
            yield tuple(sentence)
            sentence = []
    if sentence:
        yield tuple(sentence)
