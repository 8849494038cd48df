"""Read facts of schema 3, which had no meanings and no requirements. To go with the next facts that
ship."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from typing import Any

from caphistory.store.reassess import reassess
from caphistory.store.runs import Fact
from caphistory.store.tables import (
    FACT_TABLES,
    RUN_TABLES,
    SUCCESSION_TABLES,
    Column,
    Table,
    make_fact_table,
    make_run_table,
)

EARLIER = (2, 3)
"""Format and schema of the header."""


def _number(name: str) -> Column:
    return Column(name, int, name)


_PRIVILEGES = make_fact_table(
    "privileges", "", Column("check_name", str, ""), Column("capability", str, "")
)
_CHECK_RUNS = make_run_table(
    "check_runs",
    "",
    (_number("name"), _number("chain")),
    (_number("conditional"), _number("feasible")),
)
_PRIVILEGE_RUNS = make_run_table(
    "privilege_runs",
    "",
    (_number("name"), _number("privilege")),
    (Column("reach", str, ""), _number("feasible"), _number("telling")),
)
_SUMMARY_RUNS = make_run_table("summary_runs", "", (_number("name"),), (Column("checks", str, ""),))

_LATER = ("meanings", "requirement_runs", "asked_runs", "timeline_runs")
_OTHERS = {"privileges": _PRIVILEGES, "check_runs": _CHECK_RUNS, "privilege_runs": _PRIVILEGE_RUNS}

Unpack = Callable[[Table], Iterator[Fact]]


def unpack_earlier(db: sqlite3.Connection, unpack: Unpack, runs: Unpack) -> None:
    """Store what a file of the earlier format holds; ``unpack`` reads the next table, ``runs`` the
    next run table."""
    checks: list[Fact] = []
    for table in (*FACT_TABLES, *RUN_TABLES, *SUCCESSION_TABLES):
        if table.name == "entry_runs":
            list(runs(_SUMMARY_RUNS))
        if table.name in _LATER:
            continue
        if table.name == "check_runs":
            checks = list(runs(_CHECK_RUNS))
        elif table.name in _OTHERS:
            reader = runs if table.name == "privilege_runs" else unpack
            list(reader(_OTHERS[table.name]))
        else:
            db.executemany(table.insert, unpack(table))
    db.execute(
        "INSERT INTO privileges (privilege)"
        " SELECT DISTINCT coalesce(capability, check_name) FROM sites ORDER BY 1"
    )
    meaning_of = _add_meanings(db)
    (insert,) = (table.insert for table in RUN_TABLES if table.name == "check_runs")
    db.executemany(
        insert,
        (
            (name, chain, meaning_of[chain], conditional, feasible, 0, 1, first, last)
            for name, chain, conditional, feasible, first, last in checks
        ),
    )
    reassess(db)


def _add_meanings(db: sqlite3.Connection) -> dict[Any, int]:
    """Store what the check sites say themselves, and return the meaning of each chain."""
    said = """SELECT '' AS operation, s.effect, s.errno, '[]' AS instead,
        CASE s.check_name WHEN 'file_ns_capable' THEN 'opener' ELSE 'caller' END AS subject,
        CASE WHEN s.check_name GLOB '*ns_capab*' THEN 'owner' END AS namespace"""
    db.execute(
        "INSERT INTO meanings (operation, effect, errno, instead, subject, namespace)"
        f" SELECT DISTINCT * FROM ({said} FROM sites AS s) ORDER BY effect, errno"
    )
    return dict(
        db.execute(
            f"SELECT said.chain, m.id FROM ({said}, c.id AS chain"
            " FROM chains AS c JOIN sites AS s ON s.id = c.site) AS said JOIN meanings AS m"
            " ON m.effect = said.effect AND m.errno IS said.errno AND m.subject = said.subject"
            " AND m.namespace IS said.namespace"
        ).fetchall()
    )
