"""Small kernels of our own C, linked: what the tests of linking share.

A kernel is written as one text, in which ``-- path`` begins a file::

    -- fs/open.c
    int sys_open(void) { return capable(CAP_A) ? 0 : -1; }

Every ``sys_…`` function of it is a system call, unless it brings a table of its own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from caphistory.history.folders import blob_id
from caphistory.linking.folders import I386
from caphistory.linking.program import Program
from caphistory.linking.release import Tree, link
from caphistory.records import LinkedRelease, Release, SyscallCheck
from caphistory.syntax.facts import Blob, Item
from caphistory.syntax.reader import read, read_assembler

RELEASE = Release("2.2.24", "2.2", "release", 1, None, "tests", None)
TABLE = "include/linux/sys.h"

_FILE = re.compile(r"^-- (\S+)\n", re.M)
_ENTRY = re.compile(r"^(?:asmlinkage )?(?:int|long) (sys_\w+)\(", re.M)


def files_of(text: str) -> dict[str, str]:
    """The files of a kernel, with a system-call table if it has none."""
    parts = _FILE.split(text)
    assert not parts[0].strip(), "a kernel begins with the name of a file"
    files = dict(zip(parts[1::2], parts[2::2], strict=True))
    if "sys_call_table" not in text and "syscall_32.tbl" not in text:
        entries = ", ".join(dict.fromkeys(_ENTRY.findall(text)))
        files[TABLE] = f"fn_ptr sys_call_table[] = {{ {entries} }};\n"
    return files


def put(program: Program, files: Mapping[str, str]) -> Program:
    """Make ``program`` hold these files, read from their text."""
    blobs: dict[str, Blob] = {}
    items: dict[bytes, Item] = {}
    for path, text in files.items():
        if path.endswith((".c", ".h", ".S", ".s")):
            blobs[path], fresh = _facts(text, path.endswith((".c", ".h")))
            items.update(fresh)
    program.update(blobs, items)
    return program


@cache
def _facts(text: str, c: bool) -> tuple[Blob, Mapping[bytes, Item]]:
    """The facts of a file. What did not change is the same object in the next kernel, as it is
    for a worker: only so is anything kept that was worked out of it."""
    return (read if c else read_assembler)(text.encode())


def program_of(text: str) -> Program:
    """A kernel's program."""
    return put(Program(I386), files_of(text))


def linked(
    text: str,
    program: Program | None = None,
    release: Release = RELEASE,
    *,
    last: bool = False,
) -> LinkedRelease:
    """The rows of a kernel; ``program`` may hold another kernel before."""
    files = files_of(text)
    contents = {blob_id(content.encode()): content.encode() for content in files.values()}
    blobs = {path: blob_id(content.encode()) for path, content in files.items()}
    program = put(program or Program(I386), files)
    return link(release, program, Tree(blobs, contents.__getitem__), [], last=last)


def told(row: SyscallCheck) -> str:
    """A row as text: ``sys_bind (proto_ops.bind) inet_bind: CAP_A``, where a bare space
    between two functions is a direct call."""
    steps = [
        step.function if step.via is None else f"{step.function} ({step.via})" for step in row.chain
    ]
    return f"{' '.join(steps)}: {row.check.capability or row.check.check_name}"


def chains(text: str) -> set[str]:
    """Every row of a kernel as text."""
    return {told(row) for row in linked(text).syscall_checks}
