"""What macros call, test and store, and what they stand for."""

from __future__ import annotations

import pytest

from tests.engine.adapters import facts
from tests.engine.facts import Macro


def macro(text: str) -> Macro:
    """The only macro of a file of one ``#define``."""
    (only,) = facts(f"#define {text}\n").macros
    return only


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
    (read,) = facts(text).macros
    assert (tuple(call.target for call in read.calls), read.relays, read.alias) == expected


def test_effect_in_the_case_of_a_macro() -> None:
    text = "#define IO(x) \\\n\tcase 1: if (!suser()) return -EACCES; \\\n\t\treturn 0\n"
    assert [(c.effect, c.errno) for c in facts(text).macros[0].calls] == [("deny", "EACCES")]


def test_constants_are_no_facts() -> None:
    assert facts('#define A 1\n#define B (1 << 2)\n#define C "x"\n#define D\n').macros == []


def test_parameters_of_macros() -> None:
    macros = facts("#define A f\n#define B() g()\n#define C(x, y) x(y)\n").macros
    assert {each.name: each.parameters for each in macros} == {"A": None, "B": (), "C": ("x", "y")}


def test_a_macro_that_is_told_in_which_member_to_store() -> None:
    hook, other = facts(
        "#define HOOK(MEMBER, F) \\\n\t{ .head = &own.MEMBER, .hook = { .MEMBER = F } }\n"
        "#define NUMBERS(MEMBER, N) { .first = &own.MEMBER, .second = N }\n"
    ).macros
    assert [(s.path, s.source) for s in hook.stored] == [(("hook", "MEMBER"), "$F")]
    # What is no name where the macro is used stores nothing there.
    assert [(s.path, s.source) for s in other.stored] == [(("second",), "$N")]


@pytest.mark.parametrize(
    ("text", "calls"),
    [
        ("A(x) ((x)->ops->f(x))", [("$x>ops>f", True, ("$x",))]),
        ("A(s, m) ((s)->ops->m(1))", [("$s>ops>m", True, ("1",))]),
        ("A(f) f(1)", [("$f", True, ("1",))]),
        ("SHOW(n) show_##n(1)", [("show___cat__n", False, ("1",))]),
        ("SHOW(n) show_ ## n ## _it(1)", [("show___cat__n__cat___it", False, ("1",))]),
        ("HOOK(f, args...) f(1, ## args)", [("$f", True, ("1", ":args"))]),
        ("HOOK(f, ...) f(__VA_ARGS__)", [("$f", True, (":__VA_ARGS__",))]),
        ("A(x) g((char __user *) (x))", [("g", False, ("$x",))]),
        ("A(x) struct own *p = x; p->go()", [("struct own>go", True, ())]),
    ],
)
def test_calls_of_macros(text: str, calls: list[tuple[str, bool, tuple[str, ...]]]) -> None:
    """A name that is pasted together holds ``__cat__`` between its parts."""
    assert [(c.target, c.pointer, c.arguments) for c in macro(text).calls] == calls


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("current get_current()", "get_current()"),
        # 2.0
        ("current (0+current_set[smp_processor_id()])", ":current_set"),
        ("SOCK(p) ((struct sock *) (p)->data)", "struct sock"),
        ("OPS(s) ((s)->ops)", "$s>ops"),
        ("ENTRY(p) list_entry(p, struct task, list)", "struct task"),
        ("ONCE(x) (*(const volatile typeof(x) *)&(x))", "$x"),
        (
            "READ(p) ({ typeof(*(p)) *l = (typeof(*(p)) *)(p); check(); ((typeof(*(p)) *)(l)); })",
            "$p",
        ),
        ("VALUE(x) ({ __typeof__(x) y = (x); y; })", "$x"),
        ("FIRST a.b", ":a>b"),
        ("FIRST (a->b)", ":a>b"),
        # 4.15
        ("sk_prot common.skc_prot", ":common>skc_prot"),
        ("ops spare", ":spare"),
        ("LIST(f) INNER(f, own)", "INNER($f,:own)"),
        ("FILE(n) files[n]", ":files"),
        ("A(x) do { g(x); } while (0)", ""),
        ("A(x) g(x); h(x)", ""),
    ],
)
def test_the_place_that_a_macro_stands_for(text: str, place: str) -> None:
    assert macro(text).place == place


@pytest.mark.parametrize(
    ("text", "flows"),
    [
        (
            "SET(o, f) do { (o)->flags = 1; (o)->bind = (f); } while (0)",
            [("$o>bind", "$f")],
        ),
        ("SET(f) own.bind = f", [(":own>bind", "$f")]),
        ("SET(o) (o)->bind = own", [("$o>bind", ":own")]),
        ("SELF(p) ((p)->next = (p))", []),
        ("SET(p) ((p)->next = CONSTANT)", []),
        ("SET(p) ({ struct x *l; l->next = p; })", [("struct x>next", "$p")]),
        ("SET(p) look(p) = own", []),
    ],
)
def test_what_a_macro_assigns(text: str, flows: list[tuple[str, str]]) -> None:
    assert [(flow.target, flow.source) for flow in macro(text).flows] == flows


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("T { .flags = 1, .bind = own }", [("", "", ("bind",), ":own")]),
        ("T { 1, own }", [("", "", ("#1",), ":own")]),
        (
            "T(n, f) { n, f, own }",
            [("", "", ("#0",), "$n"), ("", "", ("#1",), "$f"), ("", "", ("#2",), ":own")],
        ),
        ("T(f) { .go = OTHER(f, own) }", [("", "", ("go",), "OTHER($f,:own)")]),
        (
            "D(name, f) struct ops ops_##name = { .bind = f }",
            [(":ops___cat__name", "struct ops", ("bind",), "$f")],
        ),
        (
            "D(name, f) static const struct ops ops_##name = ENTRY(f)",
            [(":ops___cat__name", "struct ops", (), "ENTRY($f)")],
        ),
        ("D(name) struct ops *name;", None),
    ],
)
def test_what_a_macro_stores(
    text: str, stored: list[tuple[str, str, tuple[str, ...], str]] | None
) -> None:
    """A braced list, or the declaration of a variable."""
    if stored is None:
        assert all(each.stored == () for each in facts(f"#define {text}\n").macros)
    else:
        assert [tuple(each[1:]) for each in macro(text).stored] == stored


@pytest.mark.parametrize(
    ("source", "uses"),
    [
        (
            "static DEVICE_ATTR(name, S_IRUGO, show_name, NULL);",
            ["DEVICE_ATTR(:name,:S_IRUGO,:show_name,:NULL)"],
        ),
        ("DECLARE(a, &b);", ["DECLARE(:a,:b)"]),
        ("DECLARE(a, 1 + 2);", ["DECLARE(:a,)"]),
        ("EXPORT_SYMBOL(a);", []),
        ("module_init(own_init);", []),
        ("MODULE_PARM(A, B);", []),
        ('MODULE_PARM(a, "i");', []),
        ("int DECLARE(a, b);", []),
    ],
)
def test_macros_that_stand_where_declarations_do(source: str, uses: list[str]) -> None:
    assert [each.source for each in facts(source).stored] == uses


def test_lines_of_a_macro_over_several_lines() -> None:
    read = facts("\n#define A(x) \\\n\tg(x) + \\\n\th(x)\n\n#define B(f) { \\\n\t.go = f \\\n}\n")
    assert (read.lines("g"), read.lines("h")) == ([(3, "A")], [(4, "A")])
    assert [
        (item.line, each.stored[0].line)
        for item in read.items
        for each in item.macros
        if each.stored
    ] == [(6, 1)]
