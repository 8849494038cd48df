"""What is kept from a release to the next: whatever changes, the rows are those of a program that
never held another release."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caphistory.linking.folders import I386
from caphistory.linking.program import Program
from tests.linking.kernels import linked

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
"""


def kernel(chosen: dict[str, int]) -> str:
    return KERNEL.format(**{part: PARTS[part][at] for part, at in chosen.items()})


PLAIN = dict.fromkeys(PARTS, 0)
choices = st.fixed_dictionaries(
    {part: st.integers(0, len(texts) - 1) for part, texts in PARTS.items()}
)


@pytest.mark.parametrize(
    ("part", "at"), [(part, at) for part, texts in PARTS.items() for at in range(1, len(texts))]
)
def test_one_change_there_and_back(part: str, at: int) -> None:
    program = Program(I386)
    changed = {**PLAIN, part: at}
    for chosen in (PLAIN, changed, PLAIN):
        assert linked(kernel(chosen), program) == linked(kernel(chosen))


@settings(max_examples=60, deadline=None)
@given(st.lists(choices, min_size=2, max_size=5))
def test_any_releases_one_after_the_other(releases: list[dict[str, int]]) -> None:
    program = Program(I386)
    for chosen in releases:
        assert linked(kernel(chosen), program) == linked(kernel(chosen))


@pytest.mark.parametrize("part", PARTS)
def test_every_part_shows_in_the_rows(part: str) -> None:
    """Else the tests above would prove nothing."""
    rows = [linked(kernel({**PLAIN, part: at})).syscall_checks for at in range(len(PARTS[part]))]
    assert any(other != rows[0] for other in rows[1:])
