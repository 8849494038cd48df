"""What needs an option that no kernel with an ABI has is built by none."""

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
	bool "One"
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
    "by a variable": "obj-$(CONFIG_ONE) += check.o\nobj-y += ch$(LETTER)ck.o",
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


BY_OPTION = UNBUILT["as itself"]
ABOUT = 'config ONE\n\ttristate "One"\n'
BARE = "config ONE\n\tbool\n"
OTHER = 'config A\n\tbool "A"\n'
EXCLUDED = {
    "by an option of nobody": f"{ABOUT}\tdepends on PPC",
    "with others": f"{ABOUT}\tdepends on OTHER && (PPC || SPARC) && m",
    "by a block": f"if PPC\n{ABOUT}endif",
    "by a menu": f'menu "For PPC"\n\tdepends on PPC\n{ABOUT}endmenu',
    "at second hand": f"{ABOUT}\tdepends on A\n{OTHER}\tdepends on PPC",
    "by the processor": f"{ABOUT}\tdepends on 64BIT\nconfig 64BIT\n\tdef_bool y",
    "by what the processor has": f"{ABOUT}\tdepends on !X86_32",
    "selected by nothing": BARE,
    "selected by what is not there": f"{BARE}{OTHER}\tdepends on PPC\n\tselect ONE",
    "selected for another architecture": f"{BARE}-- arch/ppc/Kconfig\n{OTHER}\tselect ONE",
}
POSSIBLE = {
    "or another": f"{ABOUT}\tdepends on PPC || OTHER",
    "without it": f"{ABOUT}\tdepends on !PPC",
    "compared": f"{ABOUT}\tdepends on PPC=n",
    "behind a block": f"if PPC\nendif\n{ABOUT}",
    "behind a text of help": f"{OTHER}\thelp\n\t  It needs\n\t  if PPC\n\n{ABOUT}",
    "behind a comment": f'comment "For PPC"\n\tdepends on PPC\n{ABOUT}',
    "defined twice": f"{ABOUT}\tdepends on PPC\n{ABOUT}",
    "selected": f"{BARE}{OTHER}\tselect ONE",
    "selected by the architecture": f"{BARE}-- arch/x86/Kconfig\n{OTHER}\tselect ONE",
    "set by default": f"{BARE}\tdefault y",
    "by the compiler": f'{ABOUT}\tdepends on $(cc-option,-m1) && CC != "x"',
}


@pytest.mark.parametrize("more", EXCLUDED.values(), ids=list(EXCLUDED))
def test_an_option_that_needs_what_is_not_there(more: str) -> None:
    """drivers/scsi/cxlflash is for powerpc alone (6.8)."""
    assert not reached(BY_OPTION, f"{KCONFIG}\n{more}\n")


@pytest.mark.parametrize("more", POSSIBLE.values(), ids=list(POSSIBLE))
def test_an_option_that_some_kernel_has(more: str) -> None:
    assert reached(BY_OPTION, f"{KCONFIG}\n{more}\n")
