"""Source text of kernels, read from clones and archives on this machine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import pygit2

from caphistory.definitions import Definition, read_functions
from caphistory.errors import CaphistoryError
from caphistory.history.model import Source, TagRef
from caphistory.history.opening import open_repository
from caphistory.history.repositories import find_kernel
from caphistory.paths import cache_folder


class FunctionText(NamedTuple):
    """A function's definition: ``line`` is its first line in ``path``, and ``text`` has no
    tabs and does not end in a newline."""

    function: str
    path: str
    line: int
    text: str


class KernelSource:
    """The source text of one commit of a repository. If its tree is no kernel but one of its
    folders is, that folder is read (``release`` chooses among several)."""

    def __init__(
        self, repository: pygit2.Repository, commit_sha: str, release: str | None = None
    ) -> None:
        """``commit_sha`` is a commit that ``repository`` has."""
        self._repository = repository.path
        self._tree = find_kernel(repository[commit_sha].peel(pygit2.Tree), release)

    def blob(self, path: str) -> str | None:
        """Return the git id of the file ``path``, None if there is no such file. Raises
        CaphistoryError if the repository lacks its content."""
        file = self._find_file(path)
        return None if file is None else str(file.id)

    def content(self, path: str) -> bytes | None:
        """Return the content of the file ``path``, None if there is no such file. Raises
        CaphistoryError if the repository lacks its content."""
        file = self._find_file(path)
        with self._report_unreadable(path):
            return None if file is None else file.data

    def _find_file(self, path: str) -> pygit2.Blob | None:
        """Return the blob at a path, None if there is none or it is no file."""
        if path not in self._tree:
            return None
        with self._report_unreadable(path):
            file = self._tree[path]
        return file if isinstance(file, pygit2.Blob) else None

    @contextmanager
    def _report_unreadable(self, path: str) -> Iterator[None]:
        """Turn what pygit2 raises about a path into CaphistoryError."""
        try:
            yield
        except (pygit2.GitError, KeyError, OSError) as error:
            raise CaphistoryError(f"{path} cannot be read from {self._repository}") from error

    def files(self) -> dict[str, str]:
        """Return the git id of every file by path, without the folders that the repository
        lacks."""
        return dict(_walk_files(self._tree))

    def changed(self, later: KernelText) -> list[str]:
        """Return the paths of the files that differ in ``later``, are missing from it or are only
        there, sorted."""
        if isinstance(later, KernelSource) and self._repository == later._repository:
            deltas = self._tree.diff_to_tree(later._tree).deltas
            files = (file for delta in deltas for file in (delta.old_file, delta.new_file))
            return sorted({file.path for file in files})
        return _compare_listings(self.files(), later.files())

    def function(self, path: str, name: str) -> FunctionText | None:
        """Return the definition of ``name`` in the file ``path``, None if there is none."""
        content = self.content(path)
        return None if content is None else find_function(content, path, name)


class ArchiveText:
    """The source text of the only release of a tarball or folder."""

    def __init__(self, source: Source, tag: TagRef) -> None:
        """``tag`` is the only release of ``source``, which must stay open."""
        self._source = source
        self._files = source.files(tag)

    def blob(self, path: str) -> str | None:
        """See ``KernelSource.blob``."""
        return self._files.get(path)

    def content(self, path: str) -> bytes | None:
        """See ``KernelSource.content``."""
        blob = self.blob(path)
        return None if blob is None else self._source.read(blob)

    def files(self) -> Mapping[str, str]:
        """Return the git id of every wanted file by path."""
        return self._files

    def changed(self, later: KernelText) -> list[str]:
        """See ``KernelSource.changed``."""
        return _compare_listings(self._files, later.files())


KernelText = KernelSource | ArchiveText


def _compare_listings(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """Return the paths whose git ids differ, and those that only one side has, sorted."""
    return sorted({path for path, _ in before.items() ^ after.items()})


def _walk_files(tree: pygit2.Tree, folder: str = "") -> Iterator[tuple[str, str]]:
    """Give (path, git id) of each file under a tree whose own path is ``folder``."""
    try:
        entries = list(tree)
    except (pygit2.GitError, KeyError, OSError):
        return
    for entry in entries:
        path = f"{folder}{entry.name}"
        if isinstance(entry, pygit2.Tree):
            yield from _walk_files(entry, f"{path}/")
        else:
            yield path, str(entry.id)


def find_function(source: bytes, path: str, name: str) -> FunctionText | None:
    """Return the first definition of ``name`` in a file's content, None if there is none."""
    for function in _read_functions(source):
        if function.name == name:
            lines = _decode(source).split("\n")[function.first - 1 : function.last]
            text = "\n".join(line.expandtabs(8) for line in lines).rstrip()
            return FunctionText(name, path, function.first, text)
    return None


@lru_cache(maxsize=32)
def _read_functions(source: bytes) -> list[Definition]:
    """Return the functions in a file's content, cached."""
    # A chain often passes through several functions of one file.
    return read_functions(source)


def _decode(source: bytes) -> str:
    """Return source text, whatever its encoding."""
    # Comments of the kernel before 2.6 are in Latin-1.
    try:
        return source.decode("utf-8")
    except UnicodeDecodeError:
        return source.decode("latin-1")


class SourceNotHereError(CaphistoryError):
    """No repository on this machine has the source of a release."""


def cached_repositories() -> list[Path]:
    """Return the paths of the clones that ``caphistory index`` made, sorted."""
    return sorted(cache_folder().glob("*.git"))


def open_kernel(release: str, commit_sha: str | None, repositories: Sequence[Path]) -> KernelSource:
    """Return the source of ``release``, the commit ``commit_sha``, from the first of
    ``repositories`` that has it. Raises SourceNotHereError if none has."""
    if commit_sha is None:
        raise CaphistoryError(f"{release} was not read from a git repository: its source is gone")
    for repository in open_repositories(repositories):
        if _has_commit(repository, commit_sha):
            return KernelSource(repository, commit_sha, release)
    raise SourceNotHereError(
        f"the source of {release} is not on this machine: `caphistory index` clones the default"
        " history, and --repository names another clone that has it"
    )


def holds_commit(commit_sha: str, repositories: Iterable[pygit2.Repository]) -> bool:
    """Whether one of the repositories has a commit."""
    return any(_has_commit(repository, commit_sha) for repository in repositories)


def _has_commit(repository: pygit2.Repository, commit_sha: str) -> bool:
    """Whether a repository has a commit; False for text that is no commit id."""
    try:
        return commit_sha in repository
    except ValueError:
        # Not a commit id at all: a database may hold any text.
        return False


def open_repositories(paths: Iterable[Path]) -> Iterator[pygit2.Repository]:
    """Open repositories lazily, in order. Raises CaphistoryError for a path that is none."""
    for path in paths:
        yield open_repository(path, search=True)
