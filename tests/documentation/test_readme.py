"""The README tells everything that there is, and what it tells is so."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from caphistory.cli.root import COMMANDS
from caphistory.paths import data_path
from caphistory.store.schema import VIEWS
from tests.documentation.reference import ANSWER, README, answered, with_reference

TEXT = README.read_text("utf-8")
SHIPPED = (data_path() / "facts.xz").exists()


def test_the_reference_is_that_of_the_program() -> None:
    assert with_reference(TEXT) == TEXT, "run python -m tests.documentation.reference"


def test_every_command_is_shown_above_the_reference() -> None:
    told = TEXT.split("## Reference")[0]
    assert [name for name in COMMANDS if f"caphistory {name}" not in told] == []


def test_every_view_is_documented_with_its_columns() -> None:
    for view in VIEWS:
        section = TEXT.split(f"#### `{view.name}`\n")[1].split("####")[0]
        assert re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE) == [*view.columns]


@pytest.mark.skipif(not SHIPPED, reason="data/facts.xz is not there")
@pytest.mark.parametrize(
    "answer", list(ANSWER.finditer(TEXT)), ids=lambda answer: answer["command"]
)
def test_an_answer_in_the_readme_is_what_the_command_prints(answer: re.Match[str]) -> None:
    assert answered(answer["command"]) == answer["text"]


def test_the_module_runs_as_the_readme_says() -> None:
    help_text = subprocess.run(
        [sys.executable, "-m", "caphistory", "--help"], capture_output=True, text=True, check=True
    ).stdout
    assert help_text.startswith("Usage: caphistory")
