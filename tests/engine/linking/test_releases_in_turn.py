"""Whatever an engine linked before: the rows are those that a release has alone."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.adapters import Version, linked, linked_in_turn
from tests.engine.linking import (
    test_capability_definitions,
    test_checks,
    test_names,
    test_points_to,
    test_syscalls,
)
from tests.kernels.files import files_of


def assert_as_alone(versions: list[Version]) -> None:
    """The rows of kernels that are linked in turn are those of each alone."""
    for (kernel, release), rows in zip(versions, linked_in_turn(versions), strict=True):
        assert rows == linked(kernel, release)


KERNELS = [
    *(kernel for kernel, _ in test_names.CASES.values()),
    *(kernel for kernel, _ in test_points_to.OTHERS.values()),
    *(test_points_to.OPS + stored for stored in test_points_to.STORED.values()),
    test_checks.PLUMBING,
    test_syscalls.SOCKETCALL,
    test_syscalls.IPC,
    test_capability_definitions.HEADER % "include/linux/capability.h",
]
"""Many kernels that share paths and names, each different."""


@pytest.mark.parametrize("seed", range(3))
def test_kernels_in_any_order(seed: int) -> None:
    kernels = [*KERNELS, *KERNELS]
    random.Random(seed).shuffle(kernels)
    assert_as_alone([(kernel, "2.2.24") for kernel in kernels])


def test_the_last_release_is_linked_like_any_other() -> None:
    first, last = linked_in_turn([(TWO_ABIS, "2.2.24")] * 2)
    assert {row.abi for row in first.syscall_checks} == {"i386", "x86_64"}
    assert first == last


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
def test_both_abis_there_and_back_again(change: tuple[str, str], later: str) -> None:
    before, after = TWO_ABIS, TWO_ABIS.replace(*change) if change[0] else TWO_ABIS
    assert {row.abi for row in linked(before).syscalls} == {"i386", "x86_64"}
    assert_as_alone([(before, "2.2.24"), (after, later), (before, "2.2.24"), (after, later)])


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
    assert linked(TWO_ABIS, "2.2.25").syscall_checks != linked(TWO_ABIS).syscall_checks


# Each part of the kernel with what may stand there.
PARTS = {
    "types": (
        "struct ops { int (*open)(void); int (*close)(void); int (*ctl)(int); };\n"
        "struct dev { struct ops *ops; struct ops *spare; };\n",
        "struct ops { int (*close)(void); int (*open)(void); int (*ctl)(int); };\n"
        "struct dev { struct ops *ops; struct ops *spare; };\n",
        "struct ops { int (*open)(void); int (*close)(void); int (*ctl)(int); };\n"
        "struct other { int (*open)(void); };\n"
        "struct dev { struct other *ops; struct ops *spare; };\n",
        "struct ops { int (*open)(void); int (*close)(void); int (*ctl)(int); };\n"
        "struct dev { struct ops *spare; };\n#define ops spare\n",
        "#define dev device\nstruct ops { int (*open)(void); };\n"
        "struct device { struct ops *ops; };\n",
    ),
    "typedef": ("typedef struct dev dev_t;\n", "typedef struct ops dev_t;\n", ""),
    "macro": (
        "#define CALL(d, f) ((d)->ops->f())\n#define ASK(x) capable(x)\n",
        "#define CALL(d, f) ((d)->spare->f())\n#define ASK(x) capable(x)\n",
        "#define CALL(d, f) VIA(d, f)\n#define VIA(d, f) ((d)->ops->f())\n#define ASK(x) suser()\n",
        "#define CALL(d, f) VIA(d, f)\n#define VIA(d, f) CALL(d, f)\n",
        "static inline int CALL(struct dev *d, int f) { return d->ops->open(); }\n",
        "",
    ),
    "list": (
        "#define ENTRY(o, c) { o, c }\n",
        "#define ENTRY(o, c) { c, o }\n",
        "#define ENTRY(o, c) PAIR(c, o)\n#define PAIR(o, c) { o, c }\n",
        "",
    ),
    "included": ('#include "types.h"\n#include "more.h"\n', '#include "types.h"\n', ""),
    "more": (
        "static inline int opened(void) { return capable(CAP_INLINE); }\n",
        "#define opened really_opened\n",
        "struct dev { struct ops *spare; };\n",
        "",
    ),
    "opened": (
        "int opened(void) { return capable(CAP_OPEN); }\n",
        "\n\nint opened(void) { if (capable(CAP_OPEN)) return 0; return closed(); }\n",
        "int opened(int more) { return capable(CAP_OPEN); }\n",
        "static int opened(void) { return capable(CAP_OPEN); }\n",
        "int really_opened(void) { return ASK(CAP_REALLY); }\n",
    ),
    "hook": (
        "int (*hook)(void);\nvoid set_hook(int (*f)(void)) { hook = f; }\n",
        "static int (*hook)(void);\nvoid set_hook(int (*f)(void)) { hook = f; }\n",
        "int (*hook)(void);\nvoid set_hook(int n, int (*f)(void)) { hook = f; }\n",
        "int hook(void) { return capable(CAP_HOOK); }\n",
    ),
    "caller": (
        "int sys_six(void) { return opened(); }\n",
        "int sys_six(void) { return closed(); }\n",
        "int six(void) { return opened(); }\n\nint sys_six(void) { return six(); }\n",
        "#define renamed closed\nint sys_six(void) { return renamed(); }\n",
        "#include <linux/macros.h>\nint sys_six(struct dev *d) { return CALL(d, close); }\n",
        "",
    ),
    "wrapper": (
        "int asks(void) { return capable(CAP_WRAPPED); }\n",
        "int asks(void) { int it = capable(CAP_WRAPPED); return it ? 0 : -EPERM; }\n",
        "#define asks() capable(CAP_WRAPPED)\n",
    ),
    # No wrapper: which those are changes all that is known of steps.
    "middle": (
        "int middle(void) { prepare(); return capable(CAP_MIDDLE) ? 0 : -EPERM; }\n",
        "int middle(int more) { prepare(); return capable(CAP_MIDDLE) ? 0 : -EPERM; }\n",
        "#define middle() other()\n"
        "static int other(void) { prepare(); return capable(CAP_MIDDLE) ? 0 : -EPERM; }\n",
        "",
    ),
    "paste": (
        "#define DO(what) do_##what()\n",
        "#define DO(what) be_##what()\n",
        "#define DO(what) do_it()\n",
    ),
}
KERNEL = """
-- include/linux/types.h
{types}{typedef}
-- include/linux/macros.h
{macro}{list}
-- include/linux/more.h
{more}
-- include/linux/all.h
{included}
-- fs/opened.c
#include <linux/macros.h>
int closed(void) {{ return capable(CAP_CLOSE); }}
{opened}
-- fs/hook.c
{hook}
int sys_hook(void) {{ return hook(); }}
-- fs/table.c
#include <linux/all.h>
#include <linux/macros.h>
static struct ops table[] = {{ ENTRY(opened, closed) }};
static struct ops plain = {{ opened, closed }};
struct dev the_dev = {{ &plain, &plain }};
int sys_set(void) {{ set_hook(opened); set_hook(0, closed); return table[0].open(); }}
-- fs/use.c
#include <linux/all.h>
#include <linux/macros.h>
int sys_one(struct dev *d) {{ return CALL(d, open); }}
int sys_two(dev_t *d) {{ return d->ops->open() + d->open(); }}
int sys_three(struct dev *d) {{ d->spare->close = opened; return d->spare->close(); }}
int sys_four(void) {{ return opened(); }}
-- fs/caller.c
{caller}
-- fs/wrapper.c
{wrapper}
int sys_seven(void) {{ return asks() ? 0 : opened(); }}
-- fs/middle.c
{middle}
-- fs/nine.c
int sys_nine(void) {{ return middle(); }}
-- include/linux/paste.h
{paste}
-- fs/paste.c
#include <linux/paste.h>
int do_it(void) {{ prepare(); return capable(CAP_DO) ? 0 : -EPERM; }}
int be_it(void) {{ prepare(); return capable(CAP_BE) ? 0 : -EPERM; }}
int sys_ten(void) {{ return DO(it); }}
-- fs/version.c
int old(void) {{ prepare(); return capable(CAP_BEFORE) ? 0 : -EPERM; }}
int new(void) {{ prepare(); return capable(CAP_SINCE) ? 0 : -EPERM; }}
int sys_eight(void)
{{
#if LINUX_VERSION_CODE < KERNEL_VERSION(2,3,0)
    return old();
#else
    return new();
#endif
}}
-- fs/versions.c
#if LINUX_VERSION_CODE < KERNEL_VERSION(2,3,0)
static int sometimes(void) {{ prepare(); return capable(CAP_BEFORE) ? 0 : -EPERM; }}
#else
static int sometimes(void) {{ prepare(); return capable(CAP_SINCE) ? 0 : -EPERM; }}
#endif
int sys_eleven(void) {{ return sometimes(); }}
"""
VERSIONS = ("2.2.24", "2.3.0")


def kernel(variants: dict[str, int]) -> str:
    """The kernel with this variant of each part."""
    return KERNEL.format(**{part: PARTS[part][at] for part, at in variants.items()})


FIRST = dict.fromkeys(PARTS, 0)
variants = st.fixed_dictionaries(
    {part: st.integers(0, len(texts) - 1) for part, texts in PARTS.items()}
)


def test_another_version_there_and_back() -> None:
    versions: list[Version] = [(kernel(FIRST), version) for version in VERSIONS * 2]
    assert_as_alone(versions)
    rows = [each.syscall_checks for each in linked_in_turn(versions)]
    assert rows[0] == rows[2] != rows[1] == rows[3]


@pytest.mark.parametrize(
    ("part", "at"), [(part, at) for part, texts in PARTS.items() for at in range(1, len(texts))]
)
def test_one_change_there_and_back(part: str, at: int) -> None:
    changed = {**FIRST, part: at}
    assert_as_alone([(kernel(each), "2.2.24") for each in (FIRST, changed, FIRST)])


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(variants, st.sampled_from(VERSIONS)), min_size=2, max_size=5))
def test_any_releases_in_any_order(releases: list[tuple[dict[str, int], str]]) -> None:
    assert_as_alone([(kernel(each), version) for each, version in releases])


@pytest.mark.parametrize("part", PARTS)
def test_every_part_shows_in_the_rows(part: str) -> None:
    """Else the tests above would prove nothing."""
    rows = [linked(kernel({**FIRST, part: at})).syscall_checks for at in range(len(PARTS[part]))]
    assert any(other != rows[0] for other in rows[1:])


def test_the_order_of_the_files_changes_nothing() -> None:
    for text in (*KERNELS, kernel(FIRST), TWO_ABIS):
        files = files_of(text)
        assert linked(dict(reversed(files.items()))) == linked(files)
