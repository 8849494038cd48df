"""The pictures: kinds of checks, strips of runs, the chart of the home page; and addresses."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from caphistory.explorer.addresses import Addresses, anchor, link_to_source
from caphistory.explorer.chart import OTHERS, Line, chart, check_chart
from caphistory.explorer.step_lines import (
    StepLine,
    Tick,
    choose_axis_values,
    draw_step_lines,
    find_corners,
)
from caphistory.explorer.strips import (
    Bar,
    draw_axis,
    draw_key,
    draw_labels,
    draw_strip,
    group_series,
)
from caphistory.wording.kinds import KINDS, classify


@pytest.mark.parametrize(
    ("checks", "found"),
    [
        (None, "nothing"),
        ("", "nothing"),
        ("uid0", "uid0"),
        ("suser", "root"),
        ("fsuser, uid0", "root"),
        ("CAP_SETGID", "capability"),
        ("capable", "capability"),
        ("CAP_SETGID, suser", "both"),
        ("CAP_SETGID, uid0", "both"),
    ],
)
def test_the_kind_of_what_is_checked(checks: str | None, found: str) -> None:
    assert classify(checks) == found


def test_every_kind_has_a_sign_of_its_own_shape() -> None:
    shapes = [re.sub(r' class="\w+"', "", draw_key(one)) for one in KINDS]
    assert len(set(shapes)) == len(KINDS)


def test_a_strip_has_a_bar_for_each_run_and_a_mark_for_each_change() -> None:
    bars = [Bar(0, 2, "root", "a <b>"), Bar(3, 3, "capability", "c"), Bar(4, 4, "root", "d")]
    drawn = ElementTree.fromstring(draw_strip(bars, [3], 5))
    assert drawn.get("viewBox") == "0 0 5 20"
    assert [title.text for title in drawn.iter("title")] == ["a <b>", "c", "d"]
    areas = [one.get("d") for one in drawn.iter("path") if one.get("class") == "area"]
    assert areas == ["M0 0h3V20h-3z", "M3 0h1V20h-1z", "M4 0h1V20h-1z"]
    colors = {one.get("class"): one.get("d") for one in drawn if one.get("class") != "area"}
    assert colors == {
        "root": "M0 9h3V20h-3zM4 9h1V20h-1z",
        "capability": "M3 0h1V20h-1z",
        "change": "M3 0V20",
    }


def test_an_axis_has_a_border_for_each_series_and_its_highest_bar_is_full() -> None:
    series = group_series([("2.0.1", "2.0"), ("2.0.2", "2.0"), ("2.1.0", "2.1")])
    assert [(one.name, one.first, one.last) for one in series] == [("2.0", 0, 1), ("2.1", 2, 2)]
    drawn = ElementTree.fromstring(draw_axis(series, {0: 5, 2: 10}, 3))
    paths = {one.get("class"): one.get("d") for one in drawn.iter("path")}
    assert paths == {"border": "M0 0V20M2 0V20", "count": "M0 10h1V20h-1zM2 0h1V20h-1z"}


def test_only_series_with_room_are_named() -> None:
    series = group_series([("0.01", "0.01"), *((f"2.0.{n}", "2.0") for n in range(99))])
    assert re.findall(r">([\d.]+)</text>", draw_labels(series, 100)) == ["2.0"]


def test_a_name_that_is_near_to_another_is_left_out_in_a_narrow_window() -> None:
    releases = [(f"{one}.{n}", one) for one in ("2.0", "2.1", "2.2") for n in range(5)]
    named = group_series(releases)
    assert "tight" not in draw_labels(named, 15)
    near = [*named, named[-1]._replace(name="2.3", first=15, last=100)]
    assert re.findall(r'class="tight"[^>]*>([^<]*)<', draw_labels(near, 101)) == ["2.1", "2.2"]


def test_a_release_can_be_pointed_at() -> None:
    pointed = draw_labels([], 10, (4, "<b> changed"))
    assert 'x="45.0%"' in pointed
    assert "&lt;b&gt; changed ▾</text>" in pointed


def counts(**by_kind: list[int]) -> list[dict[str, object]]:
    return [
        {"release": f"2.0.{at}", "check_name": name, "sites": sites}
        for name, all_sites in by_kind.items()
        for at, sites in enumerate(all_sites)
        if sites
    ]


RELEASES = [("2.0.0", "2.0"), ("2.0.1", "2.0"), ("2.0.2", "2.1")]


def heights(picture: str, style: str) -> list[float]:
    """The heights of the corners of a line."""
    drawn = ElementTree.fromstring(picture)
    (group,) = (one for one in drawn.iter() if one.get("class") == f"line {style}")
    (path,) = (path for one in group if (path := one.get("d")))
    return [float(y) for _, y in re.findall(r"([\d.]+) ([\d.]+)", path)]


def test_a_line_goes_down_in_steps_to_the_ground_where_a_release_has_no_check_of_its_kind() -> None:
    drawn = check_chart(counts(suser=[10, 10, 0], capable=[0, 0, 8]), RELEASES)
    assert [(line.name, line.counts, line.last) for line in drawn.lines] == [
        ("suser", (10, 10, 0), 0),
        ("capable", (0, 0, 8), 8),
    ]
    top, stays, falls, ground = heights(drawn.picture, "root")
    assert top == stays < falls == ground


def test_a_chart_can_be_read_as_a_table_too() -> None:
    drawn = check_chart(counts(a=[9], b=[8], c=[7], d=[6], e=[2], f=[1]), [("2.0.0", "2.0")])
    assert [(line.name, line.last) for line in drawn.lines][-1] == (OTHERS, 3)
    assert drawn.rows == [
        {"series": "2.0", "release": "2.0.0", "a": 9, "b": 8, "c": 7, "d": 6, OTHERS: 3}
    ]
    ends = check_chart(counts(suser=[1, 2, 3]), RELEASES).rows
    assert [(one["release"], one["suser"]) for one in ends] == [
        ("2.0.0", 1),
        ("2.0.1", 2),
        ("2.0.2", 3),
    ]


def test_a_chart_leaves_scripts_and_styles_to_the_page() -> None:
    evil = "<script>alert(1)</script>"
    picture = chart([Line(evil, "root", (1, 2))], [(evil, evil), ("b", "b")], evil).picture
    drawn = ElementTree.fromstring(picture)
    assert drawn.get("role") == "img"
    assert drawn.get("aria-label") == evil
    names = {one.tag.rpartition("}")[2] for one in drawn.iter()}
    assert names <= {"svg", "g", "path", "text"}
    assert not [one for one in drawn.iter() if one.get("style") or one.get("id")]
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", picture)


@pytest.mark.parametrize(
    ("most", "values"),
    [
        (1, [0, 1]),
        (6, [0, 1, 2, 3, 4, 5, 6]),
        (7, [0, 2, 4, 6]),
        (1234, [0, 200, 400, 600, 800, 1000, 1200]),
        (40_000, [0, 10_000, 20_000, 30_000, 40_000]),
    ],
)
def test_an_axis_marks_round_numbers(most: int, values: list[int]) -> None:
    assert choose_axis_values(most) == values


def test_a_line_has_a_corner_where_its_count_changes_alone() -> None:
    assert find_corners([5, 5, 5, 2, 2]) == [(0, 5), (3, 5), (3, 2), (5, 2)]
    assert find_corners([]) == []


def test_a_picture_has_its_marks_and_names() -> None:
    ticks = [Tick(0, "2.0"), Tick(1, ""), Tick(2, "<2.1>", tight=True), Tick(99, "2.6")]
    drawn = ElementTree.fromstring(
        draw_step_lines([StepLine("root", [1500] * 100)], ticks, 100, "it")
    )
    texts = [(one.text, one.get("class")) for one in drawn.iter("text")]
    assert texts == [
        ("0", None),
        ("500", None),
        ("1,000", None),
        ("1,500", None),
        ("2.0", ""),
        ("<2.1>", "tight"),
        ("2.6", "late"),
    ]
    assert [one.get("class") for one in drawn.iter("path")] == ["ground", *["guide"] * 7, None]


def test_a_name_near_to_another_has_room_in_a_wide_window_alone() -> None:
    releases = [(f"{one}.{n}", one) for one in ("2.0", "2.1") for n in range(5)]
    far = [(f"2.2.{n}", "2.2") for n in range(90)]
    picture = chart([Line("suser", "root", (1,) * 100)], [*releases, *far], "").picture
    assert re.findall(r'<text class="tight"[^>]*>([^<]*)<', picture) == ["2.1"]
    assert re.findall(r'<text class=""[^>]*>([^<]*)<', picture) == ["2.0", "2.2"]


@pytest.mark.parametrize("releases", [[], [("2.0.0", "2.0")]])
def test_a_chart_of_nothing_is_drawn_all_the_same(releases: list[tuple[str, str]]) -> None:
    assert check_chart([], releases).lines == []
    nothing = chart([Line("suser", "root", (0,) * len(releases))], releases, "nothing")
    assert ElementTree.fromstring(nothing.picture).get("class") == "chart"


@pytest.mark.parametrize(
    ("release", "tag"),
    [("0.01", "0.01"), ("2.2.24", "2.2.24"), ("2.4.31", "2.4.31"), ("2.5.0", "v2.5.0"),
     ("2.6.11.4", "v2.6.11.4"), ("6.1.192", "v6.1.192"), ("pre2.0.1", "pre2.0.1")],
)  # fmt: skip
def test_a_line_of_a_release_has_an_address_in_the_source_browser(release: str, tag: str) -> None:
    expected = f"https://elixir.bootlin.com/linux/{tag}/source/fs/open.c#L4"
    assert link_to_source(release, "fs/open.c", 4) == expected


def test_addresses_are_quoted() -> None:
    to = Addresses(str, "/caphistory")
    assert to.syscall("a/b?c#d%") == "/syscall/a%2Fb%3Fc%23d%25"
    assert to.file("fs/a b.c") == "/file/fs/a%20b.c"
    assert to.chain("a&b", "CAP_X", "2.0", "i386") == "/chain/i386/a%26b/CAP_X?release=2.0"
    assert link_to_source('"><', 'a"b', 1).count('"') == 0
    assert '"' not in anchor('a"b', 1)


def test_links_go_on_asking_for_the_system_call_table_that_was_asked_for() -> None:
    to = Addresses(str, "/caphistory", "x86_64")
    assert to.syscall("mount") == "/syscall/mount?abi=x86_64"
    assert to.page("transition", series="2.2") == "/transition?series=2.2&abi=x86_64"
