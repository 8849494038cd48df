"""Choose how many jobs a run does at once, by the processors and memory that it may use."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple


class Machine(NamedTuple):
    """What this process may use: ``processors``, at least 1, and ``memory`` in bytes, None where
    that is not known."""

    processors: int
    memory: int | None


class Jobs(NamedTuple):
    """The ``number`` of jobs that are done at once, at least 1, and ``reason``: a line that says so
    and why."""

    number: int
    reason: str


def choose_jobs(machine: Machine, memory_per_job: int, wanted: int | None = None) -> Jobs:
    """Return as many jobs as ``wanted`` (None: as there are processors), but no more than fit into
    memory, each needing ``memory_per_job`` bytes."""
    most = wanted or machine.processors
    reason = "as asked" if wanted else _format_count(machine.processors, "processor")
    if machine.memory is None:
        return Jobs(most, f"{_format_count(most, 'job')}: {reason}")
    fitting = max(1, machine.memory // max(memory_per_job, 1))
    needed = _format_size(memory_per_job)
    memory = f"{_format_size(machine.memory)} of memory is free and a job needs {needed}"
    if fitting < most:
        reason = f"{memory} (not {most}: {reason})"
    elif memory_per_job > machine.memory:
        reason = f"{reason}, though {memory}"
    number = min(most, fitting)
    return Jobs(number, f"{_format_count(number, 'job')}: {reason}")


def this_machine(root: Path = Path("/")) -> Machine:
    """Return what this process may use now. On Linux its affinity and the limits of its control
    groups count, and the memory that is available; ``root`` is where /proc and /sys are."""
    processors = _count_processors()
    memory = [_read_available(root / "proc/meminfo")]
    for group in _list_groups(root):
        processors = min(processors, _read_quota(group) or processors)
        memory.append(_measure_left(group))
    sizes = [size for size in memory if size is not None]
    return Machine(processors, max(0, min(sizes)) if sizes else None)


def _count_processors() -> int:
    """Return how many processors this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0)) or 1
    return os.cpu_count() or 1


def _read_available(meminfo: Path) -> int | None:
    """Return MemAvailable in bytes, None if it is unknown."""
    for line in _read_text(meminfo).splitlines():
        name, _, value = line.partition(":")
        if name == "MemAvailable":
            return int(value.split()[0]) * 1024
    return None


def _list_groups(root: Path) -> Iterator[Path]:
    """Give the folders of this process's control groups and of those above them, of version 1 (one
    hierarchy for memory, one for processors) and 2. In a container the path of a group may be
    that outside, of which only the top is there."""
    for line in _read_text(root / "proc/self/cgroup").splitlines():
        _, controllers, path = [*line.split(":", 2), "", ""][:3]
        wanted = {"memory", "cpu"} & set(controllers.split(","))
        if controllers and not wanted:
            continue
        tops = [root / "sys/fs/cgroup" / name for name in (controllers, *sorted(wanted))]
        if not controllers:
            tops = [root / "sys/fs/cgroup", root / "sys/fs/cgroup/unified"]
        parts = [part for part in path.split("/") if part not in ("", "..")]
        for top in dict.fromkeys(tops):
            yield from (top.joinpath(*parts[:size]) for size in range(len(parts), -1, -1))


def _measure_left(group: Path) -> int | None:
    """What a group may still use of its memory, in bytes: its limit without what is in use, but
    for the files in it that are only kept as long as nobody needs the room."""
    for limit_name, used_name, kept_name in (
        ("memory.max", "memory.current", "inactive_file"),
        ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    ):
        limit, used = _read_number(group / limit_name), _read_number(group / used_name)
        if limit is not None and used is not None:
            stat = dict(line.split()[:2] for line in _read_text(group / "memory.stat").splitlines())
            return limit - used + int(stat.get(kept_name, 0))
    return None


def _read_quota(group: Path) -> int | None:
    """Return how many processors a group may use, rounded up; None without a limit."""
    quota, _, period = _read_text(group / "cpu.max").partition(" ")
    if not quota:
        quota, period = (
            _read_text(group / f"cpu.cfs_{name}_us").strip() for name in ("quota", "period")
        )
    if not quota.isdecimal() or not period.strip().isdecimal():
        return None  # max, or -1
    return max(1, math.ceil(int(quota) / int(period)))


def _read_number(file: Path) -> int | None:
    """Return the number in a file, None if there is none."""
    text = _read_text(file).strip()
    return int(text) if text.isdecimal() else None


def _read_text(file: Path) -> str:
    """Return the text of a file, '' if it cannot be read."""
    try:
        return file.read_text("utf-8")
    except (OSError, ValueError):
        return ""


def _format_count(count: int, noun: str) -> str:
    """Return a count with its noun."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _format_size(size: int) -> str:
    """Return bytes as gigabytes."""
    return f"{size / 1e9:.1f} GB"
