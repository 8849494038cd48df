"""The search page, and the pages that only the search leads to: functions and files."""

from __future__ import annotations

from itertools import groupby

from caphistory.errors import NothingFound
from caphistory.explorer.addresses import Addresses
from caphistory.explorer.pages.page import Asked, Page, Redirect
from caphistory.records import Row

#: How many names of each kind are on the page; the rest is in the CSV.
MOST = 50

HEADINGS = {
    "syscall": "Syscalls",
    "privilege": "Capabilities and root checks",
    "release": "Releases",
    "function": "Functions that check",
    "file": "Files with checks",
}


def search(asked: Asked) -> Page | Redirect:
    """Return the page of the names that contain a text; a redirect if there is only one."""
    text = asked.given("q")
    rows = asked.ask("search", text=text) if text else []
    if len(rows) == 1:
        return Redirect(find_page(rows[0], asked.addresses))
    groups = [(kind, list(group)) for kind, group in groupby(rows, lambda row: str(row["kind"]))]
    return Page(
        "search",
        f"Search: {text}" if text else "Search",
        {"search": rows},
        {
            "text": text,
            "groups": [
                (
                    HEADINGS[kind],
                    [(row, find_page(row, asked.addresses)) for row in group[:MOST]],
                    len(group),
                )
                for kind, group in groups
            ],
            "total": len(rows),
        },
    )


def find_page(row: Row, addresses: Addresses) -> str:
    """Return the address of the page for a row of the query ``search``."""
    pages = {
        "syscall": addresses.syscall,
        "privilege": addresses.privilege,
        "release": addresses.release,
        "function": addresses.function,
        "file": addresses.file,
    }
    return pages[row["kind"]](row["name"])


def function(asked: Asked) -> Page:
    """Return the page of a function: its check sites, since when, and which syscalls reach them."""
    name = asked.parts["name"]
    sites = asked.ask("sites_through_releases", function=name)
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
    """Return the page of a file: its check sites, and since when."""
    path = asked.parts["path"]
    sites = asked.ask("sites_through_releases", path=path)
    if not sites:
        raise NothingFound(f"no check stands in a file {path!r} in any release")
    return Page("file", path, {"sites": sites}, {"path": path, "sites": sites})
