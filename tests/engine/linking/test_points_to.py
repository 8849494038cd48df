"""Calls through function pointers: by struct type and member, never by the member's name.

``CAP_A`` stands in the function that is called, ``CAP_WRONG`` in one that only looks like it:
stored under the same member's name in another type, or in another variable.
"""

from __future__ import annotations

import pytest

from tests.engine.adapters import chains

# A struct with operations, one of another type with the same members' names, and a call
# through the first: each case stores ``right`` in one and ``wrong`` in the other.
OPS = """
-- include/linux/ops.h
struct ops { int flags; int (*open)(int); int (*bind)(int); };
struct other_ops { int flags; int (*open)(int); int (*bind)(int); };
struct sock { int family; struct ops *ops; };
-- net/call.c
#include <linux/ops.h>
int sys_bind(struct sock *sock) { return sock->ops->bind(1); }
-- net/right.c
#include <linux/ops.h>
static int right_open(int n) { return capable(CAP_WRONG) ? 0 : -1; }
static int plain(int n) { return 0; }
static int right(int n) { return capable(CAP_A) ? 0 : -1; }
static int wrong(int n) { return capable(CAP_WRONG) ? 0 : -1; }
"""

STORED = {
    "designated": """
struct ops one = { .flags = 1, .bind = right, .open = right_open };
struct other_ops two = { .bind = wrong };
""",
    "old-style designated": """
struct ops one = { flags: 1, bind: right, open: right_open };
struct other_ops two = { bind: wrong };
""",
    "positional": """
struct ops one = { 1, right_open, right };
struct other_ops two = { 1, right_open, wrong };
""",
    "positional with a NULL and a cast before": """
struct ops one = { (int) 1, NULL, (int (*)(int)) right };
struct other_ops two = { 1, NULL, wrong };
""",
    "positional with comments between": """
struct ops one = {
    1,          /* flags */
    right_open, /* open */
    right       /* bind */
};
""",
    "positional, under #ifdef": """
struct ops one = {
#ifdef CONFIG_FLAGS
    1,
#else
    0,
#endif
    right_open,
    right
};
""",
    "the address of the function": """
struct ops one = { .bind = &right };
struct other_ops two = { .bind = &wrong };
""",
    "static const": """
static const struct ops one = { .bind = right };
static const struct other_ops two = { .bind = wrong };
""",
    "a typedef of the type": """
typedef struct ops ops_t;
ops_t one = { .bind = right };
""",
    "an array of structs": """
struct ops all[] = { { 1, right_open, plain }, { 2, right_open, right } };
struct other_ops others[] = { { 1, wrong, wrong } };
""",
    "an array of structs, each place designated": """
struct ops all[2] = { [0] = { .open = right_open }, [1] = { .bind = right } };
""",
    "an array of structs in one flat list": """
struct ops all[2] = { 1, right_open, plain, 2, right_open, right };
""",
    "a nested struct": """
struct driver { int id; struct ops ops; struct other_ops other; };
struct driver one = { 7, { 1, right_open, right }, { 1, wrong, wrong } };
""",
    "a nested struct by name": """
struct driver { int id; struct ops ops; struct other_ops other; };
struct driver one = { .ops = { .bind = right }, .other = { .bind = wrong } };
""",
    "a nested struct by a path of names": """
struct driver { int id; struct ops ops; struct other_ops other; };
struct driver one = { .ops.bind = right, .other.bind = wrong };
""",
    "a local variable's initialiser": """
void start(void) { struct ops one = { .bind = right }; use(&one); }
void other(void) { struct other_ops one = { .bind = wrong }; use(&one); }
""",
    "a compound literal": """
void start(struct sock *sock) { *sock->ops = (struct ops) { .bind = right }; }
""",
    "an assignment to a member": """
void start(struct sock *sock) { sock->ops->bind = right; }
void other(struct other_ops *ops) { ops->bind = wrong; }
""",
    "an assignment to a global's member": """
struct ops one;
struct other_ops two;
void start(void) { one.bind = right; two.bind = &wrong; }
""",
    "an assignment to a local's member": """
void start(void) { struct ops one; struct other_ops two; one.bind = right; two.bind = wrong; }
""",
    "an assignment through an array": """
struct ops all[4];
struct other_ops others[4];
void start(int n) { all[n].bind = right; others[n].bind = wrong; }
""",
    "an assignment in a chain": """
struct ops one, two;
void start(void) { one.bind = two.bind = right; }
""",
    "one of two in a conditional expression": """
void start(struct ops *ops, int n) { ops->bind = n ? right : plain; }
void other(struct other_ops *ops, int n) { ops->bind = n ? wrong : plain; }
""",
    "a copy from another type's member": """
struct kit { int (*bind)(int); };
struct kit kit = { right };
void start(struct ops *ops, struct kit *from) { ops->bind = from->bind; }
""",
    "through a local variable": """
void start(struct ops *ops) { int (*chosen)(int) = right; ops->bind = chosen; }
void other(struct other_ops *ops) { int (*chosen)(int) = wrong; ops->bind = chosen; }
""",
    "through a global variable": """
int (*hook)(int) = right;
void start(struct ops *ops) { ops->bind = hook; }
""",
    "through the parameter of a function that stores it": """
void set_bind(struct ops *ops, int (*bind)(int)) { ops->bind = bind; }
void set_other(struct other_ops *ops, int (*bind)(int)) { ops->bind = bind; }
void start(struct ops *ops) { set_bind(ops, right); }
void other(struct other_ops *ops) { set_other(ops, wrong); }
""",
    "through the parameters of two functions": """
void store(struct ops *ops, int (*bind)(int)) { ops->bind = bind; }
void set_bind(struct ops *ops, int n, int (*bind)(int)) { store(ops, bind); }
void start(struct ops *ops) { set_bind(ops, 1, right); }
""",
    "through a macro that stores it": """
#define SET_BIND(ops, function) store((ops), function)
void store(struct ops *ops, int (*bind)(int)) { ops->bind = bind; }
void start(struct ops *ops) { SET_BIND(ops, right); }
""",
}


@pytest.mark.parametrize("way", STORED)
def test_a_function_is_called_through_the_member_it_is_stored_in(way: str) -> None:
    assert chains(OPS + STORED[way]) == {"sys_bind (ops.bind) right: CAP_A"}


def test_a_function_that_is_stored_nowhere_is_not_called() -> None:
    assert chains(OPS + "struct other_ops two = { .bind = wrong };") == set()


# How the object is written in the call; each is a whole function body's file.
RECEIVERS = {
    "a parameter": "int sys_bind(struct sock *sock) { return sock->ops->bind(1); }",
    "a parameter that is a struct": "int sys_bind(struct sock sock) { return sock.ops->bind(1); }",
    "an old-style parameter": (
        "int sys_bind(n, sock)\nint n;\nstruct sock *sock;\n{ return sock->ops->bind(1); }"
    ),
    "a local variable": (
        "int sys_bind(void *p) { struct sock *sock = p; return sock->ops->bind(1); }"
    ),
    "a local of an inner block": (
        "int sys_bind(int n) { if (n) { struct ops *ops = find(n); return ops->bind(1); }"
        " return 0; }"
    ),
    "a global": "struct sock *last;\nint sys_bind(void) { return last->ops->bind(1); }",
    "a static of the file": (
        "static struct sock last;\nint sys_bind(void) { return last.ops->bind(1); }"
    ),
    "an array of a global": (
        "struct ops *all[8];\nint sys_bind(int n) { return all[n]->bind(1); }"
    ),
    "an extern declaration": (
        "extern struct ops *other;\nint sys_bind(void) { return other->bind(1); }"
    ),
    "a cast": "int sys_bind(void *p) { return ((struct ops *) p)->bind(1); }",
    "a cast of a member": (
        "struct box { void *data; };\n"
        "int sys_bind(struct box *b) { return ((struct sock *) b->data)->ops->bind(1); }"
    ),
    "a struct member": (
        "struct file { struct sock *private; };\n"
        "int sys_bind(struct file *file) { return file->private->ops->bind(1); }"
    ),
    "a member of a nested struct without a tag": (
        "struct file { struct { struct ops *ops; } u; };\n"
        "int sys_bind(struct file *file) { return file->u.ops->bind(1); }"
    ),
    "a member of an anonymous union": (
        "struct file { union { struct ops *ops; int n; }; };\n"
        "int sys_bind(struct file *file) { return file->ops->bind(1); }"
    ),
    "what a function returns": (
        "struct sock *find(int n) { return 0; }\n"
        "int sys_bind(int n) { return find(n)->ops->bind(1); }"
    ),
    "a macro for a function's result": (
        "struct sock *get_last(void) { return 0; }\n#define last (get_last())\n"
        "int sys_bind(int n) { return last->ops->bind(1); }"
    ),
    "a macro for an element of an array": (
        "struct task { struct sock *sock; } tasks[4];\n#define current tasks[0]\n"
        "int sys_bind(int n) { return current.sock->ops->bind(1); }"
    ),
    "a macro for an array's element plus 0, as in 2.0": (
        "struct sock *all[4];\n#define last (0+all[number()])\n"
        "int sys_bind(int n) { return last->ops->bind(1); }"
    ),
    "a macro with a cast": (
        "#define SOCK(p) ((struct sock *) (p)->data)\nstruct box { void *data; };\n"
        "int sys_bind(struct box *box) { return SOCK(box)->ops->bind(1); }"
    ),
    "a list entry": (
        "int sys_bind(struct list_head *at)"
        " { return list_entry(at, struct sock, list)->ops->bind(1); }"
    ),
    "a typedef": (
        "typedef struct sock sock_t;\nint sys_bind(sock_t *sock) { return sock->ops->bind(1); }"
    ),
    "with a star": "int sys_bind(struct sock *sock) { return (*sock->ops->bind)(1); }",
    "in parentheses": "int sys_bind(struct sock *sock) { return (sock->ops->bind)(1); }",
    "a pointer to a pointer": "int sys_bind(struct ops **all) { return (*all)->bind(1); }",
    "a place in pointer arithmetic": "int sys_bind(struct ops *p) { return (p + 1)->bind(1); }",
    "a copy in a local variable": (
        "int sys_bind(struct sock *sock) { int (*call)(int) = sock->ops->bind; return call(1); }"
    ),
    "in a macro": (
        "#define BIND(sock) really_bind(sock)\n"
        "static int really_bind(struct sock *sock) { return sock->ops->bind(1); }\n"
        "int sys_bind(struct sock *s) { return BIND(s); }"
    ),
}

STORE = OPS.replace("int sys_bind(struct sock *sock) { return sock->ops->bind(1); }", "%s") + (
    "struct ops one = { .bind = right };\nstruct other_ops two = { .bind = wrong };\n"
)


@pytest.mark.parametrize("receiver", RECEIVERS)
def test_the_type_of_the_receiver_decides(receiver: str) -> None:
    kernel = STORE % RECEIVERS[receiver]
    rows = {row.replace("BIND really_bind ", "") for row in chains(kernel)}
    (row,) = rows
    assert row.startswith("sys_bind (")
    assert row.endswith("right: CAP_A")


WITHOUT_TYPE = {
    "an unknown local": "int sys_bind(int n) { struct unknown *p = f(n); return p->bind(1); }",
    "a void pointer": "int sys_bind(void *p) { return p->bind(1); }",
    "an unknown function": "int sys_bind(int n) { return find(n)->bind(1); }",
    "another type": "int sys_bind(struct third *p) { return p->bind(1); }",
}


@pytest.mark.parametrize("receiver", WITHOUT_TYPE)
def test_where_only_the_members_name_agrees_there_is_no_answer(receiver: str) -> None:
    text = STORE.replace("struct sock {", "struct third { int (*bind)(int); };\nstruct sock {")
    assert chains(text % WITHOUT_TYPE[receiver]) == set()


OTHERS = {
    "a function passed to one that calls it": (
        """
-- fs/walk.c
int walk(int (*visit)(int), int n) { return visit(n); }
-- fs/one.c
static int right(int n) { return capable(CAP_A) ? 0 : -1; }
static int wrong(int n) { return capable(CAP_WRONG) ? 0 : -1; }
int sys_one(int n) { return walk(right, n); }
int never(int (*visit)(int), int n) { return n; }
int sys_two(int n) { return never(wrong, n); }
""",
        {"sys_one walk (walk(visit)) right: CAP_A"},
    ),
    "a hook variable": (
        """
-- kernel/hook.c
int (*hook)(int);
int (*other_hook)(int);
int sys_one(int n) { return hook ? hook(n) : 0; }
-- drivers/one.c
static int right(int n) { return capable(CAP_A) ? 0 : -1; }
static int wrong(int n) { return capable(CAP_WRONG) ? 0 : -1; }
extern int (*hook)(int);
extern int (*other_hook)(int);
void start(void) { hook = right; other_hook = wrong; }
""",
        {"sys_one (hook) right: CAP_A"},
    ),
    "a hook called with a star": (
        """
-- kernel/hook.c
int (*hook)(int);
int sys_one(int n) { return (*hook)(n); }
static int right(int n) { return capable(CAP_A) ? 0 : -1; }
void start(void) { hook = right; }
""",
        {"sys_one (hook) right: CAP_A"},
    ),
    "static hooks of two files": (
        """
-- drivers/one.c
static int (*hook)(int);
static int right(int n) { return capable(CAP_A) ? 0 : -1; }
void start_one(void) { hook = right; }
int sys_one(int n) { return hook(n); }
-- drivers/two.c
static int (*hook)(int);
static int right(int n) { return capable(CAP_B) ? 0 : -1; }
void start_two(void) { hook = right; }
int sys_two(int n) { return hook(n); }
""",
        {"sys_one (hook) right: CAP_A", "sys_two (hook) right: CAP_B"},
    ),
    "a table of functions": (
        """
-- kernel/table.c
static int right(int n) { return capable(CAP_A) ? 0 : -1; }
static int wrong(int n) { return capable(CAP_WRONG) ? 0 : -1; }
static int (*table[])(int) = { 0, right };
static int (*other[])(int) = { wrong };
int sys_one(int n) { return table[n](n); }
""",
        {"sys_one (table) right: CAP_A"},
    ),
    "a table of functions by a typedef": (
        """
-- kernel/table.c
typedef int (*call_t)(int);
static int right(int n) { return capable(CAP_A) ? 0 : -1; }
static call_t table[4] = { 0, right };
int sys_one(int n) { return (*table[n])(n); }
""",
        {"sys_one (table) right: CAP_A"},
    ),
    "two structs of one name in two drivers": (
        """
-- drivers/one.c
struct ops { int (*open)(int); };
static int right(int n) { return capable(CAP_A) ? 0 : -1; }
static struct ops ops = { right };
int sys_one(struct ops *p) { return p->open(1); }
-- drivers/two.c
struct ops { int (*open)(int); };
static int right(int n) { return capable(CAP_B) ? 0 : -1; }
static struct ops ops = { right };
int sys_two(struct ops *p) { return p->open(1); }
""",
        {"sys_one (ops.open) right: CAP_A", "sys_two (ops.open) right: CAP_B"},
    ),
    "static functions of one name in two drivers": (
        """
-- include/linux/ops.h
struct ops { int (*open)(int); };
-- drivers/one.c
#include <linux/ops.h>
static int do_open(int n) { return capable(CAP_A) ? 0 : -1; }
static struct ops ops = { do_open };
-- drivers/two.c
#include <linux/ops.h>
static int do_open(int n) { return capable(CAP_WRONG) ? 0 : -1; }
-- fs/open.c
#include <linux/ops.h>
int sys_open(struct ops *p) { return p->open(1); }
""",
        {"sys_open (ops.open) do_open: CAP_A"},
    ),
    "another architecture's driver": (
        """
-- include/linux/ops.h
struct ops { int (*open)(int); };
-- arch/sparc/kernel/one.c
#include <linux/ops.h>
static int do_open(int n) { return capable(CAP_WRONG) ? 0 : -1; }
static struct ops ops = { do_open };
-- arch/i386/kernel/two.c
#include <linux/ops.h>
static int own_open(int n) { return capable(CAP_A) ? 0 : -1; }
static struct ops ops = { own_open };
-- fs/open.c
#include <linux/ops.h>
int sys_open(struct ops *p) { return p->open(1); }
""",
        {"sys_open (ops.open) own_open: CAP_A"},
    ),
    "copies from type to type": (
        """
-- net/proto.c
struct proto { int (*bind)(int); };
struct sock { struct proto *prot; int (*bind)(int); };
struct file { int (*bind)(int); };
static int right(int n) { return capable(CAP_A) ? 0 : -1; }
struct proto tcp = { .bind = right };
void create(struct sock *sk) { sk->bind = sk->prot->bind; }
int sys_one(struct sock *sk) { return sk->bind(1); }
int sys_two(struct file *f) { return f->bind(1); }
""",
        {"sys_one (sock.bind) right: CAP_A"},
    ),
    "a registration that keeps a struct": (
        """
-- include/linux/proc.h
struct entry { int (*read)(int); void *data; };
-- fs/proc.c
#include <linux/proc.h>
void create_entry(struct entry *e, int (*read)(int)) { e->read = read; }
int sys_read(struct entry *e) { return e->read(1); }
-- drivers/one.c
#include <linux/proc.h>
static int read_it(int n) { return capable(CAP_A) ? 0 : -1; }
void start(struct entry *e) { create_entry(e, read_it); }
""",
        {"sys_read (entry.read) read_it: CAP_A"},
    ),
    "a wrapper of a check that is stored": (
        """
-- kernel/one.c
struct ops { int (*allowed)(void); };
static int allowed(void) { return capable(CAP_A); }
static struct ops ops = { allowed };
int sys_one(struct ops *p) { return p->allowed(); }
int sys_two(int n) { return allowed() ? 0 : -1; }
""",
        {"sys_one (ops.allowed) allowed: CAP_A", "sys_two allowed: CAP_A"},
    ),
}


@pytest.mark.parametrize("way", OTHERS)
def test_functions_reach_their_callers_in_other_ways(way: str) -> None:
    kernel, expected = OTHERS[way]
    assert chains(kernel) == expected


# Each has ``right`` and ``wrong`` before it in its file.
WRITTEN = {
    "an array in a struct, initialised by position": """
struct d { int (*tab[4])(int); };
struct d d = { { 0, right } };
int sys_one(int n) { return d.tab[n](n); }
""",
    "an array in a struct, initialised by name": """
struct d { int a; int (*tab[4])(int); };
struct d d = { .tab = { 0, right } };
int sys_one(struct d *d, int n) { return d->tab[n](n); }
""",
    "an array in a struct, assigned to": """
struct d { int a; int (*tab[4])(int); };
void f(struct d*d) { d->tab[2] = right; }
int sys_one(struct d *d, int n) { return d->tab[n](n); }
""",
    "a typedef of a struct without a tag": """
typedef struct { int (*f)(int); } ops_t;
ops_t o = { right };
int sys_one(ops_t *p) { return p->f(1); }
""",
    "a typedef and the tag of one struct": """
typedef struct SHT { int (*f)(int); } Template;
Template o = { right };
int sys_one(struct SHT *p) { return p->f(1); }
""",
    "a typedef of a pointer": """
struct ops { int (*f)(int); };
typedef struct ops *ops_p;
struct ops o = { right };
int sys_one(ops_p p) { return p->f(1); }
""",
    "one of two objects": """
struct ops { int (*f)(int); };
struct ops o = { right };
int sys_one(struct ops *a, struct ops *b, int n) { return (n ? a : b)->f(1); }
""",
    "a local that is assigned in a condition": """
struct ops { int (*f)(int); };
struct ops o = { right };
int sys_one(struct ops *p) { int (*f)(int); if ((f = p->f) != 0) return f(1); return 0; }
""",
    "a local whose type is a typedef": """
typedef int (*fn_t)(int);
struct ops { fn_t f; };
struct ops o = { right };
int sys_one(struct ops *p) { fn_t f = p->f; return f(1); }
""",
    "a member whose type is a typedef": """
typedef int (*fn_t)(int);
struct ops { fn_t f; };
struct ops o = { right };
int sys_one(struct ops *p) { return p->f(1); }
""",
    "a member that points to a typedef of a function": """
typedef int fn_t(int);
struct ops { fn_t *f; };
struct ops o = { right };
int sys_one(struct ops *p) { return p->f(1); }
""",
    "a member that returns a pointer": """
struct ops { char *(*f)(int); };
struct ops o = { right };
int sys_one(struct ops *p) { return p->f(1); }
""",
    "a struct with #ifdef in it": """
struct ops {
#ifdef A
 int a;
#endif
 int (*f)(int);
};
struct ops o = { .f = right };
int sys_one(struct ops *p) { return p->f(1); }
""",
    "several members in one declaration": """
struct ops { int a, b; int (*f)(int), (*g)(int); };
struct ops o = { 1, 2, wrong, right };
int sys_one(struct ops *p) { return p->g(1); }
""",
    "a union without a tag before the member": """
struct ops { int a; union { int b; char c; } u; int (*f)(int); };
struct ops o = { 1, { 2 }, right };
int sys_one(struct ops *p) { return p->f(1); }
""",
    "bit fields before the member, one without a name": """
struct ops { int a:1, b:2; int :0; int (*f)(int); };
struct ops o = { 1, 2, right };
int sys_one(struct ops *p) { return p->f(1); }
""",
    "a string in an array before the member": """
struct ops { char name[16]; int (*f)(int); };
struct ops o = { "x", right };
int sys_one(struct ops *p) { return p->f(1); }
""",
    "an array in braces before the member": """
struct ops { int v[2]; int (*f)(int); };
struct ops o = { {1,2}, right };
int sys_one(struct ops *p) { return p->f(1); }
""",
    "strings that a macro joins before the member": """
struct ops { char *n; int (*f)(int); };
struct ops o = { "a" VERSION "b", right };
int sys_one(struct ops *p) { return p->f(1); }
""",
    "a macro's value before the member": """
struct ops { long n; int (*f)(int); };
struct ops o = { MKDEV(3,0), right };
int sys_one(struct ops *p) { return p->f(1); }
""",
    "an object declared with its struct": """
struct ops { int (*f)(int); } o = { right };
int sys_one(struct ops *p) { return p->f(1); }
""",
    "a static array in a function": """
struct ops { int (*f)(int); };
int sys_one(int n) { static struct ops tab[] = { { right } }; return tab[n].f(1); }
""",
    "a comma expression": """
struct ops { int (*f)(int); };
struct ops o = { right };
int sys_one(struct ops *p, int n) { return (n++, p->f)(1); }
""",
    "a pointer to the member": """
struct ops { int (*f)(int); };
struct ops o = { right };
int sys_one(struct ops *p) { int (**f)(int) = &p->f; return (*f)(1); }
""",
    "a void pointer that is cast when it is called": """
struct req { void *handler; };
void f(struct req *r) { r->handler = right; }
int sys_one(struct req *r) { return ((int (*)(int)) r->handler)(1); }
""",
    "container_of into a variable": """
struct ops { int (*f)(int); };
struct s { struct ops *ops; int l; };
struct ops o = { right };
int sys_one(int *l) { struct s *s = container_of(l, struct s, l); return s->ops->f(1); }
""",
    "container_of as the receiver": """
struct ops { int (*f)(int); };
struct s { struct ops *ops; int l; };
struct ops o = { right };
int sys_one(int *l) { return container_of(l, struct s, l)->ops->f(1); }
""",
    "what an inline function returns": """
struct ops { int (*f)(int); };
struct s { struct ops *ops; };
struct ops o = { right };
static inline struct s *S(void *p) { return p; }
int sys_one(void *p) { return S(p)->ops->f(1); }
""",
    "an inner variable that hides a parameter": """
struct ops { int (*f)(int); };
struct oth { int (*f)(int); };
struct ops o = { right };
struct oth q = { wrong };
int sys_one(struct oth *p) { { struct ops *p = 0; return p->f(1); } }
""",
    "a variable of a for statement": """
struct ops { int (*f)(int); struct ops *next; };
struct ops o = { right };
int sys_one(int n) { for (struct ops *p = &o; p; p = p->next) p->f(1); return 0; }
""",
    "the next one of a list": """
struct ops { int (*f)(int); struct ops *next; };
struct ops o = { right };
int sys_one(struct ops *p) { return p->next->next->f(1); }
""",
    "structs without tags in a union, told apart by their places": """
struct inode { union { struct { int (*f)(int); } ext; struct { int (*f)(int); } nfs; } u; };
void s(struct inode *i) { i->u.ext.f = right; i->u.nfs.f = wrong; }
int sys_one(struct inode *i) { return i->u.ext.f(1); }
""",
    "an attribute within the member": """
struct ops { int __attribute__((regparm(3))) (*f)(int); };
struct ops o = { right };
int sys_one(struct ops *p) { return p->f(1); }
""",
    "an annotation before the initialiser": """
struct ops { int (*f)(int); };
static struct ops o __initdata = { .f = right };
int sys_one(struct ops *p) { return p->f(1); }
""",
    "an attribute before the initialiser": """
struct ops { int (*f)(int); };
static struct ops o __attribute__((unused)) = { .f = right };
int sys_one(struct ops *p) { return p->f(1); }
""",
    "an annotation before a positional initialiser": """
struct ops { int (*f)(int); };
static const struct ops o __devinitdata = { right };
int sys_one(struct ops *p) { return p->f(1); }
""",
    "an annotation behind an array": """
struct ops { int (*f)(int); };
static struct ops o[] __lsm_ro_after_init = { { right } };
int sys_one(int n) { return o[n].f(1); }
""",
    "an annotation behind a table of functions": """
static int (*tab[])(int) __initdata = { 0, right };
int sys_one(int n) { return tab[n](1); }
""",
    "a cast to void *": """
struct ops { int (*f)(int); };
struct ops o = { (void *) right };
int sys_one(struct ops *p) { return p->f(1); }
""",
    "an initialiser with #ifdef in it": """
struct ops { int (*e)(int); int (*f)(int); };
struct ops o = {
 wrong,
#ifdef X
 right,
#else
 NULL,
#endif
};
int sys_one(struct ops *p) { return p->f(1); }
""",
}


@pytest.mark.parametrize("form", WRITTEN)
def test_the_many_forms_in_which_kernels_write_it(form: str) -> None:
    (row,) = chains(
        "-- kernel/one.c\n"
        "static int right(int n) { return capable(CAP_A) ? 0 : -1; }\n"
        "static int wrong(int n) { return capable(CAP_WRONG) ? 0 : -1; }\n" + WRITTEN[form]
    )
    assert row.startswith("sys_one (")
    assert row.endswith(") right: CAP_A")


# Macros, as they are where they are used.

MACROS = {
    "a call on the macro's parameter": """
#define CALL(s, x) ((s)->ops->bind(x))
int sys_bind(struct sock *sock) { return CALL(sock, 1); }
int sys_other(struct sock *sock) { return 0; }
""",
    "a call on a local variable that is an argument of a macro": """
#define CALL(s, x) ((s)->ops->bind(x))
int sys_bind(int n) { struct sock *sock = look(n); return CALL(sock, n); }
""",
    "a call of a member that is the macro's parameter": """
#define CALL(s, method, x) ((s)->ops->method(x))
int sys_bind(struct sock *sock) { return CALL(sock, bind, 1); }
""",
    "a call of a member whose name is pasted": """
#define CALL(s, end, x) ((s)->ops->bi##end(x))
int sys_bind(struct sock *sock) { return CALL(sock, nd, 1); }
""",
    "a call with any number of arguments": """
#define CALL(s, args...) (*((s)->ops->bind))(args)
int sys_bind(struct sock *sock) { return CALL(sock, 1); }
""",
    "a call by a macro within a macro": """
#define CALL_OPS(o, x) ((o)->bind(x))
#define CALL(s, x) ({ int n; n = CALL_OPS((s)->ops, x); n; })
int sys_bind(struct sock *sock) { return CALL(sock, 1); }
""",
    "a macro that is a place of its parameter": """
#define OPS(s) ((s)->ops)
int sys_bind(struct sock *sock) { return OPS(sock)->bind(1); }
""",
    "a macro that passes its parameter on": """
#define ONCE(x) (*(const volatile typeof(x) *)&(x))
#define READ(x) ({ check(x); ONCE(x); })
int sys_bind(struct sock *sock) { return READ(sock->ops)->bind(1); }
""",
    "a macro that passes its parameter on in a variable": """
#define READ(p) ({ typeof(*(p)) *local = (typeof(*(p)) *)(p); check(); ((typeof(*(p)) *)(local)); })
int sys_bind(struct sock *sock) { return READ(sock->ops)->bind(1); }
""",
    "a macro that is given the type": """
typedef struct sock sock_t;
#define outer(pointer, type, member) ((type *) ((char *) (pointer) - (long) &((type *) 0)->member))
int sys_bind(struct list *list) { return outer(list, sock_t, list)->ops->bind(1); }
""",
    "a macro that is the function's place": """
#define METHOD(op, s) (*((struct ops *) (s)->ops)->op)
#define BIND(s, r) { r = METHOD(bind, s)(1); }
int sys_bind(struct sock *sock) { int r; BIND(sock, r); return r; }
""",
}


@pytest.mark.parametrize("way", MACROS)
def test_a_macro_calls_through_its_arguments(way: str) -> None:
    kernel = OPS.replace("int sys_bind(struct sock *sock) { return sock->ops->bind(1); }", "")
    kernel += "struct ops one = { .bind = right }; struct other_ops two = { .bind = wrong };\n"
    call = f"-- net/user.c\n#include <linux/ops.h>\n{MACROS[way]}"
    assert chains(kernel + call) == {"sys_bind (ops.bind) right: CAP_A"}


def test_a_macro_calls_the_function_that_this_use_passes_to_it() -> None:
    text = """
-- include/linux/wrap.h
#define TRY_1(f, f1, ...) ({ (f) == f1 ? f1(__VA_ARGS__) : (f)(__VA_ARGS__); })
#define TRY_2(f, f2, f1, ...) ({ (f) == f2 ? f2(__VA_ARGS__) : TRY_1(f, f1, __VA_ARGS__); })
struct ops { int (*send)(int, int); };
-- net/one.c
#include <linux/wrap.h>
int ask_a(int n, int m) { return capable(CAP_A) ? 0 : -1; }
int ask_b(int n, int m) { return capable(CAP_B) ? 0 : -1; }
int ask_c(int n, int m) { return capable(CAP_C) ? 0 : -1; }
struct ops ops = { .send = ask_c };
int sys_one(struct ops *ops, int n) { return TRY_2(ops->send, ask_a, ask_b, n, 1); }
-- net/two.c
#include <linux/wrap.h>
int sys_two(int n, int (*plain)(int, int)) { return TRY_1(plain, ask_b, n, 2); }
"""
    assert chains(text) == {
        "sys_one ask_a: CAP_A",
        "sys_one ask_b: CAP_B",
        "sys_one (ops.send) ask_c: CAP_C",
        "sys_two ask_b: CAP_B",
    }


UNROLLED = """
-- include/linux/hooks.h
union security_list_options { int (*bind)(int); int (*open)(int); };
struct hook_list { union security_list_options hook; };
#define HOOK_INIT(NAME, HOOK) { .hook = { .NAME = HOOK } }
-- security/security.c
#include <linux/hooks.h>
#define LOOP(M, ...) do { UNROLL(MOST, M, __VA_ARGS__) } while (0)
#define CALL_ONE(NUM, R, HOOK, LABEL, ...) do { \\
    R = static_call(KEY(HOOK, NUM))(__VA_ARGS__); if (R) goto LABEL; } while (0);
#define call_hook(HOOK, ...) ({ int RC = 0; LOOP(CALL_ONE, RC, HOOK, OUT, __VA_ARGS__); OUT: RC; })
int sys_bind(int n) { return call_hook(bind, n); }
-- security/mine.c
#include <linux/hooks.h>
static int right(int n) { return capable(CAP_A) ? 0 : -1; }
static int wrong(int n) { return capable(CAP_WRONG) ? 0 : -1; }
static struct hook_list hooks[] = { HOOK_INIT(bind, right), HOOK_INIT(open, wrong) };
"""


def test_a_hook_of_security_modules_is_called_by_static_calls() -> None:
    hook = UNROLLED.replace("KEY", "LSM_STATIC_CALL")
    assert chains(hook, "6.12") == {"sys_bind (security_list_options.bind) right: CAP_A"}


def test_a_static_call_by_any_other_key_is_of_no_hook() -> None:
    assert chains(UNROLLED.replace("KEY", "OTHER"), "6.12") == set()


MADE = {
    "a whole list": """
#define TEMPLATE { .flags = 1, .bind = right }
struct ops one = TEMPLATE;
""",
    "a whole list, positional": """
#define TEMPLATE { 1, right_open, right }
static struct ops one = TEMPLATE;
""",
    "a list with a parameter": """
#define ENTRY(number, function) { .flags = number, .bind = function }
struct ops one = ENTRY(1, right);
struct other_ops two = ENTRY(1, wrong);
""",
    "an entry of an array": """
#define ENTRY(number, function) { number, right_open, function }
struct ops all[] = { ENTRY(1, plain), ENTRY(2, right) };
""",
    "an element of an array that is a macro": """
#define FIRST { 1, right_open, plain }
#define SECOND { 2, right_open, right }
struct ops all[] = { FIRST, SECOND };
""",
    "a list whose names are pasted": """
#define ENTRY(name) { .open = name##_open, .bind = name }
struct ops one = ENTRY(right);
""",
    "a list of a macro's macro": """
#define INNER(function) { 1, right_open, function }
#define ENTRY(function) INNER(function)
struct ops all[] = { ENTRY(plain), INNER(right) };
""",
    "a declaration": """
#define DECLARE(name, function) struct ops ops_##name = { .flags = 1, .bind = function }
static DECLARE(one, right);
""",
    "a declaration by another macro": """
#define ENTRY(function) { .flags = 1, .bind = function }
#define DECLARE(name, function) struct ops ops_##name = ENTRY(function)
DECLARE(one, right);
""",
    "an assignment to the parameter": """
#define SET(o, function) do { (o)->flags = 1; (o)->bind = (function); } while (0)
void start(struct ops *ops) { SET(ops, right); }
void other(struct other_ops *ops) { SET(ops, wrong); }
""",
    "an assignment to a member of a local": """
#define SET(o, function) do { (o).bind = (function); } while (0)
void start(void) { struct ops ops; SET(ops, right); use(&ops); }
void other(void) { struct other_ops ops; SET(ops, wrong); use(&ops); }
""",
}


@pytest.mark.parametrize("way", MADE)
def test_a_macro_stores_its_arguments(way: str) -> None:
    assert chains(OPS + MADE[way]) == {"sys_bind (ops.bind) right: CAP_A"}


# Functions that come and go.


def test_a_pointer_call_passes_a_function_to_all_that_it_calls() -> None:
    text = """
-- fs/read.c
struct ops { int (*readdir)(int, int (*fill)(int)); int (*other)(int, int (*fill)(int)); };
static int fill_one(int n) { return capable(CAP_A) ? 0 : -1; }
static int fill_two(int n) { return capable(CAP_WRONG) ? 0 : -1; }
static int read_a(int n, int (*fill)(int)) { return fill(n); }
static int read_b(int n, int (*filldir)(int)) { return filldir(n); }
static int read_c(int n, int (*filldir)(int)) { return filldir(n); }
struct ops a = { .readdir = read_a }, b = { .readdir = read_b }, c = { .other = read_c };
int sys_read(struct ops *ops) { return ops->readdir(1, fill_one); }
int never(struct ops *ops) { return ops->other(1, fill_two); }
"""
    assert chains(text) == {"sys_read (ops.readdir) read_a (read_a(fill)) fill_one: CAP_A"}


def test_a_pointer_call_passes_on_an_argument_of_its_caller() -> None:
    text = """
-- fs/read.c
struct ops { int (*readdir)(int, int (*fill)(int)); };
static int fill_one(int n) { return capable(CAP_A) ? 0 : -1; }
static int read_a(int n, int (*fill)(int)) { return fill(n); }
struct ops a = { .readdir = read_a };
static int walk(struct ops *ops, int (*fill)(int)) { return ops->readdir(1, fill); }
int sys_read(struct ops *ops) { return walk(ops, fill_one); }
"""
    assert chains(text) == {"sys_read walk (ops.readdir) read_a (walk(fill)) fill_one: CAP_A"}


RETURNED = {
    "called at once": "int sys_one(int n) { return look(n)(1); }",
    "kept in a variable": "int sys_one(int n) { int (*f)(int) = look(n); return f(1); }",
    "chosen by a caller": (
        "static int (*pick(int n))(int) { return n ? ask : plain; }\n"
        "int sys_one(int n) { int (*f)(int); f = pick(n); return f(1); }"
    ),
}


@pytest.mark.parametrize("way", RETURNED)
def test_a_function_may_be_what_a_function_returns(way: str) -> None:
    text = f"""
-- fs/one.c
typedef int (*work_t)(int);
static int plain(int n) {{ return 0; }}
static int ask(int n) {{ return capable(CAP_A) ? 0 : -1; }}
static work_t look(int n) {{ if (n) return ask; return plain; }}
{RETURNED[way]}
"""
    (row,) = chains(text)
    assert row.endswith(" ask: CAP_A")
    assert row.startswith("sys_one (")


ARRAYS = {
    "an array of functions": """
static int (*table[])(int) = { plain, ask };
int sys_one(int n) { return table[n](1); }
""",
    "an array of functions, by pointer": """
static int (*table[])(int) = { plain, ask };
int sys_one(int n) { return (*table[n])(1); }
""",
    "an array of a typedef": """
typedef int (*work_t)(int);
static work_t table[4] = { [2] = ask };
int sys_one(int n) { return table[n](1); }
""",
    "an array that is filled": """
static int (*table[4])(int);
void start(void) { table[1] = ask; }
int sys_one(int n) { return table[n](1); }
""",
    "an array in a struct": """
struct kit { int n; int (*table[2])(int); };
static struct kit kit = { 1, { plain, ask } };
int sys_one(struct kit *kit, int n) { return kit->table[n](1); }
""",
    "a pointer to a typedef'ed function type": """
typedef int work_fn(int);
struct kit { work_fn *work; };
static struct kit kit = { .work = ask };
int sys_one(struct kit *kit) { return kit->work(1); }
""",
}


@pytest.mark.parametrize("way", ARRAYS)
def test_functions_in_arrays_and_by_typedef(way: str) -> None:
    text = f"""
-- fs/one.c
static int plain(int n) {{ return 0; }}
static int ask(int n) {{ return capable(CAP_A) ? 0 : -1; }}
static int other(int n) {{ return capable(CAP_WRONG) ? 0 : -1; }}
static int (*others[])(int) = {{ other }};
{ARRAYS[way]}
"""
    (row,) = chains(text)
    assert row.endswith(" ask: CAP_A")


def test_a_function_with_other_parameters_is_no_target() -> None:
    text = """
-- fs/one.c
struct box { void *data; };
static int two(int n, int m) { return capable(CAP_WRONG) ? 0 : -1; }
static int one(int n) { return capable(CAP_A) ? 0 : -1; }
static int any(int n, ...) { return capable(CAP_B) ? 0 : -1; }
static int old() { return capable(CAP_C) ? 0 : -1; }
struct box a = { two }, b = { one }, c = { any }, d = { old };
int sys_one(struct box *box) { return ((int (*)(int)) box->data)(1); }
"""
    rows = {row.split(": ")[1] for row in chains(text)}
    assert rows == {"CAP_A", "CAP_B", "CAP_C"}


def test_a_macro_may_rename_a_struct() -> None:
    text = """
-- include/linux/device.h
struct device { int (*ioctl)(int); };
-- include/linux/compat.h
#define net_device device
-- drivers/net/new.c
#include <linux/device.h>
#include <linux/compat.h>
static int new_ioctl(int n) { return capable(CAP_A) ? 0 : -1; }
int start(struct net_device *dev) { dev->ioctl = new_ioctl; return 0; }
-- drivers/net/far.c
#include <linux/device.h>
static int far_ioctl(int n) { return capable(CAP_WRONG) ? 0 : -1; }
int start(struct net_device *dev) { dev->ioctl = far_ioctl; return 0; }
-- net/dev.c
#include <linux/device.h>
int sys_ioctl(struct device *dev) { return dev->ioctl(1); }
"""
    assert chains(text) == {"sys_ioctl (device.ioctl) new_ioctl: CAP_A"}


def test_a_macro_may_stand_for_the_members_behind_it() -> None:
    """``sk_prot`` of 4.15 is ``__sk_common.skc_prot``; a struct's own member comes first."""
    text = """
-- include/net/sock.h
struct proto { int (*bind)(int); };
struct other { int (*bind)(int); };
struct sock_common { int family; struct proto *skc_prot; };
struct sock { struct sock_common common; };
struct file { struct other *sk_prot; };
#define sk_prot common.skc_prot
#define sk_loop sk_loop_too
#define sk_loop_too sk_loop
-- net/right.c
#include <net/sock.h>
static int right(int n) { return capable(CAP_A) ? 0 : -1; }
static int wrong(int n) { return capable(CAP_WRONG) ? 0 : -1; }
struct proto one = { .bind = right };
struct other two = { .bind = wrong };
-- net/call.c
#include <net/sock.h>
int sys_bind(struct sock *sk) { return sk->sk_prot->bind(1); }
int sys_loop(struct sock *sk) { return sk->sk_loop->bind(1); }
-- fs/call.c
#include <net/sock.h>
int sys_read(struct file *file) { return file->sk_prot->bind(1); }
"""
    assert chains(text) == {
        "sys_bind (proto.bind) right: CAP_A",
        "sys_read (other.bind) wrong: CAP_WRONG",
    }


def test_a_constant_is_no_function() -> None:
    text = """
-- drivers/one.c
#define Register_7 work(7)
#define Other_name real
struct ops { int (*f)(int); };
static int work(int n) { return capable(CAP_WRONG) ? 0 : -1; }
static int real(int n) { return capable(CAP_A) ? 0 : -1; }
static int use(int (*f)(int)) { return f(1); }
int sys_one(void) { return use(Register_7); }
int sys_two(void) { return use(Other_name); }
"""
    from_use = {row for row in chains(text) if "use" in row}
    assert from_use == {
        "sys_one use (use(f)) Other_name real: CAP_A",
        "sys_two use (use(f)) Other_name real: CAP_A",
    }


def test_a_function_that_pointer_calls_pass_on_in_a_ring() -> None:
    text = """
-- drivers/one.c
struct bus { int (*write)(int (*f)(int), int n); int (*drop)(int (*f)(int), int n); };
static int real(int n) { return capable(CAP_A) ? 0 : -1; }
static int last(int (*f)(int), int n) { return f(n); }
static int never(int (*f)(int), int n) { return n; }
static int again(int (*f)(int), int n) { return bus.write(f, n); }
static int other(int (*f)(int), int n) { return again(f, n); }
struct bus bus = { .write = other, .drop = never };
int start(void) { bus.write = last; return 0; }
int sys_one(void) { return again(real, 1) + bus.drop(real, 1); }
"""
    assert chains(text) == {"sys_one again (bus.write) last (again(f)) real: CAP_A"}


def test_a_macro_that_is_told_in_which_member_to_store() -> None:
    text = """
-- include/linux/hooks.h
union hooks { int (*settime)(int); int (*nice)(int); };
struct entry { int *head; union hooks hook; };
#define HOOK(MEMBER, F) { .head = &own_heads.MEMBER, .hook = { .MEMBER = F } }
-- security/security.c
#include <linux/hooks.h>
#define CALL(MEMBER, args...) ({ struct entry *p = first(); p->hook.MEMBER(args); })
int sys_settime(int n) { return CALL(settime, n); }
-- security/own.c
#include <linux/hooks.h>
static int own_settime(int n) { return capable(CAP_A) ? 0 : -1; }
static int own_nice(int n) { return capable(CAP_WRONG) ? 0 : -1; }
static struct entry own_hooks[] = { HOOK(settime, own_settime), HOOK(nice, own_nice) };
"""
    assert chains(text) == {"sys_settime (hooks.settime) own_settime: CAP_A"}


def test_a_function_that_a_variable_hands_on() -> None:
    text = """
-- drivers/one.c
typedef int handler(int n);
struct desc { int flags; handler *func; };
static int right(int n) { return capable(CAP_A) ? 0 : -1; }
static int wrong(int n) { return capable(CAP_WRONG) ? 0 : -1; }
static struct desc descs[] = { { 1, right } };
static int run(handler *func, int n) { return func(n); }
int sys_one(int nr)
{
    struct desc *desc = &descs[nr];
    handler *func, *other = pick(wrong);
    func = desc->func;
    return run(func, nr);
}
"""
    assert chains(text) == {"sys_one run (desc.func) right: CAP_A"}


def test_functions_that_a_files_own_macro_makes() -> None:
    text = """
-- include/linux/attr.h
struct attr { int (*store)(int n); };
struct ops { int (*store)(int n); };
#define ATTR(name) struct attr attr_##name = { .store = name##_store }
-- drivers/one.c
#include <linux/attr.h>
int sys_write(struct attr *attr, int n) { return attr->store(n); }
int sys_other(struct ops *ops, int n) { return ops->store(n); }
static int set_first(int n) { return capable(CAP_A) ? 0 : -1; }
static int set_second(int n) { return capable(CAP_B) ? 0 : -1; }
#define STORE(slot) static int slot##_store(int n) { return set_##slot(n); }
#define BOTH(slot) STORE(slot) \\
ATTR(slot)
STORE(first)
BOTH(second);
ATTR(first);
"""
    assert chains(text) == {
        "sys_write (attr.store) first_store set_first: CAP_A",
        "sys_write (attr.store) second_store set_second: CAP_B",
    }


def test_a_check_in_a_macro_that_makes_functions_is_one_of_the_macro() -> None:
    text = """
-- drivers/one.c
struct attr { int (*store)(int n); };
int sys_write(struct attr *attr, int n) { return attr->store(n); }
#define STORE(name) \\
static int name##_store(int n) \\
{ \\
    return capable(CAP_A) ? 0 : -1; \\
}
STORE(first)
static struct attr attr_first = { .store = first_store };
#define NEVER(name) do { name(CAP_WRONG); } while (0)
NEVER(capable);
"""
    assert chains(text) == {"sys_write (attr.store) first_store STORE: CAP_A"}
