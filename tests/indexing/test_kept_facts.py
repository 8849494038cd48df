"""What one run read, the next takes up: whatever becomes of the file that keeps it, the database is
the same."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from caphistory.indexing import kept_facts
from tests.indexing.running import contents, read
from tests.kernels.transition import RELEASES

*EARLIER, LAST = RELEASES

# Indexes sys.argv[1] into sys.argv[2], and kills itself when what was read is to be put in place.
KILLED = """
import os, signal, sys
from pathlib import Path
from caphistory.cli import run

Path.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
run(["--db", sys.argv[2], "index", sys.argv[1]])
"""


def test_a_release_more_reads_only_what_is_new(
    history: Path, whole: Path, cache: Path, tmp_path: Path
) -> None:
    read(tmp_path / "a.db", history, tags=EARLIER)
    assert [path.name for path in cache.iterdir()] == ["facts"]
    assert read(tmp_path / "a.db", history).blobs_read == 1
    assert contents(tmp_path / "a.db") == contents(whole)


def test_it_is_written_anew_only_where_much_is_new(
    history: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read(tmp_path / "a.db", history, tags=EARLIER)
    before = (cache / "facts").stat().st_mtime_ns
    monkeypatch.setattr(kept_facts, "_MUCH", 0.5)
    read(tmp_path / "a.db", history)
    assert (cache / "facts").stat().st_mtime_ns == before
    monkeypatch.undo()
    assert read(tmp_path / "b.db", history, tags=[LAST]).blobs_read == 1
    assert (cache / "facts").stat().st_mtime_ns > before
    assert read(tmp_path / "c.db", history, tags=[LAST]).blobs_read == 0


@pytest.mark.parametrize("damage", ["cut short", "changed", "empty", "a folder", "too large"])
def test_a_file_that_is_damaged_is_passed_over(
    damage: str,
    history: Path,
    whole: Path,
    cache: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read(tmp_path / "a.db", history, tags=EARLIER)
    kept = cache / "facts"
    content = kept.read_bytes()
    middle = len(content) // 2
    if damage == "a folder":
        kept.unlink()
        kept.mkdir()
    elif damage == "too large":
        monkeypatch.setattr(kept_facts, "_MOST_BYTES", middle)
    else:
        damaged = {
            "cut short": content[:middle],
            "changed": content[:middle] + b"changed" + content[middle + 7 :],
            "empty": b"",
        }
        kept.write_bytes(damaged[damage])
    assert read(tmp_path / "a.db", history).blobs_read > 1
    assert contents(tmp_path / "a.db") == contents(whole)
    assert [path.name for path in cache.iterdir()] == ["facts"]


def test_without_a_place_for_it_the_run_goes_on(
    history: Path, whole: Path, cache: Path, tmp_path: Path
) -> None:
    cache.parent.mkdir(parents=True)
    cache.write_bytes(b"a file where the folder should be")
    read(tmp_path / "a.db", history)
    assert contents(tmp_path / "a.db") == contents(whole)


@pytest.mark.slow
def test_a_run_that_is_killed_while_it_writes_it_is_completed_by_the_next(
    history: Path, whole: Path, cache: Path, tmp_path: Path
) -> None:
    path = os.pathsep.join([str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")])
    ended = subprocess.run(
        [sys.executable, "-c", KILLED, str(history), str(tmp_path / "a.db")],
        check=False,
        timeout=120,
        env={**os.environ, "PYTHONPATH": path},
    )
    assert ended.returncode == -signal.SIGKILL
    assert [path.name for path in cache.iterdir()] == ["facts.new"]
    read(tmp_path / "a.db", history)
    assert contents(tmp_path / "a.db") == contents(whole)
    read(tmp_path / "b.db", history)
    assert [path.name for path in cache.iterdir()] == ["facts"]


def test_runs_at_once(history: Path, whole: Path, cache: Path, tmp_path: Path) -> None:
    databases = [tmp_path / f"{name}.db" for name in "abcd"]
    with ThreadPoolExecutor(4) as pool:
        for tags in (EARLIER, []):
            runs = [pool.submit(read, db, history, tags=tags) for db in databases]
            assert [run.result().releases_added for run in runs] == 4 * [len(tags) or 1]
    assert all(contents(db) == contents(whole) for db in databases)
