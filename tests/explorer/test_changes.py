"""Histories as what was added and removed; long lists as pages; grades of evidence."""

from __future__ import annotations

from caphistory.explorer.changes import Change, list_changes, list_syscall_changes
from caphistory.explorer.clones import describe_clone
from caphistory.explorer.dress import make_accessible, mark_code
from caphistory.explorer.evidence import grade, rank
from caphistory.explorer.pages.home import judge_places, make_parts
from caphistory.records import Row
from tests.explorer.test_axis import rows


def run(first: str, last: str, checks: str, *, gap: str | None = None, open: int = 0) -> Row:
    return {
        "first_release": first,
        "last_release": last,
        "checks": checks,
        "gap_before": gap,
        "gap_after": None,
        "open": open,
    }


def test_a_history_marks_what_was_added_and_removed_alone() -> None:
    runs = [
        run("2.0", "2.0.40", "suser"),
        run("2.1.0", "3.3", "CAP_A, CAP_B"),
        run("3.9", "7.1", "CAP_A, CAP_C", gap="3.3", open=1),
    ]
    assert list_changes(runs) == [
        Change("3.9", "3.3", ["CAP_C"], ["CAP_B"]),
        Change("2.1.0", None, ["CAP_A", "CAP_B"], ["suser"]),
        Change("2.0", None, ["suser"], [], "first release of the syscall"),
    ]


def test_a_syscall_that_is_gone_says_so() -> None:
    assert list_changes([run("2.0", "2.0.40", "")])[0].note == "last release of the syscall"
    assert list_changes([]) == []


def test_the_history_of_a_privilege_tells_which_syscalls_came_and_went() -> None:
    histories = [
        {**run("2.0", "2.1", "", open=0), "syscall": "chroot"},
        {**run("2.1", "3.9", "", open=1), "syscall": "mount"},
        {**run("2.0", "3.3", "", open=0), "syscall": "bind", "gap_after": "3.9"},
    ]
    releases = rows("2.0", "2.1", "3.3", "3.9")
    assert list_syscall_changes(histories, releases) == [
        Change("3.9", "3.3", [], ["bind"]),
        Change("3.3", None, [], ["chroot"]),
        Change("2.1", None, ["mount"], []),
        Change("2.0", None, ["bind", "chroot"], []),
    ]


def test_evidence_is_graded_by_standing_and_reach() -> None:
    grades = [
        grade({"standing": standing, "reach": reach})
        for standing, reach in [("own", "direct"), ("own", "pointer"), ("shared", "direct")]
    ]
    assert grades == ["direct", "pointer", "shared"]
    assert rank({"standing": "own", "reach": "pointer"}) < rank(
        {"standing": "shared", "reach": "direct"}
    )


def test_places_are_judged_by_what_their_successors_ask_for() -> None:
    def row(place: str, before: str | None, after: str | None) -> Row:
        return {"site_before": place, "check_before": before, "check_after": after}

    became = judge_places(
        [
            row("a", "suser", "capable"),
            row("a", "suser", "suser"),
            row("b", "fsuser", "suser"),
            row("c", "uid0", None),
            row("d", "capable", "capable"),
            row("e", None, "capable"),
        ]
    )
    assert became == {"a": "capability", "b": "root", "c": "gone"}
    assert [(part.places, part.share) for part in make_parts(became, 2)] == [(1, 3)] * 3


def test_a_repository_is_named_by_the_command_that_brings_it() -> None:
    assert describe_clone("2.2.24", "MaximeChretien/linux-history") == "caphistory index"
    assert describe_clone("3.16", "sndrzt/linux-3.16") == (
        "git clone --bare https://github.com/sndrzt/linux-3.16 ~/.cache/caphistory/linux-3.16.git"
    )
    assert describe_clone("6.1", "linux-source-6.1.tar.xz") == ""
    assert describe_clone("6.1", "https://x.org/a; rm -rf ~") == ""


def test_datasettes_fields_are_named_and_its_headings_skip_no_level() -> None:
    html = make_accessible('<h3>a</h3><select name="_filter_column_1"><select name="_filter_op">')
    assert html == (
        '<h2>a</h2><select aria-label="Column" name="_filter_column_1">'
        '<select aria-label="Condition" name="_filter_op">'
    )


def test_code_is_marked_in_text_alone() -> None:
    marked = mark_code('<p title="`a`">`b` &lt;</p><pre>`c`</pre>')
    assert marked == '<p title="`a`"><code>b</code> &lt;</p><pre>`c`</pre>'
