"""A history from 1.0 to 2.6 in a few kilobytes, which stands in for the default history.

Eleven releases of our own C, written as kernels of their time are: a table in assembler, checks
for root that become checks for capabilities, function pointers, macros, drivers, a multiplexer,
code of several architectures. Whoever made a release went on from an earlier one.
"""

from __future__ import annotations

import calendar
from pathlib import Path

import pygit2

from caphistory.history.versions import position
from tests.kernels.git import commit, light_tag

RELEASES = {
    "1.0": ("", (1994, 3, 14)),
    "2.0.40": ("1.0", (2004, 2, 8)),
    "2.1.91": ("2.0.40", (1998, 3, 25)),
    "2.1.92": ("2.1.91", (1998, 4, 1)),
    "2.1.132": ("2.1.92", (1998, 12, 22)),
    "2.2.0": ("2.1.132", (1999, 1, 26)),
    "2.2.24": ("2.2.0", (2003, 3, 5)),
    "2.2.26": ("2.2.24", (2004, 2, 25)),
    "2.4.31": ("2.2.0", (2005, 6, 1)),
    "2.6.11": ("2.4.31", (2005, 3, 2)),
    "2.6.12-rc1": ("2.6.11", (2005, 3, 18)),
}
"""The release that each goes on from, and the day on which it came out."""

NO_RELEASES = ("lia64-v2.6.11", "snapshot")
"""Tags that name no release."""

CAPABILITIES = ("CHOWN", "KILL", "SETGID", "NET_BIND_SERVICE", "SYS_CHROOT", "SYS_ADMIN")

_OWN_HEADER = """\
#ifndef _LINUX_OWN_H
#define _LINUX_OWN_H
struct socket;
struct inode;
struct proto_ops {
	int family;
	int (*bind)(struct socket *, int);
	int (*listen)(struct socket *, int);
};
struct socket { struct proto_ops *ops; int state; };
struct inode_operations { int (*permission)(struct inode *, int); };
struct inode { struct inode_operations *i_op; int i_uid; };
struct iattr { unsigned int ia_valid; int ia_uid; };
#define ATTR_MODE 1
#define ATTR_UID 2
#define ATTR_FORCE 4
#endif
"""
_SCHED_HEADER = """\
#ifndef _LINUX_SCHED_H
#define _LINUX_SCHED_H
struct task_struct { int uid, euid, fsuid; };
extern struct task_struct *current;
%s
#endif
"""
_SUSER = """\
extern inline int suser(void)
{
	if (current->euid == 0) {
		current->flags |= 0x100;
		return 1;
	}
	return 0;
}
#define fsuser() (current->fsuid == 0)
"""
_CAPABLE = """\
extern int capable(int cap);
"""
_SYS = """\
/* Self-written, with a name in Latin-1: J\xfcrgen. */
#include <linux/sched.h>
#include <linux/own.h>
{blank}
asmlinkage int sys_setgid(int gid)
{{
	if ({setgid}) {{
		current->gid = gid;
		return 0;
	}}
	return -EPERM;
}}

asmlinkage int sys_reboot(int magic, int flag)
{{
	if (!{admin})
		return -EPERM;
	switch (flag) {{
	case 1:
		return machine_restart(flag);
	default:
		return -EINVAL;
	}}
}}

static int kill_allowed(sig, p)
	int sig;
	struct task_struct *p;
{{
	return current->euid == p->uid || {kill};
}}

asmlinkage int sys_kill(int pid, int sig)
{{
	struct task_struct *p = find_task(pid);

	if (!p)
		return -ESRCH;
	return kill_allowed(sig, p) ? 0 : -EPERM;
}}
"""
_OPEN = """\
#include <linux/sched.h>
#include <linux/own.h>
#define MAY_CHANGE(inode) \\
	(current->fsuid == (inode)->i_uid || {chown})
{blank}
int notify_change(struct inode *inode, struct iattr *attr)
{{
	if (attr->ia_valid & ATTR_FORCE)
		return 0;
	if ((attr->ia_valid & ATTR_UID) && !MAY_CHANGE(inode))
		return -EPERM;
	return 0;
}}

asmlinkage int sys_chmod(struct inode *inode, int mode)
{{
	struct iattr newattrs;

	newattrs.ia_valid = ATTR_MODE;
	return notify_change(inode, &newattrs);
}}

asmlinkage int sys_chown(struct inode *inode, int user)
{{
	struct iattr newattrs;

	newattrs.ia_valid = ATTR_UID;
	return notify_change(inode, &newattrs);
}}

{chroot}
asmlinkage int sys_access(struct inode *inode, int mode)
{{
	if (inode->i_op->permission)
		return inode->i_op->permission(inode, mode);
	return 0;
}}
"""
_CHROOT = """\
asmlinkage int sys_chroot(const char *name)
{{
	if (!{chroot})
		return -EPERM;
	return 0;
}}
"""
_CHROOT_INLINE = """\
static inline int may_chroot(void)
{{
	return {chroot};
}}

asmlinkage long sys_chroot(const char __user *name)
{{
	int error = -EPERM;

	if (!may_chroot())
		goto out;
	error = 0;
out:
	return error;
}}
"""
_SOCKET = """\
#include <linux/own.h>
int sys_socket(int family, int type, int protocol) {{ return 0; }}
int sys_connect(int fd, char *address, int len) {{ return 0; }}
int sys_accept(int fd, char *address, int *len) {{ return 0; }}
int sys_send(int fd, char *buffer, int len, int flags) {{ return 0; }}
{blank}
int sys_bind(int fd, char *address, int len)
{{
	struct socket *sock = sockfd_lookup(fd);

	return sock->ops->bind(sock, len);
}}

int sys_listen(int fd, int backlog)
{{
	return sockfd_lookup(fd)->ops->listen(sockfd_lookup(fd), backlog);
}}

asmlinkage int sys_socketcall(int call, unsigned long *args)
{{
	switch (call) {{
	case SYS_SOCKET:
		return sys_socket(args[0], args[1], args[2]);
	case SYS_BIND:
		return sys_bind(args[0], (char *) args[1], args[2]);
	case SYS_CONNECT:
		return sys_connect(args[0], (char *) args[1], args[2]);
	case SYS_LISTEN:
		return sys_listen(args[0], args[1]);
	case SYS_ACCEPT:
		return sys_accept(args[0], (char *) args[1], (int *) args[2]);
	case SYS_SEND:
		return sys_send(args[0], (char *) args[1], args[2], args[3]);
	}}
	return -EINVAL;
}}
"""
_INET = """\
#include <linux/sched.h>
#include <linux/own.h>
{blank}
static int inet_bind(struct socket *sock, int port)
{{
	if (port && port < 1024 && !{bind})
		return -EACCES;
	return 0;
}}

static int inet_listen(struct socket *sock, int backlog)
{{
	return 0;
}}

struct proto_ops inet_proto_ops = {{
	{inet}
}};
"""
_DRIVER = """\
#include <linux/sched.h>
#include <linux/own.h>
#define serial_isroot() ({admin})
#ifdef CONFIG_SERIAL_LOCK
static int locked;
#endif

int serial_ioctl(int cmd, int arg)
{{
#ifdef CONFIG_SERIAL_LOCK
	if (locked) {{
#else
	if (cmd) {{
#endif
		if (!serial_isroot())
			return -EPERM;
	}}
#if 0
	it's not done if (!suser
#endif
	return 0;
}}

asmlinkage int sys_ioctl(int fd, int cmd, int arg)
{{
	return serial_ioctl(cmd, arg);
}}
"""
_PROC = """\
#include <linux/sched.h>
#include <linux/own.h>
static int proc_permission(struct inode *inode, int mask)
{{
	if (current->fsuid == 0)
		return 0;
	return {admin} ? 0 : -EACCES;
}}

struct inode_operations proc_inode_operations = {{ permission: proc_permission }};
"""
_KERNEL_CAPABILITY = """\
#include <linux/sched.h>
int capable(int cap)
{
	if (cap_raised(current->cap_effective, cap)) {
		current->flags |= 0x100;
		return 1;
	}
	return 0;
}
"""
_IOPORT = """\
#include <linux/sched.h>
asmlinkage {type} sys_ioperm(unsigned long from, unsigned long num, int turn_on)
{{
	if (turn_on && !{rawio})
		return -EPERM;
	return 0;
}}
"""
_ENTRIES = (
    *("setup", "kill", "chmod", "chown", "access", "setgid", "chroot", "reboot", "socketcall"),
    *("ioctl", "ioperm"),
)


def files_of(release: str) -> dict[str, bytes]:
    """The files of a release. Every check of it stands a little lower than in the one before."""
    number = [*RELEASES].index(release)
    at = position(release)
    capable = at >= position("2.1.92")

    def ask(capability: str, before: str = "suser()") -> str:
        return f"capable(CAP_{capability})" if capable else before

    main, _, pre = release.partition("-")
    version, patchlevel, *sublevel = main.split(".")
    long = at >= position("2.6.11")
    asks = {
        "blank": "\n" * number,
        "setgid": ask("SETGID"),
        "kill": ask("KILL"),
        "admin": ask("SYS_ADMIN"),
        "rawio": ask("SYS_ADMIN"),
        "bind": ask("NET_BIND_SERVICE"),
        "chown": ask("CHOWN", "fsuser()"),
        "inet": "2, inet_bind, inet_listen"
        if not capable
        else ".bind = inet_bind,\n\t.listen = inet_listen"
        if long
        else "family: 2,\n\tbind: inet_bind,\n\tlisten: inet_listen",
        "type": "long" if long else "int",
    }
    chroot = (_CHROOT_INLINE if long else _CHROOT).format(chroot=ask("SYS_CHROOT"))
    texts = {
        "Makefile": f"VERSION = {version}\nPATCHLEVEL = {patchlevel}\n"
        f"SUBLEVEL = {sublevel[0] if sublevel else 0}\nEXTRAVERSION ={f' -{pre}' if pre else ''}\n",
        "README": "This is no text of the kernel's own.\n",
        "include/linux/own.h": _OWN_HEADER,
        "include/linux/sched.h": _SCHED_HEADER % (_CAPABLE if capable else _SUSER),
        "init/main.c": "int sys_setup(void) { return 0; }\nint start_kernel(void) { return 0; }\n",
        "kernel/sys.c": _SYS.format(**asks),
        "fs/open.c": _OPEN.format(**{**asks, "chroot": chroot}),
        "fs/proc/base.c": _PROC.format(**asks),
        "net/socket.c": _SOCKET.format(**asks),
        "net/inet/af_inet.c": _INET.format(**asks),
        "drivers/char/serial.c": _DRIVER.format(**asks),
        "arch/alpha/kernel/ioport.c": _IOPORT.format(**asks).replace("!", ""),
        "arch/i386/kernel/ioport.c": _IOPORT.format(**asks),
        "include/asm-i386/unistd.h": _unistd(wide=False),
        "drivers/char/caf\xe9.h": "int coffee;\n",
    }
    if at < position("2.0.40"):
        table = "".join(f"\t.long _sys_{name}\n" for name in _ENTRIES)
        texts["arch/i386/kernel/sys_call.S"] = f"_sys_call_table:\n{table}"
    else:
        table = "".join(f"\t.long SYMBOL_NAME(sys_{name})\n" for name in _ENTRIES)
        texts["arch/i386/kernel/entry.S"] = f"ENTRY(sys_call_table)\n{table}"
    if capable:
        texts["kernel/capability.c"] = _KERNEL_CAPABILITY
        texts["include/linux/capability.h"] = "".join(
            f"\n/* Allows what {name.lower()} stands for. */\n#define CAP_{name} {number}\n"
            for number, name in enumerate(CAPABILITIES)
        )
    if long:
        texts["arch/x86_64/kernel/ioport.c"] = _IOPORT.format(**asks)
        texts["include/asm-x86_64/unistd.h"] = _unistd(wide=True)
    return {path: text.encode("latin-1") for path, text in texts.items()}


def _unistd(*, wide: bool) -> str:
    lines = []
    for number, name in enumerate(_ENTRIES):
        lines.append(f"#define __NR_{name} {number}\n")
        if wide:
            lines.append(f"__SYSCALL(__NR_{name}, sys_{name})\n")
    return "".join(lines)


def make_small_history(path: Path) -> Path:
    """A bare repository of RELEASES and NO_RELEASES."""
    repository = pygit2.init_repository(str(path), bare=True)
    commits: dict[str, pygit2.Oid] = {}
    for name, (before, day) in RELEASES.items():
        signature = pygit2.Signature("A", "a@example.org", calendar.timegm((*day, 12, 0, 0)), 0)
        parents = [commits[before]] if before else []
        commits[name] = commit(
            repository, files_of(name), *parents, author=signature, committer=signature
        )
        light_tag(repository, name, commits[name])
    for name in NO_RELEASES:
        light_tag(repository, name, commits["2.6.11"])
    return path
