"""Put facts of the database into words."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import TypedDict

from caphistory.records import Row
from caphistory.wording.checks import name_other_check
from caphistory.wording.plain import clean, wrap


class Step(TypedDict):
    """A step of a chain as decoded from JSON (see ``caphistory.records.Step``)."""

    function: str
    path: str
    line: int
    edge: str
    via: str | None


def decode_steps(row: Row) -> list[Step]:
    """Return the chain of a row, from the entry function to the check."""
    chain: list[Step] = json.loads(row["chain"])
    return chain


def get_privilege(row: Row) -> str:
    """Return what the check of a row asks for: its capability, else the name of the check."""
    return clean(row["capability"] or row["check_name"])


def describe_check(row: Row) -> str:
    """Return what the check of a row asks for, and by which check unless that is ``capable``."""
    other = name_other_check(row["capability"], row["check_name"])
    return f"{get_privilege(row)} by {clean(other)}" if other else get_privilege(row)


def format_place(row: Row | Step) -> str:
    """Return ``path:line``, which terminals and editors can open."""
    return f"{clean(row['path'])}:{row['line']}"


def format_release(row: Row) -> str:
    """Return the release of a row, and its system-call table if that is not i386's."""
    table = "" if row["abi"] == "i386" else f" ({clean(row['abi'])})"
    return clean(row["release"]) + table


def describe_effect(row: Row) -> str:
    """Return what a missing privilege does: ``EPERM``, ``denied``, ``limited``; "" if unknown."""
    if row["effect"] == "deny":
        return clean(row["errno"] or "denied")
    return "limited" if row["effect"] == "limit" else ""


def format_chain(chain: Sequence[Step]) -> str:
    """Return the functions from the entry to the check as ``[via] function → function``; ``via``
    names a step through a pointer."""
    names = [clean(step["function"]) for step in chain[1:]]
    hops = [f"[{clean(step['via'])}] " if step["via"] else "" for step in chain[:-1]]
    return " → ".join(hop + name for hop, name in zip(hops, names, strict=True))


def rank_reach(row: Row) -> int:
    """Return how a row's check is reached: 0 in the entry function, 1 by calls, 2 by pointers."""
    return ("direct", "call", "pointer").index(row["reach"])


def format_run(run: Row) -> str:
    """Return a run of releases as text: ``0.12 – 2.1.91``, or ``2.1.92 –`` up to the newest. If it
    begins or ends at a gap, the nearest release outside it is added:
    ``(3.13.10) 3.16 – 4.4.155 (4.8.15)`` (see ``GAPS``)."""
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
"""Explains the brackets of ``format_run``."""


def has_gaps(runs: Iterable[Row]) -> bool:
    """Return whether any run begins or ends at a gap."""
    return any(run.get("gap_before") or run.get("gap_after") for run in runs)


def describe_gap(before: str, after: str, first: str, second: str) -> str:
    """Say what is known of a change between two releases if the database lacks those between them:
    ``not in 3.13.10, there in 3.16; between them nothing is held``."""
    return f"{first} {clean(before)}, {second} {clean(after)}; between them nothing is held"


def format_timeline(runs: Iterable[Row]) -> str:
    """Return runs with what each checks: ``0.12 – 2.1.91 suser · 2.1.92 – CAP_SETGID``."""
    return " · ".join(f"{format_run(run)} {clean(run['checks']) or 'nothing'}" for run in runs)


def wrap_timeline(runs: Sequence[Row], width: int) -> list[str]:
    """Return ``format_timeline`` as one line if that fits ``width`` columns, else a paragraph for
    each run, with what it checks aligned and wrapped."""
    text = format_timeline(runs)
    if len(text) <= width:
        return [text]
    spans = [format_run(run) for run in runs]
    size = max(map(len, spans))
    return [
        "\n".join(
            wrap(
                f"{releases.ljust(size)}  {clean(run['checks']) or 'nothing'}",
                width,
                " " * (size + 2),
            )
        )
        for run, releases in zip(runs, spans, strict=True)
    ]


def format_count(count: int, noun: str) -> str:
    """Return ``count`` with its noun: ``1 syscall``, ``12 syscalls``, ``3 capabilities``."""
    plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{count:,} {noun if count == 1 else plural}"
