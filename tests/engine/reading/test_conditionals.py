"""#if groups: their conditions, and the branches that are read together."""

from __future__ import annotations

import pytest

from tests.engine.adapters import facts

HERE = "int f(void) { a(); }\n"


@pytest.mark.parametrize(
    ("source", "condition"),
    [
        ("@", ""),
        ("#ifdef A\n@\n#endif\n", "defined(A)"),
        ("#ifdef A\n#endif\n@", ""),
        ("#ifdef A /* why */\n@\n#endif\n", "defined(A)"),
        ("#ifndef A\n@\n#endif\n", "!defined(A)"),
        ("#ifdef A\n#else\n@\n#endif\n", "!defined(A)"),
        ("#if defined(A)\n@\n#endif\n", "defined(A)"),
        ("#if ! defined ( A )\n@\n#endif\n", "!defined(A)"),
        ("#if defined A\n@\n#endif\n", "defined(A)"),
        ("#if A > 1\n@\n#endif\n", "A > 1"),
        ("#if A > 1\n#else\n@\n#endif\n", "!(A > 1)"),
        ("#if A > 1 || B\n@\n#endif\n", "(A > 1 || B)"),
        ("#if defined(A) && defined(B)\n#else\n@\n#endif\n", "!(defined(A) && defined(B))"),
        ("#if 0\n@\n#endif\n", "0"),
        ("#if 1\n@\n#endif\n", ""),
        ("#if 1\n#else\n@\n#endif\n", "0"),
        ("#if 0\n#else\n@\n#endif\n", ""),
        ("#ifdef A\n#if 0\n@\n#endif\n#endif\n", "0"),
        ("#ifdef A\n#elif defined(B)\n@\n#endif\n", "!defined(A) && defined(B)"),
        ("#ifdef A\n#elif B\n#else\n@\n#endif\n", "!defined(A) && !(B)"),
        ("#ifdef A\n#ifndef B\n@\n#endif\n#endif\n", "defined(A) && !defined(B)"),
        ("#ifdef A\n#ifdef A\n@\n#endif\n#endif\n", "defined(A)"),
        ("#ifdef A\n@", "defined(A)"),
        ("#endif\n#else\n@", ""),
        ("#ifdef\n@\n#endif\n", "defined()"),
    ],
)
def test_condition_of_a_place(source: str, condition: str) -> None:
    """The same holds for a function and for a call in one."""
    assert facts(source.replace("@", HERE)).condition_of("f") == condition
    body = facts("int f(void)\n{\n" + source.replace("@", "a();\n") + "}\n").function("f")
    assert [call.condition for call in body.calls] == [condition]


def test_deep_nesting_is_unconditional_beyond_what_kernels_have() -> None:
    source = "".join(f"#ifdef A{n}\n" for n in range(500)) + HERE + "#endif\n" * 500
    condition = facts(source).condition_of("f")
    assert condition == " && ".join(f"defined(A{n})" for n in range(32))
    assert facts(source + "#ifdef B\n#endif\n").condition_of("f") == condition


def test_a_branch_beyond_what_kernels_have_belongs_to_the_one_before() -> None:
    chain = "".join(f"#elif A{n}\nint f{n}(void) {{ }}\n" for n in range(1, 150))
    read = facts(f"#if A0\n{chain}#endif\nint g(void) {{ }}\n")
    assert read.condition_of("f99").endswith("&& !(A98) && A99")
    assert read.condition_of("f149") == read.condition_of("f100")
    assert read.condition_of("g") == ""


@pytest.mark.parametrize(
    ("source", "condition"),
    [
        ("/* a */\n#ifndef _A_H\n#define _A_H\n{0}#endif\n", "defined(B)"),
        ("#ifndef _A_H\n#define _A_H 1\n{0}#endif /* _A_H */\n", "defined(B)"),
        ("#if !defined(_A_H)\n#define _A_H\n{0}#endif\n", "defined(B)"),
        ("#ifndef _A_H\n#define _OTHER_H\n{0}#endif\n", "!defined(_A_H) && defined(B)"),
        ("int a;\n#ifndef _A_H\n#define _A_H\n{0}#endif\n", "!defined(_A_H) && defined(B)"),
        ("#ifdef _A_H\n#define _A_H\n{0}#endif\n", "defined(_A_H) && defined(B)"),
    ],
)
def test_a_headers_guard_is_no_condition(source: str, condition: str) -> None:
    function = "#ifdef B\nint f(void) { a(); }\n#endif\n"
    (call,) = facts(source.replace("{0}", function)).asked()
    assert call.condition == condition


def test_a_macro_with_a_default_is_no_guard() -> None:
    assert facts("int a;\n#ifndef N\n#define N f()\n#endif\n").condition_of("N") == "!defined(N)"


def test_groups_around_an_item_and_groups_in_it() -> None:
    source = (
        "#ifdef A\n#ifdef B\n#endif\nint f(void)\n{\n#ifdef C\n\ta();\n#endif\n}\n#endif\n"
        "#ifdef D\n#endif\n"
    )
    (item,) = facts(source).items
    assert item.condition == "defined(A)"
    assert [call.condition for call in item.functions[0].calls] == ["defined(C)"]


def test_a_group_that_begins_before_an_item_and_ends_in_it() -> None:
    read = facts(
        "#ifdef A\nint f(int a)\n{\n\tb();\n#else\nint f(long a)\n{\n\tc();\n#endif\n\td();\n}\n"
    )
    assert [(each.name, each.condition) for each in read.asked()] == [
        ("b", "defined(A)"),
        ("c", "!defined(A)"),
        ("d", ""),
    ]


@pytest.mark.parametrize(
    ("statements", "calls"),
    [
        ("a();", "a"),
        ("#ifdef A\na();\n#endif\nb();", "a b"),
        ("#ifdef A\na();\n#else\nb();\n#endif\nc();", "a b c"),
        # What depends on one expression goes together.
        ("#ifdef A\na(\n#else\nb((\n#endif\n1\n#ifdef A\n);\n#else\n));\n#endif", "a b"),
        ("#ifdef A\na(\n#else\nb((\n#endif\n1\n#ifndef A\n));\n#else\n);\n#endif", "a b"),
        ("#ifdef A\nwhile (a()) {\n#endif\nb();\n#ifdef A\n}\n#endif", "a b"),
        ("#if A > 1\nwhile (a()) {\n#endif\nb();\n#if A > 1\n}\n#endif", "a b"),
        ("#ifdef A\n{ a();\n#endif\nb();\n#ifndef A\n{ c();\n#endif\n}", "a b c"),
        (
            "#ifdef A\n{ a();\n#else\n{ b();\n#endif\nc();\n"
            "#ifdef B\nd(); }\n#else\ne(); }\n#endif",
            "a b c d e",
        ),
        # What is under #if 0 is read as if it were compiled, without what is beside it.
        ("#if 0\n{ a();\n#else\n{ b();\n#endif\n}", "a b"),
        ("#if 0\na(\n#endif\n#if 0\n);\n#endif\nb();", "a b"),
        ("#ifdef A\na(\n#elif B\nb(\n#elif C\nc(\n#else\nd(\n#endif\n1);", "a b c d"),
        ("#ifdef A\na();\n{\n#ifdef B\nb();\n#else\nc();\n#endif\n}\n#endif", "a b c"),
        # A branch that contradicts those around it is read too.
        ("#ifdef A\na();\n#ifndef A\nb();\n#endif\n#endif", "a b"),
    ],
)
def test_every_branch_is_read_with_those_that_it_agrees_with(statements: str, calls: str) -> None:
    function = facts(f"int f(void)\n{{\n{statements}\n}}\n").function("f")
    assert sorted(call.target for call in function.calls) == calls.split()
    assert not function.error


def test_a_function_with_a_hundred_branches() -> None:
    chain = "".join(f"#elif A{n}\nx{n}();\n" for n in range(1, 90))
    function = facts(f"int f(void)\n{{\n#if A0\nx0();\n{chain}#endif\n}}\n").function("f")
    assert [call.target for call in function.calls] == [f"x{n}" for n in range(90)]


def test_a_large_function_is_read_at_least_sixteen_times() -> None:
    """What is read of a mangled file is bounded; no kernel needs more than 15 readings."""
    chain = "".join(f"#elif A{n}\nx{n}();\n" for n in range(1, 40))
    filling = "\n" * 600_000
    function = facts(f"int f(void)\n{{\n{filling}#if A0\nx0();\n{chain}#endif\n}}\n").function("f")
    assert {f"x{n}" for n in range(16)} <= {call.target for call in function.calls}
