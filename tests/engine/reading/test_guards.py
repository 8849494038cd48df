"""The conditions on a function's parameters under which its calls run, and what it passes on.

A caller's constants decide them (see ``linking/test_constant_propagation``).
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine.facts import Expr
from tests.engine.reading.bodies import body

PARAMETERS = "int x, int y, struct attr *a"


def guards(statements: str) -> tuple[Expr, ...]:
    """The conditions under which ``g`` is called."""
    (call,) = [call for call in body(statements, PARAMETERS).calls if call.target == "g"]
    return call.guards


@pytest.mark.parametrize(
    ("statements", "condition"),
    [
        ("g();", None),
        ("if (x) g();", "$x"),
        ("if (!x) g();", ("!", "$x")),
        ("if (x) h(); else g();", ("!", "$x")),
        ("if (!x) h(); else g();", "$x"),
        ("x && g();", "$x"),
        ("x || g();", ("!", "$x")),
        ("x ? g() : h();", "$x"),
        ("x ? h() : g();", ("!", "$x")),
        ("if ((int) (x)) g();", "$x"),
        ("if (x == 2) g();", ("==", "$x", "2")),
        ("if (x & FLAG) g();", ("&", "$x", ":FLAG")),
        ("if (x & ~1) g();", ("&", "$x", ("~", "1"))),
        ("if (a->valid & 4) g();", ("&", "$a>valid", "4")),
        ("if (y > 0 && x <= -1) g();", ("&&", (">", "$y", "0"), ("<=", "$x", "-1"))),
        ("if (x + 1 == y - 2 * 3) g();", ("==", ("+", "$x", "1"), ("-", "$y", ("*", "2", "3")))),
        ("if (x == 010 || x == 0x10UL) g();", ("||", ("==", "$x", "8"), ("==", "$x", "16"))),
        ("if (a == NULL) g();", ("==", "$a", "0")),
        ("if (x ? y : 1) g();", ("?:", "$x", "$y", "1")),
        ("if (x / 2) g();", None),
        ("if (x + look()) g();", None),
        # What is unknown may leave a part that is not.
        ("if (look() && x) g();", ("&&", "?", "$x")),
        ("if (x | look()) g();", ("|", "$x", "?")),
        ("if (look()) g();", None),
        # What is no parameter's the caller does not know.
        ("if (global) g();", None),
        ("if (global->m && x) g();", ("&&", ":global>m", "$x")),
        ("if (current->uid ^ a->uid) g();", ("^", ":current>uid", "$a>uid")),
        ("if (a->ops->m) g();", None),
        ("while (x) g();", None),
        ("do g(); while (x);", None),
        ("for (p = FIRST(a); p; p = next(p)) g();", ("call", ":FIRST", "$a")),
        ("for (p = a->valid; p; p = next(p)) g();", "$a>valid"),
        ("for (p = a->valid; p; p = next(p)) h(); g();", None),
        ("for (p = a->valid; q; p = next(p)) g();", None),
        ("for (p += a->valid; p; p = next(p)) g();", None),
        ("for (p = look(); p; p = next(p)) g();", None),
        ("if (y) goto in; for (p = a->valid; p; p = next(p)) { in: g(); }", None),
    ],
)
def test_conditions(statements: str, condition: Expr | None) -> None:
    assert guards(statements) == (() if condition is None else (condition,))


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        ("if (x) return; g();", (("!", "$x"),)),
        ("if (x) { h(); return; } g();", (("!", "$x"),)),
        ("if (x) goto out; g(); out: h();", (("!", "$x"),)),
        ("for (;;) { if (x) break; g(); }", (("!", "$x"),)),
        ("for (;;) { if (x) continue; g(); }", (("!", "$x"),)),
        ("if (x) return; else y; g();", (("!", "$x"),)),
        ("if (!x) y; else return; g();", (("!", "$x"),)),
        ("if (x) return; if (y) return; g();", (("!", "$x"), ("!", "$y"))),
        ("if (x) { if (!y) g(); }", ("$x", ("!", "$y"))),
        ("{ if (x) return; } g();", ()),
        ("if (x) h(); g();", ()),
        ("for (;;) if (x) return; g();", ()),
        # The body of a loop that a macro makes runs for nothing, it may be.
        ("each(x) if (x) return; g();", ()),
        # A label is reached past what returned before it.
        ("if (x) return; again: g(); goto again;", (("!", "$x"),)),
        ("if (y) goto in; if (x) return; in: g();", ()),
        ("if (y) goto in; if (!x) { in: g(); }", ()),
        ("again: if (x) return; g(); goto again;", (("!", "$x"),)),
        # What is not compiled with it does not guard it.
        ("\n#ifdef A\nif (x) return;\n#endif\ng();", ()),
        ("\n#ifdef A\nif (x) return;\ng();\n#endif", (("!", "$x"),)),
        ("if (y\n#ifdef A\n|| x\n#endif\n) return; g();", ()),
        ("\n#ifdef A\nif (x) {\n#else\nif (x && y) {\n#endif\ng(); }", ()),
    ],
)
def test_what_holds_behind_an_if(statements: str, expected: tuple[Expr, ...]) -> None:
    assert guards(statements) == expected


def _case(own: list[Any], labels: list[str]) -> Expr:
    return ("case", "$x", ("labels", *own), ("labels", *labels))


ALL = [":ONE", ":TWO", "default"]
NEXT: Any = ("+", ":ONE", "1")


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        ("case ONE: g(); break; case TWO: h(); default: k();", _case([":ONE"], ALL)),
        ("case ONE: h(); break; case TWO: g(); default: k();", _case([":TWO"], ALL)),
        ("case ONE: h(); case TWO: g(); default: k();", _case([":ONE", ":TWO"], ALL)),
        ("case ONE: h(); break; case TWO: k(); default: g();", _case([":TWO", "default"], ALL)),
        ("case ONE: out: return; case TWO: g(); default: k();", _case([":TWO"], ALL)),
        ("case 1: case 2: g();", _case(["1", "2"], ["1", "2"])),
        ("case ONE + 1: g();", _case([NEXT], [NEXT])),
        ("case ONE + f(): g();", None),
        ("case ONE + f(): h(); case TWO: g();", None),
        ("case ONE + f(): h(); break; case TWO: g();", _case([":TWO"], [":TWO"])),
        # A case within a block of another one.
        ("case ONE: if (y) { case TWO: g(); }", None),
        # A macro may bring cases of its own: RO_IOCTLS in the switch of sd_ioctl, 2.0.
        ("case ONE: h(); return; MORE(x); g();", None),
        # The label of a case that is not configured goes elsewhere.
        (
            "case ONE: g(); break;\n#ifdef A\ncase TWO: h();\n#endif\n",
            _case([":ONE"], [":ONE"]),
        ),
    ],
)
def test_cases(statements: str, expected: Expr | None) -> None:
    """Labels that lead to the call, and all labels of the switch."""
    cases = [each for each in guards(f"switch (x) {{ {statements} }}") if each[0] == "case"]
    assert cases == ([] if expected is None else [expected])


@pytest.mark.parametrize(
    ("statements", "condition"),
    [
        ("int v = a->valid; if (v & 2) g();", ("&", "$a>valid", "2")),
        ("int v; v = x; if (v) g();", "$x"),
        ("int v = x; v = y; if (v) g();", ("grow", ("plain", "$x", "$y"))),
        ("int v = x; v = look(); if (v) g();", ("any", "$x")),
        (
            "if (x & 1) x |= 2; if (x & 2) g();",
            (
                "&",
                ("grow", ("plain", "$x"), ("when", ("&", "$x", "1"), ("|", ".", "2"))),
                "2",
            ),
        ),
        ("int v = 1; v |= x; if (v & 2) g();", ("&", ("|?", "1", "$x"), "2")),
        ("x |= 2; if (x & 2) g();", ("&", ("|?", "$x", "2"), "2")),
        ("x &= ~2; if (x & 2) g();", ("&", ("&?", "$x", ("~", "2")), "2")),
        # Before it changes it is what the caller gave.
        ("if (x) { g(); x = look(); }", "$x"),
        ("if (x) g(); fill(&x);", "$x"),
        ("while (y) { if (x) g(); x = look(); }", None),
        ("again: if (x) g(); x = look(); goto again;", None),
        ("if ((x = look()) && x) g();", None),
        ("x += 2; if (x) g();", None),
        ("x++; if (x) g();", None),
        ("x = look(); if (x) g();", None),
        ("a = look(); if (a->valid) g();", None),
        ('asm("" : "=r" (x)); if (x) g();', None),
        ("fill(&x); if (x) g();", ("any", "$x")),
        ("fill(&a); if (a->valid) g();", None),
        ("int v = x; fill(&v); if (v) g();", None),
        ("static int v = x; if (v) g();", None),
        ("int v = x; LOOK(v); if (v) g();", ("unless", "$x", "@LOOK")),
    ],
)
def test_variables_stand_for_what_they_are_set_to(statements: str, condition: Expr | None) -> None:
    """Once; then flags may be added or taken away. A macro may change its arguments."""
    assert guards(statements) == (() if condition is None else (condition,))


@pytest.mark.parametrize(
    ("statements", "passes"),
    [
        ("g(x, a->valid, 7, CAP_A, global);", ("$x", "$a>valid", "7", ":CAP_A", ":global")),
        ("g(look(), x, 1 | y, look());", ("?", "$x", ("|", "1", "$y"))),
        ("g(look(), look());", ()),
        ("g(-5, ~1, NULL, x ? 1 : 2);", ("-5", ("~", "1"), "0", ("?:", "$x", "1", "2"))),
        ("g(&a->valid, x);", (("part", "$a>valid", "&"), "$x")),
        ("g(&x);", (("addr", "$x"),)),
        ("struct attr n; g(&n, n.valid);", (("addr", "$n"), "$n>valid")),
        ("struct attr n; return g(&n);", (("addr", "$n", "last"),)),
        ("x = look(); g(x);", ("?",)),
        ("g(x); x = look();", ("$x",)),
        ("for (;;) { g(x); x = look(); }", ("?",)),
        ("for_each(a) { g(x); x = look(); }", ("?",)),
        (
            'g("trusted.", "a b", SUFFIX "x", y);',
            ('"trusted."', "?", ("concat", ":SUFFIX", '"x"'), "$y"),
        ),
        ("int v = 4; g(v);", (("unless", "4", "@g"),)),
        ("int v = 4; h(v); g(1);", ("1",)),
        ("int v = 4; g(v); " + " ".join(f"f{n}(v);" for n in range(30)), ("$v",)),
    ],
)
def test_what_is_passed_on(statements: str, passes: tuple[Expr, ...]) -> None:
    (call,) = [call for call in body(statements, PARAMETERS).calls if call.target == "g"]
    assert call.passes == passes


SURE: tuple[str, Expr] = ("$a>valid!", "2")
MADE: Expr = ("made", "@make", "$x", "7")


@pytest.mark.parametrize(
    ("statements", "sets"),
    [
        ("a->valid = 1 | x;", [("$a>valid", ("|", "1", "$x")), SURE]),
        ("a->valid |= 2;", [("$a>valid", ("|", "$a>valid", "2"))]),
        (
            "a->valid &= ~2;",
            [("$a>valid", ("&", "$a>valid", ("~", "2"))), ("$a>valid&!", ("~", "2"))],
        ),
        ("a->valid += 2;", [("$a>valid", "?")]),
        ("a->valid++;", [("$a>valid", "?")]),
        ('asm("" : "=m" (a->valid));', [("$a>valid", "?")]),
        ("a->valid = look();", [("$a>valid", "?"), SURE]),
        ("int v = 4; a->valid = v;", [("$a>valid", "4"), SURE]),
        ("if (y) return 0; a->valid = 4;", [("$a>valid", ("when", ("!", "$y"), "4"))]),
        (
            "if (y) return -1; a->valid = 4;",
            [("$a>valid", ("when", ("!", "$y"), "4")), SURE],
        ),
        ("struct attr *n = make(x, 7); n->valid = 1;", [("$n>valid", "1"), ("$n>*", MADE)]),
        (
            "struct attr *n = make(x, 7); if (!n) n = ERR_PTR(-1); n->valid = 1; return n;",
            [("$n>valid", "1"), ("$n>*", MADE), ("$n>valid!", "2"), ("()", "$n")],
        ),
        ("struct attr *n = make(x, 7); n = a; return n;", [("()", "$n")]),
        ("return make(x, 7);", [("()", MADE)]),
        ("return y ? make(x, 7) : a;", []),
        ("struct attr n; n.valid = 1; n.mode = x;", [("$n>valid", "1"), ("$n>mode", "$x")]),
        (
            "if (x) a->valid = 1; else a->valid = 2;",
            [("$a>valid", ("when", "$x", "1")), ("$a>valid", ("when", ("!", "$x"), "2"))],
        ),
        ("int v = a->valid |= 2; g(v);", [("$a>valid", ("|", "$a>valid", "2"))]),
        (
            "int v = a->valid; if (v & 1) v = a->valid |= 2;",
            [
                (
                    "$a>valid",
                    ("when", ("&", "$a>valid", "1"), ("|", "$a>valid", "2")),
                )
            ],
        ),
        (
            "struct attr n = { .valid = 1, .in.mode = 2 };",
            [("$n>*", ("zero", "valid", "in")), ("$n>in", "?"), ("$n>valid", "1")],
        ),
        ("struct attr n = { 0 };", [("$n>*", ("zero",))]),
        ("struct attr n = { x };", [("$n>*", "?")]),
        ("struct attr n; memset(&n, 0, sizeof(n));", [("$n>*", ("zero",))]),
        ("struct attr n; memset(&n, 1, sizeof(n));", []),
        (
            "*a = (struct attr) { .valid = 1 };",
            [("$a>*", ("zero", "valid")), ("$a>valid", "1"), ("$a>*!", "2")],
        ),
        ("*a = *look();", [("$a>*", "?"), ("$a>*!", "2")]),
        ("if (y) *a = *look();", [("$a>*", ("when", "$y", "?"))]),
        (
            "while (x)\n x--;\n a->valid = 4;",
            [("$a>valid", "4"), ("@(loop)", ("lines", "2", "3")), ("$a>valid!", "4")],
        ),
        ("while (x) x--;", []),
        ("global.valid = 1; x = 2;", []),
    ],
)
def test_what_members_are_set_to(statements: str, sets: list[tuple[str, Expr]]) -> None:
    assert list(body(statements, PARAMETERS).sets) == sets


def test_the_guards_of_a_uid_test() -> None:
    statements = "if (!x && current->euid != 0) return; if (y) return; if (!current->uid) g();"
    tests = body(statements, PARAMETERS).uid_tests
    first: Expr = ("&&", ("!", "$x"), ("!=", ":current>euid", "0"))
    assert [test.guards for test in tests] == [(("!", "$x"),), (("!", first), ("!", "$y"))]
