"""Measures what the engine takes of a release alone, from nothing, beside a mere parse.

    python -m tests.benchmarks.engine [SOURCE] [--tag PATTERN ...] [--jobs N]

prints for each release, in processor seconds: the floor (every distinct C file and header read from
the source and parsed once with tree-sitter), what the engine takes to read them and to link the
release (every system-call table), and the largest memory of the process so far.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import tree_sitter_c
from tree_sitter import Language, Parser

from caphistory.engine import open_engine
from caphistory.history.model import BrokenObject, Source, TagRef
from caphistory.history.sources import open_source
from caphistory.history.versions import kind, position, series
from caphistory.indexing.linker import Work, link_releases
from caphistory.paths import cache_folder
from caphistory.records import Release

T = TypeVar("T")


def timed(work: Callable[[], T]) -> tuple[T, float]:
    """What ``work`` gives, and the processor seconds that it takes on all threads."""
    began = time.process_time()
    result = work()
    return result, time.process_time() - began


def parse_all(source: Source, tag: TagRef) -> tuple[int, int]:
    """Read and parse every distinct C file once; how many there are, and how many bytes."""
    parser = Parser(Language(tree_sitter_c.language()))
    files = size = 0
    for blob in {blob for path, blob in source.files(tag).items() if path.endswith((".c", ".h"))}:
        try:
            content = source.read(blob)
        except BrokenObject:  # large headers that a stored copy lacks
            continue
        parser.parse(content)
        files += 1
        size += len(content)
    return files, size


def measure(source: Source, tag: TagRef, jobs: int) -> str:
    """A line of the table for one release."""
    (files, size), floor = timed(lambda: parse_all(source, tag))
    release = Release(
        tag.release,
        series(tag.release),
        kind(tag.release),
        position(tag.release),
        None,
        source.name,
        None,
    )
    work = Work(source, tag, release)
    (done,), whole = timed(lambda: list(link_releases([work], open_engine(jobs), jobs)))
    rows = len(done.linked.syscall_checks) if done.linked else 0
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    return (
        f"| {tag.release} | {files:,} | {size / 1e6:,.0f} MB | {floor:.1f} s | {whole:.1f} s"
        f" | {whole / floor:.2f} | {rows:,} | {memory:.1f} GB |"
    )


def main() -> None:
    """Print a Markdown table, a line for each release as soon as it is measured."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.engine")
    parser.add_argument("source", nargs="?", help="as of caphistory index (the default history)")
    parser.add_argument("--tag", action="append", default=[], metavar="PATTERN")
    parser.add_argument("--jobs", type=int, default=2)
    asked = parser.parse_args()
    print("| release | files | text | floor | read and linked | ratio | rows | memory |")
    print("|---|--:|--:|--:|--:|--:|--:|--:|", flush=True)
    with open_source(asked.source, cache_dir=Path(cache_folder())) as source:
        for tag in source.tags(asked.tag).releases:
            print(measure(source, tag, asked.jobs), flush=True)


if __name__ == "__main__":
    main()
