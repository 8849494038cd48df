"""Compare adjacent releases of a database.

Worker processes compare a few pairs in turn, while this one writes what they find, in order.
"""

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
from caphistory.indexing.processes import block_interrupts, end_with_parent, skip_cycle_search
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
        """Return the text of a release. Raises CaphistoryError if it is not at hand."""
        spec = self.archives.get(end.release)
        if spec is None or end.commit_sha is not None:
            return open_kernel(end.release, end.commit_sha, self.repositories)
        source = opened.enter_context(reopen(spec))
        return ArchiveText(source, source.tags().releases[0])


Outcome = list[StoredSuccession] | str
"""What became of the sites of a pair, or the reason why that is unknown."""

_CONTEXT = multiprocessing.get_context("spawn")
# Adjacent pairs have much text in common. The workers go through the history side by side, so
# that each has about the same amount of work.
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

    if not path.exists() or not _list_missing(path, sources):
        return
    with open_writer(path, extractor_version) as writer:
        pairs = _list_missing(path, sources)
        progress.stage("comparing releases", len(pairs))
        texts = _find_texts(sources, pairs, progress)
        with closing(_compare_all(path, writer.db, texts, pairs, jobs)) as results:
            for ends, outcome in zip(pairs, results, strict=True):
                problem = outcome if isinstance(outcome, str) else _write(writer, ends, outcome)
                if problem:
                    before, after = (end.release for end in ends)
                    progress.note(f"{before} is not compared with {after}: {problem}")
                progress.advance()


def _write(writer: Writer, ends: Ends, changes: list[StoredSuccession]) -> str:
    """Store the changes of a pair; return the reason if they contradict the database, else ''."""
    try:
        writer.write_successions(ends, changes, READER_VERSION)
    except CaphistoryError as error:
        if not isinstance(error.__cause__, sqlite3.IntegrityError):
            raise
        return report_mistake(error.__cause__, f"storing {_describe(ends)}")
    except MemoryError:
        raise
    except Exception as error:
        return report_mistake(error, f"storing {_describe(ends)}")
    return ""


def _describe(ends: Ends) -> str:
    """Return a phrase for error messages."""
    return f"what became of the checks of {ends.before.release} in {ends.after.release}"


def _list_missing(path: Path, sources: Sequence[Source]) -> list[Ends]:
    """Return the pairs to compare: at least one release is from the sources, the text of both at
    hand."""
    with closing(open_reader(path)) as db:
        missing = successions.list_missing(db, READER_VERSION)
    names = {source.name for source in sources}
    ours = [ends for ends in missing if any(end.source in names for end in ends)]
    if not ours:
        return []
    archives = {source.name for source in sources if not source.in_git}
    repositories = list(_open_readable(_list_repositories(sources)))

    def at_hand(end: End) -> bool:
        if end.commit_sha is None:
            return end.source in archives
        return holds_commit(end.commit_sha, repositories)

    return [ends for ends in ours if all(map(at_hand, ends))]


def _list_repositories(sources: Sequence[Source]) -> list[Path]:
    """Return the repositories of the sources, then the other clones in the cache."""
    own = [Path(source.spec.path) for source in sources if source.in_git]
    return list(dict.fromkeys([*own, *cached_repositories()]))


def _open_readable(paths: Sequence[Path]) -> Iterator[pygit2.Repository]:
    """Open the repositories among paths."""
    for path in paths:
        # The cache may hold other things, which do not matter here.
        with suppress(CaphistoryError):
            yield open_repository(path)


def _find_texts(sources: Sequence[Source], pairs: Sequence[Ends], progress: Progress) -> Texts:
    """Return where the text of the pairs is, unpacking tarballs that are needed for it."""
    wanted = {end.source: end.release for ends in pairs for end in ends if end.commit_sha is None}
    archives: dict[str, SourceSpec] = {}
    for source in sources:
        if not source.in_git and source.name in wanted:
            try:
                archives[wanted[source.name]] = source.spec
            except CaphistoryError as problem:
                progress.note(f"{source.name} is not compared: {problem}")
    repositories = [
        Path(repository.path) for repository in _open_readable(_list_repositories(sources))
    ]
    return Texts(repositories, archives)


def _compare_all(
    path: Path,
    db: sqlite3.Connection,
    texts: Texts,
    pairs: Sequence[Ends],
    jobs: int,
) -> Generator[Outcome, None, None]:
    """Give the outcome of each pair, in order. If a worker dies, its pairs are compared here."""
    parts = [pairs[at : at + _TOGETHER] for at in range(0, len(pairs), _TOGETHER)]
    workers = min(jobs, len(parts)) if len(parts) > 1 else 0
    shares = [[ends for part in parts[n::workers] for ends in part] for n in range(workers)]
    with ExitStack() as opened, _start_workers(path, texts, shares) as pipes:
        here = _make_comparer(db, texts, opened)
        for number, part in enumerate(parts):
            for ends in part:
                outcome = _receive(pipes[number % workers]) if pipes else None
                yield _compare_here(here, ends) if outcome is None else outcome


def _make_comparer(db: sqlite3.Connection, texts: Texts, opened: ExitStack) -> StoredComparer:
    """Return a comparer of the releases in a database."""
    return Comparer(
        partial(successions.read_sites, db),
        partial(successions.read_wrappers, db),
        lambda end: texts.open(end, opened),
    )


@contextmanager
def _start_workers(
    path: Path, texts: Texts, shares: Sequence[Sequence[Ends]]
) -> Iterator[list[Connection]]:
    """Start a worker for each share; give the pipes from which their outcomes are read."""
    processes: list[SpawnProcess] = []
    pipes: list[Connection] = []
    try:
        for share in shares:
            receiving, sending = _CONTEXT.Pipe(duplex=False)
            pipes.append(receiving)
            process = _CONTEXT.Process(
                target=_run_worker, args=(path, texts, share, sending), daemon=True
            )
            with block_interrupts():
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


def _receive(pipe: Connection) -> Outcome | None:
    """Return the next outcome from a worker, None if it died."""
    try:
        outcome: Outcome = pipe.recv()
    except (EOFError, OSError):
        return None
    return outcome


def _compare_here(comparer: StoredComparer, ends: Ends) -> Outcome:
    """Compare a pair in this process."""
    try:
        return _compare_pair(comparer, ends)
    except MemoryError:
        comparer.forget()
        return "the memory is used up: run it again, with fewer --jobs"


def _compare_pair(comparer: StoredComparer, ends: Ends) -> Outcome:
    """Compare a pair; raises MemoryError, and reports every other error as the outcome."""
    try:
        with skip_cycle_search():
            matches = comparer.matches(*ends)
    except CaphistoryError as problem:
        return str(problem)
    except MemoryError:
        raise
    except Exception as error:
        # A mistake of this program costs one pair. The next run tries it again.
        comparer.forget()
        return report_mistake(error, f"finding {_describe(ends)}")
    return [_make_row(match) for match in matches if not is_unchanged(match)]


def _make_row(match: Match) -> StoredSuccession:
    """Return a match as a row of the database."""
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
    """Compare pairs in order and send each outcome."""
    Thread(target=end_with_parent, daemon=True).start()
    gc.disable()
    # The writing process finds out by itself why the database cannot be read, and tries by itself
    # what there is not the memory for.
    with (
        suppress(ConnectionError, CaphistoryError, MemoryError),
        closing(open_reader(path)) as db,
        ExitStack() as opened,
    ):
        comparer = _make_comparer(db, texts, opened)
        for ends in pairs:
            results.send(_compare_pair(comparer, ends))
