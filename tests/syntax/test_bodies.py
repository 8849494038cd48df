"""What function and macro bodies call, test, store and relay."""

from __future__ import annotations

import pytest

from tests.syntax.c import body, calls, file, uid_tests

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
    read = file(text)
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
        ("p ? CAP_A : CAP_B", "=p ? CAP_A : CAP_B"),
        ("A | B", "=A | B"),
    ],
)
def test_arguments(argument: str, value: str) -> None:
    (call,) = body(f"capable({argument});", "int p, struct s *q").calls
    assert call.arguments == (value,)


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
        "a && (current->euid == 0 || b)",
    ],
)
def test_uid_tests(expression: str) -> None:
    parameters = "struct task_struct *p, struct cred *c"
    assert len(uid_tests(f"if ({expression}) a();", parameters)) == 1


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
        "if (current->uid > 99) a();",
        "if (!uid) a();",
        "if (current->gid == 0) a();",
        "if (current->pid == 0) a();",
        "return current->uid;",
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
    found = uid_tests(f"if ({condition.replace('X', 'current_uid()')}) return -EPERM;")
    assert [(test.effect, test.errno) for test in found] == [("deny", "EPERM")]


def test_both_sides_of_a_conditional_test() -> None:
    text = "if (cap_is_fs(cap) ? current->fsuid == 0 : current->euid == 0) return 0; return -EPERM;"
    found = uid_tests(text, "int cap")
    assert [(test.text, test.errno) for test in found] == [
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
        ("return;", ()),
        ("", ()),
    ],
)
def test_relays_of_functions(statements: str, relays: tuple[str, ...]) -> None:
    assert body(statements).relays == relays


# Macros.


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("#define own_isroot() (capable(CAP_A))\n", (("capable",), ("capable",), "")),
        ("#define suser() (current->euid == 0)\n", ((), ("uid0",), "")),
        ("#define capable(x) suser()\n", (("suser",), ("suser",), "")),
        ("#define permitted suser\n", ((), (), "suser")),
        ("#define permitted (suser)\n", ((), (), "suser")),
        ("#define either(x) (suser() || capable(x))\n", (("suser", "capable"),) * 2 + ("",)),
        (
            "#define CHECK(x) \\\n\tdo { \\\n\t\tif (!capable(x)) \\\n\t\t\treturn -EPERM; \\\n"
            "\t} while (0)\n",
            (("capable",), (), ""),
        ),
        (
            "#define IOCTLS(dev, where) \\\n\tcase SET: if (!suser()) return -EACCES; \\\n"
            "\t\tdev = where; return 0; \\\n\tcase GET: return put(dev)\n",
            (("suser", "put"), (), ""),
        ),
        (
            "#define BEGIN(x) if (!capable(x)) {\n",
            (("capable",), (), ""),
        ),
    ],
)
def test_macros(text: str, expected: tuple[tuple[str, ...], tuple[str, ...], str]) -> None:
    (macro,) = file(text).macros
    found = tuple(call.target for call in macro.calls), macro.relays, macro.alias
    assert found == expected


def test_effect_in_the_case_of_a_macro() -> None:
    text = "#define IO(x) \\\n\tcase 1: if (!suser()) return -EACCES; \\\n\t\treturn 0\n"
    assert [(c.effect, c.errno) for c in file(text).macros[0].calls] == [("deny", "EACCES")]


def test_constants_are_no_facts() -> None:
    assert file('#define A 1\n#define B (1 << 2)\n#define C "x"\n#define D\n').macros == []


def test_parameters_of_macros() -> None:
    found = {
        m.name: m.parameters
        for m in file("#define A f\n#define B() g()\n#define C(x, y) x(y)\n").macros
    }
    assert found == {"A": None, "B": (), "C": ("x", "y")}


def test_a_macro_that_is_told_in_which_member_to_store() -> None:
    macro, other = file(
        "#define HOOK(MEMBER, F) \\\n\t{ .head = &own.MEMBER, .hook = { .MEMBER = F } }\n"
        "#define NUMBERS(MEMBER, N) { .first = &own.MEMBER, .second = N }\n"
    ).macros
    assert [(s.path, s.source) for s in macro.stored] == [(("hook", "MEMBER"), "$F")]
    assert other.stored == ()


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
    ],
)
def test_calls_through_pointers(statements: str, target: str) -> None:
    parameters = "struct sock *p, struct sock **q, own_t *u, int (*cb)(int)"
    found = [call.target for call in body(statements, parameters).calls if call.pointer]
    assert found == [target]


def test_parameters_of_old_style_definitions_have_their_types() -> None:
    text = "int f(p, a)\n\tstruct sock *p;\n\tint a;\n{\n\treturn p->ops->bind(a);\n}\n"
    function = file(text).function("f")
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
    ],
)
def test_flows(statements: str, flows: list[tuple[str, str]]) -> None:
    found = body(statements, "struct sock *p, int (*cb)(int)").flows
    assert [(flow.target, flow.source) for flow in found] == flows


# Declarations.


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        (
            "struct ops o = { .open = a, .read = &b, };",
            [("struct ops", ("open",), ":a"), ("struct ops", ("read",), ":b")],
        ),
        (
            "static struct ops o = { open: a, read: b };",
            [("struct ops", ("open",), ":a"), ("struct ops", ("read",), ":b")],
        ),
        (
            "struct ops o = { NULL_, a, 0, b };",
            [("struct ops", (f"#{n}",), s) for n, s in ((0, ":NULL_"), (1, ":a"), (3, ":b"))],
        ),
        (
            "struct ops o[] = { { 1, a }, { 2, b } };",
            [("struct ops", ("#1",), ":a"), ("struct ops", ("#1",), ":b")],
        ),
        (
            "struct ops o = { .in = { .read = a } };",
            [("struct ops", ("in", "read"), ":a")],
        ),
        ("struct ops o = { .read = (fn_t) a };", [("struct ops", ("read",), ":a")]),
        ("fn_t o[] = { a, b };", [("fn_t", ("#0",), ":a"), ("fn_t", ("#1",), ":b")]),
        ("struct ops *o = &a;", [("struct ops", (), ":a")]),
        ("struct ops o = { .read = DRM(a) };", [("struct ops", ("read",), ":DRM(a)")]),
        ('struct ops o = { .n = 1, .s = "x" };', []),
    ],
)
def test_initialisers(text: str, stored: list[tuple[str, tuple[str, ...], str]]) -> None:
    assert [(s.type, s.path, s.source) for s in file(text).stored] == stored


def test_initialisers_of_locals() -> None:
    read = file("int f(void)\n{\n\tstatic struct ops o = { .read = a };\n\treturn g(&o);\n}\n")
    (stored,) = read.stored
    assert stored == (2, "$o", "struct ops", ("read",), ":a")


def test_structs_with_nested_ones() -> None:
    text = (
        "struct a {\n\tint n;\n\tstruct b *b;\n\tint (*fn)(int), (*gn)(void);\n"
        "\tunion { struct c c; own_t d; };\n\tunion { struct e e; } u;\n"
        "\tstruct named { int x; } v[2];\n};\n"
    )
    found = {s.tag: [tuple(m) for m in s.members] for s in file(text).structs}
    assert found == {
        "struct a": [
            ("n", ""),
            ("b", "struct b"),
            ("fn", "()"),
            ("gn", "()"),
            ("c", "struct c"),
            ("d", "own_t"),
            ("u", "struct a>u"),
            ("v", "struct named"),
        ],
        "struct a>u": [("e", "struct e")],
        "struct named": [("x", "")],
    }


def test_members_in_both_branches() -> None:
    text = "struct a {\n#ifdef B\n\tstruct b x;\n#else\n\tstruct c y;\n#endif\n};\n"
    (struct,) = file(text).structs
    assert [tuple(m) for m in struct.members] == [("x", "struct b"), ("y", "struct c")]


def test_typedefs_and_variables() -> None:
    read = file(
        "typedef struct a a_t;\ntypedef struct { int n; struct b *p; } b_t;\n"
        "typedef int (*fn_t)(int);\nstatic struct a one, *two[3];\nextern fn_t three;\n"
        "int (*four)(void);\nint five(void);\n"
    )
    assert [tuple(t) for t in read.typedefs] == [("a_t", "struct a"), ("fn_t", "()")]
    assert [s.tag for s in read.structs] == ["b_t"]
    assert [tuple(v) for v in read.variables] == [
        ("one", "struct a", True, False),
        ("two", "struct a", True, True),
        ("three", "fn_t", False, False),
        ("four", "()", False, False),
    ]


def test_a_call_with_annotated_casts_in_its_arguments() -> None:
    """do_execve in sys_execve of i386, from 2.5.68 on."""
    cast = "(char __user * __user *)"
    (call,) = body(f"run(name, {cast} r.x, {cast} r.y, &r);").calls
    assert (call.target, len(call.arguments)) == ("run", 4)
