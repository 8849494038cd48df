"""A small history of kernels: what the faces are asked about in these tests."""

from __future__ import annotations

from pathlib import Path
from sqlite3 import Connection

from caphistory.records import (
    Audit,
    AuditDetail,
    CapabilityDefinition,
    CheckSite,
    LinkedRelease,
    Wrapper,
)
from caphistory.store import open_writer, successions
from tests.factories import build, check, linked, release, site, step, syscall

RELEASES = ("2.0.39", "2.0.40", "2.1.91", "2.1.92", "2.2.0", "2.2.24")
FIRST_WITH_CAPABILITIES = RELEASES.index("2.1.92")
CAPABILITIES = {
    "CAP_DAC_OVERRIDE": 1,
    "CAP_SETGID": 6,
    "CAP_NET_BIND_SERVICE": 10,
    "CAP_SYS_CHROOT": 18,
    "CAP_SYS_ADMIN": 21,
    "CAP_SYS_TIME": 25,
}
HEADER = "include/linux/capability.h"
SHARING = 60
"""So many syscalls reach what ``chdir`` reaches that it says nothing about ``chdir``."""


def kernel(number: int) -> LinkedRelease:
    """Release ``number`` of RELEASES. Every check stands one line lower in each release.

    ``setgid``, ``chroot`` and ``mount`` check in their own body, ``bind`` through one pointer;
    ``chdir`` and ``ioctl`` only in shared code; ``stime`` only where a constant switches the
    check off; ``getpid`` never.
    """
    capable = number >= FIRST_WITH_CAPABILITIES
    name = RELEASES[number]

    def asks(
        path: str, line: int, function: str, capability: str, errno: str = "EPERM"
    ) -> CheckSite:
        return site(
            path,
            line + number,
            function,
            "capable" if capable else "suser",
            capability if capable else None,
            errno=errno,
        )

    binding = asks("net/ipv4/af_inet.c", 500, "inet_bind", "CAP_NET_BIND_SERVICE", "EACCES")
    return linked(
        release(name)._replace(
            released="1999-01-26" if name == "2.2.0" else None,
            provenance="defective" if name == "2.2.0" else "mainline",
            note="Its <b>drivers</b> are lost." if name == "2.2.0" else None,
        ),
        checks=[
            check("setgid", asks("kernel/sys.c", 300, "sys_setgid", "CAP_SETGID")),
            check("chroot", asks("fs/open.c", 400, "sys_chroot", "CAP_SYS_CHROOT")),
            check(
                "mount",
                asks("fs/super.c", 800, "sys_mount", "CAP_SYS_ADMIN"),
                operation="MS_REMOUNT",
            ),
            check("bind", binding, step("sys_bind", "net/socket.c", 810, "proto_ops.bind")),
            check(
                "chdir",
                asks("fs/namei.c", 100, "permission", "CAP_DAC_OVERRIDE"),
                step("sys_chdir", "fs/open.c", 360, "dentry_operations.d_revalidate"),
                shared_by=SHARING,
            ),
            check(
                "ioctl",
                asks("drivers/tty.c", 900, "tty_ioctl", "CAP_SYS_ADMIN"),
                step("sys_ioctl", "fs/ioctl.c", 60, "file_operations.ioctl"),
                shared_by=SHARING,
            ),
            check(
                "stime",
                asks("kernel/time.c", 70, "settime", "CAP_SYS_TIME"),
                step("sys_stime", "kernel/time.c", 90),
                feasible=0,
            ),
        ],
        syscalls=[
            syscall("chdir", 12, path="fs/open.c", line=350),
            syscall("getpid", 20, path="kernel/sched.c", line=700),
            syscall("stime", 25, path="kernel/time.c", line=80),
            syscall("mount", 21, path="fs/super.c", line=780),
            syscall("setgid", 46, line=290),
            syscall("ioctl", 54, path="fs/ioctl.c", line=50),
            syscall("chroot", 61, path="fs/open.c", line=390),
            syscall("bind", path="net/socket.c", line=800, parent="socketcall"),
        ],
        definitions=[
            CapabilityDefinition(one, bit, HEADER, 50 + bit, "Allow <b>it</b>.\nAnd that.")
            for one, bit in CAPABILITIES.items()
            if capable
        ],
        wrappers=[Wrapper("capable", "plumbing", "capable", None, 0, "kernel/x.h", 600)],
        audit=Audit(12 + number, 5, 1, 2, 4, number, 5000, 20, 700, 100),
        details=[AuditDetail("unexplained", "drivers/a.c", 4, "suser in a table")],
    )


def build_history(path: Path) -> Path:
    """A database of RELEASES at ``path``, with what became of the checks between them."""
    build(path, *(kernel(number) for number in range(len(RELEASES))))
    with open_writer(path, "1") as writer:
        for ends in successions.list_wanted(writer.db):
            writer.write_successions(ends, _became(writer.db, ends), "1")
    return path


def _became(db: Connection, ends: successions.Ends) -> list[successions.StoredSuccession]:
    """The checks that ask something else in the later of two releases."""
    before, after = (
        {site.function: site.site for site in successions.read_sites(db, end.position)}
        for end in ends
    )
    return [
        successions.StoredSuccession(site, after[name], "replaced", "function", 1, 100, None)
        for name, site in before.items()
        if site != after[name]
    ]
