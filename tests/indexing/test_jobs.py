"""How many jobs a run does at once, on machines and in containers of every kind."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from caphistory.indexing import jobs
from caphistory.indexing.jobs import Machine, choose_jobs, this_machine
from tests.indexing.running import Notes, read

GB = 1_000_000_000


@pytest.mark.parametrize(
    ("machine", "each", "wanted", "count", "reason"),
    [
        (Machine(8, 64 * GB), GB, None, 8, "8 jobs: 8 processors"),
        (Machine(1, None), GB, None, 1, "1 job: 1 processor"),
        (Machine(8, None), GB, None, 8, "8 jobs: 8 processors"),
        (Machine(2, 64 * GB), GB, 4, 4, "4 jobs: as asked"),
        (
            Machine(8, 7 * GB),
            2 * GB,
            None,
            3,
            "3 jobs: 7.0 GB of memory is free and a job needs 2.0 GB (not 8: 8 processors)",
        ),
        (
            Machine(2, 7 * GB),
            6 * GB,
            16,
            1,
            "1 job: 7.0 GB of memory is free and a job needs 6.0 GB (not 16: as asked)",
        ),
        (
            Machine(1, GB),
            6 * GB,
            None,
            1,
            "1 job: 1 processor, though 1.0 GB of memory is free and a job needs 6.0 GB",
        ),
        (
            Machine(4, 0),
            GB,
            None,
            1,
            "1 job: 0.0 GB of memory is free and a job needs 1.0 GB (not 4: 4 processors)",
        ),
    ],
)
def test_processors_and_memory_both_count(
    machine: Machine, each: int, wanted: int | None, count: int, reason: str
) -> None:
    assert choose_jobs(machine, each, wanted) == (count, reason)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no affinity here")
def test_only_the_processors_that_may_be_used_are_counted() -> None:
    allowed = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(allowed)})
        assert this_machine().processors == 1
    finally:
        os.sched_setaffinity(0, allowed)


def machine(root: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, str]) -> Machine:
    """The machine of eight processors that these files in /proc and /sys tell of."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.setattr(jobs, "_count_processors", lambda: 8)
    return this_machine(root)


MEMINFO = "MemTotal:       32000000 kB\nMemFree:  1000 kB\nMemAvailable:   16000000 kB\n"
AVAILABLE = 16_000_000 * 1024


def test_without_limits_what_is_available_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {
        "proc/meminfo": MEMINFO,
        "proc/self/cgroup": "0::/user.slice\n",
        "sys/fs/cgroup/user.slice/memory.max": "max\n",
        "sys/fs/cgroup/user.slice/memory.current": "5000\n",
        "sys/fs/cgroup/user.slice/cpu.max": "max 100000\n",
    }
    assert machine(tmp_path, monkeypatch, files) == (8, AVAILABLE)


def test_limits_of_control_groups_of_version_2_and_of_those_above(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {
        "proc/meminfo": MEMINFO,
        "proc/self/cgroup": "0::/kubepods/pod\n",
        "sys/fs/cgroup/kubepods/memory.max": "4000000000\n",
        "sys/fs/cgroup/kubepods/memory.current": "3000000000\n",
        "sys/fs/cgroup/kubepods/memory.stat": "anon 1\ninactive_file 500000000\n",
        "sys/fs/cgroup/kubepods/pod/memory.max": "max\n",
        "sys/fs/cgroup/kubepods/pod/memory.current": "1\n",
        "sys/fs/cgroup/kubepods/pod/cpu.max": "250000 100000\n",
    }
    assert machine(tmp_path, monkeypatch, files) == (3, 1_500_000_000)


def test_a_container_of_version_2_sees_its_own_group_at_the_top(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {
        "proc/meminfo": MEMINFO,
        "proc/self/cgroup": "0::/../../outside\n",
        "sys/fs/cgroup/memory.max": "2000000000\n",
        "sys/fs/cgroup/memory.current": "500000000\n",
    }
    assert machine(tmp_path, monkeypatch, files) == (8, 1_500_000_000)


def test_limits_of_control_groups_of_version_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {
        "proc/meminfo": MEMINFO,
        "proc/self/cgroup": "4:memory:/docker/abc\n3:cpu,cpuacct:/docker/abc\n1:pids:/\n0::/\n",
        "sys/fs/cgroup/memory/memory.limit_in_bytes": "3000000000\n",
        "sys/fs/cgroup/memory/memory.usage_in_bytes": "1000000000\n",
        "sys/fs/cgroup/memory/memory.stat": "cache 5\ntotal_inactive_file 200000000\n",
        "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "50000\n",
        "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000\n",
    }
    assert machine(tmp_path, monkeypatch, files) == (1, 2_200_000_000)


def test_a_group_over_its_limit_has_nothing_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {
        "proc/self/cgroup": "0::/\n",
        "sys/fs/cgroup/memory.max": "1000\n",
        "sys/fs/cgroup/memory.current": "2000\n",
    }
    assert machine(tmp_path, monkeypatch, files) == (8, 0)


def test_other_systems_have_processors_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert machine(tmp_path, monkeypatch, {}) == (8, None)


def test_a_run_says_in_its_first_line_how_many_jobs_it_does(
    history: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("caphistory.indexing.run.this_machine", lambda: Machine(8, 100_000_000))
    notes = Notes()
    read(tmp_path / "a.db", history, jobs=16, progress=notes)
    assert notes.lines == [
        "1 job: 0.1 GB of memory is free and a job needs 0.1 GB (not 16: as asked)"
    ]
    # With nothing to do it has nothing to say.
    notes = Notes()
    read(tmp_path / "a.db", history, jobs=16, progress=notes)
    assert notes.lines == []
