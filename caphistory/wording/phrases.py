"""How facts of the database are put into words."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import TypedDict

from caphistory.records import Row
from caphistory.wording.checks import other_check
from caphistory.wording.plain import clean, wrapped


class Step(TypedDict):
    """A step of a chain, as the database holds it (see ``caphistory.records.Step``)."""

    function: str
    path: str
    line: int
    edge: str
    via: str | None


def steps(row: Row) -> list[Step]:
    """The chain of a row, from the entry function to the check."""
    chain: list[Step] = json.loads(row["chain"])
    return chain


def privilege(row: Row) -> str:
    """What the check of a row asks for: its capability, else its name."""
    return clean(row["capability"] or row["check_name"])


def asks(row: Row) -> str:
    """What the check of a row asks for, and by which check where that is not ``capable``."""
    other = other_check(row["capability"], row["check_name"])
    return f"{privilege(row)} by {clean(other)}" if other else privilege(row)


def place(row: Row | Step) -> str:
    """``path:line``, as terminals and editors open it."""
    return f"{clean(row['path'])}:{row['line']}"


def table_of(row: Row) -> str:
    """The release of a row, and its system-call table where that is not i386's."""
    table = "" if row["abi"] == "i386" else f" ({clean(row['abi'])})"
    return clean(row["release"]) + table


def effect(row: Row) -> str:
    """What a missing privilege does: ``EPERM``, ``denied``, ``limited`` or nothing known."""
    if row["effect"] == "deny":
        return clean(row["errno"] or "denied")
    return "limited" if row["effect"] == "limit" else ""


def through(chain: Sequence[Step]) -> str:
    """The functions between the entry and the check, a pointer step by its ``via``."""
    names = [clean(step["function"]) for step in chain[1:]]
    hops = [f"[{clean(step['via'])}] " if step["via"] else "" for step in chain[:-1]]
    return " → ".join(hop + name for hop, name in zip(hops, names, strict=True))


def nearness(row: Row) -> int:
    """How near to the entry function a row's check is: 0 in it, 1 by calls, 2 by pointers."""
    return ("direct", "call", "pointer").index(row["reach"])


def span(run: Row) -> str:
    """A run of releases: ``0.12 – 2.1.91``, ``2.1.92 –`` when it goes on to the newest; where it
    begins or ends in a gap, ``(3.13.10) 3.16 – 4.4.155 (4.8.15)`` with the nearest release outside
    it (see ``GAPS``)."""
    first, last = clean(run["first_release"]), clean(run["last_release"])
    if run.get("gap_before"):
        first = f"({clean(run['gap_before'])}) {first}"
    if run["open"]:
        return f"{first} –"
    after = f" ({clean(run['gap_after'])})" if run.get("gap_after") else ""
    if run["first_release"] == run["last_release"]:
        return f"{first}{after}"
    return f"{first} – {last}{after}"


GAPS = (
    "in brackets: the nearest release outside the run, where the database holds nothing between:"
    " the change came anywhere there"
)
"""What the brackets of ``span`` mean."""


def has_gaps(runs: Iterable[Row]) -> bool:
    """Whether a run begins or ends in a gap."""
    return any(run.get("gap_before") or run.get("gap_after") for run in runs)


def gap(before: str, after: str, first: str, second: str) -> str:
    """What is known of a change between two releases with others between them that the database
    does not hold: ``not in 3.13.10, there in 3.16; between them nothing is held``."""
    return f"{first} {clean(before)}, {second} {clean(after)}; between them nothing is held"


def timeline(runs: Iterable[Row]) -> str:
    """Runs with what is checked: ``0.12 – 2.1.91 suser · 2.1.92 – CAP_SETGID``."""
    return " · ".join(f"{span(run)} {clean(run['checks']) or 'nothing'}" for run in runs)


def timeline_paragraphs(runs: Sequence[Row], width: int) -> list[str]:
    """The ``timeline`` in one line where that fits ``width``, else a paragraph for each run, what
    is checked in aligned and wrapped columns."""
    text = timeline(runs)
    if len(text) <= width:
        return [text]
    spans = [span(run) for run in runs]
    size = max(map(len, spans))
    return [
        "\n".join(
            wrapped(
                f"{releases.ljust(size)}  {clean(run['checks']) or 'nothing'}",
                width,
                " " * (size + 2),
            )
        )
        for run, releases in zip(runs, spans, strict=True)
    ]


def counted(count: int, noun: str) -> str:
    """``count`` with its noun: ``1 syscall``, ``12 syscalls``, ``3 capabilities``."""
    plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{count:,} {noun if count == 1 else plural}"
