"""Rows of the shipped facts, drawn at random, held against the real source.

What a row says of a line must stand in that line: the check's name at a check site, the
callee's or the member's name at each step of a chain. (Whether the step is the right one
is for readers to judge; that nothing points to a wrong line, a machine can.)
"""

from __future__ import annotations

import itertools
import json
import random
import sqlite3

from tests.truth.conftest import Line

SAMPLE = 300


def drawn(db: sqlite3.Connection, query: str) -> list[sqlite3.Row]:
    """Rows of random releases of the default history, a few of each."""
    draw = random.Random(1991)
    releases = [
        row["release"]
        for row in db.execute("SELECT release FROM releases WHERE source LIKE '%/linux-history'")
    ]
    rows: list[sqlite3.Row] = []
    while len(rows) < SAMPLE:
        found = db.execute(query, (draw.choice(releases),)).fetchall()
        rows += draw.sample(found, min(3, len(found)))
    return rows


def test_a_check_site_names_the_line_that_asks(shipped: sqlite3.Connection, line: Line) -> None:
    wrappers = {
        (row["release"], row["check_name"]): row["name"]
        for row in shipped.execute("SELECT release, check_name, name FROM wrappers")
    }
    wrong = []
    for row in drawn(shipped, "SELECT * FROM check_sites WHERE release = ?"):
        text = line(row["release"], row["path"], row["line"])
        name = "uid" if row["check_name"] == "uid0" else row["check_name"]
        wrapper = wrappers.get((row["release"], row["check_name"]), name)
        if name not in text and wrapper not in text:
            wrong.append((row["release"], row["path"], row["line"], name))
    assert not wrong


def test_a_step_names_the_line_that_goes_on(shipped: sqlite3.Connection, line: Line) -> None:
    wrong = []
    for row in drawn(shipped, "SELECT release, chain FROM telling_checks WHERE release = ?"):
        chain = json.loads(row["chain"])
        for step, following in itertools.pairwise(chain):
            text = line(row["release"], step["path"], step["line"])
            # A member may be copied to a local before it is called: then only a call is seen.
            member = (step["via"] or "").rpartition(".")[2]
            if following["function"] not in text and not (
                step["edge"] == "pointer" and (member in text or "(" in text)
            ):
                wrong.append((row["release"], step, following["function"]))
    assert not wrong
