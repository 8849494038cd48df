"""Rows of the shipped facts, drawn at random, held against the real source, and so those of the
small history.

What a row says of a line must stand in that line: the check's name at a check site, the
callee's or the member's name at each step of a chain. (Whether the step is the right one
is for readers to judge; that nothing points to a wrong line, a machine can.)
"""

from __future__ import annotations

import itertools
import json
import random
import sqlite3

from tests.truth.conftest import RowsAndSource

SAMPLE = 300


def drawn(history: RowsAndSource, query: str) -> list[sqlite3.Row]:
    """Rows of random releases of a history, a few of each."""
    draw = random.Random(1991)
    rows: list[sqlite3.Row] = []
    while len(rows) < SAMPLE:
        some = history.db.execute(query, (draw.choice(history.releases),)).fetchall()
        rows += draw.sample(some, min(3, len(some)))
    return rows


def test_a_check_site_names_the_line_that_asks(rows_and_source: RowsAndSource) -> None:
    db, _, line = rows_and_source
    wrappers: dict[tuple[str, str], set[str]] = {}
    for row in db.execute("SELECT release, check_name, name FROM wrappers"):
        wrappers.setdefault((row["release"], row["check_name"]), set()).add(row["name"])
    wrong = []
    for row in drawn(rows_and_source, "SELECT * FROM check_sites WHERE release = ?"):
        text = line(row["release"], row["path"], row["line"])
        name = "uid" if row["check_name"] == "uid0" else row["check_name"]
        others = wrappers.get((row["release"], row["check_name"]), ())
        if not any(each in text for each in (name, *others)):
            wrong.append((row["release"], row["path"], row["line"], name))
    assert not wrong


def test_a_step_names_the_line_that_goes_on(rows_and_source: RowsAndSource) -> None:
    wrong = []
    query = "SELECT release, chain FROM requirements WHERE release = ?"
    for row in drawn(rows_and_source, query):
        chain = json.loads(row["chain"])
        for step, following in itertools.pairwise(chain):
            text = rows_and_source.line(row["release"], step["path"], step["line"])
            if following["function"] not in text:
                # An argument of a macro may stand on its second line (NF_HOOK in ip_input.c, 2.3).
                text += rows_and_source.line(row["release"], step["path"], step["line"] + 1)
            # A member may be copied to a local before it is called: then only a call is seen.
            member = (step["via"] or "").rpartition(".")[2]
            if following["function"] not in text and not (
                step["via"] and (member in text or "(" in text)
            ):
                wrong.append((row["release"], step, following["function"]))
    assert not wrong
