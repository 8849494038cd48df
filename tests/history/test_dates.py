"""When releases came out."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from caphistory.history.dates import find_release_date, load_dates
from caphistory.history.model import TagRef
from caphistory.history.repositories import RepositorySource
from caphistory.history.versions import position, release_name, series


def tag(release: str, committed: str | None, authored: str | None) -> TagRef:
    return TagRef(release, release, None, None, committed, authored)


def test_the_table_names_releases_iso_dates_and_sources() -> None:
    for release, (day, source) in load_dates().items():
        assert release_name(release) == release
        assert date.fromisoformat(day).isoformat() == day
        assert source


def test_dates_increase_within_a_series() -> None:
    latest: dict[str, tuple[str, str]] = {}
    for release in sorted(load_dates(), key=position):
        day = load_dates()[release][0]
        before = latest.get(series(release), ("", ""))
        assert before[0] <= day, (before, release)
        latest[series(release)] = (day, release)


def test_what_everybody_knows() -> None:
    known = {name: day for name, (day, _) in load_dates().items()}
    assert known["0.01"] == "1991-09-17"
    assert known["1.0"] == "1994-03-14"
    assert known["2.0"] == "1996-06-09"
    assert known["2.4.0"] == "2001-01-04"


@pytest.mark.parametrize(
    ("ref", "expected"),
    [
        (tag("2.4.0", "2002-02-04", "2002-02-04"), "2001-01-04"),
        (tag("2.6.10", "2004-12-23", "2004-12-23"), "2004-12-23"),
        (tag("6.1", "2022-12-11", "2022-12-12"), "2022-12-11"),
        (tag("2.0.40", "2007-11-23", "2007-11-23"), None),
        (tag("2.4.9", "2002-02-04", "2002-02-04"), None),
        (tag("2.4.19", "2002-03-08", "2020-06-22"), None),
        (tag("2.6.5", None, None), None),
    ],
    ids=["table", "commit", "time zones", "import", "BitKeeper", "set by hand", "no commit"],
)
def test_released(ref: TagRef, expected: str | None) -> None:
    assert find_release_date(ref) == expected


def backwards(history: Path) -> list[tuple[str, str]]:
    """Pairs of releases of one series of which the later came out before the other."""
    latest: dict[str, tuple[str, str]] = {}
    pairs = []
    with RepositorySource(history) as source:
        for ref in source.tags(prereleases=True).releases:
            day = find_release_date(ref)
            if day is None:
                continue
            before = latest.get(series(ref.release), ("", ""))
            if day < before[0]:
                pairs.append((before[1], ref.release))
            latest[series(ref.release)] = max(before, (day, ref.release))
    return pairs


def test_dates_increase_in_the_small_history(small_history: Path) -> None:
    assert backwards(small_history) == []


def test_dates_increase_in_the_default_history(default_history: Path) -> None:
    """One exception: the last 2.6.11 point release came out after the next prerelease."""
    assert backwards(default_history) == [("2.6.11.5", "2.6.12-rc1")]
