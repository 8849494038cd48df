"""What a Makefile builds only where an option is off stands in for the option's code.

Two files define the same function. That of ``mm`` comes first by its path, unless the Makefile
there says that it is built only where something else is not configured.
"""

from __future__ import annotations

import re

import pytest

from tests.engine.adapters import linked

OBJECT = re.compile(r"\b(\w+)\.o\b")
WIDE = """
-- include/asm-x86_64/unistd.h
#define __NR_all 0
__SYSCALL(__NR_all, sys_all)
"""


def stand_ins(makefile: str, abi: str = "i386", name: str = "Makefile") -> set[str]:
    """The objects of a Makefile that are not linked where another file has the same functions."""
    objects = sorted(set(OBJECT.findall(makefile)))
    kernel = f"-- mm/{name}\n{makefile}\n{WIDE}-- kernel/all.c\n"
    kernel += f"int sys_all(void) {{ {' '.join(f'do_{each}();' for each in objects)} return 0; }}\n"
    for folder in ("mm", "net"):
        for each in objects:
            kernel += f"-- {folder}/{each}.c\n"
            kernel += f"int do_{each}(void) {{ if (!suser()) return -EPERM; return 0; }}\n"
    rows = [row for row in linked(kernel).syscall_checks if row.abi == abi]
    assert len(rows) == len(objects)
    return {
        (row.check.function or "").removeprefix("do_")
        for row in rows
        if not row.check.path.startswith("mm/")
    }


@pytest.mark.parametrize(
    ("makefile", "expected"),
    [
        ("ifdef CONFIG_A\nobj-y += a.o\nelse\nobj-y += b.o c.o\nendif\nobj-y += c.o", {"b"}),
        ("ifndef CONFIG_A\nO_OBJS += a.o\nendif", {"a"}),
        ("ifeq ($(CONFIG_A),)\nobj-y += a.o\nelse\nobj-y += b.o\nendif", {"a"}),
        ("ifeq ($(CONFIG_A),n)\nobj-y += a.o\nendif", {"a"}),
        ("ifneq ($(CONFIG_A),y)\nobj-y += a.o\nendif", {"a"}),
        ('ifeq ("$(CONFIG_A)","")\nobj-y += a.o\nendif', set()),
        ("ifneq (${CONFIG_A},y)\nobj-y += a.o \\\n\tb.o\nendif # c.o", {"a", "b"}),
        # Until 2.4 a module is named in the else branch of what is built in.
        (
            "ifeq ($(CONFIG_A),y)\nL_OBJS += a.o\nelse\n"
            "  ifeq ($(CONFIG_A),m)\n  M_OBJS += a.o\n  endif\nendif",
            set(),
        ),
        ("x-y := a.o b.o\nx-$(CONFIG_A) := b.o c.o\nx-$(CONFIG_B) += d.o", {"a"}),
        ("x-y := a.o\nx-$(CONFIG_A) += b.o", set()),
        ("ifeq ($(ARCH),i386)\nobj-y += a.o\nelse\nobj-y += b.o\nendif", set()),
        ("endif\nelse\nifeq\n# obj-y := a.o\n\tcc -o a.o a.c", set()),
    ],
)
def test_what_is_built_where_an_option_is_off(makefile: str, expected: set[str]) -> None:
    assert stand_ins(makefile) == expected


def test_a_kbuild_file_is_one_too() -> None:
    assert stand_ins("ifndef CONFIG_A\nobj-y += a.o\nendif", name="Kbuild") == {"a"}
    assert stand_ins("ifndef CONFIG_A\nobj-y += a.o\nendif", name="Rules.make") == set()


@pytest.mark.parametrize(
    ("abi", "expected"), [("i386", {"jit"}), ("x86_64", {"jit32", "double", "narrow"})]
)
def test_an_option_that_is_off_anyway_has_no_stand_in(abi: str, expected: set[str]) -> None:
    """What needs an option that no kernel with the ABI has is not built."""
    makefile = """
ifeq ($(CONFIG_X86_32),y)
obj-$(CONFIG_JIT) += jit32.o
else
obj-$(CONFIG_JIT) += jit.o
endif
obj-$(CONFIG_X86_32) += double.o
narrow-y := wide.o
narrow-$(CONFIG_X86_32) := narrow.o
"""
    if abi == "i386":
        expected = {*expected, "wide"}
    assert stand_ins(makefile, abi) == expected
