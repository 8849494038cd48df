"""Tell a history by what was added and removed, without what stayed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from caphistory.records import Row
from caphistory.wording.kinds import split_privileges


class Change(NamedTuple):
    """What began and ended to be asked for in ``release``, or somewhere after ``after`` where the
    releases between the two are not in the database. ``note`` says what else happened."""

    release: str
    after: str | None
    added: list[str]
    removed: list[str]
    note: str = ""


def list_changes(runs: Sequence[Row]) -> list[Change]:
    """Return the changes of a syscall, the newest first; ``runs`` are of the query ``timeline``."""
    changes = []
    before: set[str] = set()
    for at, run in enumerate(runs):
        now = set(split_privileges(run["checks"]))
        change = Change(
            str(run["first_release"]),
            run["gap_before"],
            sorted(now - before),
            sorted(before - now),
            "" if at else "first release of the syscall",
        )
        changes.append(change)
        before = now
    if runs and not runs[-1]["open"]:
        note = "last release of the syscall"
        changes.append(Change(str(runs[-1]["last_release"]), None, [], [], note))
    return changes[::-1]


def list_syscall_changes(histories: Iterable[Row], releases: Sequence[Row]) -> list[Change]:
    """Return when which syscalls began and ended to ask for one privilege, the newest first;
    ``histories`` are rows of the query ``which_all_releases``, ``releases`` of ``release_list``."""
    order = [str(row["release"]) for row in releases]
    position = {release: at for at, release in enumerate(order)}
    added: dict[int, set[str]] = {}
    removed: dict[int, set[str]] = {}
    gaps: dict[int, str] = {}
    for row in histories:
        begin = position[row["first_release"]]
        added.setdefault(begin, set()).add(str(row["syscall"]))
        if row["gap_before"]:
            gaps[begin] = str(row["gap_before"])
        end = position[row["last_release"]] + 1
        if not row["open"] and end < len(order):
            removed.setdefault(end, set()).add(str(row["syscall"]))
            if row["gap_after"]:
                gaps[end] = str(row["last_release"])
    return [
        Change(order[at], gaps.get(at), sorted(added.get(at, ())), sorted(removed.get(at, ())))
        for at in sorted(added.keys() | removed.keys(), reverse=True)
    ]
