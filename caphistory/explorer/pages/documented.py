"""What the manual of this machine says, beside what a release checks."""

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
from caphistory.questions.names import known_name, newest_release
from caphistory.records import Row

#: So many rows of each verdict are on the page; the rest is in the CSV.
_MOST = 100


def documented(asked: Asked) -> Page:
    """The disagreements of the manual and a release, or all that is known of one syscall or
    capability, or with ``all`` everything. Where this machine has no manual, the page says so."""
    release = asked.release("release") or newest_release(asked.connection)
    about = asked.given("about")
    name = about and known_name(asked.connection, about)
    everything = asked.given("all") is not None
    found: list[Row] = []
    problem = None
    try:
        manual = _manual(tuple(list_manual_folders(None)))
    except NothingFound as missing:
        problem = str(missing)
    else:
        found = compared(asked.connection, manual, release, asked.abi)
    rows = [
        _without_files(row)
        for row in narrowed(found, [name] if name else [], everything=everything)
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
                (verdict, VERDICTS[verdict], of[:_MOST], len(of))
                for verdict in VERDICTS
                if (of := [row for row in rows if row["verdict"] == verdict])
            ],
            "left_out": len(found) - len(rows),
            "everything": everything,
            "places": lambda row: json.loads(row["documented"]),
        },
    )


def read_manual() -> None:
    """Read the manual that ``documented`` compares, which takes longer than Datasette's limit for
    a page allows. Where there is none, the page says so."""
    with suppress(NothingFound):
        _manual(tuple(list_manual_folders(None)))


@lru_cache(maxsize=1)
def _manual(folders: tuple[Path, ...]) -> Documents:
    return read_documents(folders)


def _without_files(row: Row) -> Row:
    """Where this machine keeps its manual is nobody else's business."""
    places = [{**place, "file": None} for place in json.loads(row["documented"])]
    return {**row, "documented": json.dumps(places)}
