"""What declarations declare, and what initialisers store."""

from __future__ import annotations

import pytest

from tests.engine.adapters import facts


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
        (
            "struct ops o = { .in.read = a, .in = { .write = b }, .v = { [2] = c, d } };",
            [
                ("struct ops", ("in", "read"), ":a"),
                ("struct ops", ("in", "write"), ":b"),
                ("struct ops", ("v", "#0"), ":c"),
                ("struct ops", ("v", "#1"), ":d"),
            ],
        ),
        (
            "struct ops o[] = { [2] = { .f = c }, { (fn_t) d, &e } };",
            [
                ("struct ops", ("f",), ":c"),
                ("struct ops", ("#0",), ":d"),
                ("struct ops", ("#1",), ":e"),
            ],
        ),
        (
            "struct ops o = { CTL(name, handler), PAIR(1, 2), UP(A, B), .x = CTL(a, f) };",
            [
                ("struct ops", ("#0",), "CTL(:name,:handler)"),
                ("struct ops", ("x",), "CTL(:a,:f)"),
            ],
        ),
        (
            "struct ops o[] = { ENTRY(1, a), [2] = ENTRY(2, b) };",
            [("struct ops", (), "ENTRY(,:a)"), ("struct ops", (), "ENTRY(,:b)")],
        ),
        ("struct ops o = { /* one, */ 1, /* two */ a };", [("struct ops", ("#1",), ":a")]),
        ("int (*hook)(int) = a;", [("()", (), ":a")]),
        ("fn_t hook = x ? a : b;", [("fn_t", (), ":a"), ("fn_t", (), ":b")]),
        ("fn_t hook = MAKE(a, 1);", [("fn_t", (), "MAKE(:a,)")]),
        ("struct ops o __attribute__((unused)) = { a };", [("struct ops", ("#0",), ":a")]),
        ("struct ops o __initdata = { a };", [("struct ops", ("#0",), ":a")]),
        (
            "struct ops o = {\n#ifdef A\n\t.f = a,\n#else\n\t.f = b,\n#endif\n};",
            [("struct ops", ("f",), ":a"), ("struct ops", ("f",), ":b")],
        ),
    ],
)
def test_initialisers(text: str, stored: list[tuple[str, tuple[str, ...], str]]) -> None:
    assert [(s.type, s.path, s.source) for s in facts(text).stored] == stored


def test_initialisers_of_locals() -> None:
    read = facts("int f(void)\n{\n\tstatic struct ops o = { .read = a };\n\treturn g(&o);\n}\n")
    (stored,) = read.stored
    assert stored == (2, "$o", "struct ops", ("read",), ":a")


def test_structs_with_nested_ones() -> None:
    text = (
        "struct a {\n\tint n;\n\tstruct b *b;\n\tint (*fn)(int), (*gn)(void);\n"
        "\tunion { struct c c; own_t d; };\n\tunion { struct e e; } u;\n"
        "\tstruct named { int x; } v[2];\n};\n"
    )
    structs = {s.tag: [tuple(m) for m in s.members] for s in facts(text).structs}
    assert structs == {
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
    (struct,) = facts(text).structs
    assert [tuple(m) for m in struct.members] == [("x", "struct b"), ("y", "struct c")]


def test_typedefs_and_variables() -> None:
    read = facts(
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


def test_compound_literals() -> None:
    read = facts(
        "void f(struct sock *s)\n{\n\t*s->ops = (struct ops) { .bind = a };\n"
        "\tg((struct ops) { b });\n}\n"
    )
    assert [tuple(each) for each in read.stored] == [
        (2, "", "struct ops", ("bind",), ":a"),
        (3, "", "struct ops", ("#0",), ":b"),
    ]


@pytest.mark.parametrize(
    ("source", "members"),
    [
        ("struct a { int b:1, :2, c:3; };", [("b", ""), ("c", "")]),
        ("struct a { struct b *c, *d[2], e; };", [(n, "struct b") for n in "cde"]),
        ("struct a { fn_t b; own_t *c; };", [("b", "fn_t"), ("c", "own_t")]),
        (
            "struct a { int (*b)(int); int *(*c)(void); int (*d[2])(int); };",
            [(n, "()") for n in "bcd"],
        ),
        (
            "struct a { const struct b *c; volatile union d e; };",
            [("c", "struct b"), ("e", "union d")],
        ),
        ("struct a { struct b { int c; } d; };", [("d", "struct b")]),
        ("struct a { struct b { int c; }; int d; };", [("c", ""), ("d", "")]),
        ("struct a { int b; struct c; };", [("b", "")]),
        ("struct a { int __attribute__((regparm(3))) (*b)(int); };", [("b", "()")]),
        ("union a { struct { int b; int c; }; int d; };", [("b", ""), ("c", ""), ("d", "")]),
    ],
)
def test_members(source: str, members: list[tuple[str, str]]) -> None:
    assert [tuple(each) for each in facts(source).structs[0].members] == members


def test_structs_without_tags_are_named_after_their_places() -> None:
    read = facts(
        "typedef struct { struct { int (*f)(int); } in; } own_t;\nstruct { struct b *c; } one;\n"
    )
    assert [(each.tag, [tuple(m) for m in each.members]) for each in read.structs] == [
        ("own_t", [("in", "own_t>in")]),
        ("own_t>in", [("f", "()")]),
        ("one", [("c", "struct b")]),
    ]
    assert [tuple(each) for each in read.variables] == [("one", "one", False, False)]


@pytest.mark.parametrize(
    ("source", "typedefs"),
    [
        ("typedef struct a *a_p;", [("a_p", "struct a")]),
        ("typedef other_t own_t;", [("own_t", "other_t")]),
        ("typedef struct a { int b; } a_t;", [("a_t", "struct a")]),
        ("typedef struct a a_t, *a_p;", [("a_t", "struct a"), ("a_p", "struct a")]),
        ("typedef int own_t;", []),
        ("typedef int fn_t(int);", []),
    ],
)
def test_typedefs(source: str, typedefs: list[tuple[str, str]]) -> None:
    assert [tuple(each) for each in facts(source).typedefs] == typedefs
