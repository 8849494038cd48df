"""Find what became of the check sites between two releases: from the source text if a repository
has it, else along the adjacent releases that the database compares."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path

from caphistory.errors import CaphistoryError
from caphistory.history.source_text import KernelSource, open_kernel
from caphistory.questions.queries import ask
from caphistory.records import Row
from caphistory.store import successions
from caphistory.store.successions import End, Ends, StoredSite
from caphistory.successions.composition import compose
from caphistory.successions.contexts import Site
from caphistory.successions.matching import Match, is_unchanged
from caphistory.successions.releases import Comparer


def compare_sites(
    db: sqlite3.Connection,
    from_release: str,
    to_release: str,
    repositories: Sequence[Path],
) -> list[Row]:
    """Return what became of the check sites between two stored releases, as rows of the query
    ``successions_between``.

    They are read as stored, else computed from the source of both releases in one of
    ``repositories``, else composed from stored comparisons of adjacent releases that lead from
    one to the other.

    Raises CaphistoryError, saying what to do, if none of these is possible.
    """
    ends = Ends(successions.read_end(db, from_release), successions.read_end(db, to_release))
    if successions.is_stored(db, ends):
        return ask(db, "successions_between", **{"from": from_release, "to": to_release})
    try:
        return compare_texts(db, from_release, to_release, repositories)
    except CaphistoryError as problem:
        line = successions.find_line(db, ends)
        if line is None:
            raise CaphistoryError(
                f"{from_release} and {to_release} are not compared in this database, no line of"
                f" compared releases leads from one to the other, and {problem}"
            ) from problem
        return _rows(db, ends, _compose_along(db, ends, line))


def list_moves(db: sqlite3.Connection, from_release: str, to_release: str) -> list[Row]:
    """Return the rows of the query ``succession_moves``; none if an earlier version of the program,
    which did not compare releases, made the database."""
    if not successions.has_pairs(db):
        return []
    return ask(db, "succession_moves", **{"from": from_release, "to": to_release})


def compare_texts(
    db: sqlite3.Connection, from_release: str, to_release: str, repositories: Sequence[Path]
) -> list[Row]:
    """Compare the source of two stored releases and return what became of their check sites, as
    rows of the query ``successions_between``; raise CaphistoryError if no repository has both."""
    ends = Ends(successions.read_end(db, from_release), successions.read_end(db, to_release))
    comparer: Comparer[End, KernelSource] = Comparer(
        partial(successions.read_sites, db),
        partial(successions.read_wrappers, db),
        lambda end: open_kernel(end.release, end.commit_sha, repositories),
    )
    return _rows(db, ends, comparer.matches(*ends))


def _compose_along(db: sqlite3.Connection, ends: Ends, line: Sequence[Ends]) -> list[Match]:
    """Return the matches between ``ends`` that the stored comparisons along ``line`` add up to."""
    sites = [[Site(*site[1:]) for site in successions.read_sites(db, end.position)] for end in ends]
    steps = [
        [Match(*row[:4], bool(row.certain), None, row.lives) for row in successions.read(db, step)]
        for step in line
    ]
    return compose(sites[0], sites[1], steps)


def _rows(db: sqlite3.Connection, ends: Ends, matches: Iterable[Match]) -> list[Row]:
    """Return matches as rows of the view ``successions``, in the order of the query."""
    sites: list[Mapping[int, StoredSite]] = [
        {site.site: site for site in successions.read_sites(db, end.position)} for end in ends
    ]
    changes = [match for match in matches if not is_unchanged(match)]
    befores = {match.before for match in changes}
    afters = {match.after for match in changes}
    unchanged = [
        Match(key, key, "same", "function", True, None)
        for key in sites[0].keys() & sites[1].keys() - befores - afters
    ]
    rows = [_row(ends, sites, match) for match in changes + unchanged]
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
