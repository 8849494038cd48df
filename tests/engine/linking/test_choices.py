"""Checks that a call through a local variable calls what the variable was set to."""

from __future__ import annotations

import pytest

from tests.engine.adapters import linked

VECTORS = """
-- fs/vectors.c
#define READ 0
#define WRITE 1
typedef int (*io_fn_t)(struct file *, int);
struct file_operations { io_fn_t read; io_fn_t write; io_fn_t seek; };
struct file { struct file_operations *f_op; };
static int my_read(struct file *f, int n) { return capable(CAP_B); }
static int my_write(struct file *f, int n) { return capable(CAP_A); }
struct file_operations my_fops = { .read = my_read, .write = my_write };
static int vectors(int type, struct file *f)
{
    DECLARED;

    CHOSEN
    return fn(f, 2);
}
int sys_readv(struct file *f) { return vectors(READ, f); }
int sys_writev(struct file *f) { return vectors(WRITE, f); }
int sys_any(struct file *f, int type) { return vectors(type, f); }
"""


def find_asking(chosen: str, declared: str = "io_fn_t fn", asked: str = "CAP_A") -> set[str]:
    text = VECTORS.replace("CHOSEN", chosen).replace("DECLARED", declared)
    rows = linked(text).syscall_checks
    return {row.syscall for row in rows if row.feasible and row.check.capability == asked}


@pytest.mark.parametrize(
    "chosen",
    [
        "fn = f->f_op->read; if (type == WRITE) fn = (io_fn_t) f->f_op->write;",
        "fn = type == READ ? f->f_op->read : f->f_op->write;",
        "if (type == READ) fn = f->f_op->read; else fn = f->f_op->write;",
    ],
)
@pytest.mark.parametrize("declared", ["io_fn_t fn", "int (*fn)(struct file *, int)"])
def test_a_constant_chooses_the_function_that_a_variable_is_set_to(
    chosen: str, declared: str
) -> None:
    assert find_asking(chosen, declared) == {"writev", "any"}


def test_what_a_variable_was_set_to_before_is_not_called() -> None:
    chosen = "fn = f->f_op->read; if (type == WRITE) fn = f->f_op->write;"
    assert find_asking(chosen, asked="CAP_B") == {"readv", "any"}


@pytest.mark.parametrize(
    ("chosen", "why"),
    [
        ("fn = f->f_op->write;", "any type"),
        ("fn = f->f_op->read; if (f->flags) fn = f->f_op->write;", "another condition"),
        ("fn = f->f_op->write; if (type == READ) fn = find(f);", "nobody knows what"),
        ("type = get(f); fn = type ? f->f_op->write : f->f_op->read;", "another type"),
        ("fn = f->f_op->read; change(&fn); if (f->n) fn = f->f_op->write;", "its address"),
    ],
)
def test_what_may_be_chosen_is_called(chosen: str, why: str) -> None:
    assert find_asking(chosen) == {"readv", "writev", "any"}, why
