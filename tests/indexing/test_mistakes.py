"""A mistake of the program costs one release: the run tells of it, with a file that
has the traceback, and goes on."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from caphistory.indexing.mistakes import log_mistake, report_mistake

from .kernels import RELEASES, read

WRONG = """\
import caphistory.linking.release as module
right = module.link
def link(release, *rest, **options):
    if release.release == "2.1.92":
        return {}["nothing of this name"]
    return right(release, *rest, **options)
module.link = link
"""
"""Makes a mistake in each Python process that is started, when it links 2.1.92."""


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


def test_a_mistake_in_a_worker_names_the_file_that_has_its_traceback(
    history: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "wrong").mkdir()
    (tmp_path / "wrong" / "sitecustomize.py").write_text(WRONG)
    before = os.environ.get("PYTHONPATH", "")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path / 'wrong'}{os.pathsep}{before}")
    summary = read(tmp_path / "a.db", history)
    assert summary.releases_added == len(RELEASES) - 1
    ((release, reason),) = summary.failed
    assert release == "2.1.92"
    log = log_named_in(reason)
    assert 'return {}["nothing of this name"]' in log
    assert re.search(r"UTC, reading 2\.1\.92 of \w+\n", log)
