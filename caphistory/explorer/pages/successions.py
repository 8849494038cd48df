"""The pages of the check sites between two releases: all of them, and one with both places."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from caphistory.errors import CaphistoryError, NothingFound
from caphistory.explorer.pages.page import Asked, Page
from caphistory.explorer.sourcediff import FunctionDiff, Line, site_diff
from caphistory.questions.names import known_privilege
from caphistory.questions.schema import FATES
from caphistory.questions.source_text import cached_repositories
from caphistory.questions.successions import moves_between, sites_between
from caphistory.records import ROOT_CHECKS, Row


class Flow(NamedTuple):
    """How many checks that asked for ``before`` ask for ``after`` (or, where that is empty, have
    the fate ``fate``)."""

    before: str
    after: str
    fate: str
    checks: int


def successions(asked: Asked) -> Page:
    """What became of every check between two releases."""
    ends = _ends(asked)
    stored = _between(asked, ends)
    every = stored or []
    privilege = asked.given("privilege")
    privilege = privilege and known_privilege(asked.connection, privilege)
    fate = asked.choice("fate", FATES)
    doubt = asked.given("doubt") is not None
    path = asked.given("path")
    rows = [
        row
        for row in every
        if fate in (None, row["fate"])
        and (privilege is None or privilege in _asked_for(row))
        and path in (None, row["path_before"], row["path_after"])
        and not (doubt and row["certain"])
    ]
    moves = moves_between(asked.connection, ends["from"], ends["to"]) if every else []
    return Page(
        "successions",
        f"What became of each check from {ends['from']} to {ends['to']}",
        {"successions": rows, "moves": moves},
        {
            "ends": ends,
            "compared": stored is not None,
            "rows": rows,
            "before": len({row["site_before"] for row in every} - {None}),
            "flows": _flows(every),
            "fates": FATES,
            "counts": Counter(row["fate"] for row in every),
            "moved": Counter(row["release"] for row in moves if row["move"] == "to capability"),
            "reconsidered": [row for row in moves if row["move"] == "capability changed"],
            "privileges": sorted({name for row in every for name in _asked_for(row)}),
            "chosen": {"fate": fate, "privilege": privilege, "doubt": doubt, "path": path},
            "releases": asked.ask("release_list"),
        },
    )


def succession(asked: Asked) -> Page:
    """One check with its places in both releases, and its source where that is at hand."""
    ends = _ends(asked)
    wanted = {name: asked.given(name) for name in ("before", "after")}
    rows = [row for row in _between(asked, ends) or () if _is_at(row, wanted)]
    if not any(wanted.values()) or not rows:
        raise NothingFound(
            "no such check: the page of all checks between two releases leads to each of them"
        )
    commits = {one["release"]: one["commit_sha"] for one in asked.ask("release_list")}
    sides = [(ends["from"], commits[ends["from"]]), (ends["to"], commits[ends["to"]])]
    shown: list[tuple[Row, FunctionDiff | None, list[tuple[Line | None, Line | None]]]] = []
    problem = None
    for row in rows:
        try:
            found = site_diff(row, sides, cached_repositories())
            shown.append((row, found, list(_beside(found))))
        except CaphistoryError as error:
            problem = str(error)
            shown.append((row, None, []))
    steps = [
        step
        for row in rows[:1]
        if row["path_after"] and row["line_after"]
        for step in asked.ask(
            "succession_history",
            release=ends["to"],
            path=row["path_after"],
            function=row["function_after"],
        )
        if step["line"] == row["line_after"]
    ]
    return Page(
        "succession",
        f"One check from {ends['from']} to {ends['to']}",
        {"successions": rows, "history": steps},
        {"ends": ends, "shown": shown, "problem": problem, "steps": steps, "fates": FATES},
    )


def _ends(asked: Asked) -> dict[str, str]:
    return asked.ask("transition_ends", **{name: asked.release(name) for name in ("from", "to")})[0]


def _between(asked: Asked, ends: dict[str, str]) -> list[Row] | None:
    """The rows between two releases, from the database alone (to compare the text of two kernels
    takes longer than a page may); None where that is not enough."""
    try:
        return sites_between(asked.connection, ends["from"], ends["to"], [])
    except CaphistoryError:
        return None


def _asked_for(row: Row) -> list[str]:
    """The privileges that a row's checks ask for, before and after."""
    names = (
        row[f"capability_{side}"]
        or (row[f"check_{side}"] if row[f"check_{side}"] in ROOT_CHECKS else None)
        for side in ("before", "after")
    )
    return [str(name) for name in names if name]


def _flows(rows: Iterable[Row]) -> list[Flow]:
    """From what to what the checks went, the most frequent first."""
    counts = Counter(
        (
            str(row["capability_before"] or row["check_before"]),
            str(row["capability_after"] or row["check_after"] or ""),
            "" if row["check_after"] else str(row["fate"]),
        )
        for row in rows
        if row["check_before"]
    )
    return [Flow(*names, count) for names, count in counts.most_common()]


def _is_at(row: Row, wanted: dict[str, str | None]) -> bool:
    return all(
        place is None or place == f"{row[f'path_{side}']}:{row[f'line_{side}']}"
        for side, place in wanted.items()
    )


def _beside(found: FunctionDiff) -> Iterable[tuple[Line | None, Line | None]]:
    """The lines of both functions side by side, those that changed facing each other."""
    old: list[Line] = []
    new: list[Line] = []
    for line in [*found.lines, None]:
        if line is not None and line.sign in "+-":
            (new if line.sign == "+" else old).append(line)
            continue
        for at in range(max(len(old), len(new))):
            yield (old[at] if at < len(old) else None, new[at] if at < len(new) else None)
        old, new = [], []
        if line is not None:
            yield line, line
