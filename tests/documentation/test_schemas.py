"""The machine-readable descriptions are valid, up to date, and true of what is printed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from sqlite3 import Connection
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from caphistory.questions.answers import COLUMNS
from caphistory.questions.queries import queries
from caphistory.records import decode_nested
from caphistory.store import open_reader
from caphistory.store.views import VIEWS
from tests.documentation.reference import ROOT, ROWS, schema_of_rows
from tests.kernels.database import build_history

SCHEMA = json.loads(ROWS.read_text("utf-8"))
GOLDEN = sorted((ROOT / "tests" / "faces" / "golden").glob("*.json"))


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    with closing(open_reader(build_history(tmp_path_factory.mktemp("s") / "a.db"))) as opened:
        yield opened


def validator(kind: str, name: str) -> Draft202012Validator:
    return Draft202012Validator({"$ref": f"#/$defs/{kind}.{name}", "$defs": SCHEMA["$defs"]})


def rows_of(db: Connection, sql: str, parameters: dict[str, str]) -> list[dict[str, Any]]:
    return [decode_nested(dict(row)) for row in db.execute(sql, parameters)]


def test_the_schema_is_the_programs_and_is_one() -> None:
    assert schema_of_rows() == ROWS.read_text("utf-8"), (
        "run python -m tests.documentation.reference"
    )
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("view", [view.name for view in VIEWS])
def test_the_rows_of_a_view_are_of_its_schema(db: Connection, view: str) -> None:
    validator("view", view).validate(rows_of(db, f"SELECT * FROM {view}", {}))


@pytest.mark.parametrize("name", queries())
def test_the_rows_of_a_question_are_of_its_schema(db: Connection, name: str) -> None:
    parameters = {parameter.name: "" for parameter in queries()[name].parameters}
    validator("answer", name).validate(rows_of(db, queries()[name].sql, parameters))


@pytest.mark.parametrize(
    # Lines for a pod are no rows.
    "path",
    [path for path in GOLDEN if path.stem != "needs-kubernetes"],
    ids=lambda path: path.stem,
)
def test_what_a_command_prints_is_of_one_of_the_schemas(path: Path) -> None:
    rows = json.loads(path.read_text("utf-8"))
    names = [name for name in SCHEMA["$defs"] if name.startswith(("answer.", "command."))]
    fitting = [name for name in names if validator(*name.split(".")).is_valid(rows)]
    assert rows and fitting
    if path.stem in COLUMNS:
        assert f"command.{path.stem}" in fitting
