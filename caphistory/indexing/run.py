"""The main job: from sources of kernels to rows in the database.

What is missing there is shared out among worker processes, of all sources together. One
process writes, in version order, one transaction for each release.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from caphistory.errors import CaphistoryError
from caphistory.history.dates import released
from caphistory.history.model import BrokenObject, Source, TagRef
from caphistory.history.sources import open_source
from caphistory.history.versions import kind, position, series
from caphistory.indexing.jobs import choose_jobs, this_machine
from caphistory.indexing.mistakes import report_mistake
from caphistory.indexing.pool import (
    Work,
    linked,
    no_search_for_cycles,
    shared_out,
    unpacked,
)
from caphistory.indexing.progress import Progress
from caphistory.paths import cache_folder
from caphistory.records import Release

if TYPE_CHECKING:
    from caphistory.store import Writer

# Raised whenever what is read or linked changes: releases that an earlier version wrote
# are then written anew.
EXTRACTOR_VERSION = "4"

# The files of so many releases of a source are counted to tell how much work all are.
_COUNTED = 32
# The work of a release grows with this power of the number of its files (see ``_work``).
_BY_FILES = 1.75

# In bytes. A process for one release takes 0.27 GB of 2.0.40 (2,000 files), 0.5 GB of 2.2.24
# (5,200), 1.3 GB of 2.6.11.1 (15,600), 4.9 GB of 4.15 (47,700) and 6.2 GB of 6.8 (60,000); one
# that compares the releases from 2.5.7 to 2.6.11.5 takes 0.39 GB.
_LEAST_MEMORY = 60_000_000
_MEMORY_PER_FILE = 105_000
_TO_COMPARE = 400_000_000


class Summary(NamedTuple):
    """What an index run did: releases added and already there, and blobs that were read.

    ``skipped`` has (tag, reason) of each tag that is no release to be taken, ``failed`` of
    each that is one and could not be read, and ``unread`` (release, path, reason) of each
    file that is missing from a release which was added. ``elsewhere`` counts, by source, the
    releases that were asked for and are there from another source.
    """

    releases_added: int
    releases_present: int
    blobs_read: int
    skipped: list[tuple[str, str]]
    failed: list[tuple[str, str]]
    unread: list[tuple[str, str, str]]
    elsewhere: Mapping[str, int]


class _Plan(NamedTuple):
    """The tags that are to be read, by source; how many releases are there already, and how
    many of these from another source; and the tags that are no releases."""

    missing: list[tuple[Source, list[TagRef]]]
    present: int
    elsewhere: Counter[str]
    skipped: list[tuple[str, str]]


def index(
    sources: Sequence[str | None],
    db: Path,
    *,
    tags: list[str],
    prereleases: bool,
    jobs: int | None,
    progress: Progress,
) -> Summary:
    """Add the releases of the sources to the database at ``db``, which is made if need be.

    A source is a path, a URL or None for the default history; ``tags`` are patterns. ``jobs`` is
    how many are done at once, if there is the memory for them (None: as the machine allows). What
    is there already is not read again, and of a release that two sources have the first one's is
    taken. Raises CaphistoryError where a source or the database cannot be used; what was
    stored before, and each release stored until then, stays.
    """
    from caphistory.indexing.comparing import add_successions
    from caphistory.indexing.prefetch import prefetch
    from caphistory.store import open_writer

    with ExitStack() as opened:
        all_sources = [
            opened.enter_context(
                open_source(
                    source,
                    cache_dir=cache_folder(),
                    progress=_Stages(progress),
                    warn=progress.note,
                )
            )
            for source in sources
        ]
        plan = _plan(all_sources, _present(db), tags, prereleases)
        failed: list[tuple[str, str]] = []
        unread: list[tuple[str, str, str]] = []
        added = blobs = 0
        if plan.missing:
            with open_writer(db, EXTRACTOR_VERSION) as writer:
                work = [(source, _work(source, tags, progress)) for source, tags in plan.missing]
                chosen = choose_jobs(this_machine(), _memory_per_job(work), jobs)
                progress.note(chosen.reason)
                shares = [
                    share
                    for source, of in work
                    for share in shared_out(source.spec, of, chosen.number)
                ]
                blobs += prefetch(shares, chosen.number, progress)
                progress.stage("reading and linking", sum(len(share.work) for share in shares))
                with closing(linked(shares, chosen.number)) as results:
                    for done in results:
                        blobs += done.blobs_read
                        reason = done.reason if done.rows is None else _write(writer, done.rows)
                        if reason:
                            failed.append((done.release, reason))
                        else:
                            added += 1
                            unread += [(done.release, *file) for file in done.unread]
                        progress.advance()
        if failed and not added and not plan.present:
            names = ", ".join(source.name for source in all_sources)
            tag, reason = failed[-1]
            raise CaphistoryError(f"no release of {names} can be read: {tag}: {reason}")
        chosen = choose_jobs(this_machine(), _TO_COMPARE, jobs)
        add_successions(db, all_sources, EXTRACTOR_VERSION, chosen.number, progress)
        return Summary(added, plan.present, blobs, plan.skipped, failed, unread, plan.elsewhere)


def _plan(
    sources: Sequence[Source], present: Mapping[str, str], tags: list[str], prereleases: bool
) -> _Plan:
    plan = _Plan([], 0, Counter(), [])
    # One kernel may have two names (2.4.9.15 in one repository, 2.4.10-pre15 in another).
    there = {position(release): source for release, source in present.items()}
    for source in sources:
        found = source.tags(tags, prereleases=prereleases)
        missing = []
        plan.skipped.extend(found.skipped)
        for tag in found.releases:
            at = position(tag.release)
            if at not in there:
                there[at] = source.name
                missing.append(tag)
            elif there[at] != source.name:
                plan.elsewhere[there[at]] += 1
        if missing:
            plan.missing.append((source, missing))
        plan = plan._replace(present=plan.present + len(found.releases) - len(missing))
    return plan


def _write(writer: Writer, rows: bytes) -> str:
    """Store a release; gives the reason where its rows contradict one another."""
    release = "a release"
    try:
        with no_search_for_cycles():
            linked = unpacked(rows)
            release = linked.release.release
            writer.write_release(linked)
    except (CaphistoryError, MemoryError):
        raise
    except Exception as error:
        return report_mistake(error, f"writing {release}")
    return ""


def _present(db: Path) -> dict[str, str]:
    """The releases in the database that this version of the program wrote, with their source."""
    from caphistory.store import open_reader, read_indexed

    if not db.exists() or (db.is_file() and not db.stat().st_size):
        return {}
    with closing(open_reader(db)) as reader:
        return {
            release: how.source
            for release, how in read_indexed(reader).items()
            if how.extractor_version == EXTRACTOR_VERSION
        }


def _work(source: Source, tags: Sequence[TagRef], progress: Progress) -> list[Work]:
    """The work that releases are, roughly: linking one after its neighbour takes 1 s of 2.1.84,
    with 3,500 files, 4 s of 2.4.31, with 11,600, and 7 s of 2.6.11.4, with 17,100. Neighbours are
    of one size, and listing the files of all of 1,665 releases takes 19 s: those of a few are
    counted."""
    step = -(-len(tags) // _COUNTED)
    progress.stage("listing files", len(tags[::step]))
    work: list[Work] = []
    files = 0
    for at in range(0, len(tags), step):
        with suppress(BrokenObject):  # the worker finds it too, and tells of it
            files = len(source.files(tags[at]))
        work += [
            Work(tag, _release(tag, source.name), int(files**_BY_FILES))
            for tag in tags[at : at + step]
        ]
        progress.advance()
    return work


def _memory_per_job(work: Sequence[tuple[Source, Sequence[Work]]]) -> int:
    """The memory that the largest of the releases takes, in bytes."""
    heaviest = max(one.weight for _, of in work for one in of)
    return _LEAST_MEMORY + int(_MEMORY_PER_FILE * heaviest ** (1 / _BY_FILES))


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
