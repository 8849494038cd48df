"""What became of the check sites of one release in another: which pairs of releases to compare,
what to compare in them, and how the result is stored."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import NamedTuple

from caphistory.store import expressions
from caphistory.store.facts import Interner
from caphistory.store.tables import SUCCESSION_CHANGES, SUCCESSION_PAIRS, SUCCESSION_TABLES


class End(NamedTuple):
    """One of two releases that are compared; ``predecessor`` is the position of the release
    before it on its line."""

    position: int
    release: str
    source: str
    commit_sha: str | None
    predecessor: int | None


class Ends(NamedTuple):
    """Two releases that are compared."""

    before: End
    after: End


class StoredSite(NamedTuple):
    """A check site of a release; ``site`` is its number, ``name`` what it is, whatever its line
    (``expressions.select_site_name``)."""

    name: str
    site: int
    path: str
    function: str | None
    line: int
    check_name: str
    capability: str | None
    argument: str | None
    effect: str


class StoredSuccession(NamedTuple):
    """A row of ``succession_changes``, the function that lives on as its path and name."""

    site_before: int | None
    site_after: int | None
    fate: str
    found: str
    certain: int
    likeness: int | None
    lives: tuple[str, str] | None


def list_wanted(db: sqlite3.Connection) -> list[Ends]:
    """Return the pairs that a database should hold: each release with the one before it on its
    line, and the last 2.0 with the last 2.2."""
    rows = db.execute(
        """
        SELECT f.position, f.release, f.source, f.commit_sha, f.predecessor,
            t.position, t.release, t.source, t.commit_sha, t.predecessor
        FROM (
            SELECT predecessor AS earlier, position AS later FROM stored_releases
            UNION
            SELECT (SELECT max(position) FROM stored_releases WHERE series = '2.0'),
                (SELECT max(position) FROM stored_releases WHERE series = '2.2')
        )
            JOIN stored_releases AS f ON f.position = earlier
            JOIN stored_releases AS t ON t.position = later
        ORDER BY t.position, f.position
        """
    )
    return [Ends(End(*row[:5]), End(*row[5:])) for row in rows]


def list_missing(db: sqlite3.Connection, reader: str) -> list[Ends]:
    """Return the wanted pairs that this ``reader`` (a version of the program) has not compared."""
    compared = set()
    if has_pairs(db):
        rows = db.execute(
            "SELECT from_position, to_position FROM succession_pairs WHERE reader = ?", (reader,)
        )
        compared = {tuple(row) for row in rows}
    return [
        ends
        for ends in list_wanted(db)
        if (ends.before.position, ends.after.position) not in compared
    ]


def read_end(db: sqlite3.Connection, release: str) -> End:
    """Return a stored release, by its name, as one of two to compare."""
    row = db.execute(
        f"SELECT {', '.join(End._fields)} FROM stored_releases WHERE release = ?", (release,)
    ).fetchone()
    return End(*row)


def follows(ends: Ends) -> bool:
    """Whether the later release follows the earlier one on its line of development."""
    return ends.after.predecessor == ends.before.position


def is_stored(db: sqlite3.Connection, ends: Ends) -> bool:
    """Whether two releases were compared."""
    pair = ends.before.position, ends.after.position
    return has_pairs(db) and (
        db.execute(
            "SELECT 1 FROM succession_pairs WHERE from_position = ? AND to_position = ?", pair
        ).fetchone()
        is not None
    )


def find_line(db: sqlite3.Connection, ends: Ends) -> list[Ends] | None:
    """Return the adjacent pairs that lead from one release to another, None if there is no such
    line or one of its pairs was not compared."""
    way: list[Ends] = []
    at = ends.after
    while at.position > ends.before.position and at.predecessor is not None:
        (name,) = db.execute(
            "SELECT release FROM stored_releases WHERE position = ?", (at.predecessor,)
        ).fetchone()
        step = Ends(read_end(db, name), at)
        if not is_stored(db, step):
            return None
        way.insert(0, step)
        at = step.before
    return way if at == ends.before else None


def read(db: sqlite3.Connection, ends: Ends) -> list[StoredSuccession]:
    """Return what is stored of a pair: the sites that are not the same in both."""
    rows = db.execute(
        """
        SELECT k.site_before, k.site_after, k.fate, k.found, k.certain, k.likeness,
            place.path, living.name
        FROM succession_changes AS k
            LEFT JOIN functions AS living ON living.id = k.lives
            LEFT JOIN files AS place ON place.id = living.file
        WHERE k.from_position = ? AND k.to_position = ?
        """,
        (ends.before.position, ends.after.position),
    )
    return [
        StoredSuccession(
            row[0],
            row[1],
            row[2],
            row[3],
            row[4],
            row[5],
            None if row[6] is None else (row[6], row[7]),
        )
        for row in rows
    ]


def has_pairs(db: sqlite3.Connection) -> bool:
    """Whether the database was made by a version of the program that compares releases."""
    return bool(
        db.execute("SELECT 1 FROM sqlite_master WHERE name = 'succession_pairs'").fetchone()
    )


def read_sites(db: sqlite3.Connection, position: int) -> list[StoredSite]:
    """Return the check sites of the release at a position."""
    rows = db.execute(
        f"""
        SELECT {expressions.select_site_name("s")}, s.id, place.path, holder.name,
            (SELECT line FROM site_lines WHERE site = s.id AND first <= :at
                ORDER BY first DESC LIMIT 1),
            s.check_name, s.capability, s.argument, s.effect
        FROM site_runs AS k
            JOIN sites AS s ON s.id = k.site
            JOIN files AS place ON place.id = s.file
            LEFT JOIN functions AS holder ON holder.id = s.function
        WHERE :at BETWEEN k.first AND k.last ORDER BY s.id
        """,
        {"at": position},
    )
    return [StoredSite(*row) for row in rows]


def read_wrappers(db: sqlite3.Connection, position: int) -> frozenset[str]:
    """Return the names by which the release at a position calls checks that are not their own."""
    rows = db.execute(
        "SELECT w.name FROM wrapper_runs AS k JOIN wrapper_facts AS w ON w.id = k.wrapper"
        " WHERE ? BETWEEN k.first AND k.last AND w.kind = 'fixed'",
        (position,),
    )
    return frozenset(name for (name,) in rows)


def write(
    db: sqlite3.Connection,
    interner: Interner,
    ends: Ends,
    rows: Iterable[StoredSuccession],
    reader: str,
) -> None:
    """Store what became of the sites of a pair, in place of what was stored of it before."""
    pair = ends.before.position, ends.after.position
    db.execute("DELETE FROM succession_changes WHERE from_position = ? AND to_position = ?", pair)
    stored = [
        (*pair, *row[:-1], row.lives and interner.number_function(*row.lives)) for row in rows
    ]
    interner.flush(db)
    db.execute(SUCCESSION_PAIRS.insert, (*pair, reader))
    db.executemany(SUCCESSION_CHANGES.insert, stored)


def forget(db: sqlite3.Connection, position: int) -> None:
    """Drop what was stored of a release that is gone or written anew."""
    for table in SUCCESSION_TABLES:
        db.execute(
            f"DELETE FROM {table.name} WHERE from_position = :at OR to_position = :at",
            {"at": position},
        )


def keep_wanted(db: sqlite3.Connection) -> None:
    """Drop the pairs that are no longer wanted because a release came between the two."""
    held = {
        tuple(row) for row in db.execute("SELECT from_position, to_position FROM succession_pairs")
    }
    unwanted = held - {(ends.before.position, ends.after.position) for ends in list_wanted(db)}
    for table in SUCCESSION_TABLES:
        db.executemany(
            f"DELETE FROM {table.name} WHERE from_position = ? AND to_position = ?",
            sorted(unwanted),
        )
