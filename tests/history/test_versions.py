"""The names of releases and their order."""

from __future__ import annotations

import subprocess
from itertools import pairwise
from pathlib import Path

import pytest

from caphistory.history.versions import (
    kind,
    match,
    named_exactly,
    position,
    release_name,
    series,
    sort_key,
)

# Every tag of the default history that is a release, in the order in which each was made from
# the one before: checked against the parents of their commits.
TAGS = (Path(__file__).parent / "tags_in_order.txt").read_text().split()

PORTS = [
    *("lia64-v2.5.8-pre3", "lia64-v2.5.10", "lia64-v2.5.18", "lia64-v2.5.39", "lia64-v2.5.45"),
    *("lia64-v2.5.52+", "lia64-v2.5.60", "lia64-v2.5.64", "lia64-v2.5.67"),
]


def test_every_tag_of_the_real_history_is_a_release_and_in_order() -> None:
    releases = [release_name(tag) for tag in TAGS]
    assert None not in releases
    positions = [position(tag) for tag in TAGS]
    assert len(positions) == 1665
    assert all(one < other for one, other in pairwise(positions))
    assert positions[-1] < 2**63


@pytest.mark.parametrize(
    "ordered",
    [
        "0.01 0.10 0.11 0.12 0.95 0.95a 0.95c+ 0.96pre 0.96a 0.96a-patch1 0.96b 0.97 0.97.1",
        "0.99.7 0.99.7A 0.99.8 0.99.13 0.99.13k 0.99.14 0.99.14a 0.99.14z 0.99.15",
        "0.99.15j 1.0pre1 1.0alpha 1.0 1.0.1",
        "1.3.99 1.3.100 pre2.0.1 pre2.0.9 pre2.0.10 2.0 2.0.1",
        "2.0.34pre10 2.0.34pre11b 2.0.34pre15 2.0.34",
        "2.0.40pre3 2.0.40-rc1 2.0.40-rc8 2.0.40",
        "2.2.9 2.2.10pre1 2.2.10",
        "2.3.99pre2 2.3.99pre3-1 2.3.99pre3-8 2.3.99pre3 2.3.99pre10-1 2.4.0-test1",
        "2.4.0-test1 2.4.0-test2pre1 2.4.0-test2 2.4.0-test10pre1 2.4.0-test10 2.4.0-test13pre7",
        "2.4.0-test13pre7 2.4.0-prerelease 2.4.0 2.4.0.1 2.4.0.12 2.4.1",
        "2.4.9.15 2.4.10 2.4.10.0.1 2.4.10.0.4 2.4.10.1 2.4.10.6 2.4.11",
        "2.4.36 2.4.36.1 2.4.37-rc1 2.4.37 2.4.37.11",
        "2.6.8 2.6.8.1 2.6.9-rc1 2.6.9-rc4 2.6.9-final 2.6.9 2.6.10-rc1",
        "v2.6.11 v2.6.11.1 v2.6.11.5 v2.6.12-rc1 v2.6.12",
        "v2.6.39.4 v3.0-rc1 v3.0 v3.0.1 v3.19.8 v4.0 v4.15 v4.15.1 v5.15.1 v6.1.192 v6.12-rc7",
        "v5.11.22 v5.12-rc1-dontuse v5.12-rc2 v5.12",
    ],
)
def test_order(ordered: str) -> None:
    positions = [position(name) for name in ordered.split()]
    assert all(one < other for one, other in pairwise(positions)), positions


@pytest.mark.parametrize(
    ("tag", "release"),
    [
        ("v2.6.11.4", "2.6.11.4"),
        ("2.0.36pre7", "2.0.36pre7"),
        ("v6.8-rc3", "6.8-rc3"),
        ("6.1.192", "6.1.192"),
        ("pre2.0.1", "pre2.0.1"),
        ("v2.6.9-final", "2.6.9-final"),
    ],
)
def test_release_name(tag: str, release: str) -> None:
    assert release_name(tag) == release


@pytest.mark.parametrize(
    "tag",
    [
        *PORTS,
        *("", "v", "2", "latest", "v2.6.11-tree", "v2024.01", "next-20240101", "2.2.24foo"),
        *(
            "pre2.2.1",
            "pre2.0",
            "pre2.0.1-rc1",
            "2.2.3.4",
            "6.1.2.3.4",
            "v99999999999.1",
            "vv2.2.0",
        ),
        *("debian/6.1.140-1", "2.2.10\n", "2.2.24-patch", "\u0662.2.1"),
    ],
)
def test_no_release_by_name(tag: str) -> None:
    assert release_name(tag) is None


def test_two_spellings_of_one_kernel_have_one_position() -> None:
    assert position("2.0") == position("2.0.0")
    assert position("2.4.9.15") == position("2.4.10-pre15")
    assert position("2.2.21-rc1") == position("2.2.21rc1")
    assert position("pre2.0.3") == position("1.99.3")
    assert sort_key("2.0") < sort_key("2.0.0")


def test_position_of_what_is_no_release() -> None:
    with pytest.raises(ValueError, match="nonsense"):
        position("nonsense")


@pytest.mark.parametrize(
    ("release", "expected"),
    [
        *((name, "release") for name in ("0.01", "0.95a", "0.95c+", "0.96c-patch1", "0.99.7A")),
        *((name, "release") for name in ("0.99.14k", "2.0", "2.6.8.1", "2.6.11.5", "2.4.37.11")),
        *((name, "release") for name in ("6.1.192", "v4.15", "lia64-v2.5.10")),
        *((name, "prerelease") for name in ("0.96pre", "1.0alpha", "pre2.0.1", "2.0.34pre11b")),
        *((name, "prerelease") for name in ("2.4.0-test10pre3", "2.4.0-prerelease", "2.4.9.15")),
        *((name, "prerelease") for name in ("2.4.10.0.1", "2.6.9-final", "v6.8-rc3", "2.2.27-rc1")),
        ("lia64-v2.5.8-pre3", "prerelease"),
    ],
)
def test_kind(release: str, expected: str) -> None:
    assert kind(release) == expected


@pytest.mark.parametrize(
    ("release", "expected"),
    [
        ("0.01", "0.01"),
        ("0.95c+", "0.95"),
        ("0.99.14k", "0.99"),
        ("pre2.0.1", "2.0"),
        ("2.2.10pre1", "2.2"),
        ("2.4.9.15", "2.4"),
        ("v2.6.11.4", "2.6"),
        ("3.0", "3.0"),
        ("6.8-rc3", "6.8"),
        ("lia64-v2.5.52+", "lia64-2.5"),
    ],
)
def test_series(release: str, expected: str) -> None:
    assert series(release) == expected


@pytest.mark.parametrize(
    ("patterns", "name", "expected"),
    [
        ([], "2.2.24", True),
        ([" , "], "2.2.24", True),
        (["2.2.*"], "2.2.24", True),
        (["2.2.*"], "v2.2.24", True),
        (["v2.2.*"], "2.2.24", True),
        (["2.0.*,2.2.*"], "2.2.24", True),
        (["2.0.*", " v2.2.24 "], "2.2.24", True),
        (["2.2.2"], "2.2.24", False),
        (["2.2.?"], "2.2.24", False),
    ],
)
def test_match(patterns: list[str], name: str, expected: bool) -> None:
    assert match(patterns, name) is expected


def test_named_exactly() -> None:
    assert named_exactly(["2.0.*,v2.2.0pre1"], "2.2.0pre1")
    assert not named_exactly(["2.2.*"], "2.2.0pre1")


def test_the_list_of_tags_is_that_of_the_real_history(default_history: Path) -> None:
    output = subprocess.run(
        ["git", "-C", str(default_history), "tag"], check=True, capture_output=True, text=True
    ).stdout
    assert set(output.split()) == {*TAGS, *PORTS}


def out_of_order(history: Path) -> list[tuple[str, str]]:
    """Pairs of releases of which the first, from which the other was made, comes later."""
    form = "%(refname:short) %(objectname) %(parent)"
    output = subprocess.run(
        ["git", "-C", str(history), "for-each-ref", "refs/tags", f"--format={form}"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    rows = [line.split() for line in output.splitlines() if release_name(line.split()[0])]
    by_commit = {row[1]: row[0] for row in rows}
    return [
        (by_commit[row[2]], row[0])
        for row in rows
        if len(row) > 2 and row[2] in by_commit and position(by_commit[row[2]]) >= position(row[0])
    ]


def test_order_is_that_of_commits_in_the_small_history(small_history: Path) -> None:
    """Whoever made a release went on from an earlier one."""
    assert out_of_order(small_history) == []


def test_order_is_that_of_commits_in_the_real_history(default_history: Path) -> None:
    """With one known exception, imported after 0.96c-patch2, though dated April 21, 1992, before
    0.96a."""
    assert out_of_order(default_history) == [("0.96c-patch2", "0.96pre")]
