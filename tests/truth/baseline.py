"""The accounting of a handful of releases, as figures that are kept.

``python -m tests.truth.baseline [--db PATH]`` writes those that a database holds (the shipped
facts, unless another is named) into ``baseline.csv`` and leaves the others. A later change that
loses or gains a site moves a figure, and the test that compares them says which: look at the
source before writing it anew.
"""

from __future__ import annotations

import argparse
import csv
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from caphistory.paths import cache_folder, data_path
from caphistory.questions.queries import ask
from caphistory.store import open_reader
from caphistory.store.default import unpack_once

BASELINE = Path(__file__).parent / "baseline.csv"
# Single trees, which take minutes each.
MODERN = ("4.15", "5.15", "6.1.192", "6.8", "6.12.117")
# One or more of each era.
SHIPPED = (
    *("0.01", "0.12", "0.99", "1.0", "1.2.13", "2.0.40", "2.1.91", "2.1.100", "2.2.24"),
    *("2.3.51", "2.4.31", "2.5.75", "2.6.11.1", *MODERN),
)

Figures = dict[str, int]

_SITES = """SELECT coalesce(sum(check_name = 'uid0'), 0) AS uid0,
        coalesce(sum(capability IS NOT NULL), 0) AS with_capability
    FROM check_sites WHERE release = ?"""


def figures(db: sqlite3.Connection, releases: Iterable[str]) -> dict[str, Figures]:
    """What ``caphistory audit`` counts, and the sites with a capability and with a raw test of a
    uid, for those of the releases that the database holds."""
    found = {}
    for release in releases:
        for row in ask(db, "audit_by_release", release=release):
            counts = row | dict(db.execute(_SITES, (release,)).fetchone())
            found[release] = {name: n for name, n in counts.items() if name != "release"}
    return found


def kept(path: Path = BASELINE) -> dict[str, Figures]:
    """The figures that were written last."""
    with path.open(encoding="utf-8", newline="") as file:
        return {
            row.pop("release"): {name: int(n) for name, n in row.items()}
            for row in csv.DictReader(file)
        }


def write(found: dict[str, Figures], path: Path = BASELINE) -> None:
    """Keep figures."""
    with path.open("w", encoding="utf-8", newline="") as file:
        names = ["release", *next(iter(found.values()))]
        writer = csv.DictWriter(file, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows({"release": release} | row for release, row in found.items())


def main() -> None:
    """Write the baseline."""
    parser = argparse.ArgumentParser(description="Writes the baseline from a database.")
    parser.add_argument("--db", type=Path, help="a database (default: the shipped facts)")
    path = parser.parse_args().db or unpack_once(Path(data_path("facts.xz")), cache_folder())
    with closing(open_reader(path)) as db:
        found = figures(db, SHIPPED)
    known = kept() if BASELINE.exists() else {}
    write({name: (known | found)[name] for name in SHIPPED if name in known | found})
    print(f"{len(found)} releases: {', '.join(found)}")


if __name__ == "__main__":
    main()
