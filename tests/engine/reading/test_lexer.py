"""Comments, strings and directives are no code, and what stands behind them keeps its line."""

from __future__ import annotations

import pytest

from tests.engine.adapters import facts


def asked(source: str) -> list[tuple[int, str]]:
    """Line and name of everything that a file calls."""
    return [(call.line, call.name) for call in facts(source).asked()]


def asked_in(statements: str) -> list[tuple[int, str]]:
    """The same for statements that begin in line 1."""
    return asked(f"int f(void) {{ {statements}\n}}\n")


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        ("a(); /* b(); */ c();", [(1, "a"), (1, "c")]),
        ("a(); /* b();\n   c(); */ d();", [(1, "a"), (2, "d")]),
        ("a(); // b(); /* c();\nd();", [(1, "a"), (2, "d")]),
        ("a(/* b() */ c());", [(1, "a"), (1, "c")]),
        ("a(); /* \xe9\xff */ b();", [(1, "a"), (1, "b")]),
        ("a(); /* b(); /* c(); */ d();", [(1, "a"), (1, "d")]),
        ("a(); /**/ b(); /***/ c();", [(1, "a"), (1, "b"), (1, "c")]),
        ("x = a() / b(); y = c() /d(); /* e() */", [(1, "a"), (1, "b"), (1, "c"), (1, "d")]),
    ],
)
def test_comments(statements: str, expected: list[tuple[int, str]]) -> None:
    assert asked_in(statements) == expected


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        ('x = "a(); /* b"; c(); /* */', [(1, "c")]),
        ('x = "a // b"; c();', [(1, "c")]),
        ('x = "a\\"; b(); \\""; c();', [(1, "c")]),
        ('x = "\\\\"; c();', [(1, "c")]),
        ("x = '\"'; b(); y = '\"'; c();", [(1, "b"), (1, "c")]),
        ("x = '\\''; b(); y = '\\\\'; c();", [(1, "b"), (1, "c")]),
        ("x = '\\377'; b(); y = '/*'; c(); /* */", [(1, "b"), (1, "c")]),
        ('puts("x\\\ny"); b();', [(1, "puts"), (2, "b")]),
        ('x = "#if 0\\n"; b();', [(1, "b")]),
    ],
)
def test_strings_and_characters(statements: str, expected: list[tuple[int, str]]) -> None:
    assert asked_in(statements) == expected


@pytest.mark.parametrize(
    "prose",
    [
        "Don't use this, it isn't\nready (and \"we're\" not either).",
        'A disk of 3.5" is read\nwith care.',
        "It's 'so' that nothing\nhere's C.",
    ],
)
def test_apostrophes_and_quotes_in_prose(prose: str) -> None:
    """Drivers of 1.x keep prose under #if 0. A quote that nothing closes, and an apostrophe that
    is no character constant, begin no string."""
    source = f"#if 0\n{prose}\n#endif\nint f(void)\n{{\n\ta();\n}}\n"
    assert asked(source) == [(7, "a")]


def test_a_comment_that_never_ends() -> None:
    assert asked("int f(void) { a(); }\nint g(void) { /* b(); }\n") == [(1, "a")]


@pytest.mark.parametrize(
    "operand",
    [
        '"mov a\n\tmov b"',
        '"\n\tmov a\n\tmov b\n"',
        '"mov \\\n\tmov"',
        '"mov a\n\tmov b" : "=r" (x) : "0" (y)',
        '"\r\n\tmov a\r\n"',
    ],
)
def test_a_string_over_several_lines(operand: str) -> None:
    """gcc 2 allowed them: assembler of 2.0 to 2.4."""
    lines = operand.count("\n")
    function = facts(f"int f(int x)\n{{\n\ta();\n\tasm({operand});\n\tb();\n}}\n").function("f")
    assert [(call.line, call.target) for call in function.calls] == [(2, "a"), (4 + lines, "b")]
    assert not function.error


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (
            '#define A(x) \\\n\tf(x) /* one\n two */ + g("#") // h()\nint b(void) { c(); }\n',
            [(2, "f"), (3, "g"), (4, "c")],
        ),
        (
            '#define A f("/*") + g("\\"") + h()\nint c(void) { d(); } /* */\n',
            [(1, "f"), (1, "g"), (1, "h"), (2, "d")],
        ),
        ("#define A f() /* b\nc()\nd()", [(1, "f")]),
        (
            "#define A f() /* g()\n*/ /* h()\n*/ i()\nint c(void) { d(); }\n",
            [(1, "f"), (3, "i"), (4, "d")],
        ),
        ("#define A f('\"') + g('\"')\n", [(1, "f"), (1, "g")]),
        ('#define A f("// x") + \\\n\tg()\n', [(1, "f"), (2, "g")]),
        ("#define A f( \\\r\n\tg())\r\nint c(void) { d(); }\r\n", [(1, "f"), (2, "g"), (3, "d")]),
        ("  #  define A f()\n", [(1, "f")]),
        ("/* a */ #define A f()\n", [(1, "f")]),
    ],
)
def test_directives(source: str, expected: list[tuple[int, str]]) -> None:
    assert asked(source) == expected


def test_a_directive_after_a_comment_is_one() -> None:
    source = "/* a */ #ifdef B\nint f(void) { a(); }\n/* c */ #endif\nint g(void) { b(); }\n"
    assert [(each.name, each.condition) for each in facts(source).asked()] == [
        ("a", "defined(B)"),
        ("b", ""),
    ]


def test_a_hash_within_a_line_is_no_directive() -> None:
    read = facts("int f(void)\n{\n\tx; # define B() b()\n\tc();\n}\n")
    assert read.macros == []
    assert read.lines("c") == [(4, "f")]


def test_the_text_of_a_condition_is_without_comments_and_with_single_blanks() -> None:
    source = "# if B /* c */  >\t1 \\\n\t&& D // e\nint f(void) { a(); }\n#endif\n"
    assert facts(source).condition_of("f") == "B > 1 && D"


@pytest.mark.parametrize(
    "source",
    [
        "int f(int a, \\\n      int b)\n{\n\tc();\n}\n",
        "int f \\\n   (int a, int b)\n{\n\tc();\n}\n",
        "int f(int a,\\\r\n int b)\r\n{\r\n\tc();\r\n}\r\n",
    ],
)
def test_a_line_goes_on_behind_a_backslash(source: str) -> None:
    """eata.c of 2.2 to 2.6."""
    read = facts(source)
    assert [parameter.name for parameter in read.function("f").parameters] == ["a", "b"]
    assert read.lines("c") == [(4, "f")]


def test_what_only_sparse_reads_is_no_name() -> None:
    source = "int f(char __user * __user *p, struct rule __force_me, long __bitwise__ n) { g(); }\n"
    assert [tuple(each) for each in facts(source).function("f").parameters] == [
        ("p", ""),
        ("__force_me", "struct rule"),
        ("n", ""),
    ]


def test_annotated_casts_among_the_arguments_of_a_call() -> None:
    """do_execve in sys_execve of i386, from 2.5.68 on."""
    cast = "(char __user * __user *)"
    source = f"int f(void) {{ run(name, {cast} r.x, {cast} r.y, &r); }}\n"
    (call,) = facts(source).function("f").calls
    assert (call.target, len(call.arguments)) == ("run", 4)
