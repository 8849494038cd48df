"""The pages of check sites between two releases: all of them, and one with its source."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from caphistory.errors import CaphistoryError, NothingFound
from caphistory.explorer.pages.home import BECAME, judge_places
from caphistory.explorer.pages.page import Asked, Page
from caphistory.explorer.pages.paging import cut_page
from caphistory.explorer.ribbons import Flow
from caphistory.explorer.sourcediff import FunctionDiff, Line, diff_site
from caphistory.questions.names import resolve_privilege
from caphistory.questions.schema import FATES
from caphistory.questions.source_text import cached_repositories
from caphistory.questions.successions import compare_sites, list_moves
from caphistory.records import ROOT_CHECKS, Row


def successions(asked: Asked) -> Page:
    """Return the page of what became of every check between two releases."""
    ends = _find_ends(asked)
    stored = _compare(asked, ends)
    every = stored or []
    privilege = asked.given("privilege")
    privilege = privilege and resolve_privilege(asked.connection, privilege)
    fate = asked.choice("fate", FATES)
    doubt = asked.given("doubt") is not None
    path = asked.given("path")
    after = asked.given("after")
    became = asked.choice("became", BECAME)
    places = judge_places(every)
    rows = [
        row
        for row in every
        if (fate or row["fate"]) == row["fate"]
        # What is new has no ancestor; there are thousands, which are shown when asked for.
        and (fate == "new" or row["fate"] != "new")
        and after in (None, _name_after(row))
        and became in (None, places.get(str(row["site_before"])))
        and (privilege is None or privilege in _list_privileges(row))
        and path in (None, row["path_before"], row["path_after"])
        and not (doubt and row["certain"])
    ]
    moves = list_moves(asked.connection, ends["from"], ends["to"]) if every else []
    shown, pages = cut_page(asked, rows)
    return Page(
        "successions",
        f"What became of each check from {ends['from']} to {ends['to']}",
        {"successions": rows, "moves": moves},
        {
            "ends": ends,
            "compared": stored is not None,
            "rows": shown,
            "total": len(rows),
            "pages": pages,
            "became": became and BECAME[became],
            "before": len({row["site_before"] for row in every} - {None}),
            "flows": count_flows(every),
            "fates": FATES,
            "counts": Counter(row["fate"] for row in every),
            "moved": Counter(row["release"] for row in moves if row["move"] == "to capability"),
            "reconsidered": [row for row in moves if row["move"] == "capability changed"],
            "privileges": sorted({name for row in every for name in _list_privileges(row)}),
            "chosen": {
                "fate": fate,
                "privilege": privilege,
                "doubt": doubt,
                "path": path,
                "after": after,
                "became": became,
            },
            "releases": asked.ask("release_list"),
        },
        f"What became of each place that asked for privilege in {ends['from']}: what it asks for in"
        f" {ends['to']}.",
    )


def succession(asked: Asked) -> Page:
    """Return the page of one check: its places in both releases, and its source if available."""
    ends = _find_ends(asked)
    wanted = {name: asked.given(name) for name in ("before", "after")}
    rows = [row for row in _compare(asked, ends) or () if _is_at(row, wanted)]
    if not any(wanted.values()) or not rows:
        raise NothingFound(
            "no such check: the page of all checks between two releases leads to each of them"
        )
    commits = {row["release"]: row["commit_sha"] for row in asked.ask("release_list")}
    sides = [(ends["from"], commits[ends["from"]]), (ends["to"], commits[ends["to"]])]
    shown: list[tuple[Row, FunctionDiff | None, list[tuple[Line | None, Line | None]]]] = []
    problem = None
    for row in rows:
        try:
            functions = diff_site(row, sides, cached_repositories())
            shown.append((row, functions, list(_align(functions))))
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


def _find_ends(asked: Asked) -> dict[str, str]:
    return asked.ask("transition_ends", **{name: asked.release(name) for name in ("from", "to")})[0]


def _compare(asked: Asked, ends: dict[str, str]) -> list[Row] | None:
    """Return the rows between two releases from the database alone, because comparing the source of
    two kernels takes too long for a page; None if it does not hold them."""
    try:
        return compare_sites(asked.connection, ends["from"], ends["to"], [])
    except CaphistoryError:
        return None


def _list_privileges(row: Row) -> list[str]:
    """Return the privileges that a row's checks ask for, before and after."""
    names = (
        row[f"capability_{side}"]
        or (row[f"check_{side}"] if row[f"check_{side}"] in ROOT_CHECKS else None)
        for side in ("before", "after")
    )
    return [str(name) for name in names if name]


def count_flows(rows: Iterable[Row]) -> list[Flow]:
    """Count what the checks asked for before and after, the most frequent pair first; ``rows`` are
    of the query ``successions_between``."""
    counts = Counter(
        (
            str(row["capability_before"] or row["check_before"]),
            _name_after(row),
            "" if row["check_after"] else str(row["fate"]),
        )
        for row in rows
        if row["check_before"]
    )
    return [Flow(*names, count) for names, count in counts.most_common()]


def _name_after(row: Row) -> str:
    """Return what a check asks for in the later release, else what became of it."""
    return str(row["capability_after"] or row["check_after"] or row["fate"])


def _is_at(row: Row, wanted: dict[str, str | None]) -> bool:
    return all(
        place is None or place == f"{row[f'path_{side}']}:{row[f'line_{side}']}"
        for side, place in wanted.items()
    )


def _align(functions: FunctionDiff) -> Iterable[tuple[Line | None, Line | None]]:
    """Yield the lines of both functions side by side, with changed lines opposite each other."""
    old: list[Line] = []
    new: list[Line] = []
    for line in [*functions.lines, None]:
        if line is not None and line.sign in "+-":
            (new if line.sign == "+" else old).append(line)
            continue
        for at in range(max(len(old), len(new))):
            yield (old[at] if at < len(old) else None, new[at] if at < len(new) else None)
        old, new = [], []
        if line is not None:
            yield line, line
