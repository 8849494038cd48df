"""What several tests share."""

from __future__ import annotations

import os
import signal
from collections.abc import Generator
from pathlib import Path

import platformdirs
import pytest
from hypothesis import settings

from caphistory.engine import ABSENT, is_installed
from caphistory.errors import CaphistoryError
from tests.indexing.running import own_folders, read
from tests.kernels.small_history import make_small_history

HERE = Path(__file__).parent
# All that is in these folders reads kernels.
_OF_THE_ENGINE = (HERE / "engine", HERE / "indexing")
# Whoever asks for one of these waits for it: a clone of hundreds of releases, all that ships.
_SLOW_FIXTURES = {"default_history", "shipped"}

# The same inputs in every run: a test fails for what was changed, not by chance. For others:
# --hypothesis-profile=default.
settings.register_profile("repeatable", derandomize=True)
settings.load_profile("repeatable")


def pytest_configure(config: pytest.Config) -> None:
    """Where the engine is required (in CI), its absence is no reason to skip anything."""
    if os.environ.get("CAPHISTORY_REQUIRE_ENGINE") and not is_installed():
        raise pytest.UsageError(f"CAPHISTORY_REQUIRE_ENGINE is set: {ABSENT}")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is not slow as fast, and skip what needs the engine where it is not installed."""
    for item in items:
        if _waits(item):
            item.add_marker(pytest.mark.slow)
        if item.get_closest_marker("slow") is None:
            item.add_marker(pytest.mark.fast)
        if not is_installed() and any(folder in item.path.parents for folder in _OF_THE_ENGINE):
            item.add_marker(pytest.mark.skip(reason=ABSENT))


def _waits(item: pytest.Item) -> bool:
    """Whether a test needs a slow fixture, by its name or as the ``default`` one of several."""
    if not isinstance(item, pytest.Function):
        return False
    parameters = item.callspec.params.values() if hasattr(item, "callspec") else ()
    return bool(_SLOW_FIXTURES.intersection(item.fixturenames)) or "default" in parameters


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, object, object]:
    """Skip a test whose fixtures ask for an engine that is not installed."""
    return (yield from _with_engine())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Skip a test that asks for an engine that is not installed."""
    return (yield from _with_engine())


def _with_engine() -> Generator[None, object, object]:
    try:
        return (yield)
    except CaphistoryError as error:
        if str(error) == ABSENT:
            pytest.skip(ABSENT)
        raise


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
