"""The request that a page answers, and the page itself."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Mapping, MutableMapping
from typing import Any, NamedTuple

from caphistory.errors import UsageError
from caphistory.explorer.addresses import Addresses
from caphistory.questions.names import resolve_abi, resolve_release
from caphistory.questions.queries import ask
from caphistory.records import Row

Question = tuple[str, frozenset[tuple[str, str | None]]]
"""A query by its name, and its parameters."""

Answers = MutableMapping[Question, list[Row]]

#: Queries that many pages run and that look through the whole database: few, or with few rows.
_CACHED = frozenset(
    {
        "abi_list",
        "check_counts",
        "matrix",
        "release_list",
        "syscall_index",
        "transition_ends",
        "usual_abi_list",
    }
)
_CACHED_WHOLE = frozenset(
    {"audit_by_release", "release_changes", "succession_moves", "successions_between"}
)
_NARROWING = ("release", "from", "to", "fate", "privilege")
"""Queries that are cached where none of these parameters narrows them: of one release or pair there
are too many."""

_CACHED_LATELY = frozenset({"capability_list", "documented", "requirement_cells", "known_syscalls"})
_MOST_CACHED = 24
"""Queries about a whole release of which only so many answers are kept, the latest; of one syscall
none is."""


class Asked(NamedTuple):
    """What a reader asks.

    ``connection`` is the database, open for reading; ``parts`` holds the names in the address and
    ``query`` its query string; ``cached`` holds earlier answers, None if the database may change.
    ``remarks`` collects notes for the page on how the request was understood.
    """

    connection: sqlite3.Connection
    parts: Mapping[str, str]
    query: Mapping[str, str]
    addresses: Addresses
    cached: Answers | None
    remarks: list[str]

    def ask(self, name: str, **parameters: str | None) -> list[Row]:
        """Return the rows of the query ``name``; callers must not change them."""
        if not _is_cached(name, parameters):
            return ask(self.connection, name, **parameters)
        return self.keep(name, lambda: ask(self.connection, name, **parameters), **parameters)

    def keep(self, name: str, make: Callable[[], list[Row]], **parameters: str | None) -> list[Row]:
        """Return the rows that ``make`` makes, or made before for the same ``parameters``; callers
        must not change them."""
        if self.cached is None:
            return make()
        question = (name, frozenset(parameters.items()))
        if question not in self.cached:
            self.cached[question] = make()
            _forget(self.cached, name)
        return self.cached[question]

    def given(self, name: str) -> str | None:
        """Return the parameter ``name``, None if it is missing or empty."""
        return self.query.get(name, "").strip() or None

    @property
    def abi(self) -> str | None:
        """The system-call table asked for, None for the default; UsageError if unknown."""
        abi = self.given("abi")
        return abi and resolve_abi(self.connection, abi)

    def release(self, name: str) -> str | None:
        """Return the release that the parameter ``name`` names, None if it is not given."""
        text = self.given(name)
        return text and self.resolve_release(text)

    def resolve_release(self, text: str) -> str:
        """Return the release that ``text`` means; if it is called otherwise, the page says so."""
        named = resolve_release(self.connection, text)
        if named.remark:
            self.remarks.append(named.remark)
        return named.release

    def choice(self, name: str, choices: Collection[str]) -> str | None:
        """Return the parameter ``name``; raise UsageError if it is not one of ``choices``."""
        text = self.given(name)
        if text is None or text in choices:
            return text
        raise UsageError(f"no {name} {text!r}; there are: {', '.join(choices)}")


def _is_cached(name: str, parameters: Mapping[str, str | None]) -> bool:
    # There are too many of these with a release: hundreds.
    whole = name in _CACHED_WHOLE and not any(parameters.get(name) for name in _NARROWING)
    lately = name in _CACHED_LATELY and not parameters.get("syscall")
    return whole or lately or name in _CACHED


def _forget(answers: Answers, name: str) -> None:
    """Drop the oldest answer to the query ``name`` if there are too many."""
    if name in _CACHED_LATELY:
        kept = [question for question in list(answers) if question[0] == name]
        for question in kept[:-_MOST_CACHED]:
            answers.pop(question, None)


class Page(NamedTuple):
    """A page: ``tables`` holds its rows by name, the main ones first, which are also its JSON and
    CSV; ``context`` holds the other values for its template; ``says`` is its answer in a sentence,
    for search engines and for people to whom the address is sent; a ``wide`` page takes the whole
    window; a ``scripted`` one may run the script that filters its list."""

    template: str
    title: str
    tables: Mapping[str, list[Row]]
    context: Mapping[str, Any] = {}
    says: str = ""
    wide: bool = False
    scripted: bool = False


class Redirect(NamedTuple):
    """The address of another page that answers better."""

    address: str


MakePage = Callable[[Asked], Page | Redirect]
