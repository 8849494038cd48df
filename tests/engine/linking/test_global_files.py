"""A file that the kernel keeps in a variable is none that a syscall names."""

from __future__ import annotations

import pytest

from tests.engine.adapters import linked

KERNEL = """
-- include/linux/fs.h
struct file { struct file_operations *f_op; };
struct file_operations { int (*write)(struct file *file, int n); };
struct proc_dir_entry { int (*write_proc)(int n); };
-- fs/proc.c
#include <linux/fs.h>
static int proc_write(struct file *file, int n)
{
    struct proc_dir_entry *entry = pde(file);
    return entry->write_proc(n);
}
struct file_operations proc_fops = { .write = proc_write };
-- drivers/my.c
#include <linux/fs.h>
static int my_write(int n) { return capable(CAP_A) ? 0 : -1; }
int init_my(void)
{
    struct proc_dir_entry *entry = create_proc_entry("my", 0, 0);
    entry->write_proc = my_write;
    return 0;
}
-- fs/write.c
#include <linux/fs.h>
int sys_write(int fd, int n)
{
    struct file *file = fget(fd);
    return file->f_op->write(file, n);
}
-- kernel/acct.c
#include <linux/fs.h>
static struct { struct file *file; int active; } globals;
static struct file *kept;
struct file whole;
static int record(int code, struct file *file) { return file->f_op->write(file, code); }
int sys_exit(int fd, int code)
{
    struct file *file = NULL;
    EXIT
}
"""
OF_THE_KERNEL = {
    "a variable": "return record(code, kept);",
    "a member of one": "if (globals.file) { file = globals.file; return record(code, file); }",
    "a file itself": "return whole.f_op->write(&whole, code);",
}
PLACES = ["kept", "globals.file", "whole"]
OF_THE_CALLER = {
    "a descriptor": "file = fget(fd); return record(code, file);",
    "either": "file = kept; if (fd) file = fget(fd); return record(code, file);",
    "one call hands one on": "record(code, kept); return record(code, fget(fd));",
}


def ways(ending: str) -> set[tuple[str, str, str | None]]:
    """The syscalls with the operation by which they come to the check, and their first pointer."""
    rows = linked(KERNEL.replace("EXIT", ending)).syscall_checks
    through = [(row, [step.via for step in row.chain if step.via]) for row in rows if row.feasible]
    return {(row.syscall, row.meaning.operation, vias[0]) for row, vias in through}


WRITE = ("write", "/proc/my", "file_operations.write")


@pytest.mark.parametrize(
    ("ending", "place"),
    list(zip(OF_THE_KERNEL.values(), PLACES, strict=True)),
    ids=OF_THE_KERNEL,
)
def test_what_the_kernel_keeps_is_named_by_no_caller(ending: str, place: str) -> None:
    assert ways(ending) == {WRITE, ("exit", "", f"file_operations.write of {place}")}


@pytest.mark.parametrize("ending", OF_THE_CALLER.values(), ids=OF_THE_CALLER)
def test_what_a_caller_may_hand_on_is_its_own(ending: str) -> None:
    assert ways(ending) == {WRITE, ("exit", "/proc/my", "file_operations.write")}
