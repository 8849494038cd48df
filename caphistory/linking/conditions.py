"""Whether code under a preprocessor condition can be part of a kernel.

A kernel can be configured in any way, but it has one version and one architecture, and it
is compiled as C and as the kernel: a condition that these decide is decided, any other may
hold.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Collection
from typing import NamedTuple

# What gcc defines for its targets (its manual, "Common Predefined Macros", and cpp -dM).
_TARGETS = {
    "i386": {"__i386__"},
    "x86_64": {"__x86_64__", "__LP64__"},
    "others": {
        *("__alpha__", "__arm__", "__aarch64__", "__cris__", "__hppa__", "__ia64__", "__m68k__"),
        *("__mc68000__", "__mips__", "__mips64__", "__powerpc__", "__powerpc64__", "__ppc__"),
        *("__riscv", "__s390__", "__s390x__", "__sh__", "__sh3__", "__sparc__", "__sparc_v9__"),
        "__sparc64__",
    },
}
# What arch/x86/Kconfig sets by the processor alone (2.6.24 on), and others do not have.
_OPTIONS = {
    "i386": {"CONFIG_X86_32"},
    "x86_64": {"CONFIG_X86_64", "CONFIG_64BIT"},
}
VERSION = "LINUX_VERSION_CODE"
_ALWAYS = frozenset(("__KERNEL__", "__GNUC__", VERSION))
_NEVER = frozenset(("__ASSEMBLY__", "__ASSEMBLER__", "__cplusplus"))
_TOKEN = re.compile(r"defined\b|&&|\|\||[<>=!]=|[<>!()]|\w+|,|\S")
_COMPARE: dict[str, Callable[[int, int], bool]] = {
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
_DEEPEST = 50


class Target(NamedTuple):
    """What a kernel is built as: its ABI, the other architectures of the tree, and its version
    as ``LINUX_VERSION_CODE`` has it (None where its name does not tell)."""

    abi: str
    others: Collection[str]
    version: int | None


def version_code(release: str) -> int | None:
    """``KERNEL_VERSION(2, 2, 24)`` of the release 2.2.24; that of 2.2.24 for 2.2.24pre3."""
    found = re.match(r"(\d+)\.(\d+)(?:\.(\d+))?", release.removeprefix("pre"))
    if found is None:
        return None
    major, minor, patch = (int(part or 0) for part in found.groups())
    return (major << 16) + (minor << 8) + min(patch, 255)


def options_off(abi: str) -> frozenset[str]:
    """The options that no kernel with an ABI has, as they tell its processors from others."""
    return frozenset(name for other, names in _OPTIONS.items() if other != abi for name in names)


def possible(condition: str, target: Target) -> bool:
    """Whether a condition (``defined(A) && !(B > 1)``; empty for none) may hold in a kernel."""
    return not condition or _Reader(condition, target).disjunction() is not False


class _Reader:
    """Reads an expression by descent; True, False, or None where nothing decides it."""

    def __init__(self, text: str, target: Target) -> None:
        self._tokens = _TOKEN.findall(text)
        self._at = 0
        self._depth = 0
        self._target = target

    def disjunction(self) -> bool | None:
        sides = [self._conjunction()]
        while self._take("||"):
            sides.append(self._conjunction())
        return True if True in sides else None if None in sides else False

    def _conjunction(self) -> bool | None:
        sides = [self._comparison()]
        while self._take("&&"):
            sides.append(self._comparison())
        return False if False in sides else None if None in sides else True

    def _comparison(self) -> bool | None:
        start = self._at
        left = self._value()
        sign = self._peek()
        if sign in _COMPARE:
            self._at += 1
            right = self._value()
            if left is None or right is None:
                return None
            return _COMPARE[sign](left, right)
        if self._peek() not in ("&&", "||", ")", ""):
            self._skip()  # arithmetic: nothing that is known here
            return None
        self._at = start
        return self._unary()

    def _value(self) -> int | None:
        """A number: the version of the kernel, one that is spelt out, or KERNEL_VERSION(…),
        for which drivers have names of their own (``CVT_LINUX_VERSION``, ``KERNEL_VER``)."""
        token = self._peek()
        if token == VERSION:
            self._at += 1
            return self._target.version
        if re.fullmatch(r"(?:0[xX][0-9a-fA-F]+|[1-9]\d*|0)[uUlL]*", token):
            self._at += 1
            return int(token.rstrip("uUlL"), 0)
        if re.fullmatch(r"\w*VER\w*", token, re.IGNORECASE):
            after = self._tokens[self._at + 1 : self._at + 8]
            if len(after) == 7 and after[::2] == ["(", ",", ",", ")"]:
                parts = after[1::2]
                if all(part.isdigit() for part in parts):
                    self._at += 8
                    major, minor, patch = map(int, parts)
                    return (major << 16) + (minor << 8) + patch
        if token:
            self._unary()
        return None

    def _unary(self) -> bool | None:
        self._depth += 1
        try:
            if self._depth > _DEEPEST:
                self._at = len(self._tokens)
                return None
            if self._take("!"):
                inner = self._unary()
                return None if inner is None else not inner
            if self._take("("):
                inner = self.disjunction()
                self._take(")")
                return inner
            if self._take("defined"):
                bracketed = self._take("(")
                name = self._next()
                if bracketed:
                    self._take(")")
                return self._defined(name)
            return {"0": False, "1": True}.get(self._next())
        finally:
            self._depth -= 1

    def _defined(self, name: str) -> bool | None:
        if name in _ALWAYS or name in _TARGETS.get(self._target.abi, ()):
            return True
        if name in _OPTIONS.get(self._target.abi, ()):
            return True
        if name in _NEVER or any(
            name in names for all_ in (_TARGETS, _OPTIONS) for names in all_.values()
        ):
            return False
        if name.startswith("CONFIG_"):
            option = name[7:].removeprefix("ARCH_").lower()
            if option in self._target.others:
                return False
        return None

    def _skip(self) -> None:
        depth = 0
        while (token := self._peek()) and (depth or token not in ("&&", "||", ")")):
            depth += (token == "(") - (token == ")")
            self._at += 1

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _next(self) -> str:
        token = self._peek()
        self._at += 1
        return token

    def _take(self, token: str) -> bool:
        if self._peek() == token:
            self._at += 1
            return True
        return False
