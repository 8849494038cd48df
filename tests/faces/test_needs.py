"""needs, explain and container on a kernel whose checks have operations, errors, namespaces."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from caphistory.cli import run
from tests.faces.conftest import Run, Said
from tests.kernels.meanings import build_meanings

LOG = """\
execve("/bin/x", ["x"], 0x7ffd /* 9 vars */) = 0
chroot("/srv") = -1 EPERM (Operation not permitted)
x: cannot change root
ioctl(3, SIOCSIFADDR, {ifr_name="eth0"}) = -1 EPERM (Operation not permitted)
ioctl(3, SIOCGIFADDR, {ifr_name="eth0"}) = 0
bind(4, {sa_family=AF_INET, sin_port=htons(80)}, 16) = -1 EACCES (Permission denied)
openat(AT_FDCWD, "/root/x", O_RDONLY) = -1 EACCES (Permission denied)
getpid() = -1 EPERM (Operation not permitted)
openat(AT_FDCWD, "/no", O_RDONLY) = -1 ENOENT (No such file or directory)
chroot("/sr
"""


@pytest.fixture(scope="session")
def meanings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database of that kernel."""
    return build_meanings(tmp_path_factory.mktemp("meanings") / "small.db")


@pytest.fixture
def ask(meanings: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs ``caphistory`` on that kernel, 80 columns wide."""
    monkeypatch.setenv("COLUMNS", "80")

    def run_it(*arguments: str) -> Said:
        exit_code = run(["--db", str(meanings), *arguments])
        return Said(exit_code, *capsys.readouterr())

    return run_it


@pytest.fixture
def log(tmp_path: Path) -> str:
    """A log of strace."""
    (tmp_path / "log").write_text(LOG)
    return str(tmp_path / "log")


def needs(said: Said) -> set[tuple[str, str]]:
    """What is needed, and how surely."""
    return {(row["need"], row["met_by"]) for row in said.rows}


def test_what_no_condition_stands_before_is_a_must(ask: Run) -> None:
    said = ask("needs", "chroot", "mount", "getpid", "--format", "json")
    assert needs(said) == {
        ("must", "CAP_SYS_CHROOT"),
        ("may", "CAP_SYS_ADMIN"),
        ("may", "CAP_DAC_OVERRIDE"),
    }
    text = ask("needs", "chroot", "mount", "getpid", "--format", "table")
    assert text.lines[0] == "3 syscalls in 6.1.7 (x86_64) must have: CAP_SYS_CHROOT"
    assert "ask for nothing: getpid" in text.lines
    assert "may need, as whatever comes by the same code: CAP_DAC_OVERRIDE" in text.lines


def test_an_operation_makes_it_a_must(ask: Run) -> None:
    named = ask("needs", "ioctl:SIOCSIFADDR", "--format", "json")
    assert needs(named) == {("must", "CAP_NET_ADMIN")}
    assert needs(ask("needs", "ioctl", "--format", "json")) == {("may", "CAP_NET_ADMIN")}
    other = ask("needs", "ioctl:TCGETS", "--format", "table")
    assert other.exit_code == 0
    assert other.lines[0].endswith("must have: no capability")


def test_alternatives_are_one_need(ask: Run) -> None:
    assert needs(ask("needs", "bpf", "--format", "json")) == {("may", "CAP_BPF or CAP_SYS_ADMIN")}


def test_a_log_tells_what_is_needed(ask: Run, log: str) -> None:
    said = ask("needs", "--strace", log, "--format", "json")
    assert needs(said) == {
        ("must", "CAP_SYS_CHROOT"),
        ("must", "CAP_NET_ADMIN"),
        ("must", "CAP_NET_BIND_SERVICE"),
        ("may", "CAP_DAC_OVERRIDE"),
    }
    assert said.err == "caphistory: 1 call cut off, left out\n"
    assert {row["met_by"] for row in said.rows if row["failed"]} == {
        row["met_by"] for row in said.rows
    }


@pytest.mark.parametrize(
    ("form", "lines"),
    [
        ("arguments", ["--cap-drop ALL --cap-add SYS_CHROOT"]),
        (
            "kubernetes",
            [
                "# may need: CAP_DAC_OVERRIDE, CAP_SYS_ADMIN",
                "securityContext:",
                "  capabilities:",
                '    drop: ["ALL"]',
                "    add: [SYS_CHROOT]",
            ],
        ),
        (
            "systemd",
            [
                "# may need: CAP_DAC_OVERRIDE, CAP_SYS_ADMIN",
                "CapabilityBoundingSet=CAP_SYS_CHROOT",
                "AmbientCapabilities=CAP_SYS_CHROOT",
            ],
        ),
    ],
)
def test_the_set_is_printed_for_whoever_gives_it(ask: Run, form: str, lines: list[str]) -> None:
    assert ask("needs", "chroot", "mount", "--as", form).lines == lines


def test_in_a_user_namespace_some_needs_cannot_be_met(ask: Run) -> None:
    said = ask("needs", "quotactl", "chroot", "--userns", "--format", "table")
    assert said.lines[0].endswith("must have: CAP_SYS_CHROOT")
    assert any(line.split()[:3] == ["cannot", "CAP_SYS_ADMIN", "quotactl"] for line in said.lines)


def test_needs_reads_a_profile_and_a_list_of_names(ask: Run, tmp_path: Path) -> None:
    rules = [
        {"names": ["chroot"], "action": "SCMP_ACT_ALLOW"},
        {"names": ["reboot"], "action": "SCMP_ACT_ALLOW", "includes": {"caps": ["CAP_SYS_BOOT"]}},
    ]
    profile = {"defaultAction": "SCMP_ACT_ERRNO", "syscalls": rules}
    (tmp_path / "profile.json").write_text(json.dumps(profile))
    said = ask("needs", "--seccomp", str(tmp_path / "profile.json"), "--as", "arguments")
    assert said.out == "--cap-drop ALL --cap-add SYS_CHROOT\n"
    (tmp_path / "names").write_text("chroot\nioctl:SIOCSIFADDR reboot\n")
    said = ask("needs", "--syscalls", str(tmp_path / "names"), "--as", "arguments")
    assert (
        said.out == "--cap-drop ALL --cap-add NET_ADMIN --cap-add SYS_BOOT --cap-add SYS_CHROOT\n"
    )


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ((), "nothing to ask about"),
        (("chrot",), "no syscall 'chrot'; nearest: chroot"),
        (("--strace", "/dev/zero"), "a device"),
        (("--syscalls", "/no/such"), "No such file"),
        (("--seccomp", "/etc/passwd"), "is no seccomp profile"),
    ],
)
def test_needs_refuses_in_one_line(ask: Run, arguments: tuple[str, ...], complaint: str) -> None:
    said = ask("needs", *arguments)
    assert said.exit_code in (2, 3)
    assert complaint in said.err
    assert said.err.count("\n") == 1


def test_explain_names_what_failed_calls_lacked(ask: Run, log: str) -> None:
    rows = ask("explain", log, "--format", "json").rows
    assert {(row["syscall"], row["error"], row["privilege"]) for row in rows} == {
        ("chroot", "EPERM", "CAP_SYS_CHROOT"),
        ("ioctl", "EPERM", "CAP_NET_ADMIN"),
        ("bind", "EACCES", "CAP_NET_BIND_SERVICE"),
        ("openat", "EACCES", "CAP_DAC_OVERRIDE"),
        ("getpid", "EPERM", None),
    }
    assert {row["log_line"] for row in rows} == {2, 4, 6, 7, 8}


def test_explain_begins_with_what_was_missing(ask: Run, log: str) -> None:
    lines = ask("explain", log, "--format", "table").lines
    assert (
        lines[0] == "5 of 8 calls failed; missing by 6.1.7 x86_64: CAP_SYS_CHROOT; CAP_NET_ADMIN;"
    )
    text = " ".join(" ".join(lines).split())
    assert 'line 2: chroot("/srv") = EPERM' in text
    assert "the permissions of the file, or of a folder on its path" in text
    assert "no requirement of getpid that fits gives EPERM: a seccomp filter" in text
    assert max(map(len, lines)) <= 80


def test_explain_reads_one_line_and_standard_input(
    ask: Run, log: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = 'chroot("/srv") = -1 EPERM (Operation not permitted)'
    assert ask("explain", line, "--format", "json").rows[0]["privilege"] == "CAP_SYS_CHROOT"
    with Path(log).open() as stream:
        monkeypatch.setattr("sys.stdin", stream)
        assert len(ask("explain", "--format", "json").rows) == 5


def test_explain_reads_a_line_that_is_longer_than_a_name_of_a_file(ask: Run) -> None:
    line = f'chroot("/{"srv/" * 100}") = -1 EPERM (Operation not permitted)'
    assert [row["privilege"] for row in ask("explain", line, "--format", "json").rows] == [
        "CAP_SYS_CHROOT"
    ]


def test_explain_of_what_did_not_fail(ask: Run, tmp_path: Path) -> None:
    (tmp_path / "log").write_text("getpid() = 5\n")
    said = ask("explain", str(tmp_path / "log"), "--format", "table")
    assert (said.exit_code, said.out) == (0, "none of 1 call failed for want of a privilege\n")
    (tmp_path / "log").write_text("hello\n")
    said = ask("explain", str(tmp_path / "log"))
    assert (said.exit_code, said.err.count("\n")) == (2, 1)
    summary = " 25.00    0.000012           1        12         3 openat\n"
    (tmp_path / "log").write_text(summary)
    said = ask("explain", str(tmp_path / "log"))
    assert said.exit_code == 2
    assert "strace -c names no errors" in said.err


def lost(said: Said) -> set[tuple[str, str]]:
    """Which syscalls lack what."""
    return {(row["syscall"], row["privilege"]) for row in said.rows}


def test_who_holds_an_alternative_loses_nothing(ask: Run) -> None:
    said = ask("container", "--runtime", "none", "--add", "BPF", "--format", "json")
    assert not {pair for pair in lost(said) if pair[0] == "bpf"}
    assert ("mount", "CAP_SYS_ADMIN") in lost(said)


def test_what_a_container_loses_comes_first_and_then_what_mends_it(ask: Run) -> None:
    said = ask("container", "--drop", "SYS_CHROOT,SYS_RESOURCE,DAC_OVERRIDE", "--format", "table")
    assert said.lines[0] == "the set holds 7 of 10 capabilities of 6.1.7 x86_64"
    assert said.lines[1] == "1 syscall denied something, 1 more limited"
    assert said.lines[3].split() == [
        "CAP_SYS_CHROOT",
        "chroot",
        "EPERM",
        "fs/open.c:100",
        "do_chroot",
    ]
    assert said.lines[4].split()[:2] == ["CAP_SYS_RESOURCE", "fork"]
    assert said.lines[5] == (
        "in code that many syscalls come through: CAP_DAC_OVERRIDE (2 syscalls)"
    )
    assert said.lines[6] == "to mend (so many syscalls), --cap-add: SYS_CHROOT (1)"
    assert max(map(len, said.lines)) <= 80


def test_nothing_lost_is_an_answer(ask: Run) -> None:
    said = ask("container", "--runtime", "all", "--format", "table")
    assert said.exit_code == 0
    assert "nothing is lost: no syscall asks for more" in said.lines
    said = ask("container", "--runtime", "all", "--format", "json")
    assert (said.exit_code, said.rows) == (0, [])
    # What very many syscalls share is a loss all the same.
    said = ask("container", "--drop", "DAC_OVERRIDE", "--format", "table")
    assert "nothing is lost: no syscall asks for more" not in said.lines


def test_in_a_user_namespace_the_first_one_is_out_of_reach(ask: Run) -> None:
    said = ask("container", "--runtime", "all", "--userns", "--format", "json")
    assert lost(said) == {
        ("quotactl", "CAP_SYS_ADMIN"),
        ("bpf", "CAP_BPF"),
        ("bpf", "CAP_SYS_ADMIN"),
        ("fork", "CAP_SYS_RESOURCE"),
    }
    table = ask("container", "--runtime", "all", "--userns", "--format", "table")
    assert any(line.split()[:2] == ["CAP_SYS_ADMIN!", "quotactl"] for line in table.lines)
    assert not any("to mend" in line for line in table.lines)


def test_a_profile_answers_before_the_kernel(ask: Run, tmp_path: Path) -> None:
    rules = [
        {"names": ["chroot", "bind"], "action": "SCMP_ACT_ALLOW"},
        {"names": ["getpid"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38},
        {
            "names": ["ptrace"],
            "action": "SCMP_ACT_ALLOW",
            "includes": {"minKernel": "4.8"},
        },
        {"names": ["mount"], "action": "SCMP_ACT_ALLOW", "includes": {"caps": ["CAP_SYS_ADMIN"]}},
        {"names": ["ioctl"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 1, "value": 1}]},
    ]
    profile = {"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 1, "syscalls": rules}
    (tmp_path / "profile.json").write_text(json.dumps(profile))
    asked = ("container", "--runtime", "none", "--seccomp", str(tmp_path / "profile.json"))
    said = ask(*asked, "--format", "json")
    judged = {row["syscall"]: row["seccomp"] for row in said.rows}
    assert judged["chroot"] == judged["ptrace"] == "allowed"
    assert judged["mount"] == judged["reboot"] == "EPERM"
    assert judged["ioctl"] == "arguments"
    with_admin = ask(*asked, "--add", "NET_ADMIN,SYS_ADMIN", "--format", "table")
    assert "the profile answers EPERM to what it does not name" in with_admin.lines
    assert "refused by it alone: getpid" in with_admin.lines


PODS = """\
kind: List
items:
- kind: Pod
  metadata: {name: a}
  spec: {containers: [{name: c, securityContext: {capabilities: {drop: [ALL]}}}]}
- kind: Pod
  metadata: {name: b}
  spec: {containers: [{name: c, securityContext: {capabilities: {add: [CAP_CHOWN]}}}]}
"""


def test_several_containers_are_one_table(ask: Run, tmp_path: Path) -> None:
    (tmp_path / "pods.yaml").write_text(PODS)
    file = str(tmp_path / "pods.yaml")
    said = ask("container", file, "--format", "table")
    assert said.lines[0] == "2 containers in 6.1.7, which defines 10 capabilities"
    assert said.lines[2].split()[:5] == ["a/c", "containerd,", "cri-o", "root", "0"]
    assert said.lines[3].split()[:4] == ["b/c", "containerd", "root", "refused"]
    assert any("b/c: containerd does not start it" in line for line in said.lines)
    one = ask("container", file, "--container", "a/c", "--format", "table")
    assert one.lines[0] == "a/c (containerd) holds 0 of 10 capabilities of 6.1.7 x86_64"
    rows = ask("container", file, "--format", "json").rows
    assert {(row["container"], row["runtime"]) for row in rows} == {
        (pod, runtime) for pod in ("a/c", "b/c") for runtime in ("containerd", "cri-o")
    }
    with_docker = ask("container", file, "--container", "b/c", "--runtime", "docker")
    assert "does not start" not in with_docker.err


def test_a_hostile_name_does_not_reach_the_terminal(ask: Run, tmp_path: Path) -> None:
    names = ["\x1b[31m", "b\u202e"]
    listed = [{"name": name, "securityContext": {"runAsUser": "\x1b]0;x"}} for name in names]
    (tmp_path / "pod.json").write_text(
        json.dumps({"kind": "Pod", "spec": {"containers": listed, "privileged": 1}})
    )
    for form in ("table", "tsv"):
        said = ask("container", str(tmp_path / "pod.json"), "--format", form)
        assert not set(said.out + said.err) & {"\x1b", "\u202e"}


def test_who_is_not_root_is_not_told_to_add(ask: Run, tmp_path: Path) -> None:
    (tmp_path / "run").write_text("docker run -u 5 --cap-add NET_ADMIN x\n")
    text = " ".join(ask("container", str(tmp_path / "run"), "--format", "table").out.split())
    assert "to mend: user 0, or capabilities of the program's file (setcap)" in text
    assert "--cap-add" not in text
    (tmp_path / "run").write_text("podman run -u 5 --cap-add NET_ADMIN x\n")
    assert "--cap-add" in ask("container", str(tmp_path / "run"), "--format", "table").out


def test_a_mask_with_more_bits_than_the_release_has(ask: Run) -> None:
    said = ask("container", "--mask", "8000000000000001", "--format", "table")
    assert "ignored, no capability of this release: bit 63 of the mask" in said.lines


def test_the_sets_of_a_process_are_shown_one_by_one(ask: Run, tmp_path: Path) -> None:
    (tmp_path / "status").write_text("CapPrm:\t400\nCapEff:\t0\nCapBnd:\t40400\n")
    rows = ask("container", str(tmp_path / "status"), "--set", "--format", "json").rows
    held = {row["capability"]: row for row in rows}
    assert held["CAP_NET_BIND_SERVICE"]["held"] == 0
    assert held["CAP_NET_BIND_SERVICE"]["permitted"] == 1
    assert held["CAP_SYS_CHROOT"]["bounding"] == 1
    most = ask("container", str(tmp_path / "status"), "--bounding", "--format", "json")
    assert "chroot" not in {row["syscall"] for row in most.rows if row["standing"] == "own"}


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ((), "nothing is missing from the set"),
        (("--mask", "xyz"), "is not hexadecimal"),
        (("--mask", "1", "--pid", "1"), "give one of them"),
        (("--pid", "1", "--runtime", "docker"), "leave --mask or --pid out"),
        (("--pid", "999999999"), "cannot read process 999999999"),
        (("--drop", "chwn"), "no capability 'chwn'"),
        (("/dev/zero",), "is a device"),
        (("--container", "x", "--runtime", "none"), "give the file too"),
    ],
)
def test_container_refuses_in_two_lines_at_most(
    ask: Run, arguments: tuple[str, ...], complaint: str
) -> None:
    said = ask("container", *arguments)
    assert said.exit_code in (2, 3)
    assert complaint in said.err
    assert len(said.err) <= 160


def test_names_by_number_and_by_entry_function(ask: Run) -> None:
    assert ask("needs", "__x64_sys_chroot", "--as", "arguments").out.endswith("SYS_CHROOT\n")
    by_number = ask("needs", "100", "--as", "arguments")
    assert by_number.out.endswith("SYS_CHROOT\n")
    assert "caphistory: syscall 100 is chroot\n" in by_number.err
    said = ask("container", "--drop", "18", "--format", "json")
    assert ("chroot", "CAP_SYS_CHROOT") in lost(said)


def test_search_finds_what_a_person_has_words_for(ask: Run) -> None:
    said = ask("search", "port", "below", "1024", "--format", "table")
    assert said.lines[0] == "CAP_NET_BIND_SERVICE"
    assert "bind" in said.lines[1]
    rows = ask("search", "chroot", "--format", "json").rows
    assert {(row["kind"], row["name"]) for row in rows} >= {
        ("capability", "CAP_SYS_CHROOT"),
        ("syscall", "chroot"),
    }
    assert ask("search", "no such words").exit_code == 1
