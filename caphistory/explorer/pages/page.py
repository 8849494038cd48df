"""What every page is made from, and what it is."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Mapping, MutableMapping
from typing import Any, NamedTuple

from caphistory.errors import UsageError
from caphistory.explorer.addresses import Addresses
from caphistory.questions.names import known_abi, named_release
from caphistory.questions.queries import ask
from caphistory.records import Row

Question = tuple[str, frozenset[tuple[str, str | None]]]
"""A question by its name, and its parameters."""

Answers = MutableMapping[Question, list[Row]]

#: Questions about the whole database, which many pages ask: few different ones, and no long text.
_OF_EVERYTHING = frozenset(
    {"abi_list", "check_counts", "matrix", "release_list", "syscall_index", "transition_ends"}
)


class Asked(NamedTuple):
    """What a reader asks: ``parts`` are the names in the address, ``query`` is what stands
    after the question mark, ``connection`` is the database, open for reading, and ``known`` are
    answers that were found before, where the database stays as it is (else None). ``remarks``
    takes what is to be said on the page of how the question was read."""

    connection: sqlite3.Connection
    parts: Mapping[str, str]
    query: Mapping[str, str]
    addresses: Addresses
    known: Answers | None
    remarks: list[str]

    def ask(self, name: str, **parameters: str | None) -> list[Row]:
        """The rows of the query ``name``, which are not to be changed."""
        if self.known is None or not _is_of_everything(name, parameters):
            return ask(self.connection, name, **parameters)
        question = (name, frozenset(parameters.items()))
        if question not in self.known:
            self.known[question] = ask(self.connection, name, **parameters)
        return self.known[question]

    def given(self, name: str) -> str | None:
        """The parameter ``name``, None where it is missing or empty."""
        return self.query.get(name, "").strip() or None

    @property
    def abi(self) -> str | None:
        """The system-call table that was asked for, None for the default one."""
        abi = self.given("abi")
        return abi and known_abi(self.connection, abi)

    def release(self, name: str) -> str | None:
        """The release that the parameter ``name`` names, None where it is not given."""
        text = self.given(name)
        return text and self.known_release(text)

    def known_release(self, text: str) -> str:
        """The release that ``text`` means; where that is not its name, the page says so."""
        named = named_release(self.connection, text)
        if named.remark:
            self.remarks.append(named.remark)
        return named.release

    def choice(self, name: str, choices: Collection[str]) -> str | None:
        """The parameter ``name``, which must be one of ``choices``."""
        text = self.given(name)
        if text is None or text in choices:
            return text
        raise UsageError(f"no {name} {text!r}; there are: {', '.join(choices)}")


def _is_of_everything(name: str, parameters: Mapping[str, str | None]) -> bool:
    # With a release, there are hundreds of such questions.
    changes = name == "release_changes" and not parameters.get("release")
    return changes or name in _OF_EVERYTHING


class Page(NamedTuple):
    """A page: ``tables`` are its rows by name, the main ones first, which are also what it
    is as JSON and CSV; ``context`` is what its template needs besides."""

    template: str
    title: str
    tables: Mapping[str, list[Row]]
    context: Mapping[str, Any] = {}


class Redirect(NamedTuple):
    """Another page, which answers better."""

    address: str


MakePage = Callable[[Asked], Page | Redirect]
