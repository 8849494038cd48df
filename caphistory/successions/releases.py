"""Compare the checks of two releases, from the text of both."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Sequence
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from caphistory.errors import CaphistoryError
from caphistory.successions.contexts import File, Site, read_file
from caphistory.successions.matching import Match, Side, match

READER_VERSION = "1"
"""Raised whenever other successions are found in the same text."""

# A release is compared with the one before it on its line, from which prereleases lead to it.
_VERSIONS = 4
"""How many versions of a file are kept."""


class Text(Protocol):
    """The files of a release (``history.source_text.KernelSource``)."""

    def blob(self, path: str) -> str | None:
        """The git id of a file's content, None where there is no file."""

    def content(self, path: str) -> bytes | None:
        """The content of a file, None where there is none; CaphistoryError where it cannot be
        read."""

    def changed(self, later: Any) -> Sequence[str]:
        """The paths of the files that differ in ``later``, which is a ``Text`` of the same kind."""


class Release(Protocol):
    """A stored release (``store.successions.End``)."""

    @property
    def position(self) -> int:
        """Its place among all releases."""


ReleaseT = TypeVar("ReleaseT", bound=Release)
TextT = TypeVar("TextT", bound=Text)


class Checked(NamedTuple):
    """The check sites of a release, with its text; ``wrappers`` are names of checks besides
    their own."""

    sites: Sequence[Site]
    wrappers: Collection[str]
    text: Text


class Comparing:
    """Compares releases, one pair after the other: what was read for the one before is not read
    again."""

    def __init__(self) -> None:
        """Begin with nothing read."""
        self._read: dict[str, dict[Hashable, File]] = {}

    def compare(
        self,
        before: Checked,
        after: Checked,
        changed: Sequence[str],
    ) -> list[Match]:
        """Return what became of each site; ``changed`` are the paths of the files that differ. The
        sites of the other files are the same in both: nothing is said of them unless others joined
        them. Nor is anything said of a file that cannot be read in one of both."""
        sides = (before, after)
        by_path = [_group_by_path(release.sites) for release in sides]
        holding = by_path[0].keys() | by_path[1].keys()
        self._read = {path: self._read.get(path, {}) for path in holding}
        files: list[list[File]] = [[], []]
        for path in (path for path in changed if path in holding):
            try:
                versions = [
                    list(self._read_file(release, path, sites.get(path, ())))
                    for release, sites in zip(sides, by_path, strict=True)
                ]
            except CaphistoryError:
                continue
            for read, version in zip(files, versions, strict=True):
                read += version
        same = holding - set(changed)
        settled = [site for path, sites in by_path[1].items() if path in same for site in sites]
        others = [path for path in changed if path not in holding]
        return match(
            Side(files[0]),
            Side(files[1], settled),
            lambda names: _read_gaining(before.text, after.text, names, others),
        )

    def _read_file(self, release: Checked, path: str, sites: Sequence[Site]) -> Iterator[File]:
        """Give the file at a path of a release, if there is one, read or kept from before."""
        blob = release.text.blob(path)
        if blob is None:
            return
        versions = self._read[path]
        key = blob, tuple(sites), release.wrappers if sites else None
        file = versions.pop(key, None)
        if file is None:
            content = release.text.content(path) or b""
            earlier = next(reversed(versions.values()), None)
            file = read_file(path, content, sites, release.wrappers, earlier)
        versions[key] = file
        if len(versions) > _VERSIONS:
            del versions[next(iter(versions))]
        yield file


class Comparer(Generic[ReleaseT, TextT]):
    """Compares stored releases, one pair after the other: what two pairs have in common is read
    once. ``sites`` and ``wrappers`` give what is stored of the release at a position, ``text``
    opens its source."""

    def __init__(
        self,
        sites: Callable[[int], Iterable[tuple[Any, ...]]],
        wrappers: Callable[[int], Collection[str]],
        text: Callable[[ReleaseT], TextT],
    ) -> None:
        """See the class for the arguments."""
        self._sites = sites
        self._wrappers = wrappers
        self._text = text
        self._comparing = Comparing()
        self._ends: dict[int, tuple[Checked, TextT]] = {}

    def matches(self, before: ReleaseT, after: ReleaseT) -> list[Match]:
        """Return what became of the check sites of one release in another. Raises CaphistoryError
        if the text of one is not at hand."""
        ends = (before, after)
        self._ends = {
            end.position: self._ends.get(end.position) or self._open_end(end) for end in ends
        }
        (old, old_text), (new, new_text) = (self._ends[end.position] for end in ends)
        return self._comparing.compare(old, new, old_text.changed(new_text))

    def forget(self) -> None:
        """Read everything anew: what an error left behind may be half done."""
        self._comparing = Comparing()
        self._ends = {}

    def _open_end(self, end: ReleaseT) -> tuple[Checked, TextT]:
        """Return what is to be compared of a stored release, and its text."""
        text = self._text(end)
        # A stored site has its name before what a site here has.
        sites = [Site(*site[1:]) for site in self._sites(end.position)]
        return Checked(sites, self._wrappers(end.position), text), text


def _group_by_path(sites: Sequence[Site]) -> dict[str, list[Site]]:
    """Return the sites by path."""
    by_path: dict[str, list[Site]] = {}
    for site in sites:
        by_path.setdefault(site.path, []).append(site)
    return by_path


def _read_gaining(
    before: Text, after: Text, names: Collection[str], paths: Sequence[str]
) -> Iterator[File]:
    """Give the files of ``paths`` that name one of ``names`` and did not before."""
    spelt = [name.encode() for name in names]
    wanted = re.compile(rb"\b(?:" + b"|".join(map(re.escape, spelt)) + rb")\s*\(")
    for path in paths:
        if not path.endswith((".c", ".h")):
            continue
        try:
            content = after.content(path) or b""
            # A search for each name is quicker than one for all of them, and most files have none.
            named = any(name in content for name in spelt)
            calls = set(wanted.findall(content)) if named else set()
            gained = calls and calls - set(wanted.findall(before.content(path) or b""))
        except CaphistoryError:
            continue
        if gained:
            yield read_file(path, content)
