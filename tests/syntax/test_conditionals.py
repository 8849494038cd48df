"""#if groups: their conditions, and the branches that are read together."""

from __future__ import annotations

import pytest

from caphistory.syntax.conditionals import Conditions, Nest, groups, selections, without_guards
from caphistory.syntax.lexical import scan
from tests.syntax.c import file


def condition(text: str) -> str:
    """The condition at the ``@`` of a text."""
    scanned = scan(text.encode())
    return Conditions(groups(scanned.directives, len(text))).at(text.index("@"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("@", ""),
        ("#ifdef A\n@\n#endif\n", "defined(A)"),
        ("#ifdef A\n#endif\n@", ""),
        ("#ifdef A /* why */\n@\n#endif\n", "defined(A)"),
        ("#ifndef A\n@\n#endif\n", "!defined(A)"),
        ("#ifdef A\n#else\n@\n#endif\n", "!defined(A)"),
        ("#if defined(A)\n@\n#endif\n", "defined(A)"),
        ("#if ! defined ( A )\n@\n#endif\n", "!defined(A)"),
        ("#if A > 1\n@\n#endif\n", "A > 1"),
        ("#if A > 1\n#else\n@\n#endif\n", "!(A > 1)"),
        ("#if A > 1 || B\n@\n#endif\n", "(A > 1 || B)"),
        ("#if 0\n@\n#endif\n", "0"),
        ("#if 1\n@\n#endif\n", ""),
        ("#if 1\n#else\n@\n#endif\n", "0"),
        ("#if 0\n#else\n@\n#endif\n", ""),
        ("#ifdef A\n#if 0\n@\n#endif\n#endif\n", "0"),
        ("#ifdef A\n#elif defined(B)\n@\n#endif\n", "!defined(A) && defined(B)"),
        ("#ifdef A\n#elif B\n#else\n@\n#endif\n", "!defined(A) && !(B)"),
        ("#ifdef A\n#ifndef B\n@\n#endif\n#endif\n", "defined(A) && !defined(B)"),
        ("#ifdef A\n@", "defined(A)"),
        ("#endif\n#else\n@", ""),
    ],
)
def test_condition_of_a_place(text: str, expected: str) -> None:
    assert condition(text) == expected


def test_deep_nesting_is_unconditional_beyond_what_kernels_have() -> None:
    text = "".join(f"#ifdef A{n}\n" for n in range(500)) + "@\n" + "#endif\n" * 500
    assert condition(text).startswith("defined(A0) && defined(A1) && ")
    assert condition(text + "#ifdef B\n#endif\n") == condition(text)


def test_a_headers_guard_is_no_condition() -> None:
    function = "#ifdef B\nint f(void) { return g(); }\n#endif\n"
    text = f"/* a */\n#ifndef _A_H\n#define _A_H\n{function}#endif\n"
    assert [one.condition for one in file(text).asked()] == ["defined(B)"]


def test_a_macro_with_a_default_is_no_guard() -> None:
    text = b"int a;\n#ifndef N\n#define N f()\n#endif\n"
    scanned = scan(text)
    found = groups(scanned.directives, len(text))
    assert without_guards(found, scanned.directives, scanned.code) == found


def test_nest_tells_groups_inside_an_extent_from_those_around_it() -> None:
    text = "#ifdef A\n#ifdef B\n#endif\n[\n#ifdef C\n#endif\n]\n#endif\n#ifdef D\n#endif\n"
    nest = Nest(groups(scan(text.encode()).directives, len(text)))
    inner, outer = nest.split(text.index("["), text.index("]"))
    assert [g.branches[0].facts for g in inner] == [(("defined(C)", True),)]
    assert [g.branches[0].facts for g in outer] == [(("defined(A)", True),)]
    assert nest.enclosing(text.index("[")) == outer


def test_nest_has_a_group_that_begins_before_an_extent_and_ends_in_it() -> None:
    text = "#ifdef A\n[\n#else\n]\n#endif\n"
    nest = Nest(groups(scan(text.encode()).directives, len(text)))
    inner, outer = nest.split(text.index("["), text.index("]"))
    assert (len(inner), outer) == (1, [])


def read_together(text: str) -> list[str]:
    """The letters that stand in each reading of a text."""
    source = text.encode()
    scanned = scan(source)
    found = []
    for removed in selections(groups(scanned.directives, len(source))):
        left = bytearray(scanned.code)
        for start, end in removed:
            left[start:end] = b" " * (end - start)
        found.append("".join(left.decode().split()))
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\n", ["a"]),
        ("#ifdef A\na\n#endif\nb\n", ["ab"]),
        ("#ifdef A\na\n#else\nb\n#endif\nc\n", ["ac", "bc"]),
        ("#ifdef A\na\n#else\nb\n#endif\n#ifdef A\nc\n#else\nd\n#endif\n", ["ac", "bd"]),
        ("#ifdef A\na\n#endif\nb\n#ifndef A\nc\n#endif\n", ["ab", "bc"]),
        ("#ifdef A\na\n#else\nb\n#endif\n#ifdef B\nc\n#else\nd\n#endif\n", ["ac", "bd"]),
        ("#if 0\na\n#else\nb\n#endif\n", ["a", "b"]),
        ("#if 0\na\n#endif\n#if 0\nb\n#endif\n", ["ab"]),
        ("#ifdef A\na\n#elif B\nb\n#elif C\nc\n#else\nd\n#endif\n", ["a", "b", "c", "d"]),
        ("#ifdef A\na\n#ifdef B\nb\n#else\nc\n#endif\n#endif\n", ["ab", "ac"]),
        ("#ifdef A\na\n#ifndef A\nb\n#endif\n#endif\n", ["a", "ab"]),
    ],
)
def test_every_branch_is_in_a_reading_and_agrees_with_the_others(
    text: str, expected: list[str]
) -> None:
    assert read_together(text) == expected


def test_the_number_of_readings_is_bounded() -> None:
    text = "#if A0\nx\n" + "".join(f"#elif A{n}\nx\n" for n in range(1, 90)) + "#endif\n"
    found = groups(scan(text.encode()).directives, len(text))
    assert len(selections(found)) == 90
    assert len(selections(found, most=5)) == 5
