"""Opening a source of kernels, whatever it is: a repository by path or address, a tarball, a
folder. The parts are in ``repositories``, ``tarballs``, ``folders`` and ``cloning``; the types
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
"""Where in the cache its clone is."""


def no_progress(what: str, done: int, total: int) -> None:
    """Show nothing: the ``Progress`` of what nobody watches."""


def _no_warning(line: str) -> None:
    pass


def open_source(
    spec: str | None,
    *,
    cache_dir: Path,
    progress: Progress = no_progress,
    warn: Callable[[str], None] = _no_warning,
    wanted: Wanted = is_source,
) -> Source:
    """Open a source of kernels; use it as a context manager.

    ``spec`` is a git repository (a path, or an address that is cloned to the cache if it is not
    there, and whose new tags are fetched if it is), a tarball, an unpacked kernel, or None for
    the default history. ``cache_dir`` takes clones and, until the source is closed, what is
    unpacked. ``warn`` is told in one line why tags cannot be fetched. ``wanted`` must be a
    function of a module, so that it can be sent to worker processes. Raises CaphistoryError.
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
    """Whether a path looks like a git repository, bare or not."""
    return (path / ".git").exists() or ((path / "HEAD").is_file() and (path / "objects").is_dir())


def _open_clone(
    url: str, folder: Path, progress: Progress, warn: Callable[[str], None], wanted: Wanted
) -> Source:
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
    if not (path / "Makefile").is_file():
        raise CaphistoryError(f"{spec} is neither a git repository nor an unpacked kernel")
    root = path.resolve()
    release = release_of_folder(root, root.name)
    return FolderSource(root, name=root.name, release=release, wanted=wanted)


def reopen(spec: SourceSpec, wanted: Wanted = is_source) -> Source:
    """Open a source again, in another process, while the one that gave the spec is open."""
    path = Path(spec.path)
    if spec.release is None:
        return RepositorySource(path, name=spec.name, wanted=wanted)
    return FolderSource(path, name=spec.name, release=spec.release, wanted=wanted, blobs=spec.blobs)
