"""A history of tiny kernels: real git repositories to index.

From 2.1.92 on the syscalls ask for a capability where they asked for root before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pygit2

from tests.kernels.git import commit, light_tag, make_repository

RELEASES = ("2.0.39", "2.0.40", "2.1.91", "2.1.92", "2.2.0", "2.2.9", "2.2.10")
"""In order of version, which is not the order of the alphabet."""

FIRST_WITH_CAPABILITIES = RELEASES.index("2.1.92")

_ENTRY = """ENTRY(sys_call_table)
    .long SYMBOL_NAME(sys_setup)
    .long SYMBOL_NAME(sys_setgid)
    .long SYMBOL_NAME(sys_chroot)
    .long SYMBOL_NAME(sys_bind)
    .long SYMBOL_NAME(sys_ni_syscall)
"""
_NAMES = """#define __NR_setup 0
#define __NR_setgid 1
#define __NR_chroot 2
#define __NR_bind 3
"""
_CAPABILITIES = """/* Allows to change groups. */
#define CAP_SETGID 6
#define CAP_NET_BIND_SERVICE 10
#define CAP_SYS_CHROOT 18
"""
_SETGID = """int sys_setgid(int gid)
{
    if (!%s)
        return -EPERM;
    return 0;
}
"""
_CHROOT = """int sys_chroot(const char *name)
{
    return may_chroot(name);
}
static int may_chroot(const char *name)
{
    if (!%s)
        return -EPERM;
    return 0;
}
"""
_SOCKET = """#include <linux/net.h>
int sys_bind(struct socket *sock)
{
    return sock->ops->bind(sock);
}
static int small_bind(struct socket *sock)
{
    return %s ? 0 : -EACCES;
}
static struct proto_ops small_ops = { small_bind };
"""
_NET = """struct proto_ops { int (*bind)(struct socket *); };
struct socket { struct proto_ops *ops; };
"""


def kernel(release: str) -> dict[str, str]:
    """The files of a release. The check of ``setgid`` stands one line lower in each."""
    number = RELEASES.index(release)
    capable = number >= FIRST_WITH_CAPABILITIES

    def ask(capability: str) -> str:
        return f"capable({capability})" if capable else "suser()"

    version, patchlevel, sublevel = release.split(".")
    files = {
        "Makefile": f"VERSION = {version}\nPATCHLEVEL = {patchlevel}\nSUBLEVEL = {sublevel}\n",
        "init/main.c": "int sys_setup(void) { return 0; }\n",
        "kernel/sys.c": "\n" * number + _SETGID % ask("CAP_SETGID"),
        "fs/open.c": _CHROOT % ask("CAP_SYS_CHROOT"),
        "net/socket.c": _SOCKET % ask("CAP_NET_BIND_SERVICE"),
        "include/linux/net.h": _NET,
        "include/asm-i386/unistd.h": _NAMES,
        "arch/i386/kernel/entry.S": _ENTRY,
    }
    if capable:
        files["include/linux/capability.h"] = _CAPABILITIES
    return files


def add_release(path: Path, release: str, more: Mapping[str, str] | None = None) -> None:
    """Commit a release, with ``more`` files in it, and tag it."""
    repository = pygit2.Repository(str(path))
    light_tag(repository, release, commit(repository, {**kernel(release), **(more or {})}))


def make_history(path: Path, releases: Sequence[str] = RELEASES) -> Path:
    """A bare repository with these releases, tagged in an order that means nothing."""
    return make_repository(path, {release: kernel(release) for release in sorted(releases)})
