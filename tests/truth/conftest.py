"""The shipped facts and the real source that they are held against."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import pytest

from caphistory import paths as resources
from caphistory.cli.progress import QuietProgress
from caphistory.history.sources import open_source
from caphistory.indexing import index
from caphistory.indexing.run import EXTRACTOR_VERSION
from caphistory.store import open_reader, unpack
from tests.indexing.running import own_folders

Line = Callable[[str, str, int], str]

READ_ANEW = ["0.01", "0.12", "0.99", "1.0", "1.2.13", "2.0.40", "2.1.100", "2.2.24"]
"""The releases that the tests read anew: a few seconds each, from every way to write C."""


@pytest.fixture(scope="session")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    """The shipped facts; skips where they are not there."""
    try:
        facts = Path(resources.data_path("facts.xz"))
    except Exception:
        pytest.skip("data/facts.xz is not there")
    path = tmp_path_factory.mktemp("shipped") / "shipped.db"
    unpack(facts, path)
    with closing(open_reader(path)) as db:
        yield db


@pytest.fixture(scope="session")
def read_anew(
    default_history: Path, shipped: sqlite3.Connection, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A database with READ_ANEW as the program reads them now. While the shipped facts are those
    of an older engine nothing can be held against them: a known failure, which making them anew
    ends."""
    versions = {row[0] for row in shipped.execute("SELECT extractor_version FROM stored_releases")}
    if versions != {EXTRACTOR_VERSION}:
        pytest.xfail(f"the facts are of version {versions}, the engine is {EXTRACTOR_VERSION}")
    path = tmp_path_factory.mktemp("anew") / "anew.db"
    with own_folders(path.parent):
        index(
            [str(default_history)],
            path,
            tags=READ_ANEW,
            prereleases=False,
            jobs=2,
            progress=QuietProgress(),
        )
    return path


@pytest.fixture(scope="session")
def line(default_history: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Line]:
    """The text of a line of a file of a release; skips where the default history is not there."""
    with lines_of(default_history, tmp_path_factory.mktemp("cache")) as text:
        yield text


@contextmanager
def lines_of(history: Path, cache: Path) -> Iterator[Line]:
    """Gives the text of a line of a file of a release, in latin-1."""
    with open_source(str(history), cache_dir=cache) as source:
        tags = {tag.release: tag for tag in source.tags(prereleases=True).releases}

        @lru_cache(maxsize=64)
        def files(release: str) -> dict[str, str]:
            return source.files(tags[release])

        def text(release: str, path: str, number: int) -> str:
            content = source.read(files(release)[path]).decode("latin-1")
            return content.split("\n")[number - 1]

        yield text


class RowsAndSource(NamedTuple):
    """A database, and the source of those of its releases that a history has."""

    db: sqlite3.Connection
    releases: list[str]
    line: Line


@pytest.fixture(scope="session", params=["small", "default"])
def rows_and_source(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RowsAndSource]:
    """The small history as it is read now; then the shipped facts and the default history, which
    skips where that is not there."""
    history = request.getfixturevalue(f"{request.param}_history")
    with ExitStack() as stack:
        if request.param == "small":
            path = request.getfixturevalue("small_database")
            db = stack.enter_context(closing(open_reader(path)))
            query = "SELECT release FROM releases ORDER BY ordinal"
        else:
            db = request.getfixturevalue("shipped")
            query = "SELECT release FROM releases WHERE source LIKE '%/linux-history'"
        line = stack.enter_context(lines_of(history, tmp_path_factory.mktemp("cache")))
        yield RowsAndSource(db, [row["release"] for row in db.execute(query)], line)
