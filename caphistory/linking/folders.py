"""Which files a kernel of one architecture is built from."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import NamedTuple

from caphistory.syntax.facts import Blob

_ARCH_FOLDER = re.compile(r"(?:^arch/|^include/asm-)([a-z0-9_]+)(?=/)")
# Programs that run beside the kernel, not in it.
_NOT_KERNEL = re.compile(
    r"^(?:tools|scripts|Documentation|usr|samples|boot"
    r"|arch/\w+/(?:boot|purgatory|realmode/rm|tools))/"
)
# What user-mode Linux takes of a processor (arch/x86/um).
_USER_MODE = re.compile(r"^arch/\w+/um/")
# What <…> finds in an architecture's folders: asm/x.h, and mach/x.h of arm.
_ASM = re.compile(r"^include/asm-[a-z0-9_]+/(.*\.h)$")
_ARCH_INCLUDE = re.compile(r"^arch/(?:\w+/)+?include/(?:uapi/)?(.*\.h)$")


class Abi(NamedTuple):
    """A system-call ABI: its name and the folders under ``arch`` (and ``include/asm-…``)
    that a kernel with it is built from."""

    name: str
    folders: frozenset[str]


# include/asm-generic: what architectures share that have none of their own.
GENERIC = "generic"
I386 = Abi("i386", frozenset(("i386", "x86", GENERIC)))
X86_64 = Abi("x86_64", frozenset(("x86_64", "x86", GENERIC)))


def architecture(path: str) -> str:
    """The architecture whose folder a file is in; empty for code of all of them, ``-`` for
    a program that is no part of the kernel."""
    if _NOT_KERNEL.match(path):
        return "-"
    if _USER_MODE.match(path):
        return "um"
    found = _ARCH_FOLDER.search(path)
    return found.group(1) if found else ""


def of_other_width(path: str, abi: Abi) -> bool:
    """Whether a file is named for the processors of another width: ``process_32.c`` for
    x86_64, as is what only 32-bit programs use there (``arch/x86_64/ia32``)."""
    if not path.startswith("arch/"):
        return False
    other = "64" if abi.name == "i386" else "32"
    return path.endswith(f"_{other}.c") or (other == "32" and "/ia32/" in path)


def foreign(
    files: Mapping[str, Blob],
    architectures: Mapping[str, str],
    abi: Abi,
    targets: Callable[[str, str], list[str]],
) -> frozenset[str]:
    """The files outside the architectures' folders that no kernel with this ABI can be built
    from, as they include, under no condition, a header that only other architectures have
    (drivers/sgi/char/shmiq.c of 2.2), or a file that does.

    ``targets`` gives the files that an include's name means in a file.
    """
    theirs = _headers_of_others(files, architectures, abi)
    generic = {path: blob for path, blob in files.items() if not architectures[path]}
    found = {
        path
        for path, blob in generic.items()
        if not theirs.isdisjoint(blob.required)
        and any(name in theirs and not targets(name, path) for name in blob.required)
    }
    news = found
    while news:
        names = {posixpath.basename(path) for path in news}
        news = {
            path
            for path, blob in generic.items()
            if path not in found
            and not names.isdisjoint(base_names(blob.required))
            and any(
                posixpath.basename(name[1:]) in names
                and any(target in found for target in targets(name, path)[:1])
                for name in blob.required
            )
        }
        found |= news
    return frozenset(found)


def _headers_of_others(
    files: Mapping[str, Blob], architectures: Mapping[str, str], abi: Abi
) -> set[str]:
    """The names by which other architectures' code includes their headers, with either sign."""
    found = set()
    for path in files:
        if architectures[path] and architectures[path] not in abi.folders:
            asm, own = _ASM.match(path), _ARCH_INCLUDE.match(path)
            if asm:
                found.add("asm/" + asm.group(1))
            elif own:
                found.add(own.group(1))
    return {sign + name for name in found for sign in '<"'}


@lru_cache(maxsize=100_000)
def base_names(included: tuple[str, ...]) -> frozenset[str]:
    """The last parts of the names by which a file includes others."""
    return frozenset(posixpath.basename(name[1:]) for name in included)
