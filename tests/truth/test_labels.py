"""The answers hold against what readers found in the kernel, and the labels are sound."""

from __future__ import annotations

import csv
import sqlite3
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.truth.conftest import Line
from tests.truth.measure import (
    COLUMNS,
    LABELS,
    REACHES,
    Answer,
    Label,
    Pair,
    contradicted,
    measured,
    read_answers,
    read_labels,
    table,
)

# What the labels measured: precision of what is answered by default and of all that is
# answered, and recall, by release and reach. The shipped facts may not fall under it; where
# they rise above it, raise it.
MEASURED: dict[tuple[str, str], tuple[float, float, float]] = {
    ("2.0.40", "direct"): (1.0, 1.0, 1.0),
    ("2.0.40", "call"): (1.0, 1.0, 1.0),
    ("2.0.40", "pointer"): (0.8, 0.745, 1.0),
    ("2.2.24", "direct"): (1.0, 1.0, 1.0),
    ("2.2.24", "call"): (1.0, 1.0, 1.0),
    ("2.2.24", "pointer"): (0.9, 0.735, 1.0),
    ("6.12.117", "direct"): (1.0, 1.0, 1.0),
    ("6.12.117", "call"): (1.0, 0.977, 1.0),
    ("6.12.117", "pointer"): (0.951, 0.838, 0.91),
}

READ = read_labels()


@pytest.mark.parametrize("path", sorted(LABELS.glob("*.csv")), ids=lambda path: path.stem)
def test_a_file_of_labels_is_well_formed(path: Path) -> None:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert tuple(rows[0]) == COLUMNS
    assert {len(row) for row in rows} == {len(COLUMNS)}
    assert {row[0] for row in rows[1:]} == {path.stem}
    keys = [(row[4], int(row[5]), row[2], row[3], row[1]) for row in rows[1:]]
    assert keys == sorted(keys)


def test_a_pair_is_judged_once() -> None:
    assert [pair for pair, n in Counter(one.pair for one in READ).items() if n > 1] == []


@pytest.mark.parametrize("release", sorted({one.pair.release for one in READ}))
def test_the_words_of_the_labels_are_those_of_the_format(release: str) -> None:
    for label in READ:
        if label.pair.release == release:
            wrong = label.verdict == "wrong"
            assert label.verdict in ("right", "wrong"), label
            assert label.drawn in ("program", "source", "both"), label
            assert label.feasible in (("",) if wrong else ("", "0", "1")), label
            assert label.reach in (("",) if wrong else REACHES), label
            assert label.why.strip(), label


def test_every_check_that_is_judged_stands_in_its_line(
    line: Line, shipped: sqlite3.Connection
) -> None:
    sites = {
        tuple(row)
        for row in shipped.execute("SELECT release, check_name, name, capability FROM wrappers")
    }
    history = "SELECT release FROM releases WHERE source LIKE '%/linux-history'"
    there = {release for (release,) in shipped.execute(history)}
    wrong = []
    for pair in {one.pair for one in READ if one.pair.release in there}:
        text = line(pair.release, pair.path, pair.line)
        name = "uid" if pair.check_name == "uid0" else pair.check_name
        wrappers = [w for r, check, w, _ in sites if (r, check) == (pair.release, pair.check_name)]
        if not any(one in text for one in (name, *wrappers)):
            wrong.append(pair)
    assert wrong == []


def test_every_syscall_that_is_judged_is_in_the_table(shipped: sqlite3.Connection) -> None:
    query = "SELECT syscall FROM syscalls JOIN usual_abis USING (release, abi) WHERE release = ?"
    for release in {one.pair.release for one in READ}:
        known = {row[0] for row in shipped.execute(query, (release,))}
        assert {one.pair.syscall for one in READ if one.pair.release == release} <= known


def test_the_shipped_facts_do_not_fall_under_what_was_measured(
    shipped: sqlite3.Connection,
) -> None:
    answers = read_answers(shipped, {one.pair.release for one in READ})
    figures = {(one.release, one.reach): one for one in measured(READ, answers)}
    assert set(figures) == set(MEASURED)
    fallen = [
        f"{release} {reach} {name}: {share}, measured {least:.3f}"
        for (release, reach), floor in MEASURED.items()
        for name, least in zip(("by_default", "precision", "recall"), floor, strict=True)
        for share in [getattr(figures[release, reach], name)]
        if (share.value or 0) < least - 0.0005
    ]
    assert fallen == []


def label(syscall: str, verdict: str = "right", feasible: str = "1", drawn: str = "both") -> Label:
    reach = "call" if verdict == "right" else ""
    return Label(pair(syscall), verdict, feasible, reach, drawn, "read")


def pair(syscall: str) -> Pair:
    return Pair("9.9", syscall, "suser", "", "fs/a.c", 7)


ASKED = Answer(feasible=True, reach="call")
KEPT_BACK = Answer(feasible=False, reach="call")


def of_calls(labels: list[Label], answers: dict[str, Answer]) -> tuple[str, str, str]:
    figures = measured(labels, {pair(name): answer for name, answer in answers.items()})
    found = next(one for one in figures if one.reach == "call")
    return str(found.precision), str(found.recall), str(found.switched_off)


def test_precision_counts_what_was_drawn_from_the_answers() -> None:
    labels = [
        label("open"),
        label("read", "wrong", "", "program"),
        label("write", feasible="0"),
        label("close", drawn="source"),
    ]
    answers = dict.fromkeys(("open", "read", "write", "close", "fork"), ASKED)
    assert of_calls(labels, answers)[0] == "1/3 (33.3%)"


def test_precision_by_default_counts_what_is_answered_without_asking_for_all() -> None:
    labels = [label("open"), label("read", "wrong", ""), label("write", "wrong", "")]
    answers = {"open": ASKED, "read": ASKED, "write": ASKED._replace(told=False)}
    found = next(
        one
        for one in measured(labels, {pair(name): answer for name, answer in answers.items()})
        if one.reach == "call"
    )
    assert (str(found.by_default), str(found.precision)) == ("1/2 (50.0%)", "1/3 (33.3%)")


def test_recall_counts_what_was_drawn_from_the_source_and_is_asked() -> None:
    labels = [
        label("open"),
        label("read", drawn="source"),
        label("write", drawn="source"),
        label("close", drawn="source", feasible="0"),
        label("fork", drawn="program"),
        label("exit", "wrong", "", "source"),
    ]
    answers = {"open": ASKED, "read": KEPT_BACK}
    assert of_calls(labels, answers)[1] == "1/3 (33.3%)"


def test_what_is_kept_back_is_rightly_so_where_the_check_is_never_asked() -> None:
    labels = [label("open"), label("read", feasible="0"), label("write", "wrong", "")]
    answers = dict.fromkeys(("open", "read", "write"), KEPT_BACK)
    assert of_calls(labels, answers)[2] == "2/3 (66.7%)"


def test_what_the_answers_contradict_is_listed_however_it_was_drawn() -> None:
    labels = [
        label("open", drawn="source"),
        label("read", "wrong", "", "source"),
        label("write"),
        label("close", "wrong", ""),
    ]
    answers = {pair("read"): ASKED, pair("write"): ASKED, pair("close"): KEPT_BACK}
    assert [one.pair.syscall for one in contradicted(labels, answers)] == ["open", "read"]


def test_a_share_of_nothing_is_a_dash() -> None:
    assert of_calls([label("open", drawn="source")], {})[::2] == ("–", "–")


def test_the_command_prints_a_table_of_all_releases() -> None:
    said = subprocess.run(
        [sys.executable, "-m", "tests.truth.measure", "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "--db" in said.stdout
    rows = table(measured(READ, {})).splitlines()[2:]
    assert len(rows) == 3 * len({one.pair.release for one in READ})
