"""Statements that the grammar takes for declarations, made readable to it.

The length and the lines stay what they are, so that a tree of the repaired code holds for
the code itself.
"""

from __future__ import annotations

import re

_PLAIN = rb"[^(){};]*"
_NESTED = _PLAIN + rb"(?:\(" + _PLAIN + rb"\)" + _PLAIN + rb")*"
_ARGUMENTS = rb"\(" + _PLAIN + rb"(?:\(" + _NESTED + rb"\)" + _PLAIN + rb")*\)"
_NO_CALL = (
    rb"(?!(?:if|while|for|switch|return|else|do|case|goto|sizeof|asm|volatile|__asm\w*"
    rb"|__volatile\w*|__attribute\w*|__extension__|__aligned|\w*(?:offset|type|align)of\w*)\b)"
)
_CALL = _NO_CALL + rb"[A-Za-z_]\w*\s*" + _ARGUMENTS
# SLEEP_ON_HEAD on a line of its own (kernel/sched.c up to 2.4).
_WORD = rb"[A-Z][A-Z0-9_]{2,}[ \t]*\n\s*"
_ALONE = re.compile(rb"[;{}][ \t]*\n\s*" + _WORD + rb"(?=[A-Za-z_]\w*[ \t]*\()")
_BEFORE = rb"[;{}:]\s*(?=[A-Za-z_]\w*\s*[(\n])(?:" + _WORD + rb")?"
_BEHIND = rb"(?=[A-Za-z_{}])(?!else\b|__attribute|__asm|asm\b)"
# One or more calls with no semicolon behind them: for_each_task(p) of 2.2, which loses
# try_to_unuse what it calls, and for_each_node(n) for_each_cpu(i).
_HEADLESS = re.compile(_BEFORE + rb"(?:" + _CALL + rb"\s+)+" + _BEHIND)
_ONE_HEAD = re.compile(_CALL + rb"(\s+)")
_TYPE = re.compile(
    rb"[,(]\s*((?:(?:const|struct|union|enum|unsigned|signed|long|short)[ \t]+)+\w+(?:[ \t]*\*)*)"
    rb"(?=\s*[,)])"
)
# printk(KERN_ERR __FUNCTION__ "…", …): two names and a string (2.0 to 2.4).
_LEVEL = re.compile(rb"\(\s*(KERN_[A-Z]+[ \t]+\w+)(?=\s*[\",)])")
# What compilers are told of a variable, a struct or a member (linux/compiler*.h, cache.h).
_ATTRIBUTE = re.compile(
    rb"\b(?:____cacheline\w*|__cacheline_\w+|__aligned|__packed|__(?:no_)?randomize_layout"
    rb"|__designated_init|__ro_after_init|__read_mostly|__maybe_unused|__always_unused|__used"
    rb"|__(?:dev|cpu|mem|net)?(?:init|exit)(?:data|const)\w*|__refdata|__refconst|__section"
    rb"|__latent_entropy|__weak|__visible|__page_aligned_\w+|__(?:counted|guarded)_by"
    rb"|randomized_struct_fields_(?:start|end))\b(?:[ \t]*" + _ARGUMENTS + rb")?"
    rb"|\b__free[ \t]*\(\w+\)(?=\s*=)"
    # A statement of its own among the members (struct net_device, 6.8).
    rb"|(?<=[;{])\s*__cacheline_group_\w+[ \t]*" + _ARGUMENTS + rb"\s*;"
)
# struct_group(name, members…) and its relatives (linux/stddef.h, from 5.16 on): what stands in
# front of the members is single words, or nothing.
_GROUP = re.compile(rb"[;{}]\s*([A-Za-z_]\w{4,}\((?:\s*\w*\s*,)+)")
_BLANK = bytes(c if c in b"\n\r" else 0x20 for c in range(256))
_STATEMENT = re.compile(rb"\s*" + _NO_CALL + rb"[A-Za-z_]\w*\s*\(")
_NAME = re.compile(_NO_CALL + rb"[A-Za-z_]\w*\Z")
_WORD_CHARACTERS = bytes(c for c in range(128) if chr(c).isalnum() or c == 0x5F)
_PARENTHESIS = re.compile(rb"[()]")
# Further back than any statement's beginning that has a type as an argument.
_BACK = 400


def without_attributes(code: bytes) -> bytes:
    """Code without the annotations that the grammar takes for names: "} __packed x;"."""
    if b"__" not in code and b"randomized" not in code:
        return code
    return _ATTRIBUTE.sub(lambda found: found.group().translate(_BLANK), code)


def with_groups(code: bytes) -> bytes:
    """Code of structs in which members that stand in parentheses, as arguments of a macro, stand
    in a struct without a name: "struct_group(flags, int a; int b;);", at the same length."""
    changed = bytearray(code)
    for found in _GROUP.finditer(code):
        end = _closed(code, found.end())
        if b";" in code[found.end() : end]:
            head = found.group(1).translate(_BLANK)
            changed[slice(*found.span(1))] = b"struct" + head[len(b"struct") : -1] + b"{"
            changed[end : end + 1] = b"}"
    return bytes(changed)


def _closed(code: bytes, at: int) -> int:
    """Where the parenthesis ends that ``at`` is in."""
    depth = 1
    for found in _PARENTHESIS.finditer(code, at):
        depth += 1 if found.group() == b"(" else -1
        if not depth:
            return found.start()
    return at


def readable(code: bytes) -> bytes:
    """Code of a body of which the grammar can read more, at the same length."""
    code = without_attributes(code)
    changed = bytearray(code)
    for found in _HEADLESS.finditer(code):
        if code[found.end()] == 0x7D and code[found.start()] not in b";}":
            continue  # a braced list: { htonl(x) }
        for head in _ONE_HEAD.finditer(code, found.start(), found.end()):
            _end(changed, *head.span(1))
    for found in _ALONE.finditer(code):
        _end(changed, found.start() + len(found.group().rstrip()), found.end())
    typed = [found for found in _TYPE.finditer(code) if _called_alone(code, found.start())]
    levels = _LEVEL.finditer(code) if b"KERN_" in code else ()
    for found in (*typed, *levels):
        start, end = found.span(1)
        changed[start:end] = b'"' + b" " * (end - start - 2) + b'"'
    return bytes(changed)


def _end(code: bytearray, start: int, end: int) -> None:
    """Put a semicolon into white space, where it is not the end of a line."""
    for at in range(start, end):
        if code[at] in b" \t":
            code[at] = 0x3B
            return


def _called_alone(code: bytes, at: int) -> bool:
    """Whether what follows ``at``, a comma or a parenthesis, is an argument of a statement
    that begins with a call: g(container_of(w, struct file, m));"""
    if code[at] == 0x28:
        before = code[max(0, at - 60) : at].rstrip()
        if not _NAME.match(before, len(before.rstrip(_WORD_CHARACTERS))):
            return False
    low = max(0, at - _BACK)
    start = max(code.rfind(sign, low, at) for sign in (b";", b"{", b"}", b":"))
    return (
        start >= 0
        and _STATEMENT.match(code, start + 1, at + 1) is not None
        and b"(*" not in code[start:at].replace(b" ", b"")
    )
