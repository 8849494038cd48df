"""Parts of logs of strace 6.1, made as root without the capability in question."""

from __future__ import annotations

from pathlib import Path

import pytest

from caphistory.questions.strace import Log

LOGS = Path(__file__).parent / "logs"

FAILURES: dict[str, list[tuple[str, str, set[str]]]] = {
    # ping has capabilities of its own, which the bounding set lacks.
    "no-program.strace": [("execve", "EPERM", {"/usr/bin/ping"})],
    "clock.strace": [("kill", "EPERM", {"SIGTERM"})],
    "nice.strace": [("setpriority", "EACCES", {"PRIO_PROCESS"})],
    "netlink.strace": [
        ("sendto", "EPERM", {"NETLINK_ROUTE", "RTM_NEWLINK"}),
        ("sendmsg", "EPERM", {"NETLINK_ROUTE", "RTM_NEWLINK"}),
    ],
    # strace -X raw names neither the family nor the message.
    "raw.strace": [("sendto", "EPERM", set()), ("sendmsg", "EPERM", set())],
    "epoch-and-paths.strace": [("write", "EPERM", {"/proc/sys/net/ipv4/ip_forward"})] * 2,
    "relative-times-and-descriptors.strace": [("mount", "EPERM", {"/mnt"})],
    "two-processes.strace": [("chroot", "EPERM", {"/"})] * 2,
}


@pytest.mark.parametrize("name", FAILURES)
def test_a_real_log_tells_what_failed(name: str) -> None:
    calls = Log((LOGS / name).read_text().splitlines())
    failed = [call for call in calls if call.errno in ("EPERM", "EACCES")]
    expected = FAILURES[name]
    assert [(call.syscall, call.errno) for call in failed] == [row[:2] for row in expected]
    for call, (_, _, named) in zip(failed, expected, strict=True):
        assert named <= {*call.names, *call.paths}


def test_a_real_summary_counts() -> None:
    calls = list(Log((LOGS / "summary.strace").read_text().splitlines()))
    failed = {call.syscall for call in calls if call.errno == "?"}
    assert {"clock_settime", "setpriority"} <= failed
    assert "total" not in {call.syscall for call in calls}
