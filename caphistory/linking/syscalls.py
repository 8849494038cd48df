"""The system calls of a release: the tables of the tree, and what multiplexers dispatch."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from caphistory.linking.folders import Abi
from caphistory.linking.program import Definition, Program
from caphistory.syntax import tables
from caphistory.syntax.facts import Call, Function

_TABLE_NAME = ":sys_call_table"
_GAPS = frozenset(("sys_ni_syscall", "compat_sys_ni_syscall", "__ni_sys_call", "0"))
_LABEL = re.compile(r"(?:SYS_)?([A-Z][A-Z0-9_]+)")
# A system call's function, or what one is made of: ``sys_x``, ``__sys_x``, ``ksys_x``.
_SYSTEM_CALL = re.compile(r"_*k?sys_\w+")
# A multiplexer is an entry function that has at least this many cases with a call in
# each: socketcall has 11 of them in 1.0, ipc 9.
_FEWEST_CASES = 6


class Entry(NamedTuple):
    """A syscall, its entry function by name, and the definition where one was found; for a
    sub-call its ``parent``, and the function that dispatches it."""

    number: int | None
    syscall: str
    function: str
    definition: Definition | None
    parent: str | None
    dispatcher: Definition | None = None


def entries(
    program: Program, abi: Abi, paths: Mapping[str, str], read: Callable[[str], bytes]
) -> list[Entry]:
    """The syscalls of an ABI in this release, by number, then those that are multiplexed.

    ``paths`` maps the paths of assembler, table and ``unistd.h`` files to blob ids that
    ``read`` takes. Gaps (``sys_ni_syscall``) are left out, as no code stands behind them.
    """
    rows = _tbl(abi, paths, read) or _from_unistd(abi, paths, read)
    if not rows and abi.name == "i386":
        rows = _classic(program, abi, paths, read)
    found = [
        Entry(number, name, function, _entry_definition(program, function), None)
        for number, name, function in sorted(rows)
        if function not in _GAPS
    ]
    return found + [sub for entry in found for sub in multiplexed(program, entry)]


def _tbl(
    abi: Abi, paths: Mapping[str, str], read: Callable[[str], bytes]
) -> list[tuple[int, str, str]]:
    wanted, kinds = (
        ("syscall_32.tbl", ("i386",))
        if abi.name == "i386"
        else ("syscall_64.tbl", ("common", "64"))
    )
    for path in sorted(paths):
        if path.startswith("arch/x86/") and path.endswith("/" + wanted):
            return [row[:3] for row in tables.tbl_table(read(paths[path]), kinds)]
    return []


def _from_unistd(
    abi: Abi, paths: Mapping[str, str], read: Callable[[str], bytes]
) -> list[tuple[int, str, str]]:
    if abi.name != "x86_64":
        return []
    for path in (
        "include/asm-x86_64/unistd.h",
        "arch/x86/include/asm/unistd_64.h",
        "include/asm-x86/unistd_64.h",
    ):
        if path in paths:
            return [row[:3] for row in tables.unistd_table(read(paths[path]))]
    return []


def _classic(
    program: Program, abi: Abi, paths: Mapping[str, str], read: Callable[[str], bytes]
) -> list[tuple[int, str, str]]:
    """i386 up to 3.2: a table in C (0.01 to 1.0) or assembler, names from ``unistd.h``."""
    listed: list[tuple[int, str]] = [
        (int(at.stored.path[0][1:]), at.stored.source[1:])
        for at in program.tables.get(_TABLE_NAME)
        if program.built(at.path)
    ]
    if not listed:
        for path in sorted(paths):
            if path.endswith((".S", ".s")) and _of_abi(path, abi):
                listed = [(r.number, r.function) for r in tables.assembler_table(read(paths[path]))]
                if listed:
                    break
    names: dict[int, str] = {}
    for path in (
        "include/asm-i386/unistd.h",
        "arch/x86/include/asm/unistd_32.h",
        "include/asm-x86/unistd_32.h",
        "include/linux/unistd.h",
        "include/unistd.h",
    ):
        if path in paths and not names:
            names = tables.numbers(read(paths[path]))
    return [(n, names.get(n) or function.removeprefix("sys_"), function) for n, function in listed]


def _of_abi(path: str, abi: Abi) -> bool:
    return not path.startswith("arch/") or path.split("/")[1] in abi.folders


def _entry_definition(program: Program, function: str) -> Definition | None:
    """The definition of an entry function: with external linkage, the one that a name means
    in no particular file (``Program.nearest``)."""
    names = [function]
    if function.startswith(("stub_", "ptregs_")):
        names.append("sys_" + function.partition("_")[2])
    for name in names:
        candidates = [
            d
            for d in program.by_name.get(name)
            if isinstance(d.fact, Function) and not d.path.endswith(".h") and program.built(d.path)
        ]
        exported = [d for d in candidates if not d.fact.static]  # type: ignore[union-attr]
        for among in (exported, candidates):
            possible = [d for d in among if program.possible(d.condition)] or among
            if possible:
                return min(program.nearest(possible, ""), key=lambda d: d.line)
    return None


def multiplexed(program: Program, entry: Entry) -> list[Entry]:
    """What an entry function dispatches by a ``case`` for each sub-call: ``socketcall`` and
    ``ipc``. The sub-call's name is its label's (``SYS_BIND``, ``SEMOP``), whatever the function
    is called that it shares with others."""
    definition = entry.definition
    if definition is None or entry.syscall not in ("socketcall", "ipc"):
        return []
    # sys_ipc only hands on to ksys_ipc, from 4.17 on.
    for name in definition.fact.relays:
        for relayed in program.resolve(name, definition.path):
            definition = relayed
    cases: dict[str, list[Call]] = {}
    for call in definition.fact.calls:
        label = _LABEL.fullmatch(call.case)
        if label is not None and not call.pointer:
            cases.setdefault(label.group(1).lower(), []).append(call)
    found = []
    for name, calls in cases.items():
        function = _dispatched(name, [call.target for call in calls])
        targets = program.resolve(function, definition.path) if function else []
        if targets:
            found.append(Entry(None, name, function, targets[0], entry.syscall, definition))
    return found if len(found) >= _FEWEST_CASES else []


def _dispatched(name: str, targets: list[str]) -> str:
    """The function that does a sub-call's work, of those that its case calls; empty if none
    does. It is named after the sub-call (sock_bind of 1.0, do_shmat of 2.6), or it is another
    one's: SEMOP of 2.6 calls sys_semtimedop, SYS_ACCEPT of 4.15 sys_accept4, SYS_SEND of 4.18
    __sys_sendto."""
    named = [target for target in targets if target.endswith(name)]
    return next(iter(named or filter(_SYSTEM_CALL.fullmatch, targets)), "")
