"""The source text of kernels, where a clone that holds it is on this machine."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import pygit2

from caphistory.errors import CaphistoryError
from caphistory.history.opening import open_repository
from caphistory.paths import cache_folder
from caphistory.syntax.items import Extent, cut
from caphistory.syntax.lexical import Scan, scan
from caphistory.syntax.reader import read


class FunctionText(NamedTuple):
    """A function's definition: ``line`` is its first line in ``path``, and ``text`` has no
    tabs and ends without a line end."""

    function: str
    path: str
    line: int
    text: str


class KernelSource:
    """One commit of a repository, to read functions from."""

    def __init__(self, repository: pygit2.Repository, commit_sha: str) -> None:
        self._repository = repository.path
        self._tree = repository[commit_sha].peel(pygit2.Tree)

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

    def changed(self, later: KernelSource) -> list[str]:
        """The paths of the files that ``later`` has not, or otherwise, and of those that it has
        alone; in order."""
        if self._repository == later._repository:
            deltas = self._tree.diff_to_tree(later._tree).deltas
            files = (file for delta in deltas for file in (delta.old_file, delta.new_file))
            return sorted({file.path for file in files})
        one, other = (set(_files(tree)) for tree in (self._tree, later._tree))
        return sorted({path for path, _ in one ^ other})

    def function(self, path: str, name: str) -> FunctionText | None:
        """The definition of ``name`` in the file ``path``, None where there is none."""
        content = self.content(path)
        return None if content is None else function_text(content, path, name)


def _files(tree: pygit2.Tree, folder: str = "") -> Iterator[tuple[str, str]]:
    """The path of each file under a folder, and the git id of its content."""
    for entry in tree:
        path = f"{folder}{entry.name}"
        if isinstance(entry, pygit2.Tree):
            yield from _files(entry, f"{path}/")
        else:
            yield path, str(entry.id)


def function_text(source: bytes, path: str, name: str) -> FunctionText | None:
    """The first definition of the function ``name`` in a file's content, None without one."""
    scanned, extents = _cut(source)
    # SYSCALL_DEFINE3(chown, …) defines sys_chown.
    named = re.compile(rb"\b(?:sys_)?%s\b" % re.escape(name.removeprefix("sys_").encode()))
    for extent in extents:
        # Reading all that a file holds takes many times as long as finding where it stands.
        if extent.body is None or not named.search(source, extent.start, extent.body):
            continue
        blob, items = read(source[extent.start : extent.end])
        for placed in blob.items:
            for function in items[placed.key].functions:
                if function.name == name:
                    line = scanned.line(extent.start) + placed.line - 1
                    lines = _decoded(source).split("\n")[line - 1 : line + function.end]
                    text = "\n".join(line.expandtabs(8) for line in lines).rstrip()
                    return FunctionText(name, path, line, text)
    return None


@lru_cache(maxsize=32)
def _cut(source: bytes) -> tuple[Scan, list[Extent]]:
    # Often several functions of one file stand on a chain.
    scanned = scan(source)
    return scanned, cut(scanned)


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
    for repository in _opened(repositories):
        if _holds(repository, commit_sha):
            return KernelSource(repository, commit_sha)
    raise CaphistoryError(
        f"the source of {release} is not on this machine: `caphistory index` clones the default"
        " history, and --repository names another clone that has it"
    )


def _holds(repository: pygit2.Repository, commit_sha: str) -> bool:
    try:
        return commit_sha in repository
    except ValueError:
        # No name of a commit at all: a database may hold any text.
        return False


def _opened(paths: Iterable[Path]) -> Iterable[pygit2.Repository]:
    for path in paths:
        yield open_repository(path, search=True)
