"""Grade the way from a syscall to a check, which chips show: filled, outlined, dotted, hatched."""

from __future__ import annotations

from caphistory.records import Row

EVIDENCES = {
    "direct": "in the syscall's own function",
    "call": "through calls",
    "pointer": "through function pointers",
    "shared": "in code that very many syscalls share",
}
"""The grades of what is told, the strongest first, in words."""

WORDS = {**EVIDENCES, "remote": "by a remote way", "off": "switched off by constants"}
"""All grades in words, those included that are shown on request alone."""

_GRADES = tuple(WORDS)


def grade(row: Row) -> str:
    """Return the grade of a row with ``standing`` and ``reach``: how it is reached where that is
    the syscall's own doing, else its standing."""
    return str(row["reach"] if row["standing"] == "own" else row["standing"])


def rank(row: Row) -> int:
    """Return the place of a row's grade, 0 for the strongest evidence."""
    return _GRADES.index(grade(row))
