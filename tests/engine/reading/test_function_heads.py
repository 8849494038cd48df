"""The heads of kernel functions, as they are written: name, parameters, type, linkage."""

from __future__ import annotations

import pytest

from tests.engine.adapters import facts
from tests.engine.facts import Function


def function(head: str) -> Function:
    """The only function of a file with this head."""
    (only,) = facts(f"{head}\n{{\n\tlast();\n}}\n").functions
    assert [call.target for call in only.calls] == ["last"]
    return only


@pytest.mark.parametrize(
    ("head", "name", "parameters"),
    [
        ("int f(void)", "f", []),
        ("int f()", "f", []),
        ("int f(int a, struct b *c)", "f", [("a", ""), ("c", "struct b")]),
        ("int f(struct b **c, union d e[2])", "f", [("c", "struct b"), ("e", "union d")]),
        ("int f(own_t *a, const unsigned char b)", "f", [("a", "own_t"), ("b", "")]),
        ("int f(int a, ...)", "f", [("a", ""), ("...", "")]),
        ("int f(int, struct b *)", "f", [("", ""), ("", "struct b")]),
        ("asmlinkage int sys_open(const char * a)", "sys_open", [("a", "")]),
        ("static int __init f(int a)", "f", [("a", "")]),
        ("static void f(int a) __acquires(b) __releases(c)", "f", [("a", "")]),
        ("void f(int a) __attribute__((noreturn))", "f", [("a", "")]),
        ("void f(void) __init", "f", []),
        ("f(a)", "f", [("", "a")]),
        ("int f(int (*a)(int, int), int b)", "f", [("a", ""), ("b", "")]),
        ("void (*f(int a))(int)", "f", [("a", "")]),
        ("int FNAME(walk)(struct a *b)", "FNAME(walk)", [("b", "struct a")]),
        ("EXPORT_SYMBOL(a)\nint f(int b)", "f", [("b", "")]),
        ("__initfunc(static int f(int a))", "f", [("a", "")]),
        ("__initfunc(void f(void))", "f", []),
        (
            "OWN_INITFUNC(\nstatic struct a *f(struct b *c, int d)\n)",
            "f",
            [("c", "struct b"), ("d", "")],
        ),
        ("EXPORT_NO_SYMBOLS_(a)\n__initfunc(int f(int a))", "f", [("a", "")]),
        ("SYSCALL_DEFINE0(fork)", "sys_fork", []),
        ("SYSCALL_DEFINE2(kill, int, pid, int, sig)", "sys_kill", [("pid", ""), ("sig", "")]),
        (
            "SYSCALL_DEFINE2(own, struct a __user *, b, int, c)",
            "sys_own",
            [("b", "struct a"), ("c", "")],
        ),
        (
            "SYSCALL_DEFINE(fadvise64)(int fd, loff_t a)",
            "sys_fadvise64",
            [("fd", ""), ("a", "loff_t")],
        ),
        (
            "COMPAT_SYSCALL_DEFINE3(fcntl, unsigned int, fd, unsigned int, cmd, ulong, arg)",
            "compat_sys_fcntl",
            [("fd", ""), ("cmd", ""), ("arg", "ulong")],
        ),
        ("SYSCALL32_DEFINE1(pause, int, a)", "sys_pause", [("a", "")]),
    ],
)
def test_name_and_parameters(head: str, name: str, parameters: list[tuple[str, str]]) -> None:
    read = function(head)
    assert read.name == name
    assert [tuple(parameter) for parameter in read.parameters] == parameters


def test_a_parenthesis_too_many() -> None:
    """qspan_pci.c of 2.4 and 2.6."""
    assert function("int f(void))").name == "f"


@pytest.mark.parametrize(
    ("head", "parameters"),
    [
        ("int f(a) int a;", [("a", "")]),
        ("f(a, b)\n\tint a;\n\tstruct c *b;", [("a", ""), ("b", "struct c")]),
        ("int f(a, b) int a; char *b[2];", [("a", ""), ("b", "")]),
        ("int f(a, go) int a; int (*go)(int);", [("a", ""), ("go", "")]),
    ],
)
def test_old_style_definitions(head: str, parameters: list[tuple[str, str]]) -> None:
    read = function(head)
    assert read.name == "f"
    assert [tuple(parameter) for parameter in read.parameters] == parameters


@pytest.mark.parametrize(
    ("head", "returns", "static", "inline"),
    [
        ("int f(void)", "", False, False),
        ("unsigned long f(void)", "", False, False),
        ("static struct a *f(void)", "struct a", True, False),
        ("extern __inline__ loff_t f(void)", "loff_t", False, True),
        ("static inline const union u * f(void)", "union u", True, True),
        ("__initfunc(static struct a *f(void))", "struct a", True, False),
        ("static __always_inline int f(void)", "", True, True),
        ("OWN_INLINE own_t f(void)", "own_t", False, True),
        ("static struct a *(*f(int n))(int)", "struct a", True, False),
        ("SYSCALL_DEFINE0(fork)", "long", False, False),
    ],
)
def test_type_and_linkage(head: str, returns: str, static: bool, inline: bool) -> None:
    read = function(head)
    assert (read.returns, read.static, read.inline) == (returns, static, inline)


@pytest.mark.parametrize(
    ("source", "line", "last"),
    [
        ("int f(void) { }\n", 1, 1),
        ("/* a */\n\nint\nf(void)\n{\n\ta();\n}\n", 4, 7),
        ("EXPORT_SYMBOL(a)\nint f(int b)\n{\n}\n", 2, 4),
        ("int a;\n\nasmlinkage int\nf(\n\tint b)\n{\n}\n", 4, 7),
        ("\nSYSCALL_DEFINE1(f,\n\t\tint, b)\n{\n}\n", 2, 5),
        ("int a;\nf(b)\n\tint b;\n{\n}\n", 2, 5),
    ],
)
def test_where_a_function_begins_and_ends(source: str, line: int, last: int) -> None:
    """The line is that of its name."""
    ((item, function),) = ((i, f) for i in facts(source).items for f in i.functions)
    assert (item.line + function.line, item.line + function.end) == (line, last)


@pytest.mark.parametrize("head", ["", "=", "()", "((", "))", "a b c", ")f("])
def test_what_is_no_head(head: str) -> None:
    source = f"{head}\n{{\n\ta();\n}}\n\nint g(void)\n{{\n\tlast();\n}}\n"
    assert [name for name in facts(source).calls() if name != "g"] == []


def test_the_parameters_of_a_macro_are_cut_at_the_commas_that_no_bracket_encloses() -> None:
    (stored,) = facts("static OWN_ATTR(a, f(b, c), g[h, i], own_show);\n").stored
    assert stored.source == "OWN_ATTR(:a,,,:own_show)"


@pytest.mark.parametrize(
    "head",
    ["int f(void) " + "__a " * 50_000, "f(" * 50_000, "f(a" * 50_000 + ")", "a" * 200_000 + "()"],
    ids=lambda text: text[:16],
)
def test_endless_heads_are_read_in_one_pass(head: str) -> None:
    facts(f"{head} {{\n}}\n")
