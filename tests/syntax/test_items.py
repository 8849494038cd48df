"""A file is cut into its functions and declarations, whatever the preprocessor does."""

from __future__ import annotations

import pytest

from caphistory.syntax.items import cut
from caphistory.syntax.lexical import scan
from tests.syntax.c import file


def items(text: str) -> list[str]:
    """The items of a text, functions marked with ``f``."""
    scanned = scan(text.encode())
    return [
        ("f " if item.body is not None else "") + " ".join(text[item.start : item.end].split())
        for item in cut(scanned)
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("int a; int f(void);", ["int a;", "int f(void);"]),
        ("int f(void) { a(); { b(); } } int c;", ["f int f(void) { a(); { b(); } }", "int c;"]),
        ("int a[] = { 1, 2 }; int b;", ["int a[] = { 1, 2 };", "int b;"]),
        ("struct a { int b; }; int c;", ["struct a { int b; };", "int c;"]),
        ("struct a { int b; } f(int c) { d(); }", ["f struct a { int b; } f(int c) { d(); }"]),
        ("struct s x __attribute__((packed)); int c;", 2),
        ("int (*f)(int) = { 0 };", ["int (*f)(int) = { 0 };"]),
        ('extern "C" { int f(void) { a(); } }', ["f int f(void) { a(); }"]),
        ("int f(a) int a; { b(); }", ["f int f(a) int a; { b(); }"]),
        ("int f(a, b) int a; char *b[2]; { c(); }", ["f int f(a, b) int a; char *b[2]; { c(); }"]),
        ("int g; int f(a) int a; { b(); }", ["int g;", "f int f(a) int a; { b(); }"]),
        ("int g(void) { } int f(a) int a; { }", 2),
    ],
)
def test_items(text: str, expected: list[str] | int) -> None:
    found = items(text)
    assert (found if isinstance(expected, list) else len(found)) == expected


def functions(text: str) -> list[tuple[str, list[str]]]:
    """The functions of a file and what they call."""
    return [(f.name, [c.target for c in f.calls]) for f in file(text).functions]


G = "int g(void)\n{\n\tlast();\n}\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # Both branches open a brace.
        (
            "int f(void)\n{\n#ifdef A\n\tif (x) {\n#else\n\tif (suser()) {\n#endif\n"
            "\t\ta();\n\t}\n}\n",
            ["a", "suser"],
        ),
        # Both branches close one.
        (
            "int f(void)\n{\n\tif (suser()) {\n#ifdef A\n\t\ta();\n\t}\n#else\n\t\tb();\n\t}\n"
            "#endif\n}\n",
            ["a", "b", "suser"],
        ),
        # Both end the function.
        (
            "int f(void)\n{\n\tsuser();\n#ifdef A\n\ta();\n}\n#else\n\tb();\n}\n#endif\n",
            ["a", "b", "suser"],
        ),
        # The first branch opens one, and another group closes it.
        (
            "int f(void)\n{\n#ifdef A\n\tif (suser()) {\n#endif\n\ta();\n"
            "#ifdef A\n\t}\n#endif\n}\n",
            ["a", "suser"],
        ),
        # Opened under #else of #ifdef, closed under #ifndef.
        (
            "int f(void)\n{\n#ifdef A\n\ta();\n#else\n\tfor (;;) {\n#endif\n\tsuser();\n"
            "#ifndef A\n\t}\n#endif\n}\n",
            ["a", "suser"],
        ),
        # #else in the middle of a condition.
        (
            "int f(void)\n{\n\tif (a() &&\n#ifdef A\n\t    suser()) {\n#else\n\t    b()) {\n"
            "#endif\n\t\tc();\n\t}\n}\n",
            ["a", "b", "c", "suser"],
        ),
        # #ifdef around a half of the head.
        (
            "#ifdef A\nint f(int a)\n#else\nint f(long a)\n#endif\n{\n\tsuser();\n}\n",
            ["suser"],
        ),
        (
            "static int\n#ifdef A\nf(int a) {\n#else\nf(long a) {\n#endif\n\tsuser();\n}\n",
            ["suser"],
        ),
        # #elif, nested.
        (
            "int f(void)\n{\n#if A == 1\n\tif (a()) {\n#elif A == 2\n#ifdef B\n\tif (b()) {\n"
            "#else\n\tif (c()) {\n#endif\n#else\n\t{\n#endif\n\tsuser();\n\t}\n}\n",
            ["a", "b", "c", "suser"],
        ),
        # #if 0 with a brace of its own.
        ("int f(void)\n{\n#if 0\n\tif (a()) {\n#endif\n\tsuser();\n}\n", ["a", "suser"]),
        ("int f(void)\n{\n#if 0\n\t}\n#endif\n\tsuser();\n}\n", ["suser"]),
        # One branch lacks the brace: only the other balances.
        (
            "int\n#if OLD\nf(int a)\n\tint b = a();\n#else\nf(void)\n{\n\tint b = c();\n#endif\n"
            "\tif (suser()) {\n\t\td();\n\t}\n}\n",
            None,
        ),
        # Nothing balances: the brace in the first column ends the function.
        ("int f(void)\n{\n\tif (suser()) {\n}\n", ["suser"]),
        ("int f(void)\n{\n\tsuser(); }\n\t}\n}\n", ["suser"]),
    ],
)
def test_a_function_is_whole_and_the_next_one_too(text: str, expected: list[str] | None) -> None:
    found = dict(functions(text + G))
    assert found["g"] == ["last"]
    assert "f" in found
    if expected is None:
        assert "suser" in found["f"]
    else:
        assert sorted(found["f"]) == expected


def test_a_group_that_begins_in_a_function_and_holds_others() -> None:
    text = "int f(void)\n{\n#ifdef A\n\ta();\n}\nint h(struct b *c)\n{\n\td();\n}\n#endif\n"
    assert functions(text + G) == [("f", ["a"]), ("h", ["d"]), ("g", ["last"])]


def test_line_continuation_in_a_head() -> None:
    assert functions("int f \\\n   (int a)\n{\n\tb();\n}\n") == [("f", ["b"])]


def test_apostrophes_in_prose_under_if_0() -> None:
    text = f"#if 0\nDon't use this, it isn't\nready (and \"we're\" not either).\n#endif\n{G}"
    assert dict(functions(text))["g"] == ["last"]


def test_statements_outside_any_function_are_kept_without_a_name() -> None:
    text = "#if 0\n\tif (suser()) {\n\t\ta();\n\t}\n#endif\n" + G
    assert functions(text) == [("", ["suser", "a"]), ("g", ["last"])]
