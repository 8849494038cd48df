"""The heads of kernel functions, as they are written."""

from __future__ import annotations

import pytest

from caphistory.syntax.headers import Header, parse_header, split_arguments


def head(text: str) -> Header:
    found = parse_header(text.encode())
    assert found is not None
    assert text[found.name_at :].startswith(found.name.split("(")[0].removeprefix("compat_")) or (
        text[found.name_at :].startswith(found.name.partition("sys_")[2])
    )
    return found


@pytest.mark.parametrize(
    ("text", "name", "parameters"),
    [
        ("int f(void)", "f", []),
        ("int f()", "f", []),
        ("int f(int a, struct b *c)", "f", ["int a", "struct b *c"]),
        ("asmlinkage int sys_open(const char * a)", "sys_open", ["const char * a"]),
        ("static int __init f(int a)", "f", ["int a"]),
        ("static void f(int a) __acquires(b) __releases(c)", "f", ["int a"]),
        ("void f(int a) __attribute__((noreturn))", "f", ["int a"]),
        ("void f(void) __init", "f", []),
        ("f(a)", "f", ["a"]),
        ("int f(int (*a)(int, int), int b)", "f", ["int (*a)(int, int)", "int b"]),
        ("void (*f(int a))(int)", "f", ["int a"]),
        ("int FNAME(walk)(struct a *b)", "FNAME(walk)", ["struct a *b"]),
        ("EXPORT_SYMBOL(a)\nint f(int b)", "f", ["int b"]),
        ("int f(void))", "f", []),
        ("__initfunc(static int f(int a))", "f", ["int a"]),
        ("__initfunc(void f(void))", "f", []),
        ("OWN_INITFUNC(\nstatic struct a *f(struct b *c, int d)\n)", "f", ["struct b *c", "int d"]),
        ("EXPORT_NO_SYMBOLS_(a)\n__initfunc(int f(int a))", "f", ["int a"]),
        ("SYSCALL_DEFINE0(fork)", "sys_fork", []),
        ("SYSCALL_DEFINE2(kill, int, pid, int, sig)", "sys_kill", ["int pid", "int sig"]),
        ("SYSCALL_DEFINE(fadvise64)(int fd, loff_t a)", "sys_fadvise64", ["int fd", "loff_t a"]),
        (
            "COMPAT_SYSCALL_DEFINE3(fcntl, unsigned int, fd, unsigned int, cmd, ulong, arg)",
            "compat_sys_fcntl",
            ["unsigned int fd", "unsigned int cmd", "ulong arg"],
        ),
    ],
)
def test_name_and_parameters(text: str, name: str, parameters: list[str]) -> None:
    found = head(text)
    assert found.name == name
    assert [p.decode() for p in found.parameters] == parameters


@pytest.mark.parametrize(
    ("text", "declarations"),
    [
        ("int f(a) int a;", "int a;"),
        ("f(a, b)\n\tint a;\n\tstruct c *b;", "int a;\n\tstruct c *b;"),
    ],
)
def test_old_style_definitions(text: str, declarations: str) -> None:
    found = head(text)
    assert found.name == "f"
    assert found.parameters == ()
    assert found.old_style.decode().strip() == declarations


@pytest.mark.parametrize(
    ("text", "returns", "static", "inline"),
    [
        ("int f(void)", "", False, False),
        ("static struct a *f(void)", "struct a", True, False),
        ("extern __inline__ loff_t f(void)", "loff_t", False, True),
        ("static inline const union u * f(void)", "union u", True, True),
        ("__initfunc(static struct a *f(void))", "struct a", True, False),
    ],
)
def test_type_and_linkage(text: str, returns: str, static: bool, inline: bool) -> None:
    found = head(text)
    assert (found.returns, found.static, found.inline) == (returns, static, inline)


@pytest.mark.parametrize("text", ["", "  ", "=", "()", "((", "))", "a b c", ")f("])
def test_what_is_no_head(text: str) -> None:
    assert parse_header(text.encode()) is None


def test_arguments_are_cut_at_the_commas_that_no_bracket_encloses() -> None:
    assert split_arguments(b"a, f(b, c), {d, e}, g[h, i]") == [
        b"a",
        b"f(b, c)",
        b"{d, e}",
        b"g[h, i]",
    ]


@pytest.mark.parametrize(
    "text",
    ["int f(void) " + "__a " * 50_000, "f(" * 50_000, "f(a" * 50_000 + ")", "a" * 200_000 + "()"],
    ids=lambda text: text[:16],
)
def test_endless_heads_are_read_in_one_pass(text: str) -> None:
    parse_header(text.encode())
