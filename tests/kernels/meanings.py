"""A small kernel whose checks have meanings: what needs, explain and container are asked about."""

from __future__ import annotations

from pathlib import Path

from caphistory.records import CapabilityDefinition, LinkedRelease, SyscallCheck
from tests.factories import build, check, linked, site, step, syscall

RELEASE = "6.1.7"
ABI = "x86_64"
CAPABILITIES = {
    "CAP_CHOWN": 0,
    "CAP_DAC_OVERRIDE": 1,
    "CAP_NET_BIND_SERVICE": 10,
    "CAP_NET_ADMIN": 12,
    "CAP_SYS_CHROOT": 18,
    "CAP_SYS_PTRACE": 19,
    "CAP_SYS_ADMIN": 21,
    "CAP_SYS_BOOT": 22,
    "CAP_SYS_RESOURCE": 24,
    "CAP_BPF": 39,
}
LOOKUP = 20
"""So many syscalls share path lookup that it is no syscall's own."""


def _asks(
    name: str,
    capability: str,
    path: str,
    *,
    operation: str = "",
    errno: str | None = "EPERM",
    effect: str = "deny",
    namespace: str = "init",
    instead: tuple[str, ...] = (),
    conditional: int = 1,
    shared_by: int = 1,
    pointer: str | None = None,
) -> SyscallCheck:
    at = site(path, 100, f"do_{name}", "capable", capability, effect=effect, errno=errno)
    steps = (step(f"sys_{name}", "kernel/sys.c", 10, pointer),)
    return check(
        name,
        at,
        *steps,
        abi=ABI,
        conditional=conditional,
        shared_by=shared_by,
        operation=operation,
        effect=effect,
        errno=errno,
        instead=instead,
        namespace=namespace,
    )


def kernel() -> LinkedRelease:
    """The release with its rows."""
    checks = [
        _asks("chroot", "CAP_SYS_CHROOT", "fs/open.c", namespace="owner", conditional=0),
        _asks("mount", "CAP_SYS_ADMIN", "fs/namespace.c", namespace="owner"),
        _asks("reboot", "CAP_SYS_BOOT", "kernel/reboot.c", namespace="owner", conditional=0),
        _asks("quotactl", "CAP_SYS_ADMIN", "fs/quota/quota.c", conditional=0),
        _asks(
            "bind",
            "CAP_NET_BIND_SERVICE",
            "net/ipv4/af_inet.c",
            errno="EACCES",
            namespace="owner",
            pointer="proto_ops.bind",
        ),
        _asks(
            "ioctl",
            "CAP_NET_ADMIN",
            "net/ipv4/devinet.c",
            operation="SIOCSIFADDR",
            namespace="owner",
            pointer="proto_ops.ioctl",
        ),
        _asks("bpf", "CAP_BPF", "kernel/bpf/syscall.c", instead=("CAP_SYS_ADMIN",)),
        _asks("bpf", "CAP_SYS_ADMIN", "kernel/bpf/syscall.c", instead=("CAP_BPF",)),
        _asks("fork", "CAP_SYS_RESOURCE", "kernel/fork.c", errno="EAGAIN", effect="limit"),
        _asks("ptrace", "CAP_SYS_PTRACE", "kernel/ptrace.c", namespace="owner"),
        *(
            _asks(
                name,
                "CAP_DAC_OVERRIDE",
                "fs/namei.c",
                errno="EACCES",
                namespace="owner",
                shared_by=LOOKUP,
            )
            for name in ("openat", "chroot")
        ),
    ]
    named = dict.fromkeys(row.syscall for row in checks)
    names = [*named, "getpid"]
    return linked(
        RELEASE,
        checks=checks,
        syscalls=[syscall(name, at, abi=ABI) for at, name in enumerate(names, start=100)],
        definitions=[
            CapabilityDefinition(name, number, "include/uapi/linux/capability.h", number + 1, "")
            for name, number in CAPABILITIES.items()
        ],
    )


def build_meanings(path: Path) -> Path:
    """A database with that release at ``path``."""
    return build(path, kernel())
