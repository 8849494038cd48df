"""System-call tables of every era, the names that user space has, and multiplexers."""

from __future__ import annotations

import pytest

from caphistory.records import Syscall
from tests.engine.adapters import chains, linked

FUNCTIONS = """
-- kernel/sys.c
int sys_setup(void) { return 0; }
int sys_oldumount(void) { return capable(CAP_A) ? 0 : -1; }
int sys_chown(void) { return 0; }
"""

TABLES = {
    "a table in C in a header (0.01)": """
-- include/linux/sys.h
extern int sys_setup();
fn_ptr sys_call_table[] = { sys_setup, sys_oldumount, sys_chown };
""",
    "a table in C in a source file (0.99)": """
-- kernel/sys_call.c
fn_ptr sys_call_table[] = { sys_setup,
    sys_oldumount,      /* 1 */
    sys_chown };
""",
    "an assembler table with underscores (1.0 to 1.3)": """
-- kernel/sys_call.S
_sys_call_table:
    .long _sys_setup        /* 0 */
    .long _sys_oldumount
    .long _sys_chown
""",
    "an assembler table with SYMBOL_NAME (1.3 to 2.4)": """
-- arch/i386/kernel/entry.S
ENTRY(system_call)
    ret
.data
ENTRY(sys_call_table)
    .long SYMBOL_NAME(sys_setup)            /* 0 */
    .long SYMBOL_NAME(sys_oldumount)
    .long SYMBOL_NAME(sys_chown)
    .rept NR_syscalls-3
        .long SYMBOL_NAME(sys_ni_syscall)
    .endr
""",
    "a plain assembler table (2.6)": """
-- arch/i386/kernel/syscall_table.S
ENTRY(sys_call_table)
    .long sys_setup     # 0 - an old one
    .long sys_oldumount
    .long sys_chown
""",
    "several entries on one line": """
-- arch/i386/kernel/entry.S
ENTRY(sys_call_table)
    .long sys_setup, sys_oldumount, sys_chown
""",
    "another architecture's table beside it": """
-- arch/alpha/kernel/entry.S
ENTRY(sys_call_table)
    .long sys_alpha
-- arch/i386/kernel/entry.S
ENTRY(sys_call_table)
    .long sys_setup
    .long sys_oldumount
    .long sys_chown
""",
}


@pytest.mark.parametrize("era", TABLES)
def test_the_table_gives_number_entry_function_and_place(era: str) -> None:
    assert linked(FUNCTIONS + TABLES[era]).syscalls == [
        Syscall("i386", 0, "setup", "sys_setup", "kernel/sys.c", 1, None),
        Syscall("i386", 1, "oldumount", "sys_oldumount", "kernel/sys.c", 2, None),
        Syscall("i386", 2, "chown", "sys_chown", "kernel/sys.c", 3, None),
    ]


def test_a_tbl_names_syscalls_and_entry_functions() -> None:
    """The tables of 3.3 and later: gaps, and rows of x32 and of 64 bits, are left out."""
    text = """
-- arch/x86/entry/syscalls/syscall_32.tbl
# number abi name entry compat
0\ti386\trestart\tsys_setup
1\ti386\tumount\tsys_oldumount\t\t__ia32_sys_oldumount
2\ti386\tbreak
3\ti386\tchown\t__ia32_sys_chown
4\ti386\tgone\tsys_ni_syscall
-- arch/x86/entry/syscalls/syscall_64.tbl
0\tcommon\tsetup64\tsys_setup
1\t64\tchown\t__x64_sys_chown
512\tx32\tumount\tcompat_sys_oldumount
"""
    syscalls = linked(FUNCTIONS + text).syscalls
    assert [(row.abi, row.number, row.syscall, row.function) for row in syscalls] == [
        ("i386", 0, "restart", "sys_setup"),
        ("i386", 1, "umount", "sys_oldumount"),
        ("i386", 3, "chown", "sys_chown"),
        ("x86_64", 0, "setup64", "sys_setup"),
        ("x86_64", 1, "chown", "sys_chown"),
    ]


def test_each_abi_is_linked_with_its_own_architecture() -> None:
    """arch/i386 and arch/x86_64 stood side by side until 2.6.23; x86_64 had its table in
    ``unistd.h``, its entries in both."""
    text = """
-- arch/i386/kernel/entry.S
ENTRY(sys_call_table)
    .long sys_ni_syscall
    .long sys_ioperm
    .long sys_reboot
-- arch/i386/kernel/ioport.c
int sys_ioperm(int on) { return capable(CAP_NARROW) ? 0 : -1; }
int machine_ready(void) { return capable(CAP_NARROW_READY); }
-- arch/x86_64/kernel/ioport.c
int sys_ioperm(int on) { if (on && !capable(CAP_WIDE)) return -1; return 0; }
int machine_ready(void) { int now = capable(CAP_WIDE_READY); return now; }
-- include/asm-i386/unistd.h
#define __NR_ioperm 1
#define __NR_reboot 2
-- include/asm-x86_64/unistd.h
#define __NR_reboot 0
__SYSCALL(__NR_reboot, sys_reboot)
#define __NR_ioperm 1
__SYSCALL(__NR_ioperm, stub_ioperm)
#define __NR_vserver 2
__SYSCALL(__NR_vserver, sys_ni_syscall)
-- kernel/sys.c
int sys_reboot(void) { if (machine_ready()) return 1; return capable(CAP_BOTH) ? 0 : -1; }
"""
    release = linked(text)
    assert [(row.abi, row.number, row.syscall, row.path) for row in release.syscalls] == [
        ("i386", 1, "ioperm", "arch/i386/kernel/ioport.c"),
        ("i386", 2, "reboot", "kernel/sys.c"),
        ("x86_64", 0, "reboot", "kernel/sys.c"),
        ("x86_64", 1, "ioperm", "arch/x86_64/kernel/ioport.c"),
    ]
    asked = {(row.abi, row.syscall, row.check.capability) for row in release.syscall_checks}
    assert asked == {
        ("i386", "ioperm", "CAP_NARROW"),
        ("i386", "reboot", "CAP_NARROW_READY"),
        ("i386", "reboot", "CAP_BOTH"),
        ("x86_64", "ioperm", "CAP_WIDE"),
        ("x86_64", "reboot", "CAP_WIDE_READY"),
        ("x86_64", "reboot", "CAP_BOTH"),
    }


@pytest.mark.parametrize(
    "path",
    [
        "include/unistd.h",
        "include/linux/unistd.h",
        "include/asm-i386/unistd.h",
        "include/asm-x86/unistd_32.h",
        "arch/x86/include/asm/unistd_32.h",
    ],
)
def test_a_syscall_has_the_name_that_user_space_knows(path: str) -> None:
    """Number 22 is ``umount``, whose entry is ``sys_oldumount`` in 2.2."""
    text = f"""
{FUNCTIONS}
-- include/linux/sys.h
fn_ptr sys_call_table[] = {{ sys_setup, sys_oldumount, sys_chown }};
-- include/asm-alpha/unistd.h
#define __NR_wrong 1
-- {path}
#define __NR_umount 1
#define __NR_lchown 2
"""
    rows = [(row.number, row.syscall, row.function) for row in linked(text).syscalls]
    assert rows == [
        (0, "setup", "sys_setup"),
        (1, "umount", "sys_oldumount"),
        (2, "lchown", "sys_chown"),
    ]
    assert {row.syscall for row in linked(text).syscall_checks} == {"umount"}


def test_gaps_keep_their_numbers() -> None:
    text = """
-- arch/i386/kernel/entry.S
ENTRY(sys_call_table)
    .long SYMBOL_NAME(sys_one)
    .long SYMBOL_NAME(sys_ni_syscall)   /* old something */
    .long 0
    .long SYMBOL_NAME(sys_two)
-- kernel/sys.c
int sys_one(void) { return 0; }
int sys_ni_syscall(void) { return -38; }
int sys_two(void) { return 0; }
"""
    assert [(row.number, row.syscall) for row in linked(text).syscalls] == [(0, "one"), (3, "two")]


def test_an_entry_function_that_is_not_there_has_no_place() -> None:
    text = """
-- include/linux/sys.h
fn_ptr sys_call_table[] = { sys_gone };
"""
    assert linked(text).syscalls == [Syscall("i386", 0, "gone", "sys_gone", None, None, None)]


def test_the_architectures_entry_function_comes_before_a_generic_one() -> None:
    text = """
-- kernel/ptrace.c
int sys_ptrace(void) { return capable(CAP_WRONG) ? 0 : -1; }
-- arch/i386/kernel/ptrace.c
int sys_ptrace(void) { return capable(CAP_A) ? 0 : -1; }
"""
    assert chains(text) == {"sys_ptrace: CAP_A"}


def test_entry_functions_that_macros_define() -> None:
    text = """
-- fs/open.c
SYSCALL_DEFINE1(chroot, const char __user *, filename)
{
    return ask(filename);
}
static int ask(const char *name) { return capable(CAP_A) ? 0 : -1; }
-- arch/x86/entry/syscalls/syscall_32.tbl
61\ti386\tchroot\tsys_chroot
"""
    assert chains(text) == {"sys_chroot ask: CAP_A"}


SOCKETCALL = """
-- net/socket.c
int sys_socket(int a) { return 0; }
int sys_bind(int a) { return capable(CAP_BIND) ? 0 : -1; }
int sys_connect(int a) { return 0; }
int sys_listen(int a) { return shared(a); }
int sys_accept(int a) { return 0; }
int sys_send(int a) { return 0; }
static int shared(int a) { return capable(CAP_SHARED) ? 0 : -1; }
int sys_socketcall(int call, int *args)
{
    if (!capable(CAP_OWN))
        return -1;
    switch (call) {
    case SYS_SOCKET:
        return sys_socket(args[0]);
    case SYS_BIND:
        return sys_bind(args[0]);
    case SYS_CONNECT:
        return sys_connect(args[0]);
    case SYS_LISTEN:
        return sys_listen(args[0]);
    case SYS_ACCEPT:
        return sys_accept(args[0]);
    case SYS_SEND:
        return sys_send(args[0]);
    default:
        return -22;
    }
}
-- include/linux/sys.h
fn_ptr sys_call_table[] = { sys_socketcall };
"""


def test_what_a_multiplexer_dispatches_is_a_syscall_with_a_parent() -> None:
    rows = [
        (row.number, row.syscall, row.function, row.parent) for row in linked(SOCKETCALL).syscalls
    ]
    assert rows == [
        (0, "socketcall", "sys_socketcall", None),
        (None, "socket", "sys_socket", "socketcall"),
        (None, "bind", "sys_bind", "socketcall"),
        (None, "connect", "sys_connect", "socketcall"),
        (None, "listen", "sys_listen", "socketcall"),
        (None, "accept", "sys_accept", "socketcall"),
        (None, "send", "sys_send", "socketcall"),
    ]


def test_a_check_behind_a_sub_call_belongs_to_the_sub_call_alone() -> None:
    rows = {(row.syscall, row.check.capability) for row in linked(SOCKETCALL).syscall_checks}
    assert rows == {
        ("socketcall", "CAP_OWN"),
        ("bind", "CAP_BIND"),
        ("listen", "CAP_SHARED"),
    }


def test_sub_calls_of_1_0_are_functions_of_the_file() -> None:
    """1.0 to 1.3 have ``sock_bind`` and its like, static functions."""
    text = SOCKETCALL.replace("int sys_", "static int sock_").replace("return sys_", "return sock_")
    text = text.replace("static int sock_socketcall", "int sys_socketcall")
    rows = {(row.syscall, row.function) for row in linked(text).syscalls}
    assert ("bind", "sock_bind") in rows
    assert len(rows) == 7


def test_a_sub_call_keeps_its_name_where_it_shares_another_ones_function() -> None:
    """From 2.6 on SEMOP is done by semtimedop's function, from 4.15 on accept by accept4's."""
    text = SOCKETCALL.replace("return sys_accept(", "log_it(args); return __sys_accept4(")
    text = text.replace("return sys_send(", "return __sys_sendto(")
    text += """
-- net/shared.c
void log_it(int *args) { capable(CAP_WRONG); }
int __sys_accept4(int id) { return capable(CAP_ACCEPT) ? 0 : -1; }
int __sys_sendto(int id) { return 0; }
"""
    release = linked(text)
    subs = [(row.syscall, row.function) for row in release.syscalls if row.parent]
    assert subs[-2:] == [("accept", "__sys_accept4"), ("send", "__sys_sendto")]
    rows = {(row.syscall, row.check.capability) for row in release.syscall_checks}
    assert ("accept", "CAP_ACCEPT") in rows
    assert ("socketcall", "CAP_ACCEPT") not in rows
    assert not {syscall for syscall, check in rows if check == "CAP_WRONG"} - {"socketcall"}


def test_a_multiplexer_may_be_relayed() -> None:
    """From 4.17 on sys_ipc only hands its arguments on to ksys_ipc."""
    text = SOCKETCALL.replace("sys_socketcall(int", "ksys_socketcall(int")
    text += """
-- net/entry.c
int sys_socketcall(int call, int *args) { return ksys_socketcall(call, args); }
"""
    release = linked(text)
    assert {row.syscall for row in release.syscalls if row.parent == "socketcall"} == {
        *("socket", "bind", "connect", "listen", "accept", "send")
    }
    assert {(row.syscall, row.check.capability) for row in release.syscall_checks} == {
        ("socketcall", "CAP_OWN"),
        ("bind", "CAP_BIND"),
        ("listen", "CAP_SHARED"),
    }


def test_the_entry_function_is_not_the_stand_in_for_what_is_not_configured() -> None:
    text = """
-- kernel/time/Makefile
ifeq ($(CONFIG_CLOCKS),y)
obj-y += clocks.o \\
    more.o
else
obj-y += a_stub.o
endif
-- kernel/time/a_stub.c
int sys_settime(void) { return capable(CAP_WRONG) ? 0 : -1; }
-- kernel/time/clocks.c
int sys_settime(void) { return capable(CAP_A) ? 0 : -1; }
"""
    assert chains(text) == {"sys_settime: CAP_A"}


IPC = """
-- ipc/util.c
int sys_ipc(unsigned call, int first, int second, int third, void *ptr)
{
    if (call <= SEMCTL)
        switch (call) {
        case SEMOP:
            return sys_semop(first, ptr, second);
        case SEMGET:
            return sys_semget(first, second, third);
        case SEMCTL: {
            void *fourth = ptr;
            if (!ptr)
                return -22;
            return sys_semctl(first, second, third, fourth);
        }
        default:
            return -22;
        }
    if (call <= MSGCTL)
        switch (call) {
        case MSGSND:
            return sys_msgsnd(first, ptr, second, third);
        case MSGRCV:
            switch (third) {
            case 0:
                return sys_msgrcv(first, ptr, second, 0, third);
            default:
                return sys_msgrcv(first, ptr, second, 1, third);
            }
        case MSGGET:
            return sys_msgget(first, second);
        case MSGCTL:
            return sys_msgctl(first, second, ptr);
        }
    switch (call) {
    case SHMAT:
        return sys_shmat(first, ptr, second, 0);
    case SHMDT:
        return sys_shmdt(ptr);
    case SHMGET:
        return sys_shmget(first, second, third);
    case SHMCTL:
        return sys_shmctl(first, second, ptr);
    }
    return -22;
}
-- ipc/sem.c
int sys_semop(int id) { return 0; }
int sys_semget(int id) { return 0; }
int sys_semctl(int id) { return capable(CAP_SEM) ? 0 : -1; }
-- ipc/msg.c
int sys_msgsnd(int id) { return 0; }
int sys_msgrcv(int id) { return 0; }
int sys_msgget(int id) { return 0; }
int sys_msgctl(int id) { return capable(CAP_MSG) ? 0 : -1; }
-- ipc/shm.c
int sys_shmat(int id) { return 0; }
int sys_shmdt(int id) { return 0; }
int sys_shmget(int id) { return 0; }
int sys_shmctl(int id) { return capable(CAP_SHM) ? 0 : -1; }
-- include/linux/sys.h
fn_ptr sys_call_table[] = { sys_ipc };
"""


def test_the_sub_calls_of_ipc() -> None:
    kernel = linked(IPC)
    assert {row.syscall for row in kernel.syscalls if row.parent == "ipc"} == {
        "semop", "semget", "semctl", "msgsnd", "msgrcv", "msgget", "msgctl",
        "shmat", "shmdt", "shmget", "shmctl",
    }  # fmt: skip
    assert {(row.syscall, row.check.capability) for row in kernel.syscall_checks} == {
        ("semctl", "CAP_SEM"),
        ("msgctl", "CAP_MSG"),
        ("shmctl", "CAP_SHM"),
    }


def test_a_few_cases_make_no_multiplexer() -> None:
    """socketcall has 11 of them in 1.0, ipc 9."""
    text = SOCKETCALL.replace("    case SYS_SEND:\n        return sys_send(args[0]);\n", "")
    assert [row.syscall for row in linked(text).syscalls] == ["socketcall"]


@pytest.mark.parametrize("name", ["stub_one", "ptregs_one"])
def test_an_entry_function_in_assembler_that_saves_registers_first(name: str) -> None:
    text = f"""
-- arch/i386/kernel/entry.S
ENTRY(sys_call_table)
    .long {name}
-- kernel/one.c
int sys_one(void) {{ return capable(CAP_A) ? 0 : -1; }}
"""
    (row,) = linked(text).syscalls
    assert (row.function, row.path) == (name, "kernel/one.c")
    assert chains(text) == {"sys_one: CAP_A"}


def test_a_switch_of_another_syscall_is_no_multiplexer() -> None:
    text = SOCKETCALL.replace("sys_socketcall", "sys_quotactl")
    assert [row.syscall for row in linked(text).syscalls] == ["quotactl"]


def test_an_entry_function_in_assembler_reaches_what_it_calls() -> None:
    text = """
-- include/linux/sys.h
fn_ptr sys_call_table[] = { sys_fork };
-- kernel/system_call.s
.globl _sys_fork
_sys_fork:
\tcall _find_empty_process
\tret
-- kernel/fork.c
int find_empty_process(void) { return current->uid ? -EAGAIN : 0; }
"""
    kernel = linked(text)
    (row,) = kernel.syscall_checks
    assert (row.syscall, row.check.check_name, row.reach) == ("fork", "uid0", "call")
    assert [(step.function, step.line) for step in row.chain] == [
        ("sys_fork", 3),
        ("find_empty_process", 1),
    ]


def test_a_plain_zero_in_an_assembler_table_is_a_gap_and_shifts_nothing() -> None:
    text = """
-- arch/i386/kernel/entry.S
ENTRY(sys_call_table)
\t.long SYMBOL_NAME(sys_one)\t/* 0 */
\t.long 0,0
\t.long SYMBOL_NAME(sys_two)
-- kernel/sys.c
int sys_one(void) { return 0; }
int sys_two(void) { return suser() ? 0 : -EPERM; }
"""
    assert [(s.number, s.syscall) for s in linked(text).syscalls] == [(0, "one"), (3, "two")]
