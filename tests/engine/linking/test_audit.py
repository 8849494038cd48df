"""The accounting of a release: every occurrence of a check's name is told where it went."""

from __future__ import annotations

from caphistory.records import AuditDetail
from tests.engine.adapters import linked

MENTIONS = """
-- include/linux/sched.h
extern int suser(void);
extern int capable(int cap);
#define ask(x) capable(x)
#define root suser
-- kernel/sys.c
#include <linux/sched.h>
/* suser() in a comment */
int suser(void)
{
    return current->euid == 0;
}
int capable(int cap)
{
    return cap_raised(current->effective, cap);
}
EXPORT_SYMBOL(suser);
int sys_one(void)
{
    printk("suser() in a string");
    if (!suser())
        return -1;
    return capable(CAP_A) ? 0 : -1;
}
"""


def test_every_occurrence_is_a_call_in_a_macro_a_definition_or_a_declaration() -> None:
    audit = linked(MENTIONS).audit
    assert (audit.calls, audit.macros, audit.definitions, audit.declarations) == (3, 2, 3, 3)
    assert audit.lexical == 11
    assert audit.unexplained == 0


def test_an_occurrence_that_was_not_read_shows_up_with_its_place() -> None:
    text = """
-- kernel/one.c
int sys_one(void) { return 0; }
#if suser() > 1
#endif
"""
    kernel = linked(text)
    assert kernel.audit.unexplained == 1
    assert AuditDetail("unexplained", "kernel/one.c", 2, "suser") in kernel.audit_details


def test_the_bounds_are_told_with_every_release() -> None:
    details = {each.detail for each in linked(MENTIONS).audit_details if each.kind == "cut_off"}
    assert "chains of more than 14 steps, 0 of them through a pointer" in details
    assert "chains of more than 5 pointer steps" in details
    assert any(each.startswith("to sites that no syscall comes to so:") for each in details)
    assert len(details) == 8


def test_pointer_calls_are_counted_with_their_targets() -> None:
    text = """
-- kernel/one.c
struct ops { int (*ask)(int); int (*tell)(int); };
static int one(int n) { return 0; }
static int two(int n) { return 0; }
struct ops a = { .ask = one }, b = { .ask = two };
int sys_one(struct ops *ops, int n) { return ops->ask(n) + ops->tell(n); }
int sys_two(void *handle, int n) { return handle->ask(n) + handle->other(n); }
"""
    kernel = linked(text)
    assert (kernel.audit.pointer_calls, kernel.audit.pointer_calls_resolved) == (4, 1)
    details = {d.kind: d.detail for d in kernel.audit_details}
    assert details["pointer_calls_by_name"].startswith("1 calls")
    assert details["targets_per_call"] == "2.0 on average, 2 at most (ops.ask)"


def test_functions_and_errors_are_counted() -> None:
    text = """
-- kernel/one.c
int sys_one(void) { return 0; }
static inline int two(void) { return 0; }
int broken(void) { int [ = ; return 0; }
#define three(x) two()
"""
    audit = linked(text).audit
    assert (audit.functions, audit.parse_errors) == (3, 1)


def test_pointer_calls_and_those_that_their_type_resolves() -> None:
    text = """
-- kernel/one.c
struct ops { int (*stored)(int); int (*empty)(int); };
static int f(int n) { return n; }
struct ops ops = { f };
int sys_one(struct ops *p, struct unknown *u, int (*given)(int))
{
    p->stored(1);
    p->empty(1);
    u->stored(1);
    given(1);
    return sys_two(f);
}
int sys_two(int (*called)(int))
{
    return called(1);
}
-- arch/sparc/kernel/two.c
int elsewhere(struct ops *p) { return p->stored(1); }
"""
    audit = linked(text).audit
    assert (audit.pointer_calls, audit.pointer_calls_resolved) == (5, 2)


def test_a_name_that_several_files_define_is_told_where_a_chain_uses_it() -> None:
    text = """
-- drivers/scsi/one.c
int sys_one(void) { return queue(); }
int sys_two(void) { return plain(); }
-- drivers/scsi/queue.c
int queue(void) { return capable(CAP_A) ? 0 : -1; }
-- net/queue.c
int queue(void) { return 0; }
-- lib/plain.c
int plain(void) { return capable(CAP_A) ? 0 : -1; }
"""
    rows = [d for d in linked(text).audit_details if d.kind == "ambiguous"]
    assert rows == [
        AuditDetail(
            "ambiguous",
            "drivers/scsi/one.c",
            1,
            "queue of drivers/scsi/queue.c, not of net/queue.c",
        )
    ]


WRAPPER = """
-- include/linux/sched.h
extern int capable(int cap);
-- fs/namespace.c
#include <linux/sched.h>
static int may_mount(void)
{
    return capable(CAP_SYS_ADMIN);
}
int sys_umount(void)
{
    if (!may_mount())
        return -1;
    return 0;
}
"""


def test_calls_of_a_wrapper_count_by_its_name_whatever_it_is() -> None:
    audit = linked(WRAPPER).audit
    assert (audit.calls, audit.definitions, audit.declarations) == (2, 1, 1)
    assert (audit.lexical, audit.unexplained) == (4, 0)


def test_a_lost_call_of_a_wrapper_shows_up_with_its_place() -> None:
    kernel = linked(WRAPPER + "#if may_mount() > 1\n#endif\n")
    assert kernel.audit.unexplained == 1
    assert AuditDetail("unexplained", "fs/namespace.c", 12, "may_mount") in kernel.audit_details
