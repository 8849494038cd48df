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
from caphistory.history.sources_file import open_listing
from caphistory.history.versions import kind, match, position, series
from caphistory.indexing.excluding import without_syscalls
from caphistory.indexing.pool import (
    Share,
    Work,
    linked,
    mistake,
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


class Summary(NamedTuple):
    """What an index run did: releases added and already there, and blobs that were read.

    ``problems`` has a line for each entry of a file of sources that could not be used.
    ``skipped`` has (tag, reason) of each tag that is no release to be taken, ``failed`` of
    each that is one and could not be read, and ``unread`` (release, path, reason) of each
    file that is missing from a release which was added, but for those that its source is known to
    lack. ``elsewhere`` counts, by source, the
    releases that were asked for and are there from another source.
    """

    releases_added: int
    releases_present: int
    blobs_read: int
    skipped: list[tuple[str, str]]
    failed: list[tuple[str, str]]
    unread: list[tuple[str, str, str]]
    elsewhere: Mapping[str, int]
    problems: Sequence[str] = ()


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
    jobs: int,
    progress: Progress,
    sources_file: Path | None = None,
    mirrors: Sequence[Path] = (),
) -> Summary:
    """Add the releases of the sources to the database at ``db``, which is made if need be.

    ``sources_file`` lists more sources, clones of which are looked for in the folders ``mirrors``
    too (see ``history.sources_file``).

    A source is a path, a URL or None for the default history; ``tags`` are patterns. What is
    there already is not read again, and of a release that two sources have the first one's is
    taken. Raises CaphistoryError where a source or the database cannot be used; what was
    stored before, and each release stored until then, stays.
    """
    from caphistory.indexing.comparing import add_successions
    from caphistory.indexing.prefetch import prefetch
    from caphistory.store import open_writer

    with ExitStack() as opened:
        all_sources = [
            opened.enter_context(
                open_source(source, cache_dir=cache_folder(), progress=_Stages(progress))
            )
            for source in sources
        ]
        present = _present(db)
        problems: Sequence[str] = ()
        if sources_file is not None:
            stored = {position(release) for release in present}
            listing = open_listing(
                sources_file,
                cache_dir=cache_folder(),
                mirrors=mirrors,
                prereleases=prereleases,
                needed=lambda name: match(tags, name) and position(name) not in stored,
                progress=_Stages(progress),
            )
            problems = listing.problems
            all_sources += [opened.enter_context(source) for source in listing.sources]
        plan = _plan(all_sources, present, tags, prereleases)
        chosen = {tag.release: tag for _, missing in plan.missing for tag in missing}
        failed: list[tuple[str, str]] = []
        unread: list[tuple[str, str, str]] = []
        added = blobs = 0
        if plan.missing:
            with open_writer(db, EXTRACTOR_VERSION) as writer:
                shares = _shares(plan.missing, jobs, progress)
                blobs += prefetch(shares, jobs, progress)
                progress.stage("reading and linking", sum(len(share.work) for share in shares))
                with closing(linked(shares, jobs)) as results:
                    for done in results:
                        blobs += done.blobs_read
                        tag = chosen[done.release]
                        rows = done.rows
                        reason = done.reason if rows is None else _write(writer, rows, tag)
                        if reason:
                            failed.append((done.release, reason))
                        else:
                            added += 1
                            unread += [
                                (done.release, path, why)
                                for path, why in done.unread
                                if not path.startswith(tag.lacking)
                            ]
                        progress.advance()
        if failed and not added and not plan.present:
            names = ", ".join(source.name for source in all_sources)
            last, reason = failed[-1]
            raise CaphistoryError(f"no release of {names} can be read: {last}: {reason}")
        add_successions(db, all_sources, EXTRACTOR_VERSION, jobs, progress)
        return Summary(
            added, plan.present, blobs, plan.skipped, failed, unread, plan.elsewhere, problems
        )


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


def _write(writer: Writer, rows: bytes, tag: TagRef) -> str:
    """Store a release; gives the reason where its rows contradict one another."""
    try:
        with no_search_for_cycles():
            writer.write_release(without_syscalls(unpacked(rows), tag.exclusions.syscalls))
    except ValueError as error:
        return mistake(error)
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


def _shares(
    missing: list[tuple[Source, list[TagRef]]], jobs: int, progress: Progress
) -> list[Share]:
    """The work of all sources, cut for the workers."""
    shares: list[Share] = []
    for source, tags in missing:
        weights = _weights(source, tags, progress)
        work = [
            Work(tag, _release(tag, source.name), weight)
            for tag, weight in zip(tags, weights, strict=True)
        ]
        shares += shared_out(source.spec, work, jobs)
    return shares


def _weights(source: Source, tags: Sequence[TagRef], progress: Progress) -> list[int]:
    """How much work each release is, roughly: linking one after its neighbour takes 1 s of 2.1.84,
    with 3,500 files, 4 s of 2.4.31, with 11,600, and 7 s of 2.6.11.4, with 17,100. Neighbours are
    of one size, and listing the files of all of 1,665 releases takes 19 s: those of a few are
    counted."""
    step = -(-len(tags) // _COUNTED)
    progress.stage("listing files", len(tags[::step]))
    weights: list[int] = []
    files = 0
    for at in range(0, len(tags), step):
        with suppress(BrokenObject):  # the worker finds it too, and tells of it
            files = len(source.files(tags[at]))
        weights += [int(files**1.75)] * len(tags[at : at + step])
        progress.advance()
    return weights


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
        tag.provenance,
        tag.note,
    )
