"""A call of all that is registered chooses nothing, and counts as no pointer step."""

from __future__ import annotations

import pytest

from caphistory.records import SyscallCheck
from tests.engine.adapters import linked

# The hooks of security modules up to 6.11. ``CALL`` is the macro's body.
WALKED = """
-- include/linux/hooks.h
union options { int (*bind)(int); int (*open)(int); };
struct hook_list { struct hook_list *next; int kind; struct options *ops; union options hook; };
struct hook_heads { struct head bind; struct head open; };
-- security/security.c
#include <linux/hooks.h>
struct hook_heads heads;
#define call_hook(FUNC, ...) ({ \\
    int RC = 0; \\
    do { \\
        struct hook_list *P; \\
        CALL \\
    } while (0); \\
    RC; \\
})
int sys_bind(int n) { return call_hook(bind, n); }
-- security/mine.c
#include <linux/hooks.h>
static int mine(int n) { return capable(CAP_A) ? 0 : -1; }
static int other(int n) { return capable(CAP_WRONG) ? 0 : -1; }
static struct hook_list hooks[] = { { .hook.bind = mine }, { .hook.open = other } };
"""

ALL = {
    "until one refuses": (
        "hlist_for_each_entry(P, &heads.FUNC, list) {"
        " RC = P->hook.FUNC(__VA_ARGS__); if (RC != 0) break; }"
    ),
    "without braces": "list_for_each_entry(P, &heads.FUNC, list) P->hook.FUNC(__VA_ARGS__);",
    "as a condition": (
        "list_for_each_entry(P, &heads.FUNC, list) { if (P->hook.FUNC(__VA_ARGS__)) break; }"
    ),
}

SOME = {
    "those of a kind": (
        "list_for_each_entry(P, &heads.FUNC, list)"
        " if (P->kind == 2) RC = P->hook.FUNC(__VA_ARGS__);"
    ),
    "behind a test": (
        "list_for_each_entry(P, &heads.FUNC, list) {"
        " if (P->kind != 2) continue; RC = P->hook.FUNC(__VA_ARGS__); }"
    ),
    "after &&": (
        "list_for_each_entry(P, &heads.FUNC, list) {"
        " if (P->kind == 2 && P->hook.FUNC(__VA_ARGS__)) break; }"
    ),
    "another variable's": (
        "struct hook_list *Q = find(2);"
        " list_for_each_entry(P, &heads.FUNC, list) { RC = Q->hook.FUNC(__VA_ARGS__); }"
    ),
    "a list that is chosen": (
        "struct hook_heads *one = find(2);"
        " list_for_each_entry(P, &one->FUNC, list) { RC = P->hook.FUNC(__VA_ARGS__); }"
    ),
    "no list": "P = find(2); RC = P->hook.FUNC(__VA_ARGS__);",
}


def asked(body: str) -> SyscallCheck:
    """The only row of ``sys_bind``."""
    (row,) = linked(WALKED.replace("CALL", body)).syscall_checks
    return row


@pytest.mark.parametrize("body", ALL.values(), ids=ALL.keys())
def test_a_list_that_is_walked_in_full_is_no_choice(body: str) -> None:
    row = asked(body)
    assert (row.check.capability, row.reach, row.pointer_hops) == ("CAP_A", "call", 0)
    assert row.chain[0].via == "options.bind"


@pytest.mark.parametrize("body", SOME.values(), ids=SOME.keys())
def test_one_of_those_on_a_list_is_a_choice(body: str) -> None:
    row = asked(body)
    assert (row.check.capability, row.reach, row.pointer_hops) == ("CAP_A", "pointer", 1)


def test_static_calls_of_a_hook_are_no_choice() -> None:
    hook = """
    -- include/linux/hooks.h
    union security_list_options { int (*bind)(int); };
    struct hook_list { union security_list_options hook; };
    -- security/security.c
    #include <linux/hooks.h>
    #define CALL_ONE(NUM, R, HOOK, ...) R = static_call(LSM_STATIC_CALL(HOOK, NUM))(__VA_ARGS__);
    int sys_bind(int n) { int rc = 0; CALL_ONE(0, rc, bind, n); return rc; }
    -- security/mine.c
    #include <linux/hooks.h>
    static int mine(int n) { return capable(CAP_A) ? 0 : -1; }
    static struct hook_list hooks[] = { { .hook.bind = mine } };
    """
    text = "\n".join(line.strip() for line in hook.splitlines())
    (row,) = linked(text, "6.12").syscall_checks
    assert (row.check.capability, row.pointer_hops) == ("CAP_A", 0)
