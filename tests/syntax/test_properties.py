"""Whatever the bytes: reading never fails, and what it says lies within the file."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caphistory.syntax.facts import Blob, Item
from caphistory.syntax.lexical import scan
from caphistory.syntax.reader import read, read_assembler
from caphistory.syntax.tables import (
    assembler_table,
    capability_definitions,
    numbers,
    tbl_table,
    unistd_table,
)

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


def check(source: bytes, blob: Blob, items: dict[bytes, Item]) -> None:
    """Every line is one of the file's."""
    lines = source.count(b"\n") + 1
    assert {placed.key for placed in blob.items} == set(items)
    for line, _, _ in blob.mentions:
        assert 1 <= line <= lines
    for placed in blob.items:
        assert 1 <= placed.line <= lines
        item = items[placed.key]
        for function in item.functions:
            assert 0 <= function.line <= function.end
            assert placed.line + function.end <= lines
        for fact in (*item.functions, *item.macros):
            for asked in (*fact.calls, *fact.uid_tests):
                assert 1 <= placed.line + asked.line <= lines
                assert asked.effect in ("deny", "limit", "unknown")
                assert bool(asked.errno) <= (asked.effect == "deny")
        for stored in item.stored:
            assert 1 <= placed.line + stored.line <= lines


@settings(deadline=None, max_examples=300)
@given(files)
def test_reading_never_fails_and_stays_within_the_file(source: bytes) -> None:
    check(source, *read(source))


@settings(deadline=None, max_examples=200)
@given(files)
def test_blanking_keeps_every_offset_and_line(source: bytes) -> None:
    scanned = scan(source)
    assert len(scanned.code) == len(source)
    for at, (left, was) in enumerate(zip(scanned.code, source, strict=True)):
        assert (left == 0x0A) == (was == 0x0A)
        # Quotes and zeros stand for strings and characters, spaces for the rest.
        assert left == was or left in b' "0', at
    for directive in scanned.directives:
        assert source[directive.start : directive.start + 1] == b"#"
        assert directive.start < directive.end <= len(source)
        assert len(directive.code) == directive.end - directive.start


@settings(deadline=None, max_examples=200)
@given(damaged(), st.integers(0, 5))
def test_an_item_has_the_same_facts_further_down(source: bytes, lines: int) -> None:
    first = b"\n" * lines + b"int before(void) { }\n"
    blob, items = read(source)
    moved, again = read(first + source)
    # Only what the new function ran into differs: the first item, in a file that does not begin
    # with one.
    same = {p.key: p for p in moved.items}
    for placed in blob.items:
        if placed.key in same:
            assert again[placed.key] == items[placed.key]
            assert placed.line + lines + 1 in [p.line for p in moved.items if p.key == placed.key]


@settings(deadline=None, max_examples=100)
@given(damaged())
def test_reading_is_repeatable_and_knows_what_it_has_read(source: bytes) -> None:
    blob, items = read(source)
    assert read(source) == (blob, items)
    assert read(source, items) == (blob, {})


@settings(deadline=None, max_examples=200)
@given(files)
def test_tables_never_fail(source: bytes) -> None:
    assembler_table(source)
    unistd_table(source)
    numbers(source)
    tbl_table(source, ("common", "i386", "64"))
    check(source, *read_assembler(source))
    for defined in capability_definitions(source):
        assert 1 <= defined.line <= source.count(b"\n") + 1


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


@pytest.mark.parametrize("name", [*DEEP, *LONG])
def test_deep_nesting_and_long_lines(name: str) -> None:
    source = {**DEEP, **LONG}[name]
    check(source, *read(source))
    check(source, *read_assembler(source))
    capability_definitions(source)
    numbers(source)


@pytest.mark.parametrize("seed", range(20))
def test_shuffled_lines(seed: int) -> None:
    lines = SEED.splitlines(keepends=True) * 10
    random.Random(seed).shuffle(lines)
    source = b"".join(lines)
    check(source, *read(source))


@pytest.mark.parametrize("end", range(0, len(SEED), 7))
def test_every_cut_off_file(end: int) -> None:
    check(SEED[:end], *read(SEED[:end]))
    check(SEED[end:], *read(SEED[end:]))
