"""Read the queries of ``queries/*.sql`` and run them on a database.

A query file is a header in SQL comments (``-- title:``, ``-- description:``,
``-- param NAME: text (default: …)``) and one SELECT with named parameters.
SQL that several queries share is in ``queries/fragments``: ``{{NAME}}`` in a query stands for the
text of ``fragments/NAME.sql``, and ``{{NAME TEXT}}`` for the same with TEXT in place of ``$1``.
"""

from __future__ import annotations

import keyword
import re
import sqlite3
from functools import cache
from typing import Any, NamedTuple

from caphistory.paths import queries_path
from caphistory.records import Row

_HEADER = re.compile(r"-- (title|description|param (?P<name>\w+)): (?P<text>.+)")
_FRAGMENT = re.compile(r"\{\{(?P<name>\w+)(?: (?P<argument>[^{}]+))?\}\}")
_DEFAULT = re.compile(r"\(default: (?P<default>[^()]*)\)$")


class Parameter(NamedTuple):
    """A parameter of a query; ``default`` says in words what is asked without it."""

    name: str
    description: str
    default: str


class Query(NamedTuple):
    """A query; ``sql`` is one SELECT with its header and with its fragments expanded."""

    name: str
    title: str
    description: str
    parameters: tuple[Parameter, ...]
    sql: str


def parse_query(name: str, text: str) -> Query:
    """Return the query ``name`` from the ``text`` of its file; raise ValueError if its header lacks
    a title, a description or the default of a parameter."""
    headers: dict[str, str] = {}
    parameters: list[Parameter] = []
    for line in text.splitlines():
        header = _HEADER.fullmatch(line)
        if header is None:
            break
        if header["name"] is None:
            headers[header[1]] = header["text"]
            continue
        default = _DEFAULT.search(header["text"])
        if default is None:
            raise ValueError(f"{name}: parameter {header['name']} has no default")
        description = header["text"][: default.start()].strip()
        parameters.append(Parameter(header["name"], description, default["default"]))
    if headers.keys() != {"title", "description"}:
        raise ValueError(f"{name}: a query begins with its title and its description")
    return Query(name, headers["title"], headers["description"], tuple(parameters), expand(text))


def format_call(query: Query) -> str:
    """Return the call that asks a query in Python, with each of its parameters."""
    arguments = "".join(
        f", {name}_=…" if keyword.iskeyword(name) else f", {name}=…"
        for name in (parameter.name for parameter in query.parameters)
    )
    return f'caphistory.open().ask("{query.name}"{arguments})'


def expand(sql: str) -> str:
    """Return ``sql`` with each fragment replaced by its text, indented like the line that names
    it."""
    return "\n".join(_expand_line(line) for line in sql.split("\n"))


def _expand_line(line: str) -> str:
    indent = line[: len(line) - len(line.lstrip())]
    return _FRAGMENT.sub(
        lambda reference: _expand_fragment(reference).replace("\n", f"\n{indent}"), line
    )


def _expand_fragment(reference: re.Match[str]) -> str:
    text = expand(_read_fragment(reference["name"]))
    return text.replace("$1", reference["argument"]) if reference["argument"] else text


@cache
def _read_fragment(name: str) -> str:
    """Return the text of a fragment without its comment."""
    lines = (queries_path() / "fragments" / f"{name}.sql").read_text("utf-8").splitlines()
    return "\n".join(line for line in lines if not line.startswith("--"))


@cache
def queries() -> dict[str, Query]:
    """Return all queries by name, in alphabetical order."""
    files = sorted(queries_path().glob("*.sql"))
    return {file.stem: parse_query(file.stem, file.read_text("utf-8")) for file in files}


@cache
def query(name: str) -> Query:
    """Return the query ``name`` (the name of its file without ``.sql``)."""
    return parse_query(name, (queries_path() / f"{name}.sql").read_text("utf-8"))


class Answer(NamedTuple):
    """The rows of an answer, each with one value for each of ``columns``."""

    columns: list[str]
    rows: list[tuple[Any, ...]]


def answer(connection: sqlite3.Connection, name: str, **parameters: str | None) -> Answer:
    """Run the query ``name`` and return its columns and rows. A parameter that is missing, None or
    ``""`` takes the query's default; raise ValueError for one that the query does not have."""
    asked = query(name)
    values: dict[str, str] = {parameter.name: "" for parameter in asked.parameters}
    unknown = parameters.keys() - values.keys()
    if unknown:
        raise ValueError(f"{name} has no parameter {', '.join(sorted(unknown))}")
    values |= {key: value for key, value in parameters.items() if value is not None}
    cursor = connection.execute(asked.sql, values)
    return Answer([column[0] for column in cursor.description], [tuple(row) for row in cursor])


def ask(connection: sqlite3.Connection, name: str, **parameters: str | None) -> list[Row]:
    """Run the query ``name`` (see ``answer``) and return its rows as dictionaries by column."""
    columns, rows = answer(connection, name, **parameters)
    return [dict(zip(columns, row, strict=True)) for row in rows]
