"""A release as a whole: capability definitions, and going from one release to the next."""

from __future__ import annotations

import itertools

from caphistory.linking.folders import I386
from caphistory.linking.program import Program
from caphistory.records import CapabilityDefinition

from . import test_checks, test_linkage, test_pointers, test_syscalls
from .kernels import linked

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
