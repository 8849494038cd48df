"""Whole files: nothing is lost, each thing is where it belongs."""

from __future__ import annotations

import pytest

from caphistory.syntax.reader import read
from tests.syntax.c import file

SYSCALLS = """\
SYSCALL_DEFINE2(own, int, a,
		struct own_s __user *, b)
{
	if (!ns_capable(a, CAP_A))
		return -EPERM;
	return b->go(a);
}

COMPAT_SYSCALL_DEFINE1(own, int, a)
{
	return sys_own(a);
}
"""


def test_system_calls_that_a_macro_defines() -> None:
    found = file(SYSCALLS)
    assert [f.name for f in found.functions] == ["sys_own", "compat_sys_own"]
    assert found.lines("ns_capable") == [(4, "sys_own")]
    assert found.lines("struct own_s>go") == [(6, "sys_own")]
    assert found.lines("sys_own") == [(11, "compat_sys_own")]


def test_inline_wrapper_in_a_header() -> None:
    text = (
        "#ifndef _OWN_H\n#define _OWN_H\n#ifdef __KERNEL__\n"
        "static inline int own_root(void)\n{\n\treturn capable(CAP_A);\n}\n#endif\n#endif\n"
    )
    found = file(text)
    (function,) = found.functions
    assert (function.static, function.inline, function.relays) == (True, True, ("capable",))
    assert [(o.line, o.condition) for o in found.asked()] == [(6, "defined(__KERNEL__)")]


def test_code_under_if_0_is_kept_with_its_condition() -> None:
    text = "int f(void)\n{\n\ta();\n#if 0\n\tif (!suser())\n\t\treturn -EPERM;\n#endif\n}\n"
    whole = f"#if 0\n{text}#endif\n"
    assert {o.name: o.condition for o in file(text).asked()} == {"a": "", "suser": "0"}
    assert {o.name: o.condition.split(" ")[0] for o in file(whole).asked()} == {
        "a": "0",
        "suser": "0",
    }


def test_both_sides_of_a_condition() -> None:
    heads = "#ifdef A\n\tif (!suser())\n#else\n\tif (!capable(X))\n#endif\n"
    text = f"int f(void)\n{{\n{heads}\t\ta();\n}}\n"
    found = {one.name: one.condition for one in file(text).asked()}
    assert found == {"suser": "defined(A)", "capable": "!defined(A)", "a": ""}


def test_both_conditions_of_one_macro() -> None:
    text = (
        "int f(void)\n{\n#ifdef A\n\tif (x) {\n\t\tsuser();\n#endif\n#ifndef A\n\tif (y) {\n"
        "\t\tcapable(X);\n#endif\n\t\ta();\n\t}\n}\nint g(void)\n{\n\tb();\n}\n"
    )
    found = {one.name: (one.function, one.condition) for one in file(text).asked()}
    assert found == {
        "suser": ("f", "defined(A)"),
        "capable": ("f", "!defined(A)"),
        "a": ("f", ""),
        "b": ("g", ""),
    }


def test_latin_1_in_comments_strings_and_names() -> None:
    text = (
        '/* \xe9\xff\xfe */\nint f(void)\n{\n\tputs("\xe4\xf6");\n\treturn suser(); /* \xdf */\n}\n'
    )
    assert file(text).lines("suser") == [(5, "f")]


def test_carriage_returns() -> None:
    text = "int f(void)\r\n{\r\n#ifdef A\r\n\ta();\r\n#endif\r\n\treturn suser();\r\n}\r\n"
    assert file(text).lines("suser") == [(6, "f")]


def mentions(text: str) -> list[tuple[int, str, str]]:
    return list(file(text).blob.mentions)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("int f(void) { return suser(); }", [(1, "suser", "call")]),
        ("extern int suser(void);", [(1, "suser", "declaration")]),
        ("extern int suser(void),\n\tcapable(int);", 2),
        ("int suser(void)\n{\n\treturn 1;\n}", [(1, "suser", "call")]),
        ("#define isroot() suser()\n", [(1, "suser", "call")]),
        ("#define isroot suser\n", [(1, "suser", "name")]),
        ("#if capable(X)\n#endif\n", [(1, "capable", "call")]),
        ("EXPORT_SYMBOL(capable);", [(1, "capable", "name")]),
        ("struct s { int capable; };", [(1, "capable", "name")]),
        ("struct s { int (*capable)(int); };", [(1, "capable", "name")]),
        ("int f(void) { return ops->capable(1); }", [(1, "capable", "name")]),
        ("int f(void) { return o.m . capable (1); }", [(1, "capable", "name")]),
        ("struct s o = { .capable = own_capable };", 2),
        ("/* suser() */ int a; // suser()\n", []),
        ('char *a = "suser()";', []),
        ('#define A "suser()" /* suser() */\n', []),
        ("int not_suser_at_all(int);", [(1, "not_suser_at_all", "declaration")]),
    ],
)
def test_mentions(text: str, expected: list[tuple[int, str, str]] | int) -> None:
    found = mentions(text)
    assert (len(found) if isinstance(expected, int) else found) == expected


FORMS = """\
#define isroot() (suser())
#define HELPERS(x) \\
	case 1: \\
		if (!suser()) return -EACCES; \\
		if (!fsuser()) return -EPERM;

int first(a)
	int a;
{
	return a
		&& suser
		();
}

#ifdef A
int second(int a)
#else
int second(long a)
#endif
{
#if 0
	don't ask it;
#endif
#ifdef B
	if (fsuser()) {
#elif defined(C)
	if (capable(X)) {
#else
	if (suser() ? fsuser() : a) {
#endif
		if (capable(Y))
			return 1;
	}
	return suser();
}
"""


def test_every_mention_that_is_a_call_is_a_call_of_a_function_or_macro() -> None:
    found = file(FORMS)
    asked = sorted((one.line, one.name) for one in found.asked() if "suser" in one.name)
    asked += sorted((one.line, one.name) for one in found.asked() if one.name == "capable")
    assert sorted(asked) == sorted((line, name) for line, name, _ in found.blob.mentions)
    assert {one.function for one in found.asked()} == {"isroot", "HELPERS", "first", "second"}


def test_includes_in_order_and_once() -> None:
    text = '#include <a.h>\n# include "b.c" /* why */\n#include <a.h>\n#include MACRO\n'
    assert file(text).blob.includes == ("<a.h", '"b.c')


def test_an_item_keeps_its_facts_wherever_it_stands() -> None:
    blob, items = read(FORMS.encode())
    moved, again = read(b"/* moved\n */\nint other(void) { }\n\n" + FORMS.encode())
    assert set(items) <= set(again)
    assert all(items[key] == again[key] for key in items)
    shifted = [(p.line + 4, p.condition, p.key) for p in blob.items]
    assert shifted == [tuple(p) for p in moved.items if p.key in items]


def test_known_items_are_not_read_again() -> None:
    blob, items = read(FORMS.encode())
    changed = FORMS.replace("return a\n", "return !a\n").encode()
    moved, fresh = read(changed, items)
    assert {p.key for p in moved.items} - {p.key for p in blob.items} == set(fresh)
    assert [f.name for item in fresh.values() for f in item.functions] == ["first"]


def test_the_same_text_under_other_conditions_is_another_item() -> None:
    one = file("#ifdef A\nint f(void)\n#else\nint f(int a)\n#endif\n{\n\ta();\n}\n")
    other = file("#ifdef A\nint f(void)\n#elif B\nint f(int a)\n#endif\n{\n\ta();\n}\n")
    assert {p.key for p in one.blob.items} & {p.key for p in other.blob.items} == set()
