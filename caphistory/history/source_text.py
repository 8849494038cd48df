"""The source text of kernels, where a clone that holds it is on this machine."""

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
    tabs and ends without a line end."""

    function: str
    path: str
    line: int
    text: str


class KernelSource:
    """One commit of a repository, to read functions from. Where its tree is no kernel, but one of
    its folders is, that folder is meant (``release`` names it where there are several)."""

    def __init__(
        self, repository: pygit2.Repository, commit_sha: str, release: str | None = None
    ) -> None:
        self._repository = repository.path
        self._tree = find_kernel(repository[commit_sha].peel(pygit2.Tree), release)

    def blob(self, path: str) -> str | None:
        """The git id of the content of the file ``path``, None where there is none; CaphistoryError
        where the repository lacks it."""
        file = self._file(path)
        return None if file is None else str(file.id)

    def content(self, path: str) -> bytes | None:
        """The content of the file ``path``, None where there is none; CaphistoryError where the
        repository lacks it."""
        file = self._file(path)
        with self._reading(path):
            return None if file is None else file.data

    def _file(self, path: str) -> pygit2.Blob | None:
        if path not in self._tree:
            return None
        with self._reading(path):
            file = self._tree[path]
        return file if isinstance(file, pygit2.Blob) else None

    @contextmanager
    def _reading(self, path: str) -> Iterator[None]:
        try:
            yield
        except (pygit2.GitError, KeyError, OSError) as error:
            raise CaphistoryError(f"{path} cannot be read from {self._repository}") from error

    def files(self) -> dict[str, str]:
        """The git id of every file by its path, without the folders that the repository lacks."""
        return dict(_files(self._tree))

    def changed(self, later: KernelText) -> list[str]:
        """The paths of the files that ``later`` has not, or otherwise, and of those that it has
        alone; in order."""
        if isinstance(later, KernelSource) and self._repository == later._repository:
            deltas = self._tree.diff_to_tree(later._tree).deltas
            files = (file for delta in deltas for file in (delta.old_file, delta.new_file))
            return sorted({file.path for file in files})
        return _changed(self.files(), later.files())

    def function(self, path: str, name: str) -> FunctionText | None:
        """The definition of ``name`` in the file ``path``, None where there is none."""
        content = self.content(path)
        return None if content is None else function_text(content, path, name)


class ArchiveText:
    """The only release of a source that is no repository, to compare it with others."""

    def __init__(self, source: Source, tag: TagRef) -> None:
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
        """The git id of every file that matters, by its path."""
        return self._files

    def changed(self, later: KernelText) -> list[str]:
        """See ``KernelSource.changed``."""
        return _changed(self._files, later.files())


KernelText = KernelSource | ArchiveText


def _changed(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    return sorted({path for path, _ in before.items() ^ after.items()})


def _files(tree: pygit2.Tree, folder: str = "") -> Iterator[tuple[str, str]]:
    """The path of each file under a folder, and the git id of its content."""
    try:
        entries = list(tree)
    except (pygit2.GitError, KeyError, OSError):
        return
    for entry in entries:
        path = f"{folder}{entry.name}"
        if isinstance(entry, pygit2.Tree):
            yield from _files(entry, f"{path}/")
        else:
            yield path, str(entry.id)


def function_text(source: bytes, path: str, name: str) -> FunctionText | None:
    """The first definition of the function ``name`` in a file's content, None without one."""
    for function in _functions(source):
        if function.name == name:
            lines = _decoded(source).split("\n")[function.first - 1 : function.last]
            text = "\n".join(line.expandtabs(8) for line in lines).rstrip()
            return FunctionText(name, path, function.first, text)
    return None


@lru_cache(maxsize=32)
def _functions(source: bytes) -> list[Definition]:
    # Often several functions of one file stand on a chain.
    return read_functions(source)


def _decoded(source: bytes) -> str:
    # Comments of the kernel before 2.6 are in Latin-1.
    try:
        return source.decode("utf-8")
    except UnicodeDecodeError:
        return source.decode("latin-1")


def cached_repositories() -> list[Path]:
    """The clones that ``caphistory index`` made."""
    return sorted(cache_folder().glob("*.git"))


def open_kernel(release: str, commit_sha: str | None, repositories: Sequence[Path]) -> KernelSource:
    """The source of ``release``, which is ``commit_sha``, from the first of ``repositories``
    that has it; CaphistoryError where none has."""
    if commit_sha is None:
        raise CaphistoryError(f"{release} was not read from a git repository: its source is gone")
    for repository in open_repositories(repositories):
        if _holds(repository, commit_sha):
            return KernelSource(repository, commit_sha, release)
    raise CaphistoryError(
        f"the source of {release} is not on this machine: `caphistory index` clones the default"
        " history, and --repository names another clone that has it"
    )


def holds_commit(commit_sha: str, repositories: Iterable[pygit2.Repository]) -> bool:
    """Whether one of the repositories has a commit."""
    return any(_holds(repository, commit_sha) for repository in repositories)


def _holds(repository: pygit2.Repository, commit_sha: str) -> bool:
    try:
        return commit_sha in repository
    except ValueError:
        # No name of a commit at all: a database may hold any text.
        return False


def open_repositories(paths: Iterable[Path]) -> Iterator[pygit2.Repository]:
    """Open repositories, each when it is asked for. Raises CaphistoryError for what is none."""
    for path in paths:
        yield open_repository(path, search=True)
