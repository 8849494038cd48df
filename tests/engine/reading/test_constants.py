"""Macros that may be constants: names, parameters and bodies."""

from __future__ import annotations

import pytest

from tests.engine.adapters import facts


@pytest.mark.parametrize(
    ("source", "constants"),
    [
        ("#define A 1\n", [("A", (), "1")]),
        ("#define A\n", [("A", (), "")]),
        ("#define _A1 0x10UL\n", [("_A1", (), "0x10UL")]),
        ("#define A (B|C)\n", [("A", (), "(B|C)")]),
        ("#define A \\\n\t1 + \\\n\t2\n", [("A", (), "1 + 2")]),
        ("#define A 1 /* one */ + 2 // x\n", [("A", (), "1 + 2")]),
        ("#if 0\n#define A 1\n#endif\n", [("A", (), "1")]),
        ("#define A ((struct info *) 1)\n", [("A", (), "((struct info *) 1)")]),
        ("#define IO(a,b) (((a) << 8) | (b))\n", [("IO", ("a", "b"), "(((a) << 8) | (b))")]),
        ("#define IO( a, b ) a\n", [("IO", ("a", "b"), "a")]),
        ("#define A _IO('M', 3) /* 'x' */\n", [("A", (), "_IO('M', 3)")]),
        ('#define A "x.y" // "z"\n', [("A", (), '"x.y"')]),
        ('#define A (B "x")\n', [("A", (), '(B "x")')]),
        # What is no expression of numbers, names and strings that are names has no body.
        ('#define A "x y"\n', [("A", (), "")]),
        ('#define A "x\\n"\n', [("A", (), "")]),
        ('#define A f("x")\n', [("A", (), "")]),
        ("#define A 1.5\n", [("A", (), "")]),
        ("#define A {1}\n", [("A", (), "")]),
        ("#define A b[1]\n", [("A", (), "")]),
        ("#define A a ? 1 : 2\n", [("A", (), "a ? 1 : 2")]),
        ("#define A(p) ((p)->m <= 0)\n", [("A", ("p",), "((p)->m <= 0)")]),
        ("#define A " + "1" * 401 + "\n", [("A", (), "")]),
        ("#define lower 1\n", []),
        ("#define A(X) 1\n", []),
        ("#define A 1\n#undef A\n#define A 2\n", [("A", (), "1"), ("A", (), "2")]),
    ],
)
def test_constants(source: str, constants: list[tuple[str, tuple[str, ...], str]]) -> None:
    assert [tuple(constant) for constant in facts(source).constants] == constants


def test_a_list_of_registers_is_passed_over() -> None:
    """Headers of graphics chips, 5.x and 6.x, hold more constants than all others together."""
    registers = "".join(f"#define REGISTER_{n} {n}\n" for n in range(40_000))
    assert facts(registers).constants == ()


@pytest.mark.parametrize(
    ("source", "values"),
    [
        ("enum kind { A, B, };", {"A": "0 + 0", "B": "0 + 1"}),
        (
            "enum { A = 4, B, C = A << 1, D }; ",
            {"A": "(4) + 0", "B": "(4) + 1", "C": "(A << 1) + 0", "D": "(A << 1) + 1"},
        ),
        (
            "enum { A,\n#ifdef CONFIG_X\nB,\n#endif\nC, D = 2, E };",
            {"A": "0 + 0", "D": "(2) + 0", "E": "(2) + 1"},
        ),
        ("enum { A, KINDS(K), B };", {"A": "0 + 0"}),
        ("enum { lower, B };", {"B": "0 + 1"}),
        ("enum kind f(enum kind a);", {}),
        ("enumerate { A }", {}),
        ("/* enum { A } */", {}),
    ],
)
def test_constants_of_enums(source: str, values: dict[str, str]) -> None:
    assert {one.name: one.body for one in facts(source).constants} == values


@pytest.mark.parametrize(
    ("source", "functions"),
    [
        (
            "static inline bool is_sync(struct kiocb *kiocb)\n{\n\treturn kiocb->done == NULL;\n}",
            [("is_sync", ("kiocb",), "kiocb->done == NULL")],
        ),
        (
            "static __inline__ int of(const struct a *a, int n) { return a->m ? n\n : 0; }",
            [("of", ("a", "n"), "a->m ? n : 0")],
        ),
        ("static int of(struct a *a) { return a->m; }", []),
        ("static inline int of(struct a *a) { look(); return a->m; }", []),
        ("static inline int of(struct a *a) { return a->m[1]; }", []),
        ("static inline int of(void) { return 1; }", []),
        ("static inline int of(int a);\nint other(int b) { return b; }", []),
        ("#define of of\nstatic inline int of(struct a *a) { return a->m; }", []),
    ],
)
def test_inline_functions_that_only_return_an_expression(
    source: str, functions: list[tuple[str, tuple[str, ...], str]]
) -> None:
    assert [tuple(one) for one in facts(source).constants if one.name.islower()] == functions
