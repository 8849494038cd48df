"""The files of a release alone are read by as many processes as there are jobs."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import pytest

from caphistory.progress import Progress
from tests.indexing.running import Silence, contents, own_folders, read
from tests.kernels.transition import add_release, make_history

DRIVERS = {
    f"drivers/char/ask{number}.c": (
        f"static int ask(void)\n{{\n    return suser() ? {number} : -EPERM;\n}}\n"
        f"int open_{number}(void)\n{{\n    return ask();\n}}\n"
    )
    for number in range(600)
}


class Watched(Silence):
    """Notes the stages, and ends one of the processes that read if it is to."""

    def __init__(self, deadly: bool = False) -> None:
        self.stages: list[str] = []
        self.deadly = deadly

    def stage(self, name: str, total: int | None = None) -> None:
        super().stage(name, total)
        self.stages.append(name)

    def advance(self, n: int = 1) -> None:
        super().advance(n)
        if self.deadly and self.stages[-1] == "reading files":
            self.deadly = False
            multiprocessing.active_children()[-1].kill()


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository of one release with many files."""
    path = make_history(tmp_path_factory.mktemp("alone") / "linux.git", releases=())
    add_release(path, "2.2.0", DRIVERS)
    return path


def indexed(
    history: Path, folder: Path, jobs: int, progress: Progress
) -> tuple[int, dict[str, list[tuple[object, ...]]]]:
    with own_folders(folder):
        summary = read(folder / "a.db", history, jobs=jobs, progress=progress)
    return summary.blobs_read, contents(folder / "a.db")


@pytest.fixture(scope="module")
def alone(
    history: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[int, dict[str, list[tuple[object, ...]]]]:
    """What one process reads."""
    progress = Watched()
    found = indexed(history, tmp_path_factory.mktemp("alone"), 1, progress)
    assert "reading files" not in progress.stages
    return found


def test_many_readers_find_what_one_finds(
    history: Path, tmp_path: Path, alone: tuple[int, dict[str, list[tuple[object, ...]]]]
) -> None:
    progress = Watched()
    assert indexed(history, tmp_path, 3, progress) == alone
    assert "reading files" in progress.stages


def test_a_reader_that_dies_costs_nothing_but_time(
    history: Path, tmp_path: Path, alone: tuple[int, dict[str, list[tuple[object, ...]]]]
) -> None:
    progress = Watched(deadly=True)
    _, rows = indexed(history, tmp_path, 2, progress)
    assert rows == alone[1]
    assert not progress.deadly


def test_what_is_known_is_not_read_ahead(history: Path, tmp_path: Path) -> None:
    with own_folders(tmp_path):
        read(tmp_path / "a.db", history, jobs=2)
        progress = Watched()
        assert read(tmp_path / "b.db", history, jobs=2, progress=progress).blobs_read == 0
    assert "reading files" not in progress.stages
    assert contents(tmp_path / "b.db") == contents(tmp_path / "a.db")
