"""Whole files: nothing is lost, each thing is where it belongs."""

from __future__ import annotations

import pytest

from tests.engine.adapters import facts

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
    read = facts(SYSCALLS)
    assert [f.name for f in read.functions] == ["sys_own", "compat_sys_own"]
    assert read.lines("ns_capable") == [(4, "sys_own")]
    assert read.lines("struct own_s>go") == [(6, "sys_own")]
    assert read.lines("sys_own") == [(11, "compat_sys_own")]


def test_inline_wrapper_in_a_header() -> None:
    text = (
        "#ifndef _OWN_H\n#define _OWN_H\n#ifdef __KERNEL__\n"
        "static inline int own_root(void)\n{\n\treturn capable(CAP_A);\n}\n#endif\n#endif\n"
    )
    read = facts(text)
    (function,) = read.functions
    assert (function.static, function.inline, function.relays) == (True, True, ("capable",))
    assert [(o.line, o.condition) for o in read.asked()] == [(6, "defined(__KERNEL__)")]


def test_code_under_if_0_is_kept_with_its_condition() -> None:
    text = "int f(void)\n{\n\ta();\n#if 0\n\tif (!suser())\n\t\treturn -EPERM;\n#endif\n}\n"
    whole = f"#if 0\n{text}#endif\n"
    assert {o.name: o.condition for o in facts(text).asked()} == {"a": "", "suser": "0"}
    assert {o.name: o.condition.split(" ")[0] for o in facts(whole).asked()} == {
        "a": "0",
        "suser": "0",
    }


def test_both_sides_of_a_condition() -> None:
    heads = "#ifdef A\n\tif (!suser())\n#else\n\tif (!capable(X))\n#endif\n"
    text = f"int f(void)\n{{\n{heads}\t\ta();\n}}\n"
    conditions = {each.name: each.condition for each in facts(text).asked()}
    assert conditions == {"suser": "defined(A)", "capable": "!defined(A)", "a": ""}


def test_both_conditions_of_one_macro() -> None:
    text = (
        "int f(void)\n{\n#ifdef A\n\tif (x) {\n\t\tsuser();\n#endif\n#ifndef A\n\tif (y) {\n"
        "\t\tcapable(X);\n#endif\n\t\ta();\n\t}\n}\nint g(void)\n{\n\tb();\n}\n"
    )
    places = {each.name: (each.function, each.condition) for each in facts(text).asked()}
    assert places == {
        "suser": ("f", "defined(A)"),
        "capable": ("f", "!defined(A)"),
        "a": ("f", ""),
        "b": ("g", ""),
    }


def test_latin_1_in_comments_strings_and_names() -> None:
    text = (
        '/* \xe9\xff\xfe */\nint f(void)\n{\n\tputs("\xe4\xf6");\n\treturn suser(); /* \xdf */\n}\n'
    )
    assert facts(text).lines("suser") == [(5, "f")]


def test_carriage_returns() -> None:
    text = "int f(void)\r\n{\r\n#ifdef A\r\n\ta();\r\n#endif\r\n\treturn suser();\r\n}\r\n"
    assert facts(text).lines("suser") == [(6, "f")]


@pytest.mark.parametrize(
    ("source", "mentions"),
    [
        ("int f(void) { return suser(); }", [(1, "suser", "call")]),
        ("extern int suser(void);", [(1, "suser", "declaration")]),
        (
            "extern int suser(void),\n\tcapable(int);",
            [(1, "suser", "declaration"), (2, "capable", "declaration")],
        ),
        ("int suser(void)\n{\n\treturn 1;\n}", [(1, "suser", "call")]),
        ("#define isroot() suser()\n", [(1, "suser", "call")]),
        ("#define isroot suser\n", [(1, "suser", "name")]),
        ("#define isroot \\\n\tsuser\n", [(2, "suser", "name")]),
        ("#if capable(X)\n#endif\n", [(1, "capable", "call")]),
        ("#if A\n#elif capable(X)\n#endif\n", [(2, "capable", "call")]),
        ("#ifdef suser\n#endif\n#include <suser.h>\n", []),
        ("EXPORT_SYMBOL(capable);", [(1, "capable", "name")]),
        ("struct s { int capable; };", [(1, "capable", "name")]),
        ("struct s { int (*capable)(int); };", [(1, "capable", "name")]),
        ("int f(void) { return ops->capable(1); }", [(1, "capable", "name")]),
        ("int f(void) { return o.m . capable (1); }", [(1, "capable", "name")]),
        (
            "struct s o = { .capable = own_capable };",
            [(1, "capable", "name"), (1, "own_capable", "name")],
        ),
        (
            "int f(void) { return cap_raised(a, B) + has_cap(C); }",
            [(1, "cap_raised", "call"), (1, "has_cap", "call")],
        ),
        ("int f(void) { return has_capability(a, B); }", [(1, "has_capability", "call")]),
        ("/* suser() */ int a; // suser()\n", []),
        ('char *a = "suser()";', []),
        ('#define A "suser()" /* suser() */\n', []),
        ("int not_suser_at_all(int);", [(1, "not_suser_at_all", "declaration")]),
    ],
)
def test_mentions(source: str, mentions: list[tuple[int, str, str]]) -> None:
    assert [tuple(mention) for mention in facts(source).mentions] == mentions


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
    read = facts(FORMS)
    asked = [
        (each.line, each.name)
        for each in read.asked()
        if "suser" in each.name or each.name == "capable"
    ]
    assert sorted(asked) == sorted((line, name) for line, name, _ in read.mentions)
    assert {each.function for each in read.asked()} == {"isroot", "HELPERS", "first", "second"}


@pytest.mark.parametrize(
    ("source", "includes", "required"),
    [
        (
            '#include <a.h>\n# include "b.c" /* why */\n#include <a.h>\n#include MACRO\n',
            ("<a.h", '"b.c'),
            ("<a.h", '"b.c'),
        ),
        ("#include <a.h>\n#ifdef A\n#include <b.h>\n#endif\n", ("<a.h", "<b.h"), ("<a.h",)),
        ("#ifdef A\n#include <b.h>\n#endif\n#include <b.h>\n", ("<b.h",), ("<b.h",)),
        ("#ifndef _H\n#define _H\n#include <a.h>\n#endif\n", ("<a.h",), ("<a.h",)),
        ('#include <asm/../x.h>\n#include "../a/b.h"\n', ("<asm/../x.h", '"../a/b.h'), None),
        ("/* #include <a.h> */\n#if 0\n#include <b.h>\n#endif\n", ("<b.h",), ()),
    ],
)
def test_includes_in_order_and_once(
    source: str, includes: tuple[str, ...], required: tuple[str, ...] | None
) -> None:
    """``required`` are those under no condition."""
    read = facts(source)
    assert (read.includes, read.required) == (includes, includes if required is None else required)


CHANGED = FORMS.replace("return a\n", "return !a\n")
MOVED = "/* moved\n */\nint other(void) { }\n\n" + FORMS
ONE_HEAD = "#ifdef A\nint f(void)\n#else\nint f(int a)\n#endif\n{\n\ta();\n}\n"
VERSIONS = {
    "the same": (FORMS, FORMS),
    "a function that changes": (FORMS, CHANGED),
    "functions that move": (FORMS, MOVED),
    "the same text under other conditions": (ONE_HEAD, ONE_HEAD.replace("#else", "#elif B")),
    "a condition around the same text": (FORMS, f"#ifdef AROUND\n{FORMS}#endif\n"),
    "a function that becomes static": (FORMS, FORMS.replace("int first", "static int first")),
    "a comment that ends elsewhere": (FORMS, FORMS.replace("\tint a;", "\t/* int a; */", 1)),
    "two functions of one text": (FORMS, FORMS + FORMS),
}


@pytest.mark.parametrize("versions", VERSIONS.values(), ids=VERSIONS)
def test_what_was_read_before_changes_nothing(versions: tuple[str, str]) -> None:
    for first, second in (versions, versions[::-1]):
        assert facts(second, after=[first]) == facts(second)


def test_an_item_has_the_same_facts_wherever_it_stands() -> None:
    before, after = facts(FORMS), facts(MOVED)
    assert after.items[0].functions[0].name == "other"
    assert [item._replace(line=item.line + 4) for item in before.items] == list(after.items[1:])
