"""Checks that constants on the way switch off are told apart, and only those."""

from __future__ import annotations

import pytest

from caphistory.linking.feasibility import possible, truth_of, value_of

from .kernels import linked

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
-- fs/attr.c
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
    found = feasible(FLAGS)
    assert found["chmod"] == 0
    assert found["chown"] == 1


def test_a_struct_that_another_function_may_have_changed_decides_nothing() -> None:
    assert feasible(FLAGS)["opaque"] == 1


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


@pytest.mark.parametrize(
    ("guard", "known", "truth"),
    [
        (("!", "$x"), {"$x": 1}, False),
        (("!", "$x"), {}, None),
        (("&&", ("!", "$x"), "?"), {"$x": 1}, False),
        (("||", ("!", "$x"), "?"), {"$x": 1}, None),
        (("==", "$x", "2"), {"$x": 2}, True),
        (("!=", "$x", "2"), {"$x": 2}, False),
        (("&", "$x", ":FLAG_A"), {"$x": frozenset(("FLAG_B",))}, False),
        (("&", "$x", ":FLAG_A"), {"$x": frozenset(("FLAG_A",))}, None),
        (("&", "$x", ":FLAG_A"), {"$x": 0}, False),
        (("==", "$x", ":NAME"), {"$x": frozenset(("OTHER",))}, None),
    ],
)
def test_guards_are_decided_only_where_constants_suffice(guard, known, truth) -> None:  # type: ignore[no-untyped-def]
    assert truth_of(guard, known) is truth


def test_values_of_expressions() -> None:
    assert value_of(("|", ":A", ":B"), {}) == frozenset("AB")
    assert value_of(("!=", "$x", "0"), {"$x": 1}) == 1
    assert value_of(":lower", {}) is None


def test_nothing_known_leaves_everything_possible() -> None:
    assert possible((("!", "$x"),), frozenset())
    assert not possible((("!", "$x"),), frozenset({("$x", 1)}))
