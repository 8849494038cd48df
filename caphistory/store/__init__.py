"""The database: linked releases go in, the views of the contract come out.

Nothing but the standard library is needed to read one, and what only some commands need
(writing, exporting, unpacking) is imported when it is asked for: an answer comes quickly.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from caphistory.store.database import open_reader
from caphistory.store.reading import Indexed, has_release, read_indexed

if TYPE_CHECKING:
    from caphistory.store.ddl import create
    from caphistory.store.default import database_to_write, default_database, user_database
    from caphistory.store.exporting import export_as
    from caphistory.store.shipped import export, unpack
    from caphistory.store.writer import Writer, open_writer

_LATER = {
    "Writer": "writer",
    "create": "ddl",
    "database_to_write": "default",
    "default_database": "default",
    "export": "shipped",
    "export_as": "exporting",
    "open_writer": "writer",
    "unpack": "shipped",
    "user_database": "default",
}

__all__ = [
    "Indexed",
    "Writer",
    "create",
    "database_to_write",
    "default_database",
    "export",
    "export_as",
    "has_release",
    "open_reader",
    "open_writer",
    "read_indexed",
    "unpack",
    "user_database",
]


def __getattr__(name: str) -> Any:
    """Import a name of ``_LATER`` when it is first used."""
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_LATER[name]}"), name)
