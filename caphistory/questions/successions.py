"""What became of the check sites from release to release: from the text of a repository where it
is at hand, else along the neighbouring releases that the database holds."""

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
    ends = Ends(successions.read_end(db, from_release), successions.read_end(db, to_release))
    if successions.is_stored(db, ends):
        return ask(db, "successions_between", **{"from": from_release, "to": to_release})
    try:
        return compared(db, from_release, to_release, repositories)
    except CaphistoryError as problem:
        line = successions.find_line(db, ends)
        if line is None:
            raise CaphistoryError(
                f"{from_release} and {to_release} are not compared in this database, no line of"
                f" compared releases leads from one to the other, and {problem}"
            ) from problem
        return _rows(db, ends, _along(db, ends, line))


def moves_between(db: sqlite3.Connection, from_release: str, to_release: str) -> list[Row]:
    """The rows of the query ``succession_moves``; none where an earlier program made the
    database."""
    if not successions.has_pairs(db):
        return []
    return ask(db, "succession_moves", **{"from": from_release, "to": to_release})


def compared(
    db: sqlite3.Connection, from_release: str, to_release: str, repositories: Sequence[Path]
) -> list[Row]:
    """What became of the check sites between two stored releases, from the text of both, as rows
    of the query ``successions_between``. Raises CaphistoryError where no repository has both."""
    ends = Ends(successions.read_end(db, from_release), successions.read_end(db, to_release))
    comparer: Comparer[End, KernelSource] = Comparer(
        partial(successions.read_sites, db),
        partial(successions.read_wrappers, db),
        lambda end: open_kernel(end.release, end.commit_sha, repositories),
    )
    return _rows(db, ends, comparer.matches(*ends))


def _along(db: sqlite3.Connection, ends: Ends, line: Sequence[Ends]) -> list[Match]:
    sites = [[Site(*site[1:]) for site in successions.read_sites(db, end.position)] for end in ends]
    steps = [
        [Match(*row[:4], bool(row.certain), None, row.lives) for row in successions.read(db, step)]
        for step in line
    ]
    return compose(sites[0], sites[1], steps)


def _rows(db: sqlite3.Connection, ends: Ends, matches: Iterable[Match]) -> list[Row]:
    """Matches as rows of the view ``successions``, in the order of the query."""
    sites: list[Mapping[int, StoredSite]] = [
        {site.site: site for site in successions.read_sites(db, end.position)} for end in ends
    ]
    said = [match for match in matches if not is_unchanged(match)]
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
