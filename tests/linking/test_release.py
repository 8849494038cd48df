"""A release as a whole: capability definitions, and going from one release to the next."""

from __future__ import annotations

import gc
import itertools

import pytest

from caphistory.linking.folders import I386
from caphistory.linking.program import Program
from caphistory.records import CapabilityDefinition

from . import test_checks, test_linkage, test_pointers, test_syscalls
from .kernels import RELEASE, linked

HEADER = """
-- kernel/sys.c
int sys_one(void) { return 0; }
-- %s
#ifndef _LINUX_CAPABILITY_H
#define _LINUX_CAPABILITY_H

/* Overrides the owner of a file. */

#define CAP_CHOWN            0

/* Allows this. */
/* Allows that,
   and more. */

#define CAP_KILL (5)
#define CAP_LAST_CAP CAP_KILL
#define CAP_FULL_SET (~0)
#define CAP_TO_MASK(x) (1 << (x))

#endif
"""


def test_capability_definitions_have_number_place_and_comment() -> None:
    path = "include/linux/capability.h"
    assert linked(HEADER % path).capability_definitions == [
        CapabilityDefinition("CAP_CHOWN", 0, path, 6, "Overrides the owner of a file."),
        CapabilityDefinition("CAP_KILL", 5, path, 12, "Allows this.\nAllows that, and more."),
    ]


def test_since_3_7_capabilities_are_defined_for_user_space() -> None:
    path = "include/uapi/linux/capability.h"
    text = HEADER % path + "-- include/linux/capability.h\n#include <uapi/linux/capability.h>\n"
    assert [row.path for row in linked(text).capability_definitions] == [path, path]


def test_a_kernel_without_capabilities_defines_none() -> None:
    assert linked("-- kernel/sys.c\nint sys_one(void) { return 0; }\n").capability_definitions == []


def kernels() -> list[str]:
    """Many kernels that share paths and names, each different."""
    return [
        *(kernel for kernel, _ in test_linkage.CASES.values()),
        *(kernel for kernel, _ in test_pointers.OTHERS.values()),
        *(test_pointers.OPS + stored for stored in test_pointers.STORED.values()),
        test_checks.PLUMBING,
        test_syscalls.SOCKETCALL,
        test_syscalls.IPC,
        HEADER % "include/linux/capability.h",
    ]


def test_a_program_that_held_other_releases_links_like_a_fresh_one() -> None:
    program = Program(I386)
    for text in itertools.chain(kernels(), reversed(kernels())):
        assert linked(text, program) == linked(text)


TWO_ABIS = """
-- include/linux/sys.h
fn_ptr sys_call_table[] = { sys_one, sys_two, sys_three, sys_four };
-- include/asm-x86_64/unistd.h
#define __NR_one 0
__SYSCALL(__NR_one, sys_one)
#define __NR_two 1
__SYSCALL(__NR_two, sys_two)
#define __NR_three 2
__SYSCALL(__NR_three, sys_three)
#define __NR_four 3
__SYSCALL(__NR_four, sys_four)
-- include/asm-i386/may.h
static inline int may(int flags) { return capable(CAP_NARROW); }
-- include/asm-x86_64/may.h
static inline int may(int flags) { return capable(CAP_WIDE); }
-- include/asm-sparc/prom.h
int prom;
-- include/linux/one.h
#define ONE_FLAG 1
-- include/linux/other.h
static inline int ready(void) { return capable(CAP_READY); }
-- include/linux/ops.h
struct ops { int (*open)(void); int (*close)(void); };
-- kernel/one.c
#include <asm/may.h>
#include <linux/one.h>
int sys_one(void) { return may(1); }
int sys_two(void) { return ready(); }
-- kernel/ready.c
int ready(void) { return capable(CAP_EXTERNAL); }
-- kernel/three.c
#include <linux/ops.h>
static int opened(void) { return capable(CAP_OPEN); }
static int closed(void) { return capable(CAP_CLOSE); }
struct ops all = { opened, closed };
int sys_three(void) { return all.open(); }
-- kernel/four.c
#if LINUX_VERSION_CODE < KERNEL_VERSION(2, 2, 25)
int four(void) { return capable(CAP_OLD); }
#else
int four(void) { return capable(CAP_NEW); }
#endif
#ifdef CONFIG_ALPHA
int alpha(void) { return capable(CAP_ALPHA); }
#endif
int sys_four(void) { return four() + alpha() + shared(); }
-- drivers/shared.c
static int shared(void) { return capable(CAP_SHARED); }
"""


def test_the_last_release_of_a_program_links_like_any_other() -> None:
    program = Program(I386)
    assert {row.abi for row in linked(TWO_ABIS, program).syscall_checks} == {"i386", "x86_64"}
    assert linked(TWO_ABIS, program, last=True) == linked(TWO_ABIS)


CHANGES = {
    "nothing": ("", ""),
    "a function moves down": ("static int opened", "\n\nstatic int opened"),
    "a header of two ABIs": ("capable(CAP_WIDE)", "capable(CAP_WIDER)"),
    "a header that goes": ("-- include/asm-x86_64/may.h", "-- include/asm-x86_64/gone.h"),
    "a header that includes another": (
        "#define ONE_FLAG 1",
        "#include <linux/other.h>\n#define ONE_FLAG 1",
    ),
    "a file that now includes one of another architecture only": (
        "-- kernel/ready.c",
        "-- kernel/ready.c\n#include <asm/prom.h>",
    ),
    "a source file that is included": (
        "-- kernel/four.c",
        '-- kernel/four.c\n#include "../drivers/shared.c"',
    ),
    "the order of a struct's members": (
        "int (*open)(void); int (*close)(void);",
        "int (*close)(void); int (*open)(void);",
    ),
    "a struct that goes": ("-- include/linux/ops.h", "-- include/linux/gone.h"),
    "an architecture that comes": ("-- include/asm-sparc/prom.h", "-- include/asm-alpha/prom.h"),
    "an x86_64 that goes": ("-- include/asm-x86_64/unistd.h", "-- include/asm-x86_64/gone.h"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("later", ["2.2.24", "2.2.25"])
def test_what_is_kept_from_a_release_before_leaves_no_trace(
    change: tuple[str, str], later: str
) -> None:
    """Both ABIs, there and back again: the rows are those of each release alone."""
    before, after = TWO_ABIS, TWO_ABIS.replace(*change) if change[0] else TWO_ABIS
    then, now = RELEASE, RELEASE._replace(release=later)
    assert {row.abi for row in linked(before).syscalls} == {"i386", "x86_64"}
    program = Program(I386)
    for text, release in ((before, then), (after, now), (before, then), (after, now)):
        assert linked(text, program, release) == linked(text, None, release)


SHOWING = (
    "a header of two ABIs",
    "a header that includes another",
    "a file that now includes one of another architecture only",
    "a source file that is included",
    "the order of a struct's members",
)


@pytest.mark.parametrize("change", SHOWING)
def test_changes_that_show(change: str) -> None:
    """Else the test above would prove nothing."""
    changed = TWO_ABIS.replace(*CHANGES[change])
    assert linked(changed).syscall_checks != linked(TWO_ABIS).syscall_checks


def test_the_version_shows() -> None:
    later = RELEASE._replace(release="2.2.25")
    assert linked(TWO_ABIS, None, later).syscall_checks != linked(TWO_ABIS).syscall_checks


def test_nothing_is_left_for_a_collector_of_cycles() -> None:
    """Those who link a thousand releases switch it off."""
    text = """
-- kernel/one.c
struct ops { int (*f)(int); };
int called(int n) { return n ? ops.f(1) : -1; }
int pointed(int n) { return !n && capable(CAP_A) ? called(n) : 0; }
struct ops ops = { pointed };
int sys_one(int n) { return called(2); }
"""
    program = Program(I386)
    linked(text.replace("CAP_A", "CAP_B"), program)
    gc.collect()
    gc.disable()
    try:
        assert linked(text, program).syscall_checks
        assert gc.collect() == 0
    finally:
        gc.enable()
