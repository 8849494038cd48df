"""Comparing the neighbouring releases of a database: in worker processes, each taking a few
pairs in turn, while this one writes what they find, in order."""

from __future__ import annotations

import gc
import multiprocessing
import sqlite3
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, NamedTuple

import pygit2

from caphistory.errors import CaphistoryError
from caphistory.history.model import Source, SourceSpec
from caphistory.history.opening import open_repository
from caphistory.history.source_text import (
    ArchiveText,
    KernelText,
    cached_repositories,
    holds_commit,
    open_kernel,
)
from caphistory.history.sources import reopen
from caphistory.indexing.mistakes import report_mistake
from caphistory.indexing.processes import end_with_parent, no_interrupts, no_search_for_cycles
from caphistory.indexing.progress import Progress
from caphistory.store import open_reader, successions
from caphistory.store.successions import End, Ends, StoredSuccession
from caphistory.successions.matching import Match, is_unchanged
from caphistory.successions.releases import READER_VERSION, Comparer

if TYPE_CHECKING:
    from caphistory.store import Writer

StoredComparer = Comparer[End, KernelText]


class Texts(NamedTuple):
    """Where the text of releases is: in repositories, or by release in a tarball or folder."""

    repositories: Sequence[Path]
    archives: Mapping[str, SourceSpec]

    def open(self, end: End, opened: ExitStack) -> KernelText:
        """The text of a release. Raises CaphistoryError where it is not at hand."""
        spec = self.archives.get(end.release)
        if spec is None or end.commit_sha is not None:
            return open_kernel(end.release, end.commit_sha, self.repositories)
        source = opened.enter_context(reopen(spec))
        return ArchiveText(source, source.tags().releases[0])


Found = list[StoredSuccession] | str
"""What became of the sites of a pair, or why that cannot be told."""

_CONTEXT = multiprocessing.get_context("spawn")
# Neighbouring pairs have much text in common; as many workers as there are go through all of
# the history side by side, so that all have about as much to do.
_TOGETHER = 10


def add_successions(
    path: Path, sources: Sequence[Source], extractor_version: str, jobs: int, progress: Progress
) -> None:
    """Add to the database at ``path`` what became of the check sites, for each pair of releases
    that it is to hold (``store.successions.wanted``) and does not, as far as one of both comes
    from ``sources`` and the text of both is at hand: there or in a clone in the cache. One
    transaction for each pair: when it is stopped, the next run goes on.
    """
    from caphistory.store import open_writer

    if not path.exists() or not _missing(path, sources):
        return
    with open_writer(path, extractor_version) as writer:
        pairs = _missing(path, sources)
        progress.stage("comparing releases", len(pairs))
        texts = _texts(sources, pairs, progress)
        with closing(_compared(path, writer.db, texts, pairs, jobs)) as results:
            for ends, found in zip(pairs, results, strict=True):
                problem = found if isinstance(found, str) else _write(writer, ends, found)
                if problem:
                    before, after = (end.release for end in ends)
                    progress.note(f"{before} is not compared with {after}: {problem}")
                progress.advance()


def _write(writer: Writer, ends: Ends, found: list[StoredSuccession]) -> str:
    """Store what was found of a pair; gives the reason where that contradicts the database."""
    try:
        writer.write_successions(ends, found, READER_VERSION)
    except CaphistoryError as error:
        if not isinstance(error.__cause__, sqlite3.IntegrityError):
            raise
        return report_mistake(error.__cause__, f"storing {_name(ends)}")
    except MemoryError:
        raise
    except Exception as error:
        return report_mistake(error, f"storing {_name(ends)}")
    return ""


def _name(ends: Ends) -> str:
    return f"what became of the checks of {ends.before.release} in {ends.after.release}"


def _missing(path: Path, sources: Sequence[Source]) -> list[Ends]:
    with closing(open_reader(path)) as db:
        missing = successions.list_missing(db, READER_VERSION)
    names = {source.name for source in sources}
    ours = [ends for ends in missing if any(end.source in names for end in ends)]
    if not ours:
        return []
    archives = {source.name for source in sources if not source.in_git}
    repositories = list(_opened(_repositories(sources)))

    def at_hand(end: End) -> bool:
        if end.commit_sha is None:
            return end.source in archives
        return holds_commit(end.commit_sha, repositories)

    return [ends for ends in ours if all(map(at_hand, ends))]


def _repositories(sources: Sequence[Source]) -> list[Path]:
    """The repositories of the sources, then the other clones in the cache."""
    own = [Path(source.spec.path) for source in sources if source.in_git]
    return list(dict.fromkeys([*own, *cached_repositories()]))


def _opened(paths: Sequence[Path]) -> Iterator[pygit2.Repository]:
    for path in paths:
        # Whatever else is in the cache is nobody's business here.
        with suppress(CaphistoryError):
            yield open_repository(path)


def _texts(sources: Sequence[Source], pairs: Sequence[Ends], progress: Progress) -> Texts:
    """Where the text of the pairs is; tarballs that are needed for it are unpacked."""
    wanted = {end.source: end.release for ends in pairs for end in ends if end.commit_sha is None}
    archives: dict[str, SourceSpec] = {}
    for source in sources:
        if not source.in_git and source.name in wanted:
            try:
                archives[wanted[source.name]] = source.spec
            except CaphistoryError as problem:
                progress.note(f"{source.name} is not compared: {problem}")
    repositories = [Path(repository.path) for repository in _opened(_repositories(sources))]
    return Texts(repositories, archives)


def _compared(
    path: Path,
    db: sqlite3.Connection,
    texts: Texts,
    pairs: Sequence[Ends],
    jobs: int,
) -> Generator[Found, None, None]:
    """What is found of each pair, in order. What a worker does not tell, because it ended, is
    found here."""
    parts = [pairs[at : at + _TOGETHER] for at in range(0, len(pairs), _TOGETHER)]
    workers = min(jobs, len(parts)) if len(parts) > 1 else 0
    shares = [[ends for part in parts[n::workers] for ends in part] for n in range(workers)]
    with ExitStack() as opened, _at_work(path, texts, shares) as pipes:
        here = _comparer(db, texts, opened)
        for number, part in enumerate(parts):
            for ends in part:
                told = _told(pipes[number % workers]) if pipes else None
                yield _found_here(here, ends) if told is None else told


def _comparer(db: sqlite3.Connection, texts: Texts, opened: ExitStack) -> StoredComparer:
    return Comparer(
        partial(successions.read_sites, db),
        partial(successions.read_wrappers, db),
        lambda end: texts.open(end, opened),
    )


@contextmanager
def _at_work(
    path: Path, texts: Texts, shares: Sequence[Sequence[Ends]]
) -> Iterator[list[Connection]]:
    """A worker for each share; gives the pipes that they tell through what they find."""
    processes: list[SpawnProcess] = []
    pipes: list[Connection] = []
    try:
        for share in shares:
            receiving, sending = _CONTEXT.Pipe(duplex=False)
            pipes.append(receiving)
            process = _CONTEXT.Process(
                target=_run_worker, args=(path, texts, share, sending), daemon=True
            )
            with no_interrupts():
                process.start()
            processes.append(process)
            sending.close()
        yield pipes
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.join()
        for pipe in pipes:
            pipe.close()


def _told(pipe: Connection) -> Found | None:
    try:
        found: Found = pipe.recv()
    except (EOFError, OSError):
        return None
    return found


def _found_here(comparer: StoredComparer, ends: Ends) -> Found:
    try:
        return _found(comparer, ends)
    except MemoryError:
        comparer.forget()
        return "the memory is used up: run it again, with fewer --jobs"


def _found(comparer: StoredComparer, ends: Ends) -> Found:
    try:
        with no_search_for_cycles():
            matches = comparer.matches(*ends)
    except CaphistoryError as problem:
        return str(problem)
    except MemoryError:
        raise
    except Exception as error:
        # A mistake of this program costs one pair. The next run tries it again.
        comparer.forget()
        return report_mistake(error, f"finding {_name(ends)}")
    return [_stored(one) for one in matches if not is_unchanged(one)]


def _stored(match: Match) -> StoredSuccession:
    return StoredSuccession(
        match.before,
        match.after,
        match.fate,
        match.found,
        int(match.certain),
        None if match.likeness is None else round(100 * match.likeness),
        match.lives,
    )


# In a worker process.


def _run_worker(path: Path, texts: Texts, pairs: Sequence[Ends], results: Connection) -> None:
    Thread(target=end_with_parent, daemon=True).start()
    gc.disable()
    # The writing process finds out by itself why the database cannot be read, and tries by itself
    # what there is not the memory for.
    with (
        suppress(ConnectionError, CaphistoryError, MemoryError),
        closing(open_reader(path)) as db,
        ExitStack() as opened,
    ):
        comparer = _comparer(db, texts, opened)
        for ends in pairs:
            results.send(_found(comparer, ends))
