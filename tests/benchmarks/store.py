"""Measures the store on an invented history of realistic size.

    python -m tests.benchmarks.store [FOLDER] [RELEASES]

writes 1,674 releases that grow from 300 to 3,000 check sites and to some 25,000 syscall
checks, neighbours almost equal, and prints what writing, asking, exporting and
unpacking take.
"""

from __future__ import annotations

import hashlib
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from caphistory import store
from caphistory.records import CheckSite, LinkedRelease, Release, Step, SyscallCheck
from tests import factories

CAPABILITIES = [f"CAP_{number}" for number in range(29)]
QUESTIONS = {
    "capability of a release": "SELECT * FROM syscall_checks WHERE release = :release"
    " AND capability = 'CAP_18'",
    "syscall of a release": "SELECT * FROM syscall_checks WHERE release = :release"
    " AND syscall = 'call7'",
    "syscall, all releases, with chains": "SELECT * FROM syscall_checks WHERE syscall = 'call7'",
    "syscall, all releases, no chains": "SELECT release, check_name, capability, reach, depth,"
    " line FROM syscall_checks WHERE syscall = 'call7'",
    "syscall runs": "SELECT * FROM syscall_check_runs WHERE syscall = 'call7'",
    "timeline": "SELECT * FROM syscall_timeline WHERE syscall = 'call7'",
    "capability, all releases": "SELECT * FROM syscall_privilege_runs WHERE capability = 'CAP_18'",
    "check runs of a capability": "SELECT * FROM syscall_check_runs WHERE capability = 'CAP_18'",
    "all checks of a release, no chains": "SELECT syscall, capability, reach, line, shared_by"
    " FROM syscall_checks WHERE release = :release",
    "requirements of a release": "SELECT syscall, privilege FROM requirements"
    " WHERE release = :release",
    "sites of a release": "SELECT * FROM check_sites WHERE release = :release",
    "sites of a capability, by release": "SELECT release, count(*) FROM check_sites"
    " WHERE capability = 'CAP_18' GROUP BY release",
    "site runs": "SELECT * FROM check_site_runs",
    "syscalls of a release": "SELECT * FROM syscalls WHERE release = :release",
    "transitions of a syscall": "SELECT * FROM transitions WHERE syscall = 'call7'",
    "transitions to a release": "SELECT * FROM transitions WHERE to_release = :release",
    "all transitions": "SELECT * FROM transitions",
    "releases": "SELECT * FROM releases",
    "audit": "SELECT * FROM audit",
}


class History:
    """A tree that changes a little from release to release."""

    def __init__(self, seed: int = 1) -> None:
        self.random = random.Random(seed)
        self.shift: dict[str, int] = {}
        self.version: dict[str, int] = {}
        self.functions: list[tuple[str, str, int]] = []
        self.sites: list[tuple[int, int, str, str | None]] = []
        self.ways: list[list[tuple[int, tuple[int, ...]]]] = []
        self.entries: list[int] = []

    def grow(self, sites: int, syscalls: int) -> None:
        """Add functions, syscalls and sites until there are so many."""
        while len(self.entries) < syscalls:
            self.entries.append(self.add_function())
        while len(self.sites) < sites:
            function = self.add_function()
            self.sites.append((function, 5, "suser", None))
            self.ways.append(self.invent_ways(function))

    def add_function(self) -> int:
        path = f"dir{self.random.randrange(40)}/file{len(self.functions) // 12}.c"
        if self.functions and self.random.random() < 0.9:
            path = self.functions[-1][0]
        self.shift.setdefault(path, 0)
        self.version.setdefault(path, 0)
        number = len(self.functions)
        self.functions.append((path, f"function{number}", 40 * (number % 12)))
        return number

    def invent_ways(self, function: int) -> list[tuple[int, tuple[int, ...]]]:
        """Ways from syscalls to a site: a trunk that they share, and branches."""
        count = min(len(self.entries), int(self.random.paretovariate(0.85)))
        others = min(len(self.functions), self.random.randrange(5))
        trunk = [function, *self.random.sample(range(len(self.functions)), others)]
        return [
            (
                syscall,
                (self.entries[syscall], *reversed(trunk[: self.random.randint(1, len(trunk))])),
            )
            for syscall in self.random.sample(range(len(self.entries)), count)
        ]

    def change(self) -> None:
        """What one release does: files move, some sites are converted, some ways change."""
        for path in self.random.sample(sorted(self.shift), len(self.shift) // 12):
            self.version[path] += 1
            if self.random.random() < 0.7:
                self.shift[path] += self.random.randrange(1, 30)
        for number in self.random.sample(range(len(self.sites)), len(self.sites) // 200):
            function, line, _, _ = self.sites[number]
            self.sites[number] = (function, line, "capable", self.random.choice(CAPABILITIES))
        for number in self.random.sample(range(len(self.sites)), len(self.sites) // 150):
            self.ways[number] = self.invent_ways(self.sites[number][0])

    def line(self, function: int, offset: int) -> int:
        path, _, line = self.functions[function]
        return 10 + self.shift[path] + line + offset

    def linked(self, release: Release) -> LinkedRelease:
        sites = [self.site(*site) for site in self.sites]
        steps: dict[tuple[int, int, bool], Step] = {}
        checks = [
            self.check(syscall, site, way, len(ways), steps)
            for site, ways in zip(sites, self.ways, strict=True)
            for syscall, way in ways
        ]
        entries = [
            factories.syscall(
                f"call{number}",
                number,
                self.functions[function][1],
                self.functions[function][0],
                self.line(function, 0),
            )
            for number, function in enumerate(self.entries)
        ]
        return factories.linked(release, checks=checks, sites=sites, syscalls=entries)

    def site(self, function: int, offset: int, name: str, capability: str | None) -> CheckSite:
        path, function_name, _ = self.functions[function]
        return factories.site(
            path,
            self.line(function, offset),
            function_name,
            name,
            capability,
            blob=hashlib.sha1(f"{path} {self.version[path]}".encode()).hexdigest(),
        )

    def check(
        self,
        syscall: int,
        site: CheckSite,
        way: tuple[int, ...],
        shared_by: int,
        steps: dict[tuple[int, int, bool], Step],
    ) -> SyscallCheck:
        chain = []
        for here, there in pairwise(way):
            key = (here, there, (here * 31 + there) % 4 == 0)
            if key not in steps:
                path, name, _ = self.functions[here]
                via = f"operations{there % 50}.member" if key[2] else None
                steps[key] = factories.step(name, path, self.line(here, 3 + there % 30), via)
            chain.append(steps[key])
        return factories.check(f"call{syscall}", site, *chain, shared_by=shared_by)


def history(count: int) -> Iterator[LinkedRelease]:
    """So many releases, growing to full size."""
    tree = History()
    for number in range(count):
        share = number / count
        tree.grow(int(300 + 2700 * share), int(140 + 160 * share))
        tree.change()
        yield tree.linked(factories.release(f"2.{number // 100}.{number % 100}"))


def main(folder: Path, count: int) -> None:
    path = folder / "benchmark.db"
    if not path.exists():
        times = []
        began = time.perf_counter()
        with store.open_writer(path, "1") as writer:
            for linked in history(count):
                start = time.perf_counter()
                writer.write_release(linked)
                times.append(time.perf_counter() - start)
        print(
            f"{count} releases, {len(linked.syscall_checks)} checks in the last:"
            f" {sum(times):.0f} s of {time.perf_counter() - began:.0f} s writing,"
            f" last {times[-1]:.2f} s, worst {max(times):.2f} s"
        )
    print(f"database: {path.stat().st_size / 1e6:.0f} MB")
    db = store.open_reader(path)
    for name, size, rows in db.execute(
        "SELECT s.name, sum(pgsize), sum(ncell) FROM dbstat AS s GROUP BY s.name ORDER BY 2 DESC"
        " LIMIT 14"
    ):
        print(f"  {name:<28} {size / 1e6:8.1f} MB {rows:>10} cells")
    names = list(store.read_indexed(db))
    for release in (names[len(names) // 2], names[-1]):
        print(f"questions at {release}:")
        for title, sql in QUESTIONS.items():
            start = time.perf_counter()
            rows = db.execute(sql, {"release": release}).fetchall()
            took = (time.perf_counter() - start) * 1000
            print(f"  {title:<38} {len(rows):>7} rows {took:8.1f} ms")
    shipped = folder / "facts.xz"
    start = time.perf_counter()
    store.export(db, shipped)
    print(f"export: {time.perf_counter() - start:.1f} s, {shipped.stat().st_size / 1e6:.1f} MB")
    start = time.perf_counter()
    store.unpack(shipped, folder / "unpacked.db")
    print(f"unpack: {time.perf_counter() - start:.1f} s")


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if sys.argv[1:] else Path(tempfile.mkdtemp())
    main(folder, int(sys.argv[2]) if sys.argv[2:] else 1674)
