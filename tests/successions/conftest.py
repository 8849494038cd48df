"""A small history, its database, and folders of the user that are the tests' own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.kernels.widgets import make_widgets
from tests.successions.indexing import indexed


@pytest.fixture(scope="session")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository of six releases; not to be changed."""
    return make_widgets(tmp_path_factory.mktemp("successions") / "linux.git")


@pytest.fixture(scope="session")
def database(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What indexing all of it gives; not to be changed."""
    return indexed(tmp_path_factory.mktemp("successions") / "whole.db", repository)
