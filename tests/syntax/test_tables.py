"""System-call tables, numbers and capabilities outside C proper."""

from __future__ import annotations

import pytest

from caphistory.syntax.tables import (
    assembler_functions,
    assembler_table,
    capability_definitions,
    numbers,
    tbl_table,
    unistd_table,
)


def rows(text: str) -> list[tuple[int, str, int]]:
    return [tuple(row) for row in assembler_table(text.encode())]  # type: ignore[misc]


@pytest.mark.parametrize(
    ("text", "functions"),
    [
        (
            "ENTRY(sys_call_table)\n\t.long SYMBOL_NAME(sys_a)\t/* 0 */\n"
            "\t.long SYMBOL_NAME( sys_b )\n",
            ["sys_a", "sys_b"],
        ),
        ("_sys_call_table:\n\t.long _sys_a,_sys_b\n\t.long _c\n", ["sys_a", "sys_b", "_c"]),
        (".data\nENTRY(sys_call_table)\n.long sys_a\n.quad sys_b\n", ["sys_a", "sys_b"]),
        ("ENTRY(sys_call_table)\n\t.long sys_a # not sys_b\n\n\n\t.long 0,sys_c\n", None),
        (
            "ENTRY(sys_call_table)\n.long sys_a\n.rept N-1\n.long sys_ni_syscall\n.endr\n",
            ["sys_a"],
        ),
        (
            "ENTRY(sys_call_table)\n.long sys_a\n#ifdef B\n.long sys_b\n#else\n"
            ".long sys_ni_syscall\n#endif\n.long sys_c\n",
            ["sys_a", "sys_b", "sys_c"],
        ),
        ("ENTRY(sys_call_table)\n.long sys_a\nENTRY(other)\n.long sys_b\n", ["sys_a"]),
        ("ENTRY(sys_call_table)\n.long sys_a\nsyscall_table_size=(.-sys_call_table)\n", ["sys_a"]),
        ("ENTRY(other_table)\n.long sys_a\n", []),
        ("/* sys_call_table: .long sys_a */\n", []),
        ("", []),
    ],
)
def test_assembler_tables(text: str, functions: list[str] | None) -> None:
    found = rows(text)
    if functions is None:
        functions = ["sys_a", "0", "sys_c"]
    assert [function for _, function, _ in found] == functions
    assert [number for number, _, _ in found] == list(range(len(functions)))


def test_rows_know_their_lines() -> None:
    text = "/* a\n b */\nENTRY(sys_call_table)\n#if 1\n.long sys_a\n#endif\n.long sys_b, sys_c\n"
    assert rows(text) == [(0, "sys_a", 5), (1, "sys_b", 7), (2, "sys_c", 7)]


def test_functions_of_an_assembler_file_that_call_c() -> None:
    text = ".globl _sys_fork\n_sys_fork:\n\tcall _find\n1:\tpushl %eax\n\tcall _copy\n\tret\n"
    (found,) = assembler_functions(text.encode())
    assert found == ("sys_fork", 2, ((3, "find"), (5, "copy")))


def test_numbers_of_unistd() -> None:
    text = (
        "#define __NR_setup\t\t0\t/* once */\n#define __NR_exit 1\n# define __NR_pread 180\n"
        "#define __NR_pread64 180\n#define __NR_timer_create (259)\n"
        "#define __NR_timer_settime (__NR_timer_create+1)\n#define __NR_odd (__NR_none+1)\n"
        "#define NR_syscalls 270\n#define __NR_huge " + "9" * 9999 + "\n"
    )
    assert numbers(text.encode()) == {
        0: "setup",
        1: "exit",
        180: "pread",
        259: "timer_create",
        260: "timer_settime",
    }


def test_table_in_unistd() -> None:
    text = (
        "#define __NR_read 0\n__SYSCALL(__NR_read, sys_read)\n#define __NR_stat 4\n"
        "__SYSCALL( __NR_stat , sys_newstat )\n__SYSCALL(__NR_none, sys_none)\n"
    )
    assert unistd_table(text.encode()) == [
        (0, "read", "sys_read", 2),
        (4, "stat", "sys_newstat", 4),
    ]


def test_table_in_a_tbl_file() -> None:
    text = (
        "# number abi name entry\n0\tcommon\tread\tsys_read\n1 64 write __x64_sys_write/ptregs\n"
        "\n2 x32 ioctl compat_sys_ioctl\n3 common gap\n4 64 stat sys_newstat # why\n"
        "\xb2 64 odd sys_odd\n" + "9" * 9999 + " 64 huge sys_huge\n"
    )
    assert tbl_table(text.encode("latin-1"), ("common", "64")) == [
        (0, "read", "sys_read", 2),
        (1, "write", "sys_write", 3),
        (4, "stat", "sys_newstat", 7),
    ]


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("0", 0),
        ("21", 21),
        ("(21)", 21),
        ("(20 + 1)", 21),
        ("(1+2+3)", 6),
        ("((5) - 1) * 2", 8),
        ("1<<4", 16),
        ("(1 << 2) | 1", 5),
        ("0x15", 21),
        ("025", 21),
        ("21UL", 21),
        ("21 /* own */", 21),
        ("21 // own", 21),
        ("(CAP_FIRST + 1)", 8),
        ("(1 +", None),
        ("1 << 9999999", None),
        ("9" * 9999, None),
    ],
)
def test_numbers_of_capabilities(value: str, number: int | None) -> None:
    text = f"#define CAP_FIRST 7\n#define CAP_X {value}\n"
    found = {d.capability: d.number for d in capability_definitions(text.encode())}
    if number is None:
        assert found.get("CAP_X") is None or value.startswith("1 <<")
    else:
        assert found == {"CAP_FIRST": 7, "CAP_X": number}


@pytest.mark.parametrize(
    "line",
    [
        "#define CAP_LAST_CAP CAP_X",
        "#define CAP_FULL_SET ~0",
        "#define CAP_TO_MASK(x) (1 << (x))",
        "#define CAP_ALIAS CAP_FIRST",
        "#define CAP_VALID(x) ((x) >= 0)",
        "#define CAP_FS_MASK 0x1f",
        "/* #define */ CAP_X 1",
    ],
)
def test_what_is_no_capability(line: str) -> None:
    text = f"#define CAP_FIRST 7\n{line}\n"
    assert [d.capability for d in capability_definitions(text.encode())] == ["CAP_FIRST"]


def test_documentation_of_capabilities() -> None:
    text = (
        "int a; /* of a */\n#define CAP_A 0\n\n/* Does this\n   and that. */\n\n"
        "/* And more. */\n#define CAP_B 1 /* not this */\n#define CAP_C 2\n"
    )
    assert [(d.line, d.doc) for d in capability_definitions(text.encode())] == [
        (2, None),
        (8, "Does this and that.\nAnd more."),
        (9, None),
    ]
