"""What ``caphistory transition --sites`` says to people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from caphistory.cli.session import Session
from caphistory.cli.text import say
from caphistory.records import ROOT_CHECKS, Row
from caphistory.wording.phrases import counted
from caphistory.wording.plain import clean, wrapped

_ORDER = {
    fate: at
    for at, fate in enumerate(
        ("replaced", "split", "merged", "moved", "removed", "gone", "same", "new")
    )
}
_INDENT = " " * 6


def print_sites(session: Session, ends: Row, rows: Sequence[Row], moves: Sequence[Row]) -> None:
    """What became of the checks between two releases, in short and one by one: ``rows`` are of
    the query ``successions_between``, ``moves`` of ``succession_moves``."""
    lines = [*_summary(ends, rows), *_moved(moves), *_other_minds(moves)]
    say(lines[0], bold=True)
    for line in lines[1:]:
        say("\n".join(wrapped(line, session.width, _INDENT)))
    say()
    told = sorted(rows, key=lambda row: (_ORDER.get(row["fate"], 0), row["certain"]))
    session.print_table(
        ["fate", "before", "asked", "after", "asks"],
        [
            [
                clean(row["fate"]) + ("" if row["certain"] else " ?"),
                _place(row, "before"),
                _asked(row, "before"),
                _place(row, "after"),
                _asked(row, "after"),
            ]
            for row in told
        ],
        flexible=("before", "after"),
        most=session.room_under(len(lines)),
    )
    if not all(row["certain"] for row in rows):
        say("? the code around it allows another reading", dim=True)


def _summary(ends: Row, rows: Sequence[Row]) -> list[str]:
    before = {row["site_before"] for row in rows} - {None}
    lines = [f"{clean(ends['from'])} → {clean(ends['to'])}: {counted(len(before), 'check')}"]
    kinds: list[tuple[str, Callable[[Row], bool]]] = [
        ("ask for a capability", lambda row: row["site_before"] and _is_capability(row)),
        ("still ask for root", lambda row: row["site_before"] and _is_root(row)),
        ("gone, and their function lives", lambda row: row["fate"] == "removed"),
        ("gone with their function", lambda row: row["fate"] == "gone"),
    ]
    for words, is_one in kinds:
        found = [row for row in rows if is_one(row)]
        count = len({row["site_before"] for row in found})
        asked = _most(_asked(row, "after") for row in found if row["check_after"])
        where = _most(_folder(row["path_after"]) for row in found) if "root" in words else ""
        if count:
            lines.append(f"{count:5} {words}{_told(asked)}{_told(where)}")
    new = [row for row in rows if row["fate"] == "new"]
    if new:
        asked = _most(_asked(row, "after") for row in new)
        lines.append(f"{len(new):5} are new{_told(asked)}")
    return lines


def _moved(moves: Iterable[Row]) -> list[str]:
    """The releases in which checks of root began to ask for a capability."""
    releases = Counter(clean(row["release"]) for row in moves if row["move"] == "to capability")
    if not releases:
        return []
    return ["from root to a capability in " + ", ".join(f"{r} ({n})" for r, n in releases.items())]


def _other_minds(moves: Iterable[Row]) -> list[str]:
    """The checks for which another capability was chosen later."""
    changed = dict.fromkeys(
        f"{clean(row['function_after'])} {_asked(row, 'before')} → {_asked(row, 'after')}"
        f" ({clean(row['release'])})"
        for row in moves
        if row["move"] == "capability changed"
    )
    return ["another capability later: " + ", ".join(changed)] if changed else []


def _is_capability(row: Row) -> bool:
    return row["check_after"] is not None and row["check_after"] not in ROOT_CHECKS


def _is_root(row: Row) -> bool:
    return row["check_after"] in ROOT_CHECKS


def _asked(row: Row, side: str) -> str:
    return clean(row[f"capability_{side}"] or row[f"check_{side}"] or "")


def _place(row: Row, side: str) -> str:
    path, line = row[f"path_{side}"], row[f"line_{side}"]
    if path is None:
        return ""
    where = clean(path) if line is None else f"{clean(path)}:{line}"
    return f"{where} {clean(row[f'function_{side}'] or '')}".rstrip()


def _folder(path: str) -> str:
    """The first two folders of a path: ``drivers/net``."""
    return clean("/".join(path.split("/")[:-1][:2]))


def _most(names: Iterable[str]) -> str:
    """How often each name is there, the most frequent first."""
    return ", ".join(f"{name} {count}" for name, count in Counter(names).most_common())


def _told(text: str) -> str:
    return f": {text}" if text else ""
