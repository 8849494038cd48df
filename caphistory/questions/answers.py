"""Answers that are made of those of several questions, as rows: what calls need, what failed calls
lacked, and what a text finds."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator

from caphistory.questions.descriptions import read_descriptions, search_capabilities
from caphistory.questions.names import newest_release
from caphistory.questions.needs import Explanation, Need, is_possible, list_other_causes
from caphistory.questions.queries import ask
from caphistory.records import Row
from caphistory.store.views import VIEWS

_REQUIREMENT = tuple(next(view.columns for view in VIEWS if view.name == "requirements"))
_NOT_EVIDENCE = {"syscall", "sites", "capability", "reach", "depth", "pointer_hops", "shared_by"}
_EVIDENCE = tuple(name for name in _REQUIREMENT if name not in _NOT_EVIDENCE)

COLUMNS = {
    "container": _REQUIREMENT,
    "needs": ("need", "met_by", "failed", "possible", *_REQUIREMENT, "conditional"),
    "explain": (
        *("log_line", "times", "syscall", "arguments", "error", "fit"),
        *_EVIDENCE,
        "otherwise",
    ),
    "search": ("kind", "name", "first_release", "last_release", "about"),
}
"""The columns of each answer, by the name of its command."""

OPTIONAL = {"container": ("container", "runtime", "seccomp")}
"""The columns that some questions to a command add: of several containers, with a profile."""

DESCRIPTIONS = {
    "need": "must (it is denied without it) or may (on some arguments)",
    "met_by": "the privileges any one of which does, separated by or, the one to choose first",
    "failed": "1 when it explains best why a call in the log failed",
    "possible": "0 when no capability meets it in the user namespace that was asked about",
    "log_line": "line of the log with the first call that failed so, from 1",
    "times": "how many calls failed so",
    "arguments": "arguments of the call, as in the log",
    "error": "error of the call",
    "fit": "how the operation fits the call: whole, inner (its last part), or possible (the log"
    " does not tell); NULL where no requirement fits",
    "otherwise": "what else gives this error, separated by ;",
    "container": "name of the container in its file",
    "runtime": "whose rules make a set of what the file says; '' where it has the sets themselves",
    "seccomp": "allowed, arguments (it depends on them), or the error that the profile gives",
    "about": "what the capability permits, and which syscalls ask for it; NULL for a name",
}
"""The columns that no view has."""

PERMITS = "capability"
"""The kind of what a text finds by what it permits."""
_SYSCALLS_NAMED = 12


def make_need_row(need: Need, userns: bool) -> Row:
    """Return the row of a need; ``userns`` says that it is one in a user namespace of its own."""
    return {
        "need": need.certainty,
        "met_by": " or ".join(need.alternatives),
        "failed": int(need.failed),
        "possible": int(is_possible(need, userns)),
        **need.row,
    }


def make_explanation_rows(explanations: Iterable[Explanation]) -> Iterator[Row]:
    """Give a row for each failed call and requirement that fits it; one with nulls where none
    does."""
    for call, lines, fitting in explanations:
        for fit, row in fitting or ((None, None),):
            yield {
                "log_line": lines[0],
                "times": len(lines),
                "syscall": call.syscall,
                "arguments": call.arguments,
                "error": call.errno,
                "fit": None if fit is None else ("whole", "inner", "possible")[fit],
                **{column: row and row[column] for column in _EVIDENCE},
                "otherwise": "; ".join(list_other_causes(call, bool(fitting))),
            }


def search(connection: sqlite3.Connection, text: str) -> list[Row]:
    """Return what ``text`` finds: first the capabilities that permit what it says, then the names
    that hold it."""
    known = {row["capability"] for row in ask(connection, "capability_list")}
    permitting = [name for name in search_capabilities(text) if name in known or not known]
    named = ask(connection, "search", text=text)
    return [
        *(_make_capability_row(connection, name) for name in permitting),
        *({**row, "about": None} for row in named),
    ]


def _make_capability_row(connection: sqlite3.Connection, capability: str) -> Row:
    """Return a row for a capability: what it permits, and which syscalls ask for it."""
    release = newest_release(connection)
    syscalls = dict.fromkeys(
        row["syscall"] for row in ask(connection, "which", privilege=capability, release=release)
    )
    named = ", ".join([*syscalls][:_SYSCALLS_NAMED])
    more = f" and {len(syscalls) - _SYSCALLS_NAMED} more" if len(syscalls) > _SYSCALLS_NAMED else ""
    asked = f" Asked by {named}{more} in {release}." if syscalls else ""
    return {
        "kind": PERMITS,
        "name": capability,
        "first_release": None,
        "last_release": None,
        "about": read_descriptions()[capability].permits + asked,
    }
