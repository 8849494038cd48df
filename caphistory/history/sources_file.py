"""Read a file that lists sources of kernels (TOML), such as ``data/sources.toml``.

Each ``[[source]]`` is either a repository with its tags or one commit of it, or an archive: a
tarball or an unpacked tree. The keys are those of ``Entry``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from caphistory.errors import CaphistoryError
from caphistory.history.cloning import clone, clone_folder
from caphistory.history.model import (
    Exclusions,
    Progress,
    Source,
    SourceSpec,
    TagRef,
    Tags,
    Wanted,
    is_source,
)
from caphistory.history.repositories import RepositorySource, is_url, name_of_url
from caphistory.history.sources import (
    DEFAULT_FOLDER,
    DEFAULT_URL,
    ignore_progress,
    is_repository,
    open_source,
)
from caphistory.history.tarballs import is_tarball
from caphistory.history.toml import read_toml
from caphistory.history.versions import is_known, match, position, release_name
from caphistory.records import PROVENANCES


class Entry(NamedTuple):
    """One source as the file describes it; ``number`` counts entries from 1.

    ``repository`` is an address or a path from the folder of the file, and names the source;
    ``copies`` are addresses of other repositories that hold the same commits but are smaller or
    easier to get; the first that is on this machine, else the first that can be cloned, will do.
    The repository gives the releases that match ``tags`` (patterns; all of them if the entry has
    neither ``tags`` nor ``commit``), with ``prereleases`` on request; or the one release at
    ``commit``, tagged or not, whose kernel is in ``folder``.

    ``archive`` is the path of a tarball or of an unpacked tree from the folder of the file, or
    its name in a folder of mirrors.

    ``release`` is the name of the release if the Makefile says otherwise; ``provenance`` and
    ``note`` are those of ``records.Release``. ``exclude`` has path prefixes of files, and
    ``exclude_syscalls`` names of syscalls, that whoever made the tree added to Linux. ``lacks``
    has path prefixes of files that are known to be missing from it.
    """

    number: int
    repository: str = ""
    copies: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    prereleases: bool = False
    commit: str = ""
    folder: str = ""
    archive: str = ""
    release: str = ""
    provenance: str = ""
    note: str = ""
    exclude: tuple[str, ...] = ()
    exclude_syscalls: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()

    def describe(self, tag: TagRef) -> TagRef:
        """Return a release of this source with the entry's provenance, note and exclusions."""
        provenance = self.provenance or tag.provenance
        # A commit that imported a tree has the date of the import.
        dated = provenance == "mainline"
        return tag._replace(
            provenance=provenance,
            note=self.note or None,
            committed=tag.committed if dated else None,
            authored=tag.authored if dated else None,
            exclusions=Exclusions(self.exclude, self.exclude_syscalls),
            lacking=self.lacks,
        )


class Listing(NamedTuple):
    """The sources that a file lists, each with its releases, and a line for each entry that cannot
    be used fully."""

    sources: list[Source]
    problems: list[str]


def read_entries(file: Path) -> tuple[list[Entry], list[str]]:
    """Return the valid entries of a file, and a line for each invalid one.

    Raises CaphistoryError if the file cannot be read or has no entries.
    """
    content = read_toml(file)
    listed = content.get("source")
    if not isinstance(listed, list) or not listed or content.keys() != {"source"}:
        raise CaphistoryError(f"{file} lists no sources: it needs [[source]] entries and no others")
    entries: list[Entry] = []
    problems: list[str] = []
    for number, values in enumerate(listed, 1):
        try:
            entries.append(_parse_entry(number, values))
        except CaphistoryError as problem:
            problems.append(f"entry {number}: {problem}")
    return entries, problems


def _parse_entry(number: int, values: object) -> Entry:
    """Return the entry made of the values of a table; raises CaphistoryError with what is wrong."""
    if not isinstance(values, dict):
        raise CaphistoryError("is no table of keys and values")
    for key, value in values.items():
        default = Entry._field_defaults.get(key)
        if default is None:
            keys = ", ".join(Entry._fields[1:])
            raise CaphistoryError(f"unknown key {key}; known are {keys}")
        texts = isinstance(value, list) and all(isinstance(text, str) and text for text in value)
        fits = texts if isinstance(default, tuple) else type(value) is type(default)
        if not fits or value == "":
            kind = {tuple: "a list of texts", bool: "true or false"}.get(type(default), "a text")
            raise CaphistoryError(f"{key} is not {kind}")
    fields: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in values.items()
    }
    entry = Entry(number, **fields)
    _check_entry(entry)
    return entry._replace(release=release_name(entry.release) or entry.release)


def _check_entry(entry: Entry) -> None:
    """Raise CaphistoryError if keys of an entry contradict one another."""
    if bool(entry.repository) == bool(entry.archive):
        raise CaphistoryError("needs a repository or an archive, and not both")
    if entry.commit and (entry.tags or entry.prereleases):
        raise CaphistoryError("has a commit, so it can have no tags and no prereleases")
    if entry.archive and (entry.copies or entry.tags or entry.prereleases or entry.commit):
        raise CaphistoryError("has an archive, so it can have no copies, tags or commit")
    if entry.commit and not re.fullmatch(r"[0-9a-f]{40}", entry.commit):
        raise CaphistoryError(f"commit {entry.commit} is not 40 hexadecimal digits")
    if entry.folder and not entry.commit:
        raise CaphistoryError("has a folder, which goes with a commit only")
    if entry.release and not (entry.commit or entry.archive):
        raise CaphistoryError("has a release, which goes with a commit or an archive only")
    if entry.release and not is_known(entry.release):
        raise CaphistoryError(f"{entry.release} is not the name of a Linux release")
    if entry.provenance and entry.provenance not in PROVENANCES:
        raise CaphistoryError(f"provenance {entry.provenance} is none of {', '.join(PROVENANCES)}")
    if entry.provenance == "defective" and not entry.note:
        raise CaphistoryError("is defective, so it needs a note that names the defects")


def open_listing(
    file: Path,
    *,
    cache_dir: Path,
    mirrors: Sequence[Path] = (),
    prereleases: bool = False,
    needed: Callable[[str], bool] = lambda release: True,
    progress: Progress = ignore_progress,
    wanted: Wanted = is_source,
) -> Listing:
    """Open the sources that a file lists, cloning those that are not on this machine.

    Clones are searched for in the cache and in the folders ``mirrors``, by the names from
    ``_list_clone_names``. ``prereleases`` asks for those of all entries with tags. If an entry
    names the release of an archive and ``needed`` refuses it, the archive is opened only when
    its files are read. If two entries have a release, the first entry wins. Raises
    CaphistoryError if the file cannot be read or has no entries; a fault in one entry is only
    reported in ``problems``.
    """
    entries, problems = read_entries(file)
    opener = _Opener(file.parent, cache_dir, mirrors, prereleases, needed, progress, wanted)
    taken: dict[int, int] = {}
    try:
        for entry in entries:
            try:
                source, tags = opener.open(entry)
            except CaphistoryError as problem:
                problems.append(f"entry {entry.number}: {problem}")
                continue
            problems += _add_releases(entry, source, tags, taken)
    except BaseException:
        opener.close()
        raise
    problems.sort(key=_parse_number)
    return Listing(opener.close_unused(), problems)


def _parse_number(problem: str) -> int:
    """Return the number of the entry that a line of ``problems`` is about."""
    return int(problem.partition(":")[0].removeprefix("entry "))


def _add_releases(
    entry: Entry, source: ListedSource, tags: Sequence[TagRef], taken: dict[int, int]
) -> Iterator[str]:
    """Add the releases that no earlier entry had to a source; give a line for those that one
    had."""
    others: dict[int, list[str]] = {}
    for tag in tags:
        at = position(tag.release)
        if at in taken:
            others.setdefault(taken[at], []).append(tag.release)
        else:
            taken[at] = entry.number
            source.add(tag)
    for number, releases in others.items():
        more = f" and {len(releases) - 1} more" if len(releases) > 1 else ""
        yield f"entry {entry.number}: {releases[0]}{more} is there already from entry {number}"


class ListedSource(Source):
    """A source with the releases that a file lists; it is opened when files are first read."""

    def __init__(self, name: str, open_it: Callable[[], Source], *, in_git: bool) -> None:
        """``open_it`` opens the source itself, at most once."""
        self.name = name
        self.in_git = in_git
        self._open_it = open_it
        self._opened: Source | None = None
        self._tags: list[TagRef] = []

    @property
    def source(self) -> Source:
        """The source itself. Raises CaphistoryError if it cannot be opened."""
        if self._opened is None:
            self._opened = self._open_it()
        return self._opened

    @property
    def spec(self) -> SourceSpec:
        """See ``Source.spec``. Opens the source."""
        return self.source.spec

    @property
    def is_used(self) -> bool:
        """Whether it has a release."""
        return bool(self._tags)

    def add(self, tag: TagRef) -> None:
        """Add one release."""
        self._tags.append(tag)

    def tags(self, patterns: Sequence[str] = (), *, prereleases: bool = False) -> Tags:
        """See ``Source.tags``, but the file chooses the prereleases, and no match is no error."""
        chosen = [
            tag for tag in self._tags if match(patterns, tag.release) or match(patterns, tag.tag)
        ]
        return Tags(sorted(chosen, key=lambda tag: position(tag.release)), [], 0)

    def files(self, tag: TagRef) -> dict[str, str]:
        """See ``Source.files``."""
        return self.source.files(tag)

    def read(self, blob_id: str) -> bytes:
        """See ``Source.read``."""
        return self.source.read(blob_id)

    def close(self) -> None:
        """Close the source if it was opened."""
        if self._opened is not None:
            self._opened.close()


class _Opener:
    """Opens the sources of entries; a repository that several entries share is opened once."""

    def __init__(
        self,
        home: Path,
        cache_dir: Path,
        mirrors: Sequence[Path],
        prereleases: bool,
        needed: Callable[[str], bool],
        progress: Progress,
        wanted: Wanted,
    ) -> None:
        """``home`` is the folder of the file; the rest as in ``open_listing``."""
        self._home = home
        self._cache_dir = cache_dir
        self._mirrors = mirrors
        self._prereleases = prereleases
        self._needed = needed
        self._progress = progress
        self._wanted = wanted
        self._sources: list[ListedSource] = []
        self._repositories: dict[tuple[Path, str], ListedSource] = {}
        self._not_cloned: dict[str, CaphistoryError] = {}

    def close(self) -> None:
        """Close every source."""
        for source in self._sources:
            source.close()

    def close_unused(self) -> list[Source]:
        """Return the sources with a release and close the others."""
        for source in self._sources:
            if not source.is_used:
                source.close()
        return [source for source in self._sources if source.is_used]

    def open(self, entry: Entry) -> tuple[ListedSource, list[TagRef]]:
        """Return the source of an entry and its releases; raises CaphistoryError if there is
        none."""
        if entry.archive:
            return self._open_archive(entry)
        if not entry.commit:
            source, repository = self._open_first_repository(entry)
            prereleases = self._prereleases or entry.prereleases
            tags = repository.tags(entry.tags, prereleases=prereleases).releases
            return source, [entry.describe(tag) for tag in tags]
        source, tag = self._open_commit(entry)
        return source, [entry.describe(tag)]

    def _open_commit(self, entry: Entry) -> tuple[ListedSource, TagRef]:
        """Return the commit of an entry, from the first repository that has it."""
        problem = None
        for source, repository in self._open_repositories(entry):
            try:
                release = entry.release or None
                tag = repository.commit(entry.commit, release=release, folder=entry.folder)
                return source, tag
            except CaphistoryError as error:
                problem = problem or error
        assert problem is not None
        raise problem

    def _open_first_repository(self, entry: Entry) -> tuple[ListedSource, RepositorySource]:
        """Return the first repository that an entry may mean."""
        return next(iter(self._open_repositories(entry)))

    def _open_repositories(self, entry: Entry) -> Iterator[tuple[ListedSource, RepositorySource]]:
        """Give the repositories on this machine that an entry may mean; if there are none, clone
        the first that can be cloned. Raises CaphistoryError if there is none at all."""
        addresses = [entry.repository, *entry.copies]
        name = name_of_url(entry.repository) if is_url(entry.repository) else None
        paths = [path for address in addresses for path in self._find_clones(address)]
        if not paths:
            paths = [self._clone_any([*entry.copies, entry.repository])]
        for path in dict.fromkeys(paths):
            yield self._open_repository(path, name)

    def _open_repository(
        self, path: Path, name: str | None
    ) -> tuple[ListedSource, RepositorySource]:
        """Return the repository at a path, opened once for each name."""
        key = path, name or ""
        if key not in self._repositories:
            opened = RepositorySource(path, name=name, wanted=self._wanted)
            source = ListedSource(opened.name, lambda: opened, in_git=True)
            self._sources.append(source)
            self._repositories[key] = source
        source = self._repositories[key]
        assert isinstance(source.source, RepositorySource)
        return source, source.source

    def _find_clones(self, address: str) -> Iterator[Path]:
        """Give the paths of the clones of a repository on this machine."""
        if not is_url(address):
            path = self._home / Path(address).expanduser()
            if not is_repository(path):
                raise CaphistoryError(f"{address} is no git repository")
            yield path
            return
        cached = self._cache_dir / _name_in_cache(address)
        if is_repository(cached):
            yield cached
        for folder in self._mirrors:
            for name in _list_clone_names(address):
                mirror = _find_repository(folder / name)
                if mirror:
                    yield mirror

    def _clone_any(self, addresses: Sequence[str]) -> Path:
        """Clone the first address that can be cloned and return the path; raises the first error if
        none can."""
        problem = None
        for address in filter(is_url, addresses):
            folder = self._cache_dir / _name_in_cache(address)
            try:
                if address in self._not_cloned:
                    raise self._not_cloned[address]
                clone(address, folder, self._progress)
                return folder
            except CaphistoryError as error:
                self._not_cloned[address] = error
                problem = problem or error
        assert problem is not None
        raise problem

    def _open_archive(self, entry: Entry) -> tuple[ListedSource, list[TagRef]]:
        """Return the source of an archive and its release, opening it only if it is needed."""
        path = self._find_archive(entry.archive)

        def open_it() -> Source:
            return open_source(
                str(path), cache_dir=self._cache_dir, progress=self._progress, wanted=self._wanted
            )

        source = ListedSource(path.resolve().name, open_it, in_git=False)
        if entry.release and not self._needed(entry.release):
            tag = TagRef(entry.release, source.name, None, None, None, None)
        else:
            (tag,) = source.source.tags().releases
            tag = tag._replace(release=entry.release or tag.release)
        self._sources.append(source)
        return source, [entry.describe(tag)]

    def _find_archive(self, archive: str) -> Path:
        """Return the path of a tarball or unpacked tree; raises CaphistoryError if there is
        none."""
        for folder in (self._home, *self._mirrors):
            path = folder / Path(archive).expanduser()
            if is_tarball(path) and path.is_file():
                return path
            if path.is_dir() and not is_repository(path):
                return path
        raise CaphistoryError(f"there is no tarball and no unpacked kernel {archive}")


def _name_in_cache(address: str) -> str:
    """Return the name of the folder in the cache that an address is cloned to."""
    if name_of_url(address) == name_of_url(DEFAULT_URL):
        return DEFAULT_FOLDER
    return clone_folder(address)


def _list_clone_names(address: str) -> list[str]:
    """Return the names of folders that may hold a clone of a repository: for
    ``https://host/owner/name`` ``host+owner+name.git``, ``owner+name``, ``owner/name`` and
    ``name``, with or without ``.git``."""
    name = name_of_url(address)
    names = (
        clone_folder(address).removesuffix(".git"),
        name.replace("/", "+"),
        name,
        name.rpartition("/")[2],
    )
    return [f"{folder}{suffix}" for folder in names for suffix in ("", ".git")]


def _find_repository(folder: Path) -> Path | None:
    """Return the folder if it is a repository, else the only repository in it."""
    if is_repository(folder):
        return folder
    with suppress(OSError):
        inside = [path for path in folder.iterdir() if is_repository(path)]
        if len(inside) == 1:
            return inside[0]
    return None
