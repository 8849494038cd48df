"""Reading manual pages: what is text, what is a heading, and to what item a line belongs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caphistory.documented.groff import (
    Line,
    Passage,
    read_page,
    split_arguments,
    split_sentences,
    strip_escapes,
)


def texts(page: str) -> list[str]:
    """The texts of the passages."""
    return [passage.text for passage in read_page(page)]


@pytest.mark.parametrize(
    ("written", "printed"),
    [
        (r"\fBbold\fP and \f[I]italic\f[] and \f(CWfixed\fR", "bold and italic and fixed"),
        (r"kexec\-load \- load", "kexec-load - load"),
        (r"\[bu] \(bu \[dq]quoted\[dq] \(aqso\(aq", "• • \"quoted\" 'so'"),
        (r"a\ b\~c\|d\&e\%f\:g\,h\/i", "a b cdefghi"),
        (r"\s-1small\s0 \s[-2]er\s[0]", "small er"),
        (r"back\eslash \\ too", "back\\slash \\ too"),
        (r"\*(lqstring\*(rq \*[name]x", "string x"),
        (r"\v'-.4m'up\h'2'", "up"),
        (r"\[u00E9] \[unknown]", "   "),
    ],
)
def test_escapes_print_what_groff_prints_of_words(written: str, printed: str) -> None:
    assert strip_escapes(written).rstrip() == printed.rstrip()


def test_the_arguments_of_a_macro_may_be_quoted() -> None:
    assert split_arguments(r'"two words" one\ more "a ""b"" c" x"y') == [
        "two words",
        r"one\ more",
        'a "b" c',
        'x"y',
    ]


def test_fonts_alternate_without_spaces_between() -> None:
    page = (
        '.SH S\n.BR mount (2),\n.RB ( CAP_KILL ).\n.BI "int f(int " a );\n.B two words\n.MR f 2 ,'
    )
    assert texts(page) == ["mount(2), (CAP_KILL). int f(int a); two words f(2),"]


def test_every_line_keeps_its_number() -> None:
    page = '.SH S\nfirst\n.\\" a comment\nthird \\" and a comment\n.BR a \\\nb\nlast\n'
    (passage,) = read_page(page)
    assert passage.lines == (Line(2, "first"), Line(4, "third "), Line(5, "ab"), Line(7, "last"))


def test_headings_may_stand_on_the_next_line() -> None:
    page = '.SH "TWO WORDS"\na\n.SS\nUnder it\nb\n.SH\nNEXT\nc\n'
    assert [(p.section, p.subsection, p.text) for p in read_page(page)] == [
        ("TWO WORDS", "", "a"),
        ("TWO WORDS", "Under it", "b"),
        ("NEXT", "", "c"),
    ]


def test_a_passage_knows_the_items_that_it_stands_in() -> None:
    page = """\
.SH ERRORS
before
.TP
.B EPERM
one
.RS
.IP \\[bu] 3
inner
.IP
still inner
.RE
.IP
of EPERM again
.PP
outside
.TP
.BR A " (since Linux 3.5)"
.TQ
.B B
two
"""
    assert [(p.tags, p.text) for p in read_page(page)] == [
        ((), "before"),
        (("EPERM",), "one"),
        (("EPERM", "•"), "inner"),
        (("EPERM", "•"), "still inner"),
        (("EPERM",), "of EPERM again"),
        ((), "outside"),
        (("A (since Linux 3.5), B",), "two"),
    ]


def test_what_is_shown_as_it_is_is_code() -> None:
    page = ".SH S\ntext\n.EX\nf(CAP_KILL);\n\ng();\n.EE\n.PP\nmore\n"
    assert [(p.code, p.text) for p in read_page(page)] == [
        (False, "text"),
        (True, "f(CAP_KILL); g();"),
        (False, "more"),
    ]


def test_each_row_of_a_table_is_a_passage() -> None:
    page = (
        ".SH S\n.TS\nallbox;\nl l.\nfirst\tone\n"
        "second\tT{\n.BR CAP_KILL\ngoes on\nT}\nlast\n.TE\nafter"
    )
    assert texts(page) == ["first\tone", "second\t  CAP_KILL goes on  ", "last", "after"]


@pytest.mark.parametrize(
    "hidden",
    [
        ".ig\nCAP_KILL\n..\n",
        ".ig END\nCAP_KILL\n..\n.END\n",
        ".de XX\nCAP_KILL\n..\n",
        ".if n CAP_KILL\n",
        ".ie n \\{\\\nCAP_KILL\n.if t \\{ CAP_KILL \\}\nCAP_KILL\n.\\}\n",
        '.\\" CAP_KILL\n',
        "'\\\" CAP_KILL\n",
    ],
)
def test_what_groff_does_not_print_is_not_there(hidden: str) -> None:
    assert texts(f".SH S\nbefore\n{hidden}after\n") == ["before after"]


def test_a_sentence_ends_with_a_line() -> None:
    lines = [
        Line(1, "one"),
        Line(2, "two."),
        Line(3, "(three."),
        Line(4, "3.5 of it.)"),
        Line(5, "x"),
    ]
    assert [[line.number for line in one] for one in split_sentences(lines)] == [
        [1, 2],
        [3],
        [4],
        [5],
    ]


@given(
    st.lists(
        st.one_of(
            st.sampled_from(
                [".TP", ".IP", ".RS", ".RE", ".SH", ".SS x", ".nf", ".fi", ".TS", ".TE", "T{", "T}"]
            ),
            st.sampled_from([".if n \\{", ".ig", "..", ".de x", "\\", ".\\}", '.BR "', ".TH", "'"]),
            st.text(max_size=20),
        )
    )
)
def test_no_page_stops_the_reading(lines: list[str]) -> None:
    assert all(isinstance(passage, Passage) for passage in read_page("\n".join(lines)))
