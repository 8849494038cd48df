"""What the tests of the faces share: one database and a way to run the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from caphistory.cli import run
from tests.kernels.database import build_history


class Said(NamedTuple):
    """What a run of the command line gave."""

    exit_code: int
    out: str
    err: str

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The rows of an answer in JSON."""
        rows: list[dict[str, Any]] = json.loads(self.out)
        return rows

    @property
    def lines(self) -> list[str]:
        """The lines of the answer."""
        return self.out.splitlines()


Run = Callable[..., Said]


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database of a small history."""
    return build_history(tmp_path_factory.mktemp("faces") / "history.db")


@pytest.fixture
def caphistory(
    database: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Run:
    """Runs ``caphistory`` on the small history, 100 columns wide."""
    monkeypatch.setenv("COLUMNS", "100")

    def run_it(*arguments: str) -> Said:
        exit_code = run(["--db", str(database), *arguments])
        return Said(exit_code, *capsys.readouterr())

    return run_it
