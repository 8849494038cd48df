"""The types that all sources of kernels share; ``sources`` opens them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePosixPath
from types import TracebackType
from typing import NamedTuple, TypeVar

from caphistory.errors import CaphistoryError

Wanted = Callable[[str], bool]
"""Takes a path relative to the root of the kernel; tells whether the file matters."""

Progress = Callable[[str, int, int], None]
"""Takes a description of the work, how much of it is done, and the total (0: unknown)."""


class BrokenObject(CaphistoryError):
    """Something in the source is missing or damaged; ``object_id`` is its git id.

    The other releases of the source may still be read.
    """

    def __init__(self, object_id: str, source: str, reason: str) -> None:
        """``reason`` completes the message "object … of ``source`` cannot be read: …"."""
        super().__init__(f"object {object_id} of {source} cannot be read: {reason}")
        self.object_id = object_id


class Exclusions(NamedTuple):
    """What a tree holds that is not part of the release: prefixes of file paths, and names of
    syscalls."""

    paths: tuple[str, ...] = ()
    syscalls: tuple[str, ...] = ()

    def keep(self, path: str) -> bool:
        """Whether a file is part of the release."""
        return not path.startswith(self.paths)


class TagRef(NamedTuple):
    """One release of a source.

    ``release`` is its name without ``v``; ``tag`` what the source calls it (for a tarball or
    folder: its base name); ``commit_sha`` and ``tree`` are hexadecimal git ids, None for what
    is not in git; ``committed`` and ``authored`` are the ISO dates of the commit in its own
    time zone (see ``dates.released`` for what they are worth), None for a commit without a parent.
    ``provenance`` and ``note`` are those of ``records.Release``.

    ``exclusions`` is what whoever made the tree added; none of it counts as part of the release.
    ``lacking`` holds path prefixes of files that this copy of the tree is known to lack.
    """

    release: str
    tag: str
    commit_sha: str | None
    tree: str | None
    committed: str | None
    authored: str | None
    provenance: str = "tree"
    note: str | None = None
    exclusions: Exclusions = Exclusions()
    lacking: tuple[str, ...] = ()


class Tags(NamedTuple):
    """The releases of a source that were asked for, in version order.

    ``skipped`` has (tag, reason) for each requested tag that is not taken;
    ``prereleases_left_out`` counts matching prereleases that nobody asked for.
    """

    releases: list[TagRef]
    skipped: list[tuple[str, str]]
    prereleases_left_out: int


class SourceSpec(NamedTuple):
    """What a worker process needs to open a source again (see ``sources.reopen``).

    ``kind`` is ``repository`` or ``folder``; ``path`` is on this machine; ``name`` is the
    source's name; ``blobs`` maps git ids to the paths of the files listed so far (only for
    folders, which cannot look up an id), so take the spec after ``files``; ``release`` is the
    only release of a folder.
    """

    kind: str
    path: str
    name: str
    release: str | None
    blobs: Mapping[str, str]


_S = TypeVar("_S", bound="Source")


class Source(ABC):
    """A repository, tarball or folder with at least one kernel. A context manager."""

    name: str
    """What the ``source`` column says: never a path of this machine."""

    in_git: bool
    """Whether its releases are commits of a repository."""

    @property
    @abstractmethod
    def spec(self) -> SourceSpec:
        """What ``sources.reopen`` needs to open this source in another process while it is open."""

    @abstractmethod
    def tags(self, patterns: Sequence[str] = (), *, prereleases: bool = False) -> Tags:
        """Return the releases that match one of the patterns (all: no patterns).

        Prereleases are left out unless asked for or named by a pattern without wildcards; a tag
        of a port (``lia64-v2.5.10``) is taken only if a pattern names it exactly. Raises
        CaphistoryError if nothing is left.
        """

    @abstractmethod
    def files(self, tag: TagRef) -> dict[str, str]:
        """Return the git id of every wanted file of a release by its path, in path order.

        A folder that is missing or damaged stands there itself, with ``/`` at its end. Raises
        BrokenObject if the whole tree is.
        """

    @abstractmethod
    def read(self, blob_id: str) -> bytes:
        """Return the content of a file by its git id.

        Reading in path order is several times faster than in random order: adjacent files
        share packed base objects. Raises BrokenObject if the file is missing or damaged.
        """

    @abstractmethod
    def close(self) -> None:
        """Free what the source holds, such as the unpacked files of a tarball."""

    def __enter__(self: _S) -> _S:
        """Return the source itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the source."""
        self.close()


_SUFFIXES = {".c", ".h", ".S", ".s", ".tbl"}


def is_source(path: str) -> bool:
    """Whether a file of a kernel matters here: C, headers, assembler, .tbl tables, Makefiles, and
    Kconfig."""
    name = PurePosixPath(path).name
    builds = name == "Makefile" or name.startswith("Kconfig")
    return builds or name[name.rfind(".") :] in _SUFFIXES
