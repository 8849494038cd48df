"""Comments, strings and directives are blanked at the same length, with the same lines."""

from __future__ import annotations

import pytest

from caphistory.syntax.lexical import scan


def code(text: str) -> str:
    scanned = scan(text.encode("latin-1"))
    assert len(scanned.code) == len(text)
    assert scanned.code.count(b"\n") == text.count("\n")
    return scanned.code.decode("latin-1")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a /* b */ c", "a         c"),
        ("a /* b\n   c */ d", "a     \n        d"),
        ("a // b /* c\nd", "a          \nd"),
        ("a /* never closed", "a                "),
        ("a /* \xe9\xff */ b", "a          b"),
        ('x = "a/*b";', 'x = "    ";'),
        ('x = "a\\"b";', 'x = "    ";'),
        ("x = '\"';", "x = '0';"),
        ("x = '\\'';", "x = '00';"),
        ("x = '\\377';", "x = '0000';"),
        ('don\'t do "it"', 'don\'t do "  "'),
        ('a " never closed', 'a " never closed'),
        ("a = b / c;", "a = b / c;"),
        ("int f(int a, \\\n      int b)", "int f(int a,  \n      int b)"),
    ],
)
def test_only_code_is_left(text: str, expected: str) -> None:
    assert code(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('asm("mov a\nmov b");', 'asm(""    \n      );'),
        ('asm("\nmov a\n");', 'asm( \n""   \n );'),
        ('asm("\n");', "asm(0\n );"),
        ('asm("mov \\\nmov");', 'asm(""    \n    );'),
    ],
)
def test_a_string_over_several_lines_keeps_its_lines(text: str, expected: str) -> None:
    assert code(text) == expected


def test_directives_are_taken_out_with_their_continued_lines_and_comments() -> None:
    text = '#define A(x) \\\n\tf(x) /* one\n two */ g("#") // h\nint a;\n # if B /* c */ > 1\n'
    scanned = scan(text.encode())
    assert scanned.code.split() == [b"int", b"a;"]
    assert [(d.keyword, d.text) for d in scanned.directives] == [
        ("define", 'A(x) f(x) g(" ")'),
        ("if", "B > 1"),
    ]
    assert scanned.line(text.index("int")) == 4
    assert scanned.line(scanned.directives[1].start) == 5


def test_a_hash_within_a_line_is_no_directive() -> None:
    assert scan(b"a # define b\n").directives == []


def test_a_directive_after_a_comment_is_one() -> None:
    assert [d.keyword for d in scan(b"/* a */ #ifdef B\n#endif\n").directives] == [
        "ifdef",
        "endif",
    ]


def test_a_string_in_a_directive_hides_comments_and_its_own_quotes() -> None:
    (directive,) = scan(b'#define A "/*" f("\\"") b\nc').directives
    assert directive.text == 'A " " f(" ") b'


def test_an_unclosed_comment_in_a_directive_goes_on_to_the_end() -> None:
    scanned = scan(b"#define A /* b\nc\nd")
    assert scanned.code.strip() == b""
    assert [d.text for d in scanned.directives] == ["A"]


@pytest.mark.parametrize(
    "text",
    [
        b'"' + b'\\"' * 200_000,
        b'#define x "' + b'\\"' * 200_000,
        b"#define x " + b"/*\n*/" * 100_000,
        b"#define ' " + b"/*" * 200_000,
        b"a " + b"#" * 400_000,
        b"#define a " + b"\\\n" * 200_000,
        b"'" * 400_000,
    ],
    ids=lambda text: text[:12].decode(),
)
def test_what_never_ends_is_read_once(text: bytes) -> None:
    scanned = scan(text)
    assert len(scanned.code) == len(text)
    assert scanned.code.count(b"\n") == text.count(b"\n")


def test_what_only_sparse_reads_is_blanked() -> None:
    source = b"int f(char __user * __user *p, struct rule __force_me);\n"
    code = scan(source).code
    assert code == b"int f(char        *        *p, struct rule __force_me);\n"
