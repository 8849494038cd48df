"""A disk that is full, a real one: the run says so and stops, what was written stays, and when
there is room the next run completes it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from caphistory.errors import CaphistoryError
from tests.indexing.running import contents, read, releases_of
from tests.kernels.transition import RELEASES

pytestmark = pytest.mark.slow

Grow = Callable[[int], None]
FIRST_KB, MORE_KB, MOST_KB = 32, 48, 4096


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[tuple[Path, Grow]]:
    """A folder that is a disk of its own, and what makes it so many kilobytes large."""
    folder = tmp_path / "disk"
    folder.mkdir()
    size = f"size={FIRST_KB}k"
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(folder)], capture_output=True, check=False
    )
    if made.returncode:
        pytest.skip("no disk can be mounted here (root may)")

    def grow(kilobytes: int) -> None:
        options = f"remount,size={kilobytes}k"
        subprocess.run(["mount", "-o", options, str(folder)], check=True)

    yield folder, grow
    subprocess.run(["umount", str(folder)], check=True)


def test_a_disk_that_is_full_again_and_again(
    disk: tuple[Path, Grow], history: Path, whole: Path
) -> None:
    folder, grow = disk
    db = folder / "a.db"
    kept: list[list[str]] = []
    for kilobytes in range(FIRST_KB, MOST_KB, MORE_KB):
        try:
            read(db, history)
        except CaphistoryError as error:
            assert "\n" not in str(error)
            assert "disk is full" in str(error)
            grow(kilobytes + MORE_KB)
            kept.append(releases_of(db) if db.exists() and db.stat().st_size else [])
        else:
            break
    assert contents(db) == contents(whole)
    # It was full before the first release was written, and behind some, and lost none of them.
    assert kept[0] == []
    assert any(0 < len(releases) < len(RELEASES) for releases in kept)
    assert kept == [list(RELEASES[: len(releases)]) for releases in kept]
    assert kept == sorted(kept, key=len)
