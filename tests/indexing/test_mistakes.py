"""A mistake of the program costs one release, or one pair: the run tells of it, with a file that
has the traceback, and goes on."""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from caphistory.errors import CaphistoryError
from caphistory.indexing.linker import make_records
from caphistory.indexing.mistakes import log_mistake, report_mistake
from caphistory.records import LinkedRelease, Release
from caphistory.store.successions import End
from caphistory.store.writer import Writer
from caphistory.successions.matching import Match
from caphistory.successions.releases import Comparer
from tests.indexing.running import Notes, contents, read, releases_of
from tests.kernels.transition import RELEASES


def fail(number: int) -> None:
    raise KeyError(f"nothing of this name: {number}")


def failed(number: int) -> Exception:
    """The error of ``fail``, as it is caught."""
    try:
        fail(number)
    except KeyError as error:
        return error
    raise AssertionError


def log_named_in(line: str) -> str:
    """What is in the file that a line names."""
    (path,) = re.findall(r"its traceback is in (.*\.log)$", line)
    return Path(path).read_text("utf-8")


def test_a_mistake_has_one_file_with_its_traceback_wherever_it_happens(tmp_path: Path) -> None:
    paths = {log_mistake(failed(number), f"reading release {number}") for number in range(3)}
    (path,) = paths
    text = path.read_text("utf-8")
    assert path.is_relative_to(tmp_path)
    assert text.count("Traceback (most recent call last)") == 1
    assert 'in fail\n    raise KeyError(f"nothing of this name: {number}")' in text
    assert "UTC, reading release 0\n" in text
    again = [line for line in text.splitlines() if line.startswith("again: ")]
    assert [line.partition("UTC, ")[2] for line in again] == [
        f"reading release {n}: KeyError: 'nothing of this name: {n}'" for n in (1, 2)
    ]
    try:
        raise ValueError("another")
    except ValueError as error:
        assert log_mistake(error, "something else") != path


def test_a_mistake_is_reported_in_one_line_that_names_the_file(tmp_path: Path) -> None:
    line = report_mistake(failed(1), "testing")
    assert re.match(
        r"a mistake in caphistory, please report it: KeyError: 'nothing of this name: 1'"
        r" \(test_mistakes\.py:\d+\); its traceback is in /",
        line,
    )
    assert "in fail" in log_named_in(line)


def test_where_no_log_can_be_written_the_mistake_is_reported_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    assert log_mistake(failed(1), "testing").parent == tmp_path / "temporary"
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "file"))
    assert log_mistake(failed(1), "testing") == Path(os.devnull)


def test_a_mistake_in_a_release_names_the_file_that_has_its_traceback(
    history: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(release: Release, *rest: Any) -> LinkedRelease:
        if release.release == "2.1.92":
            raise KeyError("nothing of this name")
        return make_records(release, *rest)

    monkeypatch.setattr("caphistory.indexing.linker.make_records", wrong)
    summary = read(tmp_path / "a.db", history)
    assert summary.releases_added == len(RELEASES) - 1
    ((release, reason),) = summary.failed
    assert release == "2.1.92"
    log = log_named_in(reason)
    assert 'raise KeyError("nothing of this name")' in log
    assert "UTC, linking 2.1.92\n" in log


@pytest.fixture
def wrong_pair(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """A mistake when 2.2.0 is compared with the release after it, until it is undone."""
    right = Comparer.matches

    def matches(self: Comparer[Any, Any], before: End, after: End) -> list[Match]:
        if after.release == "2.2.9":
            raise KeyError("nothing of this name")
        return right(self, before, after)

    with monkeypatch.context() as patched:
        patched.setattr(Comparer, "matches", matches)
        yield patched


def test_a_mistake_in_a_pair_is_reported_and_the_next_run_tries_it_again(
    history: Path, whole: Path, tmp_path: Path, wrong_pair: pytest.MonkeyPatch
) -> None:
    db = tmp_path / "a.db"
    for _ in range(2):
        notes = Notes()
        read(db, history, progress=notes)
        assert releases_of(db) == [*RELEASES]
        (line,) = notes.problems
        assert line.startswith("2.2.0 is not compared with 2.2.9: a mistake in caphistory")
        assert "finding what became of the checks of 2.2.0 in 2.2.9" in log_named_in(line)
    pairs = contents(db)["succession_pairs_stored"]
    assert len(pairs) == len(contents(whole)["succession_pairs_stored"]) - 1
    wrong_pair.undo()
    notes = Notes()
    read(db, history, progress=notes)
    assert notes.problems == []
    assert contents(db) == contents(whole)


def test_without_the_memory_for_a_pair_it_is_passed_over(
    history: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def matches(self: Comparer[Any, Any], *ends: End) -> list[Match]:
        raise MemoryError

    monkeypatch.setattr(Comparer, "matches", matches)
    notes = Notes()
    read(tmp_path / "a.db", history, progress=notes)
    assert len(notes.problems) > 1
    assert {line.partition(": ")[2] for line in notes.problems} == {
        "the memory is used up: run it again, with fewer --jobs"
    }


def test_what_contradicts_the_database_is_not_stored_and_passed_over(
    history: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write_successions(self: Writer, *rest: Any) -> None:
        try:
            raise sqlite3.IntegrityError("FOREIGN KEY constraint failed")
        except sqlite3.Error as error:
            raise CaphistoryError("cannot write it") from error

    monkeypatch.setattr(Writer, "write_successions", write_successions)
    notes = Notes()
    read(tmp_path / "a.db", history, progress=notes)
    assert all("FOREIGN KEY constraint failed" in line for line in notes.problems)
    assert "storing what became of the checks of" in log_named_in(notes.problems[0])
