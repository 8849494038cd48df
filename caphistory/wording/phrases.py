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
    """Return what a row asks for: its capability, else the name of the check."""
    return clean(row.get("privilege") or row["capability"] or row["check_name"])


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
    """Return what a missing privilege does: ``EPERM``, ``denied``, ``limited``, ``ENOMEM at
    limit``; "" if unknown. EFFECTS explains the words."""
    if row["effect"] == "deny":
        return clean(row["errno"] or _DENIED)
    if row["effect"] == "limit":
        return f"{clean(row['errno'])} {_AT_LIMIT}" if row["errno"] else _LIMITED
    return ""


_DENIED, _LIMITED, _AT_LIMIT = "denied", "limited", "at limit"

EFFECTS = {
    _DENIED: "it fails, with an error that could not be read",
    _LIMITED: "it goes on, with less than was asked for",
    _AT_LIMIT: "it fails with this error where a limit is hit that the privilege lifts",
    "": "what happens without it could not be read",
}
"""What the words of ``describe_effect`` mean, by the word that a text ends with."""


def explain_effects(rows: Iterable[Row]) -> list[str]:
    """Return an explanation of each word that ``describe_effect`` uses for ``rows``."""
    said = {describe_effect(row) for row in rows}
    return [
        f"{word}: {meaning}"
        for word, meaning in EFFECTS.items()
        if word and any(text.endswith(word) for text in said)
    ]


def describe_alternatives(row: Row) -> str:
    """Return the other privileges any one of which does as well, without ``CAP_``: ``SYS_ADMIN,
    owner``."""
    return ", ".join(clean(name).removeprefix("CAP_") for name in json.loads(row["instead"]))


def describe_owner(row: Row) -> str:
    """Return whose privilege is asked for, and in which user namespace: ``init``, ``owner``,
    ``opener, owner``; "" for the caller's before there were user namespaces."""
    subject = "" if row["subject"] == "caller" else clean(row["subject"])
    return ", ".join(filter(None, (subject, clean(row["namespace"]))))


OWNERS = {
    "init": "in the first user namespace alone: what holds it in a container of its own user"
    " namespace does not have it",
    "owner": "in the user namespace that owns what is acted upon",
    "other": "another task's privilege, such as a tracer's",
    "opener": "the privilege of who opened the file",
}
"""What the words of ``describe_owner`` mean."""


def explain_owners(rows: Iterable[Row]) -> list[str]:
    """Return an explanation of each word that ``describe_owner`` uses for ``rows``."""
    said = {word for row in rows for word in describe_owner(row).split(", ")}
    return [f"{word}: {meaning}" for word, meaning in OWNERS.items() if word in said]


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
