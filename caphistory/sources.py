"""The source text of kernels, where a clone that holds it is on this machine."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import pygit2

from caphistory.errors import CaphistoryError
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
        self._tree = repository[commit_sha].peel(pygit2.Tree)

    def function(self, path: str, name: str) -> FunctionText | None:
        """The definition of ``name`` in the file ``path``, None where there is none."""
        try:
            file = self._tree[path]
        except KeyError:
            return None
        return function_text(file.data, path, name) if isinstance(file, pygit2.Blob) else None


def function_text(source: bytes, path: str, name: str) -> FunctionText | None:
    """The first definition of the function ``name`` in a file's content, None without one."""
    blob, items = read(source)
    for placed in blob.items:
        for function in items[placed.key].functions:
            if function.name == name:
                lines = _decoded(source).split("\n")[placed.line - 1 : placed.line + function.end]
                text = "\n".join(line.expandtabs(8) for line in lines).rstrip()
                return FunctionText(name, path, placed.line, text)
    return None


def _decoded(source: bytes) -> str:
    # Comments of the kernel before 2.6 are in Latin-1.
    try:
        return source.decode("utf-8")
    except UnicodeDecodeError:
        return source.decode("latin-1")


def cached_repositories() -> list[Path]:
    """The clones that ``caphistory index`` made."""
    from platformdirs import user_cache_dir

    return sorted(Path(user_cache_dir("caphistory")).glob("*.git"))


def open_kernel(release: str, commit_sha: str | None, repositories: Sequence[Path]) -> KernelSource:
    """The source of ``release``, which is ``commit_sha``, from the first of ``repositories``
    that has it; CaphistoryError where none has."""
    if commit_sha is None:
        raise CaphistoryError(f"{release} was not read from a git repository: its source is gone")
    for repository in _opened(repositories):
        if commit_sha in repository:
            return KernelSource(repository, commit_sha)
    raise CaphistoryError(
        f"the source of {release} is not on this machine: `caphistory index` clones the default"
        " history, and --repository names another clone that has it"
    )


def _opened(paths: Iterable[Path]) -> Iterable[pygit2.Repository]:
    for path in paths:
        try:
            yield pygit2.Repository(str(path))
        except pygit2.GitError as error:
            raise CaphistoryError(f"{path} is not a git repository that can be read") from error
