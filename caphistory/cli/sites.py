"""Print the answer of ``caphistory transition --sites`` for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from caphistory.cli.session import Session
from caphistory.cli.text import say
from caphistory.records import ROOT_CHECKS, Row
from caphistory.wording.phrases import format_count
from caphistory.wording.plain import clean, wrap

_ORDER = {
    fate: at
    for at, fate in enumerate(
        ("replaced", "split", "merged", "moved", "removed", "gone", "same", "new")
    )
}
_INDENT = " " * 6


def print_sites(session: Session, ends: Row, rows: Sequence[Row], moves: Sequence[Row]) -> None:
    """Print what became of the checks between two releases, first as a summary, then one by one.
    ``rows`` are of the query ``successions_between``, ``moves`` of ``succession_moves``."""
    lines = [*_summarize(ends, rows), *_summarize_moves(moves), *_list_changes(moves)]
    say(lines[0], bold=True)
    for line in lines[1:]:
        say("\n".join(wrap(line, session.width, _INDENT)))
    say()
    ordered = sorted(rows, key=lambda row: (_ORDER.get(row["fate"], 0), row["certain"]))
    session.print_table(
        ["fate", "before", "asked", "after", "asks"],
        [
            [
                clean(row["fate"]) + ("" if row["certain"] else " ?"),
                _format_site(row, "before"),
                _get_privilege(row, "before"),
                _format_site(row, "after"),
                _get_privilege(row, "after"),
            ]
            for row in ordered
        ],
        flexible=("before", "after"),
        most=session.room_under(len(lines)),
    )
    if not all(row["certain"] for row in rows):
        say("? the code around it allows another reading", dim=True)


def _summarize(ends: Row, rows: Sequence[Row]) -> list[str]:
    before = {row["site_before"] for row in rows} - {None}
    lines = [f"{clean(ends['from'])} → {clean(ends['to'])}: {format_count(len(before), 'check')}"]
    kinds: list[tuple[str, Callable[[Row], bool]]] = [
        ("ask for a capability", lambda row: row["site_before"] and _is_capability(row)),
        ("still ask for root", lambda row: row["site_before"] and _is_root(row)),
        ("gone, and their function lives", lambda row: row["fate"] == "removed"),
        ("gone with their function", lambda row: row["fate"] == "gone"),
    ]
    for words, belongs in kinds:
        members = [row for row in rows if belongs(row)]
        count = len({row["site_before"] for row in members})
        asked = _count_names(_get_privilege(row, "after") for row in members if row["check_after"])
        where = (
            _count_names(_get_folder(row["path_after"]) for row in members)
            if "root" in words
            else ""
        )
        if count:
            lines.append(f"{count:5} {words}{_append(asked)}{_append(where)}")
    new = [row for row in rows if row["fate"] == "new"]
    if new:
        asked = _count_names(_get_privilege(row, "after") for row in new)
        lines.append(f"{len(new):5} are new{_append(asked)}")
    return lines


def _summarize_moves(moves: Iterable[Row]) -> list[str]:
    """Return a line with the releases in which checks of root began to ask for a capability."""
    releases = Counter(clean(row["release"]) for row in moves if row["move"] == "to capability")
    if not releases:
        return []
    return ["from root to a capability in " + ", ".join(f"{r} ({n})" for r, n in releases.items())]


def _list_changes(moves: Iterable[Row]) -> list[str]:
    """Return a line with the checks that came to ask for another capability."""
    changed = dict.fromkeys(
        f"{clean(row['function_after'])} {_get_privilege(row, 'before')} →"
        f" {_get_privilege(row, 'after')} ({clean(row['release'])})"
        for row in moves
        if row["move"] == "capability changed"
    )
    return ["another capability later: " + ", ".join(changed)] if changed else []


def _is_capability(row: Row) -> bool:
    return row["check_after"] is not None and row["check_after"] not in ROOT_CHECKS


def _is_root(row: Row) -> bool:
    return row["check_after"] in ROOT_CHECKS


def _get_privilege(row: Row, side: str) -> str:
    return clean(row[f"capability_{side}"] or row[f"check_{side}"] or "")


def _format_site(row: Row, side: str) -> str:
    path, line = row[f"path_{side}"], row[f"line_{side}"]
    if path is None:
        return ""
    where = clean(path) if line is None else f"{clean(path)}:{line}"
    return f"{where} {clean(row[f'function_{side}'] or '')}".rstrip()


def _get_folder(path: str) -> str:
    """Return the first two folders of a path, such as ``drivers/net``."""
    return clean("/".join(path.split("/")[:-1][:2]))


def _count_names(names: Iterable[str]) -> str:
    """Return how often each name occurs, the most frequent first."""
    return ", ".join(f"{name} {count}" for name, count in Counter(names).most_common())


def _append(text: str) -> str:
    return f": {text}" if text else ""
