"""Handlers that macros hide, or that stand behind many pointers, are found.

``CAP_A`` stands in the handler that is registered, ``CAP_WRONG`` in one that is not.
"""

from __future__ import annotations

import pytest

from tests.engine.adapters import chain_text, chains, linked

HANDLERS = """
static int right(int n) { return capable(CAP_A) ? 0 : -1; }
static int wrong(int n) { return capable(CAP_WRONG) ? 0 : -1; }
"""

MACROS = {
    "an attribute that is declared by its name alone": """
-- include/linux/attr.h
struct attr { int mode; int (*store)(int); };
#define __ATTR_WO(_name) { .mode = 0, .store = _name##_store }
#define ATTR_WO(_name) struct attr attr_##_name = __ATTR_WO(_name)
-- drivers/right.c
#include <linux/attr.h>
int sys_write(struct attr *attr) { return attr->store(1); }
static int right_store(int n) { return capable(CAP_A) ? 0 : -1; }
static int wrong_store(int n) { return capable(CAP_WRONG) ? 0 : -1; }
static ATTR_WO(right);
EXPORT_WO(wrong);
""",
    "an element with its index": f"""
-- include/linux/table.h
struct desc {{ int cmd; int (*func)(int); }};
#define ENTRY(ioctl, _func) [NR(ioctl)] = {{ .cmd = ioctl, .func = _func }}
-- drivers/right.c
#include <linux/table.h>
{HANDLERS}
static struct desc table[] = {{ ENTRY(MY_GET, right), }};
int sys_ioctl(int n) {{ return table[n].func(n); }}
""",
    "a braced list as an argument": f"""
-- fs/right.c
union op {{ int (*show)(int); int (*link)(int); }};
struct entry {{ char *name; int mode; union op op; }};
#define NOD(NAME, MODE, OP) {{ .name = (NAME), .mode = MODE, .op = OP, }}
#define DIR(NAME) NOD(NAME, 0, {{}} )
#define ONE(NAME, show) NOD(NAME, 1, {{ .show = show }} )
#define LNK(NAME, get_link) NOD(NAME, 2, {{ .link = get_link }} )
{HANDLERS}
static struct entry table[] = {{ DIR("a"), ONE("b", right), LNK("c", wrong), }};
struct inode {{ union op op; }};
int sys_read(struct inode *inode) {{ return inode->op.show(1); }}
""",
    "a macro for the name of a variable": f"""
-- net/right.c
struct ops {{ int (*bind)(int); int (*listen)(int); }};
struct sock {{ struct ops *ops; }};
#define WRAPPED(name) name
{HANDLERS}
static struct ops WRAPPED(one_ops) = {{ .bind = right, .listen = wrong }};
int sys_bind(struct sock *sock) {{ return sock->ops->bind(1); }}
""",
    "a local variable of the type of a member": f"""
-- fs/right.c
struct ops {{ int (*open)(int); int (*release)(int); }};
struct entry {{ struct ops *ops; }};
{HANDLERS}
static struct ops one_ops = {{ .open = right, .release = wrong }};
int sys_open(struct entry *entry)
{{
    typeof_member(struct ops, open) open;
    open = entry->ops->open;
    return open ? open(1) : 0;
}}
""",
    "a macro that defines functions which hand on what it is given": f"""
-- include/linux/simple.h
struct attr {{ int (*get)(int); int (*set)(int); }};
#define DEFINE_SIMPLE(fops, __get, __set, fmt) \\
static int fops##_open(struct file *file) {{ return simple_open(file, __get, __set); }} \\
static struct file_operations fops = {{ .open = fops##_open }}
-- fs/simple.c
#include <linux/simple.h>
int simple_open(struct file *file, int (*get)(int), int (*set)(int))
{{ struct attr *attr = alloc(1); attr->get = get; attr->set = set; return 0; }}
int sys_write(struct attr *attr) {{ return attr->set(1); }}
-- drivers/right.c
#include <linux/simple.h>
{HANDLERS}
DEFINE_SIMPLE(my_fops, wrong, right, "%llu");
""",
}


@pytest.mark.parametrize("kernel", MACROS.values(), ids=MACROS.keys())
def test_what_macros_store_is_called(kernel: str) -> None:
    found = chains(kernel, "6.8")
    assert [each for each in found if each.endswith("CAP_A")]
    assert not [each for each in found if "CAP_WRONG" in each]


def _deep(steps: int) -> str:
    """A check behind so many steps, the first of them through a pointer; and one nearer by."""
    calls = "\n".join(
        f"static int step_{n}(int n) {{ return step_{n + 1}(n); }}" for n in reversed(range(steps))
    )
    return f"""
-- kernel/deep.c
struct ops {{ int (*call)(int); }};
static int step_{steps}(int n) {{ return capable(CAP_A) ? 0 : -1; }}
{calls}
static struct ops ops = {{ .call = step_0 }};
int sys_near(struct ops *ops) {{ return ops->call(1); }}
int sys_far(struct ops *ops) {{ return inner(ops); }}
static int inner(struct ops *ops) {{ return ops->call(1); }}
"""


def test_a_site_that_nobody_comes_to_is_followed_further() -> None:
    near, beyond, never = (chains(_deep(steps), "6.8") for steps in (8, 12, 16))
    assert len(near) == 2
    assert {each.split()[0] for each in beyond} == {"sys_near", "sys_far"}
    assert not never


def test_a_site_that_somebody_comes_to_is_not() -> None:
    kernel = _deep(12) + "int sys_direct(void) { return step_12(1); }\n"
    assert {each.split()[0] for each in chains(kernel, "6.8")} == {"sys_direct"}


MAP = """
-- kernel/user.c
static int permitted(struct ns *ns, int cap) { return ns_capable(ns, cap) && checked(ns); }
static int checked(struct ns *ns) { return capable(CAP_B); }
static int map_write(struct ns *ns, int cap)
{
    if (!capable(CAP_A))
        return -1;
    verify(ns);
    return permitted(ns, cap) ? 0 : -1;
}
static int verify(struct ns *ns) { int ok = capable(CAP_C); return ok; }
int sys_map(struct ns *ns) { return map_write(ns, CAP_D); }
"""


def test_plumbing_that_asks_of_its_own_choice_asks_in_its_own_body() -> None:
    found = {each.rsplit(" ", 1)[1] for each in chains(MAP, "6.8")}
    assert found >= {"CAP_A", "CAP_C", "CAP_D"}


HANDED = "\n-- kernel/user.c\n#define CAP_D 4\n#define CAP_E 5\n" + MAP.removeprefix(
    "\n-- kernel/user.c\n"
).replace(
    "int sys_map(struct ns *ns) { return map_write(ns, CAP_D); }",
    "int sys_map(struct ns *ns) { return map_write(ns, CAP_D); }\n"
    "int sys_other(struct ns *ns) { return map_write(ns, CAP_E); }\n"
    "int sys_free(struct ns *ns) { return map_write(ns, -1); }",
)


def test_what_a_worker_is_handed_is_asked_where_it_asks() -> None:
    """map_write and new_idmap_permitted of user namespaces, 3.5 on."""
    rows = linked(HANDED, "6.8").syscall_checks
    found = {chain_text(row) for row in rows if row.feasible}
    assert {one for one in found if one[-1] in "DE"} == {
        "sys_map map_write permitted: CAP_D",
        "sys_other map_write permitted: CAP_E",
    }


def test_plumbing_that_others_call_too_passes_on_for_them() -> None:
    kernel = HANDED + "int sys_plain(struct ns *ns) { return permitted(ns, CAP_F); }\n"
    found = chains(kernel, "6.8")
    assert "sys_map map_write: CAP_D" in found
    assert "sys_plain: CAP_F" in found


def test_plumbing_that_only_passes_on_is_no_step() -> None:
    kernel = MAP.replace("if (!capable(CAP_A))", "if (!ns)")
    found = {each.rsplit(" ", 1)[1] for each in chains(kernel, "6.8")}
    assert found == {"CAP_D"}
