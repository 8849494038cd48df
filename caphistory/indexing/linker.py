"""Link the releases of a source: read their files and feed them to the engine.

The next releases are read while earlier ones are linked on the engine's threads, which hold no
lock of Python's. What was read is kept as long as a nearby release needs it, because adjacent
releases share most files.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Generator, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

from caphistory.history.model import BrokenObject, Source, TagRef
from caphistory.indexing.kept_facts import KeptFacts, Name
from caphistory.indexing.makefiles import OPTIONS_OFF, Replaced, find_stand_ins
from caphistory.indexing.mistakes import report_mistake
from caphistory.indexing.unbuilt import Said, find_unbuilt
from caphistory.records import (
    Audit,
    AuditDetail,
    CapabilityDefinition,
    CheckSite,
    LinkedRelease,
    Meaning,
    Release,
    Step,
    Syscall,
    SyscallCheck,
    Wrapper,
)

if TYPE_CHECKING:
    from caphistory_engine import Engine, Rows

_ASSEMBLER = (".S", ".s")
_READ = (".c", ".h", *_ASSEMBLER)
# So much text is read from the repository at once, at most, before the engine gets it.
_MOST_BYTES = 32 << 20


class Work(NamedTuple):
    """A release to be linked, and the source that holds it."""

    source: Source
    tag: TagRef
    release: Release


class Done(NamedTuple):
    """What came of a release: its rows, or None and the reason. ``unread`` are (path, reason) of
    the files that could not be read; ``blobs_read`` counts contents that were read for it."""

    work: Work
    linked: LinkedRelease | None
    reason: str = ""
    blobs_read: int = 0
    unread: tuple[tuple[str, str], ...] = ()


class _Files(NamedTuple):
    """What the engine needs to know of a release's files: git ids by path, texts of tables by path,
    by ABI the files that stand in for code that is off, and those that nothing is built from."""

    ids: Mapping[str, str]
    texts: dict[str, bytes]
    stand_ins: dict[str, set[str]]
    unbuilt: dict[str, set[str]]


def link_releases(
    works: Iterable[Work], engine: Engine, jobs: int, kept: KeptFacts | None = None
) -> Generator[Done, None, None]:
    """Link releases on ``jobs`` threads and give what comes of each, in their order; ``kept`` has
    what an earlier run read, and gets what was read of the last."""
    waiting: deque[tuple[Work, _Files, Future[Rows], int, tuple[tuple[str, str], ...]]] = deque()
    reader = _Reader(engine, kept)
    pool = ThreadPoolExecutor(jobs)
    try:
        for work in works:
            try:
                files, blobs_read, unread = reader.read(work.source, work.tag)
            except BrokenObject as error:
                while waiting:
                    yield _finish(*waiting.popleft())
                yield Done(work, None, str(error))
                continue
            future = pool.submit(
                engine.link,
                work.release.release,
                dict(files.ids),
                files.texts,
                files.stand_ins,
                files.unbuilt,
            )
            waiting.append((work, files, future, blobs_read, unread))
            while len(waiting) > jobs:
                yield _finish(*waiting.popleft())
            reader.forget(held.ids for _, held, *_ in waiting)
        while waiting:
            yield _finish(*waiting.popleft())
        reader.keep()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _finish(
    work: Work,
    files: _Files,
    future: Future[Rows],
    blobs_read: int,
    unread: tuple[tuple[str, str], ...],
) -> Done:
    """Wait for a release to be linked and return what came of it."""
    try:
        linked = make_records(work.release, future.result(), unread)
    except Exception as error:
        # A mistake of this program costs one release, not all that come after it.
        return Done(
            work, None, report_mistake(error, f"linking {work.release.release}"), blobs_read, unread
        )
    return Done(work, linked, "", blobs_read, unread)


def make_records(
    release: Release, rows: Rows, unread: tuple[tuple[str, str], ...]
) -> LinkedRelease:
    """Return the engine's rows as records; ``unread`` are (path, reason)."""
    sites, definitions, syscalls, checks, wrappers, audit, details = rows
    # What is equal is one object in the engine's rows, and is made a record once.
    site_of = {id(site): CheckSite._make(site) for site in sites}
    step_of = {id(step): Step._make(step) for row in checks for step in row[9]}
    chain_of = {id(row[9]): tuple([step_of[id(step)] for step in row[9]]) for row in checks}
    meaning_of = {id(row[10]): Meaning._make(row[10]) for row in checks}
    notes = [*map(AuditDetail._make, details)]
    notes += [AuditDetail("unreadable", path, None, why) for path, why in sorted(unread)]
    return LinkedRelease(
        release,
        [site_of[id(site)] for site in sites],
        [CapabilityDefinition._make(row) for row in definitions],
        [Syscall._make(row) for row in syscalls],
        [
            SyscallCheck._make(
                (
                    *row[:2],
                    site_of[id(row[2])],
                    *row[3:9],
                    chain_of[id(row[9])],
                    meaning_of[id(row[10])],
                )
            )
            for row in checks
        ],
        [Wrapper._make(row) for row in wrappers],
        Audit._make(audit),
        notes,
    )


class _Reader:
    """Reads the files of releases that the engine does not hold yet."""

    def __init__(self, engine: Engine, kept: KeptFacts | None) -> None:
        """``engine`` holds what is read."""
        self._engine = engine
        self._kept = kept
        self._last: Collection[Name] = ()
        self._broken: dict[str, str] = {}
        self._makefiles: Replaced = {}
        self._configured: dict[str, Said] = {}

    def read(self, source: Source, tag: TagRef) -> tuple[_Files, int, tuple[tuple[str, str], ...]]:
        """Have the engine read what a release holds: what it is to be told of the files, how many
        contents were read, and (path, reason) of those that could not be. Raises BrokenObject
        where the files cannot be listed or a table of system calls cannot be read."""
        ids = source.files(tag)
        code = {path: blob for path, blob in ids.items() if path.endswith(_READ)}
        wanted = {(blob, path.endswith(_ASSEMBLER)): path for path, blob in code.items()}
        self._last = wanted
        missing = self._engine.missing([*wanted])
        if self._kept is not None and len(missing) > len(wanted) / 2:
            self._kept.recall(wanted)
            missing = self._engine.missing(missing)
        self._feed(source, missing)
        unread: dict[str, str] = {
            path: self._broken[blob] for path, blob in code.items() if blob in self._broken
        }
        unread.update(
            (path, f"folder {ids[path]} of {source.name} cannot be read, nor what is in it")
            for path in ids
            if path.endswith("/")
        )
        texts = {path: source.read(ids[path]) for path in self._engine.texts_wanted([*ids])}
        replaced = {}
        for abi, off in OPTIONS_OFF.items():
            without = find_stand_ins(ids, source.read, off, self._makefiles)
            replaced[abi] = set(without.paths)
            unread.update(without.unread)
        unbuilt = {
            abi: find_unbuilt(ids, source.read, abi, self._configured) for abi in OPTIONS_OFF
        }
        return _Files(ids, texts, replaced, unbuilt), len(missing), tuple(sorted(unread.items()))

    def _feed(self, source: Source, missing: list[tuple[str, bool]]) -> None:
        """Read the contents (git id, whether assembler) and give them to the engine in batches."""
        batch: list[tuple[str, bytes, bool]] = []
        size = 0
        for blob, assembler in missing:
            try:
                content = source.read(blob)
            except BrokenObject as error:
                self._broken[blob] = str(error)
                continue
            # Another repository may have lacked what this one has.
            self._broken.pop(blob, None)
            batch.append((blob, content, assembler))
            size += len(content)
            if size > _MOST_BYTES:
                self._read_batch(batch)
                batch, size = [], 0
        self._read_batch(batch)

    def _read_batch(self, batch: list[tuple[str, bytes, bool]]) -> None:
        """Have the engine read contents, and note those that it cannot."""
        self._broken.update(self._engine.read(batch))

    def keep(self) -> None:
        """Keep what was read of the last release for the next run."""
        if self._kept is not None:
            self._kept.keep(self._last)

    def forget(self, near: Iterable[Mapping[str, str]]) -> None:
        """Drop from the engine what none of the ``near`` releases (git ids by path) holds."""
        self._engine.forget(list({blob for ids in near for blob in ids.values()}))
