"""The capabilities that a release defines."""

from __future__ import annotations

from caphistory.records import CapabilityDefinition
from tests.engine.adapters import linked

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


def test_a_header_for_user_space_that_defines_none_stands_back() -> None:
    path = "include/linux/capability.h"
    text = HEADER % path + "-- include/uapi/linux/capability.h\n#define CAP_LAST_CAP 5\n"
    assert [row.path for row in linked(text).capability_definitions] == [path, path]
