"""Prefetching: one release is linked by one worker, but its files can be read by many.

The first release of each share of work, of which nothing may be known yet, is read in as many
processes as there are jobs; what the first releases of two shares have in common is read once.
What they read goes into the user's cache of facts, where the worker finds it; it reads itself what
is not there, for whatever reason. So nothing depends on this but the time it takes.
"""

from __future__ import annotations

import gc
import multiprocessing
import signal
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import suppress
from threading import Thread

from caphistory.history.model import BrokenObject, Source, SourceSpec
from caphistory.history.sources import reopen
from caphistory.indexing.fact_cache import FactCache
from caphistory.indexing.pool import Share, end_with_parent
from caphistory.indexing.progress import Progress
from caphistory.indexing.release_reader import facts_of, name_of, readable_files
from caphistory.paths import cache_folder

# Files of one folder have much in common, and each process takes a tenth of a second to begin.
_TOGETHER = 50
_WORTHWHILE = 500


def prefetch(shares: Sequence[Share], jobs: int, progress: Progress) -> int:
    """Read the files of the first release of each share; gives how many were read."""
    if jobs == 1:
        return 0
    cache = FactCache(cache_folder())
    try:
        return sum(_first_release(share, jobs, cache, progress) for share in shares)
    finally:
        cache.close()


def _first_release(share: Share, jobs: int, cache: FactCache, progress: Progress) -> int:
    with suppress(BrokenObject), reopen(share.source) as source:
        files = readable_files(source.files(share.work[0].tag))
        unread = {name_of(path, blob): (path, blob) for path, blob in files.items()}
        todo = [file for name, file in unread.items() if name not in cache]
        if cache.open and len(todo) >= _WORTHWHILE:
            return _read(share.source, todo, jobs, progress)
    return 0


def _read(source: SourceSpec, files: list[tuple[str, str]], jobs: int, progress: Progress) -> int:
    progress.stage("reading files", len(files))
    parts = [files[at : at + _TOGETHER] for at in range(0, len(files), _TOGETHER)]
    context = multiprocessing.get_context("spawn")
    count = 0
    with ProcessPoolExecutor(jobs, context, _begin, (source,)) as pool:
        try:
            reads = {pool.submit(_read_part, part): len(part) for part in parts}
            for done in as_completed(reads):
                # What cannot be read, or ends a process, is the worker's to tell of.
                with suppress(Exception):
                    count += done.result()
                progress.advance(reads[done])
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return count


# In a process that reads.


class _Here:
    """What a process opens once."""

    source: Source
    cache: FactCache


def _begin(source: SourceSpec) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=end_with_parent, daemon=True).start()
    gc.disable()  # as in a worker
    _Here.source = reopen(source)
    _Here.cache = FactCache(cache_folder())


def _read_part(files: list[tuple[str, str]]) -> int:
    count = 0
    for path, blob in files:
        with suppress(BrokenObject):
            content = _Here.source.read(blob)
            known = _Here.cache.lately(path)
            _Here.cache.put(name_of(path, blob), path, *facts_of(path, content, known))
            count += 1
    _Here.cache.flush()
    return count
