"""The head of a function definition: its name, its parameters, its type.

Kernel heads are not C: ``asmlinkage``, ``__init``, ``SYSCALL_DEFINE3(name, …)``,
macro calls without a semicolon before them. So the head is read from its end: the
last parenthesis is the parameter list, the word before it the name.
"""

from __future__ import annotations

import re
from typing import NamedTuple

KEYWORDS = frozenset(
    ("if", "else", "while", "do", "for", "switch", "case", "default", "return", "goto", "sizeof")
)
"""Words that begin a statement or expression and name no function."""

# Longer than any head of the kernel (2,600); what is longer in a mangled file is not read.
_LONGEST = 20_000
_WORD = re.compile(rb"[A-Za-z_]\w*")
_WORD_CHARACTERS = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"
_TRAILING = re.compile(rb"__\w+|noexcept|asmlinkage")
# "__initfunc(static int f(int a))": the way to mark a function up to 2.2, of which drivers
# made their own (ASC_INITFUNC, HISAX_INITFUNC).
_DECLARED = re.compile(
    rb"\s*[A-Za-z_][\w\s*]*[\s*][A-Za-z_]\w*\s*\([^()]*(?:\([^()]*\)[^()]*)*\)\s*"
)
_STATIC = re.compile(rb"\bstatic\b")
_INLINE = re.compile(rb"inline|INLINE")
_DEFINE = re.compile(
    rb"\b(COMPAT_)?SYSCALL(?:32)?_DEFINE(?:[0-6]|x)\s*\(\s*([A-Za-z_]\w*)\s*,?(.*)\)\s*$", re.S
)
# SYSCALL_DEFINE(fadvise64)(int fd, …): where a 64-bit argument needs its own order (2.6.29 to 3.8).
_DEFINE_PLAIN = re.compile(rb"\bSYSCALL_DEFINE\s*\(\s*(\w+)\s*\)\s*\((.*)\)\s*$", re.S)
_PLAIN_NAMES = re.compile(rb"[\w\s,]*")
_OPENING_WORD = re.compile(rb"[A-Za-z_]\w*\s*\(")
_BRACKET = re.compile(rb"[()]")
_CALLED = re.compile(rb"\b([A-Za-z_]\w*)\s*\((.*)$", re.S)
_AGGREGATE = re.compile(rb"\b(struct|union|enum)\s+([A-Za-z_]\w*)")
_NOT_A_TYPE = frozenset(
    b"static extern inline __inline __inline__ asmlinkage const volatile register unsigned "
    b"signed __init __exit __devinit __devexit __cpuinit __initfunc __always_inline noinline "
    b"fastcall void int long short char __attribute__ notrace __sched __user __ref".split()
)


class Header(NamedTuple):
    """``name_at`` is the name's offset in the head; ``parameters`` are declarations,
    each one's code (``struct sock *sk``), without those of an empty list;
    ``old_style`` is the code of K&R declarations behind the list."""

    name: str
    name_at: int
    parameters: tuple[bytes, ...]
    old_style: bytes
    returns: str
    static: bool
    inline: bool


def split_arguments(code: bytes) -> list[bytes]:
    """Cut at the commas that no bracket encloses."""
    parts: list[bytes] = []
    depth = start = 0
    for match in re.finditer(rb"[(\[{},)\]]", code):
        token = match.group()
        if token in b"([{":
            depth += 1
        elif token in b")]}":
            depth -= 1
        elif depth == 0:
            parts.append(code[start : match.start()].strip())
            start = match.end()
    parts.append(code[start:].strip())
    return [part for part in parts if part]


def _pairs(code: bytes) -> dict[int, int]:
    """The offset of each parenthesis' partner, for those that have one."""
    partners: dict[int, int] = {}
    opened: list[int] = []
    for match in _BRACKET.finditer(code):
        at = match.start()
        if code[at] == 0x28:
            opened.append(at)
        elif opened:
            partners[at] = opened.pop()
            partners[partners[at]] = at
    return partners


def _last_word(code: bytes) -> tuple[int, bytes]:
    """The word at the end of the code, and where it begins."""
    start = len(code.rstrip(_WORD_CHARACTERS))
    while start < len(code) and code[start : start + 1].isdigit():
        start += 1
    return start, code[start:]


def _without_attributes(code: bytes, partners: dict[int, int]) -> bytes:
    """Cut ``__releases(lock)`` and the like off the end of a head."""
    first = code.find(b")")
    while True:
        code = code.rstrip()
        start, word = _last_word(code)
        if word:
            if not 0 <= first < start or not _TRAILING.fullmatch(word):
                return code
            code = code[:start]
            continue
        if not code.endswith(b")"):
            return code
        opening = partners.get(len(code) - 1, -1)
        if opening < 0:
            # One too many: qspan_pci.c of 2.4 and 2.6.
            code = code[:-1]
            continue
        start, word = _last_word(code[:opening].rstrip())
        attribute = word.startswith(b"__") and not _DECLARED.fullmatch(
            code, opening + 1, len(code) - 1
        )
        if not attribute or not code[:start].rstrip().endswith(b")"):
            return code
        code = code[:start]


def parse_header(head: bytes) -> Header | None:
    """Read the head of a function definition; None where there is no name in it."""
    skipped = max(0, len(head) - _LONGEST)
    header = _parse(head[skipped:])
    return header and header._replace(name_at=header.name_at + skipped)


def _parse(head: bytes) -> Header | None:
    if b"SYSCALL" in head:
        header = _syscall(head)
        if header is not None:
            return header
    partners = _pairs(head)
    code = _without_attributes(head, partners)
    old_style = b""
    if code.endswith(b")"):
        opening, closing = partners[len(code) - 1], len(code) - 1
    else:
        opening, closing = _old_style_list(code, partners)
        old_style = code[closing + 1 :] if closing >= 0 else b""
    if opening < 0:
        return None
    start, word = _last_word(code[:opening].rstrip())
    if not word:
        return _unusual(code, opening, closing, partners)
    prefix = code[:start]
    inner = code[opening + 1 : closing]
    if prefix.strip() in (b"", b"static") or prefix.rstrip().endswith(b")"):
        wrapped = _parse(inner) if _DECLARED.fullmatch(inner) else None
        if wrapped is not None:
            return wrapped._replace(name_at=opening + 1 + wrapped.name_at)
    return Header(
        word.decode("latin-1"),
        start,
        () if old_style else _listed(inner),
        old_style,
        _type(prefix),
        bool(_STATIC.search(prefix)),
        bool(_INLINE.search(prefix)),
    )


def _syscall(head: bytes) -> Header | None:
    define = _DEFINE.search(head)
    if define:
        pieces = split_arguments(define.group(3))
        pairs = [b" ".join(pieces[i : i + 2]) for i in range(0, len(pieces), 2)]
        prefix = "compat_sys_" if define.group(1) else "sys_"
        name = prefix + define.group(2).decode("latin-1")
        return Header(name, define.start(2), tuple(pairs), b"", "long", False, False)
    plain = _DEFINE_PLAIN.search(head)
    if plain:
        name = "sys_" + plain.group(1).decode("latin-1")
        parameters = _listed(plain.group(2))
        return Header(name, plain.start(1), parameters, b"", "long", False, False)
    return None


def _listed(inner: bytes) -> tuple[bytes, ...]:
    """The declarations of a parameter list."""
    return () if inner.strip() in (b"", b"void") else tuple(split_arguments(inner))


def _old_style_list(code: bytes, partners: dict[int, int]) -> tuple[int, int]:
    """The parameter list of a K&R head: the first one of plain names."""
    for match in _OPENING_WORD.finditer(code):
        opening = match.end() - 1
        closing = partners.get(opening, -1)
        if 0 < closing < len(code) and _PLAIN_NAMES.fullmatch(code, opening + 1, closing):
            return opening, closing
    return -1, -1


def _unusual(code: bytes, opening: int, closing: int, partners: dict[int, int]) -> Header | None:
    """``(*f(int a))(int)`` and ``MACRO(name)(int a)``: the innermost name in brackets."""
    inside = code[:opening].rstrip()
    if not inside.endswith(b")"):
        return None
    group = partners.get(len(inside) - 1, -1)
    if group < 0:
        return None
    content = inside[group + 1 : -1]
    called = _CALLED.search(content)
    if called:
        name, parameters = called, split_arguments(called.group(2).rstrip(b" )"))
    else:
        # FNAME(walk_addr)(…): the macro is part of the name (kvm, 2.6.20 on).
        start, whole = _last_word(inside[:group].rstrip())
        plain = _WORD.search(content)
        if plain is None:
            return None
        label = whole + b"(" + plain.group() + b")" if whole else plain.group()
        at = start if whole else group + 1 + plain.start()
        return Header(
            label.decode("latin-1"),
            at,
            tuple(split_arguments(code[opening + 1 : closing])),
            b"",
            "",
            b"static" in code[:at],
            False,
        )
    return Header(
        name.group(1).decode("latin-1"),
        group + 1 + name.start(1),
        tuple(parameters),
        b"",
        _type(code[:group]),
        b"static" in code[:group],
        b"inline" in code[:group],
    )


def _type(prefix: bytes) -> str:
    """The type before a name, without qualifiers, pointers and attributes."""
    aggregates = _AGGREGATE.findall(prefix)
    if aggregates:
        kind, tag = aggregates[-1]
        return f"{kind.decode()} {tag.decode('latin-1')}"
    words = [word for word in _WORD.findall(prefix) if word not in _NOT_A_TYPE]
    return words[-1].decode("latin-1") if words else ""
