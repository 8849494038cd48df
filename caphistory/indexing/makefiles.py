"""Find what the Makefiles of a release build only if something else is not configured."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from caphistory.history.model import BrokenObject

# What arch/x86/Kconfig sets by the processor alone (2.6.24 on): by ABI, what is off in its kernels.
OPTIONS_OFF = {
    "i386": frozenset(("CONFIG_X86_64", "CONFIG_64BIT")),
    "x86_64": frozenset(("CONFIG_X86_32",)),
}

_CONTINUED = re.compile(r"\\\n")
_TEST = re.compile(
    r"(?P<word>ifn?eq|ifn?def)\s*(?:\(\s*)?(?:\$[({])?(?P<name>\w+)[)}]?"
    r"(?:\s*,\s*(?P<value>[\w\"']*)\s*\))?"
)
_ASSIGNMENT = re.compile(r"(?P<name>[\w.$(){}-]+)\s*(?P<sign>[:+]?=)\s*(?P<value>.*)")
_BY_OPTION = re.compile(r"(?P<stem>[\w.-]*-)(?P<option>y|\$\(CONFIG_\w+\))")
_OBJECT = re.compile(r"([\w./-]+)\.o\b")

Replaced = dict[tuple[str, frozenset[str]], frozenset[str]]
"""What ``find_replaced`` returns, by the git id of a Makefile and the options that are off: most
Makefiles are the same in neighbouring releases."""


class StandIns(NamedTuple):
    """The paths of the C files that are built only where an option is off, and (path, reason)
    of each Makefile that could not be read."""

    paths: frozenset[str]
    unread: list[tuple[str, str]]


def find_stand_ins(
    blobs: Mapping[str, str],
    read: Callable[[str], bytes],
    off: frozenset[str],
    cache: Replaced,
) -> StandIns:
    """Find what stands in for an option's code (kernel/time/posix-stubs.c of 6.12, mm/nommu.c of
    2.6).

    ``blobs`` are git blob ids by path, which ``read`` takes; ``off`` are options that are off
    anyway: what needs one of them is not built, and what is built instead stands in for nothing.
    ``cache`` keeps what Makefiles say from release to release.
    """
    paths: set[str] = set()
    unread = []
    for path, blob in blobs.items():
        folder, name = posixpath.split(path)
        if name in ("Makefile", "Kbuild"):
            key = (blob, off)
            try:
                if key not in cache:
                    cache[key] = find_replaced(read(blob).decode("latin-1"), off)
            except BrokenObject as error:
                unread.append((path, str(error)))
                continue
            paths.update(posixpath.join(folder, stem + ".c") for stem in cache[key])
    return StandIns(frozenset(paths), unread)


def find_replaced(makefile: str, off: frozenset[str] = frozenset()) -> frozenset[str]:
    """Return the objects, without their ``.o``, that a Makefile builds only where an option is off:
    on the negative side of an ``ifeq``, or in a variable that an option sets anew
    (``mmu-y := nommu.o``, then ``mmu-$(CONFIG_MMU) := memory.o``)."""
    with_, without = set[str](), set[str]()
    firsts: dict[str, set[str]] = {}
    tests: list[bool | None] = []
    for line in _CONTINUED.sub(" ", makefile).splitlines():
        text = line.partition("#")[0].strip()
        word = text.partition(" ")[0].partition("(")[0]
        if word in ("ifeq", "ifneq", "ifdef", "ifndef"):
            tests.append(_wants_it_off(text, off))
        elif word == "else" and tests:
            tests[-1] = None if tests[-1] is None else not tests[-1]
        elif word == "endif" and tests:
            tests.pop()
        elif assigned := _ASSIGNMENT.fullmatch(text):
            objects = set(_OBJECT.findall(assigned["value"]))
            by_option = _BY_OPTION.fullmatch(assigned["name"])
            needs = by_option["option"].strip("$()") if by_option else ""
            (without if any(tests) or needs in off else with_).update(objects)
            if by_option and assigned["sign"] != "+=":
                if by_option["option"] == "y":
                    firsts[by_option["stem"]] = objects
                elif by_option["stem"] in firsts and needs not in off:
                    gone = firsts[by_option["stem"]]
                    without |= gone
                    with_ -= gone - objects
    return frozenset(without - with_)


def _wants_it_off(test: str, off: frozenset[str]) -> bool | None:
    """Whether what follows is built where an option is off: ``ifneq ($(CONFIG_X),y)``, or never;
    None for a test of anything else."""
    condition = _TEST.match(test)
    if condition is None or not condition["name"].startswith("CONFIG_"):
        return None
    value = condition["value"]
    wanted_off = value is not None and value.strip("\"'") in ("", "n")
    if condition["word"].startswith("ifn"):
        wanted_off = not wanted_off
    return wanted_off != (condition["name"] in off)
