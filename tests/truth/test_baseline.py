"""No later change may lose a check site, or find one more, without anybody noticing."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from caphistory.store import open_reader
from tests.kernels.small_history import RELEASES
from tests.truth.baseline import MODERN, SHIPPED, figures, kept
from tests.truth.conftest import READ_ANEW


def test_the_baseline_has_every_release_that_ships() -> None:
    assert set(kept()) == set(SHIPPED)


@pytest.mark.parametrize("release", SHIPPED)
def test_the_shipped_accounting_is_the_baseline(release: str, shipped: sqlite3.Connection) -> None:
    assert figures(shipped, [release]) == {release: kept()[release]}


def test_nothing_is_unexplained_or_without_function() -> None:
    assert {(row["unexplained"], row["without_function"]) for row in kept().values()} == {(0, 0)}


@pytest.mark.parametrize("release", RELEASES)
def test_nothing_of_the_small_history_is_unexplained(release: str, small_database: Path) -> None:
    with closing(open_reader(small_database)) as db:
        counts = figures(db, [release])[release]
    assert (counts["unexplained"], counts["without_function"]) == (0, 0)
    assert counts["lexical"] > counts["calls"] > 5


@pytest.mark.parametrize("release", MODERN)
def test_a_modern_kernel_gives_the_baseline(release: str) -> None:
    """``CAPHISTORY_MODERN`` names a database with the releases, newly indexed: reading one takes
    minutes."""
    named = os.environ.get("CAPHISTORY_MODERN")
    if not named:
        pytest.skip("CAPHISTORY_MODERN names no database with modern kernels")
    with closing(open_reader(Path(named))) as db:
        assert figures(db, [release]) == {release: kept()[release]}


@pytest.mark.parametrize("release", READ_ANEW)
def test_a_new_run_gives_the_baseline(release: str, read_anew: Path) -> None:
    with closing(open_reader(read_anew)) as db:
        assert figures(db, [release]) == {release: kept()[release]}
