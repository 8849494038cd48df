"""What functions call, test, store and relay."""

from __future__ import annotations

import pytest

from tests.engine.adapters import facts
from tests.engine.reading.bodies import body, calls, uid_tests

# Calls.


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        ("a(); b(c());", ["a", "b", "c"]),
        ("if (!capable(\n\t\tCAP_A\n\t))\n\treturn -EPERM;", ["capable"]),
        ("if (a\n    && suser\n    ())\n\treturn;", ["suser"]),
        ("x = y ? suser() : capable(CAP_A);", ["suser", "capable"]),
        ("while (a() || (b() && !suser())) c();", ["a", "b", "suser", "c"]),
        ("switch (a()) { case 1: b(); break; default: suser(); }", ["a", "b", "suser"]),
        ("for (a(); b(); c()) suser();", ["a", "b", "c", "suser"]),
        ("({ int z = suser(); z; });", ["suser"]),
        ("int z = suser(), y = a();", ["suser", "a"]),
        ("x[suser()] = (int) a();", ["suser", "a"]),
        ("return -suser();", ["suser"]),
        ("out: suser();", ["suser"]),
        ("(suser)();", ["suser"]),
        ("struct s z = { .m = suser() };", ["suser"]),
        ("OWN_MACRO(a, suser());", ["OWN_MACRO", "suser"]),
        ("list_for_each(p, q) { suser(); }", ["list_for_each", "suser"]),
        ("DRM(lock)(a);", ["DRM(lock)"]),
        ("sizeof(a); return sizeof b;", []),
    ],
)
def test_calls(statements: str, expected: list[str]) -> None:
    assert calls(statements) == expected


def test_lines_of_calls_are_those_of_the_file() -> None:
    text = (
        '/* a */\n\nint\nf(void)\n{\n\tasm("one\n\ttwo\n\t");\n\tif (a() &&\n\t    suser())\n'
        '\t\tputs("x\\\ny");\n\treturn b();\n}\n\n#define M(x) \\\n\ta(x) + \\\n\tsuser()\n'
    )
    read = facts(text)
    assert read.lines("a") == [(9, "f"), (17, "M")]
    assert read.lines("suser") == [(10, "f"), (18, "M")]
    assert read.lines("puts") == [(11, "f")]
    assert read.lines("b") == [(13, "f")]


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("CAP_A", ":CAP_A"),
        ("(CAP_A)", ":CAP_A"),
        ("(int) CAP_A", ":CAP_A"),
        ("p", "$p"),
        ("7", "7"),
        ("q->cap", "struct s>cap"),
        ("&global", ":global"),
        ("*p", "$p"),
        ("table[p]", ":table"),
        ("cap_of(p)", "=cap_of(p)"),
        ("-1", "-1"),
        ("010", "010"),
        ("p ? CAP_A : CAP_B", "=p ? CAP_A : CAP_B"),
        ("A | B", "=A | B"),
    ],
)
def test_arguments(argument: str, value: str) -> None:
    function = body(f"capable({argument});", "int p, struct s *q")
    assert function.calls[0].arguments == (value,)


@pytest.mark.parametrize(
    ("arguments", "values"),
    [
        ('look(), "x", 1 + n', ("", "", "")),
        ("A | B, ~(A), 0x10 << SHIFT", ("=A | B", "=~(A)", "=0x10 << SHIFT")),
        ("A" * 81 + " | B", ("",)),
        ("a, /* b, */ c", (":a", ":c")),
        ("(own_t) a, (struct own *) b", (":a", ":b")),
    ],
)
def test_arguments_of_other_calls(arguments: str, values: tuple[str, ...]) -> None:
    """Only flags are kept as text, and any text only where it may name a capability."""
    assert body(f"g({arguments});").calls[0].arguments == values


@pytest.mark.parametrize(
    ("statements", "conditional"),
    [
        ("suser();", 0),
        ("if (suser()) a;", 0),
        ("if (a && suser()) b;", 1),
        ("if (suser() && a) b;", 0),
        ("if (a) suser();", 1),
        ("if (a) b; else suser();", 1),
        ("while (a) suser();", 1),
        ("while (suser()) a;", 0),
        ("switch (a) { case 1: suser(); }", 1),
        ("a ? suser() : b;", 1),
        ("b = a || suser();", 1),
        ("{ { suser(); } }", 0),
        ("do suser(); while (a);", 1),
        ("do a; while (suser());", 0),
        ("for (suser(); a; b) c;", 0),
        ("a: suser();", 0),
        ("suser() ? a : b;", 0),
    ],
)
def test_conditional(statements: str, conditional: int) -> None:
    assert [c.conditional for c in body(statements).calls] == [conditional]


def test_the_case_around_a_call() -> None:
    text = "switch (a) { case ONE: suser(); break; case TWO: if (b) capable(X); } c();"
    assert {c.target: c.case for c in body(text).calls} == {
        "suser": "ONE",
        "capable": "TWO",
        "c": "",
    }


def test_a_case_is_known_by_its_name_alone() -> None:
    """sys_ipc looks at a version number within ``case MSGRCV:``, from 1.1.10 on."""
    text = "switch (a) { case ONE: switch (b) { case 0: c(); break; case TWO: d(); } e(); }"
    assert {c.target: c.case for c in body(text).calls} == {"c": "ONE", "d": "TWO", "e": "ONE"}


# Uids.


@pytest.mark.parametrize(
    "expression",
    [
        "!current->euid",
        "current->uid == 0",
        "0 == current->uid",
        "current->fsuid != 0",
        "current->suid",
        "p->fsuid == 0",
        "!p->uid",
        "current->cred->euid == 0",
        "current_uid() == 0",
        "!current_fsuid()",
        "uid_eq(current_euid(), GLOBAL_ROOT_UID)",
        "uid_eq(GLOBAL_ROOT_UID, current->cred->uid)",
        "!uid_eq(c->euid, GLOBAL_ROOT_UID)",
        "uid_eq(c->euid, make_kuid(ns, 0))",
        "a && (current->euid == 0 || b)",
        "current->euid == (uid_t) 0",
        "current->euid == ROOT_UID",
        "current->real_cred->uid == 0",
        "current_cred()->fsuid == 0",
        "__task_cred(p)->euid == 0",
        "current->cred->uid.val == 0",
        "get_current()->uid == 0",
        "(current->euid) == 0",
    ],
)
def test_uid_tests(expression: str) -> None:
    parameters = "struct task_struct *p, struct cred *c"
    assert len(uid_tests(f"if ({expression}) a();", parameters)) == 1


@pytest.mark.parametrize(
    ("set_", "tests"),
    [
        ("kuid_t root = make_kuid(c->user_ns, 0);", 1),
        ("kuid_t root; root = make_kuid(c->user_ns, 0);", 1),
        ("kuid_t root = make_kuid(c->user_ns, 0); root = make_kuid(c->user_ns, id);", 0),
        ("kuid_t root = make_kuid(c->user_ns, id);", 0),
    ],
)
def test_a_uid_is_compared_with_root_in_a_variable(set_: str, tests: int) -> None:
    compared = f"{set_} if (uid_eq(c->uid, root)) a();"
    assert len(uid_tests(compared, "struct cred *c, int id")) == tests


@pytest.mark.parametrize(
    ("condition", "tests"),
    [
        ("old_uid == 0 && current->uid != 0", 0),
        ("(old_uid == 0 || old_euid == 0) && (current->uid != 0 && current->euid != 0) && a", 0),
        ("old_uid != 0 && current->uid == 0", 0),
        ("!old_uid && current->uid", 0),
        ("uid_eq(c->uid, GLOBAL_ROOT_UID) && !uid_eq(d->uid, GLOBAL_ROOT_UID)", 0),
        ("current->uid != 0 && current->euid != 0", 2),
        ("current->fsuid == 0 && current->uid != 0", 2),
        ("!ruid && current->fsuid == 0 && !a", 1),
        ("uid_eq(c->uid, GLOBAL_ROOT_UID) || !uid_eq(d->uid, GLOBAL_ROOT_UID)", 2),
        ("uid_eq(c->euid, GLOBAL_ROOT_UID) && !uid_eq(c->uid, GLOBAL_ROOT_UID)", 0),
        ("old_uid == 1 && current->uid != 0", 1),
        ("!old_gid && current->uid", 1),
    ],
)
def test_what_becomes_of_a_uid_is_no_test_of_it(condition: str, tests: int) -> None:
    """What setuid and its kin do to capabilities, from 2.1.103 on."""
    parameters = "int old_uid, int old_euid, int old_gid, struct cred *c, struct cred *d"
    assert len(uid_tests(f"if ({condition}) cap_clear(c->caps);", parameters)) == tests


@pytest.mark.parametrize(
    "statements",
    [
        "current->euid = 0;",
        "inode->i_uid = current->fsuid;",
        "inode->i_uid = current_fsuid();",
        "a(current_uid());",
        "a(current->uid);",
        "inode->i_uid = a ? b : current->fsuid;",
        "if (current->uid == p->uid) a();",
        "if (p->uid != current->euid) a();",
        "if (inode->i_uid == 0) a();",
        "if (uid_eq(current_uid(), p->uid)) a();",
        "if (uid_eq(current_uid(), make_kuid(ns, id))) a();",
        "if (current->uid > 99) a();",
        "if (!uid) a();",
        "if (current->gid == 0) a();",
        "if (current->pid == 0) a();",
        "return current->uid;",
        "if (current->uid == 1) a();",
        "if (current->uid_count == 0) a();",
        "while (current->uid < 100) a();",
        "switch (current->uid) { case 0: a(); }",
    ],
)
def test_what_is_no_uid_test(statements: str) -> None:
    assert uid_tests(statements, "struct task_struct *p, struct inode *inode, int uid") == []


@pytest.mark.parametrize(
    "condition",
    ["current->euid", "current->euid != 0", "current_euid() != 0", "!(current->euid == 0)"],
)
def test_effect_of_a_uid_test(condition: str) -> None:
    (test,) = uid_tests(f"if ({condition}) return -EPERM;")
    assert (test.effect, test.errno) == ("deny", "EPERM")


@pytest.mark.parametrize(
    "condition", ["!uid_eq(current_euid(), GLOBAL_ROOT_UID)", "a && !uid_eq(X, GLOBAL_ROOT_UID)"]
)
def test_effect_of_uid_eq(condition: str) -> None:
    tests = uid_tests(f"if ({condition.replace('X', 'current_uid()')}) return -EPERM;")
    assert [(test.effect, test.errno) for test in tests] == [("deny", "EPERM")]


def test_both_sides_of_a_conditional_test() -> None:
    text = "if (cap_is_fs(cap) ? current->fsuid == 0 : current->euid == 0) return 0; return -EPERM;"
    assert [(test.text, test.errno) for test in uid_tests(text, "int cap")] == [
        ("current->fsuid", "EPERM"),
        ("current->euid", "EPERM"),
    ]


# Relays: bodies that only pass a check on.


@pytest.mark.parametrize(
    ("statements", "relays"),
    [
        ("return capable(CAP_A);", ("capable",)),
        ("return (capable(CAP_A));", ("capable",)),
        ("return !!suser();", ("suser",)),
        ("return capable(CAP_A) || capable(CAP_B);", ("capable", "capable")),
        ("return suser() && a();", ("suser", "a")),
        ("return current->euid == 0;", ("uid0",)),
        ("return !current->euid;", ("uid0",)),
        ("return uid_eq(current_euid(), GLOBAL_ROOT_UID);", ("uid0",)),
        ("return capable(CAP_A) ? 0 : -EPERM;", ()),
        ("return capable(CAP_A) || p->allowed;", ()),
        ("a(); return capable(CAP_A);", ()),
        ("if (suser()) return 1; return 0;", ()),
        ("return p->ops->allowed();", ()),
        ("return -suser();", ()),
        ("return suser() == 1;", ()),
        ("int a = suser(); return a;", ()),
        ("return suser(); return capable(CAP_A);", ()),
        ("\n#ifdef A\nreturn suser();\n#else\nreturn capable(CAP_A);\n#endif\n", ()),
        ("return;", ()),
        ("", ()),
    ],
)
def test_relays_of_functions(statements: str, relays: tuple[str, ...]) -> None:
    assert body(statements).relays == relays


# Places: where a call goes that goes through a pointer.


@pytest.mark.parametrize(
    ("statements", "target"),
    [
        ("p->ops->bind(1);", "struct sock>ops>bind"),
        ("(*p->ops->bind)(1);", "struct sock>ops>bind"),
        ("(p->ops->bind)(1);", "struct sock>ops>bind"),
        ("p[3].ops->bind(1);", "struct sock>ops>bind"),
        ("(*q)->ops->bind(1);", "struct sock>ops>bind"),
        ("struct file *z = a; z->f_op->read(1);", "struct file>f_op>read"),
        ("struct file z; z.f_op->read(1);", "struct file>f_op>read"),
        ("((struct file *) a)->f_op->read(1);", "struct file>f_op>read"),
        ("list_entry(a, struct file, list)->f_op->read(1);", "struct file>f_op>read"),
        ("u->read(1);", "own_t>read"),
        ("global.ops->read(1);", ":global>ops>read"),
        ("table[3](1);", ":table"),
        ("table[3].fn(1);", ":table>fn"),
        ("(*table[3])(1);", ":table"),
        ("lookup(1)->ops->read(1);", "lookup()>ops>read"),
        ("(a, p)->ops->bind(1);", "struct sock>ops>bind"),
        ("p->u.own.bind(1);", "struct sock>u>own>bind"),
        ("cb(1);", "$cb"),
        ("(*cb)(1);", "$cb"),
        ("int (*z)(int) = a; z(1);", "$z"),
        ("unknown(1).ops->bind(1);", "unknown()>ops>bind"),
        ("find(p, 1)->ops->bind(1);", "find(struct sock,)>ops>bind"),
        ("find(p->ops)->bind(1);", "find(struct sock/ops)>bind"),
        ("(n ? p : 0)->ops->bind(1);", "struct sock>ops>bind"),
        ("(p = a)->ops->bind(1);", "struct sock>ops>bind"),
        ("(p++)->ops->bind(1);", "struct sock>ops>bind"),
        ("(p + 1)->ops->bind(1);", "struct sock>ops>bind"),
        ("(0 + table[n])->ops->bind(1);", ":table>ops>bind"),
        ("({ check(); p; })->ops->bind(1);", "struct sock>ops>bind"),
        ("int q; q->bind(1);", "?>bind"),
        ("(-1)->bind(1);", "?>bind"),
    ],
)
def test_calls_through_pointers(statements: str, target: str) -> None:
    parameters = "struct sock *p, struct sock **q, own_t *u, int (*cb)(int)"
    targets = [call.target for call in body(statements, parameters).calls if call.pointer]
    assert targets == [target]


def test_two_calls_that_begin_at_the_same_place() -> None:
    """get_blkfops(major)->ioctl(…), 2.0."""
    assert calls("get_ops(major)->ioctl(1);") == ["get_ops", "get_ops(:major)>ioctl"]


def test_an_inner_variable_hides_an_outer_one() -> None:
    statements = "p->f(); { struct b *p = 0; p->f(); }"
    assert calls(statements, "struct a *p") == ["struct a>f", "struct b>f"]


def test_parameters_of_old_style_definitions_have_their_types() -> None:
    text = "int f(p, a)\n\tstruct sock *p;\n\tint a;\n{\n\treturn p->ops->bind(a);\n}\n"
    function = facts(text).function("f")
    assert function.parameters == (("p", "struct sock"), ("a", ""))
    assert [call.target for call in function.calls] == ["struct sock>ops>bind"]


@pytest.mark.parametrize(
    ("statements", "flows"),
    [
        ("p->ops = &own_ops;", [("struct sock>ops", ":own_ops")]),
        ("p->handler = own;", [("struct sock>handler", ":own")]),
        ("p->handler = a ? own : other;", [("struct sock>handler", n) for n in (":other", ":own")]),
        ("p->handler = (fn_t) own;", [("struct sock>handler", ":own")]),
        ("cb = p->handler;", [("$cb", "struct sock>handler")]),
        ("hook = cb;", [(":hook", "$cb")]),
        ("p->handler = DRM(own);", [("struct sock>handler", ":DRM(own)")]),
        ("p->handler = 0;", []),
        ("p->count += own;", []),
        ("a.x = b.y = own;", [(":a>x", ":own"), (":b>y", ":own")]),
        ("*p = own;", []),
        ("cb = look(1);", [("$cb", "look()")]),
        ("p->handler = look(1);", []),
        ("fn_t z = p->handler;", [("$z", "struct sock>handler")]),
        ("int z = p->handler;", []),
        ("struct sock *z = p->other;", []),
        ("int (*z)(int) = look(1);", [("$z", "look()")]),
        ("fn_t z = look(1);", []),
        ("p->handler = p->handler;", []),
        ("return own;", [("()", ":own")]),
        ("return n ? own : other;", [("()", ":other"), ("()", ":own")]),
        ("return cb;", [("()", "$cb")]),
        ("return p;", []),
        ("return own();", []),
        ("return p->handler;", []),
    ],
)
def test_flows(statements: str, flows: list[tuple[str, str]]) -> None:
    read = body(statements, "struct sock *p, int (*cb)(int)").flows
    assert [(flow.target, flow.source) for flow in read] == flows


def test_the_local_variables_that_are_arguments() -> None:
    statements = "struct a *p; struct b q; own_t r; int s; struct c *t; g(p, &q, r, s, t->x);"
    assert [tuple(each) for each in body(statements).variables] == [
        ("p", "struct a"),
        ("q", "struct b"),
        ("r", "own_t"),
    ]


def test_a_struct_in_a_function() -> None:
    read = facts("int f(void)\n{\n\tstruct a { struct b *c; } d;\n\treturn d.c->go();\n}\n")
    assert [(each.tag, tuple(map(tuple, each.members))) for each in read.structs] == [
        ("struct a", (("c", "struct b"),))
    ]
    assert read.lines("struct a>c>go") == [(4, "f")]
