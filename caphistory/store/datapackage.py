"""Describe exported tables as a data package, and rows as JSON Schemas, both from the schema."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

from caphistory import __version__
from caphistory.citing import AUTHOR, DATA_LICENSE, HOMEPAGE, TITLE
from caphistory.store import column_types
from caphistory.store.column_types import get_column_type
from caphistory.store.views import VIEWS, View

_FOR_QUERIES = ("asked_privileges", "asked_releases", "usual_abis", "usual_ends")
EXPORTED = tuple(view for view in VIEWS if view.name not in _FOR_QUERIES)
"""The views that are exported: all but those that only help the questions."""

# How Frictionless (frictionlessdata.io/specs/table-schema) and JSON Schema name the types of
# columns; what is not here is a string. Flags stand as 0 and 1 in CSV and JSON.
_FIELDS: Mapping[str, Mapping[str, Any]] = {
    column_types.BOOLEAN: {"type": "boolean", "trueValues": ["1"], "falseValues": ["0"]},
    column_types.DATE: {"type": "date"},
    column_types.INTEGER: {"type": "integer"},
    column_types.NUMBER: {"type": "number"},
    column_types.JSON: {"type": "array"},
}
_VALUES: Mapping[str, Mapping[str, Any]] = {
    column_types.BOOLEAN: {"enum": [0, 1, None]},
    column_types.DATE: {"type": ["string", "null"], "format": "date"},
    column_types.INTEGER: {"type": ["integer", "null"]},
    column_types.NUMBER: {"type": ["number", "null"]},
    column_types.JSON: {"type": ["array", "null"]},
}


def describe_package(suffix: str, release: str | None) -> dict[str, Any]:
    """Return a ``datapackage.json`` for a folder with a file for each view; ``release`` is the one
    that the views with rows of each release were narrowed to, None for all."""
    return {
        "profile": "tabular-data-package" if suffix == ".csv" else "data-package",
        "name": "caphistory",
        "title": TITLE,
        "version": __version__,
        "homepage": HOMEPAGE,
        "licenses": [dict(DATA_LICENSE)],
        "contributors": [{"title": AUTHOR, "role": "author"}],
        **(
            {"description": f"Views with rows of each release: those of {release}."}
            if release
            else {}
        ),
        "resources": [_describe_resource(view, suffix) for view in EXPORTED],
    }


def _describe_resource(view: View, suffix: str) -> dict[str, Any]:
    """Return the description of the file of a view."""
    resource: dict[str, Any] = {
        "name": view.name,
        "path": f"{view.name}{suffix}",
        "description": view.description,
        "format": suffix.removeprefix("."),
        "encoding": "utf-8",
    }
    if suffix == ".csv":
        resource["profile"] = "tabular-data-resource"
        resource["mediatype"] = "text/csv"
        resource["dialect"] = {"lineTerminator": "\n", "doubleQuote": True}
    resource["schema"] = {
        "fields": [
            {
                "name": name,
                "description": text,
                **_FIELDS.get(get_column_type(name), {"type": "string"}),
            }
            for name, text in view.columns.items()
        ]
    }
    return resource


def describe_rows(
    answers: Mapping[str, Sequence[str]],
    optional: Mapping[str, Sequence[str]],
    descriptions: Mapping[str, str],
) -> dict[str, Any]:
    """Return a JSON Schema of what ``--format json`` prints, arrays of rows: a definition
    ``view.NAME`` for each view, and one for each of ``answers``, their columns by the name of the
    definition; ``column.NAME`` for the columns that they share, ``descriptions`` being those of
    columns that no view has. ``optional`` are columns that a row of an answer may have besides."""
    of_views = {name: text for view in reversed(VIEWS) for name, text in view.columns.items()}
    described = {**descriptions, **of_views}
    names = {*of_views, *chain(*answers.values(), *optional.values())}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": TITLE,
        "$comment": f"version {__version__}",
        "$defs": {
            **{f"column.{name}": _describe_value(name, described) for name in sorted(names)},
            **{f"view.{view.name}": _describe_array([*view.columns]) for view in VIEWS},
            **{
                name: _describe_array(columns, optional.get(name, ()))
                for name, columns in answers.items()
            },
        },
    }


def _describe_value(name: str, described: Mapping[str, str]) -> dict[str, Any]:
    """Return the schema of the values of a column."""
    values = _VALUES.get(get_column_type(name), {"type": ["string", "null"]})
    return {**({"description": described[name]} if name in described else {}), **values}


def _describe_array(columns: Sequence[str], optional: Sequence[str] = ()) -> dict[str, Any]:
    """Return the schema of an array of rows with these columns."""
    return {
        "type": "array",
        "items": {
            "type": "object",
            "properties": {
                name: {"$ref": f"#/$defs/column.{name}"} for name in (*columns, *optional)
            },
            "required": list(columns),
            "additionalProperties": False,
        },
    }
