"""Whatever the bytes: reading never fails, and what it says lies within the file."""

from __future__ import annotations

import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.adapters import facts, linked
from tests.engine.facts import Call, File, UidTest

pytestmark = pytest.mark.slow

SEED = b"""\
#ifndef _OWN_H
#define _OWN_H
#include "own.h"
/* Own code, with "quotes" and \xe9. */
struct own { struct ops *ops; union { int a; char *b[2]; } u; };
typedef int (*own_fn)(struct own *, int);
static struct ops table[] = { { .open = own_open, read: own_read }, { 0, own_write } };
#define own_root() (suser() || capable(CAP_A))
#define OWN_IOCTLS(x) \\
\tcase 1: if (!capable(x)) return -EPERM; \\
\tdefault: return 0
static int __init own_open(struct own *p, own_fn fn)
{
\tint err = -EPERM, i;
#ifdef OWN_DEBUG
\tif (!capable(CAP_B)) {
#else
\tif (current->euid != 0 && !suser()) {
#endif
\t\tgoto out;
\t}
#if 0
\tdon't do this (it's "wrong
#elif OWN > 2
\tfor (i = 0; i < 3; i++) p->ops[i].read(p, 'x');
#endif
\tasm("one
\ttwo");
\tswitch (i) { case OWN_A: return fn ? fn(p, i) : p->ops->open(); }
\terr = 0;
out:
\treturn err;
}
int old(a, b) int a; char *b; { return a ? -EACCES : uid_eq(a, GLOBAL_ROOT_UID); }
SYSCALL_DEFINE2(own, int, a, char *, b) { return ns_capable(a, CAP_C) ? 0 : -EPERM; }
#endif
"""

PIECES = [
    *(b"{", b"}", b"(", b")", b"[", b"]", b";", b",", b"=", b"!", b"&&", b"||", b"?", b":"),
    *(b'"', b"'", b"\\", b"\\\n", b"\n", b" ", b"\t", b"\r\n", b"/*", b"*/", b"//", b"#", b"*"),
    *(b"#if 0\n", b"#ifdef A\n", b"#ifndef A\n", b"#elif B\n", b"#else\n", b"#endif\n"),
    *(b"\n#define f(x) x()", b"\n#define CAP_A 1", b"\n#define __NR_a (__NR_b+1)", b"\n.long a,b"),
    *(b"if ", b"else ", b"return ", b"goto a;", b"a: ", b"struct ", b"static ", b"int ", b"case "),
    *(b"suser()", b"!capable(CAP_A)", b"current->euid == 0", b"-EPERM", b"err = ", b"f", b"->a"),
    *(b"int f(void)\n{\n", b"}\n", b'extern "C" {', b"SYSCALL_DEFINE1(", b"__attribute__((", b"0"),
    *(
        b"\xff",
        b"\x00",
        b"\xe9",
        b"sys_call_table:",
        b"ENTRY(sys_call_table)\n",
        b"{ .a = b, c: d }",
    ),
]

mangled = st.lists(st.sampled_from(PIECES), max_size=60).map(b"".join)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """The seed with parts cut out, doubled, moved or overwritten."""
    source = bytearray(SEED)
    for _ in range(draw(st.integers(1, 5))):
        start = draw(st.integers(0, len(source)))
        end = min(len(source), start + draw(st.integers(0, 80)))
        source[start:end] = draw(
            st.sampled_from([b"", bytes(source[start:end]) * 2, *PIECES]) | st.binary(max_size=8)
        )
    return bytes(source[draw(st.integers(0, 40)) :])


files = st.one_of(st.binary(max_size=300), mangled, damaged())

# What stands where statements are repaired that the grammar takes for declarations.
statements = st.sampled_from(
    (
        *'{};:(),*= \n\t"',
        "struct",
        "each(",
        "f(a)",
        "A_B",
        "__aligned(8)",
        "KERN_ERR",
        "group(x,\n",
        "x",
        "if",
    )
)

PLAIN_NAME = re.compile(r"[A-Za-z_]\w*")


def check(source: bytes, read: File) -> None:
    """Every line is one of the file's, and what is mentioned stands on it."""
    lines = [b"", *source.split(b"\n")]
    for mention in read.mentions:
        assert mention.name.encode("latin-1") in lines[mention.line]
    for item in read.items:
        assert 1 <= item.line < len(lines)
        for function in item.functions:
            assert 0 <= function.line <= function.end
            assert item.line + function.end < len(lines)
        for holder in item.definitions():
            facts_of: list[Call | UidTest] = [*holder.calls, *holder.uid_tests]
            for fact in facts_of:
                assert 1 <= item.line + fact.line < len(lines)
                assert fact.effect in ("deny", "limit", "unknown")
                assert bool(fact.errno) <= (fact.effect == "deny")
        for stored in item.stored:
            assert 1 <= item.line + stored.line < len(lines)


@settings(deadline=None, max_examples=300)
@given(files)
def test_reading_never_fails_and_stays_within_the_file(source: bytes) -> None:
    check(source, facts(source))


@settings(deadline=None, max_examples=200)
@given(files)
def test_reading_assembler_never_fails_and_stays_within_the_file(source: bytes) -> None:
    check(source, facts(source, assembler=True))


@settings(deadline=None, max_examples=200)
@given(st.lists(statements, max_size=60))
def test_lines_stay_right_where_statements_look_like_declarations(pieces: list[str]) -> None:
    source = f"int f(void)\n{{\n{' '.join(pieces)}\n}}\n"
    read = facts(source)
    check(source.encode(), read)
    lines = ["", *source.split("\n")]
    for item in read.items:
        for function in item.functions:
            for call in function.calls:
                if PLAIN_NAME.fullmatch(call.target):
                    assert call.target in lines[item.line + call.line]


@settings(deadline=None, max_examples=50)
@given(damaged(), damaged(), damaged())
def test_versions_of_a_file_in_any_order(first: bytes, second: bytes, third: bytes) -> None:
    """The facts of a version are the same whichever others were read before."""
    alone = facts(third)
    assert facts(third, after=[first, second]) == alone
    assert facts(third, after=[second, third, first]) == alone


@settings(deadline=None, max_examples=100)
@given(damaged(), st.integers(0, 5))
def test_a_function_before_all_others_changes_nothing_else(source: bytes, lines: int) -> None:
    """The facts of the rest are the same further down; only what the new function ran into
    differs: the first item, in a file that does not begin with one."""
    first = b"\n" * lines + b"int before(void) { }\n"
    after = facts(first + source)
    alone = [item._replace(line=item.line + lines + 1) for item in facts(source).items]
    assert [item for item in after.items if item in alone] == [
        item for item in alone if item in after.items
    ]


@settings(deadline=None, max_examples=60)
@given(files)
def test_linking_never_fails(source: bytes) -> None:
    """Neither on such C nor where tables, headers and Makefiles hold such bytes."""
    for path in LINKED:
        rows = linked({**KERNEL, path: source})
        assert {row.syscall for row in rows.syscalls} >= {"one"} or path in TABLES
        for definition in rows.capability_definitions:
            assert 1 <= definition.line <= source.count(b"\n") + 1


KERNEL = {
    "kernel/one.c": SEED + b"int sys_one(void) { return own_open(0, 0); }\n",
    "arch/i386/kernel/entry.S": b"ENTRY(sys_call_table)\n\t.long sys_one\n",
}
TABLES = (
    "arch/i386/kernel/entry.S",
    "arch/x86/syscalls/syscall_32.tbl",
    "arch/x86/syscalls/syscall_64.tbl",
)
LINKED = (
    *TABLES,
    "include/asm-i386/unistd.h",
    "include/asm-x86_64/unistd.h",
    "include/linux/capability.h",
    "kernel/Makefile",
    "kernel/own.h",
    "kernel/two.c",
    "kernel/two.s",
)


N = 4_000
DEEP = {
    "blocks": b"int f(void)" + b"{" * N + b"suser();" + b"}" * N,
    "parentheses": b"int f(void) { return " + b"(" * N + b"suser()" + b")" * N + b"; }",
    "calls": b"int f(void) { " + b"a(" * N + b")" * N + b"; }",
    "arguments": b"int f(void) { a(" + b"(" * N + b"b" + b")" * N + b"); }",
    "ifs": b"int f(void) {" + b"if (a) " * N + b"suser(); }",
    "else ifs": b"int f(void) {" + b"if (!suser()) a(); else " * N + b"return -EPERM; }",
    "denied blocks": b"int f(void) { if (!suser()) " + b"{" * N + b"return -EPERM;" + b"}" * N,
    "and": b"int f(void) { if (" + b"a() && " * N + b"suser()) return -1; }",
    "sums": b"int f(void) { a = " + b"a + " * N + b"suser(); }",
    "nots": b"int f(void) { if (" + b"!" * N + b"suser()) return -1; }",
    "conditional expressions": b"int f(void) { return " + b"a ? b() : " * N + b"suser(); }",
    "assignments": b"int f(void) { " + b"a = " * N + b"b; }",
    "commas": b"int f(void) { " + b"a," * N + b"b; }",
    "members": b"int f(void) { " + b"a->" * N + b"b(); }",
    "casts": b"int f(void) { return " + b"(int)" * N + b"suser(); }",
    "loops": b"int f(void) {" + b"for (;;) " * N + b"suser(); }",
    "initialisers": b"struct a b = " + b"{" * N + b"c" + b"}" * N + b";",
    "structs": b"struct a {" * N + b"int x;" + b"} b;" * N,
    "named structs": b"".join(b"struct a%d {" % n for n in range(N)) + b"} b;" * N,
    "pointers": b"int " + b"*" * N + b"p;",
    "arrays": b"int a" + b"[1]" * N + b";",
    "function pointers": b"int " + b"(*" * N + b"x" + b")()" * N + b";",
    "#if": b"#if A\n" * N + b"int f(void) { suser(); }\n" * 20 + b"#endif\n" * N,
    "#if in a function": b"int f(void) {\n" + b"#if A\nx();\n" * N + b"#endif\n" * N + b"}\n",
    "#elif": b"int f(void) {\n#if A\n" + b"#elif B\nx();\n" * N + b"#endif\n}\n",
    "different #elif": b"int f(void) {\n#if A\n"
    + b"".join(b"#elif B%d\nx();\n" % n for n in range(N))
    + b"#endif\n}\n",
    "#ifdef in a row": b"int f(void) {\n"
    + b"".join(b"#ifdef B%d\nx();\n#else\ny();\n#endif\n" % n for n in range(N))
    + b"}\n",
    "jumps": b"int f(void) {"
    + b"".join(b"l%d: if (!suser()) goto l%d;" % (n, n + 1) for n in range(N))
    + b"}",
    "set once": b"int f(int a) { int x = "
    + b"a && " * N
    + b"a; if ("
    + b"x || " * N
    + b"x) suser(); }",
}

LONG = {
    "a word": b"a" * 300_000,
    "a macro of one word": b"#define x " + b"a" * 300_000 + b" (",
    "a string": b'char *a = "' + b"x" * 300_000 + b'";',
    "escaped quotes": b'"' + b'\\"' * 150_000,
    "a line of calls": b"int f(void) { " + b"a(b, c); " * 3_000 + b"}",
    "blanks in a table": b"struct a t[] = { " + (b"," + b" " * 1_000) * 200 + b"};",
    "empty braces": b"{}" * 20_000,
    "closing braces": b"}" * 100_000,
    "opening braces": b"{" * 100_000,
    "closing parentheses": b"int f" + b")" * 100_000 + b"{}",
    "attributes": b"int f(void) " + b"__a " * 20_000 + b"{}",
    "heads without a body": b"struct s() struct a {}" * 4_000,
    "words before a brace": b"struct " * 20_000 + b"{}",
    "prototypes": b"int capable(int);\n" * 4_000,
    "comments in a directive": b"#define a " + b"/*\n*/" * 30_000,
    "lines of a directive": b"#define a " + b"\\\n" * 50_000,
    "hashes": b"a " + b"#" * 200_000,
    "apostrophes": b"'" * 100_001,
    "errors": b"int f(void) { ) ] ( + - " * 2_000,
    "unclosed conditions": b"int f(void) { if (a" * 4_000,
    "digits": b"#define CAP_A " + b"9" * 9_999 + b"\n#define __NR_a " + b"9" * 9_999 + b"\n",
}
# Strings, comments and lines of a directive that never end are read once.
ENDLESS = {
    "a string of escaped quotes": b'"' + b'\\"' * 200_000,
    "a directive of escaped quotes": b'#define x "' + b'\\"' * 200_000,
    "a directive of comments": b"#define x " + b"/*\n*/" * 100_000,
    "a directive of half comments": b"#define ' " + b"/*" * 200_000,
    "a line of hashes": b"a " + b"#" * 400_000,
    "a directive of lines": b"#define a " + b"\\\n" * 200_000,
    "a line of apostrophes": b"'" * 400_000,
    "heads of one word": b"int f(void) " + b"__a " * 50_000 + b"{}",
    "heads within heads": b"f(" * 50_000 + b"{}",
    "arguments within arguments": b"f(a" * 50_000 + b"){}",
}


@pytest.mark.parametrize("name", [*DEEP, *LONG, *ENDLESS])
def test_deep_nesting_and_long_lines(name: str) -> None:
    source = {**DEEP, **LONG, **ENDLESS}[name]
    check(source, facts(source))
    check(source, facts(source, assembler=True))


@pytest.mark.parametrize("name", [*DEEP, *LONG, *ENDLESS])
def test_deep_nesting_and_long_lines_are_linked(name: str) -> None:
    source = {**DEEP, **LONG, **ENDLESS}[name]
    paths = ("kernel/two.c", "include/linux/capability.h", "kernel/Makefile", TABLES[2])
    rows = linked({**KERNEL, **dict.fromkeys(paths, source)})
    assert "one" in {row.syscall for row in rows.syscalls}


@pytest.mark.parametrize("seed", range(20))
def test_shuffled_lines(seed: int) -> None:
    lines = SEED.splitlines(keepends=True) * 10
    random.Random(seed).shuffle(lines)
    source = b"".join(lines)
    check(source, facts(source))


@pytest.mark.parametrize("end", range(0, len(SEED), 7))
def test_every_cut_off_file(end: int) -> None:
    for source in (SEED[:end], SEED[end:]):
        check(source, facts(source))
