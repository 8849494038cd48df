"""Code that kernel threads alone run is no step of a syscall's chain."""

from __future__ import annotations

import pytest

from tests.engine.adapters import linked

QUEUE = """
-- include/linux/queue.h
struct queue;
struct work { void (*func)(void); };
-- kernel/queue.c
#include <linux/queue.h>
struct queue { struct task_struct *thread; struct work *first; };
static void run(struct queue *queue) { queue->first->func(); }
static int worker(void *data) { run(data); return 0; }
static struct task_struct *make(struct queue *queue)
{
    struct task_struct *p;
    queue->thread = NULL;
    p = MAKE;
    if (IS_ERR(p))
        return NULL;
    queue->thread = p;
    return p;
}
static void stop(struct queue *queue) { queue->thread = NULL; }
MORE
static void flush(struct queue *queue)
{
    FLUSH
}
int sys_flush(int n) { flush(find(n)); return 0; }
-- drivers/one.c
#include <linux/queue.h>
static void poll(void) { capable(CAP_A); }
static struct work one = { .func = poll };
"""
MADE = "kthread_create(worker, queue, name)"
WORKER = {
    "equal": "if (queue->thread == current) run(queue);",
    "the other way round": "if (current == queue->thread && queue->first) run(queue);",
    "unequal leaves": "if (queue->thread != current) return; run(queue);",
}
ANYBODY = {
    "another task": "if (queue->thread != current) run(queue);",
    "either": "if (queue->thread == current || queue->first) run(queue);",
    "another member": "if (queue->owner == current) run(queue);",
}


def reached(flush: str, made: str = MADE, more: str = "") -> bool:
    kernel = QUEUE.replace("FLUSH", flush).replace("MAKE", made).replace("MORE", more)
    return any(row.syscall == "flush" for row in linked(kernel).syscall_checks)


@pytest.mark.parametrize("flush", WORKER.values(), ids=list(WORKER))
def test_what_a_worker_runs_itself_nobody_else_does(flush: str) -> None:
    assert not reached(flush)


@pytest.mark.parametrize("flush", ANYBODY.values(), ids=list(ANYBODY))
def test_what_others_run_too_is_a_step(flush: str) -> None:
    assert reached(flush)


def test_a_member_that_may_hold_any_task_tells_nothing() -> None:
    flush = WORKER["equal"]
    assert reached(flush, made="find_task(queue)")
    assert reached(flush, more="static void own(struct queue *q) { q->thread = current; }")
