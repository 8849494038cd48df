"""A database whose every text tries to become markup: no page lets it."""

from __future__ import annotations

import html
import re
import sqlite3
from collections import deque
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from datasette.app import Datasette

from caphistory.explorer.server import explorer_application
from caphistory.store.tables import TABLES
from tests.explorer.asking import page
from tests.kernels.database import build_history

# In capitals, as capabilities are looked up in capitals.
EVIL = "\"'><SCRIPT>ALERT(1)</SCRIPT><IMG SRC=X ONERROR=ALERT(1)>&LT;"

#: What the program itself reads, so that other texts would be no database of its own.
KEPT = {
    ("meta", "key"),
    ("meta", "value"),
    ("chains", "edges"),
    ("meanings", "instead"),
    ("syscall_names", "abi"),
    ("site_shared", "abi"),
    ("stored_releases", "kind"),
    ("stored_releases", "series"),
}
START = (
    "/",
    "/transition",
    "/transition?all=1",
    "/transition?from=&to=",
    "/syscall",
    "/capability",
    "/matrix",
    "/container",
    "/release",
    "/search?q=%3CSCRIPT",
    "/search?q=nothing%3CSCRIPT%3E",
    "/syscall/%3CSCRIPT%3E",
    "/transition?series=%3CSCRIPT%3E",
    "/caphistory",
)
TABLES_THEMSELVES = tuple(f"/caphistory/{table.name}" for table in TABLES)
MOST = 1000


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Datasette:
    """The explorer of a small history with EVIL behind every text of every table."""
    database: Path = build_history(tmp_path_factory.mktemp("hostile") / "history.db")
    with closing(sqlite3.connect(database)) as db, db:
        for table in TABLES:
            for column in table.columns:
                if column.type is str and (table.name, column.name) not in KEPT:
                    db.execute(
                        f"UPDATE {table.name} SET {column.name} = {column.name} || ?", [EVIL]
                    )
    return explorer_application(database, time_limit_ms=5000)


def is_harmless(response: httpx.Response) -> bool:
    """Whether a browser would show EVIL as the text that it is."""
    if response.headers.get("content-type", "").startswith("text/html"):
        # Scripts of Datasette's own pages are written in small letters.
        return "<SCRIPT" not in response.text and "<IMG" not in response.text
    return response.headers["x-content-type-options"] == "nosniff"


def test_no_text_becomes_markup_on_any_page_that_links_lead_to(hostile: Datasette) -> None:
    # The pages of this package before Datasette's, whose tables have many rows.
    waiting, rows = deque(START), deque(TABLES_THEMSELVES)
    seen, kinds, wrong = {*waiting, *rows}, set(), {}
    for _ in range(MOST):
        if not waiting and not rows:
            break
        address = (waiting or rows).popleft()
        response = page(hostile, address)
        kinds.add(address.split("/")[1].partition("?")[0].partition(".")[0])
        if response.status_code >= 500 or not is_harmless(response):
            wrong[address] = response.status_code
        for link in re.findall(r'(?:href|action)="(/[^"#]*)', response.text):
            found = html.unescape(link)
            # The tables have links without end, such as sorting and filters.
            endless = found.startswith("/caphistory/") and "?" in found
            if found not in seen and not endless and not found.startswith("/-/"):
                seen.add(found)
                (rows if found.startswith("/caphistory/") else waiting).append(found)
    assert wrong == {}
    own = {"transition", "syscall", "capability", "release", "chain", "diff", "function", "file"}
    assert kinds >= {"", "search", "caphistory", *own}


def test_no_address_from_a_database_leaves_its_attribute(hostile: Datasette) -> None:
    text = page(hostile, "/syscall").text
    links = re.findall(r'<th scope="row"><a href="([^"]*)">', text)
    assert len(links) == 8
    assert not [link for link in links if re.search("[<>' ]", link)]
    assert {page(hostile, html.unescape(link)).status_code for link in links} == {200}
