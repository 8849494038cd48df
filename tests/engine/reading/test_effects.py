"""What a missing privilege does, from the syntax around the check."""

from __future__ import annotations

import pytest

from tests.engine.adapters import facts
from tests.engine.reading.bodies import body, effect


@pytest.mark.parametrize(
    ("statements", "errno"),
    [
        ("if (!capable(X)) return -EPERM;", "EPERM"),
        ("if (!capable(X)) { log(); return -EACCES; }", "EACCES"),
        ("if (!capable(X))\n{\n{ return -EACCES; }\n}", "EACCES"),
        ("if (capable(X) == 0) return -EPERM;", "EPERM"),
        ("if (0 == capable(X)) return -EPERM;", "EPERM"),
        ("if (a && !capable(X)) return -EPERM;", "EPERM"),
        ("if (a && (b || !capable(X)) && c) return -EPERM;", "EPERM"),
        ("if (!(a || capable(X))) return -EPERM;", "EPERM"),
        ("if (!capable(X)) return(-EPERM);", "EPERM"),
        ("if (!capable(X)) return ERR_PTR(-EPERM);", "EPERM"),
        ("if (!capable(X)) return -1;", ""),
        ("if (!capable(X)) return XFS_ERROR(EPERM);", "EPERM"),
        ("if (capable(X) != 0) return 0; return -EPERM;", "EPERM"),
        ("if (b || capable(X)) return 0; return -EPERM;", "EPERM"),
        ("if (!(b && capable(X))) return -EPERM;", "EPERM"),
        ("if (!capable(X) || b) return -EPERM;", "EPERM"),
        # A variable that was set before.
        ("int e = -EPERM; if (!capable(X)) return e;", "EPERM"),
        ("int e; e = -EPERM; a(); if (!capable(X)) return e;", "EPERM"),
        ("int e = -EPERM; if (b) { if (!capable(X)) return e; }", "EPERM"),
        ("int e = -EINVAL; e = -EPERM; if (!capable(X)) return e;", "EPERM"),
        ("long e = -EPERM; if (!capable(X)) return ERR_PTR(e);", "EPERM"),
        # In the branch itself.
        ("int e; if (!capable(X)) { e = -EPERM; goto out; } a(); out: return e;", "EPERM"),
        ("int e = 0; if (!capable(X)) e = -EPERM; else e = a(); return e;", "EPERM"),
        ("if (!capable(X)) { code = OWN_ERROR(EPERM); goto out; } out: return code;", "EPERM"),
        ("if (!capable(X)) { report(regs, EPERM); goto out; } out: return 0;", "EPERM"),
        ("if (!capable(X)) { *err = -ENOSPC; return 0; }", "ENOSPC"),
        ("*err = -ENOSPC; if (!capable(X)) { unlock(); return NULL; }", "ENOSPC"),
        # At a label.
        ("if (!capable(X)) goto bad; return 0; bad: return -EPERM;", "EPERM"),
        ("int e = -EPERM; if (!capable(X)) goto out; e = 0; out: unlock(); return e;", "EPERM"),
        ("int e = -EPERM; if (!capable(X)) goto a; e = 0; a: b(); out: return e;", "EPERM"),
        ("if (!capable(X)) goto a; return 0; b: return -EPERM; a: goto b;", "EPERM"),
        (
            "e = -EPERM; if (!capable(X)) goto undo; return 0; out: return e; undo: a(); goto out;",
            "EPERM",
        ),
        # In a switch.
        ("switch (a) { case 1: e = -EPERM; if (!capable(X)) break; e = 0; } return e;", "EPERM"),
        ("for (;;) { e = -EPERM; if (!capable(X)) break; } return e;", "EPERM"),
        ("switch (a) { case 1: if (!capable(X)) { e = -EPERM; break; } } return e;", "EPERM"),
        # Behind what is granted.
        ("if (capable(X)) return 0; return -EPERM;", "EPERM"),
        ("if (capable(X)) { a(); goto ok; } return -EPERM; ok: return 0;", "EPERM"),
        ("if (a) if (capable(X)) return 0; return -EACCES;", "EACCES"),
        ("if (a) { b(); if (capable(X)) return 0; } return -EACCES;", "EACCES"),
        ("if (a) c(); else if (capable(X)) return 0; return -EACCES;", "EACCES"),
        ("if (capable(X)) a(); else return -EPERM;", "EPERM"),
        ("if (capable(X)) a(); else if (b) c(); else return -EPERM;", "EPERM"),
        # Some of what is asked for is denied.
        ("if (!capable(X)) { if (a != b) return -EPERM; c(); goto out; } out: return 0;", "EPERM"),
        ("e = -EPERM; if (!capable(X)) goto a; e = 0; b: c(); return e; a: d(); goto b;", "EPERM"),
        # What is cleaned up behind a label has errors of its own.
        ("e = -EPERM; if (!capable(X)) goto a; e = 0; a: if (b()) e = -EFAULT; return e;", "EPERM"),
        ("do { if (!capable(X)) break; a(); } while (0); return -EPERM;", "EPERM"),
        ("if (capable(X)) a(); else e = -EPERM; return e;", "EPERM"),
        # Conditional expressions.
        ("return capable(X) ? 0 : -EPERM;", "EPERM"),
        # A result that is kept first.
        ("int ok = capable(X); if (a && !ok) return -EPERM; return 0;", "EPERM"),
        ("int ok; ok = capable(X); b(); if (!ok) { c(); return -EIO; } return 0;", "EIO"),
        # The body of a macro's loop.
        ("each(p) { if (!capable(X)) { e = -EPERM; continue; } a(p); } return e;", "EPERM"),
        ("return !capable(X) ? -EPERM : 0;", "EPERM"),
        ("e = a ? 0 : capable(X) ? 0 : -EPERM;", "EPERM"),
        ("if (a ? capable(X) : capable(Y)) return 0; return -EPERM;", "EPERM"),
    ],
)
def test_deny(statements: str, errno: str) -> None:
    assert effect(statements) == ("deny", errno)


@pytest.mark.parametrize(
    "statements",
    [
        "if (capable(X)) a(); b();",
        "if (!capable(X)) a = 1; b();",
        "for (;;) { if (a) if (capable(X)) return 0; } return -EACCES;",
        "if (!capable(X)) { if (a > b) a = b; } c();",
        "if (a && capable(X)) { b(); c(); } return 0;",
        "for (;;) { if (!capable(X)) continue; a(); }",
        "again: a(); if (!capable(X)) goto again;",
        "switch (a) { case 1: if (!capable(X)) break; b(); } c();",
        "resvport = capable(X) ? 1 : 0;",
        "f(capable(X) ? FORCE : 0);",
        "if (!capable(X)) {} b();",
        # What is returned is the function's own work.
        "int e = -EPERM; e = a(); if (!capable(X)) return e;",
        "if (!capable(X)) return;",
        # The result is kept or handed on.
        "a = capable(X);",
        "a(capable(X));",
        "p->may = capable(X); return p;",
        "capable(X);",
        "if (capable(X) < 0) return -EPERM;",
        "while (!capable(X)) a();",
    ],
)
def test_limit(statements: str) -> None:
    assert effect(statements) == ("limit", "")


@pytest.mark.parametrize(
    "statements",
    [
        "return capable(X);",
        "return !capable(X) || a;",
        "if (!capable(X)) return 0;",
        "return capable(X) ? 1 : 0;",
        "if (!capable(X)) goto nowhere;",
        "if (a(capable(X))) return -EPERM;",
        'if (!capable(X)) { printk("EPERM"); return 0; }',
        "if (!capable(X)) { n = 0; goto done; } a(); done: if (put(n)) return -EFAULT; return 0;",
    ],
)
def test_unknown(statements: str) -> None:
    assert effect(statements) == ("unknown", "")


def test_each_check_of_a_chain_has_the_effect_of_the_whole() -> None:
    read = body("if (!suser() && !capable(X) && a()) return -EPERM;")
    assert {c.target: (c.effect, c.errno) for c in read.calls} == {
        "suser": ("deny", "EPERM"),
        "capable": ("deny", "EPERM"),
        # a() is asked the other way round: if it is false, the function goes on.
        "a": ("limit", ""),
    }


def test_heads_of_an_if_in_two_branches() -> None:
    text = (
        "int f(void)\n{\n#ifdef A\n\tif (!capable(X))\n#else\n\tif (!suser())\n#endif\n"
        "\t{\n\t\tif (a)\n\t\t\treturn -EPERM;\n\t}\n\treturn 0;\n}\n"
    )
    asked = {each.name: (each.effect, each.errno, each.condition) for each in facts(text).asked()}
    assert asked["capable"] == ("deny", "EPERM", "defined(A)")
    assert asked["suser"] == ("deny", "EPERM", "!defined(A)")


def test_many_jumps_are_followed_once() -> None:
    text = "".join(f"l{n}: if (!capable(X)) goto l{n + 1};\n" for n in range(2000))
    assert len(body(text + "l2000: return -EPERM;").calls) == 2000
