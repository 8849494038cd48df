"""What is kept from a release to the next: whatever changes, the rows are those of a program that
never held another release."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caphistory.history.versions import position
from caphistory.linking.folders import I386
from caphistory.linking.program import Program
from caphistory.records import Release
from tests.linking.kernels import RELEASE, linked

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
RELEASES = [RELEASE._replace(release=name, position=position(name)) for name in ("2.2.24", "2.3.0")]
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


def kernel(chosen: dict[str, int]) -> str:
    return KERNEL.format(**{part: PARTS[part][at] for part, at in chosen.items()})


PLAIN = dict.fromkeys(PARTS, 0)
choices = st.fixed_dictionaries(
    {part: st.integers(0, len(texts) - 1) for part, texts in PARTS.items()}
)


def test_another_version_there_and_back() -> None:
    program = Program(I386)
    found = []
    for release in (*RELEASES, *RELEASES):
        rows = linked(kernel(PLAIN), program, release)
        assert rows == linked(kernel(PLAIN), None, release)
        found.append(rows.syscall_checks)
    assert found[0] == found[2] != found[1] == found[3]


@pytest.mark.parametrize(
    ("part", "at"), [(part, at) for part, texts in PARTS.items() for at in range(1, len(texts))]
)
def test_one_change_there_and_back(part: str, at: int) -> None:
    program = Program(I386)
    changed = {**PLAIN, part: at}
    for chosen in (PLAIN, changed, PLAIN):
        assert linked(kernel(chosen), program) == linked(kernel(chosen))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(choices, st.sampled_from(RELEASES)), min_size=2, max_size=5))
def test_any_releases_one_after_the_other(releases: list[tuple[dict[str, int], Release]]) -> None:
    program = Program(I386)
    for chosen, release in releases:
        rows = linked(kernel(chosen), program, release)
        assert rows == linked(kernel(chosen), None, release)


@pytest.mark.parametrize("part", PARTS)
def test_every_part_shows_in_the_rows(part: str) -> None:
    """Else the tests above would prove nothing."""
    rows = [linked(kernel({**PLAIN, part: at})).syscall_checks for at in range(len(PARTS[part]))]
    assert any(other != rows[0] for other in rows[1:])
