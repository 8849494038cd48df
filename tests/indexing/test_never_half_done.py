"""However a run is ended, and in whatever order releases come, the database is the same in the
end, row for row."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pygit2
import pytest

from tests.indexing.running import Silence, contents, own_folders, read
from tests.kernels.git import commit, light_tag
from tests.kernels.transition import RELEASES, kernel

pytestmark = pytest.mark.slow

MANY = (*RELEASES, "2.2.11", "2.2.12", "2.2.13", "2.2.14", "2.2.15")
KILLS = 20
SEED = 6


def driver(number: int) -> str:
    """A file that is a little different in each release: most of its functions stay."""
    return "".join(
        f"static int ask_{n}(int unit)\n{{\n    if (unit == {number if n % 9 == 0 else n})\n"
        f"        return suser() ? {n} : -EPERM;\n    return 0;\n}}\n"
        for n in range(number, number + 150)
    )


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository of twelve releases."""
    path = tmp_path_factory.mktemp("many") / "linux.git"
    repository = pygit2.init_repository(path, bare=True)
    for number, release in enumerate(MANY):
        files = kernel(RELEASES[min(number, len(RELEASES) - 1)])
        files["drivers/net/ask.c"] = driver(number)
        light_tag(repository, release, commit(repository, files))
    return path


@pytest.fixture(scope="module")
def undisturbed(
    many: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict[str, list[tuple[object, ...]]], float]:
    """What one run gives that nobody disturbs, and how many seconds it takes."""
    folder = tmp_path_factory.mktemp("undisturbed")
    db = folder / "a.db"
    with own_folders(folder):
        began = time.monotonic()
        assert run(many, db).wait() == 0
        return contents(db), time.monotonic() - began


def run(history: Path, db: Path) -> subprocess.Popen[bytes]:
    """Begin to index, in a process group of its own; what it says comes with a failing test."""
    return subprocess.Popen(
        [sys.executable, "-m", "caphistory", "--db", str(db), "index", "--jobs", "2", str(history)],
        start_new_session=True,
    )


def killed(process: subprocess.Popen[bytes], seconds: float) -> bool:
    """Kill a run and its workers after so many seconds; whether it was still at work."""
    try:
        assert process.wait(seconds) == 0
        return False
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return True


def test_a_run_that_is_killed_at_any_moment_is_completed_by_the_next_ones(
    many: Path, undisturbed: tuple[dict[str, list[tuple[object, ...]]], float], tmp_path: Path
) -> None:
    """Kills a run, goes on with the same database, kills that, and so on until it is complete;
    then begins anew, until there were twenty kills."""
    expected, seconds = undisturbed
    moments = random.Random(SEED)
    kills = databases = 0
    while kills < KILLS:
        db = tmp_path / f"{databases}.db"
        # With what was read remembered, and without.
        with own_folders(tmp_path / str(databases % 2 and databases)):
            while kills < KILLS and killed(run(many, db), moments.uniform(0, seconds)):
                kills += 1
            assert run(many, db).wait() == 0
        assert contents(db) == expected
        databases += 1


class KillsWhatCompares(Silence):
    """Ends the workers that compare releases when the first pair is written."""

    killed = 0

    def stage(self, name: str, total: int | None = None) -> None:
        super().stage(name, total)
        self.comparing = name == "comparing releases"

    def advance(self, n: int = 1) -> None:
        super().advance(n)
        if self.comparing and not self.killed:
            for worker in multiprocessing.active_children():
                worker.kill()
                self.killed += 1


def test_workers_that_are_killed_while_they_compare_releases_change_nothing(
    many: Path, undisturbed: tuple[dict[str, list[tuple[object, ...]]], float], tmp_path: Path
) -> None:
    progress = KillsWhatCompares()
    with own_folders(tmp_path):
        read(tmp_path / "a.db", many, jobs=2, progress=progress)
    assert progress.killed  # one or two: a worker that is free takes the next pair
    assert multiprocessing.active_children() == []
    assert contents(tmp_path / "a.db") == undisturbed[0]


HALVES = (MANY[::2], MANY[1::2])
ORDERS = {
    "the newer half first": [MANY[6:], MANY[:6]],
    "every second one first": HALVES,
    "backwards": [[release] for release in reversed(MANY)],
    "named in no order": [random.Random(SEED).sample(MANY, len(MANY))],
    "the middle last": [MANY[:3], MANY[8:], MANY[3:8]],
}


@pytest.mark.parametrize("order", ORDERS)
def test_the_order_in_which_releases_come_changes_nothing(
    order: str,
    many: Path,
    undisturbed: tuple[dict[str, list[tuple[object, ...]]], float],
    tmp_path: Path,
) -> None:
    tags: Sequence[str]
    with own_folders(tmp_path):
        for number, tags in enumerate(ORDERS[order]):
            read(tmp_path / "a.db", many, tags=tags, jobs=1 + number % 2)
    assert contents(tmp_path / "a.db") == undisturbed[0]
