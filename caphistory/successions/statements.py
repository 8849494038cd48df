"""Functions as sequences of statements: what two versions of a function are compared by.

Statements, and not tokens or lines: they hardly repeat, so that a matching of two sequences is
quick and what it finds is meant, and they do not change with the layout. A sequence with the depth
of each statement stands for the tree; unlike a tree it survives branches of conditionals whose
braces do not balance.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import NamedTuple

_TOKEN = re.compile(
    r"[A-Za-z_]\w*|\d[\w.]*|\"[^\"]*\"|'[^']*'|->|\+\+|--|<<=|>>=|[<>=!+\-*/&|^%]=|&&|\|\||<<|>>"
    r"|[^\s\w]",
    re.ASCII,
)
# What sparse reads and a compiler does not (from 2.5.68 on).
_ANNOTATIONS = frozenset(("__user", "__kernel", "__iomem", "__force"))
_HEADS = frozenset(("if", "while", "for", "switch"))
_PLAIN_HEADS = frozenset(("else", "do"))
_MEMBER = frozenset(("->", "."))
_LABELS = frozenset(("case", "default"))
_LEAVES = frozenset(("return", "goto", "break", "continue"))
_KEYWORDS = (
    frozenset(
        ("int", "long", "short", "char", "void", "unsigned", "signed", "struct", "union", "enum")
    )
    | frozenset(
        (
            "static",
            "const",
            "register",
            "volatile",
            "sizeof",
            "return",
            "goto",
            "if",
            "else",
            "while",
        )
    )
    | frozenset(("for", "do", "switch", "case", "default", "break", "continue"))
)
_SHORTEST = 2
_DISTINCTIVE = 2
"""A statement with fewer names (``return -EPERM``) is not typical of its function."""


class Token(NamedTuple):
    """A token of C and the offset at which it stands."""

    text: str
    offset: int


class Statement(NamedTuple):
    """A statement, the head of one (``if ( a )``) or a label, without semicolon and braces;
    ``depth`` is its nesting in the function, ``first`` its first token's number there."""

    tokens: tuple[str, ...]
    depth: int
    first: int

    @property
    def is_case(self) -> bool:
        """Whether it is a label of a switch."""
        return self.tokens[0] in _LABELS

    @property
    def leaves(self) -> bool:
        """Whether what stands behind it is not run after it."""
        return self.tokens[0] in _LEAVES


class Function:
    """A function definition, or a macro, of the file ``path`` as statements; ``read`` gives
    these when they are asked for, which most functions of a file never are. A ``static`` one is
    not seen outside its file."""

    def __init__(
        self, path: str, name: str, read: Callable[[], Sequence[Statement]], *, static: bool = False
    ) -> None:
        """``read`` returns the statements; see the class for the rest."""
        self.path = path
        self.name = name
        self.static = static
        self._read = read

    @cached_property
    def statements(self) -> tuple[Statement, ...]:
        """The statements in order."""
        return tuple(self._read())

    @cached_property
    def texts(self) -> tuple[tuple[str, ...], ...]:
        """The statements without their places."""
        return tuple(statement.tokens for statement in self.statements)

    @cached_property
    def distinctive(self) -> Counter[tuple[str, ...]]:
        """How often each statement occurs in it, without those that many functions have."""
        return Counter(text for text in self.texts if len(_find_names(text)) >= _DISTINCTIVE)

    @cached_property
    def longer(self) -> Counter[tuple[str, ...]]:
        """How often each statement occurs in it, without the shortest (``break``, ``else``)."""
        return Counter(text for text in self.texts if len(text) > _SHORTEST)

    @cached_property
    def words(self) -> Counter[str]:
        """How often each name occurs in it."""
        return Counter(token for text in self.texts for token in text if token.isidentifier())

    @cached_property
    def calls(self) -> frozenset[str]:
        """The names that it calls."""
        return frozenset(name for text in self.texts for name in list_called(text))

    @cached_property
    def cases(self) -> frozenset[tuple[str, ...]]:
        """The labels of its switches."""
        return frozenset(statement.tokens for statement in self.statements if statement.is_case)

    def cases_at(self, at: int) -> frozenset[tuple[str, ...]]:
        """The labels that lead to the statement ``at`` in the innermost switch around it."""
        labels: list[tuple[str, ...]] = []
        for text in self.enclosing(at):
            if text[0] in _LABELS:
                labels.append(text)
            elif labels:
                break
        return frozenset(labels)

    def under(self, at: int) -> range:
        """The statements that the head ``at`` decides on."""
        end = at + 1
        while end < len(self.statements) and self.statements[end].depth > self.statements[at].depth:
            end += 1
        return range(at + 1, end)

    def behind(self, at: int) -> range:
        """The statements behind ``at`` in its block, up to a label of the switch it stands in."""
        depth = self.statements[at].depth
        end = at + 1
        while end < len(self.statements):
            statement = self.statements[end]
            if statement.depth < depth or (statement.depth == depth and statement.is_case):
                break
            end += 1
        return range(at + 1, end)

    def enclosing(self, at: int) -> Iterator[tuple[str, ...]]:
        """The heads that decide on the statement ``at``, and the labels of switches that lead to
        it, the innermost first."""
        depth = self.statements[at].depth
        labelled = False
        for index in range(at - 1, -1, -1):
            statement = self.statements[index]
            if statement.depth < depth:
                yield statement.tokens
                depth, labelled = statement.depth, False
            elif statement.depth == depth and statement.is_case and not labelled:
                yield statement.tokens
                # Labels that stand together all lead to what follows them.
                labelled = not self.statements[index - 1].is_case


def _find_names(text: Sequence[str]) -> set[str]:
    """Return the names in a statement, without keywords of C."""
    return {token for token in text if token.isidentifier()} - _KEYWORDS


def list_called(text: Sequence[str]) -> Iterator[str]:
    """Give the names that a statement calls directly, not through a pointer."""
    for before, name, behind in zip(("", *text), text, text[1:], strict=False):
        if behind == "(" and name.isidentifier() and name not in _HEADS and before not in _MEMBER:
            yield name


def split_tokens(code: bytes, start: int, end: int) -> list[Token]:
    """Return the tokens of a stretch of blanked code; offsets count from the start of ``code``."""
    text = code[start:end].decode("latin-1")
    return [
        Token(match.group(), start + match.start())
        for match in _TOKEN.finditer(text)
        if match.group() not in _ANNOTATIONS
    ]


def split_statements(tokens: Sequence[Token]) -> list[Statement]:
    """Return the statements of a function's body, given as tokens without its outer braces."""
    result: list[Statement] = []
    current: list[str] = []
    first = parentheses = 0
    # What encloses the place at hand: a brace, or a head whose statement has no braces.
    open_heads: list[bool] = []

    def finish(*, head: bool = False) -> None:
        nonlocal current, parentheses
        parentheses = 0
        if current:
            result.append(Statement(tuple(current), len(open_heads), first))
            current = []
        if head:
            open_heads.append(True)

    def end() -> None:
        while open_heads and open_heads[-1]:
            open_heads.pop()

    for number, token in enumerate(tokens):
        text = token.text
        if not current:
            first = number
        if text == "{":
            finish()
            if open_heads and open_heads[-1]:
                open_heads[-1] = False
            else:
                open_heads.append(False)
        elif text == "}":
            finish()
            end()
            if open_heads:
                open_heads.pop()
            end()
        elif text == ";" and (parentheses == 0 or current[:1] != ["for"]):
            finish()
            end()
        elif text == ":" and parentheses == 0 and _is_label(current):
            finish()
        else:
            current.append(text)
            if text == "(":
                parentheses += 1
            elif text == ")":
                parentheses -= 1
                if parentheses <= 0 and current[0] in _HEADS:
                    finish(head=True)
            elif len(current) == 1 and text in _PLAIN_HEADS:
                finish(head=True)
    finish()
    return result


def _is_label(current: list[str]) -> bool:
    """Whether the tokens before a colon are a label and not part of an expression."""
    return bool(current) and (
        current[0] in _LABELS or (len(current) == 1 and current[0].isidentifier())
    )
