"""The main job: from sources of kernels to rows in the database.

The releases that are to be added are shared out among worker processes in stretches of
neighbours, so that each worker reads only what changed from one release to the next. One
process writes, in version order, one transaction for each release.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import pickle
import signal
import tempfile
import traceback
import zlib
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import pairwise
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from threading import Thread
from typing import IO, TYPE_CHECKING, NamedTuple

from caphistory.errors import CaphistoryError
from caphistory.history.dates import released
from caphistory.history.model import BrokenObject, Source, SourceSpec, TagRef
from caphistory.history.sources import open_source, reopen
from caphistory.history.versions import kind, position, series
from caphistory.progress import Progress
from caphistory.records import LinkedRelease, Release
from caphistory.resources import cache_folder

if TYPE_CHECKING:
    from caphistory.store import Writer

# Raised whenever what is read or linked changes: releases that an earlier version wrote
# are then written anew.
EXTRACTOR_VERSION = "1"


class Summary(NamedTuple):
    """What an index run did: releases added and already there, and blobs that were read.

    ``skipped`` has (tag, reason) of each tag that is no release to be taken, ``failed`` of
    each that is one and could not be read, and ``unread`` (release, path, reason) of each
    file that is missing from a release which was added.
    """

    releases_added: int
    releases_present: int
    blobs_read: int
    skipped: list[tuple[str, str]]
    failed: list[tuple[str, str]]
    unread: list[tuple[str, str, str]]


class _Work(NamedTuple):
    """A release to be added: what a worker needs of it."""

    tag: TagRef
    release: Release


class _Done(NamedTuple):
    """What a worker says of one release: its rows, compressed, or why there are none, and
    (path, reason) of each file that could not be read."""

    release: str
    rows: bytes | None
    reason: str
    blobs_read: int
    unread: list[tuple[str, str]]


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
        [failed for part in parts for failed in part.failed],
        [unread for part in parts for unread in part.unread],
    )


def _index_one(
    spec: str | None, db: Path, tags: list[str], prereleases: bool, jobs: int, progress: Progress
) -> Summary:
    from caphistory.store import open_writer

    with open_source(spec, cache_dir=cache_folder(), progress=_Stages(progress)) as source:
        found = source.tags(tags, prereleases=prereleases)
        present = _present(db)
        missing = [
            _Work(tag, _release(tag, source.name))
            for tag in found.releases
            if tag.release not in present
        ]
        there = len(found.releases) - len(missing)
        failed: list[tuple[str, str]] = []
        unread: list[tuple[str, str, str]] = []
        if not missing:
            return Summary(0, there, 0, found.skipped, failed, unread)
        added = blobs = 0
        with open_writer(db, EXTRACTOR_VERSION) as writer:
            work, weights = _listed(source, missing, failed, progress)
            progress.stage("reading and linking", len(work))
            with closing(_linked(source.spec, work, weights, jobs)) as results:
                for done in results:
                    blobs += done.blobs_read
                    reason = done.reason if done.rows is None else _write(writer, done.rows)
                    if reason:
                        failed.append((done.release, reason))
                    else:
                        added += 1
                        unread += [(done.release, *file) for file in done.unread]
                    progress.advance()
        if not added and not there:
            tag, reason = failed[-1]
            raise CaphistoryError(f"no release of {source.name} can be read: {tag}: {reason}")
        return Summary(added, there, blobs, found.skipped, failed, unread)


def _write(writer: Writer, rows: bytes) -> str:
    """Store a release; gives the reason where its rows contradict one another."""
    try:
        writer.write_release(_unpack(rows))
    except ValueError as error:
        return _mistake(error)
    return ""


def _present(db: Path) -> set[str]:
    """The releases in the database that this version of the program wrote."""
    from caphistory.store import indexed, open_reader

    if not db.exists() or (db.is_file() and not db.stat().st_size):
        return set()
    with closing(open_reader(db)) as reader:
        return {
            release
            for release, how in indexed(reader).items()
            if how.extractor_version == EXTRACTOR_VERSION
        }


def _listed(
    source: Source, missing: list[_Work], failed: list[tuple[str, str]], progress: Progress
) -> tuple[list[_Work], list[int]]:
    """The releases whose files can be listed, and how much work each is; the others are added
    to ``failed``."""
    work, weights = [], []
    progress.stage("listing files", len(missing))
    for one in missing:
        try:
            weights.append(_weight(source.files(one.tag)))
            work.append(one)
        except BrokenObject as error:
            failed.append((one.tag.tag, str(error)))
        progress.advance()
    return work, weights


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


def _linked(
    spec: SourceSpec, work: list[_Work], weights: list[int], jobs: int
) -> Generator[_Done, None, None]:
    """Link releases in worker processes and give them in the order of ``work``."""
    shares = [[work[i] for i in share] for share in _shares(weights, jobs)]
    with _workers(spec, shares) as workers:
        for worker in workers:
            for _ in worker.share:
                while not worker.waiting:
                    _receive(workers)
                yield worker.waiting.take()


class _Worker:
    """A worker process, as the writing process sees it: what it was given and what has come
    of that. Each has a pipe of its own, which ends when it does, however that comes about."""

    def __init__(self, process: SpawnProcess, pipe: Connection, share: list[_Work]) -> None:
        self.process = process
        self.pipe = pipe
        self.share = share
        self.waiting = _Spool()
        self.received = 0


def _receive(workers: list[_Worker]) -> None:
    """Wait until workers have something to say, and keep it."""
    at_work = {w.pipe: w for w in workers if w.received < len(w.share)}
    for pipe in wait(list(at_work)):
        worker = at_work[pipe]  # type: ignore[index]
        try:
            said = worker.pipe.recv()
        except (EOFError, OSError):
            worker.process.join()
            raise CaphistoryError(
                f"worker {workers.index(worker) + 1} of {len(workers)} ended (exit code"
                f" {worker.process.exitcode}), perhaps for want of memory: what was written"
                " stays; run it again, with fewer --jobs"
            ) from None
        if isinstance(said, CaphistoryError):
            raise said
        worker.received += 1
        worker.waiting.put(said)


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
def _workers(spec: SourceSpec, shares: list[list[_Work]]) -> Iterator[list[_Worker]]:
    context = multiprocessing.get_context("spawn")
    workers: list[_Worker] = []
    try:
        with _no_interrupts():
            for share in shares:
                receiving, sending = context.Pipe(duplex=False)
                process = context.Process(
                    target=_run_worker, args=(spec, share, sending), daemon=True
                )
                process.start()
                sending.close()
                workers.append(_Worker(process, receiving, share))
        yield workers
    finally:
        for worker in workers:
            worker.process.terminate()
        for worker in workers:
            worker.process.join()
            worker.pipe.close()


@contextmanager
def _no_interrupts() -> Iterator[None]:
    """Ctrl-C goes to all processes of a terminal, but is the writing process' business, which
    ends the workers: those started here never hear of it, not even while Python starts."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


# In a worker process.


def _run_worker(spec: SourceSpec, share: list[_Work], results: Connection) -> None:
    Thread(target=_end_with_parent, daemon=True).start()
    # Facts hold no cycles; looking for some in millions of objects takes a third of the time.
    gc.disable()
    try:
        with reopen(spec) as source:
            for done in _read_all(source, share):
                results.send(done)
    except ConnectionError:
        pass  # the writing process is gone
    except CaphistoryError as error:
        results.send(CaphistoryError(str(error)))
    except MemoryError:
        results.send(
            CaphistoryError(
                f"not enough memory to read {spec.name}: what was written stays; run it again,"
                " with fewer --jobs"
            )
        )


def _end_with_parent() -> None:
    """End this process when the writing process is gone, be it killed."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _read_all(source: Source, share: list[_Work]) -> Iterator[_Done]:
    from caphistory.reading import Reading

    reading = Reading(source)
    for one in share:
        name = one.release.release
        try:
            linked, blobs = reading.link(one.tag, one.release)
        except BrokenObject as error:
            yield _Done(name, None, str(error), 0, [])
        except (CaphistoryError, MemoryError):
            raise
        except Exception as error:
            # A mistake of this program costs one release, not all that come after it.
            yield _Done(name, None, _mistake(error), 0, [])
            reading = Reading(source)
        else:
            yield _Done(name, _pack(linked), "", blobs, _unread(linked))


def _unread(linked: LinkedRelease) -> list[tuple[str, str]]:
    return [
        (note.path or "", note.detail)
        for note in linked.audit_details
        if note.kind == "unreadable"
    ]


def _mistake(error: Exception) -> str:
    place = traceback.extract_tb(error.__traceback__)[-1]
    return (
        f"a mistake in caphistory, please report it: {type(error).__name__}: {error}"
        f" ({Path(place.filename).name}:{place.lineno})"
    )
