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


def hash_blob(content: bytes) -> str:
    """Return the git id of a file's content: SHA-1 of ``blob``, its length, a NUL and itself."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def release_of_folder(root: Path, name: str) -> str:
    """Return the release of the kernel in a folder, by its Makefile.

    The oldest Makefiles have no version: then ``name``, such as ``linux-0.01``, gives the
    release. Raises CaphistoryError if the folder holds no kernel or neither gives a release.
    """
    missing = missing_parts_of_folder(root)
    if missing:
        raise CaphistoryError(f"{name} holds no kernel: it has no {missing[0]}")
    release = release_of_makefile(_read_file(root, "Makefile").decode("latin-1"))
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


def _decode_path(path: str) -> str:
    """Return a path as UTF-8 text, as a repository gives it; bad bytes are replaced."""
    # A name that is not UTF-8 must not break anything that uses it later.
    return os.fsencode(path).decode("utf-8", errors="replace")


def _read_file(root: Path, path: str) -> bytes:
    """Return the content of a file; raises CaphistoryError if it cannot be read."""
    try:
        return (root / path).read_bytes()
    except OSError as error:
        raise CaphistoryError(f"cannot read {root / path}: {error.strerror}") from error


class FolderSource(Source):
    """One kernel in a folder, as one release; links are not followed.

    ``root`` is the root of the kernel; ``name`` what the ``source`` column says; ``release`` its
    release (see ``release_of_folder``); ``blobs`` the paths by git id from a ``spec``.
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
        """See the class for the arguments; ``wanted`` says which files matter."""
        self._root = root
        self._wanted = wanted
        self._blobs = dict(blobs or {})
        self._tag = TagRef(release, name, None, None, None, None)
        self.name = name

    @property
    def spec(self) -> SourceSpec:
        """See ``Source.spec``."""
        return SourceSpec("folder", str(self._root), self.name, self._tag.release, self._blobs)

    def close(self) -> None:
        """Do nothing: a folder source holds nothing open."""

    def tags(self, patterns: Sequence[str] = (), *, prereleases: bool = False) -> Tags:
        """See ``Source.tags``: the one release, even if it is a prerelease."""
        matches = versions.match(patterns, self._tag.release)
        return demand_releases(Tags([self._tag] if matches else [], [], 0), self.name, patterns)

    def files(self, tag: TagRef) -> dict[str, str]:
        """See ``Source.files``. Reads every wanted file, because its id is a hash of its
        content."""
        keep = tag.exclusions.keep
        paths = (path for path in sorted(self._walk()) if keep(path))
        blobs = {path: hash_blob(_read_file(self._root, path)) for path in paths}
        self._blobs.update((blob, path) for path, blob in blobs.items())
        return {_decode_path(path): blob for path, blob in blobs.items()}

    def read(self, blob_id: str) -> bytes:
        """See ``Source.read``. Raises BrokenObject if the file changed after it was listed."""
        path = self._blobs.get(blob_id)
        if path is None:
            raise BrokenObject(blob_id, self.name, "it is missing")
        content = _read_file(self._root, path)
        if hash_blob(content) != blob_id:
            raise BrokenObject(blob_id, self.name, f"{path} was changed in the meantime")
        return content

    def _walk(self) -> Iterator[str]:
        """Give the path of every wanted file, in no particular order."""
        folders = [self._root]
        while folders:
            with os.scandir(folders.pop()) as entries:
                for entry in entries:
                    path = Path(entry.path).relative_to(self._root).as_posix()
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(Path(entry.path))
                    elif entry.is_file(follow_symlinks=False) and self._wanted(path):
                        yield path
