"""Statements that look like declarations, and what compilers alone are told."""

from __future__ import annotations

import pytest

from tests.engine.adapters import facts
from tests.engine.reading.bodies import body, calls


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        ("g(container_of(w, struct file, m));", ["g", "container_of"]),
        ("g(list_entry(l, struct x, m), 1); h();", ["g", "list_entry", "h"]),
        ("out:\n\tg(list_entry(l, struct x *, m), h());", ["g", "list_entry", "h"]),
        ("g(va_arg(list, unsigned long), h(1));", ["g", "va_arg", "h"]),
        ("FIELD(unsigned long, ip, 0);", ["FIELD"]),
        ("g(offsetof(struct x, m) + h());", ["g", "h"]),
        ("g(sizeof(struct x), (struct y *) h());", ["g", "h"]),
        ("void (*p)(int, struct x *) = g(1); h();", ["g", "h"]),
        ("each(i)\n\tg(i);", ["each", "g"]),
        ("each(i) g(i);", ["each", "g"]),
        ("each(p)\n\tif (x(p))\n\t\tbreak;\n\th();\n\tk();", ["each", "x", "h", "k"]),
        ("each(p)\n\tp->count = g(p);", ["each", "g"]),
        ("each(p)\n\treturn g(p);", ["each", "g"]),
        ("each(n)\n\teach_in(n)\n\t\tg(n);", ["each", "each_in", "g"]),
        ("each(p) { g(p); }", ["each", "g"]),
        ("a: each(cpus(1))\n\tg(i);", ["each", "cpus", "g"]),
        ("if (a) each(i)\n\tg(i);", ["each", "g"]),
        ("a();\n\tSLEEP_HEAD\n\tschedule();", ["a", "schedule"]),
        ("{ a();\n\tSLEEP_VAR\n\tHEAD(1)\n\tb(); TAIL(x)\n }", ["a", "HEAD", "b", "TAIL"]),
        ("int x[] = { net(1) }; g();", ["net", "g"]),
        ("typeof(x) y = g(x); h();", ["g", "h"]),
        ('printk(KERN_ERR PREFIX "a %d", g()); h();', ["printk", "g", "h"]),
        ("struct { int x; } __aligned(8) p; g(p.x);", ["g"]),
        ("struct x *p __free(release) = get(1); g(p);", ["get", "g"]),
        ("slot(m)->check(a);", ["slot", "slot(:m)>check"]),
    ],
)
def test_calls_that_the_grammar_takes_for_declarations(
    statements: str, expected: list[str]
) -> None:
    assert calls(statements) == expected


def test_a_type_as_an_argument_names_what_is_returned() -> None:
    read = body("container_of(w, struct file, m)->ops->f();")
    assert [call.target for call in read.calls] == ["container_of", "struct file>ops>f"]


def test_the_if_in_a_loop_without_braces_guards_nothing_behind_it() -> None:
    read = body("each(p)\n\tif (a)\n\t\treturn 0;\n\tsuser();", "int a")
    assert [call.guards for call in read.calls if call.target == "suser"] == [()]


def test_a_macro_that_is_such_a_statement() -> None:
    (macro,) = facts("#define put(w) g(container_of(w, struct file, m))\n").macros
    assert [call.target for call in macro.calls] == ["g", "container_of"]


@pytest.mark.parametrize(
    ("text", "variable", "stored"),
    [
        ("static struct ops a __ro_after_init;\n", "a", []),
        ("static const struct ops __maybe_unused a = { .f = h };\n", "a", [("f",)]),
        ("const struct ops a __aligned(8) __section(.x) = { .f = h };\n", "a", [("f",)]),
        ("struct ops { int (*f)(int); } __packed a = { .f = h };\n", "a", [("f",)]),
        ("struct ops a[2] __cacheline_aligned = { [0] = { .f = h } };\n", "a", [("f",)]),
    ],
)
def test_annotations_of_variables(text: str, variable: str, stored: list[tuple[str, ...]]) -> None:
    read = facts(text)
    assert [(each.name, each.type) for each in read.variables] == [(variable, "struct ops")]
    assert [each.path for each in read.stored] == stored
    assert all(each.variable == ":" + variable for each in read.stored)


def test_annotations_of_structs_and_members() -> None:
    read = facts(
        "struct __packed a {\n\trandomized_struct_fields_start\n\tstruct b *p __guarded_by(&l);\n"
        "\tstruct c *q ____cacheline_aligned_in_smp;\n\trandomized_struct_fields_end\n"
        "} __randomize_layout;\ntypedef struct { struct d *r; } __aligned(8) e;\n"
    )
    assert [(each.tag, [tuple(m) for m in each.members]) for each in read.structs] == [
        ("struct a", [("p", "struct b"), ("q", "struct c")]),
        ("e", [("r", "struct d")]),
    ]
    assert read.variables == []


def test_members_that_are_arguments_of_a_macro() -> None:
    code = (
        "struct device {\n"
        "\t__cacheline_group_begin(sending);\n"
        "\tgroup(fast,\n\t\tunsigned long a:32;\n\t\tint b, c;\n\t);\n"
        "\tconst struct ops *ops;\n"
        "\tgroup_attr(, slow, __packed, struct x *d;);\n"
        "\t__cacheline_group_end(sending);\n"
        "\t__cacheline_group_begin(receiving);\n"
        "\tint (*e)(int);\n"
        "};\n"
    )
    (struct,) = facts(code).structs
    assert [member.name for member in struct.members] == ["a", "b", "c", "ops", "d", "e"]
    assert dict(struct.members)["ops"] == "struct ops"
