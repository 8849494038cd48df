"""The page that compares this machine's manual with what a release checks."""

from __future__ import annotations

import json
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from caphistory.documented.comparing import VERDICTS, compared, narrowed
from caphistory.documented.documents import Documents
from caphistory.documented.manual import list_manual_folders
from caphistory.documented.reading import read_documents
from caphistory.errors import NothingFound
from caphistory.explorer.pages.page import Asked, Page
from caphistory.questions.names import newest_release, resolve_name
from caphistory.records import Row

#: How many rows of each verdict are on the page; the rest is in the CSV.
_MOST = 100


def documented(asked: Asked) -> Page:
    """Return the page of the disagreements between the manual and a release, or of all rows about
    one syscall or capability, or with ``all`` of all rows. It says so if there is no manual."""
    release = asked.release("release") or newest_release(asked.connection)
    about = asked.given("about")
    name = about and resolve_name(asked.connection, about)
    everything = asked.given("all") is not None
    pairs: list[Row] = []
    problem = None
    try:
        manual = _read_manual(tuple(list_manual_folders(None)))
    except NothingFound as missing:
        problem = str(missing)
    else:
        pairs = asked.keep(
            "documented",
            lambda: compared(asked.connection, manual, release, asked.abi),
            release=release,
            abi=asked.abi,
        )
    rows = [
        _without_files(row)
        for row in narrowed(pairs, [name] if name else [], everything=everything)
    ]
    return Page(
        "documented",
        f"The manual and {release}",
        {"documented": rows},
        {
            "release": release,
            "releases": asked.ask("release_list"),
            "about": name,
            "problem": problem,
            "groups": [
                (verdict, VERDICTS[verdict], group[:_MOST], len(group))
                for verdict in VERDICTS
                if (group := [row for row in rows if row["verdict"] == verdict])
            ],
            "left_out": len(pairs) - len(rows),
            "everything": everything,
            "places": lambda row: json.loads(row["documented"]),
        },
    )


def read_manual() -> None:
    """Read and cache the manual that ``documented`` compares, which takes longer than Datasette
    allows for a page. Does nothing if there is none: the page says so."""
    with suppress(NothingFound):
        _read_manual(tuple(list_manual_folders(None)))


@lru_cache(maxsize=1)
def _read_manual(folders: tuple[Path, ...]) -> Documents:
    return read_documents(folders)


def _without_files(row: Row) -> Row:
    """Remove file paths: where this machine keeps its manual is nobody else's business."""
    places = [{**place, "file": None} for place in json.loads(row["documented"])]
    return {**row, "documented": json.dumps(places)}
