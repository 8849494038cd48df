"""Index repositories of small kernels, and look at what is in the database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from caphistory.indexing import Summary, index
from caphistory.progress import Progress
from caphistory.store import open_reader
from caphistory.store.schema import VIEWS


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
        for name in ("CACHE", "DATA", "CONFIG"):
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
