"""Checks that constants on the way switch off are told apart, and only those."""

from __future__ import annotations

import pytest

from tests.engine.adapters import linked

SIGNALS = """
-- kernel/signal.c
int send_sig(int sig, struct task_struct *p, int priv)
{
    if (!priv && current->session != p->session && !suser())
        return -EPERM;
    return 0;
}
int force_sig(int sig) { return send_sig(sig, current, 1); }
int sys_kill(int pid, int sig) { return send_sig(sig, find(pid), 0); }
int sys_fault(int at) { return force_sig(11); }
int sys_either(int pid, int priv) { return send_sig(9, find(pid), priv); }
"""

FLAGS = """
-- include/linux/fs.h
#define ATTR_MODE 1
#define ATTR_UID (1 << 1)
#define ATTR_CTIME 0x40
-- fs/attr.c
#include <linux/fs.h>
int notify_change(struct inode *inode, struct iattr *attr)
{
    unsigned int valid = attr->ia_valid;

    if ((valid & ATTR_UID) && !capable(CAP_CHOWN))
        return -EPERM;
    return 0;
}
int sys_chmod(struct inode *inode)
{
    struct iattr newattrs;

    newattrs.ia_valid = ATTR_MODE | ATTR_CTIME;
    return notify_change(inode, &newattrs);
}
int sys_chown(struct inode *inode, int user)
{
    struct iattr newattrs;

    newattrs.ia_valid = ATTR_CTIME;
    if (user != -1)
        newattrs.ia_valid |= ATTR_UID;
    return notify_change(inode, &newattrs);
}
int sys_opaque(struct inode *inode)
{
    struct iattr newattrs;

    newattrs.ia_valid = ATTR_CTIME;
    fill_in(&newattrs);
    return notify_change(inode, &newattrs);
}
"""


def feasible(text: str) -> dict[str, int]:
    return {row.syscall: row.feasible for row in linked(text).syscall_checks}


def test_a_constant_argument_decides_a_guard_two_calls_further() -> None:
    assert feasible(SIGNALS) == {"kill": 1, "fault": 0, "either": 1}


def test_flags_that_a_caller_never_sets_switch_a_check_off() -> None:
    rows = feasible(FLAGS)
    assert rows["chmod"] == 0
    assert rows["chown"] == 1


def test_a_struct_that_another_function_may_have_changed_decides_nothing() -> None:
    assert feasible(FLAGS)["opaque"] == 1


@pytest.mark.parametrize(
    ("fill_in", "expected"),
    [
        ("int fill_in(struct iattr *a) { return a->ia_valid & ATTR_UID; }", 0),
        ("int fill_in(struct iattr *a) { a->ia_mode = 7; return look(a); }", 0),
        ("int fill_in(struct iattr *a) { return a->ia_valid ? fill_in(a) : 0; }", 1),
        ("int fill_in(struct iattr *a) { a->ia_valid |= ATTR_UID; return 0; }", 1),
        ("int fill_in(struct iattr *a) { return change(a); }", 1),
        ("int fill_in(struct iattr *a) { return unheard_of(a); }", 1),
        ("int fill_in(struct iattr *a) { return change_at(&a->ia_valid); }", 1),
        ("int fill_in(struct iattr *a) { struct iattr *b; b = a; return change(b); }", 1),
        ("int fill_in(struct iattr *a) { struct iattr *b; b = a; return look(b); }", 0),
        ("int fill_in(void *a) { asm_it(0); return 0; }", 1),
        ("int fill_in(struct iattr *a) { a->ops->look(a); return 0; }", 0),
        ("int fill_in(struct iattr *a) { a->ops->change(a); return 0; }", 1),
        ("int fill_in(struct iattr *a) { a->ops->unheard_of(a); return 0; }", 1),
        ("int fill_in(void) { return 0; }", 1),
        ("int fill_in(struct iattr *a) { a = other; return 0; }", 0),
        ("#define fill_in(a) (look(a))", 1),
        ("#define fill_in(a) ((a)->ia_valid |= ATTR_UID)", 1),
    ],
)
def test_a_function_that_leaves_a_member_alone_does_not_change_it(
    fill_in: str, expected: int
) -> None:
    """dq_op->transfer between the flags of chown and notify_change, 2.0.40."""
    text = (
        FLAGS
        + f"""
struct ops {{ int (*look)(struct iattr *); int (*change)(struct iattr *);
    int (*unheard_of)(int); }};
struct iattr {{ int ia_valid; int ia_mode; struct ops *ops; }};
static int look(struct iattr *a) {{ return a->ia_mode + a->ia_valid; }}
static int change(struct iattr *a) {{ a->ia_valid = ATTR_UID; return 0; }}
struct ops both = {{ .look = look, .change = change }};
{fill_in}
"""
    )
    assert feasible(text)["opaque"] == expected


def test_only_feasible_syscalls_count_as_sharing_a_site() -> None:
    rows = {row.syscall: row for row in linked(SIGNALS).syscall_checks}
    assert rows["kill"].shared_by == 2


def test_a_longer_feasible_chain_is_preferred_to_a_shorter_one_that_is_switched_off() -> None:
    text = """
-- kernel/sys.c
static int ask(int quiet) { return quiet || capable(CAP_A) ? 0 : -EPERM; }
static int slowly(void) { return ask(0); }
int sys_one(void) { return ask(1) + slowly(); }
"""
    (row,) = linked(text).syscall_checks
    assert row.feasible == 1
    assert [step.function for step in row.chain] == ["sys_one", "slowly", "ask"]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("priv = look_up(pid);", "the callee sets it itself"),
        ("get_user(priv, pid);", "a macro may set it"),
        ("priv++;", "it is counted up"),
    ],
)
def test_a_variable_that_may_change_decides_nothing(change: str, why: str) -> None:
    text = f"""
-- kernel/sys.c
int ask(int priv) {{ return !priv && !suser() ? -EPERM : 0; }}
int sys_one(int pid) {{ int priv = 1; {change} return ask(priv); }}
"""
    assert feasible(text) == {"one": 1}, why


def test_a_step_under_a_guard_that_fails_is_not_taken() -> None:
    text = """
-- kernel/sys.c
int work(int admin) { if (admin) return capable(CAP_A); return 0; }
int sys_plain(void) { return work(0); }
int sys_admin(void) { return work(1); }
"""
    assert feasible(text) == {"plain": 0, "admin": 1}


VALUES = """
-- kernel/sys.c
#define ONE 1
#define FLAG 2
struct attr {{ int uid; int gid; }};
int work(int x, struct attr *p)
{{
    {before}
    if ({guard})
        return capable(CAP_TRUE);
    return capable(CAP_FALSE);
}}
int sys_one(int n, struct attr *a) {{ struct attr own; return work({value}); }}
"""


@pytest.mark.parametrize(
    ("guard", "value", "truth"),
    [
        ("!x", "1", False),
        ("!x", "n", None),
        ("!x && look()", "1", False),
        ("!x || look()", "1", None),
        ("x || look()", "1", True),
        ("x == 2", "2", True),
        ("x != 2", "2", False),
        ("x == 2", "3", False),
        # 4294967295 and -1 may be the same.
        ("x == -1", "0xffffffff", None),
        ("x < 0", "0xffffffff", None),
        ("x & 1", "2", False),
        ("x & 1", "n ? 1 : 0", None),
        ("x & 1", "n ? 1 : 3", True),
        ("x & look() & 1", "1", None),
        ("x & look() & 1", "2", False),
        ("x & ~1 & 1", "1 | n", False),
        ("x & 1", "1 | n", True),
        ("x == 2", "1 | n", False),
        ("(x | 1) & 1", "4", True),
        ("x & FLAG", "2", True),
        ("x & FLAG", "1", False),
        ("x & UNHEARD", "2", None),
        ("x & UNHEARD", "0", False),
        ("x <= 0", "0", True),
        ("x > 0", "0", False),
        ("x >= 1", "ONE", True),
        ("x == 16", "1 << 4", True),
        ("x == 4", "16 >> 2", True),
        ("x == 7", "1 + 2 * 3", True),
        ("x == 5", "1 ^ 4", True),
        ("x == 3", "ONE | FLAG", True),
        ("x & 1", "ONE | UNHEARD", True),
        ("x & 2", "ONE | UNHEARD", None),
        ("x", "n != n", None),
        ("x", "2 != 0", True),
        ("x", "lower", None),
        ("x == OTHER", "UNHEARD", None),
        ("x == UNHEARD", "UNHEARD", True),
        ("x", "UNHEARD", None),
        # An address is no null, and no number that is known.
        ("!p", "0, &own", False),
        ("p == 0", "0, &own", False),
        ("p == 1", "0, &own", None),
        ("!p", "0, a", None),
        # A task is never unlike itself.
        ("current->uid ^ p->uid", "0, current", False),
        ("current->uid == p->uid", "0, current", True),
        ("current->uid != p->uid", "0, current", False),
        ("current->uid - p->uid", "0, current", False),
        ("current->uid ^ p->gid", "0, current", None),
        ("current->uid == p->uid", "0, other", None),
    ],
)
def test_guards_are_decided_only_where_constants_suffice(
    guard: str, value: str, truth: bool | None
) -> None:
    rows = linked(VALUES.format(guard=guard, value=value, before="")).syscall_checks
    feasible = {row.check.capability: bool(row.feasible) for row in rows}
    assert feasible == {"CAP_TRUE": truth is not False, "CAP_FALSE": truth is not True}


@pytest.mark.parametrize(
    ("before", "guard", "value", "truth"),
    [
        # Flags that are added may be there or not.
        ("if (look()) x |= 1;", "x & 1", "2", None),
        ("if (look()) x |= 1;", "x & 2", "2", True),
        ("if (look()) x |= 1;", "x & 4", "2", False),
        ("if (look()) x &= ~2;", "x & 2", "2", None),
        ("if (look()) x &= ~2;", "x & 4", "2", False),
        ("int y = x & 6;", "y & 2", "2", True),
    ],
)
def test_flags_that_are_added_and_taken_away(
    before: str, guard: str, value: str, truth: bool | None
) -> None:
    rows = linked(VALUES.format(guard=guard, value=value, before=before)).syscall_checks
    feasible = {row.check.capability: bool(row.feasible) for row in rows}
    assert feasible == {"CAP_TRUE": truth is not False, "CAP_FALSE": truth is not True}


@pytest.mark.parametrize(
    ("labels", "value", "feasible"),
    [
        # Of the cases in order: which may be taken.
        ("ONE TWO", "ONE", "ONE"),
        ("ONE TWO", "TWO", "TWO"),
        ("ONE TWO", "THREE", "ONE TWO"),
        ("ONE TWO", "1", "ONE"),
        ("ONE TWO", "3", "TWO"),
        ("1 2", "3", ""),
        ("1 2", "2", "2"),
        ("1 2 default", "3", "default"),
        ("1 2 default", "1", "1"),
        ("1 default", "THREE", "1 default"),
        ("1 2", "n", "1 2"),
    ],
)
def test_labels(labels: str, value: str, feasible: str) -> None:
    """C allows no label twice: labels that have different names are different."""
    cases = "".join(
        f"    {'case ' * (label != 'default')}{label}: return capable(CAP_{label.upper()});\n"
        for label in labels.split()
    )
    kernel = f"""
-- kernel/sys.c
#define ONE 1
int work(int x)
{{
    switch (x) {{
{cases}    }}
    return 0;
}}
int sys_one(int n) {{ return work({value}); }}
"""
    rows = linked(kernel).syscall_checks
    taken = {row.check.capability for row in rows if row.feasible}
    assert taken == {f"CAP_{label.upper()}" for label in feasible.split()}


EARLY = """
-- kernel/sys.c
int work(int quiet, int other)
{
    %s
    return capable(CAP_A) ? 0 : -EPERM;
}
int sys_quiet(int n) { return work(1, n); }
int sys_loud(int n) { return work(0, n); }
"""


@pytest.mark.parametrize(
    ("before", "quiet"),
    [
        ("if (quiet) return 0;", 0),
        ("if (quiet) { note(other); return 0; }", 0),
        ("if (quiet || other) return 0;", 0),
        ("if (!quiet) note(other); else return 0;", 0),
        ("if (quiet && other) return 0;", 1),
        ("if (quiet) note(other);", 1),
        ("if (quiet) goto out;", 0),
        ("if (other) goto ask; if (quiet) return 0; ask: ;", 1),
        ("while (other) { if (quiet) break; other--; }", 1),
        ("quiet = look(); if (quiet) return 0;", 1),
        ("for_each(other) if (quiet) return 0;", 1),
        ("\n#ifdef CONFIG_QUIET\nif (quiet) return 0;\n#endif\n", 1),
        ("\nif (other\n#ifdef CONFIG_QUIET\n|| quiet\n#endif\n) return 0;", 1),
        ("\n#ifdef CONFIG_QUIET\nif (quiet) return 0;\nnote(other);\n#endif\n", 1),
        ("\n#ifdef CONFIG_LOUD\nnote(other);\n#endif\nif (quiet) return 0;", 0),
        ("for_each(other) { if (quiet) return 0; }", 1),
        ("if (quiet) return 0; again: if (other--) goto again;", 0),
        ("again: if (quiet) return 0; if (other--) goto again;", 0),
        ("if (other) goto in; if (!quiet) { in: note(other); }", 1),
        ("if (other) goto in; if (quiet) { in: return 0; }", 0),
        ("if (other) goto in; if (quiet) { in: note(other); out: return 0; }", 0),
        ("if (other) goto in; if (quiet) { out: return 0; in: note(other); }", 1),
        ("switch (other) { case 1: if (quiet) return 0; case 2: note(other); }", 1),
    ],
)
def test_what_returned_earlier_does_not_run_on(before: str, quiet: int) -> None:
    rows = feasible(EARLY % before)
    assert rows == {"quiet": quiet, "loud": 1}


def test_a_switch_goes_to_the_case_of_its_constant_and_what_that_falls_through_to() -> None:
    text = """
-- kernel/msg.c
int control(int cmd)
{
    switch (cmd) {
    case MSG_LOOK:
        note(cmd);
    case MSG_SET:
        return capable(CAP_A) ? 0 : -EPERM;
    case MSG_DROP:
        break;
    default:
        return capable(CAP_B) ? 0 : -EPERM;
    }
    return 0;
}
int sys_look(void) { return control(MSG_LOOK); }
int sys_set(void) { return control(MSG_SET); }
int sys_drop(void) { return control(MSG_DROP); }
int sys_else(void) { return control(MSG_ELSE); }
int sys_any(int cmd) { return control(cmd); }
"""
    rows = {(r.syscall, r.check.capability): r.feasible for r in linked(text).syscall_checks}
    assert rows == {
        ("look", "CAP_A"): 1,
        ("look", "CAP_B"): 0,
        ("set", "CAP_A"): 1,
        ("set", "CAP_B"): 0,
        ("drop", "CAP_A"): 0,
        ("drop", "CAP_B"): 0,
        ("else", "CAP_A"): 1,  # another name of MSG_SET, as far as one can tell
        ("else", "CAP_B"): 1,
        ("any", "CAP_A"): 1,
        ("any", "CAP_B"): 1,
    }


def test_flags_that_are_sure_to_be_set_decide_and_may_be_taken_away() -> None:
    text = """
-- fs/attr.c
#define ATTR_MODE 1
#define ATTR_FORCE 2
#define ATTR_CTIME 4
int change(struct iattr *attr)
{
    if (attr->valid & ATTR_FORCE)
        return 0;
    return capable(CAP_A) ? 0 : -EPERM;
}
int set(struct iattr *attr) { attr->valid &= ~ATTR_MODE; return change(attr); }
int unforced(struct iattr *attr) { attr->valid &= ~ATTR_FORCE; return change(attr); }
int sys_forced(void)
{
    struct iattr attr;
    attr.valid = ATTR_FORCE | ATTR_CTIME;
    return change(&attr);
}
int sys_perhaps(int force)
{
    struct iattr attr;
    attr.valid = ATTR_CTIME;
    if (force)
        attr.valid |= ATTR_FORCE;
    return set(&attr);
}
int sys_without(int force)
{
    struct iattr attr;
    attr.valid = ATTR_FORCE;
    return unforced(&attr);
}
"""
    assert feasible(text) == {"forced": 0, "perhaps": 1, "without": 1}


def test_a_member_that_is_zero_decides_a_comparison() -> None:
    text = """
-- net/socket.c
int receive(struct msghdr *msg)
{
    if (msg->controllen <= 0)
        return 0;
    return capable(CAP_A) ? 0 : -EPERM;
}
int sys_send(void) { struct msghdr msg; msg.controllen = 0; return receive(&msg); }
int sys_sendmsg(void) { struct msghdr msg; msg.controllen = look(); return receive(&msg); }
"""
    assert feasible(text) == {"send": 0, "sendmsg": 1}


def test_a_macro_passes_a_struct_on() -> None:
    text = """
-- fs/attr.c
#define ATTR_MODE 1
#define ATTR_UID 2
#define TRANSFER(attr) change(attr)
int change(struct iattr *attr) { return attr->valid & ATTR_UID ? capable(CAP_A) : 0; }
int sys_one(void) { struct iattr a; a.valid = ATTR_MODE; return TRANSFER(&a); }
int sys_two(void) { struct iattr a; a.valid = ATTR_UID; return TRANSFER(&a); }
"""
    assert feasible(text) == {"one": 0, "two": 1}


NAMED = """
-- include/asm-i386/fcntl.h
#define O_CREAT 0100
-- include/asm-alpha/fcntl.h
#define O_CREAT 2
-- include/linux/fcntl.h
#include <asm/fcntl.h>
#define FROM_USER ((struct info *) 0)
#define PRIVATE ((struct info *) 1)
#ifdef CONFIG_NEW
#define QUIET 0x30
#else
#define QUIET 0x10
#endif
#define EITHER ODD
#define EMPTY
#define ROUND ROUND_TOO
#define ROUND_TOO ROUND
#define NAMED_QUIET SHIFTED(1, 4)
#define SHIFTED(n, by) ((n) << (by))
#ifdef CONFIG_NEW
#define ODD 3
#else
#define ODD 4
#endif
-- fs/namei.c
#include <linux/fcntl.h>
int open(int flag, struct info *info, int how)
{
    if ((flag & O_CREAT) && info != PRIVATE && !(how & 0x10) && how != 4)
        return capable(CAP_A) ? 0 : -EPERM;
    return 0;
}
"""


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("open(2, FROM_USER, 0)", 0),
        ("open(0102, FROM_USER, 0)", 1),
        ("open(O_CREAT, FROM_USER, 0)", 1),
        ("open(O_CREAT, PRIVATE, 0)", 0),
        ("open(O_CREAT, FROM_USER, QUIET)", 0),
        ("open(O_CREAT, FROM_USER, EITHER)", 1),
        ("open(O_CREAT, FROM_USER, UNHEARD)", 1),
        ("open(O_CREAT, FROM_USER, EMPTY)", 1),
        ("open(O_CREAT, FROM_USER, ROUND)", 1),
        ("open(O_CREAT, FROM_USER, NAMED_QUIET)", 0),
        ("open(O_CREAT, FROM_USER, SHIFTED(1, 4))", 0),
        ("open(O_CREAT, FROM_USER, SHIFTED(1, 3))", 1),
    ],
)
def test_a_macro_of_the_release_stands_for_its_number(call: str, expected: int) -> None:
    text = f"""{NAMED}
-- net/unix.c
#include <linux/fcntl.h>
int sys_one(int n) {{ return {call}; }}
"""
    assert feasible(text) == {"one": expected}


def test_a_command_of_which_a_switch_knows_nothing_takes_none_of_its_cases() -> None:
    text = """
-- fs/isofs.c
#define CD_SESSION 0x5310
#define CD_EJECT 0x5309
#define BLK_SET _IO(0x12, 1)
int work(int cmd)
{
    switch (cmd) {
    case CD_EJECT:
        return capable(CAP_A);
    case BLK_SET:
        return capable(CAP_B);
    default:
        return capable(CAP_C);
    }
}
int sys_one(void) { return work(CD_SESSION); }
"""
    rows = {row.check.capability: row.feasible for row in linked(text).syscall_checks}
    assert rows == {"CAP_A": 0, "CAP_B": 1, "CAP_C": 1}


def test_a_task_is_never_unlike_itself() -> None:
    text = """
-- kernel/exit.c
int send(int sig, struct task *p, int priv)
{
    if (!p)
        return -1;
    if (!priv && (current->session ^ p->session) && (current->uid ^ p->uid) && !suser())
        return -EPERM;
    return 0;
}
int forward(int sig, struct task *q) { return send(sig, q, 0); }
int moved(struct task *q) { q = q->next; return send(1, q, 0); }
int sys_self(void) { return forward(9, current); }
int sys_other(int pid) { return forward(9, find(pid)); }
int sys_next(void) { return moved(current); }
"""
    assert feasible(text) == {"self": 0, "other": 1, "next": 1}


def test_an_address_is_never_null() -> None:
    text = """
-- fs/inode.c
int get(struct attr *a) { if (!a) return capable(CAP_A); return 0; }
int sys_local(void) { struct attr one; return get(&one); }
int sys_null(void) { return get(NULL); }
"""
    assert feasible(text) == {"local": 0, "null": 1}


@pytest.mark.parametrize(
    ("declared", "why"),
    [
        ("static int quiet = 1; quiet = 0;", "it is set twice"),
        ("static int quiet = 1;", "it may keep what another call left there"),
        ('int quiet = 1; asm("" : "=r" (quiet));', "assembler sets it"),
        ("int quiet = 1; fill(&quiet);", "another function sets it"),
    ],
)
def test_a_variable_that_is_not_what_it_was_declared_as(declared: str, why: str) -> None:
    text = f"""
-- kernel/sys.c
int work(int quiet) {{ if (quiet) return 0; return capable(CAP_A); }}
int sys_one(void) {{ {declared} return work(quiet); }}
"""
    assert feasible(text) == {"one": 1}, why


def test_a_letter_and_a_number_make_a_command() -> None:
    text = """
-- include/asm-i386/ioctl.h
#define _IOC(dir, type, nr, size) (((dir) << 30) | ((type) << 8) | (nr) | ((size) << 16))
#define _IO(type,nr) _IOC(0, (type), (nr), 0)
#define _IOR(type,nr,size) _IOC(2U, (type), (nr), sizeof(size)) /* 'x' */
-- fs/isofs.c
#include <asm/ioctl.h>
#define CD_SESSION 0x5310
#define BLK_SET _IO(0x12, 1)
#define TAPE_SET _IOR('m', 2, struct tape)
#define ALSO _IO('S', 0x10)
int work(int cmd)
{
    switch (cmd) {
    case BLK_SET:
        return capable(CAP_A);
    case TAPE_SET:
        return capable(CAP_B);
    }
    return 0;
}
int also(int cmd)
{
    if (cmd == ALSO)
        return capable(CAP_C);
    return 0;
}
int sys_one(void) { return work(CD_SESSION) + also(CD_SESSION); }
"""
    rows = {row.check.capability: row.feasible for row in linked(text).syscall_checks}
    assert rows == {"CAP_A": 0, "CAP_B": 0, "CAP_C": 1}


def test_either_of_two_constants() -> None:
    text = """
-- drivers/sr.c
int work(int cmd)
{
    switch (cmd) {
    case 2:
        return capable(CAP_A);
    case 4:
        return capable(CAP_B);
    }
    return 0;
}
int sys_door(int lock) { return work(lock ? 4 : 5); }
"""
    rows = {row.check.capability: row.feasible for row in linked(text).syscall_checks}
    assert rows == {"CAP_A": 0, "CAP_B": 1}


@pytest.mark.parametrize(
    ("user", "expected"), [("twice", 0), ("LOOK", 1), ("unheard", 1), ("trace_quiet", 0)]
)
def test_a_variable_that_is_passed_to_functions_alone_keeps_its_value(
    user: str, expected: int
) -> None:
    text = f"""
-- kernel/sys.c
#define LOOK(x) (x = 0)
int twice(int x) {{ return x + x; }}
int work(int quiet) {{ if (quiet) return 0; return capable(CAP_A); }}
int sys_one(void) {{ int quiet = 1; {user}(quiet); return work(quiet); }}
"""
    assert feasible(text) == {"one": expected}


def test_an_argument_of_a_returned_call_is_passed_to_nobody_else() -> None:
    text = """
-- net/socket.c
int fill(struct msghdr *msg) { return look(msg); }
int send(struct msghdr *msg) { if (!msg->len) return 0; return capable(CAP_A); }
int sys_writev(int out)
{
    struct msghdr msg;
    msg.len = 0;
    if (out)
        return fill(&msg);
    return send(&msg);
}
int sys_both(int out)
{
    struct msghdr msg;
    msg.len = 0;
    fill(&msg);
    return send(&msg);
}
"""
    assert feasible(text) == {"writev": 0, "both": 1}


def test_a_macro_may_bring_cases_of_its_own() -> None:
    text = """
-- drivers/sd.c
#define MORE(arg) case 5: return capable(CAP_B)
int work(int cmd, int arg)
{
    switch (cmd) {
    case 4:
        if (!capable(CAP_A))
            return -EPERM;
        return 0;
    MORE(arg);
    }
    return 0;
}
int sys_one(int arg) { return work(5, arg); }
"""
    rows = {row.check.capability: row.feasible for row in linked(text).syscall_checks}
    assert rows == {"CAP_A": 0, "CAP_B": 1}


def test_a_case_that_is_not_configured_leaves_its_label_to_the_default() -> None:
    text = """
-- drivers/sd.c
int work(int cmd)
{
    switch (cmd) {
    case 4:
        return capable(CAP_A);
#ifdef CONFIG_MORE
    case 5:
        return capable(CAP_B);
#endif
    default:
        return capable(CAP_C);
    }
}
int sys_one(void) { return work(5); }
int sys_two(void) { return work(4); }
"""
    rows = {(r.syscall, r.check.capability): r.feasible for r in linked(text).syscall_checks}
    assert rows == {
        ("one", "CAP_A"): 0,
        ("one", "CAP_B"): 1,
        ("one", "CAP_C"): 1,
        ("two", "CAP_A"): 1,
        ("two", "CAP_B"): 0,
        ("two", "CAP_C"): 0,
    }


def test_flags_that_are_added_together_are_there_together() -> None:
    text = """
-- include/linux/flags.h
#define SIZE 1
#define OWNER 2
#define FORCE 4
struct change { int valid; };
-- fs/open.c
#include <linux/flags.h>
static int apply(struct change *c)
{
    if (c->valid & FORCE)
        return 0;
    if ((c->valid & OWNER) && !capable(CAP_A))
        return -1;
    return 0;
}
int sys_force(int n)
{
    struct change c;
    int more = asked(n);
    c.valid = SIZE;
    if (more)
        c.valid |= more | FORCE;
    return apply(&c);
}
int sys_free(int n)
{
    struct change c;
    int more = asked(n);
    c.valid = SIZE;
    if (more)
        c.valid |= more;
    return apply(&c);
}
"""
    rows = {(r.syscall, r.feasible) for r in linked(text).syscall_checks}
    assert rows == {("force", 0), ("free", 1)}


def test_a_file_that_another_includes_has_the_constants_of_that_one() -> None:
    text = """
-- include/linux/mode.h
#define MODE_QUIET 1
#define MODE_READ 2
-- kernel/ask.c
#include <linux/mode.h>
int ask(int mode)
{
    if (mode & MODE_QUIET)
        return capable(CAP_B);
    return capable(CAP_A);
}
-- kernel/part.c
int sys_one(void) { return ask(MODE_READ); }
-- kernel/whole.c
#include <linux/mode.h>
#include "part.c"
"""
    rows = {(r.check.capability, r.feasible) for r in linked(text).syscall_checks}
    assert rows == {("CAP_A", 1), ("CAP_B", 0)}


def test_a_macro_with_any_number_of_arguments_passes_them_on() -> None:
    text = """
-- net/one.c
#define ONE_OF(f, a, ...) ((f) == (a) ? a(__VA_ARGS__) : f(__VA_ARGS__))
struct msg { int len; };
struct proto { int (*send)(struct msg *m, int n); };
static int udp(struct msg *m, int n) { if (m->len) return capable(CAP_A); return 0; }
static struct proto one = { udp };
int send(struct proto *p, struct msg *m, int n) { return ONE_OF(p->send, udp, m, n); }
int sys_without(struct proto *p) { struct msg m; m.len = 0; return send(p, &m, 1); }
int sys_with(struct proto *p, int n) { struct msg m; m.len = n; return send(p, &m, 1); }
"""
    rows = {(r.syscall, r.feasible) for r in linked(text).syscall_checks}
    assert rows == {("without", 0), ("with", 1)}


MEMBERS = """
-- kernel/fork.c
#define WANTS_PID 1
#define WANTS_NS 2
struct args {{ int flags; int pids; }};
static int copy(struct args *args)
{{
    int flags = args->flags;

    if (args->pids && !capable(CAP_A))
        return -EPERM;
    if (flags & WANTS_NS && !capable(CAP_B))
        return -EPERM;
    return 0;
}}
int sys_fork(int x, struct args *other)
{{
    {body}
}}
"""


@pytest.mark.parametrize(
    ("body", "asked"),
    [
        ("struct args a = { .flags = WANTS_PID }; return copy(&a);", set()),
        ("struct args a = { .flags = WANTS_NS }; return copy(&a);", {"CAP_B"}),
        ("struct args a = { .flags = x }; return copy(&a);", {"CAP_B"}),
        ("struct args a = { .pids = x }; return copy(&a);", {"CAP_A"}),
        ("struct args a = {}; if (x) a.pids = 2; return copy(&a);", {"CAP_A"}),
        ("struct args a = {}; fill(&a); return copy(&a);", {"CAP_A", "CAP_B"}),
        ("struct args a = {}; a = *other; return copy(&a);", {"CAP_A", "CAP_B"}),
        ("struct args a = { x }; return copy(&a);", {"CAP_A", "CAP_B"}),
        ("struct args a = (struct args) { .flags = 1 }; return copy(&a);", set()),
        ("struct args a; memset(&a, 0, sizeof(a)); return copy(&a);", set()),
        ("struct args a; memset(&a, x, sizeof(a)); return copy(&a);", {"CAP_A", "CAP_B"}),
        ("static struct args a = {}; return copy(&a);", {"CAP_A", "CAP_B"}),
        ("struct args a; a.flags = 1; return copy(&a);", {"CAP_A"}),
    ],
)
def test_members_that_an_initialiser_does_not_name_are_0(body: str, asked: set[str]) -> None:
    """fork without set_tid, 6.8."""
    rows = linked(MEMBERS.format(body=body)).syscall_checks
    assert {row.check.capability for row in rows if row.feasible} == asked


UPDATES = """
-- fs/attr.c
#define ATTR_MODE 1
#define ATTR_KILL 2
#define ATTR_SIZE 4
struct iattr {{ int ia_valid; }};
static int notify_change(struct inode *inode, struct iattr *attr)
{{
    int ia_valid = attr->ia_valid;

    if (ia_valid & ATTR_KILL)
        ia_valid = attr->ia_valid |= ATTR_MODE;
    return setattr(inode, attr);
}}
static int setattr(struct inode *inode, struct iattr *attr)
{{
    return attr->ia_valid & ATTR_MODE && !capable(CAP_FSETID) ? -EPERM : 0;
}}
int sys_truncate(struct inode *inode, int x)
{{
    struct iattr new;

    new.ia_valid = {flags};
    return notify_change(inode, &new);
}}
"""


@pytest.mark.parametrize(
    ("flags", "asked"),
    [("ATTR_SIZE", 0), ("ATTR_SIZE | ATTR_KILL", 1), ("ATTR_MODE", 1), ("x", 1)],
)
def test_a_flag_that_is_added_where_another_is_set_needs_that_one(flags: str, asked: int) -> None:
    """truncate and the mode that goes with ATTR_KILL_SUID, 2.6.9."""
    assert feasible(UPDATES.format(flags=flags)) == {"truncate": asked}


@pytest.mark.parametrize(
    ("values", "asked"),
    [("0x10; else why = 3", 0), ("0x10; else why = 0", 1), ("x; else why = 3", 1)],
)
def test_one_of_several_values_is_what_they_have_in_common(values: str, asked: int) -> None:
    text = f"""
-- kernel/signal.c
static int send(int why) {{ return why <= 0 && !capable(CAP_KILL) ? -EPERM : 0; }}
int sys_wait(int x)
{{
    int why = 1;

    if (x) why = {values};
    return send(why);
}}
"""
    assert feasible(text) == {"wait": asked}


MACROS = """
-- kernel/signal.c
#define FROM_USER(info) ((info)->code <= 0)
#define SI_KERNEL 0x80
#define SI_USER 0
struct siginfo {{ int code; }};
static int send(int sig, struct siginfo *info)
{{
    if ((!info || ((unsigned long)info != 1 && FROM_USER(info))) && !capable(CAP_KILL))
        return -EPERM;
    return 0;
}}
int sys_kill(int sig, int x)
{{
    struct siginfo si;

    si.code = {code};
    return send(sig, {info});
}}
"""


@pytest.mark.parametrize(
    ("code", "info", "asked"),
    [
        ("SI_KERNEL", "&si", 0),
        ("SI_USER", "&si", 1),
        ("x", "&si", 1),
        ("SI_USER", "(struct siginfo *) 1", 0),
        ("SI_USER", "NULL", 1),
    ],
)
def test_a_guard_that_is_a_macro_is_what_it_stands_for(code: str, info: str, asked: int) -> None:
    """SI_FROMUSER of signals that the kernel itself sends, 2.4.31."""
    assert feasible(MACROS.format(code=code, info=info)) == {"kill": asked}


def test_a_macro_that_is_defined_in_two_ways_decides_nothing() -> None:
    other = "#define SI_KERNEL 0x80"
    twice = "#ifdef CONFIG_X\n#define FROM_USER(p) (1)\n#endif\n" + other
    text = MACROS.format(code="SI_KERNEL", info="&si")
    assert feasible(text.replace(other, twice)) == {"kill": 1}


@pytest.mark.parametrize(
    ("kind", "asked"), [("S_IFSOCK | mode", 0), ("S_IFCHR | mode", 1), ("mode", 1)]
)
def test_the_bits_that_a_mode_has_decide_what_is_made(kind: str, asked: int) -> None:
    """bind of a socket makes no device, 2.4.31."""
    text = f"""
-- fs/namei.c
#define S_IFMT 0170000
#define S_IFSOCK 0140000
#define S_IFCHR 0020000
#define S_ISCHR(m) (((m) & S_IFMT) == S_IFCHR)
static int make(int mode) {{ return S_ISCHR(mode) && !capable(CAP_MKNOD) ? -EPERM : 0; }}
int sys_bind(int mode) {{ return make({kind}); }}
"""
    assert feasible(text) == {"bind": asked}


@pytest.mark.parametrize(("command", "asked"), [("OFF", 0), ("SET", 1), ("x", 1)])
def test_the_number_of_an_ioctl_is_told_by_its_type_and_its_own_number(
    command: str, asked: int
) -> None:
    """close of a clock turns its interrupts off, 6.8."""
    text = f"""
-- drivers/rtc.c
#define _IOC(d, t, n, s) (((d) << 30) | ((t) << 8) | ((n) << 0) | ((s) << 16))
#define _IO(t, n) _IOC(0, t, n, 0)
#define _IOW(t, n, s) _IOC(1, t, n, sizeof(s))
#define _IOR(t, n, s) _IOC(2, (t), (n), (TYPE_CHECK(s)))
#define OFF _IOR('p', 4, struct clock)
#define SET _IOR('p', 10, struct clock)
static int do_ioctl(int cmd)
{{
    switch (cmd) {{
    case SET:
        return capable(CAP_SYS_TIME) ? 0 : -EPERM;
    case OFF:
        return 0;
    }}
    return -EINVAL;
}}
int sys_close(int x) {{ return do_ioctl({command}); }}
"""
    assert feasible(text) == {"close": asked}


@pytest.mark.parametrize(
    ("before", "kept"),
    [
        ("#define hook NULL", False),
        ("#define hook NULL\n#undef hook", True),
        ("#ifdef CONFIG_A\n#define hook NULL\n#endif", True),
        ("", True),
    ],
)
def test_what_a_file_defines_itself_leaves_code_out(before: str, kept: bool) -> None:
    """mem_write, 2.4.31."""
    text = f"""
-- fs/proc.c
struct ops {{ int (*write)(int); }};
{before}

#ifndef hook
static int hook(int x) {{ return capable(CAP_A); }}
#endif
struct ops mem_ops = {{ .write = hook }};
int sys_write(struct ops *ops) {{ return ops->write(1); }}
"""
    assert bool(linked(text).syscall_checks) == kept


ENUMS = """
-- include/linux/huge.h
enum {{ SHM = 1, ANON, }};
{more}
-- mm/huge.c
#include <linux/huge.h>
static int setup(int kind) {{ return kind == SHM && !capable(CAP_IPC_LOCK) ? -EPERM : 0; }}
int sys_memfd(int x) {{ return setup({kind}); }}
"""


@pytest.mark.parametrize(
    ("kind", "more", "asked"),
    [
        ("ANON", "", 0),
        ("SHM", "", 1),
        ("x", "", 1),
        ("ANON", "#define ANON ANON", 0),
        ("ANON", "#define ANON 1", 1),
    ],
)
def test_constants_of_enums_decide(kind: str, more: str, asked: int) -> None:
    """memfd_create of huge pages, 6.8."""
    assert feasible(ENUMS.format(kind=kind, more=more)) == {"memfd": asked}


@pytest.mark.parametrize(("size", "asked"), [("0", 0), ("2", 1), ("x", 1)])
def test_what_is_counted_down_where_it_is_not_0_stays_0(size: str, asked: int) -> None:
    """set_tid_size of alloc_pid, 6.8."""
    text = f"""
-- kernel/pid.c
static int alloc(int size)
{{
    for (;;) {{
        if (size) {{
            if (!capable(CAP_A))
                return -EPERM;
            size--;
        }}
    }}
}}
int sys_fork(int x) {{ return alloc({size}); }}
"""
    assert feasible(text) == {"fork": asked}


NAMES = """
-- include/linux/xattr.h
#define SECURITY "security."
#define TRUSTED "trusted."
#define TRUSTED_LEN (sizeof(TRUSTED) - 1)
#define EVM SECURITY "evm"
#define ONE_SUFFIX "one"
#define ONE TRUSTED ONE_SUFFIX
-- fs/xattr.c
#include <linux/xattr.h>
static int permit(const char *name)
{{
    if (strcmp(name, EVM) == 0)
        return capable(CAP_EVM);
    if (!strncmp(name, TRUSTED, TRUSTED_LEN))
        return capable(CAP_TRUSTED);
    return 0;
}}
int sys_chmod(const char *x) {{ return permit({name}); }}
"""


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("EVM", {"CAP_EVM"}),
        ("ONE", {"CAP_TRUSTED"}),
        ('"trusted.x"', {"CAP_TRUSTED"}),
        ('"trust"', set()),
        ('x ? "user.x" : "user.y"', {"CAP_EVM", "CAP_TRUSTED"}),
        ("x", {"CAP_EVM", "CAP_TRUSTED"}),
        ("UNHEARD", {"CAP_EVM", "CAP_TRUSTED"}),
    ],
)
def test_constant_names_decide_what_is_compared_with_them(name: str, asked: set[str]) -> None:
    """chmod, which asks for security.evm itself, 6.8."""
    rows = linked(NAMES.format(name=name)).syscall_checks
    assert {row.check.capability for row in rows if row.feasible} == asked


@pytest.mark.parametrize(
    ("flags", "asked"),
    [
        ("lower_32_bits(0x100000004)", 0),
        ("lower_32_bits(2)", 1),
        ("READ_ONCE(x)", 1),
        ("unheard(4)", 1),
    ],
)
def test_a_part_of_a_known_number_is_known(flags: str, asked: int) -> None:
    text = f"""
-- kernel/fork.c
static int copy(int flags) {{ return flags & 3 && !capable(CAP_A) ? -EPERM : 0; }}
int sys_setup(int x) {{ return copy({flags}); }}
"""
    assert feasible(text) == {"setup": asked}


def test_a_parameter_is_what_the_caller_gave_until_it_changes() -> None:
    """The name of an extended attribute, 6.8."""
    text = """
-- fs/xattr.c
static int permit(int mask) { return mask == 2 && !capable(CAP_A) ? -EPERM : 0; }
static int first(int mask) { int error = permit(mask); look(&mask); return error; }
static int later(int mask) { look(&mask); return permit(mask); }
int sys_first(void) { return first(4); }
int sys_later(void) { return later(4); }
"""
    assert feasible(text) == {"first": 0, "later": 1}


OBJECTS = """
-- fs/open.c
#define O_PATH 8
#define O_TRUNC 4
struct file {{ int flags; int mode; int count; struct ops *ops; }};
struct ops {{ int (*open)(struct file *file); }};
static int device(struct file *file) {{ return capable(CAP_A) ? 0 : -EPERM; }}
struct ops ops = {{ device }};
static int look_at(struct file *file) {{ return file->count; }}
static int reset(struct file *file) {{ file->flags = 0; return 0; }}
static int init(struct file *file, int flags)
{{
    int error = look(flags);

    if (error)
        return error;
    {init}
    return 0;
}}
static struct file *make(int flags)
{{
    struct file *file;

    file = {alloc};
    if (!file)
        return NULL;
    {made}
    return file;
}}
static int finish(struct file *file)
{{
    if (file->flags & O_PATH)
        return 0;
    file->flags &= ~O_TRUNC;
    return file->ops->open(file);
}}
int sys_tree(int x)
{{
    struct file *file = make({flags});

    if (IS_ERR(file))
        return -1;
    {between}
    {last}
}}
"""
FIRST = {
    "alloc": "kzalloc(8)",
    "init": "file->flags = flags;",
    "made": "if (init(file, flags)) { kfree(file); return ERR_PTR(-1); }",
    "flags": "O_PATH",
    "between": "",
    "last": "return finish(file);",
}


@pytest.mark.parametrize(
    ("change", "asked"),
    [
        ({}, 0),
        ({"flags": "O_PATH | O_TRUNC"}, 0),
        ({"flags": "O_TRUNC"}, 1),
        ({"flags": "x"}, 1),
        ({"init": "if (flags & 1) file->flags = flags;"}, 1),
        ({"init": "file->flags = 0; if (look(2)) file->flags = flags;"}, 1),
        ({"made": "file->flags = flags;"}, 0),
        ({"made": "file->flags = flags; unheard(file);"}, 1),
        ({"made": ""}, 1),
        ({"alloc": "kmalloc(8)"}, 0),
        ({"alloc": "kmalloc(8)", "made": ""}, 1),
        ({"between": "look_at(file);"}, 0),
        ({"between": "reset(file);"}, 1),
        ({"between": "file->flags = 0;"}, 1),
        ({"between": "file->flags = O_PATH;", "alloc": "other(x)"}, 0),
        ({"between": "file = other(x);"}, 1),
        ({"between": "unheard(file);"}, 1),
        ({"init": "unheard(file);\nfile->flags = flags;"}, 0),
        ({"init": "if (flags) unheard(file);\nfile->flags = flags;"}, 0),
        ({"init": "file->flags = flags;\nunheard(file);"}, 1),
        ({"init": "unheard(file);\nif (look(2)) file->flags = flags;"}, 1),
        ({"made": "unheard(file);\ninit(file, flags);"}, 0),
        ({"made": "init(file, flags);\nunheard(file);"}, 1),
        ({"last": "x = finish(file);\nunheard(file);\nreturn x;"}, 0),
        ({"last": "do { x = finish(file);\nunheard(file);\n} while (x); return x;"}, 1),
        ({"last": "for_each(x) { x = finish(file);\nunheard(file);\n} return x;"}, 1),
        ({"last": "again: x = finish(file);\nunheard(file);\nif (x) goto again; return x;"}, 1),
    ],
)
def test_who_makes_a_struct_may_keep_its_arguments_in_it(
    change: dict[str, str], asked: int
) -> None:
    """open_tree opens a file by its path alone and no device, 6.8."""
    assert feasible(OBJECTS.format(**{**FIRST, **change})) == {"tree": asked}


MADE = """
-- fs/namei.c
#define O_CREAT 64
#define O_TMPFILE 128
struct file { int flags; int mode; };
struct op { int open_flag; };
static struct file *alloc(int flags)
{
    struct file *file = kzalloc(8);

    if (!file)
        return NULL;
    file->flags = flags;
    return file;
}
static int make(struct op *op, struct file *file) { return capable(CAP_A) ? 0 : -EPERM; }
static int path_open(struct op *op, int x)
{
    struct file *file = alloc(op->open_flag);

    if (!file)
        return -1;
    BEFORE
    if (file->flags & O_TMPFILE)
        x = make(op, file);
    AFTER
    return x;
}
int sys_creat(int x) { struct op op = { .open_flag = O_CREAT }; return path_open(&op, x); }
int sys_tmp(int x) { struct op op = { .open_flag = O_TMPFILE }; return path_open(&op, x); }
int sys_any(int x) { struct op op = { .open_flag = x }; return path_open(&op, x); }
"""


@pytest.mark.parametrize(
    ("before", "after", "asked"),
    [
        ("", "", 0),
        ("look(op->open_flag);", "unheard(file);", 0),
        ("kfree(x);", "kfree(file);", 0),
        ("unheard(file);", "", 1),
        ("unheard(&file);", "", 1),
        ("file->flags |= x;", "", 1),
        ("if (x) file = other(x);", "", 1),
        ("do {", "unheard(file); } while (x--);", 1),
        ("again:", "unheard(file); if (x--) goto again;", 1),
    ],
)
def test_what_was_made_decides_before_it_is_handed_on(before: str, after: str, asked: int) -> None:
    """path_openat, which makes a temporary file for who asks for one, 6.8."""
    text = MADE.replace("BEFORE", before).replace("AFTER", after)
    assert feasible(text) == {"creat": asked, "tmp": 1, "any": 1}


RETURNED = """
-- fs/open.c
#define O_CREAT 64
#define O_NOATIME 256
#define O_PATH 512
#define O_ALL 1023
#define O_OF_PATH 513
struct how {{ int flags; int mode; }};
struct op {{ int open_flag; }};
static struct how build_how(int flags, int mode)
{{
    struct how how = {{ .flags = flags & O_ALL, .mode = mode }};

    {change}
    return how;
}}
static int build_flags(const struct how *how, struct op *op)
{{
    int flags = how->flags;

    if (flags & ~O_ALL)
        return -EINVAL;
    op->open_flag = flags;
    return 0;
}}
static int may_open(int flag) {{ return flag & O_NOATIME && !capable(CAP_A) ? -EPERM : 0; }}
static int do_open(const struct op *op) {{ return may_open(op->open_flag); }}
static int file_open(int flags, int mode)
{{
    struct op op;
    struct how how = build_how(flags, mode);
    int err = build_flags(&how, &op);

    return err ? err : do_open(&op);
}}
int sys_acct(int x) {{ return file_open(O_CREAT, 0); }}
int sys_look(int x) {{ return file_open(O_NOATIME, 0); }}
int sys_open(int x) {{ return file_open(x, 0); }}
"""


@pytest.mark.parametrize(
    ("change", "asked"),
    [
        ("if (how.flags & O_PATH) how.flags &= O_OF_PATH;", 0),
        ("if (how.mode) how.flags &= O_OF_PATH;", 0),
        ("if (how.flags & O_PATH) how.flags |= O_NOATIME;", 0),
        ("if (how.flags & O_CREAT) how.flags |= O_NOATIME;", 1),
        ("if (look(1)) how.flags |= O_NOATIME;", 1),
        ("if (look(1)) how.flags = look(2);", 1),
        ("unheard(&how);", 1),
    ],
)
def test_a_struct_that_is_returned_may_change_before(change: str, asked: int) -> None:
    """acct opens its file for writing alone, and open_by_handle_at as it is told, 6.8."""
    assert feasible(RETURNED.format(change=change)) == {"acct": asked, "look": 1, "open": 1}


FOLDERS = """
-- fs/deep/linux-2.6/deep_flags.h
#define MASK_MODE 2
#define MASK_SIZE 4
-- fs/deep/setattr.c
#include <deep_flags.h>
static int set(int mask) { return mask & MASK_MODE && !capable(CAP_FOWNER) ? -EPERM : 0; }
int sys_size(void) { return set(MASK_SIZE); }
int sys_mode(void) { return set(MASK_MODE); }
"""


@pytest.mark.parametrize(
    ("more", "asked"),
    [
        ("", 0),
        ("-- fs/other/other_flags.h\n#define MASK_SIZE 8\n", 0),
        ("-- fs/other/other_flags.h\n#define MASK_SIZE 2\n", 1),
        ("-- fs/other/other.c\n#define MASK_SIZE 2\n", 0),
    ],
)
def test_a_makefile_may_name_the_folder_of_a_header(more: str, asked: int) -> None:
    """-Ifs/xfs/linux-2.6, 2.6."""
    assert feasible(FOLDERS + more) == {"size": asked, "mode": 1}


GROUP = """
-- drivers/connector.c
static int send(int port, int number)
{
    int group = 0;
    BEFORE
    if (port || number) {
        group = number;
    } else {
        group = look(1);
    }
    AFTER
    if (group)
        return 0;
    return capable(CAP_A) ? 0 : -EPERM;
}
int sys_known(void) { return send(0, 1); }
int sys_none(void) { return send(0, 0); }
int sys_any(int x) { return send(0, x); }
"""


@pytest.mark.parametrize(
    ("change", "known"),
    [
        ({}, 0),
        ({"int group = 0;": "int group;"}, 0),
        ({"group = number;\n": "group = number & 1;\n"}, 0),
        ({"group = number;\n": "group = number & 2;\n"}, 1),
        ({"BEFORE": "group = 2;"}, 0),
        ({"BEFORE": "look(group);"}, 1),
        ({"BEFORE": "if (look(3)) goto skip;", "AFTER": "skip:"}, 1),
        ({"BEFORE": "while (look(4))"}, 1),
        ({"BEFORE": "for_each(port)"}, 1),
        ({"BEFORE": "if (look(5))"}, 1),
        ({"port || number": "number && look(6)"}, 1),
        ({"AFTER": "group = look(7);"}, 1),
        ({"AFTER": "if (look(8)) group = 0;"}, 1),
        ({"AFTER": "if (port) group = 0;"}, 0),
        ({"AFTER": "change(&group);"}, 1),
    ],
)
def test_what_is_set_where_a_condition_holds_is_no_longer_what_it_was(
    change: dict[str, str], known: int
) -> None:
    """cn_netlink_send_mult, which sends to a group that its caller gave, 6.8."""
    text = GROUP
    for old, new in change.items():
        text = text.replace(old, new)
    text = text.replace("BEFORE", "").replace("AFTER", "")
    assert feasible(text) == {"known": known, "none": 1, "any": 1}


FILLED = """
-- fs/open.c
#define WILL_CREATE(flags) (flags & (1 | 4))
#define ACC_MODE(x) ("\\004\\002\\006\\006"[(x)&3])
#define CLEARED(x) ((x) = 8)
#define NOTED(x) (*note(&(x)))
struct how { int flags; };
struct op { int open_flag; int mode; };
static struct how build(int flags)
{
    struct how how = { .flags = flags & 15 };

    CHANGE
    return how;
}
static int fill(const struct how *how, struct op *op)
{
    int flags = how->flags;

    USE
    if (flags & 2)
        return -EINVAL;
    op->open_flag = flags;
    return 0;
}
static int may_open(const struct op *op)
{
    return op->open_flag & 8 && !capable(CAP_FOWNER) ? -EPERM : 0;
}
int sys_swapon(int x)
{
    struct op op;
    struct how made = build(FLAGS);

    if (fill(&made, &op))
        return -1;
    return may_open(&op);
}
"""


@pytest.mark.parametrize(
    ("flags", "change", "use", "asked"),
    [
        ("0", "", "", 0),
        ("8", "", "", 1),
        ("x", "", "", 1),
        ("4", "if (how.flags & 4) how.flags &= 5;", "", 0),
        ("12", "if (how.flags & 4) how.flags &= 9;", "", 1),
        ("4", "if (how.flags & 4) how.flags |= 8;", "", 1),
        ("1", "if (how.flags & 4) how.flags |= 8;", "", 0),
        ("0", "", "if (WILL_CREATE(flags)) op->mode = ACC_MODE(flags);", 0),
        ("8", "", "if (WILL_CREATE(flags)) op->mode = ACC_MODE(flags);", 1),
        ("0", "", "if (CLEARED(flags)) return 0;", 1),
        ("0", "", "if (NOTED(flags)) return 0;", 1),
    ],
)
def test_a_function_that_fills_a_struct_from_another_one(
    flags: str, change: str, use: str, asked: int
) -> None:
    """file_open_name, which makes struct open_flags of struct open_how, 6.8."""
    text = FILLED.replace("FLAGS", flags).replace("CHANGE", change).replace("USE", use)
    assert feasible(text) == {"swapon": asked}


@pytest.mark.parametrize(
    ("condition", "asked"),
    [
        ("#ifdef __KERNEL__", 0),
        ("#if defined(__KERNEL__)", 0),
        ("#ifdef CONFIG_CODES", 1),
    ],
)
def test_what_headers_define_for_programs_is_not_the_kernels(condition: str, asked: int) -> None:
    """SI_MESGQ, with which __do_notify sends a signal, 2.6.9."""
    text = f"""
-- include/linux/siginfo.h
{condition}
#define MESGQ (6 << 16)
#define CODE(t, n) ((t) | ((n) & 0xffff))
#else
#define MESGQ 0
#define CODE(t, n) (n)
#endif
#define SI_MESGQ CODE(MESGQ, -3)
#define FROM_USER(info) ((info)->code <= 0)
struct info {{ int code; }};
-- kernel/signal.c
#include <linux/siginfo.h>
int send(struct info *info)
{{
    return FROM_USER(info) && !capable(CAP_KILL) ? -EPERM : 0;
}}
int sys_notify(int x) {{ struct info info; info.code = SI_MESGQ; return send(&info); }}
"""
    assert feasible(text) == {"notify": asked}


MODES = """
-- fs/open.c
#define MODE(x) ("\\000\\004\\002\\006"[(x) & 3])
static int may_open(int mode, int flag)
{
    mode &= 7;
    if (mode == 4 && !capable(CAP_DAC_READ_SEARCH))
        return -EACCES;
    return flag & 16 && !capable(CAP_FOWNER) ? -EPERM : 0;
}
static int lookup(struct inode *inode, int flag)
{
    int mode = MODE(flag);

    if (flag & 8)
        mode |= 32;
    if (inode->made) {
        mode = 0;
        flag &= ~16;
    }
    return may_open(mode, flag);
}
static int open(struct inode *inode, int flags)
{
    int plain = flags;

    COUNT
    return lookup(inode, plain);
}
int sys_one(struct inode *inode, int x) { return open(inode, FLAGS); }
"""
COUNTED = "if ((plain + 1) & 3) plain++;"


@pytest.mark.parametrize(
    ("flags", "count", "asked"),
    [
        ("1", "", {"CAP_DAC_READ_SEARCH"}),
        ("2 | 8", "", set()),
        ("3", "", set()),
        ("3 | 16", "", {"CAP_FOWNER"}),
        ("17", "", {"CAP_DAC_READ_SEARCH", "CAP_FOWNER"}),
        ("x", "", {"CAP_DAC_READ_SEARCH", "CAP_FOWNER"}),
        ("2", COUNTED, set()),
        ("2 | 16", COUNTED, {"CAP_FOWNER"}),
        ("0", COUNTED, {"CAP_DAC_READ_SEARCH"}),
        ("15", "while (plain & 3) plain++;", {"CAP_DAC_READ_SEARCH", "CAP_FOWNER"}),
        (
            "2",
            "again: if (plain & 3) { plain++; goto again; }",
            {"CAP_DAC_READ_SEARCH", "CAP_FOWNER"},
        ),
    ],
)
def test_the_mode_of_an_open_is_a_byte_of_a_string(flags: str, count: str, asked: set[str]) -> None:
    """ACC_MODE in open_namei, and the flags that filp_open counts up, 2.6.9."""
    rows = linked(MODES.replace("FLAGS", flags).replace("COUNT", count)).syscall_checks
    assert {row.check.capability for row in rows if row.feasible} == asked


@pytest.mark.parametrize(
    ("given", "asked"), [("2", set()), ("2 | 16", {"CAP_FOWNER"}), ("66", set())]
)
def test_flags_are_counted_up_though_another_one_may_be_set(given: str, asked: set[str]) -> None:
    """sys_open sets O_LARGEFILE for some, 2.6.9."""
    two = "int two(struct inode *inode, int flags) { flags |= 64; return open(inode, flags); }"
    text = MODES.replace("int sys_one", f"{two}\nint sys_one").replace("COUNT", COUNTED)
    rows = linked(text.replace("open(inode, FLAGS)", f"two(inode, {given})")).syscall_checks
    assert {row.check.capability for row in rows if row.feasible} == asked


FILLED_MODE = """
-- fs/open.c
#define MODE(x) ("\\004\\002\\006\\006"[(x) & 3])
#define FORCED ((__force int) HELD)
#define HELD ((__force flags_t)(1 << 6))
#define A (1 << 10)
#define VALID (3 | A | A | A | A | A | A | A | A | A | A | A | A | A | A | A | 16 | 32 | 64)
struct op { int mode; int open_flag; };
static int fill(int asked, struct op *op)
{
    int strip = FORCED | 128;
    int flags = asked & VALID;
    int mode = MODE(flags);

    flags &= ~strip;
    if (flags & ~VALID)
        return -EINVAL;
    if ((flags & (16 | 32)) == (16 | 32))
        return -EINVAL;
    if (flags & A)
        flags |= 256;
    if (flags & 32)
        mode = 0;
    op->open_flag = flags;
    op->mode = mode;
    return 0;
}
static int permission(int mask)
{
    return mask == 4 && !capable(CAP_DAC_READ_SEARCH) ? -EACCES : 0;
}
static int may_open(struct file *file, const struct op *op)
{
    int flag = op->open_flag;
    int cut = 0;
    int mode = op->mode;

    if (file->made) {
        flag &= ~16;
        mode = 0;
    } else if (flag & 16)
        cut = 1;
    if (permission(mode))
        return -EACCES;
    return cut && !capable(CAP_FSETID) ? -EPERM : 0;
}
int sys_swapon(struct file *file, int x)
{
    struct op op;

    if (fill(FLAGS, &op))
        return -1;
    return may_open(file, &op);
}
"""


@pytest.mark.parametrize(
    ("flags", "asked"),
    [
        ("0", {"CAP_DAC_READ_SEARCH"}),
        ("1", set()),
        ("2", set()),
        ("2 | 16", {"CAP_FSETID"}),
        ("64", {"CAP_DAC_READ_SEARCH"}),
        ("x", {"CAP_DAC_READ_SEARCH", "CAP_FSETID"}),
    ],
)
def test_a_mode_that_a_struct_was_filled_with(flags: str, asked: set[str]) -> None:
    """build_open_flags, whose acc_mode and open_flag do_open tests, 6.8."""
    rows = linked(FILLED_MODE.replace("FLAGS", flags)).syscall_checks
    assert {row.check.capability for row in rows if row.feasible} == asked


# What chooses the callee of a call through a pointer.

CALLBACKS = """
-- kernel/put.c
static int asking(struct ref *r) { return capable(CAP_A); }
static int plain(struct ref *r) { return 0; }
static int ref_put(struct ref *r, int (*release)(struct ref *)) { return release(r); }
static int put(struct ref *r, int (*release)(struct ref *)) { return ref_put(r, release); }
static int either(struct ref *r, int (*release)(struct ref *))
{ if (r->b) release = asking; return ref_put(r, release); }
int sys_asking(struct ref *r) { return put(r, asking); }
int sys_plain(struct ref *r) { return put(r, plain); }
int sys_changed(struct ref *r) { return either(r, plain); }
"""

FAMILIES = """
-- include/linux/net.h
#define PF_ONE 1
#define PF_TWO 2
struct family { int family; int (*create)(int); };
-- net/socket.c
#include <linux/net.h>
static struct family *families[8];
static struct family *others[8];
int sock_register(struct family *ops) { families[ops->family] = ops; return 0; }
int other_register(int n, struct family *ops) { others[n] = ops; return 0; }
static int sock_create(int family)
{ struct family *f; f = families[family]; return f ? f->create(family) : 0; }
int sys_one(void) { return sock_create(PF_ONE); }
int sys_two(void) { return sock_create(PF_TWO); }
int sys_any(int family) { return sock_create(family); }
int sys_other(void) { return others[PF_ONE]->create(1); }
int sys_last(void) { return others[PF_TWO]->create(2); }
-- net/one.c
#include <linux/net.h>
static int one_create(int n) { return capable(CAP_A); }
static struct family one = { family: PF_ONE, create: one_create };
void one_start(void) { sock_register(&one); }
-- net/two.c
#include <linux/net.h>
static int two_create(int n) { return 0; }
static int last_create(int n) { return capable(CAP_A); }
static struct family two = { PF_TWO, two_create };
void two_start(void) { static struct family last; last.create = last_create; sock_register(&two);
    other_register(PF_ONE, &two); other_register(PF_TWO, &last); }
void two_stop(void) { other_register(PF_ONE, NULL); }
"""


def asked(text: str) -> set[str]:
    return {row.syscall for row in linked(text).syscall_checks if row.feasible}


def test_a_function_that_is_handed_on_is_the_one_that_is_called() -> None:
    assert asked(CALLBACKS) == {"asking", "changed"}


def test_an_object_is_found_under_its_key() -> None:
    assert asked(FAMILIES) == {"one", "any", "last"}


@pytest.mark.parametrize(
    ("text", "other", "more"),
    [
        ("int sys_one(", "void f(void) { others[PF_ONE] = find(); }\nint sys_one(", {"other"}),
        (
            "void two_start(",
            "void f(struct family *p) { p->create = last_create; }\nvoid two_start(",
            {"two", "other"},
        ),
        ("*others[8];", "*others[8] = { &first };", {"other"}),
    ],
)
def test_what_is_not_known_of_a_table_is_called(text: str, other: str, more: set[str]) -> None:
    assert more <= asked(FAMILIES.replace(text, other))


HANGUP = """
-- drivers/char/tty.c
#define N_TTY 0
#define N_PPP 3
struct ldisc { int (*open)(int); };
struct tty { struct ldisc ldisc; };
static struct ldisc ldiscs[4];
int register_ldisc(int n, struct ldisc *new) { ldiscs[n] = *new; return 0; }
static int ppp_open(int n) { return capable(CAP_A); }
static struct ldisc ppp = { ppp_open };
void start(void) { register_ldisc(N_PPP, &ppp); }
int sys_hangup(struct tty *tty, int n)
{
    BEFORE
    if (tty->ldisc.open)
        return tty->ldisc.open(1);
    return 0;
}
"""


@pytest.mark.parametrize(
    ("before", "is_asked"),
    [
        ("tty->ldisc = ldiscs[N_TTY];", False),
        ("tty->ldisc = ldiscs[N_PPP];", True),
        ("tty->ldisc = ldiscs[n];", True),
        ("", True),
        ("if (n) tty->ldisc = ldiscs[N_TTY];", True),
        ("tty->ldisc = ldiscs[N_TTY]; if (n) tty->ldisc = other(n);", True),
        ("tty->ldisc = ldiscs[N_TTY]; while (n--)", True),
    ],
)
def test_an_object_was_just_taken_from_a_table(before: str, is_asked: bool) -> None:
    text = HANGUP.replace("BEFORE", before)
    assert asked(text) == ({"hangup"} if is_asked else set())


LIMITS = """
-- drivers/char/console.c
#define MAX_NR_CONSOLES 63
#define MAX_NR_USER_CONSOLES USER
struct console { int number; };
static int vc_allocate(unsigned int number, struct console *console)
{
    if (number >= MAX_NR_CONSOLES)
        return -ENXIO;
    BETWEEN
    if (number >= MAX_NR_USER_CONSOLES && !capable(CAP_SYS_RESOURCE))
        return -EPERM;
    return 0;
}
int sys_open(int number, struct console *console)
{
    return vc_allocate(number - 1, console);
}
"""


@pytest.mark.parametrize(
    ("user", "between", "expected"),
    [
        ("63", "", 0),
        ("MAX_NR_CONSOLES", "use(number);", 0),
        ("100", "", 0),
        ("62", "", 1),
        ("unheard_of()", "", 1),
        ("63", "number += 10;", 1),
        ("63", "number++;", 1),
        ("63", "change(&number);", 1),
    ],
)
def test_limits_that_exclude_one_another(user: str, between: str, expected: int) -> None:
    """vc_allocate (drivers/char/console.c, 2.0 to 2.6) has two limits, which are equal."""
    text = LIMITS.replace("USER\n", f"{user}\n").replace("BETWEEN", between)
    assert feasible(text)["open"] == expected


DIRECTION = """
-- include/linux/fs.h
#define READ 0
#define WRITE 1
struct kiocb { void *complete; struct file *file; };
struct iter { int source; void *buffer; };
INLINE
static inline bool is_sync(struct kiocb *iocb)
{
    return iocb->complete == NULL;
}
static inline void init_sync(struct kiocb *iocb, struct file *file)
{
    INIT *iocb = (struct kiocb) { .file = file };
}
static inline void iter_buffer(struct iter *iter, int direction, void *buffer)
{
    *iter = (struct iter) { .source = direction, .buffer = buffer };
}
-- fs/fuse/file.c
#include <linux/fs.h>
static int direct(struct iter *iter)
{
    BEFORE
    if (rw(iter) == WRITE)
        return capable(CAP_FSETID);
    return 0;
}
static int later(struct kiocb *iocb)
{
    return is_sync(iocb) ? 0 : capable(CAP_SYS_ADMIN);
}
int sys_read(struct file *file, void *buffer)
{
    struct kiocb iocb;
    struct iter iter;

    init_sync(&iocb, file);
    iter_buffer(&iter, READ, buffer);
    return direct(&iter) + later(&iocb);
}
int sys_write(struct file *file, void *buffer)
{
    struct kiocb iocb;
    struct iter iter;

    init_sync(&iocb, file);
    iocb.complete = buffer;
    iter_buffer(&iter, WRITE, buffer);
    return direct(&iter) + later(&iocb);
}
"""
RW = "static inline unsigned char rw(const struct iter *i) { return i->source ? WRITE : READ; }"


def asked_for_direction(
    rw: str = RW, before: str = "", init: str = ""
) -> set[tuple[str, str | None]]:
    text = DIRECTION.replace("INLINE", rw).replace("BEFORE", before).replace("INIT", init)
    rows = linked(text).syscall_checks
    return {(row.syscall, row.check.capability) for row in rows if row.feasible}


def test_an_inline_function_gives_what_it_returns() -> None:
    """Reads of fuse (6.12) neither write nor are asynchronous."""
    assert asked_for_direction() == {("write", "CAP_FSETID"), ("write", "CAP_SYS_ADMIN")}


@pytest.mark.parametrize(
    ("rw", "before"),
    [
        ("int rw(const struct iter *i);", ""),
        (f"{RW}\n#ifdef CONFIG_X\n#define rw(i) look(i)\n#endif", ""),
        (f"{RW}\n-- fs/rw.c\nint rw(const struct iter *i) {{ return look(i); }}", ""),
        (f"#ifdef X\n{RW}\n#else\n{RW.replace('WRITE : ', '0 : ')}\n#endif", ""),
        (RW, "iter->source = look();"),
    ],
)
def test_what_may_give_something_else_decides_nothing(rw: str, before: str) -> None:
    assert ("read", "CAP_FSETID") in asked_for_direction(rw, before)


def test_a_struct_that_may_not_be_set_is_not_known() -> None:
    assert ("read", "CAP_SYS_ADMIN") in asked_for_direction(init="if (file)")


SENDING = """
-- net/ipx/af_ipx.c
struct msghdr { void *name; };
static int bind_any(void) { return capable(CAP_NET_ADMIN) ? 0 : -EACCES; }
static int do_send(struct msghdr *msg)
{
    struct sockaddr *to = msg->name;
    struct sockaddr own;

    BEFORE
    if (to)
        return bind_any();
    to = &own;
    return route(to);
}
int sys_send(int fd)
{
    struct msghdr msg;

    msg.name = NULL;
    return do_send(&msg);
}
int sys_sendto(int fd, void *name)
{
    struct msghdr msg;

    msg.name = name;
    return do_send(&msg);
}
"""


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ("", {"sendto"}),
        ("look(own);", {"sendto"}),
        ("if (look()) to = &own;", {"send", "sendto"}),
        ("fill(&to);", {"send", "sendto"}),
        ("again:", {"send", "sendto"}),
    ],
)
def test_a_variable_is_what_it_was_declared_as_until_it_changes(
    before: str, expected: set[str]
) -> None:
    """ipx_sendmsg (net/ipx/af_ipx.c, 2.2 to 2.6) binds for a named destination."""
    text = SENDING.replace("BEFORE", before)
    if before.endswith(":"):
        text = text.replace("return route(to);", "goto again;")
    assert asked(text) == expected


def test_a_variable_of_an_inner_block_is_another_one() -> None:
    block = "{ struct sockaddr *to = look(); use(to); }"
    assert asked(SENDING.replace("BEFORE", block)) == {"send", "sendto"}


CONTROL = """
-- include/linux/socket.h
struct header { int length; };
struct msghdr { void *control; int length; };
#define __FIRST(ctl, len) ((len) >= sizeof(struct header) ? (struct header *)(ctl) : NULL)
#define FIRST(msg) __FIRST((msg)->control, (msg)->length)
-- net/core/scm.c
#include <linux/socket.h>
static int scm_send(struct msghdr *msg)
{
    struct header *one;

    for (one = FIRST(msg); one; one = next(msg, one)) {
        if (!capable(CAP_SETUID))
            return -EPERM;
    }
    return 0;
}
int sys_ioctl(int fd)
{
    struct msghdr msg;

    msg.control = NULL;
    msg.length = fd;
    return scm_send(&msg);
}
int sys_sendmsg(int fd, void *control)
{
    struct msghdr msg;

    msg.control = control;
    msg.length = fd;
    return scm_send(&msg);
}
"""


def test_a_loop_over_nothing_does_not_run() -> None:
    """Requests of ncpfs (fs/ncpfs/sock.c, 2.4) have no control data, and no credentials in it."""
    assert asked(CONTROL) == {"sendmsg"}


def test_what_stands_behind_a_loop_runs() -> None:
    loop = "next(msg, one)) {"
    assert asked(CONTROL.replace(loop, "next(msg, one)); {")) == {"ioctl", "sendmsg"}


PORTS = """
-- include/linux/socket.h
#define FIRST_PORT 0x4000
#define LAST_PORT 0x7fff
struct address { unsigned short port; int net; };
-- net/bind.c
#include <linux/socket.h>
static unsigned short free_port(struct net *net)
{
    unsigned short port = net->next;

    if (port < FIRST_PORT)
        port = FIRST_PORT;
    while (find(net, port))
        if (port > LAST_PORT)
            port = FIRST_PORT;
        else
            port++;
    return ntohs(port);
}
static int do_bind(struct sock *sk, struct sockaddr *any)
{
    struct address *addr = (struct address *)any;
    struct net *net = find_net(addr->net);
    int err = -EINVAL;

    if (!net)
        goto out;
    if (!addr->port) {
        addr->port = free_port(net);
        if (!addr->port)
            goto out;
    }
    err = -EACCES;
    if (ntohs(addr->port) < FIRST_PORT && !capable(CAP_NET_ADMIN))
        goto out;
    err = 0;
out:
    return err;
}
int sys_bind(struct sock *sk, struct sockaddr *addr) { return do_bind(sk, addr); }
int sys_recv(struct sock *sk)
{
    struct address own;

    own.port = 0;
    own.net = 0;
    return do_bind(sk, (struct sockaddr *)&own);
}
"""


def test_a_number_that_a_function_raises_to_a_limit_is_not_below_it() -> None:
    """Sockets of IPX that are bound on their own (net/ipx/af_ipx.c, 2.2 to 2.6)."""
    assert asked(PORTS) == {"bind"}
    equal = PORTS.replace("if (!addr->port) {", "if (addr->port == 0) {")
    assert asked(equal) == {"bind"}


@pytest.mark.parametrize(
    ("kept", "changed"),
    [
        pytest.param("own.port = 0;", "own.port = sk->port;", id="not 0"),
        pytest.param("< FIRST_PORT && !", "< LAST_PORT && !", id="another limit"),
        pytest.param("port++;", "port--;", id="lowered again"),
        pytest.param("return ntohs(port);", "return port;", id="in another order"),
        pytest.param(
            "if (!addr->port) {",
            "if (!addr->port && net->chooses) {",
            id="not whenever it is 0",
        ),
        pytest.param("int err = -EINVAL;", "int err = look(&addr);", id="another address"),
        pytest.param(
            "    err = -EACCES;",
            "out_of_turn:\n    err = -EACCES;",
            id="passed by",
        ),
    ],
)
def test_a_number_that_may_be_below_a_limit_is_asked_about(kept: str, changed: str) -> None:
    text = PORTS.replace(kept, changed)
    if "out_of_turn" in changed:
        text = text.replace(
            "        goto out;\n    if (!addr->port) {",
            "        goto out_of_turn;\n    if (!addr->port) {",
        )
    assert asked(text) == {"bind", "recv"}


def test_what_stands_beside_the_filling_runs_where_the_member_is_0() -> None:
    text = PORTS.replace("addr->port = free_port(net);", "addr->port = free_port(net); tell();")
    text += "-- net/tell.c\nvoid tell(void) { if (capable(CAP_SYS_ADMIN)) note(); }\n"
    rows = linked(text).syscall_checks
    found = {(row.syscall, row.check.capability) for row in rows if row.feasible}
    both = {("bind", "CAP_NET_ADMIN"), ("bind", "CAP_SYS_ADMIN")}
    assert found == {*both, ("recv", "CAP_SYS_ADMIN")}


SENT = """
-- include/net/scm.h
struct cookie { struct files *fp; int secid; };
struct msghdr { void *control; int controllen; int namelen; };
-- net/unix/af_unix.c
#include <net/scm.h>
static int copy(struct msghdr *msg, struct files **fp)
{
    *fp = make(msg);
    return 0;
}
static int fill(struct msghdr *msg, struct cookie *scm)
{
    return copy(msg, &scm->fp);
}
static int scm_send(struct msghdr *msg, struct cookie *scm)
{
    memset(scm, 0, sizeof(*scm));
    if (msg->controllen <= 0)
        return 0;
    return fill(msg, scm);
}
static int attach(struct cookie *scm)
{
    if (scm->fp && !capable(CAP_A))
        return -ETOOMANYREFS;
    return 0;
}
static int unix_sendmsg(struct msghdr *msg)
{
    struct cookie scm;
    int err;

    err = scm_send(msg, &scm);
    if (err < 0)
        return err;
    return attach(&scm);
}
int sys_sendto(int fd)
{
    struct msghdr msg;

    msg.control = NULL;
    msg.controllen = 0;
    return unix_sendmsg(&msg);
}
int sys_sendmsg(int fd, int length)
{
    struct msghdr msg;

    msg.controllen = length;
    return unix_sendmsg(&msg);
}
"""


def test_a_call_under_a_condition_that_fails_leaves_a_struct_as_it_is() -> None:
    """``scm_send`` of 6.8: who sends no control messages hands no files on."""
    assert feasible(SENT) == {"sendto": 0, "sendmsg": 1}


@pytest.mark.parametrize(
    ("part", "other"),
    [
        ("if (msg->controllen <= 0)", "if (msg->namelen <= 0)"),
        ("if (msg->controllen <= 0)\n        return 0;", ""),
        ("sizeof(*scm)", "sizeof(int)"),
        ("memset(scm,", "scm = other();\n    memset(scm,"),
        ("memset(scm,", "if (msg->namelen)\n        memset(scm,"),
        ("    err = scm_send(", "    msg->controllen = 1;\n    err = scm_send("),
        ("    return attach(", "    fill(msg, &scm);\n    return attach("),
    ],
)
def test_a_struct_that_may_have_been_filled_decides_nothing(part: str, other: str) -> None:
    assert part in SENT
    assert feasible(SENT.replace(part, other, 1))["sendto"] == 1


CLEARED = """
-- net/vsock.c
#define PORT_ANY -1
struct address { int family; int port; };
static void address_init(struct address *addr, int port)
{
    memset(addr, 0, sizeof(*addr));
    addr->family = 40;
    addr->port = port;
}
static int bind_to(struct address *addr)
{
    if (addr->port != PORT_ANY && !capable(CAP_A))
        return -EACCES;
    return 0;
}
int sys_connect(int fd)
{
    struct address local;

    address_init(&local, PORT_ANY);
    return bind_to(&local);
}
"""


def test_what_is_set_behind_the_filling_is_not_0() -> None:
    """``vsock_addr_init`` of 6.12: an address that is cleared gets its port in any case."""
    assert feasible(CLEARED) == {"connect": 0}


@pytest.mark.parametrize(
    ("part", "other"),
    [
        ("    addr->port = port;", "    if (fd_of(addr))\n        addr->port = port;"),
        ("    addr->port = port;", ""),
        ("    addr->port = port;", "    addr->port = port;\n    memset(addr, 0, sizeof(*addr));"),
    ],
)
def test_what_may_not_be_set_behind_the_filling_may_be_0(part: str, other: str) -> None:
    assert part in CLEARED
    assert feasible(CLEARED.replace(part, other, 1))["connect"] == 1
