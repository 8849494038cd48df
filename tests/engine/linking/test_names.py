"""What a name means in a file: C's rules of linkage, each with a right and a wrong target.

``CAP_A`` is the check that is meant, ``CAP_WRONG`` stands in a namesake.
"""

from __future__ import annotations

import pytest

from tests.engine.adapters import chain_text, chains, linked

CASES = {
    "a static function is seen in its own file only": (
        """
-- fs/one.c
static int ask(void) { return capable(CAP_A) ? 0 : -1; }
int sys_one(void) { return ask(); }
-- fs/two.c
static int ask(void) { return capable(CAP_WRONG) ? 0 : -1; }
-- fs/three.c
int sys_three(void) { return ask(); }
""",
        {"sys_one ask: CAP_A"},
    ),
    "a static function comes before a global namesake": (
        """
-- fs/one.c
static int ask(void) { return capable(CAP_A) ? 0 : -1; }
int sys_one(void) { return ask(); }
-- fs/two.c
int ask(void) { return capable(CAP_B) ? 0 : -1; }
-- fs/three.c
int sys_three(void) { return ask(); }
""",
        {"sys_one ask: CAP_A", "sys_three ask: CAP_B"},
    ),
    "a global function is seen everywhere": (
        """
-- kernel/one.c
int sys_one(void) { return ask(); }
-- lib/two.c
int ask(void) { return capable(CAP_A) ? 0 : -1; }
""",
        {"sys_one ask: CAP_A"},
    ),
    "a header's inline is seen where the header is included, however far away": (
        """
-- include/linux/inner.h
static inline int ask(void) { return capable(CAP_A) ? 0 : -1; }
-- include/linux/outer.h
#include <linux/inner.h>
-- fs/one.c
#include <linux/outer.h>
int sys_one(void) { return ask(); }
-- fs/ask.c
int ask(void) { return capable(CAP_B) ? 0 : -1; }
-- fs/two.c
int sys_two(void) { return ask(); }
""",
        {"sys_one ask: CAP_A", "sys_two ask: CAP_B"},
    ),
    "two headers have an inline of the same name": (
        """
-- fs/a/local.h
static inline int ask(void) { return capable(CAP_A) ? 0 : -1; }
-- fs/b/local.h
static inline int ask(void) { return capable(CAP_B) ? 0 : -1; }
-- fs/a/one.c
#include "local.h"
int sys_one(void) { return ask(); }
-- fs/b/two.c
#include "local.h"
int sys_two(void) { return ask(); }
-- fs/three.c
int sys_three(void) { return ask(); }
""",
        {"sys_one ask: CAP_A", "sys_two ask: CAP_B"},
    ),
    "an include in quotes may lead up and down": (
        """
-- drivers/net/wan/one.c
#include "../shared/ask.h"
int sys_one(void) { return ask(); }
-- drivers/net/shared/ask.h
static inline int ask(void) { return capable(CAP_A) ? 0 : -1; }
-- include/linux/ask.h
static inline int ask(void) { return capable(CAP_WRONG) ? 0 : -1; }
""",
        {"sys_one ask: CAP_A"},
    ),
    "a header that nobody includes visibly is taken if it is the only one": (
        """
-- include/linux/ask.h
static inline int ask(void) { return capable(CAP_A) ? 0 : -1; }
-- fs/one.c
int sys_one(void) { return ask(); }
""",
        {"sys_one ask: CAP_A"},
    ),
    "a macro wraps a call": (
        """
-- include/linux/ask.h
#define ask(x) really_ask(x, 0)
-- fs/one.c
#include <linux/ask.h>
int sys_one(void) { return ask(1); }
-- fs/ask.c
int really_ask(int a, int b) { return capable(CAP_A) ? 0 : -1; }
int ask(int a) { return capable(CAP_WRONG) ? 0 : -1; }
""",
        {"sys_one ask really_ask: CAP_A"},
    ),
    "a macro renames a function": (
        """
-- fs/one.c
#define ask really_ask
int sys_one(void) { return ask(1); }
-- fs/ask.c
int really_ask(int a) { return capable(CAP_A) ? 0 : -1; }
-- fs/other.c
int ask(int a) { return capable(CAP_WRONG) ? 0 : -1; }
""",
        {"sys_one ask really_ask: CAP_A"},
    ),
    "a macro of another file is not seen": (
        """
-- fs/one.c
int sys_one(void) { return ask(1); }
int ask(int a) { return capable(CAP_A) ? 0 : -1; }
-- fs/other.c
#define ask(x) other(x)
int other(int a) { return capable(CAP_WRONG) ? 0 : -1; }
""",
        {"sys_one ask: CAP_A"},
    ),
    "a check in a macro is reached through it": (
        """
-- include/linux/ask.h
#define may_write(n) ((n) > 3 || capable(CAP_A))
-- fs/one.c
#include <linux/ask.h>
int sys_one(int n) { return may_write(n); }
""",
        {"sys_one may_write: CAP_A"},
    ),
    "another architecture's folder does not exist": (
        """
-- arch/i386/kernel/ask.c
int ask(void) { return capable(CAP_A) ? 0 : -1; }
-- arch/alpha/kernel/ask.c
int ask(void) { return capable(CAP_WRONG) ? 0 : -1; }
int only_alpha(void) { return capable(CAP_WRONG) ? 0 : -1; }
-- kernel/one.c
int sys_one(void) { return ask(); }
int sys_two(void) { return only_alpha(); }
""",
        {"sys_one ask: CAP_A"},
    ),
    "another architecture's entry function is not this table's": (
        """
-- arch/alpha/kernel/sys.c
int sys_one(void) { return capable(CAP_WRONG) ? 0 : -1; }
-- arch/i386/kernel/sys.c
int sys_one(void) { return capable(CAP_A) ? 0 : -1; }
""",
        {"sys_one: CAP_A"},
    ),
    "asm/ is this architecture's headers": (
        """
-- include/asm-i386/ask.h
static inline int ask(void) { return capable(CAP_A) ? 0 : -1; }
-- include/asm-sparc/ask.h
static inline int ask(void) { return capable(CAP_WRONG) ? 0 : -1; }
-- kernel/one.c
#include <asm/ask.h>
int sys_one(void) { return ask(); }
""",
        {"sys_one ask: CAP_A"},
    ),
    "asm/ in a tree since 2.6.28": (
        """
-- arch/x86/include/asm/ask.h
#include <asm-generic/ask.h>
-- include/asm-generic/ask.h
static inline int ask(void) { return capable(CAP_A) ? 0 : -1; }
-- arch/arm/include/asm/ask.h
static inline int ask(void) { return capable(CAP_WRONG) ? 0 : -1; }
-- kernel/one.c
#include <asm/ask.h>
int sys_one(void) { return ask(); }
""",
        {"sys_one ask: CAP_A"},
    ),
    "programs beside the kernel are no part of it": (
        """
-- scripts/helper.c
int ask(void) { return capable(CAP_WRONG) ? 0 : -1; }
-- tools/helper.c
int ask(void) { return capable(CAP_WRONG) ? 0 : -1; }
-- Documentation/helper.c
int ask(void) { return capable(CAP_WRONG) ? 0 : -1; }
-- arch/i386/boot/compressed/helper.c
int ask(void) { return capable(CAP_WRONG) ? 0 : -1; }
-- arch/x86/realmode/rm/helper.c
int ask(void) { return capable(CAP_WRONG) ? 0 : -1; }
-- kernel/one.c
int sys_one(void) { return ask(); }
""",
        set(),
    ),
    "a driver's twin is not this driver": (
        """
-- drivers/scsi/first/main.c
int sys_one(void) { return queue_command(); }
-- drivers/scsi/first/queue.c
int queue_command(void) { return capable(CAP_A) ? 0 : -1; }
-- drivers/scsi/second/main.c
int sys_two(void) { return queue_command(); }
-- drivers/scsi/second/queue.c
int queue_command(void) { return capable(CAP_B) ? 0 : -1; }
""",
        {"sys_one queue_command: CAP_A", "sys_two queue_command: CAP_B"},
    ),
    "an included .c file brings its static functions": (
        """
-- drivers/scsi/one.c
#include "part.c"
int sys_one(void) { return ask(); }
-- drivers/scsi/part.c
static int ask(void) { return capable(CAP_A) ? 0 : -1; }
-- drivers/net/two.c
int sys_two(void) { return ask(); }
-- drivers/net/part.c
static int ask(void) { return capable(CAP_WRONG) ? 0 : -1; }
""",
        {"sys_one ask: CAP_A"},
    ),
    "the preprocessor decides: both branches are there": (
        """
-- fs/one.c
#ifdef CONFIG_QUOTA
static int ask(void) { return capable(CAP_A) ? 0 : -1; }
#else
static int ask(void) { return capable(CAP_B) ? 0 : -1; }
#endif
int sys_one(void) { return ask(); }
""",
        {"sys_one ask: CAP_A", "sys_one ask: CAP_B"},
    ),
    "a local variable hides a function": (
        """
-- fs/one.c
int sys_one(int (*ask)(void)) { return ask(); }
-- fs/ask.c
int ask(void) { return capable(CAP_WRONG) ? 0 : -1; }
""",
        set(),
    ),
    "the compiled entry function is no static namesake": (
        """
-- fs/a.c
static int helper(void) { return 0; }
static int sys_one(void) { return capable(CAP_WRONG) ? 0 : -1; }
-- fs/b.c
int sys_one(void) { return capable(CAP_A) ? 0 : -1; }
""",
        {"sys_one: CAP_A"},
    ),
    "a header's stand-in for what is not configured does not hide the function": (
        """
-- include/linux/one.h
#ifdef CONFIG_ONE
int ask(void);
int other(void);
#else
static inline int ask(void) { return 0; }
#define other() 0
#endif
-- fs/one.c
#include <linux/one.h>
int sys_one(void) { return ask(); }
int sys_two(void) { return other(); }
-- lib/ask.c
int ask(void) { return capable(CAP_A) ? 0 : -1; }
int other(void) { return capable(CAP_B) ? 0 : -1; }
""",
        {"sys_one ask: CAP_A", "sys_two other: CAP_B"},
    ),
    "a header that has both branches hides a namesake": (
        """
-- include/linux/one.h
#ifdef CONFIG_ONE
static inline int ask(void) { return capable(CAP_A) ? 0 : -1; }
#else
static inline int ask(void) { return capable(CAP_B) ? 0 : -1; }
#endif
-- fs/one.c
#include <linux/one.h>
int sys_one(void) { return ask(); }
-- lib/ask.c
int ask(void) { return capable(CAP_WRONG) ? 0 : -1; }
""",
        {"sys_one ask: CAP_A", "sys_one ask: CAP_B"},
    ),
    "a file that needs another architecture's header is not there": (
        """
-- include/asm-mips/gfx.h
struct gfx;
-- include/asm-i386/io.h
struct io;
-- include/linux/gfx.h
#include <asm/gfx.h>
-- drivers/one.c
#include <asm/io.h>
#ifdef CONFIG_SGI
#include <asm/gfx.h>
#endif
int ask(void) { return capable(CAP_A) ? 0 : -1; }
int sys_one(void) { return ask(); }
-- drivers/a/ask.c
#include <asm/gfx.h>
int sys_two(void) { return capable(CAP_WRONG) ? 0 : -1; }
-- drivers/b/ask.c
#include <linux/gfx.h>
int sys_three(void) { return capable(CAP_WRONG) ? 0 : -1; }
-- fs/four.c
int call_four(void) { return 0; }
int sys_four(void) { return other(); }
-- fs/gfx/other.c
#include <asm/gfx.h>
int other(void) { return capable(CAP_WRONG) ? 0 : -1; }
-- lib/other.c
int other(void) { return capable(CAP_B) ? 0 : -1; }
""",
        {"sys_one ask: CAP_A", "sys_four other: CAP_B"},
    ),
    "asm/ is a header for all architectures, where an architecture has none of its own": (
        """
-- include/asm-generic/io.h
struct io;
-- include/uapi/asm-generic/errno.h
struct errno;
-- arch/mips/include/asm/io.h
struct io;
-- arch/mips/include/uapi/asm/errno.h
struct errno;
-- fs/one.c
#include <asm/io.h>
#include <asm/errno.h>
int sys_one(void) { return capable(CAP_A) ? 0 : -1; }
""",
        {"sys_one: CAP_A"},
    ),
    "what all architectures share stands back where an architecture has its own": (
        """
-- arch/x86/include/asm/bug.h
#define HAVE_ARCH_BUG
#define BUG() trap(1)
#ifdef CONFIG_X
#define WARN() trap(2)
#endif
#include <asm-generic/bug.h>
-- include/asm-generic/bug.h
#ifndef HAVE_ARCH_BUG
#define BUG() panic()
#endif
#ifndef HAVE_ARCH_WARN
#define WARN() warn()
#endif
#define BUG_ON(x) do { if (x) BUG(); } while (0)
-- arch/mips/include/asm/bug.h
#define WARN() panic()
-- kernel/one.c
#include <asm/bug.h>
int panic(void) { return capable(CAP_WRONG) ? 0 : -1; }
int trap(int number) { return capable(CAP_A) ? 0 : -1; }
int warn(void) { return capable(CAP_B) ? 0 : -1; }
int sys_one(void) { BUG(); return 0; }
int sys_two(int x) { BUG_ON(x); return 0; }
int sys_three(void) { WARN(); return 0; }
""",
        {
            "sys_one BUG trap: CAP_A",
            "sys_two BUG_ON BUG trap: CAP_A",
            "sys_three WARN trap: CAP_A",
            "sys_three WARN warn: CAP_B",
        },
    ),
    "the architecture's definition is linked, not the weak one beside the call": (
        """
-- kernel/jit.c
int prepare(void) { return capable(CAP_WRONG) ? 0 : -1; }
int sys_one(void) { return prepare(); }
static int later(void) { return capable(CAP_A) ? 0 : -1; }
int sys_two(void) { return later(); }
-- net/user.c
int sys_three(void) { return prepare(); }
-- kernel/other.c
int sys_four(void) { return prepare(); }
-- arch/x86/net/jit.c
int prepare(void) { return capable(CAP_A) ? 0 : -1; }
static int later(void) { return capable(CAP_WRONG) ? 0 : -1; }
-- arch/x86/purgatory/jit.c
int prepare(void) { return capable(CAP_WRONG) ? 0 : -1; }
-- arch/x86/um/jit.c
int prepare(void) { return capable(CAP_WRONG) ? 0 : -1; }
-- arch/mips/net/jit.c
int prepare(void) { return capable(CAP_WRONG) ? 0 : -1; }
""",
        {
            "sys_one prepare: CAP_A",
            "sys_two later: CAP_A",
            "sys_three prepare: CAP_A",
            "sys_four prepare: CAP_A",
        },
    ),
    "the architecture's stand-in is not linked where there is more than that": (
        """
-- mm/failure.c
int sys_one(void) { return failed(); }
int failed(void) { return capable(CAP_A) ? 0 : -1; }
-- kernel/two.c
int sys_two(void) { return failed(); }
-- arch/x86/kernel/failure.c
#ifndef CONFIG_FAILURE
int failed(void) { return capable(CAP_WRONG) ? 0 : -1; }
#endif
""",
        {"sys_one failed: CAP_A", "sys_two failed: CAP_A"},
    ),
    "a module's own function is no weak one": (
        """
-- drivers/one.c
#ifdef MODULE
int begin(void) { return capable(CAP_A) ? 0 : -1; }
int sys_one(void) { return begin(); }
#endif
-- arch/i386/kernel/driver.c
#ifdef MODULE
int begin(void) { return capable(CAP_WRONG) ? 0 : -1; }
#endif
""",
        {"sys_one begin: CAP_A"},
    ),
    "a file for the processors of another width": (
        """
-- kernel/one.c
int sys_one(void) { return start(); }
-- arch/x86/kernel/process_32.c
int start(void) { return capable(CAP_A) ? 0 : -1; }
-- arch/x86/kernel/other_64.c
int start(void) { return capable(CAP_WRONG) ? 0 : -1; }
""",
        {"sys_one start: CAP_A"},
    ),
    "what a Makefile builds where an option is off stands in for the option's code": (
        """
-- mm/Makefile
# all but the last line
mmu-y := a_none.o
mmu-$(CONFIG_MMU) := memory.o map.o
obj-y := $(mmu-y) both.o
ifneq ($(CONFIG_SMP),y)
obj-y += a_single.o
endif
-- mm/a_none.c
int map(void) { return capable(CAP_WRONG) ? 0 : -1; }
-- mm/map.c
int map(void) { return capable(CAP_A) ? 0 : -1; }
-- mm/a_single.c
int each(void) { return capable(CAP_WRONG) ? 0 : -1; }
-- mm/many.c
int each(void) { return capable(CAP_A) ? 0 : -1; }
-- kernel/one.c
int sys_one(void) { return map(); }
int sys_two(void) { return each(); }
""",
        {"sys_one map: CAP_A", "sys_two each: CAP_A"},
    ),
    "of several files that define a name the nearest is meant": (
        """
-- drivers/net/wan/one.c
int sys_one(void) { return ask(); }
-- drivers/net/ask.c
int ask(void) { return capable(CAP_A) ? 0 : -1; }
-- drivers/ask.c
int ask(void) { return capable(CAP_WRONG) ? 0 : -1; }
-- lib/one.c
int sys_two(void) { return ask(); }
""",
        {"sys_one ask: CAP_A", "sys_two ask: CAP_WRONG"},
    ),
    "a header's static variable is that of the files that include it": (
        """
-- include/linux/hook.h
static int (*hook)(int);
-- fs/one.c
#include <linux/hook.h>
static int right(int n) { return capable(CAP_A) ? 0 : -1; }
void start(void) { hook = right; }
int sys_one(int n) { return hook(n); }
-- fs/two.c
int sys_two(int n) { return hook(n); }
""",
        {"sys_one (hook) right: CAP_A"},
    ),
    "a struct is that of a header that the file includes": (
        """
-- include/linux/a.h
struct ops { int (*other)(int); };
-- include/linux/b.h
struct ops { int (*go)(int); };
-- fs/one.c
#include <linux/b.h>
static int right(int n) { return capable(CAP_A) ? 0 : -1; }
static struct ops ops = { right };
int sys_one(struct ops *p) { return p->go(1); }
""",
        {"sys_one (ops.go) right: CAP_A"},
    ),
    "a struct that no included file has is that of a header": (
        """
-- drivers/a.c
struct ops { int (*other)(int); };
-- include/linux/b.h
struct ops { int (*go)(int); };
-- fs/one.c
static int right(int n) { return capable(CAP_A) ? 0 : -1; }
static struct ops ops = { right };
int sys_one(struct ops *p) { return p->go(1); }
""",
        {"sys_one (ops.go) right: CAP_A"},
    ),
    "a name that a macro of the same file stands for is not followed round": (
        """
-- fs/one.c
#define ask(x) ask(x)
int sys_one(void) { return ask(1); }
-- fs/two.c
int ask(int n) { return capable(CAP_A) ? 0 : -1; }
""",
        set(),
    ),
    "an old-style definition": (
        """
-- fs/one.c
int sys_one(void) { return ask(1, "x"); }
int ask(mode, name)
int mode;
char *name;
{
    return capable(CAP_A) ? 0 : -1;
}
""",
        {"sys_one ask: CAP_A"},
    ),
}


def test_a_kernel_of_64_bits_is_built_without_what_is_for_32() -> None:
    text = """
-- include/asm-x86_64/unistd.h
#define __NR_one 0
__SYSCALL(__NR_one, sys_one)
#define __NR_two 1
__SYSCALL(__NR_two, sys_two)
-- kernel/one.c
int sys_one(void) { return start(); }
int sys_two(void) { return compat(); }
-- arch/x86/kernel/process_32.c
int start(void) { return capable(CAP_NARROW) ? 0 : -1; }
-- arch/x86/kernel/process_64.c
int start(void) { return capable(CAP_WIDE) ? 0 : -1; }
-- arch/x86/ia32/compat.c
int compat(void) { return capable(CAP_NARROW) ? 0 : -1; }
-- arch/x86/kernel/later/compat.c
int compat(void) { return capable(CAP_WIDE) ? 0 : -1; }
"""
    rows = {(row.abi, row.syscall, row.check.capability) for row in linked(text).syscall_checks}
    assert rows == {
        ("i386", "one", "CAP_NARROW"),
        ("i386", "two", "CAP_NARROW"),
        ("x86_64", "one", "CAP_WIDE"),
        ("x86_64", "two", "CAP_WIDE"),
    }


@pytest.mark.parametrize("rule", CASES)
def test_a_name_means_what_c_lets_it_mean(rule: str) -> None:
    kernel, expected = CASES[rule]
    assert chains(kernel) == expected


def test_what_no_kernel_of_this_version_and_architecture_compiles_calls_nothing() -> None:
    """lockd of 2.2 keeps its start under #if 0; drivers keep code for 2.0 and 2.3."""
    text = """
-- kernel/one.c
int sys_one(void)
{
#if 0
    return ask();
#else
    return 0;
#endif
}
#if LINUX_VERSION_CODE < 0x020100
int sys_two(void) { return ask(); }
#else
int sys_two(void) { return 0; }
#endif
int sys_three(void)
{
#ifdef __sparc__
    return ask();
#endif
#ifndef CONFIG_SPARC
    return later();
#endif
    return 0;
}
#if LINUX_VERSION_CODE >= KERNEL_VERSION(2,3,0)
int helper(void) { return capable(CAP_WRONG); }
#else
int helper(void) { return later(); }
#endif
int sys_four(void) { int done = helper(); return done; }
int sys_five(void)
{
#if 0
    if (!capable(CAP_WRONG))
        return -1;
#endif
    return 0;
}
-- kernel/two.c
int ask(void) { if (capable(CAP_WRONG)) return 1; return 0; }
int later(void) { if (capable(CAP_LATER)) return 1; return 0; }
-- arch/sparc/kernel/one.c
int f(void) { return 0; }
"""
    release = linked(text)
    assert {chain_text(row) for row in release.syscall_checks} == {
        "sys_three later: CAP_LATER",
        "sys_four helper later: CAP_LATER",
    }
    assert ("sys_five", "0") in {(site.function, site.condition) for site in release.check_sites}
