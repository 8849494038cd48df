"""Tables of functions that are known at a call: handed down by name, or by who made the object.

``CAP_A`` stands in what is called, ``CAP_WRONG`` in a table of another object.
"""

from __future__ import annotations

import pytest

from tests.engine.adapters import linked


def asked(kernel: str, syscall: str) -> set[str | None]:
    """The capabilities that no constant keeps a syscall from asking for."""
    rows = linked(kernel).syscall_checks
    return {row.check.capability for row in rows if row.feasible and row.syscall == syscall}


HANDED = """
-- include/linux/ipc.h
struct ipc_ops { int (*getnew)(int); int (*more)(int); };
struct walk { int n; const struct ipc_ops *ops; };
-- ipc/util.c
#include <linux/ipc.h>
int ipcget(int n, const struct ipc_ops *ops)
{
    if (n)
        return 0;
    return ops->getnew(n);
}
int walk_on(struct walk *walk)
{
    const struct ipc_ops *ops = walk->ops;
    if (ops->more)
        return ops->more(walk->n);
    return 0;
}
int walk_all(int n, const struct ipc_ops *ops)
{
    struct walk walk = { .n = n, .ops = ops, };
    return walk_on(&walk);
}
-- ipc/sem.c
#include <linux/ipc.h>
static int new_sem(int n) { return capable(CAP_A) ? 0 : -1; }
static int more_sem(int n) { return capable(CAP_A) ? 0 : -1; }
const struct ipc_ops sem_ops = { .getnew = new_sem, .more = more_sem };
int sys_semget(int n) { return ipcget(n, &sem_ops); }
int sys_semwalk(int n) { return walk_all(n, &sem_ops); }
-- ipc/shm.c
#include <linux/ipc.h>
static int new_shm(int n) { return capable(CAP_WRONG) ? 0 : -1; }
static int more_shm(int n) { return capable(CAP_WRONG) ? 0 : -1; }
static int new_msg(int n) { return capable(CAP_B) ? 0 : -1; }
int sys_shmget(int n)
{
    static const struct ipc_ops shm_ops = { .getnew = new_shm, .more = more_shm, };
    return ipcget(n, &shm_ops);
}
int sys_msgget(int n)
{
    static const struct ipc_ops msg_ops = { .getnew = new_msg, };
    return ipcget(n, &msg_ops);
}
int sys_msgwalk(int n)
{
    static const struct ipc_ops msg_ops = { .getnew = new_msg, };
    return walk_all(n, &msg_ops);
}
int sys_any(int n, struct ipc_ops *ops) { return ipcget(n, n ? ops : &sem_ops); }
"""


def test_a_table_that_is_handed_down_by_name_is_called_by() -> None:
    assert asked(HANDED, "semget") == {"CAP_A"}
    assert asked(HANDED, "shmget") == {"CAP_WRONG"}
    assert asked(HANDED, "msgget") == {"CAP_B"}


def test_a_table_is_handed_down_in_a_struct() -> None:
    assert asked(HANDED, "semwalk") == {"CAP_A"}
    assert asked(HANDED, "msgwalk") == set()


def test_a_table_that_nobody_knows_is_any() -> None:
    assert asked(HANDED, "any") == {"CAP_A", "CAP_B", "CAP_WRONG"}


def test_a_table_into_which_code_stores_by_a_pointer_may_hold_anything() -> None:
    more = HANDED + "void set(struct ipc_ops *ops) { ops->getnew = new_shm; }\n"
    assert asked(more, "semget") == {"CAP_A", "CAP_B", "CAP_WRONG"}


SOCKETS = """
-- include/linux/net.h
#define PF_ONE 1
#define PF_TWO 2
struct socket { struct proto_ops *ops; };
struct proto_ops { int (*bind)(struct socket *); };
struct family { int family; int (*create)(struct socket *, int); };
-- net/socket.c
#include <linux/net.h>
static struct family *families[8];
int sock_register(struct family *ops) { families[ops->family] = ops; return 0; }
int sock_create(int family, int type, struct socket **res)
{
    struct socket *sock = sock_alloc();
    int err = families[family]->create(sock, type);
    if (err < 0)
        return err;
    *res = sock;
    return 0;
}
int sock_create_kern(int family, struct socket **res) { return sock_create(family, 1, res); }
-- net/one.c
#include <linux/net.h>
static int one_bind(struct socket *sock) { return capable(CAP_A) ? 0 : -1; }
struct proto_ops one_ops = { .bind = one_bind };
static void one_init(struct socket *sock) { sock->ops = &one_ops; }
static int one_create(struct socket *sock, int type) { one_init(sock); return 0; }
static struct family one = { .family = PF_ONE, .create = one_create };
void one_start(void) { sock_register(&one); }
-- net/two.c
#include <linux/net.h>
static int two_bind(struct socket *sock) { return capable(CAP_WRONG) ? 0 : -1; }
struct proto_ops two_ops = { .bind = two_bind };
static int two_create(struct socket *sock, int type) { sock->ops = &two_ops; return 0; }
static struct family two = { .family = PF_TWO, .create = two_create };
void two_start(void) { sock_register(&two); }
-- net/user.c
#include <linux/net.h>
int sys_user(int n, struct socket *other)
{
    struct socket *sock;
    int err;
    CREATE
    return sock->ops->bind(sock);
}
"""
MADE = {
    "by name": "err = sock_create(PF_ONE, 1, &sock); if (err < 0) return err;",
    "in a condition": "if (sock_create(PF_ONE, n, &sock) < 0) return err;",
    "by another function": "err = sock_create_kern(PF_ONE, &sock);",
}
ANY = {
    "any family": "err = sock_create(n, 1, &sock);",
    "perhaps": "sock = other; if (n) err = sock_create(PF_ONE, 1, &sock);",
    "another": "err = sock_create(PF_ONE, 1, &sock); sock = other;",
    "by nobody": "err = look_up(PF_ONE, 1, &sock);",
}


@pytest.mark.parametrize("create", MADE.values(), ids=list(MADE))
def test_an_object_has_the_tables_that_its_maker_gave_it(create: str) -> None:
    assert asked(SOCKETS.replace("CREATE", create), "user") == {"CAP_A"}


def test_a_family_may_have_small_letters_in_its_name() -> None:
    create = MADE["by name"]
    for name in ("PF_ONE", "PF_TWO"):
        more = SOCKETS.replace("CREATE", create).replace(name, name.replace("E", "e"))
        assert asked(more.replace("PF_TWO", "PF_two"), "user") == {"CAP_A"}


@pytest.mark.parametrize("create", ANY.values(), ids=list(ANY))
def test_an_object_that_others_may_have_made_has_any(create: str) -> None:
    assert asked(SOCKETS.replace("CREATE", create), "user") == {"CAP_A", "CAP_WRONG"}


def test_a_maker_that_takes_its_table_from_elsewhere_gives_any() -> None:
    more = SOCKETS.replace("sock->ops = &one_ops;", "sock->ops = look_up();")
    create = MADE["by name"]
    assert asked(more.replace("CREATE", create), "user") == {"CAP_A", "CAP_WRONG"}


def test_what_a_registry_of_a_family_chooses_from_is_its_own() -> None:
    more = SOCKETS.replace(
        "static int one_create(struct socket *sock, int type) { one_init(sock); return 0; }",
        """static struct family *kinds[4];
int kind_register(int n, struct family *ops) { kinds[n] = ops; return 0; }
static int kind_create(struct socket *sock, int type) { one_init(sock); return 0; }
static struct family kind = { .create = kind_create };
void kind_start(void) { kind_register(1, &kind); }
static int one_create(struct socket *sock, int type)
{ return kinds[type]->create(sock, type); }""",
    )
    assert asked(more.replace("CREATE", MADE["by name"]), "user") == {"CAP_A"}


THIRD = """
-- net/three.c
#include <linux/net.h>
#define PF_THREE 3
static int three_bind(struct socket *sock) { return capable(CAP_THREE) ? 0 : -1; }
struct proto_ops three_ops = { .bind = three_bind };
static int three_create(struct socket *sock, int type) { sock->ops = &three_ops; return 0; }
static struct family three = { .family = PF_THREE, .create = three_create };
void three_start(void) { sock_register(&three); }
"""


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        ("PF_TWO", {"CAP_A", "CAP_WRONG"}),
        ("type", {"CAP_A", "CAP_WRONG", "CAP_THREE"}),
    ],
)
def test_what_a_family_leaves_to_another_one_has_tables_of_both(
    other: str, expected: set[str]
) -> None:
    """inet_create (net/ipv4/af_inet.c, 2.2) leaves some sockets to PF_PACKET."""
    more = SOCKETS.replace("static struct family *families", "struct family *families")
    more = more.replace(
        "{ one_init(sock); return 0; }",
        f"""{{
    if (type == 9)
        return families[{other}]->create(sock, type);
    one_init(sock);
    return 0;
}}""",
    )
    assert asked(more.replace("CREATE", MADE["by name"]) + THIRD, "user") == expected


LINES = """
-- include/linux/line.h
#define N_ONE 0
#define N_TWO 1
struct tty;
struct line { int (*open)(struct tty *); };
struct tty { struct line line; int count; };
-- drivers/tty.c
#include <linux/line.h>
static struct line lines[8];
int register_line(int n, struct line *line) { lines[n] = *line; return 0; }
static void initialize(struct tty *tty) { tty->count = 1; tty->line = lines[N_ONE]; }
static void other(struct tty *tty, int n) { tty->line = lines[n]; }
static void count(struct tty *tty) { tty->count++; }
int sys_user(int n)
{
    struct tty *tty = table[n];
    if (tty)
        return 0;
    tty = make_tty();
    BEFORE
    return tty->line.open(tty);
}
-- drivers/one.c
#include <linux/line.h>
static int one_open(struct tty *tty) { return capable(CAP_A) ? 0 : -1; }
static struct line one = { .open = one_open };
void one_start(void) { register_line(N_ONE, &one); }
-- drivers/two.c
#include <linux/line.h>
static int two_open(struct tty *tty) { return capable(CAP_WRONG) ? 0 : -1; }
static struct line two;
void two_start(void) { two.open = two_open; register_line(N_TWO, &two); }
"""
COPIED = {
    "by a function": "initialize(tty);",
    "right here": "tty->line = lines[N_ONE];",
    "of one of two": """
    initialize(tty);
    struct tty *pair = NULL;
    if (n) {
        pair = (struct tty *) get_free_page(GFP_KERNEL);
        if (!pair)
            return 0;
        initialize(pair);
    }
    if (pair && pair->line.open(pair) < 0)
        return 0;
    """,
    "for good": "other(tty, n);\n    initialize(tty);\n    count(tty);",
}
OF_ANY = {
    "perhaps": "if (n) initialize(tty);",
    "another behind it": "initialize(tty); other(tty, n);",
    "by nobody": "count(tty);",
}


@pytest.mark.parametrize("before", COPIED.values(), ids=list(COPIED))
def test_a_struct_in_an_object_is_the_one_that_was_copied_there(before: str) -> None:
    assert asked(LINES.replace("BEFORE", before), "user") == {"CAP_A"}


@pytest.mark.parametrize("before", OF_ANY.values(), ids=list(OF_ANY))
def test_a_struct_in_an_object_that_others_may_have_set_is_any(before: str) -> None:
    assert asked(LINES.replace("BEFORE", before), "user") == {"CAP_A", "CAP_WRONG"}
