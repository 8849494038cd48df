"""How far the answers can be trusted: precision and recall against what readers found.

``python -m tests.truth.measure [--db PATH]`` prints them by release and reach. The pairs of
syscall and check that were judged by reading the kernel stand in ``labels/*.csv``; README.md
tells what the columns mean.
"""

from __future__ import annotations

import argparse
import csv
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from caphistory.paths import cache_folder, data_path
from caphistory.store import open_reader
from caphistory.store.default import unpack_once

LABELS = Path(__file__).parent / "labels"
REACHES = ("direct", "call", "pointer")
COLUMNS = (
    *("release", "syscall", "check_name", "capability", "path", "line"),
    *("verdict", "feasible", "reach", "drawn", "why"),
)


class Pair(NamedTuple):
    """A syscall, of the table that a question about the release means (``usual_abis``), and a
    check site of the release."""

    release: str
    syscall: str
    check_name: str
    capability: str
    path: str
    line: int


@dataclass(frozen=True)
class Label:
    """What a reader found out about a pair."""

    pair: Pair
    verdict: str
    feasible: str
    reach: str
    drawn: str
    why: str

    @property
    def expected(self) -> bool:
        """Whether the check can be asked on behalf of the syscall."""
        return self.verdict == "right" and self.feasible != "0"

    @property
    def from_program(self) -> bool:
        """Whether the pair was drawn from the answers: such labels tell of precision."""
        return self.drawn in ("program", "both")

    @property
    def from_source(self) -> bool:
        """Whether the pair was drawn from the source: such labels tell of recall."""
        return self.drawn in ("source", "both")


class Answer(NamedTuple):
    """What the program says of a pair; ``told``: without being asked for all rows."""

    feasible: bool
    reach: str
    told: bool = True


@dataclass(frozen=True)
class Share:
    """So many of so many."""

    part: int
    whole: int

    @property
    def value(self) -> float | None:
        """The share, from 0 to 1; None where there was nothing to share."""
        return self.part / self.whole if self.whole else None

    def __str__(self) -> str:
        return f"{self.part}/{self.whole} ({self.part / self.whole:.1%})" if self.whole else "–"


@dataclass(frozen=True)
class Figures:
    """What the labels say of one release and one reach.

    ``precision``: of the pairs drawn from the answers and answered, those that are so; by the
    reach that the program gives; ``by_default``: the same for those that are answered without
    ``--all``. ``recall``: of the pairs found in the source, those that are
    answered; by the reach that the reader gives. ``switched_off``: of the pairs that the
    program keeps back as switched off, those that are never asked.
    """

    release: str
    reach: str
    by_default: Share
    precision: Share
    recall: Share
    switched_off: Share


def read_labels(folder: Path = LABELS) -> list[Label]:
    """The labels of every release, in the order of the files."""
    found = []
    for path in sorted(folder.glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            found += [_label(row) for row in csv.DictReader(file)]
    return found


def _label(row: Mapping[str, str]) -> Label:
    release, syscall, check_name, capability, path = (row[name] for name in COLUMNS[:5])
    pair = Pair(release, syscall, check_name, capability, path, int(row["line"]))
    return Label(pair, *(row[name] for name in COLUMNS[6:]))


def read_answers(db: sqlite3.Connection, releases: Iterable[str]) -> dict[Pair, Answer]:
    """What the database answers; of two checks in one line, the one that is asked."""
    answers: dict[Pair, Answer] = {}
    for release in releases:
        query = """SELECT release, syscall, check_name, coalesce(capability, ''), path, line,
                feasible, reach, standing IN ('own', 'shared') AS told
            FROM syscall_checks JOIN usual_abis USING (release, abi) WHERE release = ?
            ORDER BY told, feasible, pointer_hops DESC, depth DESC"""
        for *pair, feasible, reach, told in db.execute(query, (release,)):
            answers[Pair(*pair)] = Answer(bool(feasible), reach, bool(told))
    return answers


def measured(labels: Iterable[Label], answers: Mapping[Pair, Answer]) -> list[Figures]:
    """The figures for each release and reach that the labels tell of."""
    by_release: dict[str, list[Label]] = {}
    for label in labels:
        by_release.setdefault(label.pair.release, []).append(label)
    return [
        _figures(release, reach, of_release, answers)
        for release, of_release in by_release.items()
        for reach in REACHES
    ]


def _figures(
    release: str, reach: str, labels: Iterable[Label], answers: Mapping[Pair, Answer]
) -> Figures:
    by_default, given, kept_back, wanted = [], [], [], []
    for label in labels:
        answer = answers.get(label.pair)
        if label.from_program and answer is not None and answer.reach == reach:
            if answer.feasible:
                given.append(label.expected)
                by_default += [label.expected] if answer.told else []
            else:
                kept_back.append(not label.expected)
        if label.from_source and label.expected and label.reach == reach:
            wanted.append(answer is not None and answer.feasible)
    shares = map(_share, (by_default, given, wanted, kept_back))
    return Figures(release, reach, *shares)


def _share(verdicts: list[bool]) -> Share:
    return Share(sum(verdicts), len(verdicts))


def table(figures: Iterable[Figures]) -> str:
    """The figures as a Markdown table."""
    rows = [
        "| release | reach | precision | with `--all` | recall | rightly kept back |",
        "|---|---|--:|--:|--:|--:|",
        *(f"| {' | '.join(map(str, _cells(one)))} |" for one in figures),
    ]
    return "\n".join(rows)


def _cells(one: Figures) -> tuple[object, ...]:
    return (
        *(one.release, one.reach),
        *(one.by_default, one.precision, one.recall, one.switched_off),
    )


def shipped() -> Path:
    """The database with the facts that ship with the package."""
    return unpack_once(data_path("facts.xz"), cache_folder())


def main() -> None:
    """Print the table, and each label that the answers contradict where ``--wrong`` asks."""
    parser = argparse.ArgumentParser(prog="python -m tests.truth.measure", description=__doc__)
    parser.add_argument("--db", help="the database to measure (default: the shipped facts)")
    parser.add_argument("--wrong", action="store_true", help="list what the labels contradict")
    arguments = parser.parse_args()
    labels = read_labels()
    with closing(open_reader(arguments.db or shipped())) as db:
        answers = read_answers(db, {label.pair.release for label in labels})
    print(table(measured(labels, answers)))
    if arguments.wrong:
        for label in contradicted(labels, answers):
            print(f"{' '.join(map(str, label.pair))}: {label.why}")


def contradicted(labels: Iterable[Label], answers: Mapping[Pair, Answer]) -> list[Label]:
    """The labels, however drawn, that the answers contradict."""
    silent = Answer(False, "")
    return [label for label in labels if label.expected != answers.get(label.pair, silent).feasible]


if __name__ == "__main__":
    main()
