"""What each capability permits, in the project's own words (``data/capabilities.toml``)."""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

from caphistory.history.toml import read_toml
from caphistory.paths import data_path


class Description(NamedTuple):
    """A capability in words: ``permits`` is one or two sentences, ``words`` are the phrases that a
    person would search for, in lower case."""

    capability: str
    number: int
    permits: str
    words: tuple[str, ...]


@cache
def read_descriptions() -> dict[str, Description]:
    """Return the description of each capability by its name, in the order of the numbers."""
    return {
        name: Description(name, entry["number"], entry["permits"], tuple(entry["words"]))
        for name, entry in read_toml(data_path("capabilities.toml")).items()
    }


def list_numbers() -> dict[int, str]:
    """Return the names of the capabilities by their numbers."""
    return {entry.number: name for name, entry in read_descriptions().items()}


def search_capabilities(text: str) -> list[str]:
    """Return the capabilities whose search words fit ``text``, the best first: those with all of
    its words in one phrase before those with all of them in the whole description. Words of fewer
    than two letters, and such as ``the``, do not count."""
    wanted = _split(text) - _COMMON
    if not wanted:
        return []
    ranked = [
        (rank, entry.number, name)
        for name, entry in read_descriptions().items()
        if (rank := _rank(entry, wanted)) is not None
    ]
    return [name for _, _, name in sorted(ranked)]


_COMMON = {"to", "the", "of", "an", "and", "on", "in", "for", "with", "how", "can", "from", "do"}


def _rank(entry: Description, wanted: set[str]) -> int | None:
    """Return how well a description fits the words: 0 is best; None if it lacks one of them."""
    phrases = [_split(phrase) for phrase in entry.words]
    if wanted in phrases:
        return 0
    if any(wanted <= phrase for phrase in phrases):
        return 1
    whole = set[str]().union(*phrases, _split(entry.permits), _split(entry.capability))
    return 2 if wanted <= whole else None


def _split(text: str) -> set[str]:
    return {word for word in re.findall(r"[a-z0-9]+", text.lower()) if len(word) > 1}
