"""Index the repository of widgets."""

from __future__ import annotations

from pathlib import Path

from caphistory.cli.progress import QuietProgress
from caphistory.indexing import index
from tests.indexing.running import own_folders


def indexed(db: Path, repository: Path, *tags: str, jobs: int = 1) -> Path:
    """Index the tags of the repository (all: none) into ``db``."""
    with own_folders(db.parent):
        index(
            [str(repository)],
            db,
            tags=[*tags],
            prereleases=False,
            jobs=jobs,
            progress=QuietProgress(),
        )
    return db
