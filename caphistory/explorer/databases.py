"""Find caphistory databases among those that Datasette serves."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from caphistory.explorer.pages.page import Answers
from caphistory.questions.database import is_database

if TYPE_CHECKING:
    from datasette.app import Datasette
    from datasette.database import Database

_IS_OURS = "_caphistory"
_ANSWERS = "_caphistory_answers"
_DATASETTES_OWN = "_internal"


def ours(datasette: Datasette) -> list[str]:
    """Return the names of the caphistory databases. The headers of the files decide, because
    Datasette asks plugins for their routes before it can query a database."""
    return [name for name, database in datasette.databases.items() if _is_ours(database)]


def alone(datasette: Datasette) -> bool:
    """Return whether Datasette serves caphistory databases and nothing else."""
    names = ours(datasette)
    return bool(names) and {*names, _DATASETTES_OWN} >= {*datasette.databases}


def get_answers(database: Database) -> Answers | None:
    """Return the cached answers to questions about the whole database; None if it may change."""
    if database.is_mutable:
        return None
    if not hasattr(database, _ANSWERS):
        setattr(database, _ANSWERS, {})
    answers: Answers = getattr(database, _ANSWERS)
    return answers


def _is_ours(database: Database) -> bool:
    # Datasette asks hundreds of times for one page, and a served file does not change.
    if not hasattr(database, _IS_OURS):
        setattr(database, _IS_OURS, bool(database.path) and is_database(Path(str(database.path))))
    is_ours: bool = getattr(database, _IS_OURS)
    return is_ours
