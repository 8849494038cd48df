"""What a program takes: seconds, processor seconds, and memory of all its processes together."""

from __future__ import annotations

import resource
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Event, Thread
from typing import NamedTuple

# To look takes some milliseconds for each gigabyte: often at first, seldom later.
_FIRST_SECONDS, _SECONDS, _GROWTH = 0.1, 2.0, 1.1


class Cost(NamedTuple):
    """Seconds by the clock and of the processors, and the most bytes of memory at a time,
    summed over all processes (what they share is counted once)."""

    wall: float
    cpu: float
    memory: int

    def __add__(self, other: tuple[object, ...]) -> Cost:
        """One after the other."""
        assert isinstance(other, Cost)
        return Cost(self.wall + other.wall, self.cpu + other.cpu, max(self.memory, other.memory))

    def times(self, factor: float) -> Cost:
        """So many times the same."""
        return Cost(self.wall * factor, self.cpu * factor, self.memory)


NOTHING = Cost(0.0, 0.0, 0)


def measured(
    command: Sequence[str], *, folder: Path | None = None, environment: Mapping[str, str] = {}
) -> Cost:
    """Run a command to its end, in ``folder``, and measure it with all processes that it
    starts and waits for. Raises CalledProcessError where it fails, with what it said."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.monotonic()
    process = subprocess.Popen(
        list(command),
        cwd=folder,
        env=dict(environment) or None,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    highest = [0]
    ended = Event()
    watcher = Thread(target=_watch, args=(process.pid, highest, ended))
    watcher.start()
    _, said = process.communicate()
    wall = time.monotonic() - began
    ended.set()
    watcher.join()
    # 1 is the answer "nothing found" of git grep.
    if process.returncode not in (0, 1):
        raise subprocess.CalledProcessError(process.returncode, command, stderr=said)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(wall, cpu, highest[0])


def _watch(root: int, highest: list[int], ended: Event) -> None:
    seconds = _FIRST_SECONDS
    while not ended.wait(seconds):
        seconds = min(seconds * _GROWTH, _SECONDS)
        highest[0] = max(highest[0], sum(map(_memory, _family(root))))


def _family(root: int) -> set[int]:
    """A process and all that it started, directly or not."""
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            stat = (folder / "stat").read_text()
        except OSError:  # it ended meanwhile
            continue
        parents[int(folder.name)] = int(stat.rpartition(")")[2].split()[1])
    family = {root}
    while more := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= more
    return family


def _memory(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
