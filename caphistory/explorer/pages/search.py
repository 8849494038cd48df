"""The search page, and the pages of what is found only there: functions and files."""

from __future__ import annotations

from itertools import groupby

from caphistory.errors import NothingFound
from caphistory.explorer.addresses import Addresses
from caphistory.explorer.pages.page import Asked, Page, Redirect
from caphistory.records import Row

#: So many names of each kind are on the page; the rest is in the CSV.
MOST = 50

HEADINGS = {
    "syscall": "Syscalls",
    "privilege": "Capabilities and root checks",
    "release": "Releases",
    "function": "Functions that check",
    "file": "Files with checks",
}


def search(asked: Asked) -> Page | Redirect:
    """What holds a text in its name; the one thing itself where there is only one."""
    text = asked.given("q")
    rows = asked.ask("search", text=text) if text else []
    if len(rows) == 1:
        return Redirect(found(rows[0], asked.addresses))
    groups = [(kind, list(group)) for kind, group in groupby(rows, lambda one: str(one["kind"]))]
    return Page(
        "search",
        f"Search: {text}" if text else "Search",
        {"search": rows},
        {
            "text": text,
            "groups": [
                (
                    HEADINGS[kind],
                    [(one, found(one, asked.addresses)) for one in group[:MOST]],
                    len(group),
                )
                for kind, group in groups
            ],
            "total": len(rows),
        },
    )


def found(row: Row, addresses: Addresses) -> str:
    """The page of what a row of the query ``search`` names."""
    pages = {
        "syscall": addresses.syscall,
        "privilege": addresses.privilege,
        "release": addresses.release,
        "function": addresses.function,
        "file": addresses.file,
    }
    return pages[row["kind"]](row["name"])


def function(asked: Asked) -> Page:
    """A function that holds check sites: which, since when, and which syscalls come there."""
    name = asked.parts["name"]
    sites = asked.ask("site_runs", function=name)
    if not sites:
        raise NothingFound(f"no function {name!r} holds a check in any release")
    reached = asked.ask("reached_from", function=name, abi=asked.abi)
    return Page(
        "function",
        f"{name}()",
        {"sites": sites, "syscalls": reached},
        {"name": name, "sites": sites, "reached": reached},
    )


def file(asked: Asked) -> Page:
    """A file that holds check sites: which, and since when."""
    path = asked.parts["path"]
    sites = asked.ask("site_runs", path=path)
    if not sites:
        raise NothingFound(f"no check stands in a file {path!r} in any release")
    return Page("file", path, {"sites": sites}, {"path": path, "sites": sites})
