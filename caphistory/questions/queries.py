"""The questions of ``queries/*.sql``, read once and put to a database.

A query file is a header in SQL comments (``-- title:``, ``-- description:``,
``-- param NAME: text (default: …)``) and one SELECT with named parameters.
What several queries say alike stands once, in ``queries/fragments``: ``{{NAME}}`` in a query is the
text of ``fragments/NAME.sql``, ``{{NAME TEXT}}`` the same with TEXT for its ``$1``.
"""

from __future__ import annotations

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
    """A parameter of a query: ``default`` says in words what is asked without it."""

    name: str
    description: str
    default: str


class Query(NamedTuple):
    """A question: ``sql`` is one SELECT, header included, as SQLite takes it."""

    name: str
    title: str
    description: str
    parameters: tuple[Parameter, ...]
    sql: str


def parse_query(name: str, text: str) -> Query:
    """The query ``name`` that a query file's ``text`` holds; ValueError where its
    header lacks a title, a description or the default of a parameter."""
    heads: dict[str, str] = {}
    parameters: list[Parameter] = []
    for line in text.splitlines():
        header = _HEADER.fullmatch(line)
        if header is None:
            break
        if header["name"] is None:
            heads[header[1]] = header["text"]
            continue
        default = _DEFAULT.search(header["text"])
        if default is None:
            raise ValueError(f"{name}: parameter {header['name']} has no default")
        described = header["text"][: default.start()].strip()
        parameters.append(Parameter(header["name"], described, default["default"]))
    if heads.keys() != {"title", "description"}:
        raise ValueError(f"{name}: a query begins with its title and its description")
    return Query(name, heads["title"], heads["description"], tuple(parameters), expanded(text))


def expanded(sql: str) -> str:
    """``sql`` with the text of each fragment in its place, indented as the line that names it."""
    return "\n".join(_expanded_line(line) for line in sql.split("\n"))


def _expanded_line(line: str) -> str:
    indent = line[: len(line) - len(line.lstrip())]
    return _FRAGMENT.sub(lambda use: _text_of(use).replace("\n", f"\n{indent}"), line)


def _text_of(use: re.Match[str]) -> str:
    text = expanded(_fragment(use["name"]))
    return text.replace("$1", use["argument"]) if use["argument"] else text


@cache
def _fragment(name: str) -> str:
    """The text of a fragment, without the comment that says what it means."""
    lines = (queries_path() / "fragments" / f"{name}.sql").read_text("utf-8").splitlines()
    return "\n".join(line for line in lines if not line.startswith("--"))


@cache
def queries() -> dict[str, Query]:
    """Every query that ships, by name, in the order of their names."""
    files = sorted(queries_path().glob("*.sql"))
    return {file.stem: parse_query(file.stem, file.read_text("utf-8")) for file in files}


@cache
def query(name: str) -> Query:
    """The query ``name`` (the name of its file without ``.sql``)."""
    return parse_query(name, (queries_path() / f"{name}.sql").read_text("utf-8"))


class Answer(NamedTuple):
    """The rows of an answer, each with a value for each of ``columns``."""

    columns: list[str]
    rows: list[tuple[Any, ...]]


def answer(connection: sqlite3.Connection, name: str, **parameters: str | None) -> Answer:
    """What the query ``name`` gives; parameters not given, None and ``""`` take the query's
    defaults."""
    question = query(name)
    values: dict[str, str] = {parameter.name: "" for parameter in question.parameters}
    unknown = parameters.keys() - values.keys()
    if unknown:
        raise ValueError(f"{name} has no parameter {', '.join(sorted(unknown))}")
    values |= {key: value for key, value in parameters.items() if value is not None}
    cursor = connection.execute(question.sql, values)
    return Answer([column[0] for column in cursor.description], [tuple(row) for row in cursor])


def ask(connection: sqlite3.Connection, name: str, **parameters: str | None) -> list[Row]:
    """The rows that the query ``name`` gives (see ``answer``), by column."""
    columns, rows = answer(connection, name, **parameters)
    return [dict(zip(columns, row, strict=True)) for row in rows]
