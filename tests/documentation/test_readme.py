"""The documentation tells everything that there is, and what it tells is so."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from caphistory.cli.root import COMMANDS, root
from caphistory.paths import data_path
from caphistory.questions.queries import queries
from caphistory.questions.schema import VIEWS
from tests.documentation.reference import (
    ANSWER,
    DATA,
    DOCUMENTS,
    QUERIES,
    README,
    answered,
    with_generated,
)

SHIPPED = (data_path() / "facts.xz").exists()
ANSWERS = [answer for path in DOCUMENTS for answer in ANSWER.finditer(path.read_text("utf-8"))]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.parent.name)
def test_the_generated_parts_are_those_of_the_program(path: Path) -> None:
    assert with_generated(path) == path.read_text("utf-8"), (
        "run python -m tests.documentation.reference"
    )


def test_the_readme_is_short_and_shows_every_command() -> None:
    text = README.read_text("utf-8")
    assert text.count("\n") <= 245
    assert [name for name in COMMANDS if f"caphistory {name}" not in text] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_has_a_help_text(name: str) -> None:
    command = root.get_command(click.Context(root), name)
    assert command is not None and command.help
    options = [one for one in command.params if isinstance(one, click.Option)]
    assert [option.name for option in options if not option.help] == []


def test_every_view_is_documented_with_its_columns() -> None:
    text = DATA.read_text("utf-8")
    for view in VIEWS:
        section = text.split(f"## `{view.name}`\n")[1].split("\n## ")[0]
        assert re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE) == [*view.columns]


def test_every_question_is_documented_with_its_parameters() -> None:
    text = QUERIES.read_text("utf-8")
    for query in queries().values():
        section = text.split(f"## `{query.name}`\n")[1].split("\n## ")[0]
        listed = re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)
        assert listed == [parameter.name for parameter in query.parameters]


def test_links_between_documents_lead_to_files() -> None:
    for document in DOCUMENTS:
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)\)", document.read_text("utf-8")):
            assert (document.parent / target).exists(), f"{document.name}: {target}"


@pytest.mark.slow
@pytest.mark.skipif(not SHIPPED, reason="data/facts.xz is not there")
@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: answer["command"])
def test_an_answer_in_the_documents_is_what_the_command_prints(answer: re.Match[str]) -> None:
    assert answered(answer["command"]) == answer["text"]


def test_the_module_runs_as_the_readme_says() -> None:
    help_text = subprocess.run(
        [sys.executable, "-m", "caphistory", "--help"], capture_output=True, text=True, check=True
    ).stdout
    assert help_text.startswith("Usage: caphistory")
