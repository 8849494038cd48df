"""What several tests share."""

from __future__ import annotations

import signal
from pathlib import Path

import platformdirs
import pytest


@pytest.fixture(scope="session")
def default_history() -> Path:
    """The clone of the default history in the user's cache; skips where there is none."""
    path = Path(platformdirs.user_cache_dir("caphistory")) / "linux-history.git"
    if not path.is_dir():
        pytest.skip("the default history is not in the cache (caphistory index clones it)")
    return path


@pytest.fixture(scope="session", autouse=True)
def hears_ctrl_c() -> None:
    """A shell makes what it begins in the background deaf to Ctrl-C, and all that this begins."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
