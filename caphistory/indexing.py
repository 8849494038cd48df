"""The main job: from sources of kernels to rows in the database.

The releases that are to be added are shared out among worker processes in stretches of
neighbours, so that each worker reads only what changed from one release to the next. One
process writes, in version order, one transaction for each release.
"""

from __future__ import annotations

import gc
import multiprocessing
import pickle
import signal
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from multiprocessing.context import SpawnProcess
from pathlib import Path
from queue import Empty
from typing import IO, Any, NamedTuple

from caphistory.errors import CaphistoryError
from caphistory.history.dates import released
from caphistory.history.model import BrokenObject, SourceSpec, TagRef
from caphistory.history.sources import open_source, reopen
from caphistory.history.versions import kind, position, series
from caphistory.progress import Progress
from caphistory.records import LinkedRelease, Release
from caphistory.resources import cache_folder

# Raised whenever what is read or linked changes: releases that an earlier version wrote
# are then written anew.
EXTRACTOR_VERSION = "1"
_POLL_SECONDS = 0.5


class Summary(NamedTuple):
    """What an index run did: releases added and already there, blobs that were read, and
    (tag, reason) of each tag that was asked for and is not in the database."""

    releases_added: int
    releases_present: int
    blobs_read: int
    skipped: list[tuple[str, str]]


class _Work(NamedTuple):
    """A release to be added: what a worker needs of it."""

    tag: TagRef
    release: Release


class _Done(NamedTuple):
    """What a worker says of one release: its rows, compressed, or why there are none."""

    worker: int
    release: str
    rows: bytes | None
    reason: str
    blobs_read: int


def index(
    sources: Sequence[str | None],
    db: Path,
    *,
    tags: list[str],
    prereleases: bool,
    jobs: int,
    progress: Progress,
) -> Summary:
    """Add the releases of the sources to the database at ``db``, which is made if need be.

    A source is a path, a URL or None for the default history; ``tags`` are patterns. What is
    there already is not read again. Raises CaphistoryError where a source or the database
    cannot be used; what was stored before, and each release stored until then, stays.
    """
    parts = [_index_one(source, db, tags, prereleases, jobs, progress) for source in sources]
    return Summary(
        sum(part.releases_added for part in parts),
        sum(part.releases_present for part in parts),
        sum(part.blobs_read for part in parts),
        [skipped for part in parts for skipped in part.skipped],
    )


def _index_one(
    spec: str | None, db: Path, tags: list[str], prereleases: bool, jobs: int, progress: Progress
) -> Summary:
    from caphistory.store import indexed, open_reader, open_writer

    stages = _Stages(progress)
    with open_source(spec, cache_dir=cache_folder(), progress=stages) as source:
        found = source.tags(tags, prereleases=prereleases)
        present = {}
        if db.exists():
            with open_reader(db) as reader:
                present = indexed(reader)
        work = [
            _Work(tag, _release(tag, source.name))
            for tag in found.releases
            if tag.release not in present
            or present[tag.release].extractor_version != EXTRACTOR_VERSION
        ]
        there = len(found.releases) - len(work)
        skipped = list(found.skipped)
        if not work:
            return Summary(0, there, 0, skipped)
        weights = []
        progress.stage("listing files", len(work))
        for one in work:
            weights.append(_weight(source.files(one.tag)))
            progress.advance()
        progress.stage("reading and linking", len(work))
        added = blobs = 0
        with open_writer(db, EXTRACTOR_VERSION) as writer:
            for done in _linked(source.spec, work, weights, jobs):
                blobs += done.blobs_read
                if done.rows is None:
                    skipped.append((done.release, done.reason))
                    progress.note(f"{done.release} is left out: {done.reason}")
                else:
                    writer.write_release(_unpack(done.rows))
                    added += 1
                progress.advance()
        return Summary(added, there, blobs, skipped)


class _Stages:
    """Shows what a source is doing (cloning, unpacking) as stages of a progress."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._what = ""
        self._done = 0

    def __call__(self, what: str, done: int, total: int) -> None:
        if what != self._what:
            self._what, self._done = what, 0
            self._progress.stage(what, total or None)
        self._progress.advance(done - self._done)
        self._done = done


def _release(tag: TagRef, source: str) -> Release:
    return Release(
        tag.release,
        series(tag.release),
        kind(tag.release),
        position(tag.release),
        released(tag),
        source,
        tag.commit_sha,
    )


def _weight(files: dict[str, str]) -> int:
    """How much work a release is, roughly: linking grows with its files."""
    return len(files) + 300


def _shares(weights: list[int], jobs: int) -> list[range]:
    """Cut a list of releases into stretches of about equal weight. The first stretch is a
    little lighter: its rows are written first, and the others' wait for it."""
    jobs = min(jobs, max(1, len(weights) // 2))
    total = sum(weights)
    bounds = [0]
    running = 0
    for at, weight in enumerate(weights):
        if len(bounds) < jobs and running >= total * len(bounds) / jobs * 0.95 and at > bounds[-1]:
            bounds.append(at)
        running += weight
    bounds.append(len(weights))
    return [range(a, b) for a, b in pairwise(bounds)]


def _pack(linked: LinkedRelease) -> bytes:
    return zlib.compress(pickle.dumps(linked, pickle.HIGHEST_PROTOCOL), 1)


def _unpack(rows: bytes) -> LinkedRelease:
    linked: LinkedRelease = pickle.loads(zlib.decompress(rows))
    return linked


def _linked(spec: SourceSpec, work: list[_Work], weights: list[int], jobs: int) -> Iterator[_Done]:
    """Link releases in worker processes and give them in the order of ``work``."""
    shares = _shares(weights, jobs)
    with _workers(spec, [[work[i] for i in share] for share in shares]) as (queue, processes):
        waiting = [_Spool() for _ in shares]
        for number, share in enumerate(shares):
            for _ in share:
                while not waiting[number]:
                    done = _next(queue, processes, waiting)
                    waiting[done.worker].put(done)
                yield waiting[number].take()


def _next(queue: Any, processes: list[SpawnProcess], waiting: list[_Spool]) -> _Done:
    while True:
        try:
            done = queue.get(timeout=_POLL_SECONDS)
        except Empty:
            for number, process in enumerate(processes):
                if process.exitcode not in (None, 0) and queue.empty():
                    raise CaphistoryError(
                        f"worker {number + 1} of {len(processes)} ended (exit code"
                        f" {process.exitcode}), perhaps for want of memory: what was written"
                        " stays; run it again, with fewer --jobs"
                    ) from None
            continue
        if isinstance(done, BaseException):
            raise done
        return done  # type: ignore[no-any-return]


class _Spool:
    """Results that wait for their turn, kept in an unnamed temporary file."""

    def __init__(self) -> None:
        self._file: IO[bytes] | None = None
        self._places: list[tuple[int, int]] = []
        self._end = 0

    def __bool__(self) -> bool:
        return bool(self._places)

    def put(self, done: _Done) -> None:
        if self._file is None:
            self._file = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the spool
        data = pickle.dumps(done)
        self._file.seek(self._end)
        self._file.write(data)
        self._places.append((self._end, len(data)))
        self._end += len(data)

    def take(self) -> _Done:
        assert self._file is not None
        start, size = self._places.pop(0)
        self._file.seek(start)
        done: _Done = pickle.loads(self._file.read(size))
        if not self._places:
            self._file.seek(0)
            self._file.truncate()
            self._end = 0
        return done


@contextmanager
def _workers(
    spec: SourceSpec, shares: list[list[_Work]]
) -> Iterator[tuple[Any, list[SpawnProcess]]]:
    context = multiprocessing.get_context("spawn")
    queue = context.Queue(maxsize=8)
    processes = [
        context.Process(target=_run_worker, args=(number, spec, share, queue), daemon=True)
        for number, share in enumerate(shares)
    ]
    for process in processes:
        process.start()
    try:
        yield queue, processes
    finally:
        for process in processes:
            if process.is_alive():
                process.terminate()
            process.join()
        queue.close()
        queue.cancel_join_thread()


def _run_worker(number: int, spec: SourceSpec, share: list[_Work], queue: Any) -> None:
    # Ctrl-C is the writing process' business: it ends the workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Facts hold no cycles; looking for some in millions of objects takes a third of the time.
    gc.disable()
    try:
        with reopen(spec) as source:
            from caphistory.reading import Reading

            reading = Reading(source)
            for one in share:
                try:
                    linked, blobs = reading.link(one.tag, one.release)
                except BrokenObject as error:
                    queue.put(_Done(number, one.release.release, None, str(error), 0))
                    continue
                queue.put(_Done(number, one.release.release, _pack(linked), "", blobs))
    except Exception as error:
        queue.put(
            error
            if isinstance(error, CaphistoryError)
            else CaphistoryError(f"cannot go on with {spec}: {type(error).__name__}: {error}")
        )
        raise
    finally:
        queue.close()
        queue.join_thread()
