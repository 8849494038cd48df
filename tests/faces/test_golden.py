"""Each command says, in table and JSON, exactly what its golden text has."""

from __future__ import annotations

from pathlib import Path

import pytest

from caphistory.cli.root import COMMANDS
from tests.faces.conftest import Run
from tests.faces.golden import CASES, FORMATS, SOURCE_CASES, golden_file
from tests.kernels.sources import build_sources

NO_ROWS = {"serve", "index", "export", "database", "completion"}
"""Commands that do something and have no rows to show."""


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    return build_sources(tmp_path_factory.mktemp("golden"))


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("case", CASES)
def test_an_answer_is_word_for_word_the_golden_one(caphistory: Run, case: str, form: str) -> None:
    said = caphistory(*CASES[case], "--format", form)
    assert said == (0, golden_file(case, form).read_text("utf-8"), "")


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("case", SOURCE_CASES)
def test_source_is_word_for_word_the_golden_one(
    caphistory: Run, sources: tuple[str, str], case: str, form: str
) -> None:
    database, repository = sources
    arguments = (*SOURCE_CASES[case], "--repository", repository, "--format", form)
    said = caphistory("--db", database, *arguments)
    assert said == (0, golden_file(case, form).read_text("utf-8"), "")


def test_piped_source_is_to_be_read_too(caphistory: Run, sources: tuple[str, str]) -> None:
    database, repository = sources
    for case in SOURCE_CASES:
        said = caphistory("--db", database, *SOURCE_CASES[case], "--repository", repository)
        assert said.out in golden_file(case, "table").read_text("utf-8")


def test_every_command_has_a_golden_text() -> None:
    told = {arguments[0] for arguments in (*CASES.values(), *SOURCE_CASES.values()) if arguments}
    assert told == set(COMMANDS) - NO_ROWS


def test_no_golden_text_is_left_from_a_case_that_is_gone() -> None:
    known = {golden_file(case, form) for case in (*CASES, *SOURCE_CASES) for form in FORMATS}
    folder: Path = golden_file("which", "json").parent
    kept = {path for suffix in FORMATS.values() for path in folder.glob(f"*.{suffix}")}
    assert kept == known
