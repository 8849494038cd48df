"""Index repositories of small kernels, and look at what is in the database."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from caphistory.indexing import Summary, index
from caphistory.indexing.progress import Progress
from caphistory.store import open_reader
from caphistory.store.views import VIEWS


class Silence(Progress):
    """A progress that nobody watches; what tests do at a certain point, they do in
    ``advance``, which is called for each release that has been written."""

    reading = False

    def stage(self, name: str, total: int | None = None) -> None:
        self.reading = name == "reading and linking"

    def advance(self, n: int = 1) -> None:
        if self.reading:
            self.written()

    def written(self) -> None:
        """One more release is in the database."""

    def note(self, line: str) -> None:
        pass

    def close(self) -> None:
        pass


def problems(output: str) -> list[str]:
    """The lines of a run's output but for the first, which says how many jobs it does."""
    return [line for line in output.splitlines() if not re.match(r"\d+ jobs?: ", line)]


class Notes(Silence):
    """A progress that keeps the lines that it is told, ``problems`` among them."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def note(self, line: str) -> None:
        self.lines.append(line)

    @property
    def problems(self) -> list[str]:
        """The lines but for that of the jobs."""
        return problems("\n".join(self.lines))


def read(
    db: Path,
    *sources: Path,
    tags: Sequence[str] = (),
    jobs: int = 1,
    prereleases: bool = False,
    progress: Progress | None = None,
) -> Summary:
    """Index sources into ``db``."""
    return index(
        [str(source) for source in sources],
        db,
        tags=list(tags),
        prereleases=prereleases,
        jobs=jobs,
        progress=progress or Silence(),
    )


def contents(db: Path) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every view of a database."""
    with closing(open_reader(db)) as reader:
        return {
            view.name: sorted(map(tuple, reader.execute(f"SELECT * FROM {view.name}")), key=repr)
            for view in VIEWS
        }


@contextmanager
def own_folders(parent: Path) -> Iterator[Path]:
    """Give this process folders of the user in ``parent``; gives that of the cache."""
    with pytest.MonkeyPatch.context() as environment:
        for name in ("CACHE", "DATA", "CONFIG", "STATE"):
            environment.setenv(f"XDG_{name}_HOME", str(parent / f"xdg-{name.lower()}"))
        yield parent / "xdg-cache" / "caphistory"


def left_in(cache: Path) -> list[str]:
    """What a run left in the user's cache beside the facts of the files that it read."""
    return [path.name for path in cache.glob("*") if path.name != "facts"]


def releases_of(db: Path) -> list[str]:
    """The releases of a database, in its order."""
    with closing(open_reader(db)) as reader:
        rows = reader.execute("SELECT release FROM releases ORDER BY ordinal")
        return [release for (release,) in rows]
