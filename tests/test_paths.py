"""The files that come with the package."""

from __future__ import annotations

import pytest

from caphistory.errors import CaphistoryError
from caphistory.paths import data_path, queries_path


def test_data_and_queries_are_found() -> None:
    assert data_path("release_dates.csv").is_file()
    assert data_path().is_dir()
    assert queries_path().is_dir()


def test_a_missing_file() -> None:
    with pytest.raises(CaphistoryError, match=r"data/nothing\.csv is missing"):
        data_path("nothing.csv")
