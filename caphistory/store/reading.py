"""Read which releases are in a database."""

from __future__ import annotations

import sqlite3
from typing import NamedTuple


class Indexed(NamedTuple):
    """How a stored release was made."""

    source: str
    commit_sha: str | None
    extractor_version: str


def read_indexed(db: sqlite3.Connection) -> dict[str, Indexed]:
    """Return the stored releases by name, in order of version."""
    rows = db.execute(
        "SELECT release, source, commit_sha, extractor_version FROM stored_releases"
        " ORDER BY position"
    )
    return {name: Indexed(*rest) for name, *rest in rows}


def has_release(db: sqlite3.Connection, release: str) -> bool:
    """Whether a release is stored; ``release`` is its name without ``v``."""
    row = db.execute("SELECT 1 FROM stored_releases WHERE release = ?", (release,)).fetchone()
    return row is not None
