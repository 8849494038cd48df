"""Logs of strace as calls, and which operation a call asks for."""

from __future__ import annotations

import pytest

from caphistory.questions.strace import (
    FITS,
    FITS_INSIDE,
    MAY_FIT,
    Call,
    Log,
    find_names,
    fit_operation,
)

PERM = "= -1 EPERM (Operation not permitted)"


def read(*lines: str) -> list[Call]:
    """The calls of a log."""
    return list(Log(lines))


def one(line: str) -> Call:
    """The call of a line."""
    (call,) = read(line)
    return call


@pytest.mark.parametrize(
    "prefix",
    [
        "",
        "1234 ",
        "1234<ping> ",
        "[pid  1234] ",
        "[pid 1234<ping>] ",
        "10:20:30 ",
        "10:20:30.123456 ",
        "1701234567.123456 ",
        "     0.000012 ",
        "(+     0.000034) ",
        "[pid 1234] 10:20:30.123456 ",
        "1234  1701234567.123456 ",
        "[00007f0123456789] ",
        "[ 161] ",
        "[pid 7] [00007f0123456789] ",
    ],
)
def test_what_stands_before_a_call(prefix: str) -> None:
    call = one(f'{prefix}chroot("/srv") {PERM}')
    assert (call.syscall, call.errno, call.paths) == ("chroot", "EPERM", ("/srv",))


@pytest.mark.parametrize(
    ("end", "errno"),
    [
        ("= 0", ""),
        ("    = 3", ""),
        ("= -1 EACCES (Permission denied)", "EACCES"),
        ("= -1 EPERM (Operation not permitted) <0.000012>", "EPERM"),
        ("= -1 EPERM (Operation not permitted) (INJECTED)", "EPERM"),
        ("= 3</etc/passwd>", ""),
        ("= 0x7f0000000000", ""),
        ("= ?", ""),
        ("= ? ERESTARTSYS (To be restarted if SA_RESTART is set)", ""),
        ("= -1 (errno 1)", "errno 1"),
    ],
)
def test_what_stands_behind_a_call(end: str, errno: str) -> None:
    assert one(f'open("/x", O_RDONLY) {end}').errno == errno


@pytest.mark.parametrize(
    "line",
    [
        "",
        "ping: socket: Operation not permitted",
        "+++ exited with 1 +++",
        "--- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=5} ---",
        "strace: Process 5 attached",
        "PING localhost (127.0.0.1) 56(84) bytes of data.",
        "mount(8) says (no)",
        "\x1b[31mred\x1b[0m",
    ],
)
def test_other_lines_are_no_calls(line: str) -> None:
    assert read(line, f"sync() {PERM}") == [Call(2, "sync", "", "EPERM")]


def test_unfinished_calls_are_resumed_by_their_process() -> None:
    calls = read(
        '[pid 5] openat(AT_FDCWD, "/a", O_RDWR <unfinished ...>',
        '[pid 6] openat(AT_FDCWD, "/b", O_RDWR <unfinished ...>',
        "[pid 5] <... openat resumed>) = -1 EACCES (Permission denied)",
        "[pid 6] <... openat resumed> ) = 3",
    )
    assert [(call.paths, call.errno) for call in calls] == [(("/a",), "EACCES"), (("/b",), "")]


def test_cut_lines_are_counted() -> None:
    log = Log(['openat(AT_FDCWD, "/et', "[pid 5] read(3,  <unfinished ...>", "sync() = 0"])
    assert [call.syscall for call in log] == ["sync"]
    assert log.cut_off == 2


def test_a_text_in_an_argument_is_no_result() -> None:
    call = one(f'mount("a) = 3", "/mnt", NULL, MS_BIND|MS_REC, NULL) {PERM}')
    assert call.errno == "EPERM"
    assert call.names == {"NULL", "MS_BIND", "MS_REC"}


def test_a_summary_counts_calls_and_failures() -> None:
    calls = read(
        "% time     seconds  usecs/call     calls    errors syscall",
        "------ ----------- ----------- --------- --------- ----------------",
        " 25.00    0.000012           1        12         3 openat",
        "  0.00    0.000000           0         1           brk",
        "------ ----------- ----------- --------- --------- ----------------",
        "100.00    0.000012           0        13         3 total",
    )
    assert [(call.syscall, call.errno, call.times) for call in calls] == [
        ("openat", "", 9),
        ("openat", "?", 3),
        ("brk", "", 1),
    ]


def test_a_descriptor_stands_for_what_opened_it_until_it_is_closed() -> None:
    calls = read(
        'openat(AT_FDCWD, "/proc/self/uid_map", O_RDWR) = 4',
        f'write(4, "0 0 1", 5) {PERM}',
        "dup2(4, 9) = 9",
        "clone(child_stack=NULL, flags=SIGCHLD) = 77",
        f'[pid 77] write(9, "0 0 1", 5) {PERM}',
        "close(4) = 0",
        f'write(4, "0 0 1", 5) {PERM}',
    )
    assert [call.paths for call in calls if call.syscall == "write"] == [
        ("/proc/self/uid_map",),
        ("/proc/self/uid_map",),
        (),
    ]


def test_the_first_process_gets_a_number_only_when_there_is_another() -> None:
    calls = read(
        'openat(AT_FDCWD, "/proc/self/uid_map", O_RDWR) = 4',
        "clone(child_stack=NULL, flags=SIGCHLD) = 77",
        "[pid 77] close(4) = 0",
        f'[pid 76] write(4, "0 0 1", 5) {PERM}',
    )
    assert calls[-1].paths == ("/proc/self/uid_map",)


def test_netlink_is_known_by_its_socket_and_by_strace_yy() -> None:
    _, sent = read(
        "socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE) = 7",
        f"sendto(7, [{{nlmsg_len=40, nlmsg_type=RTM_NEWLINK}}], 40, 0, NULL, 0) {PERM}",
    )
    assert fit_operation("NETLINK_ROUTE/RTM_NEWLINK", sent) == FITS
    assert "NETLINK_ROUTE" in find_names("3<NETLINK:[ROUTE:1234]>, [{nlmsg_type=RTM_NEWADDR}]")


def test_an_error_in_a_netlink_answer_is_a_failed_message() -> None:
    *_, refused = read(
        "socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE) = 3",
        "sendmsg(3, {msg_iov=[{iov_base=[{nlmsg_len=40, nlmsg_type=RTM_NEWLINK}]}]}, 0) = 40",
        "recvmsg(3, {msg_iov=[{iov_base=[{nlmsg_len=60, nlmsg_type=NLMSG_ERROR, nlmsg_pid=5},"
        " {error=-EPERM, msg=[{nlmsg_len=40, nlmsg_type=RTM_NEWLINK}]}]}]}, 0) = 60",
    )
    assert (refused.line, refused.syscall, refused.errno) == (3, "sendmsg", "EPERM")
    assert fit_operation("NETLINK_ROUTE/RTM_NEWLINK", refused) == FITS


@pytest.mark.parametrize(
    ("operation", "line", "fit"),
    [
        ("", "sync()", FITS),
        ("SIOCSIFADDR", 'ioctl(3, SIOCSIFADDR, {ifr_name="eth0"})', FITS),
        ("SIOCSIFADDR", "ioctl(3, SIOCGIFADDR, 0x7ffd12345678)", None),
        ("SIOCSIFADDR", "ioctl(0, TCGETS, 0x7ffd12345678)", None),
        ("SIOCSIFADDR", "ioctl(3, TCGETS or SIOCSIFADDR, 0x7ffd12345678)", FITS),
        ("SIOCSIFADDR", "ioctl(3, 0x8916, 0x7ffd12345678)", MAY_FIT),
        ("PR_SET_MM/PR_SET_MM_MAP", "prctl(PR_SET_MM, PR_SET_MM_MAP, 0x7f, 104, 0)", FITS),
        ("PR_SET_MM/PR_SET_MM_MAP", "prctl(PR_SET_MM, PR_SET_MM_BRK, 0x7f, 0, 0)", None),
        ("PR_SET_MM/PR_SET_MM_MAP", "prctl(PR_SET_MM, 0xe, 0x7f, 104, 0)", MAY_FIT),
        ("PR_SET_MM/PR_SET_MM_MAP", 'prctl(PR_SET_NAME, "x")', None),
        ("SOL_SOCKET/SO_MARK", "setsockopt(3, SOL_SOCKET, SO_MARK, [1], 4)", FITS),
        ("SOL_SOCKET/SO_MARK", "setsockopt(3, SOL_SOCKET, SO_REUSEADDR, [1], 4)", None),
        ("SOL_SOCKET/SO_MARK", "setsockopt(3, 0x1, SO_MARK, [1], 4)", FITS_INSIDE),
        ("CLONE_NEWNET", "unshare(CLONE_NEWNET|CLONE_NEWNS)", FITS),
        ("CLONE_NEWNET/CLONE_NEWIPC", "unshare(CLONE_NEWNET)", None),
        ("MS_REMOUNT", 'mount("none", "/mnt", "tmpfs", 0, NULL)', None),
        ("MS_REMOUNT", 'mount("none", "/mnt", "tmpfs", 0x20, NULL)', MAY_FIT),
        ("PF_PACKET", "socket(AF_PACKET, SOCK_RAW, htons(0x3))", FITS),
        ("CLONE_NEWNET", "clone3({flags=CLONE_NEWNET, exit_signal=SIGCHLD}, 88)", FITS),
        ("CLONE_NEWNET", "clone(child_stack=NULL, flags=CLONE_VM|SIGCHLD)", None),
        ("/proc/PID/uid_map", 'openat(AT_FDCWD, "/proc/12/uid_map", O_RDWR)', FITS),
        ("/proc/PID/uid_map", 'openat(AT_FDCWD, "/proc/self/gid_map", O_RDWR)', None),
        ("/proc/PID/uid_map", 'write(3</proc/12/uid_map>, "0 0 1", 5)', FITS),
        ("/proc/PID/uid_map", 'write(3, "0 0 1", 5)', MAY_FIT),
        ("/proc/sys/kernel/modprobe", 'write(3</etc/x>, "a", 1)', None),
        ("F_SETPIPE_SZ", "fcntl(3, F_SETPIPE_SZ, 1048576)", FITS),
    ],
)
def test_which_operation_a_call_asks_for(operation: str, line: str, fit: int | None) -> None:
    assert fit_operation(operation, one(f"{line} {PERM}")) == fit


def test_a_summary_may_be_any_operation() -> None:
    assert fit_operation("SIOCSIFADDR", Call(1, "ioctl", "", "?")) == MAY_FIT
    assert fit_operation("/proc/PID/uid_map", Call(1, "openat", "", "?")) == MAY_FIT


def test_a_long_line_ends_soon() -> None:
    assert read("write(1, " + '"' * 5_000_000) == []
    assert read("(" * 1_000_000, "a(" * 100_000, ") = " * 100_000) == []
