"""The explorer: a Datasette plugin that knows what a caphistory database holds.

Datasette finds it by its entry point, so that ``datasette caphistory.db`` has it too. It
leaves databases that are not caphistory's as they are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from datasette import hookimpl
from markupsafe import Markup

from caphistory.explorer import cells, metadata

if TYPE_CHECKING:
    # Datasette loads its plugins while it is being imported itself.
    from datasette.app import Datasette
    from datasette.database import Database

Hook = TypeVar("Hook", bound=Callable[..., Any])

# Datasette's own decorator, which it leaves untyped.
hook: Callable[[Hook], Hook] = hookimpl

_FOUND = "_caphistory_databases"
_DATASETTES_OWN = "_internal"


@hook
def startup(datasette: Datasette) -> Any:
    """Find which of the databases are caphistory's, by the views that they have."""

    async def find() -> None:
        ours = [name for name, one in datasette.databases.items() if await _is_ours(one)]
        setattr(datasette, _FOUND, ours)

    return find


@hook
def get_metadata(datasette: Datasette) -> dict[str, Any]:
    """Titles and descriptions of the caphistory databases; nothing of any other."""
    return metadata.instance_metadata(
        {name: datasette.urls.database(name) for name in _ours(datasette)},
        alone=set(_ours(datasette)) == datasette.databases.keys() - {_DATASETTES_OWN},
    )


@hook
def canned_queries(datasette: Datasette, database: str) -> dict[str, dict[str, Any]]:
    """The questions of ``queries/*.sql`` for a caphistory database."""
    return metadata.canned_queries() if database in _ours(datasette) else {}


@hook
def render_cell(datasette: Datasette, database: str, column: str, value: object) -> Markup | None:
    """Links from syscalls, capabilities and releases, and chains as lists."""
    if database not in _ours(datasette):
        return None
    return cells.cell(column, value, datasette.urls.database(database))


def _ours(datasette: Datasette) -> list[str]:
    names: list[str] = getattr(datasette, _FOUND, [])
    return names


async def _is_ours(database: Database) -> bool:
    return set(await database.view_names()) >= metadata.view_names()
