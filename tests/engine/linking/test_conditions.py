"""Which preprocessor conditions can hold in a kernel of one version and architecture."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.adapters import linked

ARCHITECTURES = "".join(
    f"-- arch/{name}/kernel/one.c\nint f(void) {{ return 0; }}\n"
    for name in ("sparc", "s390", "ppc", "x86_64")
)
# The other ABI, and the architecture of this one beside it.
WIDE = """
-- include/asm-x86_64/unistd.h
#define __NR_one 0
__SYSCALL(__NR_one, sys_one)
"""


def abis(condition: str, release: str = "2.2.24") -> set[str]:
    """The ABIs whose kernels may hold code under a condition."""
    kernel = f"""{ARCHITECTURES}{WIDE}
-- kernel/one.c
#if {condition}
int sys_one(void) {{ return capable(CAP_A); }}
#endif
"""
    return {row.abi for row in linked(kernel, release).syscall_checks}


@pytest.mark.parametrize(
    "condition",
    [
        "1",
        "defined(CONFIG_SMP)",
        "!defined(CONFIG_SMP)",
        "defined(CONFIG_SMP) && !defined(CONFIG_SMP_BROKEN)",
        "defined(__KERNEL__)",
        "defined(MODULE)",
        "!defined(__sparc__)",
        "defined(__i386__) || defined(__sparc__)",
        "!(defined(__sparc__) && X)",
        "LINUX_VERSION_CODE >= 0x020100",
        "LINUX_VERSION_CODE >= 131328",
        "LINUX_VERSION_CODE < KERNEL_VERSION(2,3,0)",
        "!(LINUX_VERSION_CODE > KERNEL_VERSION(2,3,0))",
        "(LINUX_VERSION_CODE >= CVT_LINUX_VERSION(2,1,95))",
        "defined(LINUX_VERSION_CODE) && LINUX_VERSION_CODE == KERNEL_VERSION(2, 2, 24)",
        "DEBUG > 1",
        "DEBUG + 1 > 2 && defined(X)",
        "OWN_MACRO(2, 3)",
        "defined(CONFIG_SPARC) || X",
        "!defined(CONFIG_ARCH_S390)",
        "defined(CONFIG_SPARCLE)",
        "defined CONFIG_SMP",
    ],
)
def test_what_may_hold(condition: str) -> None:
    assert "i386" in abis(condition)


@pytest.mark.parametrize(
    "condition",
    [
        "0",
        "!1",
        "!defined(__KERNEL__)",
        "defined(__ASSEMBLY__)",
        "defined(__cplusplus)",
        "!defined(__GNUC__)",
        "defined(__sparc__)",
        "defined(__x86_64__)",
        "!defined(__i386__)",
        "X && defined(__alpha__)",
        "(defined(__alpha__) || defined(__mc68000__)) && Y",
        "!(defined(__i386__) || Y)",
        "LINUX_VERSION_CODE < 0x20100",
        "LINUX_VERSION_CODE >= KERNEL_VERSION(2,3,0)",
        "(LINUX_VERSION_CODE > KERNEL_VER(2,3,98))",
        "!(LINUX_VERSION_CODE >= CVT_LINUX_VERSION(2,1,95))",
        "!defined(LINUX_VERSION_CODE)",
        # Options are named after the architectures whose folders are there.
        "defined(CONFIG_SPARC)",
        "defined(CONFIG_ARCH_S390)",
        "defined(CONFIG_X86_64)",
        "defined(CONFIG_64BIT)",
        "!defined(CONFIG_X86_32)",
        "defined(CONFIG_COMPAT)",
    ],
)
def test_what_cannot_hold(condition: str) -> None:
    assert "i386" not in abis(condition)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("defined(__x86_64__)", {"x86_64"}),
        ("defined(__LP64__)", {"x86_64"}),
        ("defined(__i386__)", {"i386"}),
        ("defined(CONFIG_64BIT) && !defined(CONFIG_X86_32)", {"x86_64"}),
        ("defined(CONFIG_X86_32)", {"i386"}),
        ("!defined(CONFIG_X86_32) || defined(CONFIG_64BIT)", {"x86_64"}),
        # Calls of 32-bit programs are for 64-bit kernels; these need not be built for them.
        ("defined(CONFIG_COMPAT)", {"x86_64"}),
        ("!defined(CONFIG_COMPAT)", {"i386", "x86_64"}),
        ("defined(CONFIG_COMPAT_BRK)", {"i386", "x86_64"}),
        ("defined(__s390x__)", set()),
        ("defined(__i386__) || defined(__x86_64__)", {"i386", "x86_64"}),
        ("LINUX_VERSION_CODE < 7", set()),
    ],
)
def test_each_abi_has_its_own_macros(condition: str, expected: set[str]) -> None:
    assert abis(condition) == expected & abis("1")


@pytest.mark.parametrize(
    ("release", "code"),
    [
        ("2.2.24", 0x020218),
        ("2.2.24pre3", 0x020218),
        ("2.6.11.5", 0x02060B),
        ("pre2.0.1", 0x020001),
        ("2.4.0-test1", 0x020400),
        ("1.0", 0x010000),
        ("4.4.302", 0x0404FF),
    ],
)
def test_the_version_as_a_number(release: str, code: int) -> None:
    assert abis(f"LINUX_VERSION_CODE == {code}", release)
    assert not abis(f"LINUX_VERSION_CODE != {code:#x}", release)


def test_a_release_whose_name_tells_no_version_may_be_any() -> None:
    assert abis("LINUX_VERSION_CODE < 7", "next")
    assert abis("LINUX_VERSION_CODE > 7", "next")


@settings(deadline=None)
@given(st.text(alphabet="()!&|<>=defin X12,", max_size=80))
def test_any_text_is_answered(condition: str) -> None:
    assert abis(condition) <= {"i386", "x86_64"}


@pytest.mark.parametrize("nesting", [1, 8])
def test_parentheses_are_answered(nesting: int) -> None:
    assert "i386" in abis("(" * nesting + "X" + ")" * nesting)


@pytest.mark.parametrize(
    ("headers", "asked"),
    [
        ("-- include/asm-sparc/pci.h\n#define HAVE_PCI_MMAP\n", False),
        ("-- arch/arm/include/asm/pci.h\n#define HAVE_PCI_MMAP 1\n", False),
        ("", True),
        ("-- arch/arm/kernel/pci.c\n#define HAVE_PCI_MMAP\n", True),
        (
            "-- include/asm-sparc/pci.h\n#define HAVE_PCI_MMAP\n"
            "-- include/asm-i386/pci.h\n#define HAVE_PCI_MMAP\n",
            True,
        ),
        (
            "-- include/asm-sparc/pci.h\n#define HAVE_PCI_MMAP\n"
            "-- drivers/video/one.c\n#define HAVE_PCI_MMAP\n",
            True,
        ),
    ],
)
def test_a_macro_that_only_other_architectures_define(headers: str, asked: bool) -> None:
    """drivers/pci/proc.c, 2.2.24: only sparc64 maps the registers of devices."""
    kernel = f"""{headers}
-- drivers/pci/proc.c
#ifdef HAVE_PCI_MMAP
int sys_mmap(void) {{ return capable(CAP_SYS_RAWIO); }}
#endif
"""
    assert bool(linked(kernel).syscall_checks) == asked


def test_an_option_is_nobodys_own() -> None:
    kernel = """
-- include/asm-sparc/config.h
#define CONFIG_ONE
-- kernel/one.c
#ifdef CONFIG_ONE
int sys_one(void) { return capable(CAP_A); }
#endif
"""
    assert linked(kernel).syscall_checks
