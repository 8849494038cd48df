"""How many jobs a run does at once: by the processors and the memory that it may use."""

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
    """As many jobs as ``wanted`` (None: as there are processors), but no more than there is
    memory for, each needing ``memory_per_job`` bytes."""
    most = wanted or machine.processors
    reason = "as asked" if wanted else _counted(machine.processors, "processor")
    if machine.memory is None:
        return Jobs(most, f"{_counted(most, 'job')}: {reason}")
    fitting = max(1, machine.memory // max(memory_per_job, 1))
    memory = f"{_size(machine.memory)} of memory is free and a job needs {_size(memory_per_job)}"
    if fitting < most:
        reason = f"{memory} (not {most}: {reason})"
    elif memory_per_job > machine.memory:
        reason = f"{reason}, though {memory}"
    number = min(most, fitting)
    return Jobs(number, f"{_counted(number, 'job')}: {reason}")


def this_machine(root: Path = Path("/")) -> Machine:
    """What this process may use now. On Linux its affinity and the limits of its control groups
    count, and the memory that is available; ``root`` is where /proc and /sys are."""
    processors = _processors()
    memory = [_available(root / "proc/meminfo")]
    for group in _groups(root):
        processors = min(processors, _quota(group) or processors)
        memory.append(_left(group))
    known = [size for size in memory if size is not None]
    return Machine(processors, max(0, min(known)) if known else None)


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0)) or 1
    return os.cpu_count() or 1


def _available(meminfo: Path) -> int | None:
    """MemAvailable, in bytes."""
    for line in _text(meminfo).splitlines():
        name, _, value = line.partition(":")
        if name == "MemAvailable":
            return int(value.split()[0]) * 1024
    return None


def _groups(root: Path) -> Iterator[Path]:
    """The folders of this process's control groups and of those above them, of version 1 (one
    hierarchy for memory, one for processors) and 2. In a container the path of a group may be
    that outside, of which only the top is there."""
    for line in _text(root / "proc/self/cgroup").splitlines():
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


def _left(group: Path) -> int | None:
    """What a group may still use of its memory, in bytes: its limit without what is in use, but
    for the files in it that are only kept as long as nobody needs the room."""
    for limit_name, used_name, kept_name in (
        ("memory.max", "memory.current", "inactive_file"),
        ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    ):
        limit, used = _number(group / limit_name), _number(group / used_name)
        if limit is not None and used is not None:
            stat = dict(line.split()[:2] for line in _text(group / "memory.stat").splitlines())
            return limit - used + int(stat.get(kept_name, 0))
    return None


def _quota(group: Path) -> int | None:
    """How many processors a group may use, rounded up; None where it has no limit."""
    quota, _, period = _text(group / "cpu.max").partition(" ")
    if not quota:
        quota, period = (
            _text(group / f"cpu.cfs_{name}_us").strip() for name in ("quota", "period")
        )
    if not quota.isdecimal() or not period.strip().isdecimal():
        return None  # max, or -1
    return max(1, math.ceil(int(quota) / int(period)))


def _number(file: Path) -> int | None:
    text = _text(file).strip()
    return int(text) if text.isdecimal() else None


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except (OSError, ValueError):
        return ""


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _size(size: int) -> str:
    return f"{size / 1e9:.1f} GB"
