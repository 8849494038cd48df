"""Measures the explorer's pages and every question on a real database.

    python -m tests.benchmarks.pages [DATABASE] [TIMES]

asks each page, view and question of the database (by default the one that ``caphistory`` uses)
so many times and prints the median and the longest time in milliseconds, and the median of the
processor's time, which other programs on the machine do not lengthen; the slowest first; and of
pages how many KB they have, plain and compressed. No network takes part: Datasette answers in this
process.
"""

from __future__ import annotations

import asyncio
import gzip
import sys
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import closing
from functools import partial
from pathlib import Path
from statistics import median
from typing import NamedTuple

from datasette.app import Datasette

from caphistory.explorer.server import NAME, explorer_application
from caphistory.questions.queries import ask, queries
from caphistory.store import default_database, open_reader
from caphistory.store.views import VIEWS

ENOUGH = 100
"""What a page and a question may take at most, in milliseconds (issue 7)."""

LARGEST = 150
"""What a page may have at most, in KB; compressed it has about a tenth (issue 23)."""

PAGES = (
    "/",
    "/transition",
    "/transition?all=1",
    "/transition?series=2.1",
    "/transition?privilege=CAP_SYS_ADMIN",
    "/transition?sort=changed",
    "/transition?from=2.0.40&to=2.2.26",
    "/transition?operation=SIOC*",
    "/successions",
    "/successions?fate=new",
    "/matrix",
    "/matrix?by=operation",
    "/matrix?releases=2.0.40,2.2.26,2.4.31,2.6.39,3.10,4.4,5.15,6.12,7.1&sort=changed",
    "/container",
    "/container?drop=ALL",
    "/container?base=all&userns=1",
    "/documented",
    "/syscall",
    "/syscall/setgid",
    "/syscall/mount",
    "/syscall/ioctl",
    "/syscall/ioctl?all=1",
    "/syscall/ioctl?operation=SIOC*",
    "/syscall/prctl",
    "/diff/setgid",
    "/diff/mount",
    "/diff/ioctl",
    "/capability",
    "/capability/CAP_SYS_CHROOT",
    "/capability/CAP_SYS_ADMIN",
    "/capability/CAP_NET_ADMIN",
    "/capability/CAP_NET_ADMIN?operation=SIOC*",
    "/capability/suser",
    "/release",
    "/release/2.0.40",
    "/release/2.1.100",
    "/release/2.6.10",
    "/chain/i386/bind/CAP_NET_BIND_SERVICE?release=2.2.24",
    "/chain/i386/ioctl/CAP_SYS_ADMIN",
    "/chain/i386/ioctl/CAP_SYS_ADMIN?all=1",
    "/search?q=s",
    "/search?q=setgid",
    "/function/permission",
    "/function/sys_mount",
    "/file/kernel/sys.c",
)

HEAVY: tuple[tuple[str, dict[str, str]], ...] = (
    ("which", {"privilege": "CAP_SYS_ADMIN"}),
    ("which", {"privilege": "CAP_SYS_ADMIN", "release": "2.2.24"}),
    ("which", {"privilege": "suser", "release": "2.1.99"}),
    ("which_all_releases", {"privilege": "CAP_SYS_ADMIN"}),
    ("why", {"syscall": "ioctl"}),
    ("syscall", {"syscall": "ioctl"}),
    ("syscall", {"syscall": "ioctl", "everything": "1"}),
    ("syscall", {"syscall": "mount"}),
    ("reached_from", {"function": "permission"}),
    ("site_changes", {"from": "2.0.40", "to": "2.6.10"}),
    ("check_list", {"release": "2.6.10"}),
    ("container", {"base": "none", "release": "2.6.10"}),
    ("container", {"base": "none", "release": "2.4.18"}),
    ("checked_pairs", {"release": "2.4.18"}),
    ("operation_changes", {"from": "6.1.192", "to": "7.1.5"}),
    ("search", {"text": "s"}),
)
"""Questions with the parameters that ask most of them; the others are asked with none."""


class Taken(NamedTuple):
    """What runs took, in milliseconds."""

    median: float
    longest: float
    processor: float


def measured(do: Callable[[], object], times: int) -> Taken:
    """What ``times`` runs take; one more before them is not counted: it fills the caches."""
    do()
    taken, busy = [], []
    for _ in range(times):
        begun, work = time.perf_counter(), time.process_time()
        do()
        taken.append((time.perf_counter() - begun) * 1000)
        busy.append((time.process_time() - work) * 1000)
    return Taken(median(taken), max(taken), median(busy))


class Sizes(NamedTuple):
    """How many bytes a page has, plain and compressed."""

    plain: int
    compressed: int


def tell_sizes(rows: Iterable[tuple[str, Sizes]]) -> None:
    """Print the sizes of pages, the largest first; a mark stands at what is too large."""
    print(f"{'page':60} {'KB':>8} {'gzip':>8}")
    for name, one in sorted(rows, key=lambda row: -row[1].plain):
        mark = "  !" if one.plain > LARGEST * 1024 else ""
        print(f"{name:60} {one.plain / 1024:8.0f} {one.compressed / 1024:8.1f}{mark}")
    print()


def table(title: str, rows: Iterable[tuple[str, Taken]]) -> None:
    """Print the times, the slowest first; a mark stands at what is too slow."""
    print(f"{title:60} {'median':>8} {'longest':>8} {'processor':>9}")
    for name, one in sorted(rows, key=lambda row: -row[1].processor):
        mark = "  !" if one.processor > ENOUGH else ""
        print(f"{name:60} {one.median:8.1f} {one.longest:8.1f} {one.processor:9.1f}{mark}")
    print()


def main(path: Path, times: int) -> None:
    """Print the tables of pages, questions, and Datasette's own pages."""
    explorer = explorer_application(path, time_limit_ms=60_000)
    loop = asyncio.new_event_loop()
    loop.run_until_complete(explorer.invoke_startup())

    def page(address: str) -> Callable[[], object]:
        return lambda: loop.run_until_complete(_answered(explorer, address))

    begun = time.perf_counter()
    page("/")()
    print(f"first page of all: {(time.perf_counter() - begun) * 1000:.0f} ms\n")
    table("page", [(one, measured(page(one), times)) for one in PAGES])
    tell_sizes([(one, loop.run_until_complete(_weigh(explorer, address=one))) for one in PAGES])
    with closing(open_reader(path)) as connection:
        asked = [
            (
                " ".join([name, *(f"{key}={value}" for key, value in given.items())]),
                measured(partial(ask, connection, name, **given), times),
            )
            for name, given in [*((name, {}) for name in queries()), *HEAVY]
        ]
    table("question", asked)
    names = [*(view.name for view in VIEWS), *queries()]
    own = [
        loop.run_until_complete(_settle(explorer, address))
        for address in [f"/{NAME}", *(f"/{NAME}/{one}" for one in names)]
    ]
    table("Datasette's own page", [(one, measured(page(one), times)) for one in own])


async def _weigh(explorer: Datasette, address: str) -> Sizes:
    response = await explorer.client.get(address)
    return Sizes(len(response.content), len(gzip.compress(response.content, 6)))


async def _settle(explorer: Datasette, address: str) -> str:
    """Where an address leads: that of a view to its newest release."""
    response = await explorer.client.get(address)
    return str(response.headers.get("location", address))


def _answered(explorer: Datasette, address: str) -> Awaitable[None]:
    async def get() -> None:
        response = await explorer.client.get(address)
        if response.status_code != 200:
            raise SystemExit(f"{address}: {response.status_code}")

    return get()


if __name__ == "__main__":
    given = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    main(default_database(given), int(sys.argv[2]) if len(sys.argv) > 2 else 5)
