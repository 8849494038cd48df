"""What became of the check sites from release to release: from the text of a repository where it
is at hand, else along the neighbouring releases that the database holds."""

from __future__ import annotations

import gc
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from caphistory.answers import Row, ask
from caphistory.errors import CaphistoryError
from caphistory.history.model import Source
from caphistory.progress import Progress
from caphistory.sources import KernelSource, open_kernel
from caphistory.store import open_reader, successions
from caphistory.store.successions import End, Ends, StoredSite, StoredSuccession
from caphistory.successions.composition import composed
from caphistory.successions.contexts import Site
from caphistory.successions.matching import Match
from caphistory.successions.releases import READER_VERSION, Checked, Comparing


def add_successions(
    path: Path, sources: Sequence[Source], extractor_version: str, progress: Progress
) -> None:
    """Add to the database at ``path`` what became of the check sites, for each pair of releases
    that it is to hold (``store.successions.wanted``) and does not, as far as one of ``sources``
    is a repository that both come from. One transaction for each pair: when it is stopped, the
    next run goes on.
    """
    from caphistory.store import open_writer

    if not path.exists() or not _missing(path, sources):
        return
    with open_writer(path, extractor_version) as writer:
        pairs = _missing(path, sources)
        progress.stage("comparing releases", len(pairs))
        comparing = Comparing()
        for ends in pairs:
            try:
                with _no_search_for_cycles():
                    matches = _compared(writer.db, ends, _paths(sources), comparing)
            except CaphistoryError as problem:
                before, after = ends
                progress.note(f"{before.release} is not compared with {after.release}: {problem}")
            else:
                rows = [_stored(one) for one in matches if not _goes_without_saying(one)]
                writer.write_successions(ends, rows, READER_VERSION)
            progress.advance()


@contextmanager
def _no_search_for_cycles() -> Iterator[None]:
    """What is read of two kernels holds no cycles; looking for some takes a sixth of the time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _missing(path: Path, sources: Sequence[Source]) -> list[Ends]:
    names = {source.name for source in sources}
    with closing(open_reader(path)) as db:
        return [
            ends
            for ends in successions.missing(db, READER_VERSION)
            if all(end.commit_sha and end.source in names for end in ends)
        ]


def _paths(sources: Sequence[Source]) -> list[Path]:
    return [Path(source.spec.path) for source in sources if source.spec.kind == "repository"]


def sites_between(
    db: sqlite3.Connection,
    from_release: str,
    to_release: str,
    repositories: Sequence[Path],
) -> list[Row]:
    """What became of the check sites between any two stored releases, as rows of the query
    ``successions_between``: as stored, else from the text of both in one of ``repositories``,
    else along the neighbouring releases that are stored, where these lead from one to the other.

    Raises CaphistoryError where none of that can be had, with what to do.
    """
    ends = Ends(successions.end(db, from_release), successions.end(db, to_release))
    if successions.is_stored(db, ends):
        return ask(db, "successions_between", **{"from": from_release, "to": to_release})
    try:
        return compared(db, from_release, to_release, repositories)
    except CaphistoryError as problem:
        line = successions.line(db, ends)
        if line is None:
            raise CaphistoryError(
                f"{from_release} and {to_release} are not compared in this database, no line of"
                f" compared releases leads from one to the other, and {problem}"
            ) from problem
        return _rows(db, ends, _along(db, ends, line))


def moves_between(db: sqlite3.Connection, from_release: str, to_release: str) -> list[Row]:
    """The rows of the query ``succession_moves``; none where an earlier program made the
    database."""
    if not successions.knows_pairs(db):
        return []
    return ask(db, "succession_moves", **{"from": from_release, "to": to_release})


def compared(
    db: sqlite3.Connection, from_release: str, to_release: str, repositories: Sequence[Path]
) -> list[Row]:
    """What became of the check sites between two stored releases, from the text of both, as rows
    of the query ``successions_between``. Raises CaphistoryError where no repository has both."""
    ends = Ends(successions.end(db, from_release), successions.end(db, to_release))
    return _rows(db, ends, _compared(db, ends, repositories, Comparing()))


def _compared(
    db: sqlite3.Connection, ends: Ends, repositories: Sequence[Path], comparing: Comparing
) -> list[Match]:
    texts = [open_kernel(end.release, end.commit_sha, repositories) for end in ends]
    before, after = (_checked(db, end, text) for end, text in zip(ends, texts, strict=True))
    return comparing.successions(before, after, texts[0].changed(texts[1]))


def _checked(db: sqlite3.Connection, end: End, text: KernelSource) -> Checked:
    sites = [Site(*site[1:]) for site in successions.sites(db, end.position)]
    return Checked(sites, successions.wrappers(db, end.position), text)


def _goes_without_saying(match: Match) -> bool:
    """Whether it is the same site in both releases: what is not stored is."""
    return match.fate == "same" and match.before == match.after and match.certain


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


def _along(db: sqlite3.Connection, ends: Ends, line: Sequence[Ends]) -> list[Match]:
    sites = [[Site(*site[1:]) for site in successions.sites(db, end.position)] for end in ends]
    steps = [
        [Match(*row[:4], bool(row.certain), None, row.lives) for row in successions.read(db, step)]
        for step in line
    ]
    return composed(sites[0], sites[1], steps)


def _rows(db: sqlite3.Connection, ends: Ends, matches: Iterable[Match]) -> list[Row]:
    """Matches as rows of the view ``successions``, in the order of the query."""
    sites: list[Mapping[int, StoredSite]] = [
        {site.site: site for site in successions.sites(db, end.position)} for end in ends
    ]
    said = [match for match in matches if not _goes_without_saying(match)]
    befores = {match.before for match in said}
    afters = {match.after for match in said}
    said += [
        Match(key, key, "same", "function", True, None)
        for key in sites[0].keys() & sites[1].keys() - befores - afters
    ]
    rows = [_row(ends, sites, match) for match in said]
    return sorted(rows, key=_order)


def _row(ends: Ends, sites: Sequence[Mapping[int, StoredSite]], match: Match) -> Row:
    before = None if match.before is None else sites[0][match.before]
    after = None if match.after is None else sites[1][match.after]
    path, function = match.lives or (None, None)
    return {
        "from_release": ends.before.release,
        "to_release": ends.after.release,
        "path_before": before and before.path,
        "function_before": before and before.function,
        "line_before": before and before.line,
        "check_before": before and before.check_name,
        "path_after": after.path if after else path,
        "function_after": after.function if after else function,
        "line_after": after and after.line,
        "check_after": after and after.check_name,
        "capability_after": after and after.capability,
        "fate": match.fate,
        "capability_before": before and before.capability,
        "found": match.found,
        "certain": int(match.certain),
        "likeness": None if match.likeness is None else round(100 * match.likeness) / 100,
        "neighbours": int(successions.follows(ends)),
        "site_before": before and before.name,
        "site_after": after and after.name,
    }


def _order(row: Row) -> tuple[object, ...]:
    return (
        row["path_before"] or row["path_after"],
        row["path_before"] is None,
        row["line_before"] or 0,
        row["path_after"] or "",
        row["line_after"] or 0,
    )
