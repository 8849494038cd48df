"""The least that reading a history can take: every distinct C file and header read once, in path
order, and parsed once with tree-sitter, and nothing else.

    python -m tests.benchmarks.floor JOBS REPOSITORY [PATTERN...]

Without a pattern it takes every tag, prereleases too.
"""

from __future__ import annotations

import multiprocessing
import sys
from collections.abc import Sequence
from pathlib import Path

import pygit2
import tree_sitter_c
from tree_sitter import Language, Parser

from caphistory.history.sources import Source, TagRef, open_source

_TOGETHER = 200


def releases(source: Source, patterns: Sequence[str]) -> list[TagRef]:
    """The releases that match one of the patterns, in version order; all: no patterns."""
    return source.tags(patterns, prereleases=not patterns).releases


def files(source: Source, tags: Sequence[TagRef]) -> list[str]:
    """The git ids of all distinct C files and headers of these releases, in path order."""
    found = {
        (path, blob)
        for tag in tags
        for path, blob in source.files(tag).items()
        if path.endswith((".c", ".h"))
    }
    return list(dict.fromkeys(blob for _, blob in sorted(found)))


def text_bytes(repository: Path, blobs: Sequence[str]) -> int:
    """How much text that is."""
    opened = pygit2.Repository(str(repository))
    return sum(opened[blob].size for blob in blobs)  # type: ignore[attr-defined]


class _Parsing:
    """A process that parses; its parser and repository are opened once."""

    def __init__(self, repository: str) -> None:
        self.repository = pygit2.Repository(repository)
        self.parser = Parser(Language(tree_sitter_c.language()))


_here: list[_Parsing] = []


def _begin(repository: str) -> None:
    _here.append(_Parsing(repository))


def _parse(blobs: Sequence[str]) -> None:
    for blob in blobs:
        _here[0].parser.parse(_here[0].repository.read(blob)[1])


def main(jobs: int, repository: Path, patterns: Sequence[str]) -> None:
    """Read and parse."""
    with open_source(str(repository), cache_dir=Path()) as source:
        blobs = files(source, releases(source, patterns))
    parts = [blobs[at : at + _TOGETHER] for at in range(0, len(blobs), _TOGETHER)]
    spawn = multiprocessing.get_context("spawn")
    with spawn.Pool(jobs, _begin, (str(repository),)) as pool:
        for _ in pool.imap_unordered(_parse, parts):
            pass
        pool.close()
        pool.join()


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
