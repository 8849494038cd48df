"""What several tests share."""

from __future__ import annotations

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
