"""An index run that is stopped, killed or disturbed: what was written stays, the next run
completes it, and no process stays behind.

Things happen in ``written``, which is called when a release is in the database: always at the
same point, without waiting.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pygit2
import pytest

from caphistory.engine import open_engine
from caphistory.errors import CaphistoryError
from caphistory.store import open_reader
from tests.indexing.running import Silence, contents, read, releases_of
from tests.kernels.transition import RELEASES, make_history

pytestmark = pytest.mark.slow

if TYPE_CHECKING:
    from caphistory_engine import Engine

# Indexes sys.argv[1] into sys.argv[2] with three jobs and does something to itself when
# two releases are written.
SCRIPT = """
import os, signal, sys
from pathlib import Path
from caphistory.cli import run
import caphistory.cli.commands.index as command
from tests.indexing.running import Silence

class Disturbed(Silence):
    releases = 0
    def written(self):
        self.releases += 1
        if self.releases == 2:
            print("two releases written", flush=True)
            {action}

if __name__ == "__main__":
    command.progress_for = lambda stream: Disturbed()
    sys.exit(run(["--db", sys.argv[2], "index", "--jobs", "3", sys.argv[1]]))
"""


def disturbed(action: str, history: Path, db: Path) -> subprocess.CompletedProcess[str]:
    """Run the program, which does ``action`` to itself when two releases are written; gives
    what it said."""
    script = db.with_suffix(".py")
    script.write_text(SCRIPT.format(action=action))
    path = os.pathsep.join([str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")])
    return subprocess.run(
        [sys.executable, str(script), str(history), str(db)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": path},
    )


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_run_that_is_ended_by_a_signal_is_completed_by_the_next(
    sent: signal.Signals, history: Path, whole: Path, tmp_path: Path
) -> None:
    db = tmp_path / "a.db"
    ended = disturbed(f"os.kill(os.getpid(), {sent:d})", history, db)
    assert ended.stdout == "two releases written\n"
    if sent is signal.SIGINT:
        assert (ended.returncode, ended.stderr) == (130, "caphistory: stopped\n")
    else:
        assert (ended.returncode, ended.stderr) == (-sent, "")
    assert releases_of(db) == list(RELEASES[:2])
    assert read(db, history)[:2] == (len(RELEASES) - 2, 2)
    assert contents(db) == contents(whole)


def test_ctrl_c_reaches_the_whole_group_of_processes_and_is_told_once(
    history: Path, tmp_path: Path
) -> None:
    """A terminal sends it to every process."""
    ended = disturbed("os.killpg(os.getpgid(0), signal.SIGINT)", history, tmp_path / "a.db")
    assert (ended.returncode, ended.stderr) == (130, "caphistory: stopped\n")


def test_a_run_that_is_stopped_before_its_first_release_leaves_a_database_that_holds_none(
    history: Path, whole: Path, tmp_path: Path
) -> None:
    class Stopped(Silence):
        def stage(self, name: str, total: int | None = None) -> None:
            if name.startswith("reading"):
                raise KeyboardInterrupt

    db = tmp_path / "a.db"
    with pytest.raises(KeyboardInterrupt):
        read(db, history, progress=Stopped())
    assert releases_of(db) == []
    read(db, history)
    assert contents(db) == contents(whole)


# Files that break the engine.


class Broken:
    """The engine, which one content breaks."""

    def __init__(self, engine: Engine, blob: str) -> None:
        self._engine = engine
        self._blob = blob

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    def read(self, blobs: list[tuple[str, bytes, bool]]) -> list[tuple[str, str]]:
        """Read all but the one that breaks it."""
        rest = [content for content in blobs if content[0] != self._blob]
        broken = [(self._blob, "it broke")] if len(rest) < len(blobs) else []
        return broken + self._engine.read(rest)


def test_a_file_that_breaks_the_engine_is_left_out_and_said(
    history: Path, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = pygit2.Repository(str(history)).references["refs/tags/2.1.92"].peel(pygit2.Tree)
    blob = str(tree["kernel/sys.c"].id)
    monkeypatch.setattr(
        "caphistory.engine.open_engine", lambda threads: Broken(open_engine(threads), blob)
    )
    db = tmp_path / "a.db"
    summary = read(db, history)
    assert (summary.releases_added, summary.failed) == (len(RELEASES), [])
    assert summary.unread == [("2.1.92", "kernel/sys.c", "it broke")]
    with closing(open_reader(db)) as reader:
        (row,) = reader.execute("SELECT * FROM audit_details WHERE kind = 'unreadable'")
        assert (row["release"], row["path"], row["detail"]) == summary.unread[0]
    found, expected = contents(db)["check_sites"], contents(whole)["check_sites"]
    assert [row for row in expected if row not in found] == [
        row for row in expected if row[:2] == ("2.1.92", "kernel/sys.c")
    ]


# Two runs at once, and readers.


def test_a_second_run_on_the_same_database_is_refused_and_disturbs_nothing(
    history: Path, whole: Path, tmp_path: Path
) -> None:
    said: list[tuple[int, str]] = []

    class Intruding(Silence):
        def written(self) -> None:
            other = subprocess.run(
                [sys.executable, "-m", "caphistory", "--db", str(db), "index", str(history)],
                capture_output=True,
                text=True,
                check=False,
                timeout=60,
            )
            said.append((other.returncode, other.stderr))

    db = tmp_path / "a.db"
    read(db, history, tags=RELEASES[:3], progress=Intruding())
    assert said == 3 * [
        (
            3,
            f"caphistory: another index run is writing to {db}: wait for it,"
            " or choose another --db\n",
        )
    ]
    read(db, history)
    assert contents(db) == contents(whole)


def test_readers_go_on_while_a_run_writes(history: Path, tmp_path: Path) -> None:
    seen = []

    class Reading(Silence):
        def written(self) -> None:
            seen.append(releases_of(db))

    db = tmp_path / "a.db"
    read(db, history, tags=RELEASES[:3], progress=Reading())
    assert seen == [list(RELEASES[:1]), list(RELEASES[:2]), list(RELEASES[:3])]


def test_an_error_in_the_middle_leaves_no_worker_and_no_lock(
    history: Path, whole: Path, tmp_path: Path
) -> None:
    class Failing(Silence):
        def written(self) -> None:
            raise CaphistoryError("the disk is full")

    db = tmp_path / "a.db"
    with pytest.raises(CaphistoryError, match="the disk is full"):
        read(db, history, jobs=2, progress=Failing())
    assert multiprocessing.active_children() == []
    assert read(db, history).releases_present == 1
    assert contents(db) == contents(whole)


def test_what_an_older_extractor_wrote_is_written_anew(
    history: Path, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    db = tmp_path / "a.db"
    monkeypatch.setattr("caphistory.indexing.run.EXTRACTOR_VERSION", "0")
    read(db, history)
    monkeypatch.undo()
    assert read(db, history)[:2] == (len(RELEASES), 0)
    assert contents(db) == contents(whole)


def test_two_histories_beside_one_another(tmp_path: Path) -> None:
    """A run over another repository adds what is missing, and leaves what is there."""
    first = make_history(tmp_path / "first.git", RELEASES[:4])
    second = make_history(tmp_path / "second.git", RELEASES[2:])
    db = tmp_path / "a.db"
    read(db, first)
    summary = read(db, second)
    assert summary[:2] == (3, 2)
    assert summary.elsewhere == {"first": 2}
    assert releases_of(db) == list(RELEASES)
