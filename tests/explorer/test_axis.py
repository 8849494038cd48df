"""The axis of releases: a band for each series, and holes where releases are missing."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from caphistory.records import Row
from caphistory.wording.axis import FIRST, LEAST_BAND, lay_out


def rows(*names: str, missing: Iterable[str] = ()) -> list[Row]:
    """Rows of ``release_list``; before those in ``missing`` releases are not held."""
    return [
        {
            "release": name,
            "series": ".".join(name.split(".")[:2]),
            "before": names[at - 1] if at else None,
            "missing": 3 if name in missing else 0,
        }
        for at, name in enumerate(names)
    ]


def test_every_series_has_a_band_wide_enough_to_point_at() -> None:
    old = [f"2.1.{number}" for number in range(133)]
    axis = lay_out(rows(*old, "3.0", "3.1"))
    widths = {band.name: band.right - band.left for band in axis.bands}
    assert widths.keys() == {"2.1", "3.0", "3.1"}
    assert min(widths.values()) >= LEAST_BAND
    assert widths["2.1"] > widths["3.0"] == axis.right("3.0") - axis.left("3.0")


def test_all_before_1_0_is_one_band() -> None:
    axis = lay_out(rows("0.01", "0.95", "0.99", "1.0"))
    assert [band.name for band in axis.bands] == [FIRST, "1.0"]


def test_releases_follow_each_other_without_a_gap_unless_some_are_missing() -> None:
    axis = lay_out(rows("2.2.0", "2.2.1", "3.3", "3.6", missing=["3.6"]))
    assert axis.right("2.2.0") == pytest.approx(axis.left("2.2.1"))
    assert axis.right("2.2.1") == pytest.approx(axis.left("3.3"))
    (hole,) = axis.holes
    assert (hole.before, hole.after, hole.missing) == ("3.3", "3.6", 3)
    assert (hole.left, hole.right) == pytest.approx((axis.right("3.3"), axis.left("3.6")))
    assert axis.right("3.6") == pytest.approx(axis.width)


def test_what_is_missing_before_the_first_shown_release_is_no_hole() -> None:
    assert lay_out(rows("3.6", "3.7", missing=["3.6"])).holes == []


def test_lines_are_drawn_between_holes() -> None:
    axis = lay_out(rows("3.0", "3.1", "3.6", "3.9", missing=["3.6", "3.9"]))
    assert axis.stretches == [["3.0", "3.1"], ["3.6"], ["3.9"]]
    assert axis.after_holes == {"3.6", "3.9"}


def test_an_axis_fills_the_width_that_it_is_given() -> None:
    releases = rows("3.0", "3.1")
    assert lay_out(releases).width == 2 * LEAST_BAND
    assert lay_out(releases, 1000).width == pytest.approx(1000)
    assert lay_out(releases, 10).width == 2 * LEAST_BAND


def test_a_release_outside_of_the_axis_stands_at_its_ends() -> None:
    axis = lay_out(rows("3.0", "3.1"))
    assert axis.left("2.2.0") == 0
    assert axis.right("6.1") == axis.width


def test_an_axis_of_nothing_is_empty() -> None:
    axis = lay_out([], 100)
    assert (axis.bands, axis.holes, axis.stretches, axis.width) == ([], [], [], 0)
