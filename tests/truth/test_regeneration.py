"""The shipped facts are what this program makes of the real history, and nothing else."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from caphistory import paths as resources
from caphistory.cli.progress import QuietProgress
from caphistory.indexing import index
from caphistory.store import export, open_reader, unpack
from tests.truth.conftest import READ_ANEW

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
        index(
            [str(history)],
            path,
            tags=[release],
            prereleases=False,
            jobs=jobs,
            progress=QuietProgress(),
        )
    return path


def rows(path: Path, view: str, columns: str) -> list[tuple[object, ...]]:
    marks = ", ".join("?" * len(READ_ANEW))
    with closing(open_reader(path)) as db:
        found = db.execute(f"SELECT {columns} FROM {view} WHERE release IN ({marks})", READ_ANEW)
        return sorted((tuple(row) for row in found), key=repr)


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
    again = rows(read_anew, view, VIEWS[view])
    assert again or view == "wrappers"  # the first wrapper of the history is serial_isroot
    assert rows(shipped, view, VIEWS[view]) == again


def test_an_export_has_the_same_bytes_whatever_the_order_and_the_number_of_jobs(
    default_history: Path, tmp_path: Path
) -> None:
    files = []
    for name, releases, jobs in (
        ("a", ["0.01", "0.12", "1.0"], 2),
        ("b", ["1.0", "0.01", "0.12"], 1),
    ):
        path = indexed(default_history, tmp_path / f"{name}.db", releases, jobs)
        files.append(tmp_path / f"{name}.xz")
        with closing(open_reader(path)) as db:
            export(db, files[-1])
    assert files[0].read_bytes() == files[1].read_bytes()
