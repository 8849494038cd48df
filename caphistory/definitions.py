"""The functions and macros that a C file defines: bytes in, definitions out.

Kernel C is not plain C: ``asmlinkage``, ``SYSCALL_DEFINE3(name, …)``, K&R parameters, ``#ifdef``
branches whose braces do not balance. tree-sitter reads heads, each with what stands before it
since the last body, so that an error costs one function. Bodies it need not read: the kernel's
coding style has their closing braces in the first column.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

import tree_sitter_c
from tree_sitter import Language, Node, Parser

_C = Language(tree_sitter_c.language())

_COMMENT = rb"/\*.*?(?:\*/|\Z)|//[^\n]*"
# Short and on one line: an apostrophe in prose under #if 0 begins none.
_CHARACTER = rb"'(?:\\[^\n']{1,4}|\\'|[^'\\\n]{1,8})'"
_NOT_CODE = re.compile(
    rb"%s|\"[^\"\\]*(?:\\.[^\"\\]*)*\"|%s|\\." % (_COMMENT, _CHARACTER)
    + rb"|#(?:[^\n\\/\"']+|\\\r?\n|%s|\"(?:[^\"\\\n]|\\.)*\"|%s|[^\n])*" % (_COMMENT, _CHARACTER),
    re.S,
)
_BLANK = bytes(byte if byte in b"\n\r" else 0x20 for byte in range(256))
_MACRO = re.compile(rb"#\s*define\s+(?=(\w+))")

# Longer than any head of the kernel.
_LONGEST_HEAD = 4000
_OPENING = re.compile(rb"^(?:\{|(?!extern\s*\")[A-Za-z_][^;{}]{0,2000}\{)", re.M)
_DATA = re.compile(rb"[\w=\]]\s*\{\Z")
_BRACE = re.compile(rb"[{}]")
# So many braces in the first column are tried for the one that balances a body: mangled files
# have any number.
_MOST_CLOSINGS = 20
_HEAD = re.compile(rb"\s*(?!(?:if|else|for|while|do|switch)\b)[A-Za-z_].*\)\s*", re.S)
_NEXT_ITEM = re.compile(rb"[^\n]*(?:\n\s*^(?!\w+\s*:)[A-Za-z_]|(?:\n\s*)?\Z)", re.M)

# "__initfunc(static int f(int a))": the way to mark a function up to 2.2.
_MARKS = (b"initfunc", b"init_func", b"INITFUNC")
_WRAPPED = re.compile(
    rb"^([ \t]*\w*(?:%s)\s*\()([^;{}]{0,2000}\)\s*)\)(?=\s*\{)" % b"|".join(_MARKS), re.M
)
_SYSCALL = re.compile(rb"\b(COMPAT_)?SYSCALL(?:32)?_DEFINE[0-6x]?\s*\(\s*(\w+)")
_INNERMOST = re.compile(rb"\([^()]*\)")
_CALL = re.compile(rb"(\0?)\s*\b([A-Za-z_]\w*)\s*(?=\0)")
_STATIC = re.compile(rb"\bstatic\b")
_HOLDING = ("translation_unit", "ERROR", "linkage_specification", "declaration_list")


class Definition(NamedTuple):
    """A function or macro on the lines ``first`` to ``last``. ``code`` is its text with blanks, at
    equal length, for comments, contents of strings and preprocessor lines; ``body`` is the offset
    in it at which the body begins. No macro is seen outside its file, like a ``static``
    function."""

    name: str
    static: bool
    first: int
    last: int
    code: bytes
    body: int

    def line(self, offset: int) -> int:
        """The line on which an offset of ``code`` lies."""
        return self.first + self.code.count(b"\n", 0, offset)


def read_functions(source: bytes) -> list[Definition]:
    """Return the functions of a file in order; what cannot be read as one is left out."""
    code = _NOT_CODE.sub(_blank_out, source)
    if any(mark in code for mark in _MARKS):
        code = _WRAPPED.sub(lambda wrapped: b" " * len(wrapped[1]) + wrapped[2] + b" ", code)
    functions: list[Definition] = []
    line, counted = 1, 0
    for start, piece, end in _split_pieces(code):
        for head in _find_heads(piece, len(piece) < end - start):
            line += code.count(b"\n", counted, start + head.first)
            counted = start + head.first
            text = code[counted : end if head.end == len(piece) else start + head.end]
            last = line + text.count(b"\n")
            body = head.opening + 1 - head.first
            functions.append(Definition(head.name, head.static, line, last, text, body))
    return functions


def read_macros(source: bytes) -> Iterator[Definition]:
    """Give the macros of a file in order."""
    line, counted = 1, 0
    for match in _NOT_CODE.finditer(source):
        if macro := _MACRO.match(match[0]):
            line += source.count(b"\n", counted, match.start())
            counted = match.start()
            code = macro[0] + _NOT_CODE.sub(_blank_out, match[0][macro.end() :])
            last = line + code.count(b"\n")
            yield Definition(macro[1].decode(), True, line, last, code, macro.end())


def _blank_out(match: re.Match[bytes]) -> bytes:
    """Return blanks of equal length for a comment or preprocessor line, and for what is in
    quotes."""
    text = match[0]
    if text[:1] in (b'"', b"'"):
        return text[:1] + text[1:-1].translate(_BLANK) + text[:1]
    return text.translate(_BLANK)


def _split_pieces(code: bytes) -> Iterator[tuple[int, bytes, int]]:
    """Give the pieces of a file that each end with a body, and what is left behind the last one:
    where each begins, its text without what is in that body, and where it ends."""
    start = at = 0
    left = bytearray(code)
    while opening := _OPENING.search(code, at):
        at = opening.end()
        closing = _find_closing(code, at)
        if closing == len(code):
            break
        if closing is None:
            # Branches of a conditional may each have a head and a brace.
            left[at - 1] = 0x20
        elif _DATA.search(code, opening.start(), at):
            left[at:closing] = code[at:closing].translate(_BLANK)
            at = closing
        else:
            yield start, bytes(left[start:at]) + b"}", closing + 1
            start = at = closing + 1
    yield start, bytes(left[start:]), len(code)


def _find_closing(code: bytes, start: int) -> int | None:
    """Return where the body ends that begins at ``start``: at the brace in the first column that
    balances it, or the first one where none does. A brace elsewhere ends it if the code goes on in
    the first column. None where the next function begins first, the end of the code where nothing
    does."""
    depth = 1
    closings: list[int] = []
    for brace in _BRACE.finditer(code, start):
        at = brace.start()
        in_first_column = code[at - 1] == 0x0A
        if code[at] == 0x7B:
            if in_first_column and _HEAD.fullmatch(code, _find_item_start(code, at), at):
                return closings[0] if closings else None
            depth += 1
            continue
        depth -= 1
        if in_first_column:
            if depth == 0:
                return at
            closings.append(at)
            if len(closings) == _MOST_CLOSINGS:
                break
        elif depth == 0:
            if code.find(b"\n", start, at) < 0 or _NEXT_ITEM.match(code, at + 1):
                return at
            depth = 1
    return closings[0] if closings else len(code)


def _find_item_start(code: bytes, at: int) -> int:
    """Return where the item begins in whose head ``at`` is."""
    low = max(0, at - _LONGEST_HEAD)
    return max(low, 1 + max(code.rfind(mark, low, at) for mark in (b";", b"{", b"}")))


class _Head(NamedTuple):
    """Where the head of a function, its body and what follows it begin in a piece."""

    first: int
    opening: int
    end: int
    name: str
    static: bool


# Versions of a file share most pieces: 13 % were parsed when 172 pairs of releases were compared.
@lru_cache(maxsize=1 << 15)
def _find_heads(piece: bytes, ends_with_body: bool) -> tuple[_Head, ...]:
    """Return the functions of a piece. Where the grammar lost the last one, it is the body that the
    piece ends with."""
    heads: list[_Head | None] = []
    ends = set()
    nodes = [Parser(_C).parse(piece).root_node]
    while nodes:
        node = nodes.pop()
        body = node if node.type == "compound_statement" else node.child_by_field_name("body")
        if node.type in _HOLDING:
            nodes += reversed(node.children)
        elif body and node.type in ("function_definition", "compound_statement"):
            ends.add(node.end_byte)
            declarator = node.child_by_field_name("declarator")
            declared = None if node.has_error else declarator
            heads.append(_make_head(piece, body.start_byte, node.end_byte, declared))
    if ends_with_body and len(piece) not in ends:
        heads.append(_make_head(piece, len(piece) - 2, len(piece), None))
    return tuple(head for head in heads if head)


def _make_head(piece: bytes, opening: int, end: int, declarator: Node | None) -> _Head | None:
    """Return the head of the body at ``opening``, None where no name is in it."""
    # Behind a K&R head its parameters are declared; else no semicolon is in a head.
    is_old = piece[:opening].rstrip().endswith(b";")
    at = declarator.start_byte if declarator and is_old else opening
    first = opening - len(piece[_find_item_start(piece, at) : opening].lstrip())
    head = piece[first:opening].rstrip()
    flat = _flatten(head[-_LONGEST_HEAD:])
    declared = _read_declarator(declarator) if declarator and declarator.start_byte >= first else ""
    name = _name_syscall(head) or declared or _find_last_name(flat)
    return _Head(first, opening, end, name, bool(_STATIC.search(flat))) if name else None


def _read_declarator(declarator: Node) -> str:
    """Return the name in the declarator of a function; "" where a macro without a semicolon, or the
    head for another configuration, seems to be a part of it."""
    node = declarator
    is_function = False
    while node.type != "identifier":
        inner = node.child_by_field_name("declarator") or next(iter(node.named_children), None)
        if inner is None:
            return ""
        if node.type == "function_declarator":
            types = [child.type for child in node.children]
            if ("identifier", "call_expression") in pairwise(types):
                return ""
            if inner.type == "function_declarator":
                # FNAME(walk_addr)(…): the macro is part of the name.
                return re.sub(r"\s", "", (inner.text or b"").decode("latin-1"))
            is_function = True
        node = inner
    return (node.text or b"").decode("latin-1") if is_function else ""


def _name_syscall(head: bytes) -> str:
    """Return the function that a SYSCALL_DEFINE in a head defines, '' if there is none."""
    match = _SYSCALL.search(head)
    prefix = "compat_sys_" if match and match[1] else "sys_"
    return prefix + match[2].decode() if match else ""


def _flatten(head: bytes) -> bytes:
    """Return a head with a null byte in place of each parenthesis and what is in it."""
    flat, nested = head, 1
    while nested:
        flat, nested = _INNERMOST.subn(b"\0", flat)
    return flat


def _find_last_name(flat: bytes) -> str:
    """Return the name before the last parenthesis of a head that ends with one, attributes
    apart."""
    calls = _CALL.findall(flat) if flat.endswith(b"\0") else []
    names = [name for behind, name in calls if not (behind and name.startswith(b"__"))]
    return names[-1].decode() if names else ""
