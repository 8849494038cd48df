"""Measures what reading and what linking a release cost.

    python -m tests.benchmarks.stages [SOURCE] [--tag PATTERN ...]

reads the releases of a source one after the other, as one worker of ``caphistory index`` does and
with nothing remembered, and prints for each the files that were read, the processor seconds of
reading and of linking (every system-call table), and the largest memory of the process so far.
"""

from __future__ import annotations

import argparse
import gc
import resource
import tempfile
import time
from pathlib import Path

from caphistory.history.model import TagRef
from caphistory.history.sources import open_source
from caphistory.history.versions import kind, position, series
from caphistory.indexing.fact_cache import FactCache
from caphistory.indexing.release_reader import ReleaseReader
from caphistory.paths import cache_folder
from caphistory.records import Release


def main() -> None:
    """Print a Markdown table, a line for each release as soon as it is linked."""
    parser = argparse.ArgumentParser(description="Measures reading and linking, by release.")
    parser.add_argument("source", nargs="?", help="as of caphistory index (the default history)")
    parser.add_argument("--tag", action="append", default=[], metavar="PATTERN")
    asked = parser.parse_args()
    gc.disable()  # as in a worker
    print("| release | files read | to read | to link | memory |", flush=True)
    print("|---|--:|--:|--:|--:|", flush=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        open_source(asked.source, cache_dir=cache_folder(), progress=lambda *_: None) as source,
    ):
        reading = _Measured(source, FactCache(Path(folder)), {}, lambda *_: None)
        for tag in source.tags(asked.tag).releases:
            began = time.process_time()
            _, files = reading.link(tag, _release(tag, source.name))
            linked = time.process_time() - began - reading.seconds
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
            print(
                f"| {tag.release} | {files:,} | {reading.seconds:.0f} s | {linked:.0f} s"
                f" | {memory:.1f} GB |",
                flush=True,
            )


class _Measured(ReleaseReader):
    """Notes the processor seconds that the reading of the last release took."""

    seconds = 0.0

    def _read(self, files: dict[str, str]) -> int:
        began = time.process_time()
        count = super()._read(files)
        self.seconds = time.process_time() - began
        return count


def _release(tag: TagRef, source: str) -> Release:
    name = tag.release
    return Release(name, series(name), kind(name), position(name), None, source, tag.commit_sha)


if __name__ == "__main__":
    main()
