"""What several tests share."""

from __future__ import annotations

import signal
from pathlib import Path

import platformdirs
import pytest

from tests.indexing.running import own_folders, read
from tests.kernels.small_history import make_small_history


@pytest.fixture(scope="session")
def default_history() -> Path:
    """The clone of the default history in the user's cache; skips where there is none."""
    path = Path(platformdirs.user_cache_dir("caphistory")) / "linux-history.git"
    if not path.is_dir():
        pytest.skip("the default history is not in the cache (caphistory index clones it)")
    return path


@pytest.fixture(scope="session")
def small_history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository of a few kilobytes with releases from 1.0 to 2.6; not to be changed."""
    return make_small_history(tmp_path_factory.mktemp("small") / "linux-history.git")


@pytest.fixture(scope="session")
def small_database(small_history: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What one run over all of the small history gives; not to be changed."""
    db = tmp_path_factory.mktemp("small") / "small.db"
    with own_folders(db.parent):
        read(db, small_history, prereleases=True, jobs=2)
    return db


@pytest.fixture(scope="session", params=["small", "default"])
def any_history(request: pytest.FixtureRequest) -> Path:
    """The small history, then the default one; skips where that is not there."""
    path: Path = request.getfixturevalue(f"{request.param}_history")
    return path


@pytest.fixture(scope="session", autouse=True)
def hears_ctrl_c() -> None:
    """A shell makes what it begins in the background deaf to Ctrl-C, and all that this begins."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
