"""What differs between the two lines of Datasette, 0.65 and 1.0, and nothing else.

0.65 asks plugins for metadata and queries on every page; 1.0 keeps both in a database of its own,
which is filled when it starts, and takes how tables are shown from its configuration.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from caphistory.explorer import metadata
from caphistory.explorer.databases import alone, ours

if TYPE_CHECKING:
    # Datasette loads its plugins while it is being imported itself.
    from datasette.app import Datasette

_NOT_METADATA = ("columns", *metadata.CONFIGURATION)


async def require_view(datasette: Datasette, actor: Any, database: str) -> None:
    """Raise Datasette's Forbidden if ``actor`` may not see ``database``."""
    if hasattr(datasette, "ensure_permissions"):
        await datasette.ensure_permissions(actor, [("view-database", database), "view-instance"])
        return
    from datasette.resources import DatabaseResource

    await datasette.ensure_permission(
        action="view-database", resource=DatabaseResource(database), actor=actor
    )


async def fill(datasette: Datasette) -> None:
    """Give a Datasette 1.0 metadata, queries and configuration of the caphistory databases that it
    serves, beside what its user gave; 0.65 asks for them."""
    if not hasattr(datasette, "set_instance_metadata"):
        return
    given = metadata.instance_metadata(ours(datasette), alone(datasette))
    present = await datasette.get_instance_metadata()
    for key, value in _list_texts(given, present):
        await datasette.set_instance_metadata(key, value)
    for name, described in given.get("databases", {}).items():
        await _fill_database(datasette, name, described)
        _configure(datasette, name, described["tables"])
        for query, kept in metadata.canned_queries().items():
            await datasette.add_query(
                name,
                query,
                kept["sql"],
                title=kept["title"],
                description_html=kept["description_html"],
                parameters=kept["params"],
                hide_sql=kept["hide_sql"],
                is_trusted=True,
                source="caphistory",
                replace=False,
            )


async def _fill_database(datasette: Datasette, name: str, described: Mapping[str, Any]) -> None:
    present = await datasette.get_database_metadata(name)
    for key, value in _list_texts(described, present):
        await datasette.set_database_metadata(name, key, value)
    for table, texts in described["tables"].items():
        present = await datasette.get_resource_metadata(name, table)
        for key, value in _list_texts(texts, present):
            await datasette.set_resource_metadata(name, table, key, value)
        for column, text in texts["columns"].items():
            if not await datasette.get_column_metadata(name, table, column):
                await datasette.set_column_metadata(name, table, column, "description", text)


def _list_texts(given: Mapping[str, Any], present: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the texts of ``given`` that are metadata in 1.0 and not ``present``."""
    return [
        (key, value)
        for key, value in given.items()
        if isinstance(value, str) and key not in (*_NOT_METADATA, *present)
    ]


def _configure(datasette: Datasette, name: str, tables: Mapping[str, Mapping[str, Any]]) -> None:
    """Tell how tables are shown, unless the user did."""
    config = datasette.config.setdefault("databases", {}).setdefault(name, {})
    for table, described in tables.items():
        ways = {key: described[key] for key in metadata.CONFIGURATION if key in described}
        shown = config.setdefault("tables", {}).setdefault(table, {})
        shown.update({key: value for key, value in ways.items() if key not in shown})
