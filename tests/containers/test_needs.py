"""What calls need by requirements, and what failed calls lacked."""

from __future__ import annotations

import json
from collections.abc import Collection

from caphistory.questions.needs import (
    MAY,
    MUST,
    asks_first_namespace,
    choose_least,
    explain_failures,
    find_needs,
    list_other_causes,
)
from caphistory.questions.strace import Call, Log, make_call
from caphistory.records import Row


def asks(
    syscall: str,
    privilege: str,
    operation: str = "",
    *,
    errno: str | None = "EPERM",
    effect: str = "deny",
    instead: Collection[str] = (),
    namespace: str | None = "init",
    subject: str = "caller",
    standing: str = "own",
    conditional: int = 1,
    depth: int = 1,
) -> Row:
    """A requirement."""
    return {
        "syscall": syscall,
        "operation": operation,
        "privilege": privilege,
        "instead": json.dumps(sorted(instead)),
        "effect": effect,
        "errno": errno,
        "subject": subject,
        "namespace": namespace,
        "standing": standing,
        "conditional": conditional,
        "pointer_hops": 0,
        "sites": 1,
        "depth": depth,
        "shared_by": 1,
    }


def needs(row: Row, *calls: Call) -> list[tuple[str, str]]:
    """What calls need of one requirement."""
    found = find_needs(calls, {row["syscall"]: [row]})
    return [(need.certainty, need.alternatives[0]) for need in found]


def called(line: str) -> Call:
    """The call of a line of strace."""
    (call,) = Log([line])
    return call


PLAIN = Call(0, "bind", "", "")


def test_a_denial_on_every_way_must_be_met_and_another_may() -> None:
    assert needs(asks("bind", "CAP_KILL", conditional=0), PLAIN) == [(MUST, "CAP_KILL")]
    assert needs(asks("bind", "CAP_KILL", conditional=1), PLAIN) == [(MAY, "CAP_KILL")]
    for weaker in (
        asks("bind", "CAP_KILL", conditional=0, effect="limit"),
        asks("bind", "CAP_KILL", conditional=0, standing="shared"),
        asks("bind", "CAP_KILL", conditional=0, subject="other"),
        asks("bind", "CAP_KILL", conditional=0, instead=["owner"]),
    ):
        assert needs(weaker, PLAIN) == [(MAY, "CAP_KILL")]


def test_the_operation_that_a_call_asks_for_decides() -> None:
    row = asks("ioctl", "CAP_NET_ADMIN", "SIOCSIFADDR")
    assert needs(row, called("ioctl(3, SIOCSIFADDR, 0x1) = 0")) == [(MUST, "CAP_NET_ADMIN")]
    assert needs(row, called("ioctl(3, SIOCGIFADDR, 0x1) = 0")) == []
    assert needs(row, called("ioctl(3, 0x8916, 0x1) = 0")) == [(MAY, "CAP_NET_ADMIN")]
    assert needs(row, Call(0, "ioctl", "", "")) == [(MAY, "CAP_NET_ADMIN")]
    assert needs(row, Call(0, "bind", "", "")) == []


def test_an_operation_of_sockets_may_be_asked_for_without_a_family() -> None:
    call = make_call("ioctl", "SIOCSIFADDR")
    rows = [asks("ioctl", "CAP_NET_ADMIN", f"PF_{name}/SIOCSIFADDR") for name in ("AX25", "INET")]
    file = asks("ioctl", "CAP_NET_ADMIN", "/dev/ppp", depth=0)
    (need,) = find_needs([call], {"ioctl": [file, *rows]})
    assert (need.certainty, need.row) == (MUST, rows[0])
    other = asks("ioctl", "CAP_SYS_ADMIN", "PF_X25/SIOCSIFADDR")
    unsure = find_needs([call], {"ioctl": [file, *rows, other]})
    assert [(need.certainty, need.row) for need in unsure] == [(MAY, rows[0]), (MAY, other)]
    named = make_call("ioctl", "PF_X25/SIOCSIFADDR")
    assert [need.certainty for need in find_needs([named], {"ioctl": rows[:1]})] == [MAY]


def test_a_flag_says_nothing_about_the_object_behind_a_pointer() -> None:
    row = {**asks("lseek", "CAP_SYS_NICE", "SEEK_CUR"), "pointer_hops": 1}
    assert needs(row, called("lseek(3, 0, SEEK_CUR) = 0")) == [(MAY, "CAP_SYS_NICE")]
    command = {**asks("ioctl", "CAP_NET_ADMIN", "SIOCSIFADDR"), "pointer_hops": 2}
    assert needs(command, called("ioctl(3, SIOCSIFADDR, 0x1) = 0")) == [(MUST, "CAP_NET_ADMIN")]
    file = {**asks("write", "CAP_SYS_ADMIN", "/proc/sys/kernel/modprobe"), "pointer_hops": 1}
    call = called('write(3</proc/sys/kernel/modprobe>, "x", 1) = 1')
    assert needs(file, call) == [(MUST, "CAP_SYS_ADMIN")]


def test_a_call_that_failed_so_is_a_proof() -> None:
    row = asks("bind", "CAP_NET_BIND_SERVICE", errno="EACCES")
    assert needs(row, called("bind(3, 0x1, 16) = -1 EACCES (Permission denied)"))[0][0] == MUST
    assert needs(row, called("bind(3, 0x1, 16) = -1 EADDRINUSE (In use)"))[0][0] == MAY


def test_the_least_set_takes_the_narrow_alternative_or_the_one_that_is_needed_anyway() -> None:
    choice = asks("bpf", "CAP_SYS_ADMIN", instead=["CAP_BPF"], conditional=0)
    only = asks("mount", "CAP_SYS_ADMIN", conditional=0)
    calls = [Call(0, "bpf", "", ""), Call(0, "mount", "", "")]
    assert choose_least(find_needs(calls, {"bpf": [choice]})) == ["CAP_BPF"]
    both = find_needs(calls, {"bpf": [choice], "mount": [only]})
    assert choose_least(both) == ["CAP_SYS_ADMIN"]
    assert choose_least(both, userns=True) == []


def test_where_a_row_does_not_say_its_check_tells_the_namespace() -> None:
    row = asks("bind", "CAP_KILL", namespace=None)
    assert asks_first_namespace({**row, "check_name": "capable"})
    assert not asks_first_namespace({**row, "check_name": "ns_capable"})
    assert not asks_first_namespace({**row, "namespace": "owner", "check_name": "capable"})


def test_two_rows_of_one_choice_are_one_need() -> None:
    rows = [
        asks("bpf", "CAP_BPF", instead=["CAP_SYS_ADMIN"]),
        asks("bpf", "CAP_SYS_ADMIN", instead=["CAP_BPF"]),
    ]
    (need,) = find_needs([Call(0, "bpf", "", "")], {"bpf": rows})
    assert need.alternatives == ("CAP_BPF", "CAP_SYS_ADMIN")


def explain(line: str, *rows: Row) -> list[str]:
    """Which privileges a failed call lacked, the best first."""
    return [
        row["privilege"]
        for explanation in explain_failures(Log([line]), lambda _: {rows[0]["syscall"]: rows})
        for _, row in explanation.fitting
    ]


def test_a_failed_call_lacked_what_fits_its_operation_and_error() -> None:
    rows = (
        asks("ioctl", "CAP_SYS_ADMIN", depth=0),
        asks("ioctl", "CAP_NET_ADMIN", "SIOCSIFADDR"),
        asks("ioctl", "CAP_SYS_TTY_CONFIG", "TIOCSTI"),
        asks("ioctl", "CAP_SYS_RAWIO", errno="EACCES"),
    )
    line = "ioctl(3, SIOCSIFADDR, 0x1) = -1 EPERM (Operation not permitted)"
    assert explain(line, *rows) == ["CAP_NET_ADMIN", "CAP_SYS_ADMIN"]
    shared = asks("ioctl", "CAP_DAC_OVERRIDE", standing="shared", depth=0)
    assert explain(line, shared, *rows)[-1] == "CAP_DAC_OVERRIDE"


def test_an_error_that_could_not_be_read_comes_last() -> None:
    unread = asks("ioctl", "CAP_SYS_RAWIO", errno=None, depth=0)
    line = "ioctl(3, 0x8916, 0x1) = -1 EPERM (Operation not permitted)"
    assert explain(line, unread, asks("ioctl", "CAP_NET_ADMIN")) == [
        "CAP_NET_ADMIN",
        "CAP_SYS_RAWIO",
    ]
    assert explain(line, {**unread, "pointer_hops": 1}) == []
    assert needs(unread, called(line)) == [(MAY, "CAP_SYS_RAWIO")]


def test_behind_a_pointer_the_privilege_with_the_most_sites_comes_first() -> None:
    rows = [
        {**asks("bind", "CAP_NET_ADMIN", errno="EACCES"), "pointer_hops": 1},
        {**asks("bind", "CAP_NET_BIND_SERVICE", errno="EACCES"), "pointer_hops": 1, "sites": 6},
    ]
    line = "bind(3, {sa_family=AF_INET, sin_port=htons(80)}, 16) = -1 EACCES (Permission denied)"
    assert explain(line, *rows) == ["CAP_NET_BIND_SERVICE", "CAP_NET_ADMIN"]


def test_what_failed_otherwise_is_no_denial_unless_a_requirement_gives_that_error() -> None:
    line = "fork() = -1 EAGAIN (Resource temporarily unavailable)"
    assert explain_failures(Log([line]), lambda _: {}) == []
    assert explain(line, asks("fork", "CAP_SYS_RESOURCE", errno="EAGAIN", effect="limit")) == [
        "CAP_SYS_RESOURCE"
    ]


def test_a_file_that_is_not_there_is_no_want_of_privilege() -> None:
    line = 'openat(AT_FDCWD, "/no", O_RDONLY) = -1 ENOENT (No such file or directory)'
    for row in (
        asks("openat", "CAP_DAC_READ_SEARCH", errno="ENOENT", standing="shared"),
        {**asks("openat", "CAP_SYS_RAWIO", errno="ENOENT"), "pointer_hops": 1},
    ):
        assert explain(line, row) == []


def test_calls_that_fail_alike_are_one() -> None:
    lines = ["sync() = -1 EPERM (Operation not permitted)"] * 3
    (one,) = explain_failures(Log(lines), lambda _: {})
    assert (one.lines, one.fitting) == ((1, 2, 3), ())


def test_what_netlink_refused_is_not_asked_by_whoever_passes_it_on() -> None:
    log = (
        "socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE) = 3",
        "sendto(3, [{nlmsg_len=40, nlmsg_type=RTM_NEWLINK}], 40, 0, NULL, 0) = 40",
        "recvmsg(3, {msg_iov=[{iov_base=[{nlmsg_len=60, nlmsg_type=NLMSG_ERROR}, {error=-EPERM,"
        " msg=[{nlmsg_len=40, nlmsg_type=RTM_NEWLINK}]}]}]}, 0) = 60",
    )
    passing_on = asks("sendto", "CAP_NET_RAW", depth=0)
    message = asks("sendto", "CAP_NET_ADMIN", "NETLINK_ROUTE/RTM_NEWLINK", depth=9)
    (one,) = explain_failures(Log(log), lambda _: {"sendto": [passing_on, message]})
    assert [row["privilege"] for _, row in one.fitting] == ["CAP_NET_ADMIN"]
    (one,) = explain_failures(Log(log), lambda _: {"sendto": [passing_on]})
    assert one.fitting == ()
    assert "CAP_NET_ADMIN" in list_other_causes(one.call, explained=False)[0]


def test_other_causes_are_possibilities() -> None:
    perm = called('mount("a", "/b") = -1 EPERM (Operation not permitted)')
    assert "seccomp filter" in list_other_causes(perm, explained=True)[0]
    assert "no requirement of mount" in list_other_causes(perm, explained=False)[0]
    access = called('open("/b", O_RDONLY) = -1 EACCES (Permission denied)')
    assert "permissions of the file" in list_other_causes(access, explained=True)[0]
