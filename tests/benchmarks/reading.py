"""Measures how fast files are read, beside parsing alone.

    python -m tests.benchmarks.reading [SOURCE] [--tag PATTERN ...] [--every N]

reads and parses each N-th C file and header of the releases of a source, and prints for each
release the text in MB, the MB for a processor second that tree-sitter parses and that
``syntax.reader.read`` reads, and the ratio of the two. Parsing and reading take turns file by
file, so that a processor that is shared with others slows down both.
"""

from __future__ import annotations

import argparse
import gc
import time

from caphistory.history.model import BrokenObject, Source, TagRef
from caphistory.history.sources import open_source
from caphistory.paths import cache_folder
from caphistory.syntax.declarations import parser
from caphistory.syntax.reader import read


def main() -> None:
    """Print a Markdown table."""
    arguments = argparse.ArgumentParser(description="Measures reading beside parsing.")
    arguments.add_argument("source", nargs="?", help="as of caphistory index")
    arguments.add_argument("--tag", action="append", default=[], metavar="PATTERN")
    arguments.add_argument("--every", type=int, default=10, metavar="N")
    asked = arguments.parse_args()
    gc.disable()  # as in a worker
    print("| release | text | parsed | read | slower by |", flush=True)
    print("|---|--:|--:|--:|--:|", flush=True)
    with open_source(asked.source, cache_dir=cache_folder(), progress=lambda *_: None) as source:
        for tag in source.tags(asked.tag).releases:
            size, parsing, reading = _seconds(source, tag, asked.every)
            print(
                f"| {tag.release} | {size:.1f} MB | {size / parsing:.1f} MB/s"
                f" | {size / reading:.1f} MB/s | {reading / parsing:.1f} |",
                flush=True,
            )


def _seconds(source: Source, tag: TagRef, every: int) -> tuple[float, float, float]:
    """MB of text, and the processor seconds to parse and to read it."""
    files = source.files(tag)
    paths = sorted(path for path in files if path.endswith((".c", ".h")))
    size = parsing = reading = 0.0
    for path in paths[::every]:
        try:
            content = source.read(files[path])
        except BrokenObject:  # as index: a clone may lack some
            continue
        began = time.process_time()
        parser().parse(content)
        parsed = time.process_time()
        read(content)
        reading += time.process_time() - parsed
        parsing += parsed - began
        size += len(content) / 1e6
    return size, parsing, reading


if __name__ == "__main__":
    main()
