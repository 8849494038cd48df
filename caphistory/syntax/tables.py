"""Tables outside C proper: assembler system-call tables, ``unistd.h``, ``.tbl`` files
and the definitions of capabilities."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable
from typing import NamedTuple

from caphistory.syntax.conditionals import groups
from caphistory.syntax.lexical import blanked, scan

_LABEL = re.compile(rb"^(?:ENTRY\(\s*sys_call_table\s*\)|_?sys_call_table\s*:)", re.M)
_ENTRY = re.compile(rb"^[ \t]*\.(?:long|quad)[ \t]+([^\n]*)", re.M)
_END = re.compile(
    rb"^(?:[A-Za-z_]\w*\s*:|ENTRY\(|syscall_table_size)|^[ \t]*\.(?:text|data|section)", re.M
)
_NAME = re.compile(rb"(?:SYMBOL_NAME\s*\(\s*)?([A-Za-z_]\w*)\s*\)?")
_NUMBER = re.compile(
    rb"^[ \t]*#[ \t]*define[ \t]+__NR_(\w+)[ \t]+\(?[ \t]*"
    rb"(?:__NR_(\w+)[ \t]*\+[ \t]*)?([0-9]{1,5})\b",
    re.M,
)
_NAME_IN = re.compile(r"\b[A-Z][A-Z0-9_]*\b")
_SYSCALL = re.compile(rb"__SYSCALL\(\s*__NR_(\w+)\s*,\s*(\w+)\s*\)")
_CAPABILITY = re.compile(rb"^[ \t]*#[ \t]*define[ \t]+(CAP_[A-Z0-9_]+)[ \t]+(\(?[^\n]*)", re.M)
_TERM = re.compile(r"(?:0[xX][0-9a-fA-F]+[uUlL]*|[0-9]+[uUlL]*|[()+\-*<| \t])+")
_SUFFIX = re.compile(r"\b(0[xX][0-9a-fA-F]+|[0-9]+)[uUlL]+\b")
_OCTAL = re.compile(r"\b0(?=[0-7]+\b)")
_INDEX = re.compile(r"[0-9]{1,5}")
_LONGEST_DOC = 20_000


_ASSEMBLER_LABEL = re.compile(rb"^(?:ENTRY\(\s*(\w+)\s*\)|([A-Za-z_]\w*)\s*:)", re.M)
_ASSEMBLER_CALL = re.compile(
    rb"^[ \t]*(?:call|jmp)[ \t]+(?:SYMBOL_NAME\s*\(\s*)?([A-Za-z_]\w*)\b(?!\s*\()", re.M
)


class AssemblerFunction(NamedTuple):
    """A global label of an assembler file and the functions that the code behind it calls
    or jumps to, up to the next such label: (line, name)."""

    name: str
    line: int
    calls: tuple[tuple[int, str], ...]


class TableRow(NamedTuple):
    """A row of a table: its number, the entry function, and the line it stands on."""

    number: int
    function: str
    line: int


def assembler_table(source: bytes) -> list[TableRow]:
    """The rows of ``sys_call_table`` in an assembler file; empty if it holds none.

    Of an #if group the first branch counts. A leading underscore, which a.out put
    before C names (0.01 to 1.3), is taken off.
    """
    if not _LABEL.search(source):
        return []
    scanned = scan(source)
    code = bytearray(scanned.code)
    for group in groups(scanned.directives, len(source)):
        for branch in group.branches[1:]:
            code[branch.start : branch.end] = blanked(code[branch.start : branch.end])
    text = re.sub(rb"#[^\n]*", lambda m: b" " * len(m.group()), bytes(code))
    label = _LABEL.search(text)
    if label is None:
        return []
    end = _END.search(text, label.end())
    rows: list[TableRow] = []
    for entry in _ENTRY.finditer(text, label.end(), end.start() if end else len(text)):
        for name in entry.group(1).split(b","):
            # A gap may be a plain 0 (".long 0,0" for afs_syscall in 1.3 and 2.0).
            found = _NAME.match(name.strip())
            function = found.group(1).decode("latin-1") if found else "0"
            if function.startswith("_sys_"):
                function = function[1:]
            rows.append(TableRow(len(rows), function, scanned.line(entry.start(1))))
    # ".rept NR_syscalls-190 / .long sys_ni_syscall / .endr" only fills the table up.
    while rows and rows[-1].function == "sys_ni_syscall":
        rows.pop()
    return rows


def assembler_functions(source: bytes) -> list[AssemblerFunction]:
    """The functions of an assembler file that call others. ``sys_fork`` and ``sys_execve``
    are such until 0.96."""
    scanned = scan(source)
    labels = list(_ASSEMBLER_LABEL.finditer(scanned.code))
    exported = set(re.findall(rb"\.globl[ \t]+([^\n]*)", scanned.code))
    public = {name.strip() for names in exported for name in names.split(b",")}
    named = [m for m in labels if m.group(1) or m.group(2) in public]
    found = []
    for at, label in enumerate(named):
        end = named[at + 1].start() if at + 1 < len(named) else len(scanned.code)
        calls = tuple(
            (scanned.line(call.start(1)), _c_name(call.group(1)))
            for call in _ASSEMBLER_CALL.finditer(scanned.code, label.end(), end)
        )
        if calls:
            name = _c_name(label.group(1) or label.group(2))
            found.append(AssemblerFunction(name, scanned.line(label.start()), calls))
    return found


def _c_name(symbol: bytes) -> str:
    """A symbol's name in C: a.out (to 1.3) puts an underscore before it."""
    text = symbol.decode("latin-1")
    return text[1:] if text.startswith("_") and not text.startswith("__") else text


def numbers(source: bytes) -> dict[int, str]:
    """``__NR_name number`` of a ``unistd.h``: names by number, the first one winning
    (2.4 has ``__NR_pread`` before its later alias). A number may count on from another one
    (``(__NR_timer_create+1)``, from 2.5.63 on)."""
    found: dict[int, str] = {}
    known: dict[bytes, int] = {b"": 0}
    for name, base, offset in _NUMBER.findall(source):
        if base in known:
            known[name] = known[base] + int(offset)
            found.setdefault(known[name], name.decode("latin-1"))
    return found


def unistd_table(source: bytes) -> list[tuple[int, str, str, int]]:
    """(number, name, function, line) of x86_64's ``__SYSCALL(__NR_x, sys_x)`` rows
    (2.6 to 3.2)."""
    by_name = {name: number for number, name in numbers(source).items()}
    rows = []
    for match in _SYSCALL.finditer(source):
        name, function = (part.decode("latin-1") for part in match.groups())
        if name in by_name:
            line = source.count(b"\n", 0, match.start()) + 1
            rows.append((by_name[name], name, function, line))
    return rows


def tbl_table(source: bytes, abis: tuple[str, ...]) -> list[tuple[int, str, str, int]]:
    """(number, name, function, line) of a ``syscall_32.tbl`` or ``syscall_64.tbl`` (3.3 on),
    for the rows of the given ABIs. Rows without an entry function are gaps."""
    rows = []
    for index, line in enumerate(source.decode("latin-1").splitlines(), start=1):
        fields = line.split("#")[0].split()
        if len(fields) >= 4 and _INDEX.fullmatch(fields[0]) and fields[1] in abis:
            # 4.17 to 5.6 wrote __x64_sys_read, __ia32_sys_read.
            function = re.sub(r"^__(?:x64|x32|ia32)_(?=sys_|compat_sys_)", "", fields[3])
            rows.append((int(fields[0]), fields[2], function.split("/")[0], index))
    return rows


class Defined(NamedTuple):
    """A ``#define CAP_X``: its number (None for one that cannot be worked out), line and
    the comment that documents it."""

    capability: str
    number: int | None
    line: int
    doc: str | None


_ALIASES = re.compile(
    r"CAP_(?:LAST_CAP|EMPTY_SET|FULL_SET|INIT_\w+|FS_\w+|NFSD_\w+|TO_\w+|BOP_\w+|UOP_\w+|OPT_\w+|VALID\w*)"
)


def capability_definitions(source: bytes) -> list[Defined]:
    """The capabilities that a ``capability.h`` defines, in order.

    Sets and helpers that share the prefix (``CAP_FULL_SET``, ``CAP_LAST_CAP``,
    ``CAP_FS_MASK``…) are no capabilities, nor is a macro with parameters.
    """
    found = []
    known: dict[str, int] = {}
    for match in _CAPABILITY.finditer(source):
        name = match.group(1).decode("latin-1")
        value = re.sub(r"/[*/].*", "", match.group(2).decode("latin-1")).strip()
        if _ALIASES.fullmatch(name) or _NAME_IN.fullmatch(value):
            continue
        # "(CAP_A + 1)": counted on from another one.
        value = _NAME_IN.sub(lambda m: str(known.get(m.group(), m.group())), value)
        if not value or not _TERM.fullmatch(value):
            continue
        line = source.count(b"\n", 0, match.start()) + 1
        number = _evaluate(value)
        if number is not None:
            known[name] = number
        found.append(Defined(name, number, line, _comment_before(source, match.start())))
    return found


_OPERATORS: dict[type[ast.operator], Callable[[int, int], int]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.BitOr: operator.or_,
    ast.LShift: lambda value, places: value << min(places, 64),
}


def _evaluate(expression: str) -> int | None:
    """A constant expression of C: numbers, ``+ - * | <<`` and parentheses; None for any
    other."""
    if len(expression) > 100:
        return None
    plain = _SUFFIX.sub(r"\1", expression.strip())
    try:
        return _number(ast.parse(_OCTAL.sub("0o", plain), mode="eval").body)
    except (SyntaxError, ValueError):
        return None


def _number(node: ast.expr) -> int:
    if isinstance(node, ast.Constant) and type(node.value) is int:
        return node.value
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        left, right = _number(node.left), _number(node.right)
        if max(left, right, -left, -right) < 1 << 64 and right >= 0:
            return _OPERATORS[type(node.op)](left, right)
    raise ValueError


def _comment_before(source: bytes, at: int) -> str | None:
    """The comments right before a definition, as one text; None if there are none."""
    before = source[max(0, at - _LONGEST_DOC) : at].rstrip()
    parts: list[str] = []
    while before.endswith(b"*/"):
        opening = before.rfind(b"/*")
        if opening < 0:
            break
        line_start = before.rfind(b"\n", 0, opening) + 1
        if before[line_start:opening].strip():
            break  # a comment behind code belongs to that code
        body = before[opening + 2 : -2].decode("latin-1")
        lines = (line.strip().lstrip("*").strip() for line in body.splitlines())
        parts.insert(0, " ".join(line for line in lines if line))
        before = before[:opening].rstrip()
    return "\n".join(parts) or None
