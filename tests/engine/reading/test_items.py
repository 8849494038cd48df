"""A file is cut into its functions and declarations, whatever the preprocessor does."""

from __future__ import annotations

import pytest

from tests.engine.adapters import facts

LAST = "int g(void)\n{\n\tlast();\n}\n"


@pytest.mark.parametrize(
    ("source", "functions", "variables"),
    [
        ("int a; int f(void);", {}, ["a"]),
        ("int f(void) { a(); { b(); } } int c;", {"f": ["a", "b"]}, ["c"]),
        ("int a[] = { 1, 2 }; int b;", {}, ["a", "b"]),
        ("struct a { int b; }; int c;", {}, ["c"]),
        ("struct a { int b; } f(int c) { d(); }", {"f": ["d"]}, []),
        ("int (*f)(int) = { 0 }; int c;", {}, ["f", "c"]),
        ("int f(void) { } ; int c;", {"f": []}, ["c"]),
        ('extern "C" { int f(void) { a(); } }', {"f": ["a"]}, []),
        (
            'extern "C" {\nint f(void) { a(); }\nint g(void) { b(); }\n}',
            {"f": ["a"], "g": ["b"]},
            [],
        ),
        ("int f(a) int a; { b(); }", {"f": ["b"]}, []),
        ("int f(a, b) int a; char *b[2]; { c(); }", {"f": ["c"]}, []),
        ("int g; int f(a) int a; { b(); }", {"f": ["b"]}, ["g"]),
        ("int g(void) { } int f(a) int a; { }", {"g": [], "f": []}, []),
        ("struct a\n{ int b; } c = { f(1) }; int d;", {}, ["c", "d"]),
        ("enum { A, B }; int c;", {}, ["c"]),
        ("static struct a b = { .c = { d } }; int e;", {}, ["b", "e"]),
        ("int f(void) { struct a b = { 1 }; c(); }", {"f": ["c"]}, []),
    ],
)
def test_functions_and_declarations(
    source: str, functions: dict[str, list[str]], variables: list[str]
) -> None:
    read = facts(source)
    assert read.calls() == functions
    assert [variable.name for variable in read.variables] == variables


def test_a_declaration_ends_behind_its_attributes() -> None:
    assert "c" in [
        each.name for each in facts("struct s x __attribute__((packed)); int c;").variables
    ]


@pytest.mark.parametrize(
    ("source", "calls"),
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
        # Opened under #else of #ifdef, closed under #ifndef: ultrastor.c.
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
        # One branch lacks the brace, only the other balances: ip2main.c of 2.2.
        (
            "int\n#if OLD\nf(int a)\n\tint b = a();\n#else\nf(void)\n{\n\tint b = c();\n#endif\n"
            "\tif (suser()) {\n\t\td();\n\t}\n}\n",
            ["c", "d", "suser"],
        ),
        # Nothing balances: the brace in the first column ends the function.
        ("int f(void)\n{\n\tif (suser()) {\n}\n", ["suser"]),
        ("int f(void)\n{\n\tsuser(); }\n\t}\n}\n", ["suser"]),
    ],
)
def test_a_function_is_whole_and_the_next_one_too(source: str, calls: list[str]) -> None:
    functions = facts(source + LAST).calls()
    assert sorted(functions["f"]) == calls
    assert functions["g"] == ["last"]


def test_a_group_that_begins_in_a_function_and_holds_others() -> None:
    source = "int f(void)\n{\n#ifdef A\n\ta();\n}\nint h(struct b *c)\n{\n\td();\n}\n#endif\n"
    assert facts(source + LAST).calls() == {"f": ["a"], "h": ["d"], "g": ["last"]}


def test_statements_outside_any_function_have_no_name() -> None:
    """ide/pci/generic.c of 2.6 keeps some under #if 0."""
    source = "#if 0\n\tif (suser()) {\n\t\ta();\n\t}\n#endif\n" + LAST
    assert facts(source).calls() == {"": ["suser", "a"], "g": ["last"]}


def test_a_table_of_firmware_is_passed_over() -> None:
    """Nothing is read of large tables without a name in them."""
    table = "char font[] = {" + " 0x01, 0x02," * 2_000 + " };\n"
    named = "struct own own[] = {" + " { 0x01, own_open }," * 2_000 + " };\n"
    read = facts(table + named + LAST)
    assert [variable.name for variable in read.variables] == ["own"]
    assert {stored.source for stored in read.stored} == {":own_open"}
    assert read.calls() == {"g": ["last"]}
