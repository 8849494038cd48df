"""What needs an option that no Kconfig defines is built by no kernel."""

from __future__ import annotations

import pytest

from tests.engine.adapters import linked

FS = """
-- fs/one/inode.c
int sys_one(void) { return one_check(); }
-- fs/one/check.c
int one_check(void) { return suser() ? 0 : -EPERM; }
-- fs/one/Makefile
"""
KCONFIG = """
-- arch/i386/Kconfig
source "fs/Kconfig"
source "arch/i386/oprofile/Kconfig"
-- fs/Kconfig
config ONE_FS
	bool
menuconfig OTHER
	bool "Other"
"""
UNBUILT = {
    "as itself": "obj-$(CONFIG_ONE) += check.o inode.o",
    "as a part": "obj-$(CONFIG_ONE) += one.o\n\none-objs := inode.o \\\n\tcheck.o",
    "as a part of a part": "obj-$(CONFIG_ONE) += one.o\none-y += two.o\ntwo-y := check.o",
}
BUILT = {
    "under its name": "obj-$(CONFIG_ONE_FS) += check.o",
    "under a menu's name": "obj-$(CONFIG_OTHER) += check.o",
    "elsewhere too": "obj-$(CONFIG_ONE) += check.o\nobj-y += check.o",
    "as a part of another": "obj-$(CONFIG_ONE) += one.o\none-y := check.o\nobj-y += check.o",
    "what the Makefile sets": "CONFIG_ONE := y\nobj-$(CONFIG_ONE) += check.o",
    "by another Makefile": "obj-$(CONFIG_ONE) += check.o\n-- fs/Makefile\nobj-y += one/check.o",
}


def reached(makefile: str, kconfig: str = KCONFIG) -> bool:
    return bool(linked(f"{FS}{makefile}\n{kconfig}").syscall_checks)


@pytest.mark.parametrize("makefile", UNBUILT.values(), ids=list(UNBUILT))
def test_what_waits_for_an_option_that_is_not_there(makefile: str) -> None:
    assert not reached(makefile)


@pytest.mark.parametrize("makefile", BUILT.values(), ids=list(BUILT))
def test_what_some_kernel_is_built_from(makefile: str) -> None:
    assert reached(makefile)


def test_a_release_without_all_of_kconfig_tells_nothing() -> None:
    makefile = UNBUILT["as itself"]
    assert reached(makefile, kconfig="")
    assert reached(makefile, kconfig=KCONFIG + "source fs/Kconfig.binfmt\n")
