"""The head of a function definition: its name, its parameters, its type.

Kernel heads are not C: ``asmlinkage``, ``__init``, ``SYSCALL_DEFINE3(name, …)``,
macro calls without a semicolon before them. So the head is read from its end: the
last parenthesis is the parameter list, the word before it the name.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_WORD = re.compile(rb"[A-Za-z_]\w*")
_TRAILING = re.compile(rb"(?:\b(?:__\w+|noexcept|asmlinkage)\s*)$")
_DEFINE = re.compile(
    rb"\b(COMPAT_)?SYSCALL(?:32)?_DEFINE(?:[0-6]|x)\s*\(\s*([A-Za-z_]\w*)\s*,?(.*)\)\s*$", re.S
)
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


def _opening(code: bytes, closing: int) -> int:
    depth = 0
    for at in range(closing, -1, -1):
        character = code[at]
        if character == 0x29:
            depth += 1
        elif character == 0x28:
            depth -= 1
            if depth == 0:
                return at
    return -1


def _closing(code: bytes, opening: int) -> int:
    depth = 0
    for at in range(opening, len(code)):
        character = code[at]
        if character == 0x28:
            depth += 1
        elif character == 0x29:
            depth -= 1
            if depth == 0:
                return at
    return -1


def _without_attributes(code: bytes) -> bytes:
    """Cut ``__releases(lock)`` and the like off the end of a head."""
    while True:
        code = code.rstrip()
        trailing = _TRAILING.search(code)
        if trailing and b")" in code[: trailing.start()]:
            code = code[: trailing.start()]
            continue
        if code.endswith(b")"):
            opening = _opening(code, len(code) - 1)
            before = code[: max(opening, 0)].rstrip()
            attribute = re.search(rb"__\w+$", before)
            if attribute and before[: attribute.start()].rstrip().endswith(b")"):
                code = before[: attribute.start()]
                continue
        return code


def parse_header(head: bytes) -> Header | None:
    """Read the head of a function definition; None where there is no name in it."""
    define = _DEFINE.search(head)
    if define:
        pieces = split_arguments(define.group(3))
        pairs = [b" ".join(pieces[i : i + 2]) for i in range(0, len(pieces), 2)]
        prefix = "compat_sys_" if define.group(1) else "sys_"
        name = prefix + define.group(2).decode("latin-1")
        return Header(name, define.start(2), tuple(pairs), b"", "long", False, False)
    code = _without_attributes(head)
    old_style = b""
    if code.endswith(b")"):
        opening = _opening(code, len(code) - 1)
        closing = len(code) - 1
    else:
        opening, closing = _old_style_list(code)
        old_style = code[closing + 1 :] if closing >= 0 else b""
    if opening < 0:
        return None
    before = code[:opening].rstrip()
    word = re.search(rb"[A-Za-z_]\w*$", before)
    if word is None:
        return _unusual(code, opening, closing)
    prefix_code = before[: word.start()]
    inner = code[opening + 1 : closing].strip()
    parameters = () if inner in (b"", b"void") else tuple(split_arguments(inner))
    return Header(
        word.group().decode("latin-1"),
        word.start(),
        () if old_style else parameters,
        old_style,
        _type(prefix_code),
        bool(re.search(rb"\bstatic\b", prefix_code)),
        bool(re.search(rb"inline|INLINE", prefix_code)),
    )


def _old_style_list(code: bytes) -> tuple[int, int]:
    """The parameter list of a K&R head: the first one of plain names."""
    for match in re.finditer(rb"[A-Za-z_]\w*\s*\(", code):
        opening = match.end() - 1
        closing = _closing(code, opening)
        if closing > 0 and re.fullmatch(rb"[\w\s,]*", code[opening + 1 : closing]):
            return opening, closing
    return -1, -1


def _unusual(code: bytes, opening: int, closing: int) -> Header | None:
    """``(*f(int a))(int)`` and ``MACRO(name)(int a)``: the innermost name in brackets."""
    inside = code[:opening].rstrip()
    if not inside.endswith(b")"):
        return None
    group = _opening(inside, len(inside) - 1)
    content = inside[group + 1 : -1]
    called = re.search(rb"([A-Za-z_]\w*)\s*\((.*)$", content, re.S)
    if called:
        name, parameters = called, split_arguments(called.group(2).rstrip(b" )"))
    else:
        # FNAME(walk_addr)(…): the macro is part of the name (kvm, 2.6.20 on).
        whole = re.search(rb"[A-Za-z_]\w*$", inside[:group].rstrip())
        plain = re.search(rb"[A-Za-z_]\w*", content)
        if plain is None:
            return None
        label = plain.group() if whole is None else whole.group() + b"(" + plain.group() + b")"
        at = group + 1 + plain.start() if whole is None else whole.start()
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
