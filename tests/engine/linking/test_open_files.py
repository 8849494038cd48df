"""What an open file shows is read by an operation of its own table."""

from __future__ import annotations

from tests.engine.adapters import linked

KERNEL = """
-- include/linux/fs.h
struct file_operations {
    int (*open)(struct file *); int (*read)(struct file *, int); int (*read_iter)(struct kiocb *);
};
struct seq_operations { int (*show)(int); };
struct seq_file { struct seq_operations *op; };
struct file { struct file_operations *f_op; struct seq_file *private_data; };
struct pid_entry { char *name; struct file_operations *fops; };
struct kiocb { struct file *file; };
-- fs/seq_file.c
#include <linux/fs.h>
int single_open(struct file *file, int (*show)(int), void *data)
{
    struct seq_operations *op = kmalloc(sizeof(*op));
    op->show = show;
    return seq_open(file, op);
}
int seq_read_iter(struct kiocb *kiocb) { return kiocb->file->private_data->op->show(1); }
int seq_read(struct file *file, int n) { struct kiocb kiocb; return seq_read_iter(&kiocb); }
-- fs/read.c
#include <linux/fs.h>
int sys_read(struct file *file) { return file->f_op->read(file, 1); }
int sys_splice(struct kiocb *kiocb) { return kiocb->file->f_op->read_iter(kiocb); }
-- fs/iterator.c
#include <linux/fs.h>
static int iter_open(struct file *file) { return 0; }
static int iter_read(struct file *file, int n) { return file->private_data->op->show(1); }
struct file_operations iter = { .open = iter_open, .read = iter_read };
-- fs/slack.c
#include <linux/fs.h>
static int slack_show(int n) { return capable(CAP_A) ? 0 : -1; }
static int slack_open(struct file *file) { return single_open(file, slack_show, NULL); }
struct file_operations slack = { .open = slack_open, .SLOT };
struct file_operations other = { .open = plain_open, .read_iter = seq_read_iter };
struct pid_entry entries[] = { { "slack", &slack } };
"""


def shown(slot: str) -> set[tuple[str, str, str]]:
    """Each syscall with the file and the operation by which it may come to the check."""
    rows = linked(KERNEL.replace("SLOT", slot)).syscall_checks
    feasible = (row for row in rows if row.feasible)
    return {(row.syscall, row.meaning.operation, row.chain[1].function) for row in feasible}


def test_what_is_shown_is_read_by_the_table_that_its_open_is_in() -> None:
    assert shown("read = seq_read") == {("read", "/proc/PID/slack", "seq_read")}


def test_another_slot_of_the_table_is_another_syscalls() -> None:
    assert shown("read_iter = seq_read_iter") == {("splice", "/proc/PID/slack", "seq_read_iter")}


def test_what_a_table_does_not_tell_may_be_read_by_any() -> None:
    text = KERNEL.replace("single_open(file, slack_show", "make_file(file, slack_show")
    text = text.replace("SLOT", "read = seq_read")
    text += "int op(struct seq_operations *op) { op->show = slack_show; return 0; }\n"
    rows = linked(text).syscall_checks
    assert {row.syscall for row in rows if row.feasible} == {"read", "splice"}
