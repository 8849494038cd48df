"""Which preprocessor conditions can hold in a kernel of one version and architecture."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caphistory.linking.conditions import Target, possible, version_code

I386 = Target("i386", frozenset(("sparc", "s390", "x86_64", "ppc")), version_code("2.2.24"))


@pytest.mark.parametrize(
    "condition",
    [
        "",
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
    ],
)
def test_what_may_hold(condition: str) -> None:
    assert possible(condition, I386)


@pytest.mark.parametrize(
    "condition",
    [
        "0",
        "!1",
        "!defined(__KERNEL__)",
        "defined(__ASSEMBLY__)",
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
        "defined(CONFIG_SPARC)",
        "defined(CONFIG_ARCH_S390)",
        "defined(CONFIG_X86_64)",
    ],
)
def test_what_cannot_hold(condition: str) -> None:
    assert not possible(condition, I386)


def test_another_abi_has_other_macros() -> None:
    wide = Target("x86_64", frozenset(("sparc", "i386")), None)
    assert possible("defined(__x86_64__) && LINUX_VERSION_CODE < 7", wide)
    assert not possible("defined(__i386__)", wide)
    assert possible("defined(CONFIG_64BIT) && !defined(CONFIG_X86_32)", wide)
    assert not possible("defined(CONFIG_X86_32)", wide)
    assert not possible("!defined(CONFIG_X86_32) || defined(CONFIG_64BIT)", I386)


@pytest.mark.parametrize(
    ("release", "code"),
    [
        ("2.2.24", 0x020218),
        ("2.6.11.5", 0x02060B),
        ("pre2.0.1", 0x020001),
        ("2.4.0-test1", 0x020400),
        ("1.0", 0x010000),
        ("4.4.302", 0x0404FF),
        ("next", None),
    ],
)
def test_the_version_as_a_number(release: str, code: int | None) -> None:
    assert version_code(release) == code


@given(st.text(alphabet="()!&|<>=defin X12,", max_size=80))
def test_any_text_is_answered(condition: str) -> None:
    assert possible(condition, I386) in (True, False)
