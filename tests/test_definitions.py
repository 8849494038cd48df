"""Source in, functions and macros out."""

from __future__ import annotations

import time

import pytest

from caphistory.definitions import Definition, read_functions, read_macros

Found = tuple[str, int, int]
"""A function's name, and its first and last line."""

FUNCTIONS: dict[str, tuple[str, list[Found]]] = {
    "the kernel's style": (
        "int one(void)\n{\n\treturn 1;\n}\n\nint two(int a)\n{\n\tif (a) {\n\t}\n}\n",
        [("one", 1, 4), ("two", 6, 10)],
    ),
    "the opening brace at the end of the head": (
        "int one(void) {\n\treturn 1;\n}\nstatic int\ntwo(int a,\n    int b) {\n}\n",
        [("one", 1, 3), ("two", 4, 7)],
    ),
    "on one line": (
        "static inline void one(void) { }\nint two(void)\n{ return 1; }\n"
        "static void three(void) {}\n  extern int four;\n",
        [("one", 1, 1), ("two", 2, 3), ("three", 4, 4)],
    ),
    "indented braces": (
        "int one(void)\n  {\n    if (x) { y(); }\n  }\n\nint two(void)\n  {\n  }\n",
        [("one", 1, 4), ("two", 6, 8)],
    ),
    "indented heads": ("  int one(void)\n  {\n  }\n", [("one", 1, 3)]),
    "blocks in the first column": (
        "int one(void)\n{\nif (x)\n{\ny();\n}\nz();\n}\nint two(void)\n{\n}\n",
        [("one", 1, 8), ("two", 9, 11)],
    ),
    "system calls": (
        "SYSCALL_DEFINE2(dig, const char __user *, where, int, depth)\n{\n\treturn 0;\n}\n"
        "SYSCALL_DEFINE0(rest)\n{\n}\n"
        "COMPAT_SYSCALL_DEFINE1(dig, compat_long_t, depth)\n{\n}\n"
        "SYSCALL_DEFINE(bury)(int depth)\n{\n}\n"
        "asmlinkage long sys_old(int a)\n{\n}\n",
        [
            ("sys_dig", 1, 4),
            ("sys_rest", 5, 7),
            ("compat_sys_dig", 8, 10),
            ("sys_bury", 11, 13),
            ("sys_old", 14, 16),
        ],
    ),
    "K&R parameters": (
        "int dig(where, how)\nchar *where;\nint (*how)();\n{\n}\nint rest(a) int a; {\n}\n",
        [("dig", 1, 5), ("rest", 6, 7)],
    ),
    "annotations": (
        "static int __init one(void)\n{\n}\n"
        "__printf(1, 2)\nvoid two(const char *fmt, ...)\n{\n}\n"
        "void three(int a) __releases(lock)\n{\n}\n"
        "static __attribute__((cold)) struct it *four(int (*f)(int))\n{\n}\n",
        [("one", 1, 3), ("two", 4, 7), ("three", 8, 10), ("four", 11, 13)],
    ),
    "a macro around the head": (
        "__initfunc(static int one(int a))\n{\n}\nDIG_INITFUNC(int\ntwo(void))\n{\n}\n",
        [("one", 1, 3), ("two", 4, 7)],
    ),
    "a macro that is a part of the name": (
        "static int NAME(dig)(int a)\n{\n}\n",
        [("NAME(dig)", 1, 3)],
    ),
    "a function that gives a function": ("int (*dig(int a))(int)\n{\n}\n", [("dig", 1, 3)]),
    "macros without a semicolon before the head": (
        "int one(void)\n{\n}\nDECLARE_IT(one)\nDECLARE_IT(other)\n\nstatic int __two(void)\n{\n}\n",
        [("one", 1, 3), ("__two", 4, 9)],
    ),
    "what the grammar does not know costs no other function": (
        "extern __printf(4, 5)\nvoid log(int a, const char *fmt, ...);\n"
        "static int one(void)\n{\n}\nstatic int two(void)\n{\n}\n",
        [("one", 3, 5), ("two", 6, 8)],
    ),
    "branches that each open a block": (
        "int one(int a)\n{\n#ifdef A\n\tif (a) {\n#else\n\tif (!a) {\n#endif\n\t\tb();\n\t}\n}\n"
        "int two(void)\n{\n}\n",
        [("one", 1, 10), ("two", 11, 13)],
    ),
    "branches that each close a block": (
        "int one(int a)\n{\n\tif (a) {\n#ifdef A\n\t}\n#else\n\tb(); }\n#endif\n\tc();\n}\n"
        "int two(void)\n{\n}\n",
        [("one", 1, 10), ("two", 11, 13)],
    ),
    "branches that each have a head": (
        "#ifdef MODULE\nint init_module(void)\n#else\nint dig_init(int a)\n#endif\n{\n}\n",
        [("dig_init", 2, 7)],
    ),
    "branches that each have a head and a brace": (
        "#ifdef MODULE\nint init_module(void)\n{\n#else\nint dig_init(int a)\n{\n#endif\n"
        "\tb();\n}\nint two(void)\n{\n}\n",
        [("dig_init", 2, 9), ("two", 10, 12)],
    ),
    "data is no function": (
        "struct it {\n\tint a;\n};\nstatic struct it its[] __attribute__((aligned(8))) = {\n"
        "\t{ 1 },\n};\nenum {\n\tA\n};\nstruct {\n\tint a;\n\t} it = { 1 };\n"
        "int numbers[2]=\n{ 1,\n  2};\n\nint one(void) {\n}\n",
        [("one", 17, 18)],
    ),
    "braces that are no code": (
        'int one(void)\n{\n\tb("}\\"{", \'{\'); /* }\n} */ // {\n#define A {\\\n}\n}\n'
        "int two(void)\n{\n}\n",
        [("one", 1, 7), ("two", 8, 10)],
    ),
    "apostrophes in prose": (
        "#if 0\nthis doesn't work, that don't either\n#endif\nint one(void)\n{\n}\n",
        [("one", 2, 6)],
    ),
    "a language": ('extern "C" {\nint one(void)\n{\n}\n}\n', [("one", 2, 4)]),
    "nothing": ("", []),
    "no C": ("\x00}{)(\n{\n((\n}\n;", []),
    "a body without an end": ("int one(void)\n{\n\tb();\n", [("one", 1, 3)]),
}


def found(source: str | bytes) -> list[Found]:
    """The functions of C source."""
    text = source.encode("latin-1") if isinstance(source, str) else source
    return [(one.name, one.first, one.last) for one in read_functions(text)]


@pytest.mark.parametrize(("source", "functions"), FUNCTIONS.values(), ids=FUNCTIONS)
def test_functions(source: str, functions: list[Found]) -> None:
    assert found(source) == functions


@pytest.mark.parametrize("case", FUNCTIONS)
def test_the_code_of_a_function_begins_and_ends_with_it(case: str) -> None:
    source = FUNCTIONS[case][0].encode("latin-1")
    for one in read_functions(source):
        lines = source.split(b"\n")[one.first - 1 : one.last]
        assert len(one.code.split(b"\n")) == len(lines)
        assert one.code[one.body - 1 : one.body] == b"{"
        assert one.code.endswith(b"}") or case == "a body without an end"


def test_the_code_is_blank_where_a_grammar_sees_nothing() -> None:
    (one,) = read_functions(
        b"int f(void) /* caf\xe9 */\n{\n#if A\\\n B\n\tg(\"a;b\", 'c'); // d\n\th(\\\n);\n}\n"
    )
    assert one == Definition(
        "f",
        False,
        1,
        8,
        b"int f(void)           \n{\n      \n  \n\tg(\"   \", ' ');     \n\th( \n);\n}",
        24,
    )
    assert [one.line(offset) for offset in (0, 23, one.code.index(b"h("))] == [1, 2, 6]


@pytest.mark.parametrize(
    ("head", "static"),
    [
        ("int f(int a)", False),
        ("static inline int f(int a)", True),
        ("inline static int f(int a)", True),
        ("int f(int a[static 2])", False),
        ("DECLARE_IT(a)\nstatic int f(int a)", True),
        ("static int f(a)\nint a;", True),
        ("SYSCALL_DEFINE0(f)", False),
    ],
)
def test_static_functions(head: str, static: bool) -> None:
    source = f"static int a;\n{head}\n{{\n}}\n"
    assert [one.static for one in read_functions(source.encode())] == [static]


def test_macros() -> None:
    source = (
        b"#include <a.h>\n#define PLAIN 1\n/* #define NONE */\n"
        b'# define may(a) \\\n\tb("text", a) /* c\n */ || d\n#define LAST'
    )
    macros = list(read_macros(source))
    assert [(one.name, one.first, one.last) for one in macros] == [
        ("PLAIN", 2, 2),
        ("may", 4, 6),
        ("LAST", 7, 7),
    ]
    may = macros[1]
    assert may.code[may.body :] == b'may(a)  \n\tb("    ", a)     \n    || d'
    assert may.line(may.code.index(b"d", may.body)) == 6


HOSTILE = {
    "braces": b"{\n" * 50_000,
    "closing braces": b"{\n{\n}\n" * 5_000,
    "parentheses": b"int f" + b"(" * 50_000 + b"\n{\n}\n",
    "a long head": b"a\n" * 10_000 + b"int f(void)\n{\n}\n",
    "quotes": b'"' + b'\\"' * 50_000,
    "an open comment": b"/*" * 50_000,
    "nested errors": b"extern f(1, " * 5_000 + b"{\n}\n",
    "nested blocks": b"int f(void)\n{\n" + b"{ " * 20_000 + b"}\n" * 20_000 + b"}\n",
}


@pytest.mark.parametrize("source", HOSTILE.values(), ids=HOSTILE)
def test_hostile_source_is_read_in_time(source: bytes) -> None:
    start = time.process_time()
    read_functions(source)
    assert time.process_time() - start < 10
