"""Writing linked releases into a database, one transaction for each."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from caphistory.errors import CaphistoryError
from caphistory.records import LinkedRelease, Release
from caphistory.store import database, ddl, runs, standing, successions
from caphistory.store.facts import Interner, collect_facts, refuse_contradictions
from caphistory.store.histories import write_histories
from caphistory.store.line import count_missing, link_predecessors
from caphistory.store.operations import complete_operations, write_operations
from caphistory.store.reassess import reassess
from caphistory.store.runs import Fact, Place, Span
from caphistory.store.tables import AUDITS, HISTORIES, RUN_TABLES, STORED_RELEASES, Table


class _RunStore:
    """One run table, with the runs that hold the release written last kept in memory: a
    release that follows it is compared with these and not with the database."""

    def __init__(self, db: sqlite3.Connection, table: Table) -> None:
        """Prepare the statements of a run table."""
        self._db = db
        self._select = f"SELECT {', '.join(table.column_names)} FROM {table.name} WHERE"
        self._store = table.insert
        self._delete = f"DELETE FROM {table.name} WHERE " + " AND ".join(
            f"{column} = ?" for column in table.key
        )
        self._width = len(table.key) - 1
        self._position: int | None = None
        self._spans: dict[Fact, Span] = {}

    def write(self, facts: Iterable[Fact], place: Place, *, stored: bool) -> set[int]:
        """Make ``facts`` what holds at ``place``; ``stored`` says that it is there already. Returns
        the first columns of the rows that this changed."""
        covering, ended, following = self._read_runs(place, stored=stored)
        change, self._spans = runs.write(facts, covering, ended, following, place)
        self._position = place.at
        self._apply(change)
        deleted = {fact[0] for fact, _ in change.deleted}
        return deleted | {fact[0] for fact, *_ in change.stored}

    def _read_runs(
        self, place: Place, *, stored: bool
    ) -> tuple[dict[Fact, Span], dict[Fact, Span], dict[Fact, Span]]:
        """The runs that hold the release, that end before it and that begin after it."""
        before, at, after = place
        if before is None:
            near = {}
        elif before == self._position:
            near = self._spans
        else:
            near = self._select_runs("first <= ? AND last >= ?", before, before)
        covering = {fact: span for fact, span in near.items() if span[1] >= at}
        ended = {fact: span for fact, span in near.items() if span[1] < at}
        if stored:
            covering.update(self._select_runs("first = ?", at))
        following = {} if after is None else self._select_runs("first = ?", after)
        return covering, ended, following

    def _select_runs(self, condition: str, *parameters: int) -> dict[Fact, Span]:
        """Return the runs by fact where a condition holds."""
        rows = map(tuple, self._db.execute(f"{self._select} {condition}", parameters))
        return {row[:-2]: row[-2:] for row in rows}

    def _apply(self, change: runs.Change) -> None:
        """Store a change of runs."""
        self._db.executemany(
            self._delete, ((*fact[: self._width], first) for fact, first in change.deleted)
        )
        self._db.executemany(
            self._store, ((*fact, first, last) for fact, first, last in change.stored)
        )


class Writer:
    """Adds releases to a database; made by ``open_writer``.

    What the views show does not depend on the order of writing. Appending in version order
    is the fast way.
    """

    def __init__(self, db: sqlite3.Connection, path: Path, extractor_version: str) -> None:
        """``path`` is named in errors; ``extractor_version`` is stored with each release."""
        self._db = db
        self._path = path
        self._extractor_version = extractor_version
        self._forget()

    @property
    def db(self) -> sqlite3.Connection:
        """The connection, for reading."""
        return self._db

    def write_release(self, linked: LinkedRelease) -> None:
        """Store one release, in place of what was stored of it before.

        All or nothing: on an error the database is as it was. Raises CaphistoryError when it
        cannot be written or has the same version by another name (2.0.0 and 2.0, a port), and
        ValueError when the records contradict one another.
        """
        with self._transaction():
            release = linked.release
            place, stored = self._make_room(release)
            facts = collect_facts(linked, self._interner)
            refuse_contradictions(facts)
            self._interner.flush(self._db)
            changed = {
                name: store.write(facts[name], place, stored=stored)
                for name, store in self._runs.items()
            }
            write_histories(self._db)
            write_operations(self._db, changed["requirement_runs"])
            self._upsert(AUDITS, {"position": release.position, **linked.audit._asdict()})
            self._update_predecessors()
            successions.forget(self._db, release.position)
            successions.keep_wanted(self._db)

    def write_successions(
        self,
        ends: successions.Ends,
        rows: Iterable[successions.StoredSuccession],
        reader: str,
    ) -> None:
        """Store what became of the check sites of one release in another, all or nothing;
        ``reader`` is the version of the program that found it."""
        with self._transaction():
            successions.write(self._db, self._interner, ends, rows, reader)

    def reassess(self) -> None:
        """Decide all standings anew, by the rule of this program, all or nothing; ``open_writer``
        does so when the rule is not the one that the database was made by."""
        with self._transaction():
            reassess(self._db)
            ddl.set_meta(self._db, "standing", standing.RULE)
        self._forget()

    def _make_room(self, release: Release) -> tuple[Place, bool]:
        """Store the row of the release itself; says whether its position was there before."""
        stored = self._db.execute(
            "SELECT release FROM stored_releases WHERE position = ?", (release.position,)
        ).fetchone()
        if stored and stored["release"] != release.release:
            raise CaphistoryError(
                f"{release.release} is the same version as {stored['release']}, which is in"
                f" {self._path}: choose another --db for it"
            )
        place = self._find_place(release.position)
        row = {**release._asdict(), "extractor_version": self._extractor_version}
        self._upsert(STORED_RELEASES, row)
        return place, stored is not None

    def _upsert(self, table: Table, row: dict[str, Any]) -> None:
        """Store a row, in place of one with its key."""
        ddl.use(self._db).table(table.name).upsert(row, pk=table.key)

    def _find_place(self, position: int) -> Place:
        """Return a position with those of the stored releases around it."""
        before, after = self._db.execute(
            "SELECT (SELECT max(position) FROM stored_releases WHERE position < :at),"
            " (SELECT min(position) FROM stored_releases WHERE position > :at)",
            {"at": position},
        ).fetchone()
        return Place(before, position, after)

    def _update_predecessors(self) -> None:
        """Store anew which release each is compared with, where that changed."""
        rows = self._db.execute("SELECT * FROM stored_releases").fetchall()
        predecessors = link_predecessors(
            Release(**{name: row[name] for name in Release._fields}) for row in rows
        )
        wanted = {row["position"]: count_missing(predecessors[row["position"]]) for row in rows}
        self._db.executemany(
            "UPDATE stored_releases SET predecessor = ?, missing = ? WHERE position = ?",
            [
                (*wanted[row["position"]], row["position"])
                for row in rows
                if wanted[row["position"]] != (row["predecessor"], row["missing"])
            ],
        )

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """All or nothing, also for what is kept in memory."""
        with database.translate_errors(self._path, "write"):
            try:
                with database.transaction(self._db):
                    yield
            except BaseException:
                self._forget()
                raise

    def _forget(self) -> None:
        """Drop what is kept in memory of the database."""
        self._interner = Interner(self._db)
        self._runs = {
            table.name: _RunStore(self._db, table)
            for table in RUN_TABLES
            if table.name not in HISTORIES
        }


@contextmanager
def open_writer(path: Path | str, extractor_version: str) -> Iterator[Writer]:
    """Open a database for writing, making it where there is none.

    ``extractor_version`` is kept with each release that is written. Only one writer can be
    open; readers go on reading. Raises CaphistoryError when another process is writing, or
    when the file is not ours or cannot be written.

    While a writer is open the database is in WAL mode, so that readers and writer do not wait
    for one another; at the end it goes back to one plain file that can be copied and be read
    in a folder without write permission.
    """
    path = Path(path)
    with database.hold_writer_lock(path), closing(_connect(path)) as db:
        with database.translate_errors(path, "write"):
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = NORMAL")
            with database.transaction(db):
                ddl.apply_schema(db)
                complete_operations(db)
        try:
            with database.translate_errors(path, "read"):
                writer = Writer(db, path, extractor_version)
            if not _follows_current_rule(db):
                writer.reassess()
            yield writer
        finally:
            _settle(db)


def _connect(path: Path) -> sqlite3.Connection:
    """Open a database for writing, making it if there is none."""
    ddl.create(path)
    return database.connect(path, mode="rw")


def _follows_current_rule(db: sqlite3.Connection) -> bool:
    """Whether the standings follow the rule of this program."""
    (rule,) = db.execute("SELECT value FROM meta WHERE key = 'standing'").fetchone()
    return bool(rule == standing.RULE)


def _settle(db: sqlite3.Connection) -> None:
    """Collect statistics for the query planner and leave one plain file behind. Neither
    is needed for the data to be right: a full disk or a busy reader only puts it off."""
    for statement in ("ANALYZE", "PRAGMA wal_checkpoint(TRUNCATE)", "PRAGMA journal_mode = DELETE"):
        try:
            db.execute(statement)
        except sqlite3.OperationalError:
            continue
