"""How an entry function comes to a check: the best chain, its bounds and what it tells."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable

import pytest

from caphistory.records import SyscallCheck
from tests.engine.adapters import chain_text, chains, linked

CUT_OFF = re.compile(r"chains of more than (\d+) steps, (\d+) of them through a pointer")


def bounds() -> list[int]:
    """How many steps a chain may have with no, one, two … pointer steps, as every release says."""
    details = linked("-- kernel/one.c\nint sys_one(void) { return 0; }\n").audit_details
    matches = [CUT_OFF.fullmatch(each.detail) for each in details if each.kind == "cut_off"]
    return [int(match[1]) for match in sorted(filter(None, matches), key=lambda m: int(m[2]))]


STEPS = bounds()


# A syscall that comes to the check of ``a_chain`` and its like at once: what no syscall comes to is
# followed further.
NEAR = "int sys_near(int a) { return %s(a); }\n"


def row(text: str, syscall: str = "one") -> SyscallCheck:
    """The only row of a syscall."""
    (rows,) = (row for row in linked(text).syscall_checks if row.syscall == syscall)
    return rows


def a_chain(calls: int) -> str:
    """A kernel whose ``sys_one`` comes to a check in so many calls."""
    functions = [f"int step{n}(int a) {{ return step{n + 1}(a); }}\n" for n in range(1, calls)]
    return (
        "-- kernel/one.c\n"
        f"int step{calls}(int a) {{ return capable(CAP_A) ? 0 : -1; }}\n"
        + "".join(functions)
        + "int sys_one(int a) { return step1(a); }\n"
    )


def a_pointer_chain(hops: int) -> str:
    """A kernel whose ``sys_one`` comes to a check through so many pointers."""
    members = "".join(f"int (*m{n})(int); " for n in range(1, hops + 1))
    stored = ", ".join(f".m{n} = step{n}" for n in range(1, hops + 1))
    functions = [
        f"static int step{n}(int a) {{ return ops.m{n + 1}(a); }}\n" for n in range(1, hops)
    ]
    return (
        f"-- kernel/one.c\nstruct ops {{ {members} }};\nextern struct ops ops;\n"
        f"static int step{hops}(int a) {{ return capable(CAP_A) ? 0 : -1; }}\n"
        + "".join(functions)
        + f"struct ops ops = {{ {stored} }};\n"
        "int sys_one(int a) { return ops.m1(a); }\n"
    )


def test_direct_call_and_pointer() -> None:
    text = """
-- kernel/one.c
struct ops { int (*f)(int); };
int called(int n) { return capable(CAP_B) ? 0 : -1; }
int pointed(int n) { return capable(CAP_C) ? 0 : -1; }
struct ops ops = { pointed };
int sys_one(int n)
{
    if (!capable(CAP_A))
        return -1;
    called(n);
    return ops.f(n);
}
"""
    rows = {
        (row.check.capability, row.reach, row.depth, row.pointer_hops)
        for row in linked(text).syscall_checks
    }
    assert rows == {
        ("CAP_A", "direct", 0, 0),
        ("CAP_B", "call", 1, 0),
        ("CAP_C", "pointer", 1, 1),
    }


def test_a_chain_has_file_and_line_of_each_step() -> None:
    text = """
-- fs/one.c
struct ops { int (*f)(int); };
extern struct ops ops;

int sys_one(int n)
{
    int a = n;
    return helper(a);
}
-- fs/two.c
int helper(int n)
{
    return ops.f(n);
}
-- fs/three.c
static int check(int n)
{
    if (n)
        if (!capable(CAP_A))
            return -EPERM;
    return 0;
}
struct ops ops = { check };
"""
    text = (
        text.replace("-- fs/two.c\n", "-- fs/two.c\nextern struct ops ops;\n")
        .replace("struct ops { int (*f)(int); };\nextern", "#include <linux/ops.h>\nextern")
        .replace("-- fs/three.c\n", "-- fs/three.c\n#include <linux/ops.h>\n")
    )
    text += "-- include/linux/ops.h\nstruct ops { int (*f)(int); };\n"
    assert [tuple(step) for step in row(text).chain] == [
        ("sys_one", "fs/one.c", 7, "call", None),
        ("helper", "fs/two.c", 4, "pointer", "ops.f"),
        ("check", "fs/three.c", 5, "call", None),
    ]


SHORTEST = {
    "the shortest of two chains": (
        "int sys_one(int n) { far(n); return near(n); }\n"
        "int far(int n) { return near(n); }\n"
        "int near(int n) { return capable(CAP_A) ? 0 : -1; }\n",
        "sys_one near: CAP_A",
    ),
    "a longer chain of calls before a pointer": (
        "struct ops { int (*f)(int); };\nstruct ops ops = { near };\n"
        "int sys_one(int n) { ops.f(n); return far(n); }\n"
        "int far(int n) { return farther(n); }\n"
        "int farther(int n) { return near(n); }\n"
        "int near(int n) { return capable(CAP_A) ? 0 : -1; }\n",
        "sys_one far farther near: CAP_A",
    ),
    "one pointer before two, however long": (
        "struct ops { int (*f)(int); int (*g)(int); int (*h)(int); };\n"
        "struct ops ops = { near, mid, far };\n"
        "int near(int n) { return capable(CAP_A) ? 0 : -1; }\n"
        "int mid(int n) { return ops.f(n); }\n"
        "int far(int n) { return farther(n); }\n"
        "int farther(int n) { return near(n); }\n"
        "int sys_one(int n) { ops.g(n); return ops.h(n); }\n",
        "sys_one (ops.h) far farther near: CAP_A",
    ),
    "a function that calls itself": (
        "int sys_one(int n) { return again(n); }\n"
        "int again(int n) { if (n) return again(n - 1); return capable(CAP_A) ? 0 : -1; }\n",
        "sys_one again: CAP_A",
    ),
    "two functions that call each other": (
        "int sys_one(int n) { return ping(n); }\n"
        "int ping(int n) { return pong(n); }\n"
        "int pong(int n) { ping(n); return capable(CAP_A) ? 0 : -1; }\n",
        "sys_one ping pong: CAP_A",
    ),
}


@pytest.mark.parametrize("case", SHORTEST)
def test_the_best_chain(case: str) -> None:
    text, expected = SHORTEST[case]
    assert chain_text(row("-- kernel/one.c\n" + text)) == expected


def test_one_row_for_each_site_however_many_ways_lead_there() -> None:
    text = """
-- kernel/one.c
int sys_one(int n) { left(n); right(n); return 0; }
int left(int n) { return check(n); }
int right(int n) { return check(n); }
int check(int n)
{
    capable(CAP_A);
    capable(CAP_A);
    return capable(CAP_B) ? 0 : -1;
}
"""
    rows = [(row.check.line, row.check.capability) for row in linked(text).syscall_checks]
    assert sorted(rows) == [(6, "CAP_A"), (7, "CAP_A"), (8, "CAP_B")]


CONDITIONAL = {
    "nothing": ("return helper(n);", 0),
    "an if": ("if (n) return helper(n); return 0;", 1),
    "an else": ("if (n) return 0; else return helper(n);", 1),
    "the condition of an if": ("if (helper(n)) return 1; return 0;", 0),
    "a switch": ("switch (n) { case 1: return helper(n); } return 0;", 1),
    "a loop": ("while (n--) helper(n); return 0;", 1),
    "the condition of a loop": ("while (helper(n)) n--; return 0;", 0),
    "the right side of &&": ("return n && helper(n);", 1),
    "the left side of ||": ("return helper(n) || n;", 0),
    "a conditional expression": ("return n ? helper(n) : 0;", 1),
    "a block": ("{ int a = helper(n); return a; }", 0),
    "both ways": ("if (n) helper(n); return helper(n);", 0),
    "both ways, of which nothing is known": ("if (look()) helper(n); return helper(n);", 0),
}


@pytest.mark.parametrize("under", CONDITIONAL)
def test_a_chain_is_conditional_if_one_of_its_steps_is(under: str) -> None:
    body, conditional = CONDITIONAL[under]
    text = f"""
-- kernel/one.c
int helper(int n) {{ return capable(CAP_A) ? 0 : -1; }}
int sys_one(int n) {{ {body} }}
int sys_two(int n) {{ return sys_one(n); }}
"""
    assert row(text).conditional == conditional
    assert row(text, "two").conditional == conditional


def test_shared_by_counts_the_syscalls_that_come_as_close() -> None:
    """``near`` is reached by two syscalls through calls, and by a third through a pointer."""
    text = """
-- kernel/one.c
struct ops { int (*f)(int); };
struct ops ops = { near };
int near(int n) { return capable(CAP_A) ? 0 : -1; }
int sys_one(int n) { return near(n); }
int sys_two(int n) { return near(n); }
int sys_three(int n) { return ops.f(n); }
"""
    rows = {row.syscall: row.shared_by for row in linked(text).syscall_checks}
    assert rows == {"one": 2, "two": 2, "three": 3}


@pytest.mark.parametrize("make, most", [(a_chain, STEPS[0]), (a_pointer_chain, len(STEPS) - 1)])
def test_chains_are_followed_as_far_as_the_bounds_say_and_the_bounds_are_told(
    make: Callable[[int], str], most: int
) -> None:
    assert row(make(most)).depth == most
    beyond = linked(make(most + 1) + NEAR % f"step{most + 1}")
    assert [each.syscall for each in beyond.syscall_checks] == ["near"]
    details = [detail.detail for detail in beyond.audit_details if detail.kind == "cut_off"]
    assert f"chains of more than {STEPS[0]} steps, 0 of them through a pointer" in details
    assert f"chains of more than {len(STEPS) - 1} pointer steps" in details


def test_a_chain_with_pointers_is_followed_less_far() -> None:
    """The steps of a chain with one pointer step, one by one: as many as its bound, and more."""
    assert sorted(STEPS, reverse=True) == STEPS
    rows = []
    for calls in (STEPS[1] - 1, STEPS[1]):
        text = a_chain(calls).replace("sys_one", "entered")
        text += """
-- fs/enter.c
struct ops { int (*enter)(int); };
struct ops ops = { .enter = entered };
int sys_one(int n) { return ops.enter(n); }
"""
        text = text.replace("-- fs/enter.c\n", NEAR % f"step{calls}" + "-- fs/enter.c\n")
        rows.append([each.syscall for each in linked(text).syscall_checks])
    assert rows == [["near", "one"], ["near"]]


def test_what_constants_switch_off_is_followed_less_far() -> None:
    """It is shown on request only."""
    lengths = []
    for calls in (8, 9):
        text = a_chain(calls).replace("return capable(CAP_A)", "return a && capable(CAP_A)")
        text = text.replace("step1(a)", "step1(0)")
        lengths.append([(each.depth, each.feasible) for each in linked(text).syscall_checks])
    assert lengths == [[(8, 0)], []]


def test_a_check_in_another_architectures_code_is_a_site_that_nobody_reaches() -> None:
    text = """
-- arch/sparc/kernel/one.c
int helper(int n) { return capable(CAP_A) ? 0 : -1; }
-- kernel/one.c
int sys_one(int n) { return helper(n); }
"""
    kernel = linked(text)
    assert [site.path for site in kernel.check_sites] == ["arch/sparc/kernel/one.c"]
    assert kernel.syscall_checks == []


def test_two_syscalls_with_one_entry_function() -> None:
    text = """
-- include/linux/sys.h
fn_ptr sys_call_table[] = { sys_old, sys_old };
-- include/linux/unistd.h
#define __NR_first 0
#define __NR_second 1
-- kernel/one.c
int sys_old(void) { return capable(CAP_A) ? 0 : -1; }
"""
    rows = [(row.syscall, row.shared_by) for row in linked(text).syscall_checks]
    assert rows == [("first", 2), ("second", 2)]


def test_the_order_of_the_files_changes_nothing() -> None:
    """Of equal chains the one that stands first in the source is taken."""
    parts = [
        "-- fs/a.c\nint left(int n) { return check(n); }\n",
        "-- fs/b.c\nint right(int n) { return check(n); }\n",
        "-- fs/c.c\nint check(int n) { return capable(CAP_A) ? 0 : -1; }\n",
        "-- fs/d.c\nint sys_one(int n) { right(n); return left(n); }\n",
    ]
    rows = {frozenset(chains("".join(order))) for order in itertools.permutations(parts)}
    assert rows == {frozenset({"sys_one left check: CAP_A"})}
