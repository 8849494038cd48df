"""What means something else than before, and what that makes worthless of what was worked out.

What an answer depends on is a set of strings: the names that were looked up for it, the files in
which they were, and ``tag>member`` for each member of a struct that was looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from typing import TypeVar

from caphistory.syntax.facts import Struct

K = TypeVar("K")

# Stands for all members of a struct, in their order.
ALL_MEMBERS = "#"


def member_of(tag: str, member: str) -> str:
    """How an answer notes that it depends on a member of a struct."""
    return f"{tag}>{member}"


class News:
    """What means something else than when somebody asked last: names, each with the files in
    which it does (None: in any); and the names that are ``called`` in files that changed."""

    def __init__(self) -> None:
        self.names: dict[str, set[str] | None] = {}
        self.called: set[str] = set()

    def add(self, name: str, path: str) -> None:
        """A name means something else in a file."""
        files = self.names.setdefault(name, set())
        if files is not None:
            files.add(path)

    def add_everywhere(self, names: Iterable[str]) -> None:
        """Names may mean something else in any file."""
        self.names.update(dict.fromkeys(names))

    def touched(self, asked: Mapping[K, Set[str]]) -> set[K]:
        """Those of some answers, each with what it depends on, that may be others now."""
        names = set(self.names)
        return {
            answer
            for answer, needed in asked.items()
            if not names.isdisjoint(needed)
            and any(
                files is None or not files.isdisjoint(needed)
                for files in (self.names[name] for name in names & needed)
            )
        }


def different(before: Mapping[str, object], now: Mapping[str, object]) -> set[str]:
    """The keys under which two mappings do not hold the same."""
    return {key for key in before.keys() | now.keys() if before.get(key) != now.get(key)}


def different_members(
    tag: str, before: Sequence[Struct] | None, now: Sequence[Struct] | None
) -> Iterator[str]:
    """The members that differ between two versions of a struct, as answers note them; none where
    it has one version only."""
    if before and now:
        old, new = (_types(widest(one)) for one in (before, now))
        yield from (member_of(tag, member) for member in different(old, new))
        yield member_of(tag, ALL_MEMBERS)


def widest(structs: Sequence[Struct]) -> Struct:
    """Of several definitions in one file (#ifdef), the one with the most members."""
    return max(structs, key=lambda struct: len(struct.members))


def _types(struct: Struct) -> dict[str, str]:
    """The members' types by name; of several with one name the first counts."""
    return {member.name: member.type for member in reversed(struct.members)}
