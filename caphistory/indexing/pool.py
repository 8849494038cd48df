"""Reading and linking in worker processes: shares of work in, rows in version order out.

A share is a stretch of neighbouring releases of one source, so that a worker reads only what
changed from one release to the next. As many workers run at once as there are jobs: who has
nothing left to do takes the second half of what another one has.

A worker that dies (the kernel ended it for want of memory, a library crashed) is followed by
another one that goes on with its release: the second that dies of the same file is followed by
one that leaves this file out, the second that dies of linking a release by one that leaves out
the release.
"""

from __future__ import annotations

import ctypes
import gc
import multiprocessing
import os
import pickle
import signal
import tempfile
import zlib
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import pairwise
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from threading import Thread
from typing import IO, NamedTuple

from caphistory.errors import CaphistoryError
from caphistory.history.model import BrokenObject, Source, SourceSpec, TagRef
from caphistory.history.sources import reopen
from caphistory.indexing.mistakes import report_mistake
from caphistory.paths import cache_folder
from caphistory.records import LinkedRelease, Release, Step, SyscallCheck


class Work(NamedTuple):
    """A release to be added: what a worker needs of it, and how much work it is, roughly."""

    tag: TagRef
    release: Release
    weight: int


class Share(NamedTuple):
    """What one worker process does: releases of one source, in version order. ``lost`` are the
    files that it leaves out, by git id, with the reason."""

    source: SourceSpec
    work: list[Work]
    lost: Mapping[str, str] = {}


class Done(NamedTuple):
    """What a worker says of one release: its rows, packed, or why there are none, and
    (path, reason) of each file that could not be read."""

    release: str
    rows: bytes | None
    reason: str
    blobs_read: int
    unread: list[tuple[str, str]]


def shared_out(source: SourceSpec, work: Sequence[Work], jobs: int) -> list[Share]:
    """Cut a source's releases into stretches of about equal weight, at most ``jobs`` of them.
    The first is a little lighter: its rows are written first, and the others' wait for it."""
    jobs = min(jobs, max(1, len(work) // 2))
    total = sum(one.weight for one in work)
    bounds = [0]
    running = 0
    for at, one in enumerate(work):
        if len(bounds) < jobs and running >= total * len(bounds) / jobs * 0.9 and at > bounds[-1]:
            bounds.append(at)
        running += one.weight
    bounds.append(len(work))
    return [Share(source, list(work[a:b])) for a, b in pairwise(bounds)]


def linked(shares: Sequence[Share], jobs: int) -> Generator[Done, None, None]:
    """Link the releases of all shares in worker processes, ``jobs`` at a time, and give them in
    version order. Raises CaphistoryError where a worker cannot even begin."""
    queue = sorted(shares, key=lambda share: share.work[0].release.position)
    positions = sorted(one.release.position for share in queue for one in share.work)
    with _pool(queue, jobs) as pool:
        for position in positions:
            yield pool.take(position)


def unpacked(rows: bytes) -> LinkedRelease:
    """The rows of a release, as a worker packed them."""
    release: LinkedRelease = pickle.loads(zlib.decompress(rows))
    return release


class _Worker:
    """A worker process, as the writing process sees it: what it was given and what has come
    of that. Each has a pipe of its own, which ends when it does, however that comes about, and
    some shared memory, which then still tells what it was doing."""

    def __init__(self, share: Share) -> None:
        receiving, sending = _CONTEXT.Pipe(duplex=False)
        self.pipe: Connection = receiving
        self.share = share
        self.done = 0
        self._doing = _CONTEXT.RawArray("c", _DOING_BYTES)
        self._most = _CONTEXT.RawValue("l", len(share.work))
        self._gave = False
        self.process: SpawnProcess = _CONTEXT.Process(
            target=_run_worker, args=(share, sending, self._doing, self._most), daemon=True
        )
        with no_interrupts():
            self.process.start()
        sending.close()

    @property
    def doing(self) -> list[str]:
        """What it does, or did when it ended: nothing yet; ``linking``; or ``reading``, the git
        id of a file and its path."""
        said: bytes = self._doing.value
        return said.decode("utf-8", errors="replace").split(" ", 2) if said else []

    @property
    def left(self) -> int:
        """How much work it has not begun, roughly; it may be further than it has told."""
        return sum(one.weight for one in self.share.work[self.done + 1 :])

    def give_away(self) -> Share | None:
        """Do only the first half of what is left, and give the second for another worker; None
        where that is not worth while."""
        work = self.share.work
        half = self.left / 2
        at = self.done + 1
        while at < len(work) and half > 0:
            half -= work[at].weight
            at += 1
        if len(work) - at < _WORTHWHILE:
            return None
        given = self.share._replace(work=work[at:])
        self.share = self.share._replace(work=work[:at])
        self._most.value = at
        self._gave = True
        return given

    def end(self) -> int | None:
        """Wait until it has ended; gives its exit code. One that gave something away may have
        begun with it before it was told."""
        if self._gave and self.done == len(self.share.work):
            self.process.terminate()
        self.process.join()
        self.pipe.close()
        return self.process.exitcode


class _Pool:
    """The workers of a run. Shares are begun in the order of the queue, so that the one whose
    rows are to be written next is always at work, or done; behind the queue come the shares that
    workers give away."""

    def __init__(self, queue: Sequence[Share], jobs: int) -> None:
        self._jobs = jobs
        self._waiting = list(queue)
        self._at_work: dict[int, _Worker] = {}
        self._results: list[_Spool] = []
        # By the position of a release.
        self._share_of: dict[int, int] = {}
        self._deaths: Counter[tuple[str, ...]] = Counter()

    def take(self, position: int) -> Done:
        """The result of a release; they are to be taken in the order of all."""
        self._begin()
        self._receive(0)  # or workers would wait for what is being written
        while not self._is_there(position):
            self._receive(None)
            self._begin()
        return self._results[self._share_of[position]].take()

    def _is_there(self, position: int) -> bool:
        share = self._share_of.get(position)
        return share is not None and bool(self._results[share])

    def _begin(self) -> None:
        while len(self._at_work) < self._jobs:
            share = self._waiting.pop(0) if self._waiting else self._given_away()
            if share is None:
                return
            self._share_of.update((one.release.position, len(self._results)) for one in share.work)
            self._at_work[len(self._results)] = _Worker(share)
            self._results.append(_Spool())

    def _given_away(self) -> Share | None:
        busiest = max(self._at_work.values(), key=lambda worker: worker.left, default=None)
        return busiest.give_away() if busiest else None

    def _receive(self, seconds: float | None) -> None:
        """Wait so long, or until workers have something to say, and keep it."""
        pipes = {worker.pipe: share for share, worker in self._at_work.items()}
        for pipe in wait(list(pipes), seconds):
            share = pipes[pipe]  # type: ignore[index]
            worker = self._at_work[share]
            try:
                said = worker.pipe.recv()
            except (EOFError, OSError):
                del self._at_work[share]
                left = self._without(share, worker)
                if left.work:
                    self._at_work[share] = _Worker(left)
                continue
            if isinstance(said, CaphistoryError):
                raise said
            self._results[share].put(said)
            worker.done += 1
            if worker.done == len(worker.share.work):
                worker.end()
                del self._at_work[share]

    def _without(self, number: int, worker: _Worker) -> Share:
        """What is left of a share whose worker died, without what it died of for the second
        time. The first time may be an accident: perhaps others used up the memory."""
        code = worker.end()
        share = worker.share
        left = share._replace(work=share.work[worker.done :])
        doing, *file = worker.doing or ["beginning"]
        release = left.work[0].release.release
        death = (doing, *file[:1]) if file else (doing, release)
        self._deaths[death] += 1
        if self._deaths[death] == 1:
            return left
        if not worker.doing:
            raise CaphistoryError(
                f"worker {number + 1} ended (exit code {code}) before it"
                " could begin, perhaps for want of memory: what was written stays; run it again,"
                " with fewer --jobs"
            )
        reason = (
            f"two workers ended (exit code {code}) {doing} it, perhaps for want of memory: run"
            " it again, with fewer --jobs"
        )
        if file:
            return left._replace(lost={**left.lost, file[0]: reason})
        self._results[number].put(Done(release, None, reason, 0, []))
        return left._replace(work=left.work[1:])

    def end(self) -> None:
        """End the workers that are still at work."""
        for worker in self._at_work.values():
            worker.process.terminate()
        for worker in self._at_work.values():
            worker.end()


_CONTEXT = multiprocessing.get_context("spawn")
_DOING_BYTES = 4096
# So many releases are worth a worker of its own, whose first one is read and linked as a whole.
_WORTHWHILE = 8
_NO_MEMORY = 12  # as errno.ENOMEM


@contextmanager
def _pool(queue: Sequence[Share], jobs: int) -> Iterator[_Pool]:
    pool = _Pool(queue, jobs)
    try:
        yield pool
    finally:
        pool.end()


class _Spool:
    """Results that wait for their turn, kept in an unnamed temporary file."""

    def __init__(self) -> None:
        self._file: IO[bytes] | None = None
        self._places: list[tuple[int, int]] = []
        self._end = 0

    def __bool__(self) -> bool:
        return bool(self._places)

    def put(self, done: Done) -> None:
        if self._file is None:
            self._file = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the spool
        data = pickle.dumps(done)
        self._file.seek(self._end)
        self._file.write(data)
        self._places.append((self._end, len(data)))
        self._end += len(data)

    def take(self) -> Done:
        assert self._file is not None
        start, size = self._places.pop(0)
        self._file.seek(start)
        done: Done = pickle.loads(self._file.read(size))
        if not self._places:
            self._file.seek(0)
            self._file.truncate()
            self._end = 0
        return done


@contextmanager
def no_search_for_cycles() -> Iterator[None]:
    """What is read or written of a kernel holds no cycles; looking for some among so many objects
    takes a sixth of the time and more."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@contextmanager
def no_interrupts() -> Iterator[None]:
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


def _run_worker(
    share: Share,
    results: Connection,
    doing: ctypes.Array[ctypes.c_char],
    most: ctypes.c_long,
) -> None:
    def tell(*words: str) -> None:
        doing.value = " ".join(words).encode()[: _DOING_BYTES - 1]

    Thread(target=end_with_parent, daemon=True).start()
    # Facts hold no cycles; looking for some in millions of objects takes a third of the time.
    gc.disable()
    try:
        with reopen(share.source) as source:
            for done in _read_all(source, share, tell, most):
                results.send(done)
    except ConnectionError:
        pass  # the writing process is gone
    except CaphistoryError as error:
        results.send(CaphistoryError(str(error)))
    except MemoryError:
        os._exit(_NO_MEMORY)  # the writing process knows what to do where a worker dies
    except Exception as error:
        results.send(CaphistoryError(report_mistake(error, f"opening {share.source.name}")))
    results.close()
    os._exit(0)  # giving back a gigabyte of objects one by one takes two seconds


def end_with_parent() -> None:
    """End this process when the writing process is gone, be it killed."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _read_all(
    source: Source, share: Share, tell: Callable[..., None], most: ctypes.c_long
) -> Iterator[Done]:
    from caphistory.indexing.fact_cache import FactCache
    from caphistory.indexing.release_reader import ReleaseReader

    def about_to(blob_id: str, path: str) -> None:
        tell("reading", blob_id, path) if blob_id else tell("linking")

    cache = FactCache(cache_folder())
    reading = ReleaseReader(source, cache, share.lost, about_to)
    for number, one in enumerate(share.work):
        if number >= most.value:
            return  # others do the rest
        name = one.release.release
        tell("linking")
        try:
            linked, blobs = reading.link(one.tag, one.release, last=one is share.work[-1])
            done = Done(name, _packed(linked), "", blobs, _unread(linked))
        except BrokenObject as error:
            yield Done(name, None, str(error), 0, [])
        except (CaphistoryError, MemoryError):
            raise
        except Exception as error:
            # A mistake of this program costs one release, not all that come after it.
            reason = report_mistake(error, f"reading {name} of {source.name}")
            yield Done(name, None, reason, 0, [])
            reading = ReleaseReader(source, cache, share.lost, about_to)
        else:
            yield done


def _unread(linked: LinkedRelease) -> list[tuple[str, str]]:
    return [
        (note.path or "", note.detail) for note in linked.audit_details if note.kind == "unreadable"
    ]


def _packed(linked: LinkedRelease) -> bytes:
    # The same steps stand in many chains (2,700 of 127,000 are distinct in 2.6.11): as one object
    # each they are packed once, which takes a third of the time, and unpacking a sixth.
    steps: dict[Step, Step] = {}
    chains: dict[tuple[Step, ...], tuple[Step, ...]] = {}

    def shared(chain: tuple[Step, ...]) -> tuple[Step, ...]:
        found = chains.get(chain)
        if found is None:
            found = chains[chain] = tuple([steps.setdefault(step, step) for step in chain])
        return found

    checks = [SyscallCheck(*check[:-1], shared(check.chain)) for check in linked.syscall_checks]
    packed = pickle.dumps(linked._replace(syscall_checks=checks), pickle.HIGHEST_PROTOCOL)
    return zlib.compress(packed, 1)
