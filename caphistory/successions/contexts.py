"""Find the code around each check of a file.

The text of a file and its check sites go in, contexts come out; git, SQL and releases play no part.
The check itself becomes one token, the same for every check, so that ``suser()`` and
``capable(CAP_X)`` in the same place look the same.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Sequence
from typing import NamedTuple

from caphistory.definitions import Definition, read_functions, read_macros
from caphistory.successions.statements import (
    Function,
    Statement,
    Token,
    split_statements,
    split_tokens,
)

CHECK = "check()"
"""The token that stands for any check."""

_UID = re.compile(r"(?:fs|[es])?uid")
_MEMBER = frozenset(("->", "."))


class Site(NamedTuple):
    """A check site of a release. ``key`` is the caller's own number for it; ``capability`` is None
    where the check names none, and ``argument`` then the text of one that is no constant."""

    key: int
    path: str
    function: str | None
    line: int
    check_name: str
    capability: str | None
    argument: str | None
    effect: str

    @property
    def asks(self) -> tuple[str, str | None, str | None]:
        """What is asked: two checks that ask the same are the same."""
        return self.check_name, self.capability, self.argument


class Context(NamedTuple):
    """A site and where it stands: in the statement ``at`` of ``function``, in which it is the
    check ``number`` (from 0)."""

    site: Site
    function: Function
    at: int
    number: int

    @property
    def statement(self) -> tuple[str, ...]:
        """The tokens of the statement that asks."""
        return self.function.texts[self.at]

    @property
    def guarded(self) -> range:
        """The statements that run with the privilege alone: where the check denies, those behind
        it in its block, else those under it."""
        under = self.function.under(self.at)
        if under and (self.site.effect == "deny" or self.function.statements[under[-1]].leaves):
            return range(under.stop, max(under.stop, self.function.behind(self.at).stop))
        return under


class _Read(NamedTuple):
    """A function as it was read from its text, and the statement of each of its sites in turn."""

    function: Function
    at: tuple[int, ...]


class File(NamedTuple):
    """The functions of a file, and the contexts of its sites, those left out that stand in none.
    ``read`` has what was read by all that it was read from: the text and the sites."""

    functions: list[Function]
    contexts: list[Context]
    read: dict[Hashable, list[_Read]]


def read_file(
    path: str,
    source: bytes,
    sites: Iterable[Site] = (),
    wrappers: Collection[str] = (),
    earlier: File | None = None,
) -> File:
    """Return the functions and contexts of a file's content; ``wrappers`` are the names by which a
    check may be called that are not its own. Functions that did not change since ``earlier``,
    another version of the file, are taken from there."""
    waiting = sorted(sites, key=lambda site: (site.line, site.key))
    file = File([], [], {})
    before = earlier.read if earlier else {}

    def add(definition: Definition, here: list[Site], name: str, static: bool) -> None:
        asked = [(site.line - definition.first, site.function, site.asks) for site in here]
        key = definition.code, tuple(asked), frozenset(wrappers if here else ())
        alike = file.read.setdefault(key, [])
        # Conditionals may choose between two functions that are the same.
        other = before.get(key, [])[len(alike) :]
        read = (
            other[0] if other else _read_definition(path, definition, name, static, here, wrappers)
        )
        alike.append(read)
        file.functions.append(read.function)
        file.contexts.extend(_make_contexts(read, here))

    def take_sites(definition: Definition) -> list[Site]:
        here = [site for site in waiting if definition.first <= site.line <= definition.last]
        waiting[:] = [site for site in waiting if site not in here] if here else waiting
        return here

    for function in read_functions(source):
        add(function, take_sites(function), function.name, function.static)
    for macro in read_macros(source) if waiting else ():
        here = take_sites(macro)
        if here:
            add(macro, here, _find_name(here), True)
    return file


def _read_definition(
    path: str,
    code: Definition,
    name: str,
    static: bool,
    sites: list[Site],
    wrappers: Collection[str],
) -> _Read:
    """Read the function or macro ``code``, with its check sites marked."""
    if not sites:
        text, start = code.code, code.body
        return _Read(Function(path, name, lambda: _read_statements(text, start), static=static), ())
    marked, places = _mark_checks(code, sites, wrappers)
    body = split_statements(marked)
    starts = [statement.first for statement in body]
    at = [max(0, bisect_right(starts, places[site.key]) - 1) for site in sites if body]
    return _Read(Function(path, name, lambda: body, static=static), tuple(at))


def _read_statements(text: bytes, start: int) -> list[Statement]:
    """Return the statements of a body that begins at an offset of ``text``."""
    return split_statements(split_tokens(text, start, len(text)))


def _find_name(sites: Sequence[Site]) -> str:
    """Return the first name of a function among sites, '' if there is none."""
    return next((site.function for site in sites if site.function), "")


def _make_contexts(read: _Read, sites: Sequence[Site]) -> Iterator[Context]:
    """Give the contexts of sites, in turn, in a function that was read."""
    held: Counter[int] = Counter()
    for site, at in zip(sites, read.at, strict=False):
        yield Context(site, read.function, at, held[at])
        held[at] += 1


def _mark_checks(
    code: Definition, sites: list[Site], wrappers: Collection[str]
) -> tuple[list[Token], dict[int, int]]:
    """Return the tokens with ``CHECK`` in place of each check, and for each site's key the number
    of its token."""
    unmarked = split_tokens(code.code, code.body, len(code.code))
    spans = _find_spans(unmarked, code.line, sites, wrappers)
    marked: list[Token] = []
    places: dict[int, int] = {}
    at = 0
    for key, (start, end) in sorted(spans.items(), key=lambda item: item[1]):
        if start >= at:
            marked += unmarked[at:start]
            marked.append(Token(CHECK, unmarked[start].offset) if end > start else unmarked[start])
            at = max(end, start + 1)
        # A wrapper that asks for two capabilities is one token with two sites.
        places[key] = len(marked) - 1
    return marked + unmarked[at:], places


def _find_spans(
    code: list[Token], line: Callable[[int], int], sites: list[Site], wrappers: Collection[str]
) -> dict[int, tuple[int, int]]:
    """Return the span of tokens of each site's check, by key; empty if it cannot be told."""
    spans: dict[int, tuple[int, int]] = {}
    used: defaultdict[tuple[str, str | None, str | None], set[tuple[int, int]]] = defaultdict(set)
    for site in sites:
        begin, end = (
            bisect_left(code, number, key=lambda token: line(token.offset))
            for number in (site.line, site.line + 1)
        )
        here = range(begin, end)
        possible = [span for at in here if (span := _match_check(code, at, site, wrappers))]
        fresh = [span for span in possible if span not in used[site.asks]]
        at = begin if begin < len(code) else 0
        spans[site.key] = min(fresh or possible or [(at, at)])
        used[site.asks].add(spans[site.key])
    return spans if code else {}


def _match_check(
    code: list[Token], at: int, site: Site, wrappers: Collection[str]
) -> tuple[int, int] | None:
    """Return the span of the check whose name, or whose uid, is the token ``at``; None if it is
    none."""
    text = code[at].text
    if text == site.check_name or text in wrappers:
        end = _find_closing(code, at + 1)
        arguments = {token.text for token in code[at:end]}
        named = site.capability is None or text in wrappers or site.capability in arguments
        return (at, end) if named else None
    if site.check_name == "uid0" and _UID.fullmatch(text):
        return _find_comparison(code, at)
    return None


def _find_closing(code: list[Token], at: int) -> int:
    """Return the end of the parentheses that open at ``at``, or ``at`` if none do."""
    depth = 0
    for number in range(at, len(code)):
        depth += {"(": 1, ")": -1}.get(code[number].text, 0)
        if depth <= 0:
            return number + 1 if number > at else at
    return at


def _find_comparison(code: list[Token], at: int) -> tuple[int, int]:
    """Return the span of ``current->euid == 0`` or ``!inode->i_uid``, by its last member."""
    start, end = at, at + 1
    while start >= 2 and code[start - 1].text in _MEMBER:
        start -= 2
    if [token.text for token in code[end : end + 2]] in (["==", "0"], ["!=", "0"]):
        end += 2
    return start, end
