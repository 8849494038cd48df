"""The search page, and the pages that only the search leads to: functions and files."""

from __future__ import annotations

import sqlite3
from difflib import get_close_matches
from itertools import groupby

from caphistory.errors import NothingFound
from caphistory.explorer.addresses import Addresses
from caphistory.explorer.pages.page import Asked, Page, Redirect
from caphistory.questions.answers import PERMITS
from caphistory.questions.answers import search as find
from caphistory.questions.names import list_privileges, list_releases, list_syscalls
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
    """Return the page of what a text finds; a redirect if all of it is on one page."""
    text = asked.given("q")
    rows = find(asked.connection, text) if text else []
    pages = dict.fromkeys(find_page(row, asked.addresses) for row in rows)
    if len(pages) == 1:
        return Redirect(*pages)
    permitting = [row for row in rows if row["kind"] == PERMITS]
    named = rows[len(permitting) :]
    groups = [(kind, list(group)) for kind, group in groupby(named, lambda row: str(row["kind"]))]
    return Page(
        "search",
        f"Search: {text}" if text else "Search",
        {"search": rows},
        {
            "text": text,
            "permitting": permitting,
            # Who names a thing wants that first.
            "named_exactly": any(row["name"] == text for row in named),
            "near": suggest(asked.connection, text, asked.addresses) if text and not rows else [],
            "groups": [
                (
                    HEADINGS[kind],
                    [(row, find_page(row, asked.addresses)) for row in group[:MOST]],
                    len(group),
                )
                for kind, group in groups
            ],
            "total": len(named),
        },
    )


def suggest(
    connection: sqlite3.Connection, text: str, addresses: Addresses
) -> list[tuple[str, str]]:
    """Return the names that are nearest to ``text``, each with the address of its page."""
    pages = {
        **{name: addresses.release(name) for name in list_releases(connection)},
        **{name: addresses.privilege(name) for name in list_privileges(connection)},
        **{name: addresses.syscall(name) for name in list_syscalls(connection)},
    }
    wanted = text.strip()
    spellings = (wanted, wanted.lower().removeprefix("sys_"), f"CAP_{wanted.upper()}")
    near = [name for each in spellings for name in get_close_matches(each, pages, 4, 0.65)]
    return [(name, pages[name]) for name in dict.fromkeys(near)][:6]


def find_page(row: Row, addresses: Addresses) -> str:
    """Return the address of the page for a row of ``answers.search``."""
    pages = {
        PERMITS: addresses.privilege,
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
        f"What {name}() of Linux checks, in which releases, and which syscalls reach it.",
    )


def file(asked: Asked) -> Page:
    """Return the page of a file: its check sites, and since when."""
    path = asked.parts["path"]
    sites = asked.ask("sites_through_releases", path=path)
    if not sites:
        raise NothingFound(f"no check stands in a file {path!r} in any release")
    return Page(
        "file",
        path,
        {"sites": sites},
        {"path": path, "sites": sites},
        f"Where {path} of the Linux kernel asks for privilege, and in which releases.",
    )
