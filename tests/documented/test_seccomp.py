"""Seccomp profiles: which syscalls go with a capability, and which are free."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from caphistory.documented.documents import Documents
from caphistory.documented.seccomp import read_profile
from caphistory.errors import CaphistoryError, NothingFound, UsageError

ALLOW, REFUSE = "SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO"


def rule(*names: str, action: str = ALLOW, **more: Any) -> dict[str, Any]:
    """A rule of a profile."""
    return {"names": [*names], "action": action, **more}


def needs(*capabilities: str, **more: Any) -> dict[str, Any]:
    """What a rule asks of the container."""
    return {"caps": [*capabilities], **more}


def profile(folder: Path, *rules: dict[str, Any], release: str = "6.1") -> Documents:
    """The profile with these rules."""
    file = folder / "profile.json"
    file.write_text(json.dumps({"defaultAction": REFUSE, "syscalls": rules}))
    return read_profile(file, release)


def pairs(documents: Documents) -> list[tuple[str, str, str]]:
    """Syscall, capability and rule of each claim."""
    return [
        (name, one.capability, one.place.part)
        for one in documents.claims
        for name in sorted(one.named)
    ]


def test_a_rule_that_needs_a_capability_claims_it(tmp_path: Path) -> None:
    found = profile(
        tmp_path,
        rule("read", "ioctl"),
        rule("mount", "umount", includes=needs("CAP_SYS_ADMIN")),
        rule("bpf", includes=needs("CAP_BPF")),
        rule("bpf", includes=needs("CAP_SYS_ADMIN")),
    )
    assert pairs(found) == [
        ("mount", "CAP_SYS_ADMIN", "syscalls[1]"),
        ("umount", "CAP_SYS_ADMIN", "syscalls[1]"),
        ("bpf", "CAP_BPF", "syscalls[2]"),
        ("bpf", "CAP_SYS_ADMIN", "syscalls[3]"),
    ]
    assert found.source == "profile.json"
    assert {name: place.part for name, place in found.silent.items()} == {
        "read": "syscalls[0]",
        "ioctl": "syscalls[0]",
    }


def test_what_is_refused_or_narrowed_without_a_capability_goes_with_it(tmp_path: Path) -> None:
    found = profile(
        tmp_path,
        rule("clone", args=[{"index": 0}], excludes=needs("CAP_SYS_ADMIN")),
        rule("clone3", action=REFUSE, excludes=needs("CAP_SYS_ADMIN")),
    )
    assert [name for name, *_ in pairs(found)] == ["clone", "clone3"]


def test_what_is_free_anyway_needs_nothing(tmp_path: Path) -> None:
    found = profile(
        tmp_path,
        rule("ptrace", "kcmp", includes=needs("CAP_SYS_PTRACE")),
        rule("ptrace"),
        rule("kcmp", args=[{"index": 0}]),
    )
    assert [name for name, *_ in pairs(found)] == ["kcmp"]


@pytest.mark.parametrize(("release", "gated"), [("4.7", True), ("4.8", False), ("6.1", False)])
def test_a_rule_may_be_for_newer_kernels(tmp_path: Path, release: str, gated: bool) -> None:
    found = profile(
        tmp_path,
        rule("ptrace", includes={"minKernel": "4.8"}),
        rule("ptrace", "acct", includes=needs("CAP_X")),
        release=release,
    )
    assert ("ptrace", "CAP_X", "syscalls[1]") in pairs(found) or not gated
    assert len(pairs(found)) == 1 + gated


def test_rules_for_other_architectures_are_left_out(tmp_path: Path) -> None:
    found = profile(
        tmp_path,
        rule("a", includes=needs("CAP_X", arches=["s390x"])),
        rule("b", includes=needs("CAP_X", arches=["amd64", "x32"])),
        rule("c", includes=needs("CAP_X"), excludes={"arches": ["x86"]}),
    )
    assert [name for name, *_ in pairs(found)] == ["b"]


def test_profiles_of_old_name_one_syscall_in_each_rule(tmp_path: Path) -> None:
    old = {"name": "chroot", "action": ALLOW, "includes": needs("CAP_SYS_CHROOT")}
    assert pairs(profile(tmp_path, old)) == [("chroot", "CAP_SYS_CHROOT", "syscalls[0]")]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("not json", "is no seccomp profile: it is not JSON"),
        ("[" * 100_000, "is no seccomp profile: it is not JSON"),
        ("[]", "is no seccomp profile: it has no list of syscalls"),
        ('{"syscalls": 3}', "is no seccomp profile: it has no list of syscalls"),
    ],
)
def test_what_is_no_profile_is_refused(tmp_path: Path, text: str, complaint: str) -> None:
    file = tmp_path / "p.json"
    file.write_text(text)
    with pytest.raises(UsageError, match=complaint):
        read_profile(file, "6.1")


def test_a_profile_without_capabilities_has_nothing_to_compare(tmp_path: Path) -> None:
    with pytest.raises(NothingFound, match=r"no rule of .* asks for a capability"):
        profile(tmp_path, rule("read"), {"names": "odd", "includes": 3})


def test_a_profile_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(CaphistoryError, match="cannot read"):
        read_profile(tmp_path / "nowhere.json", "6.1")
