"""The index run: from sources of kernels to rows in the database.

The releases that are missing there are read and linked by the engine (``linker``) and written in
version order, one transaction for each; then adjacent releases are compared.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from caphistory import engine
from caphistory.errors import CaphistoryError
from caphistory.history.dates import find_release_date
from caphistory.history.model import BrokenObject, Source, TagRef
from caphistory.history.sources import open_source
from caphistory.history.sources_file import open_listing
from caphistory.history.versions import kind, match, position, series
from caphistory.indexing.excluding import remove_syscalls
from caphistory.indexing.jobs import choose_jobs, this_machine
from caphistory.indexing.kept_facts import KeptFacts
from caphistory.indexing.linker import Work, link_releases
from caphistory.indexing.mistakes import report_mistake
from caphistory.indexing.processes import skip_cycle_search
from caphistory.indexing.progress import Progress
from caphistory.paths import cache_folder
from caphistory.records import LinkedRelease, Release

if TYPE_CHECKING:
    from caphistory.store import Writer

# Raised whenever what is read or linked changes: releases that an earlier version wrote
# are then written anew.
EXTRACTOR_VERSION = "12"

# In bytes, for each release that is linked at once.
_LEAST_MEMORY = 60_000_000
_MEMORY_PER_FILE = 40_000
_TO_COMPARE = 500_000_000


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
    jobs: int | None,
    progress: Progress,
    sources_file: Path | None = None,
    mirrors: Sequence[Path] = (),
) -> Summary:
    """Add the releases of the sources to the database at ``db``, which is made if need be.

    A source is a path, a URL or None for the default history; ``sources_file`` lists more, clones
    of which are looked for in the folders ``mirrors`` too (see ``history.sources_file``); ``tags``
    are patterns. ``jobs`` is how many are done at once, if there is the memory for them (None: as
    the machine allows). What is there already is not read again, and of a release that two
    sources have the first one's is
    taken. Raises CaphistoryError where a source or the database cannot be used; what was
    stored before, and each release stored until then, stays.
    """
    from caphistory.indexing.comparing import add_successions
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
        present = _read_present(db)
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
        plan = _make_plan(all_sources, present, tags, prereleases)
        failed: list[tuple[str, str]] = []
        unread: list[tuple[str, str, str]] = []
        added = blobs = 0
        if plan.missing:
            if not engine.is_installed():
                raise CaphistoryError(engine.ABSENT)
            with open_writer(db, EXTRACTOR_VERSION) as writer:
                works = _list_works(plan)
                chosen = choose_jobs(this_machine(), _estimate_memory(works), jobs)
                progress.note(chosen.reason)
                progress.stage("reading and linking", len(works))
                opened_engine = engine.open_engine(chosen.number)
                kept = KeptFacts(cache_folder() / "facts", opened_engine)
                linking = link_releases(works, opened_engine, chosen.number, kept)
                with closing(linking) as results:
                    for done in results:
                        name = done.work.release.release
                        blobs += done.blobs_read
                        tag = done.work.tag
                        linked = done.linked
                        reason = (
                            done.reason if linked is None else _write_release(writer, linked, tag)
                        )
                        if reason:
                            failed.append((name, reason))
                        else:
                            added += 1
                            unread += [
                                (name, path, why)
                                for path, why in done.unread
                                if not path.startswith(tag.lacking)
                            ]
                        progress.advance()
        if failed and not added and not plan.present:
            names = ", ".join(source.name for source in all_sources)
            last, reason = failed[-1]
            raise CaphistoryError(f"no release of {names} can be read: {last}: {reason}")
        chosen = choose_jobs(this_machine(), _TO_COMPARE, jobs)
        add_successions(db, all_sources, EXTRACTOR_VERSION, chosen.number, progress)
        return Summary(
            added, plan.present, blobs, plan.skipped, failed, unread, plan.elsewhere, problems
        )


def _make_plan(
    sources: Sequence[Source], present: Mapping[str, str], tags: list[str], prereleases: bool
) -> _Plan:
    """Return which tags of the sources to read; ``present`` has stored releases with their
    source."""
    plan = _Plan([], 0, Counter(), [])
    # One kernel may have two names (2.4.9.15 in one repository, 2.4.10-pre15 in another).
    holders = {position(release): source for release, source in present.items()}
    for source in sources:
        selected = source.tags(tags, prereleases=prereleases)
        missing = []
        plan.skipped.extend(selected.skipped)
        for tag in selected.releases:
            at = position(tag.release)
            if at not in holders:
                holders[at] = source.name
                missing.append(tag)
            elif holders[at] != source.name:
                plan.elsewhere[holders[at]] += 1
        if missing:
            plan.missing.append((source, missing))
        plan = plan._replace(present=plan.present + len(selected.releases) - len(missing))
    return plan


def _write_release(writer: Writer, linked: LinkedRelease, tag: TagRef) -> str:
    """Store a release; return the reason if its rows contradict one another, else ''."""
    try:
        with skip_cycle_search():
            writer.write_release(remove_syscalls(linked, tag.exclusions.syscalls))
    except (CaphistoryError, MemoryError):
        raise
    except Exception as error:
        return report_mistake(error, f"writing {linked.release.release}")
    return ""


def _read_present(db: Path) -> dict[str, str]:
    """Return the releases in the database that this version of the program wrote, with their
    source."""
    from caphistory.store import open_reader, read_indexed

    if not db.exists() or (db.is_file() and not db.stat().st_size):
        return {}
    with closing(open_reader(db)) as reader:
        return {
            release: how.source
            for release, how in read_indexed(reader).items()
            if how.extractor_version == EXTRACTOR_VERSION
        }


def _list_works(plan: _Plan) -> list[Work]:
    """Return the releases to link, of all sources, in version order."""
    works = [
        Work(source, tag, _make_release(tag, source.name))
        for source, tags in plan.missing
        for tag in tags
    ]
    return sorted(works, key=lambda work: work.release.position)


def _estimate_memory(works: Sequence[Work]) -> int:
    """Return the memory in bytes that the newest of the releases takes, by the number of its
    files."""
    files = 0
    with suppress(BrokenObject):  # linking it reports that
        files = len(works[-1].source.files(works[-1].tag))
    return _LEAST_MEMORY + _MEMORY_PER_FILE * files


class _Stages:
    """Shows what a source is doing (cloning, unpacking) as stages of a progress."""

    def __init__(self, progress: Progress) -> None:
        """``progress`` shows the stages."""
        self._progress = progress
        self._what = ""
        self._done = 0

    def __call__(self, what: str, done: int, total: int) -> None:
        """See ``history.model.Progress``."""
        if what != self._what:
            self._what, self._done = what, 0
            self._progress.stage(what, total or None)
        self._progress.advance(done - self._done)
        self._done = done


def _make_release(tag: TagRef, source: str) -> Release:
    """Return the row of a release."""
    return Release(
        tag.release,
        series(tag.release),
        kind(tag.release),
        position(tag.release),
        find_release_date(tag),
        source,
        tag.commit_sha,
        tag.provenance,
        tag.note,
    )
