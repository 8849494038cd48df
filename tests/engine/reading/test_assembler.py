"""The functions of assembler files that call others: ``sys_fork`` and ``sys_execve`` to 0.96."""

from __future__ import annotations

import pytest

from tests.engine.adapters import facts


@pytest.mark.parametrize(
    ("source", "functions"),
    [
        (
            ".globl _sys_fork\n_sys_fork:\n\tcall _find\n1:\tpushl %eax\n\tcall _copy\n\tret\n",
            [("sys_fork", 2, [(3, "find"), (5, "copy")])],
        ),
        (
            "ENTRY(sys_fork)\n\tcall find\n\tjmp copy\n",
            [("sys_fork", 1, [(2, "find"), (3, "copy")])],
        ),
        (
            ".globl a, b\na:\n\tcall c\nb:\n\tcall SYMBOL_NAME(d)\n",
            [("a", 2, [(3, "c")]), ("b", 4, [(5, "d")])],
        ),
        (".globl a\na:\n\tcall b\nlocal:\n\tcall c\n", [("a", 2, [(3, "b"), (5, "c")])]),
        (".globl a\na:\n\tcall __a\n", [("a", 2, [(3, "__a")])]),
        (".globl a\na:\n\tcall *4(%eax)\n\tcall macro(b)\n/* call c */\n\t# call d\n", []),
        ("a:\n\tcall b\n", []),
        (".globl a\na:\n\tret\n", []),
        ("", []),
    ],
)
def test_functions(source: str, functions: list[tuple[str, int, list[tuple[int, str]]]]) -> None:
    """A leading underscore, which a.out put before the names of C, is taken off."""
    read = [
        (function.name, item.line, [(item.line + c.line, c.target) for c in function.calls])
        for item in facts(source, assembler=True).items
        for function in item.functions
    ]
    assert read == functions


def test_a_call_in_assembler_may_not_be_reached() -> None:
    function = facts(".globl a\na:\n\tcall b\n", assembler=True).function("a")
    (call,) = function.calls
    assert (call.conditional, call.effect, call.pointer) == (1, "unknown", False)
