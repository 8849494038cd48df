"""Which names ask for privilege in a release, and where they are asked: check sites."""

from __future__ import annotations

import pytest

from tests.engine.adapters import chains, linked


def sites(text: str) -> set[tuple[str | None, str, str | None]]:
    """(function, check, capability or argument) of every check site."""
    return {
        (site.function, site.check_name, site.capability or site.argument)
        for site in linked(text).check_sites
    }


def wrappers(text: str) -> set[tuple[str, str, str, str | int | None]]:
    """(name, kind, check, capability or parameter) of every wrapper."""
    return {
        (
            row.name,
            row.kind,
            row.check_name,
            row.capability if row.parameter is None else row.parameter,
        )
        for row in linked(text).wrappers
    }


@pytest.mark.parametrize(
    ("call", "check", "asked"),
    [
        ("suser()", "suser", None),
        ("fsuser()", "fsuser", None),
        ("capable(CAP_A)", "capable", "CAP_A"),
        ("capable(cap)", "capable", "cap"),
        ("capable(p->need)", "capable", "struct rule->need"),
        ("capable(n ? CAP_A : CAP_B)", "capable", "n ? CAP_A : CAP_B"),
        ("cap_raised(current->cap, CAP_A)", "cap_raised", "CAP_A"),
        ("ns_capable(ns, CAP_A)", "ns_capable", "CAP_A"),
        ("current->euid == 0", "uid0", None),
        ("!current->uid", "uid0", None),
        ("0 == current->suid", "uid0", None),
        ("uid_eq(current_euid(), GLOBAL_ROOT_UID)", "uid0", None),
        ("security_capable(cred, ns, CAP_A)", "security_capable", "CAP_A"),
        ("capable()", "capable", "?"),
        # 0.01 asks twice in one line.
        ("current->uid && current->euid", "uid0", None),
    ],
)
def test_each_check_is_a_site(call: str, check: str, asked: str | None) -> None:
    text = f"""
-- kernel/one.c
struct rule {{ int need; }};
int sys_one(struct rule *p, int n) {{ int cap = n; return {call} ? 0 : -1; }}
"""
    assert sites(text) == {("sys_one", check, asked)}


@pytest.mark.parametrize(
    "text",
    [
        "int sys_one(void) { return current->euid == 1 ? 0 : -1; }",
        "int sys_one(struct inode *i) { return i->i_uid == 0 ? 0 : -1; }",
        "int sys_one(struct iattr *a) { return a->uid == 0 ? 0 : -1; }",
        "int sys_one(void) { current->euid = 0; return 0; }",
        "int suser_count;\nint sys_one(void) { return suser_count; }",
        'int sys_one(void) { printk("suser()"); /* capable(CAP_A) */ return 0; }',
    ],
)
def test_what_is_no_check(text: str) -> None:
    assert sites(f"-- kernel/one.c\n{text}\n") == set()


PLUMBING = """
-- include/linux/sched.h
extern inline int suser(void) { return current->euid == 0; }
-- kernel/capability.c
int capable(int cap) { return ns_capable(&init_user_ns, cap); }
int ns_capable(struct ns *ns, int cap) { return really_capable(current, ns, cap); }
int file_capable(struct file *f, int n, int cap) { return ns_capable(f->ns, cap); }
static int really_capable(struct task *t, struct ns *ns, int cap)
{
    return cap_raised(t->effective, cap);
}
-- kernel/one.c
#include <linux/sched.h>
int sys_one(struct file *f) { return file_capable(f, CAP_WRONG, CAP_A) ? 0 : -1; }
int sys_two(void) { return suser() ? 0 : -1; }
"""


def test_a_function_that_passes_its_parameter_on_is_plumbing_and_no_site() -> None:
    assert sites(PLUMBING) == {("sys_one", "file_capable", "CAP_A"), ("sys_two", "suser", None)}
    assert wrappers(PLUMBING) >= {
        ("file_capable", "plumbing", "file_capable", 2),
        ("really_capable", "plumbing", "really_capable", 2),
    }


def test_a_macro_with_the_capability_as_parameter_is_plumbing() -> None:
    text = """
-- include/linux/ask.h
#define task_capable(t, cap) cap_raised((t)->effective, cap)
-- kernel/one.c
#include <linux/ask.h>
int sys_one(struct task *t) { return task_capable(t, CAP_A) ? 0 : -1; }
"""
    assert sites(text) == {("sys_one", "task_capable", "CAP_A")}


def test_a_namesake_of_plumbing_in_another_file_is_none() -> None:
    text = """
-- kernel/one.c
static int allowed(int cap) { int r = capable(cap); return r; }
int sys_one(void) { return allowed(CAP_A) ? 0 : -1; }
-- fs/two.c
static int allowed(int mode) { return mode; }
int sys_two(void) { return allowed(CAP_WRONG) ? 0 : -1; }
"""
    assert sites(text) == {("sys_one", "allowed", "CAP_A")}


FIXED = {
    "a function": (
        "static int isroot(void) { return suser(); }",
        {("sys_one", "suser", None)},
    ),
    "a uid test": (
        "static int isroot(void) { return current->euid == 0; }",
        {("sys_one", "uid0", None)},
    ),
    "a macro": ("#define isroot() capable(CAP_A)", {("sys_one", "capable", "CAP_A")}),
    "a macro with parentheses and a negation": (
        "#define isroot() (!!capable(CAP_A))",
        {("sys_one", "capable", "CAP_A")},
    ),
    "two capabilities": (
        "static int isroot(void) { return capable(CAP_A) || capable(CAP_B); }",
        {("sys_one", "capable", "CAP_A"), ("sys_one", "capable", "CAP_B")},
    ),
    "a wrapper of a wrapper": (
        "static int really(void) { return capable(CAP_A); }\n"
        "static int inner(void) { return really(); }\n"
        "#define isroot() inner()",
        {("sys_one", "capable", "CAP_A")},
    ),
    "a wrapper that is another name": (
        "#define isroot suser",
        {("sys_one", "suser", None)},
    ),
    "a wrapper through plumbing": (
        "static int can(int n, int cap) { return capable(cap); }\n"
        "static int isroot(void) { return can(1, CAP_A); }",
        {("sys_one", "can", "CAP_A")},
    ),
}


@pytest.mark.parametrize("wrapper", FIXED)
def test_a_call_of_a_fixed_wrapper_is_a_site_for_each_capability(wrapper: str) -> None:
    definition, expected = FIXED[wrapper]
    text = f"""
-- drivers/one.c
{definition}
int sys_one(void) {{ return isroot() ? 0 : -1; }}
-- drivers/other.c
static int isroot(void) {{ return 1; }}
int sys_two(void) {{ return isroot() ? 0 : -1; }}
"""
    assert sites(text) == expected
    assert {row.reach for row in linked(text).syscall_checks} == {"direct"}


@pytest.mark.parametrize(
    "body",
    [
        "return n > 3 && capable(CAP_A);",
        "if (!capable(CAP_A)) return 0; count++; return 1;",
        "return capable(CAP_A) ? n : 0;",
        "return capable(CAP_A) && ready(n);",
        "int r = capable(CAP_A); return r;",
        "return -capable(CAP_A);",
    ],
)
def test_a_function_that_does_more_is_no_wrapper_but_holds_the_site(body: str) -> None:
    text = f"""
-- drivers/one.c
static int allowed(int n) {{ {body} }}
int sys_one(void) {{ return allowed(1) ? 0 : -1; }}
"""
    assert sites(text) == {("allowed", "capable", "CAP_A")}
    assert chains(text) == {"sys_one allowed: CAP_A"}


def test_the_body_of_a_check_is_no_site() -> None:
    text = """
-- kernel/sys.c
int suser(void)
{
    if (current->euid == 0) {
        current->flags |= 1;
        return 1;
    }
    return 0;
}
int sys_one(void) { return suser() ? 0 : -1; }
"""
    assert sites(text) == {("sys_one", "suser", None)}


def test_a_site_tells_its_line_its_effect_and_its_condition() -> None:
    text = """
-- kernel/one.c
int first;

int sys_one(void)
{
#ifdef CONFIG_ONE
    if (!suser())
        return -EPERM;
#endif
    return 0;
}
#if 0
int never(void) { return suser() ? 0 : -1; }
#endif
"""
    rows = {
        (site.function, site.line, site.effect, site.errno, site.condition)
        for site in linked(text).check_sites
    }
    assert rows == {
        ("sys_one", 6, "deny", "EPERM", "defined(CONFIG_ONE)"),
        ("never", 12, "deny", None, "0"),
    }


def test_a_site_in_a_macro_says_so() -> None:
    text = """
-- kernel/one.c
#define MAY(n) ((n) || suser())
int sys_one(void) { return MAY(1) ? 0 : -1; }
"""
    (site,) = linked(text).check_sites
    assert (site.function, site.form, site.line) == ("MAY", "macro", 1)


@pytest.mark.parametrize(
    ("parameters", "arguments"),
    [
        ("int cap", "CAP_A"),
        ("const struct cred *cred, int cap", "current_cred(), CAP_A"),
        ("struct task *t, const struct cred *cred, int cap", "t, current_cred(), CAP_A"),
        ("int cap, struct ns *ns", "CAP_A, ns"),
    ],
)
def test_the_capability_is_the_parameter_that_the_release_calls_so(
    parameters: str, arguments: str
) -> None:
    """security_capable had it first, second or third, from 2.6.29 to 3.0."""
    text = f"""
-- security/security.c
int security_capable({parameters}) {{ return ops(cap); }}
-- kernel/one.c
int sys_one(void) {{ return security_capable({arguments}) ? -1 : 0; }}
"""
    assert sites(text) == {("sys_one", "security_capable", "CAP_A")}


def test_a_capability_that_is_worked_out_makes_no_wrapper() -> None:
    text = """
-- kernel/one.c
static int allowed(int n) { return capable(needed[n]); }
int sys_one(int n) { return allowed(n) ? 0 : -1; }
"""
    assert sites(text) == {("allowed", "capable", "needed")}
    assert wrappers(text) == set()


def test_statements_outside_any_function_hold_sites_of_no_function() -> None:
    text = """
-- kernel/one.c
int sys_one(void) { return 0; }
#if 0
    if (!suser()) {
        return -EPERM;
    }
#endif
"""
    (site,) = linked(text).check_sites
    assert (site.function, site.line, site.condition) == (None, 3, "0")
    (detail,) = [each for each in linked(text).audit_details if each.kind == "no_function"]
    assert (detail.path, detail.line, detail.detail) == ("kernel/one.c", 3, "suser")


def test_what_user_space_names_a_capability_to_is_no_wrapper() -> None:
    """prctl(PR_CAPBSET_READ) of 2.6.25 and later asks whether a set has the capability that
    the caller names; its own check is one all the same."""
    text = """
-- security/commoncap.c
int task_prctl(int option, int which)
{
    if (option == 1)
        return cap_raised(current->bound, which);
    if (!capable(CAP_SETPCAP))
        return -EPERM;
    return 0;
}
-- kernel/sys.c
int sys_prctl(int option, int which) { return task_prctl(option, which); }
"""
    assert wrappers(text) == set()
    assert chains(text) == {
        "sys_prctl task_prctl: CAP_SETPCAP",
        "sys_prctl task_prctl: cap_raised",
    }


def test_a_security_module_that_is_called_through_a_pointer_alone_is_a_wrapper() -> None:
    text = """
-- security/own.c
static int own_capable(int which) { return cap_raised(current->set, which); }
struct hooks own = { .capable = own_capable };
"""
    assert wrappers(text) == {("own_capable", "plumbing", "own_capable", 0)}


def test_a_negative_number_asks_for_no_capability() -> None:
    text = """
-- kernel/map.c
static int map_write(int n, int cap)
{ return cap_valid(cap) && !ns_capable(current->ns, cap) ? -EPERM : 0; }
int sys_uid(int n) { return map_write(n, CAP_SETUID); }
int sys_projid(int n) { return map_write(n, -1); }
"""
    asked = {site for site in sites(text) if site[1] == "map_write"}
    assert asked == {("sys_uid", "map_write", "CAP_SETUID")}
