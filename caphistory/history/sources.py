"""Open a source of kernels of any kind: a repository by path or address, a tarball, a folder.

The parts are in ``repositories``, ``tarballs``, ``folders`` and ``cloning``; the types
in ``model``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from caphistory.errors import CaphistoryError
from caphistory.history.cloning import clone, clone_folder, fetch_tags
from caphistory.history.folders import FolderSource, release_of_folder
from caphistory.history.model import (
    BrokenObject,
    Progress,
    Source,
    SourceSpec,
    TagRef,
    Tags,
    Wanted,
    is_source,
)
from caphistory.history.repositories import RepositorySource, is_url, name_of_url
from caphistory.history.tarballs import TarballSource, is_tarball

__all__ = [
    "DEFAULT_FOLDER",
    "DEFAULT_URL",
    "BrokenObject",
    "Progress",
    "Source",
    "SourceSpec",
    "TagRef",
    "Tags",
    "Wanted",
    "is_source",
    "open_source",
    "reopen",
]

DEFAULT_URL = "https://github.com/MaximeChretien/linux-history"
"""The default history: 1,674 tags, 0.01 to 2.6.12-rc1."""

DEFAULT_FOLDER = "linux-history.git"
"""The name of its clone in the cache."""


def ignore_progress(what: str, done: int, total: int) -> None:
    """Show nothing: a ``Progress`` for work that nobody watches."""


def _ignore_warning(line: str) -> None:
    """Drop a warning."""


def open_source(
    spec: str | None,
    *,
    cache_dir: Path,
    progress: Progress = ignore_progress,
    warn: Callable[[str], None] = _ignore_warning,
    wanted: Wanted = is_source,
) -> Source:
    """Open a source of kernels; use it as a context manager.

    ``spec`` is a git repository, a tarball, an unpacked kernel, or None for the default history.
    A repository is a path or an address: it is cloned to the cache on first use, later its new
    tags are fetched. ``cache_dir`` holds clones and, until the source is closed, unpacked files.
    ``warn`` takes one line that says why tags cannot be fetched. ``wanted`` must be defined at
    the top level of a module, so that it can be sent to worker processes. Raises
    CaphistoryError if the source cannot be opened.
    """
    default = cache_dir / DEFAULT_FOLDER
    if spec is None or (is_url(spec) and name_of_url(spec) == name_of_url(DEFAULT_URL)):
        return _open_clone(spec or DEFAULT_URL, default, progress, warn, wanted)
    if is_url(spec):
        return _open_clone(spec, cache_dir / clone_folder(spec), progress, warn, wanted)
    path = Path(spec).expanduser()
    if path.is_file():
        if not is_tarball(path):
            raise CaphistoryError(
                f"{spec} is neither a folder nor a tarball (.tar, .tar.gz, .tar.xz, .tar.bz2)"
            )
        return TarballSource(path, cache_dir=cache_dir, progress=progress, wanted=wanted)
    if not path.is_dir():
        raise CaphistoryError(f"{spec} does not exist")
    if is_repository(path):
        name = name_of_url(DEFAULT_URL) if path.resolve() == default.resolve() else None
        return RepositorySource(path, name=name, wanted=wanted)
    return _open_folder(path, spec, wanted)


def is_repository(path: Path) -> bool:
    """Whether a path looks like a git repository, bare or with a work tree."""
    return (path / ".git").exists() or ((path / "HEAD").is_file() and (path / "objects").is_dir())


def _open_clone(
    url: str, folder: Path, progress: Progress, warn: Callable[[str], None], wanted: Wanted
) -> Source:
    """Clone a repository, or fetch its new tags where the clone exists, and open it."""
    name = name_of_url(url)
    if not folder.exists():
        clone(url, folder, progress)
        return RepositorySource(folder, name=name, wanted=wanted)
    source = RepositorySource(folder, name=name, wanted=wanted)
    try:
        fetch_tags(url, folder, progress)
    except CaphistoryError as problem:
        warn(f"new tags of {name} cannot be fetched ({problem}): going on with its clone as it is")
    return source


def _open_folder(path: Path, spec: str, wanted: Wanted) -> Source:
    """Open an unpacked kernel; raises CaphistoryError if the folder is none."""
    if not (path / "Makefile").is_file():
        raise CaphistoryError(f"{spec} is neither a git repository nor an unpacked kernel")
    root = path.resolve()
    release = release_of_folder(root, root.name)
    return FolderSource(root, name=root.name, release=release, wanted=wanted)


def reopen(spec: SourceSpec, wanted: Wanted = is_source) -> Source:
    """Open a source in another process while the source that gave ``spec`` is still open."""
    path = Path(spec.path)
    if spec.release is None:
        return RepositorySource(path, name=spec.name, wanted=wanted)
    return FolderSource(path, name=spec.name, release=spec.release, wanted=wanted, blobs=spec.blobs)
