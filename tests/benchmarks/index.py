"""Measures ``caphistory index`` beside the least that reading can take, and beside other tools.

    python -m tests.benchmarks.index [REPOSITORY] [--tags PATTERN ...] [--jobs N] [--all]
        [--folder FOLDER]

prints, measured in one run: the floor (every distinct C file and header read once in path order
and parsed once with tree-sitter, nothing else), ``caphistory index`` of the same tags from
nothing, again with nothing new, without the last release, with it, and of that release alone; and
for the same releases ``ctags -R``, ``cscope`` (its database, then the callers of ``capable``) and
``grep``. ``--all`` takes every tag, prereleases too. The other tools are run on at most ten of the
releases, and what they take is multiplied. Each line is told when it is measured; the databases
are kept in ``--folder``.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from caphistory.history.sources import DEFAULT_FOLDER, open_source
from caphistory.paths import cache_folder
from tests.benchmarks import floor
from tests.benchmarks.measuring import NOTHING, Cost, measured

_DEFAULT_TAGS = ["2.2.2?"]
_MOST_CHECKOUTS = 10
TOOLS = {
    "`ctags -R`": ["ctags", "-R", "-f", "tags", "."],
    "`cscope -b -q -R`": ["cscope", "-b", "-q", "-R"],
    "`cscope -d -L3 capable` (its callers)": ["cscope", "-d", "-q", "-L3", "capable"],
    "`git grep -n capable`": ["git", "grep", "--no-index", "-n", "capable"],
}


class Line(NamedTuple):
    """One line of the table; ``floor`` is what it is to be compared with."""

    what: str
    cost: Cost
    floor: Cost | None


class Bench:
    """A folder to work in, and what is measured in it."""

    def __init__(self, folder: Path, repository: Path, jobs: int) -> None:
        self.folder = folder
        self.repository = repository
        self.jobs = jobs
        self.lines: list[Line] = []

    def floor(self, what: str, patterns: Sequence[str]) -> Cost:
        """Measure the floor of the tags that match a pattern (of all: no patterns)."""
        module = [sys.executable, "-m", "tests.benchmarks.floor"]
        cost = measured([*module, str(self.jobs), str(self.repository), *patterns])
        self.note(what, cost, cost)
        return cost

    def index(self, what: str, patterns: Sequence[str], db: str, least: Cost) -> None:
        """Measure ``caphistory index`` of such tags into a database; a new one is made without
        what an earlier run kept."""
        cache = self.folder / "cache"
        if not (self.folder / db).exists():
            shutil.rmtree(cache, ignore_errors=True)
        command = [sys.executable, "-m", "caphistory", "--db", str(self.folder / db), "index"]
        named = [f"--tag={pattern}" for pattern in patterns] or ["--prereleases"]
        command += [f"--jobs={self.jobs}", *named, str(self.repository)]
        environment = {**os.environ, "XDG_CACHE_HOME": str(cache)}
        self.note(what, measured(command, environment=environment), least)

    def tools(self, tags: Sequence[str], least: Cost) -> None:
        """Measure the other tools on unpacked releases, one after the other."""
        some = tags[:: -(-len(tags) // _MOST_CHECKOUTS)]
        costs = dict.fromkeys(TOOLS, NOTHING)
        there = {what: command for what, command in TOOLS.items() if shutil.which(command[0])}
        for tag in some:
            with self.checkout(tag) as tree:
                for what, command in there.items():
                    costs[what] += measured(command, folder=tree)
        factor = len(tags) / len(some)
        of = f", {len(some)} of {len(tags)} releases, multiplied" if factor > 1 else ""
        for what in there:
            self.note(f"{what}{of}", costs[what].times(factor), least)

    @contextmanager
    def checkout(self, tag: str) -> Iterator[Path]:
        """The unpacked tree of a release, for a while."""
        tree = self.folder / "tree"
        tree.mkdir()
        archive = self.folder / "tree.tar"
        git = ["git", "-C", str(self.repository), "archive", "-o", str(archive), tag]
        subprocess.run(git, check=True)
        subprocess.run(["tar", "-xf", str(archive), "-C", str(tree)], check=True)
        archive.unlink()
        yield tree
        shutil.rmtree(tree)

    def note(self, what: str, cost: Cost, least: Cost | None) -> None:
        """Keep a line of the table, and say it: some take long."""
        self.lines.append(Line(what, cost, least))
        print(f"{what}: {cost.wall:.1f} s", file=sys.stderr, flush=True)


def table(lines: Sequence[Line]) -> str:
    """The lines as a table in Markdown; ratios are those of the clock, and of the processors."""
    rows = [
        ["", "time", "processors", "memory", "time : floor", "processors : floor"],
        ["---", *["---:"] * 5],
    ]
    for line in lines:
        wall, cpu, memory = line.cost
        ratios = ["", ""]
        if line.floor:
            ratios = [f"{wall / line.floor.wall:.2f}", f"{cpu / line.floor.cpu:.2f}"]
        rows.append(
            [line.what, f"{wall:.1f} s", f"{cpu:.1f} s", f"{memory / 1e6:,.0f} MB", *ratios]
        )
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def run(folder: Path, repository: Path, patterns: Sequence[str], jobs: int) -> str:
    """Measure everything for the tags that match a pattern (all: no patterns); the report."""
    bench = Bench(folder, repository, jobs)
    with open_source(str(repository), cache_dir=Path()) as source:
        releases = floor.releases(source, patterns)
        *others, last = releases
        files = floor.files(source, releases)
        before = {blob for tag in others for blob in source.files(tag).values()}
        new = sorted(set(source.files(last).values()) - before)
    size = floor.text_bytes(repository, files)
    what = f"floor: {len(files):,} files, {size / 1e6:,.0f} MB, read and parsed"
    least = bench.floor(what, patterns)
    bench.index("`caphistory index`, from nothing", patterns, "all.db", least)
    bench.index("again, nothing new", patterns, "all.db", least)
    but_last = [tag.tag for tag in others]
    bench.index(f"again without {last.release}", but_last, "more.db", least)
    adding = f"one release more: {last.release}, {len(new):,} new files"
    bench.index(adding, patterns, "more.db", least)
    alone = bench.floor(f"floor of {last.release} alone", [last.tag])
    what = f"`caphistory index` of {last.release} alone, from nothing"
    bench.index(what, [last.tag], "one.db", alone)
    bench.tools([tag.tag for tag in releases], least)
    names = f"{len(releases)} releases, {releases[0].release} to {last.release}"
    return "\n".join(
        [
            f"{names}; {jobs} jobs on {os.cpu_count()} processors.",
            "",
            table(bench.lines),
            "",
            f"Database: {(folder / 'all.db').stat().st_size / 1e6:.1f} MB.",
        ]
    )


def main() -> None:
    """Measure what the command line names."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.index")
    default = cache_folder() / DEFAULT_FOLDER
    parser.add_argument("repository", nargs="?", type=Path, default=default)
    parser.add_argument("--tags", nargs="+", metavar="PATTERN", default=_DEFAULT_TAGS)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--all", action="store_true", dest="everything")
    parser.add_argument("--folder", type=Path, help="an empty folder to work in, which is kept")
    asked = parser.parse_args()
    patterns = [] if asked.everything else asked.tags
    with tempfile.TemporaryDirectory() as folder:
        print(run(asked.folder or Path(folder), asked.repository, patterns, asked.jobs))


if __name__ == "__main__":
    main()
