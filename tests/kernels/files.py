"""A kernel as one text, in which ``-- path`` begins a file::

-- fs/open.c
int sys_open(void) { return capable(CAP_A) ? 0 : -1; }
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeAlias

Kernel: TypeAlias = "str | Mapping[str, str | bytes]"
"""A kernel as one text, or the content of each of its files by path."""

SYSCALL_TABLE = "include/linux/sys.h"

_FILE = re.compile(r"^-- (\S+)\n", re.M)
_ENTRY = re.compile(r"^(?:asmlinkage )?(?:int|long) (sys_\w+)\(", re.M)


def split_files(kernel: str) -> dict[str, str]:
    """The files of a kernel that is given as one text, by path."""
    parts = _FILE.split(kernel)
    assert not parts[0].strip(), "a kernel begins with the name of a file"
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def files_of(kernel: Kernel) -> dict[str, bytes]:
    """The content of a kernel's files by path.

    Every ``sys_…`` function of a kernel that is given as one text is a system call, unless the
    text has a system-call table of its own.
    """
    files: Mapping[str, str | bytes]
    if isinstance(kernel, str):
        files = split_files(kernel)
        if "sys_call_table" not in kernel and "syscall_32.tbl" not in kernel:
            entries = ", ".join(dict.fromkeys(_ENTRY.findall(kernel)))
            files = {**files, SYSCALL_TABLE: f"fn_ptr sys_call_table[] = {{ {entries} }};\n"}
    else:
        files = kernel
    return {
        path: content.encode("latin-1") if isinstance(content, str) else content
        for path, content in files.items()
    }
