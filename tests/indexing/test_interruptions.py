"""An index run that is stopped, killed or disturbed: what was written stays, the next run
completes it, and no process stays behind.

Things happen in ``written``, which is called when a release is in the database: always at the
same point, without waiting.
"""

from __future__ import annotations

import fcntl
import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pygit2
import pytest

from caphistory.errors import CaphistoryError
from caphistory.store import open_reader
from tests.indexing.running import Silence, contents, read, releases_of
from tests.kernels.transition import RELEASES, make_history

# Indexes sys.argv[1] into sys.argv[2] with three workers and does something to itself when
# two releases are written. The workers hold its stdout: it ends when they all have.
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
    what it said when it and all of its workers are gone."""
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
    """A terminal sends it to every process: the workers do not hear it."""
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


# Workers that die.


class KillsAWorker(Silence):
    """Ends a worker that is at work when the first release is written."""

    killed = False

    def written(self) -> None:
        if not self.killed:
            self.killed = True
            multiprocessing.active_children()[-1].kill()


@pytest.mark.parametrize("jobs", [1, 3])
def test_a_worker_that_is_killed_once_changes_nothing(
    jobs: int, history: Path, whole: Path, tmp_path: Path
) -> None:
    db = tmp_path / "a.db"
    summary = read(db, history, jobs=jobs, progress=KillsAWorker())
    assert (summary.releases_added, summary.failed, summary.unread) == (len(RELEASES), [], [])
    assert contents(db) == contents(whole)
    assert multiprocessing.active_children() == []


def workers_of(parent: int) -> list[int]:
    """The worker processes of a process: those of its children that Python spawned."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            stat, command = (folder / "stat").read_text(), (folder / "cmdline").read_bytes()
        except OSError:  # ended meanwhile
            continue
        if int(stat.rpartition(")")[2].split()[1]) == parent and b"spawn_main" in command:
            found.append(int(folder.name))
    return found


@contextmanager
def kills_at(history: Path, release: str, path: str, times: int) -> Iterator[str]:
    """Kill the worker that reads a file of a release, so many times; gives the file's git id.

    This process holds a lease on the file's object: whoever opens it waits until that is given
    up, and this process is told so by a signal.
    """
    repository = pygit2.Repository(str(history))
    blob = str(repository.references[f"refs/tags/{release}"].peel(pygit2.Tree)[path].id)
    killed: list[int] = []

    def kill(*_: object) -> None:
        for worker in workers_of(os.getpid()):
            os.kill(worker, signal.SIGKILL)
            os.waitid(os.P_PID, worker, os.WEXITED | os.WNOWAIT)
            killed.append(worker)
        fcntl.fcntl(lease, fcntl.F_SETLEASE, fcntl.F_UNLCK)
        if len(killed) < times:
            fcntl.fcntl(lease, fcntl.F_SETLEASE, fcntl.F_WRLCK)

    before = signal.signal(signal.SIGIO, kill)
    with (history / "objects" / blob[:2] / blob[2:]).open("rb") as lease:
        fcntl.fcntl(lease, fcntl.F_SETLEASE, fcntl.F_WRLCK)
        yield blob
    signal.signal(signal.SIGIO, before)
    assert len(killed) == times


@pytest.mark.skipif(sys.platform != "linux", reason="needs leases and /proc")
def test_a_file_that_kills_every_worker_that_reads_it_is_left_out_and_said(
    whole: Path, tmp_path: Path
) -> None:
    history = make_history(tmp_path / "linux.git")
    db = tmp_path / "a.db"
    with kills_at(history, "2.1.92", "kernel/sys.c", times=2) as blob:
        summary = read(db, history)
    assert (summary.releases_added, summary.failed) == (len(RELEASES), [])
    ((release, path, reason),) = summary.unread
    assert (release, path) == ("2.1.92", "kernel/sys.c")
    assert reason == (
        f"object {blob} of linux cannot be read: two workers ended (exit code -9) reading it,"
        " perhaps for want of memory: run it again, with fewer --jobs"
    )
    with closing(open_reader(db)) as reader:
        (row,) = reader.execute("SELECT * FROM audit_details WHERE kind = 'unreadable'")
        assert (row["release"], row["path"], row["detail"]) == summary.unread[0]
    found, expected = contents(db)["check_sites"], contents(whole)["check_sites"]
    assert [row for row in expected if row not in found] == [
        row for row in expected if row[:2] == ("2.1.92", "kernel/sys.c")
    ]


@pytest.mark.skipif(sys.platform != "linux", reason="needs leases and /proc")
def test_a_worker_that_is_killed_while_it_reads_a_file_is_an_accident_the_first_time(
    whole: Path, tmp_path: Path
) -> None:
    history = make_history(tmp_path / "linux.git")
    db = tmp_path / "a.db"
    with kills_at(history, "2.1.92", "kernel/sys.c", times=1):
        summary = read(db, history)
    assert (summary.releases_added, summary.failed, summary.unread) == (len(RELEASES), [], [])
    assert contents(db) == contents(whole)


# Two runs at once, and readers.


def test_a_second_run_on_the_same_database_is_refused_and_disturbs_nothing(
    history: Path, whole: Path, tmp_path: Path
) -> None:
    said = []

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
    monkeypatch.setattr("caphistory.indexing.EXTRACTOR_VERSION", "0")
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
