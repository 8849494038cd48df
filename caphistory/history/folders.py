"""An unpacked kernel as a source of one release, read in place."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from caphistory.errors import CaphistoryError
from caphistory.history import versions
from caphistory.history.kernels import missing_parts, release_of_makefile, release_of_name
from caphistory.history.model import (
    BrokenObject,
    Source,
    SourceSpec,
    TagRef,
    Tags,
    Wanted,
    is_source,
)
from caphistory.history.selection import demand_releases


def blob_id(content: bytes) -> str:
    """Return the git id of a file's content: SHA-1 of ``blob``, its length, a NUL and itself."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def release_of_folder(root: Path, name: str) -> str:
    """Return the release of the kernel in a folder, by its Makefile.

    The oldest Makefiles have no version: then the release is taken from ``name``, such as
    ``linux-0.01``. Raises CaphistoryError where there is no kernel or no release.
    """
    missing = missing_parts_of_folder(root)
    if missing:
        raise CaphistoryError(f"{name} holds no kernel: it has no {missing[0]}")
    release = release_of_makefile(_read(root, "Makefile").decode("latin-1"))
    release = release or release_of_name(name)
    if release is None:
        raise CaphistoryError(
            f"cannot tell which release {name} is: its Makefile has no version, "
            "so name it like linux-0.01"
        )
    return release


def missing_parts_of_folder(root: Path) -> list[str]:
    """Return what a folder lacks to be a kernel (see ``kernels.missing_parts``)."""

    def inside(path: str) -> bool:
        return (root / path).resolve().is_relative_to(root.resolve())

    return missing_parts(
        lambda path: inside(path) and (root / path).is_file(),
        lambda path: inside(path) and (root / path).is_dir(),
    )


def _text(path: str) -> str:
    # As in a repository: a name that is not UTF-8 must not stop what is done with it later.
    return os.fsencode(path).decode("utf-8", errors="replace")


def _read(root: Path, path: str) -> bytes:
    try:
        return (root / path).read_bytes()
    except OSError as error:
        raise CaphistoryError(f"cannot read {root / path}: {error.strerror}") from error


class FolderSource(Source):
    """One kernel in a folder, as one release; links are not followed.

    ``root`` is the root of the kernel; ``name`` what the ``source`` column says; ``release`` the
    release that it is (see ``release_of_folder``); ``blobs`` what a ``spec`` knows of its files.
    """

    in_git = False

    def __init__(
        self,
        root: Path,
        *,
        name: str,
        release: str,
        wanted: Wanted = is_source,
        blobs: Mapping[str, str] | None = None,
    ) -> None:
        self._root = root
        self._wanted = wanted
        self._blobs = dict(blobs or {})
        self._tag = TagRef(release, name, None, None, None, None)
        self.name = name

    @property
    def spec(self) -> SourceSpec:
        return SourceSpec("folder", str(self._root), self.name, self._tag.release, self._blobs)

    def close(self) -> None:
        """Nothing is held."""

    def tags(self, patterns: Sequence[str] = (), *, prereleases: bool = False) -> Tags:
        """See ``Source.tags``: the one release, be it a prerelease or not."""
        matches = versions.match(patterns, self._tag.release)
        return demand_releases(Tags([self._tag] if matches else [], [], 0), self.name, patterns)

    def files(self, tag: TagRef) -> dict[str, str]:
        """See ``Source.files``. Reads every wanted file: its id is made of its content."""
        keep = tag.exclusions.keep
        paths = (path for path in sorted(self._walk()) if keep(path))
        found = {path: blob_id(_read(self._root, path)) for path in paths}
        self._blobs.update((blob, path) for path, blob in found.items())
        return {_text(path): blob for path, blob in found.items()}

    def read(self, blob_id_: str) -> bytes:
        """See ``Source.read``. BrokenObject where the file changed after it was listed."""
        path = self._blobs.get(blob_id_)
        if path is None:
            raise BrokenObject(blob_id_, self.name, "it is missing")
        content = _read(self._root, path)
        if blob_id(content) != blob_id_:
            raise BrokenObject(blob_id_, self.name, f"{path} was changed in the meantime")
        return content

    def _walk(self) -> Iterator[str]:
        folders = [self._root]
        while folders:
            with os.scandir(folders.pop()) as entries:
                for entry in entries:
                    path = Path(entry.path).relative_to(self._root).as_posix()
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(Path(entry.path))
                    elif entry.is_file(follow_symlinks=False) and self._wanted(path):
                        yield path
