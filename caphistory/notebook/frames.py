"""Rows as data frames whose columns have the same types whatever the rows, or none.

Releases are an ordered categorical, so that they sort by version, flags are ``boolean``, counts
``Int64``, dates ``datetime64[s]`` and texts ``string``; what JSON holds becomes tuples of texts or
steps, which are hashable.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NoReturn

from caphistory.errors import CaphistoryError
from caphistory.questions.schema import get_column_type

try:
    import pandas as pd
except ImportError as error:
    raise CaphistoryError(
        "data frames need pandas: python -m pip install 'caphistory[notebooks]'"
    ) from error

_DTYPES: dict[str, Any] = {
    "boolean": "boolean",
    "integer": "Int64",
    "number": "Float64",
    "text": "string",
}


Column = Any
"""A pandas Series; what its types say of conversions differs between the versions of pandas."""


class Step(dict[str, Any]):
    """A step of a chain, or a place in a document, by name; it cannot be changed and is hashable,
    so that ``drop_duplicates`` and the like take it."""

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(tuple(self.items()))

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise TypeError("a step cannot be changed: take a dict() of it")

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse


def make_frame(
    columns: Sequence[str], rows: Iterable[tuple[Any, ...]], releases: Sequence[str]
) -> pd.DataFrame:
    """Return the rows of an answer, typed by the names of their columns; ``releases`` are all in
    their order."""
    return _make(columns, rows, releases, _convert)


def guess_frame(
    columns: Sequence[str], rows: Iterable[tuple[Any, ...]], releases: Sequence[str]
) -> pd.DataFrame:
    """Return rows whose columns a user named: typed by names where the values are of these types,
    else as pandas sees them."""

    def convert(name: str, values: Column, releases: Sequence[str]) -> Column:
        kind = get_column_type(name)
        if kind == "text" or (kind == "release" and not {*values.dropna()} <= {*releases}):
            return values.convert_dtypes()
        try:
            converted = _convert(name, values, releases)
        except (TypeError, ValueError):
            return values.convert_dtypes()
        # A categorical takes what is not among its categories for missing.
        return converted if converted.isna().equals(values.isna()) else values.convert_dtypes()

    return _make(columns, rows, releases, convert)


_Convert = Callable[[str, Column, Sequence[str]], Column]


def _make(
    columns: Sequence[str],
    rows: Iterable[tuple[Any, ...]],
    releases: Sequence[str],
    convert: _Convert,
) -> pd.DataFrame:
    plain = pd.DataFrame(list(rows), columns=list(columns), dtype=object)
    # Two columns of a user's may have one name.
    typed = [
        convert(name, plain.iloc[:, number], releases) for number, name in enumerate(plain.columns)
    ]
    frame: pd.DataFrame = pd.concat(typed, axis=1) if typed else plain
    return frame


def _convert(name: str, values: Column, releases: Sequence[str]) -> Column:
    """Return a column of SQLite's values with its type; TypeError or ValueError where they are of
    another."""
    kind = get_column_type(name)
    if kind == "release":
        return values.astype(pd.CategoricalDtype(list(releases), ordered=True))
    if kind == "date":
        dates: Column = pd.to_datetime(values, format="%Y-%m-%d")
        return dates.astype("datetime64[s]")
    if kind == "json":
        return pd.Series([_decode(text) for text in values], values.index, object, name)
    if kind == "boolean":
        if not set(values.dropna()) <= {0, 1}:
            raise ValueError(f"{name} is 0 or 1")
        return values.map(bool, na_action="ignore").astype("boolean")
    return values.astype(_DTYPES[kind])


def _decode(text: Any) -> tuple[Any, ...] | None:
    """Return a JSON array as a tuple."""
    if not isinstance(text, str):
        return None
    return tuple(Step(item) if isinstance(item, dict) else item for item in json.loads(text))
