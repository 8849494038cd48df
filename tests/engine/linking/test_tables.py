"""System-call tables, numbers and capabilities outside C proper."""

from __future__ import annotations

import pytest

from tests.engine.adapters import linked


def syscalls(files: dict[str, str], abi: str = "i386") -> list[tuple[int | None, str, str]]:
    """Number, name and function of each syscall of an ABI."""
    return [(r.number, r.syscall, r.function) for r in linked(files).syscalls if r.abi == abi]


def assembler(table: str) -> list[tuple[int | None, str]]:
    """Number and function of each syscall of an assembler table."""
    return [(n, function) for n, _, function in syscalls({"arch/i386/kernel/entry.S": table})]


@pytest.mark.parametrize(
    ("table", "functions"),
    [
        (
            "ENTRY(sys_call_table)\n\t.long SYMBOL_NAME(sys_a)\t/* 0 */\n"
            "\t.long SYMBOL_NAME( sys_b )\n",
            ["sys_a", "sys_b"],
        ),
        ("_sys_call_table:\n\t.long _sys_a,_sys_b\n\t.long _c\n", ["sys_a", "sys_b", "_c"]),
        (".data\nENTRY(sys_call_table)\n.long sys_a\n.quad sys_b\n", ["sys_a", "sys_b"]),
        ("sys_call_table :\n.long sys_a\n", ["sys_a"]),
        # Gaps: a comment in assembler, 0 (".long 0,0" for afs_syscall in 1.3 and 2.0).
        (
            "ENTRY(sys_call_table)\n\t.long sys_a # not sys_b\n\n\n\t.long 0,sys_c\n",
            ["sys_a", "", "sys_c"],
        ),
        ("ENTRY(sys_call_table)\n.long sys_a, sys_ni_syscall, sys_b\n", ["sys_a", "", "sys_b"]),
        (
            "ENTRY(sys_call_table)\n.long sys_a\n.rept N-1\n.long sys_ni_syscall\n.endr\n",
            ["sys_a"],
        ),
        # Of #if groups the first branch.
        (
            "ENTRY(sys_call_table)\n.long sys_a\n#ifdef B\n.long sys_b\n#else\n"
            ".long sys_ni_syscall\n#endif\n.long sys_c\n",
            ["sys_a", "sys_b", "sys_c"],
        ),
        (
            "ENTRY(sys_call_table)\n.long sys_a\n#ifdef B\n.long sys_ni_syscall\n#else\n"
            ".long sys_b\n#endif\n.long sys_c\n",
            ["sys_a", "", "sys_c"],
        ),
        ("ENTRY(sys_call_table)\n.long sys_a\nENTRY(other)\n.long sys_b\n", ["sys_a"]),
        ("ENTRY(sys_call_table)\n.long sys_a\nother:\n.long sys_b\n", ["sys_a"]),
        ("ENTRY(sys_call_table)\n.long sys_a\n.text\n.long sys_b\n", ["sys_a"]),
        ("ENTRY(sys_call_table)\n.long sys_a\nsyscall_table_size=(.-sys_call_table)\n", ["sys_a"]),
        ("ENTRY(other_table)\n.long sys_a\n", []),
        ("/* sys_call_table: .long sys_a */\n", []),
        ("", []),
    ],
)
def test_assembler_tables(table: str, functions: list[str]) -> None:
    assert assembler(table) == [(n, name) for n, name in enumerate(functions) if name]


@pytest.mark.parametrize(
    ("table", "functions"),
    [
        ("fn_ptr sys_call_table[] = { sys_a, sys_b };\n", ["sys_a", "sys_b"]),
        ("fn_ptr sys_call_table[] = { sys_a,\n/* 1 */ 0, sys_b };\n", ["sys_a", "", "sys_b"]),
        ("static fn_ptr sys_call_table[256] = { sys_a, (fn_ptr) sys_b };\n", ["sys_a", "sys_b"]),
        ("fn_ptr other_table[] = { sys_a };\n", []),
    ],
)
def test_tables_in_c(table: str, functions: list[str]) -> None:
    found = syscalls({"kernel/sched.c": table})
    assert [(n, name) for n, _, name in found] == [(n, f) for n, f in enumerate(functions) if f]


def test_a_table_in_c_comes_before_one_in_assembler() -> None:
    files = {
        "arch/i386/kernel/entry.S": "ENTRY(sys_call_table)\n.long sys_a\n",
        "include/linux/sys.h": "fn_ptr sys_call_table[] = { sys_b };\n",
    }
    assert syscalls(files) == [(0, "b", "sys_b")]


def test_numbers_of_unistd() -> None:
    """2.4 has __NR_pread before its later alias; from 2.5.63 on numbers count on from others."""
    unistd = (
        "#define __NR_setup\t\t0\t/* once */\n#define __NR_exit 1\n# define __NR_pread 180\n"
        "#define __NR_pread64 180\n#define __NR_timer_create (259)\n"
        "#define __NR_timer_settime (__NR_timer_create+1)\n#define __NR_odd (__NR_none+1)\n"
        "#define NR_syscalls 270\n#define __NR_huge " + "9" * 9999 + "\n"
    )
    functions = ", ".join(f"sys_{n}" for n in range(262))
    names = {
        n: name
        for n, name, function in syscalls(
            {
                "include/linux/sys.h": f"fn_ptr sys_call_table[] = {{ {functions} }};\n",
                "include/asm-i386/unistd.h": unistd,
            }
        )
        if function != f"sys_{name}"
    }
    assert names == {
        0: "setup",
        1: "exit",
        180: "pread",
        259: "timer_create",
        260: "timer_settime",
    }


@pytest.mark.parametrize(
    "path",
    [
        "include/asm-x86_64/unistd.h",
        "arch/x86/include/asm/unistd_64.h",
        "include/asm-x86/unistd_64.h",
    ],
)
def test_a_table_in_unistd(path: str) -> None:
    """x86_64, 2.6 to 3.2."""
    unistd = (
        "#define __NR_read 0\n__SYSCALL(__NR_read, sys_read)\n#define __NR_stat 4\n"
        "__SYSCALL( __NR_stat , sys_newstat )\n__SYSCALL(__NR_none, sys_none)\n"
        "#define __NR_gone 5\n__SYSCALL(__NR_gone, sys_ni_syscall)\n"
    )
    assert syscalls({path: unistd}, "x86_64") == [
        (0, "read", "sys_read"),
        (4, "stat", "sys_newstat"),
    ]


def test_two_tables_under_one_architecture() -> None:
    """2.6.24 to 3.2: i386's in assembler, x86_64's in C, which begins with a gap for all."""
    files = {
        "arch/x86/kernel/syscall_table_32.S": "ENTRY(sys_call_table)\n.long sys_a\n.long sys_b\n",
        "arch/x86/kernel/syscall_64.c": (
            "const fn_ptr sys_call_table[] = {\n[0 ... __NR_syscall_max] = &sys_ni_syscall,\n};\n"
        ),
    }
    assert [function for _, _, function in syscalls(files)] == ["sys_a", "sys_b"]


TBL = (
    "# number abi name entry\n0\tcommon\tread\tsys_read\n1 64 write __x64_sys_write/ptregs\n"
    "\n2 x32 ioctl compat_sys_ioctl\n3 common gap\n4 64 stat sys_newstat # why\n"
    "5 i386 fstat __ia32_sys_fstat __ia32_compat_sys_fstat\n6 i386 old sys_ni_syscall\n"
    "7 64 none __x64_sys_ni_syscall\n"
    "\xb2 64 odd sys_odd\n" + "9" * 9999 + " 64 huge sys_huge\n"
)


@pytest.mark.parametrize("folder", ["arch/x86/syscalls", "arch/x86/entry/syscalls"])
def test_tables_in_tbl_files(folder: str) -> None:
    """From 3.3 on; 4.17 to 5.6 wrote __x64_sys_read and __ia32_sys_read."""
    files = {f"{folder}/syscall_32.tbl": TBL, f"{folder}/syscall_64.tbl": TBL}
    assert syscalls(files) == [(5, "fstat", "sys_fstat")]
    assert syscalls(files, "x86_64") == [
        (0, "read", "sys_read"),
        (1, "write", "sys_write"),
        (4, "stat", "sys_newstat"),
    ]


def definitions(header: str) -> list[tuple[str, int | None]]:
    """Name and number of the capabilities that a header defines."""
    rows = linked({"include/linux/capability.h": header}).capability_definitions
    return [(row.capability, row.number) for row in rows]


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
    ],
)
def test_numbers_of_capabilities(value: str, number: int) -> None:
    header = f"#define CAP_FIRST 7\n#define CAP_X {value}\n"
    assert definitions(header) == [("CAP_FIRST", 7), ("CAP_X", number)]


@pytest.mark.parametrize("value", ["(1 +", "9" * 9999, "1 +* 2", "(" * 90 + "1" + ")" * 90])
def test_a_capability_without_a_number(value: str) -> None:
    assert definitions(f"#define CAP_FIRST 7\n#define CAP_X {value}\n") == [
        ("CAP_FIRST", 7),
        ("CAP_X", None),
    ]


@pytest.mark.parametrize(
    "line",
    [
        "#define CAP_LAST_CAP CAP_X",
        "#define CAP_FULL_SET ~0",
        "#define CAP_TO_MASK(x) (1 << (x))",
        "#define CAP_TO_INDEX 5",
        "#define CAP_ALIAS CAP_FIRST",
        "#define CAP_VALID(x) ((x) >= 0)",
        "#define CAP_FS_MASK 0x1f",
        "#define CAP_BOP_MASK 3",
        "#define CAP_INIT_EFF_SET 1",
        "#define CAP_NAME sizeof(int)",
        "/* #define */ CAP_X 1",
    ],
)
def test_what_is_no_capability(line: str) -> None:
    assert definitions(f"#define CAP_FIRST 7\n{line}\n") == [("CAP_FIRST", 7)]


def test_documentation_of_capabilities() -> None:
    header = (
        "int a; /* of a */\n#define CAP_A 0\n\n/* Does this\n   and that. */\n\n"
        "/* And more. */\n#define CAP_B 1 /* not this */\n#define CAP_C 2\n"
        "/*\n * In\n * lines.\n */\n#define CAP_D 3\n"
    )
    rows = linked({"include/linux/capability.h": header}).capability_definitions
    assert [(row.line, row.doc) for row in rows] == [
        (2, None),
        (8, "Does this and that.\nAnd more."),
        (9, None),
        (14, "In lines."),
    ]
