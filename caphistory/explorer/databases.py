"""Which of Datasette's databases are caphistory's."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from caphistory.explorer.pages.page import Answers
from caphistory.questions.database import is_database

if TYPE_CHECKING:
    from datasette.app import Datasette
    from datasette.database import Database

_FOUND = "_caphistory"
_ANSWERS = "_caphistory_answers"
_DATASETTES_OWN = "_internal"


def ours(datasette: Datasette) -> list[str]:
    """The names of the caphistory databases. Told by the files alone, as Datasette asks for
    the routes of its plugins before anything can be asked of a database."""
    return [name for name, database in datasette.databases.items() if _is_ours(database)]


def alone(datasette: Datasette) -> bool:
    """Whether Datasette serves caphistory databases and nothing else."""
    found = ours(datasette)
    return bool(found) and {*found, _DATASETTES_OWN} >= {*datasette.databases}


def known_answers(database: Database) -> Answers | None:
    """What was asked of the whole of a database before; None for one that may change."""
    if database.is_mutable:
        return None
    if not hasattr(database, _ANSWERS):
        setattr(database, _ANSWERS, {})
    found: Answers = getattr(database, _ANSWERS)
    return found


def _is_ours(database: Database) -> bool:
    # Datasette asks hundreds of times for one page, and a served file stays what it is.
    if not hasattr(database, _FOUND):
        setattr(database, _FOUND, bool(database.path) and is_database(Path(str(database.path))))
    found: bool = getattr(database, _FOUND)
    return found
