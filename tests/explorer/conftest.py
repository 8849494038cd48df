"""What the tests of the explorer share: a small history, served."""

from __future__ import annotations

from pathlib import Path

import pytest
from datasette.app import Datasette

from caphistory.explorer.server import explorer_application
from tests.kernels.database import build_history


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database of a small history."""
    return build_history(tmp_path_factory.mktemp("explorer") / "history.db")


@pytest.fixture(scope="module")
def explorer(database: Path) -> Datasette:
    """The explorer of the small history."""
    return explorer_application(database, time_limit_ms=5000)
