"""The shipped facts are what this program makes of the real history, and nothing else.

Where that is not at hand, the small history shows the same of an export of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from caphistory import paths as resources
from caphistory.cli.progress import QuietProgress
from caphistory.indexing import index
from caphistory.store import export, open_reader, unpack
from tests.indexing.running import own_folders
from tests.kernels.small_history import RELEASES
from tests.truth.conftest import READ_ANEW

pytestmark = pytest.mark.slow

VIEWS = {
    "check_sites": "*",
    "capability_definitions": "release, capability, number, path, line",
    "syscalls": "*",
    "syscall_checks": "*",
    "wrappers": "*",
    "audit": "*",
    "audit_details": "*",
}


def indexed(history: Path, path: Path, releases: list[str], jobs: int) -> Path:
    for release in releases:
        with own_folders(path.parent):
            index(
                [str(history)],
                path,
                tags=[release],
                prereleases=False,
                jobs=jobs,
                progress=QuietProgress(),
            )
    return path


def rows(path: Path, view: str, releases: Sequence[str]) -> list[tuple[object, ...]]:
    marks = ", ".join("?" * len(releases))
    query = f"SELECT {VIEWS[view]} FROM {view} WHERE release IN ({marks})"
    with closing(open_reader(path)) as db:
        return sorted((tuple(row) for row in db.execute(query, releases)), key=repr)


@pytest.mark.parametrize("view", VIEWS)
def test_the_shipped_rows_are_those_of_a_new_run(
    view: str, read_anew: Path, tmp_path: Path
) -> None:
    try:
        facts = Path(resources.data_path("facts.xz"))
    except Exception:
        pytest.skip("data/facts.xz is not there")
    shipped = tmp_path / "shipped.db"
    unpack(facts, shipped)
    again = rows(read_anew, view, READ_ANEW)
    assert again or view == "wrappers"  # the first wrapper of the history is serial_isroot
    assert rows(shipped, view, READ_ANEW) == again


@pytest.fixture(scope="module")
def shipped_small(small_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small history, exported and unpacked again."""
    folder = tmp_path_factory.mktemp("exported")
    with closing(open_reader(small_database)) as db:
        export(db, folder / "facts.xz")
    unpack(folder / "facts.xz", folder / "shipped.db")
    return folder / "shipped.db"


@pytest.fixture(scope="module")
def small_again(small_history: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small history as another run reads it, release by release."""
    path = tmp_path_factory.mktemp("again") / "again.db"
    return indexed(small_history, path, [*reversed(RELEASES)], 1)


@pytest.mark.parametrize("view", VIEWS)
def test_exported_rows_are_those_of_a_new_run(
    view: str, shipped_small: Path, small_again: Path
) -> None:
    again = rows(small_again, view, [*RELEASES])
    assert again
    assert rows(shipped_small, view, [*RELEASES]) == again


@pytest.mark.parametrize(
    ("history", "releases"),
    [
        ("small_history", ["1.0", "2.0.40", "2.6.11"]),
        ("default_history", ["0.01", "0.12", "1.0"]),
    ],
)
def test_an_export_has_the_same_bytes_whatever_the_order_and_the_number_of_jobs(
    history: str, releases: list[str], request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    repository = request.getfixturevalue(history)
    first, second, third = releases
    files = []
    for name, order, jobs in (("a", releases, 2), ("b", [third, first, second], 1)):
        path = indexed(repository, tmp_path / f"{name}.db", order, jobs)
        files.append(tmp_path / f"{name}.xz")
        with closing(open_reader(path)) as db:
            export(db, files[-1])
    assert files[0].read_bytes() == files[1].read_bytes()
