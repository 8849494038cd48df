"""A history and what indexing all of it at once gives."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.indexing.running import own_folders, read
from tests.kernels.transition import make_history


@pytest.fixture(scope="session")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository of RELEASES; not to be changed."""
    return make_history(tmp_path_factory.mktemp("history") / "linux.git")


@pytest.fixture(scope="session")
def whole(history: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database that one run over the whole history gives; not to be changed."""
    db = tmp_path_factory.mktemp("whole") / "whole.db"
    with own_folders(db.parent):
        read(db, history)
    return db


@pytest.fixture(autouse=True)
def cache(tmp_path: Path) -> Iterator[Path]:
    """Folders of the user that are the test's own; gives that of the cache."""
    with own_folders(tmp_path) as cache:
        yield cache
