"""``caphistory documented`` and ``History.documented``: what they say of a small manual."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import caphistory as python
from caphistory.documented.comparing import COLUMNS
from tests.documented import MANUAL
from tests.faces.conftest import Run

PROFILE = {
    "defaultAction": "SCMP_ACT_ERRNO",
    "syscalls": [
        {"names": ["getpid", "bind"], "action": "SCMP_ACT_ALLOW"},
        {
            "names": ["chroot", "stime"],
            "action": "SCMP_ACT_ALLOW",
            "includes": {"caps": ["CAP_SYS_CHROOT"]},
        },
    ],
}


@pytest.fixture
def profile(tmp_path: Path) -> str:
    file = tmp_path / "profile.json"
    file.write_text(json.dumps(PROFILE))
    return str(file)


def test_only_the_disagreements_are_shown(caphistory: Run) -> None:
    said = caphistory("documented", "--manual", str(MANUAL), "--format", "table")
    assert said.exit_code == 0
    assert [line for line in said.lines if "2.2.24, " in line] == [
        "Manual of the tests 1.0 and 2.2.24, documented, not checked: 1",
        "Manual of the tests 1.0 and 2.2.24, documented, checked only in ways that say little: 1",
        "Manual of the tests 1.0 and 2.2.24, checked, not documented: 1",
    ]
    assert "getpid   CAP_SYS_ADMIN  capabilities(7):27" in said.lines
    assert (
        "mount    CAP_SYS_ADMIN  not in mount(2)  EPERM  MS_REMOUNT  direct  fs/super.c:805"
        "  sys_mount" in said.lines
    )
    assert "left out: 3 more pairs (2 agree; 1 checked, documented in general): --all" in said.lines


def test_everything_is_shown_on_request(caphistory: Run) -> None:
    said = caphistory("documented", "--manual", str(MANUAL), "--all", "--format", "json")
    assert len(said.rows) == 6
    assert all(tuple(row) == COLUMNS for row in said.rows)
    (agreed,) = [row for row in said.rows if row["syscall"] == "setgid"]
    assert [place["line"] for place in agreed["documented"]] == [19, 12]
    assert agreed["chain"][0]["function"] == "sys_setgid"


def test_a_name_asks_for_all_that_is_known_of_it(caphistory: Run) -> None:
    about = ("documented", "--manual", str(MANUAL), "--format", "json")
    assert [row["verdict"] for row in caphistory(*about, "chroot").rows] == ["agree"]
    assert [row["syscall"] for row in caphistory(*about, "sys_admin").rows] == ["getpid", "mount"]
    both = caphistory(*about, "mount", "getpid", "chroot", "CAP_SYS_ADMIN").rows
    assert [row["syscall"] for row in both] == ["getpid", "mount"]


def test_a_release_is_asked_about(caphistory: Run) -> None:
    said = caphistory(
        "documented", "--manual", str(MANUAL), "--release", "2.0.40", "--all", "--format", "json"
    )
    assert {row["verdict"] for row in said.rows} == {"documented, no such capability"}


def test_a_profile_is_compared_by_itself(caphistory: Run, profile: str) -> None:
    said = caphistory("documented", "--seccomp", profile, "--all", "--format", "json")
    assert {f"{row['syscall']} {row['capability']}": row["verdict"] for row in said.rows} == {
        "stime CAP_SYS_CHROOT": "documented, not checked",
        "chroot CAP_SYS_CHROOT": "agree",
        "bind CAP_NET_BIND_SERVICE": "checked, allowed without it",
    }
    table = caphistory("documented", "--seccomp", profile, "--all", "--format", "table")
    assert "stime    CAP_SYS_CHROOT  profile.json syscalls[1]" in table.lines


def test_a_profile_and_a_manual_are_compared_one_after_the_other(
    caphistory: Run, profile: str
) -> None:
    said = caphistory(
        "documented", "--seccomp", profile, "--manual", str(MANUAL), "chroot", "--format", "json"
    )
    assert [row["source"] for row in said.rows] == ["Manual of the tests 1.0", "profile.json"]


def test_without_a_manual_it_says_what_to_do(
    caphistory: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MANPATH", str(tmp_path))
    said = caphistory("documented")
    assert (said.exit_code, said.out) == (1, "")
    assert "apt install manpages manpages-dev" in said.err
    assert said.err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "exit_code", "complaint"),
    [
        (("nosuchthing",), 2, "no syscall 'nosuchthing'"),
        (("CAP_CHROT",), 2, "no capability 'CAP_CHROT'; nearest: CAP_SYS_CHROOT"),
        (("--seccomp", "nowhere.json"), 3, "cannot read nowhere.json"),
        (("getpid", "CAP_SETGID", "--manual", str(MANUAL)), 1, "nothing is documented or checked"),
    ],
)
def test_what_cannot_be_answered_is_one_line(
    caphistory: Run, arguments: tuple[str, ...], exit_code: int, complaint: str
) -> None:
    said = caphistory("documented", *arguments)
    assert said.exit_code == exit_code
    assert complaint in said.err
    assert said.err.count("\n") == 1


def test_python_gives_the_same_rows(database: Path, profile: str) -> None:
    with python.open(database) as history:
        frame = history.documented(manual=MANUAL)
        assert [*frame.columns] == [*COLUMNS]
        assert [*frame["syscall"]] == ["getpid", "stime", "mount"]
        assert frame["documented"][0][0]["document"] == "capabilities(7)"
        assert [*history.documented("chroot", manual=MANUAL)["verdict"]] == ["agree"]
        assert len(history.documented(manual=MANUAL, everything=True)) == 6
        assert [*history.documented(seccomp=profile)["syscall"]] == ["stime"]
        assert history.documented("getpid", seccomp=profile).empty
