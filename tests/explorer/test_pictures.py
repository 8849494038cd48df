"""The pictures: kinds of checks, strips of runs, the chart of the home page; and addresses."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from caphistory.explorer.addresses import Addresses, anchor, link_to_source
from caphistory.explorer.chart import OTHERS, Line, chart, check_chart
from caphistory.explorer.ribbons import Flow, draw_ribbons
from caphistory.explorer.step_lines import (
    Mark,
    StepLine,
    choose_axis_values,
    draw_step_lines,
    find_corners,
)
from caphistory.explorer.strips import (
    Bar,
    define_holes,
    draw_axis,
    draw_hole_key,
    draw_key,
    draw_labels,
    draw_strip,
)
from caphistory.records import Row
from caphistory.wording.axis import lay_out
from caphistory.wording.kinds import KINDS, classify
from tests.explorer.test_axis import rows


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


AXIS = lay_out(rows("2.0.0", "2.0.1", "2.1.0"))


def test_a_strip_has_a_bar_for_each_run_and_a_mark_for_each_change() -> None:
    bars = [Bar(0, 14, "root", "a <b>"), Bar(14, 28, "capability", "c"), Bar(28, 56, "root", "d")]
    drawn = ElementTree.fromstring(draw_strip(bars, [14], AXIS))
    assert drawn.get("viewBox") == "0 0 56 20"
    assert [title.text for title in drawn.iter("title")] == ["a <b>", "c", "d"]
    areas = [one.get("d") for one in drawn.iter("path") if one.get("class") == "area"]
    assert areas == ["M0 0h14V20h-14z", "M14 0h14V20h-14z", "M28 0h28V20h-28z"]
    colors = {one.get("class"): one.get("d") for one in drawn if one.get("class") != "area"}
    assert colors == {
        "root": "M0 9h14V20h-14zM28 9h28V20h-28z",
        "capability": "M14 0h14V20h-14z",
        "change": "M14 0V20",
    }


def test_a_strip_shows_the_holes_over_its_bars() -> None:
    torn = lay_out(rows("3.0", "3.6", missing=["3.6"]))
    assert "<use" not in draw_strip([Bar(0, 56, "root", "")], (), AXIS)
    drawn = draw_strip([Bar(0, 56, "root", "")], (), torn)
    assert drawn.index('class="root"') < drawn.index('<use href="#holes"/>')
    assert 'id="holes" class="hole" d="M28 0h8V20h-8z"' in define_holes(torn)
    assert draw_hole_key() not in [draw_key(one) for one in KINDS]


def test_an_axis_has_a_border_for_each_series_and_its_highest_bar_is_full() -> None:
    drawn = ElementTree.fromstring(draw_axis(AXIS, {"2.0.0": 5, "2.1.0": 10}))
    paths = {one.get("class"): one.get("d") for one in drawn.iter("path")}
    assert paths == {"border": "M0 0V20M28 0V20", "count": "M0 10h14V20h-14zM28 0h28V20h-28z"}


def test_every_series_is_named() -> None:
    axis = lay_out(rows("0.01", *(f"2.0.{n}" for n in range(99)), "3.0"))
    assert re.findall(r">([\d.x]+)</text>", draw_labels(axis)) == ["0.x", "2.0", "3.0"]


def test_a_release_can_be_pointed_at() -> None:
    pointed = draw_labels(AXIS, ("2.0.1", "<b> changed"))
    assert 'x="37.50%"' in pointed
    assert "▾ &lt;b&gt; changed</text>" in pointed


def counts(**by_kind: list[int]) -> list[dict[str, object]]:
    return [
        {"release": f"2.0.{at}", "check_name": name, "sites": sites}
        for name, all_sites in by_kind.items()
        for at, sites in enumerate(all_sites)
        if sites
    ]


RELEASES = rows("2.0.0", "2.0.1", "2.0.2")


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
    drawn = check_chart(counts(a=[9], b=[8], c=[7], d=[6], e=[2], f=[1]), rows("2.0.0"))
    assert [(line.name, line.last) for line in drawn.lines][-1] == (OTHERS, 3)
    assert drawn.rows == [
        {"series": "2.0", "release": "2.0.0", "a": 9, "b": 8, "c": 7, "d": 6, OTHERS: 3}
    ]
    ends = check_chart(counts(suser=[1, 2, 3]), RELEASES).rows
    assert [(one["release"], one["suser"]) for one in ends] == [
        ("2.0.0", 1),
        ("2.0.2", 3),
    ]


def test_a_chart_leaves_scripts_and_styles_to_the_page() -> None:
    evil = "<script>alert(1)</script>"
    releases = [{**row, "series": evil} for row in rows(evil, "b")]
    picture = chart([Line(evil, "root", (1, 2))], releases, evil).picture
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


def test_a_picture_has_its_values_its_series_and_its_mark() -> None:
    axis = lay_out(rows("2.0.0", "2.1.0"))
    line = StepLine("root", {"2.0.0": 1500, "2.1.0": 1500})
    drawn = ElementTree.fromstring(draw_step_lines([line], axis, "it", [Mark("2.1.0", "<here>")]))
    texts = [one.text for one in drawn.iter("text")]
    assert texts == ["0", "500", "1,000", "1,500", "2.0", "2.1", "<here>"]


def test_a_line_is_torn_at_a_hole_and_the_hole_is_drawn() -> None:
    releases = rows("3.0", "3.1", "3.6", missing=["3.6"])
    picture = chart([Line("suser", "root", (5, 5, 5))], releases, "").picture
    drawn = ElementTree.fromstring(picture)
    (group,) = (one for one in drawn.iter() if one.get("class") == "line root")
    (path,) = (one.get("d") or "" for one in group)
    assert path.count("M") == 2
    assert [one.get("d") for one in drawn.iter("path") if one.get("class") == "hole"] != [""]


@pytest.mark.parametrize("releases", [[], rows("2.0.0")])
def test_a_chart_of_nothing_is_drawn_all_the_same(releases: list[Row]) -> None:
    assert check_chart([], releases).lines == []
    nothing = chart([Line("suser", "root", (0,) * len(releases))], releases, "nothing")
    assert ElementTree.fromstring(nothing.picture).get("class") == "chart"


def test_ribbons_lead_from_root_to_what_became_of_it() -> None:
    flows = [
        Flow("suser", "CAP_X", "", 5),
        Flow("suser", "gone", "gone", 2),
        Flow("fsuser", "CAP_X", "", 1),
        Flow("CAP_X", "CAP_Y", "", 9),
    ]
    picture = draw_ribbons(flows, lambda flow: f"/{flow.before}?<{flow.after}>")
    drawn = ElementTree.fromstring(picture)
    links = [(one.get("href"), one.get("class")) for one in drawn.iter("a")]
    assert links == [
        ("/suser?<CAP_X>", "capability"),
        ("/suser?<gone>", "nothing"),
        ("/fsuser?<CAP_X>", "capability"),
    ]
    assert [one.text for one in drawn.iter("text")] == ["suser 7", "fsuser 1", "CAP_X 6", "gone 2"]
    assert next(one.text for one in drawn.iter("title")) == "5 checks from suser to CAP_X"
    assert draw_ribbons(flows[3:], str) == ""


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
