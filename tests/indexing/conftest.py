"""A history and what indexing all of it at once gives."""

from __future__ import annotations

from pathlib import Path

import pytest

from .kernels import make_history, read


@pytest.fixture(scope="session")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository of RELEASES; not to be changed."""
    return make_history(tmp_path_factory.mktemp("history") / "linux.git")


@pytest.fixture(scope="session")
def whole(history: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database that one run over the whole history gives; not to be changed."""
    db = tmp_path_factory.mktemp("whole") / "whole.db"
    read(db, history)
    return db


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folders of the user that are the test's own; gives that of the cache."""
    for name in ("CACHE", "DATA", "CONFIG"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / f"xdg-{name.lower()}"))
    return tmp_path / "xdg-cache" / "caphistory"
