"""The database for other programs: as SQLite, CSV, Parquet or facts, and where it is."""

from __future__ import annotations

import csv
import importlib.util
import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

import caphistory as package
from caphistory.store import default, export, open_reader
from caphistory.store.datapackage import EXPORTED
from tests.faces.conftest import Run

VIEW_NAMES = {view.name for view in EXPORTED}
WITHOUT_PYARROW = importlib.util.find_spec("pyarrow") is None


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return [*csv.DictReader(file)]


def test_sqlite_is_a_copy_that_needs_no_file_beside_it(caphistory: Run, tmp_path: Path) -> None:
    path = tmp_path / "facts.db"
    assert caphistory("export", str(path)).exit_code == 0
    assert [*tmp_path.iterdir()] == [path]
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert db.execute("PRAGMA journal_mode").fetchone() == ("delete",)
        assert db.execute("SELECT count(*) FROM releases").fetchone() == (6,)
    with package.open(path) as history:
        assert history.newest == "2.2.24"


def test_a_copy_by_another_program_can_be_opened(caphistory: Run, tmp_path: Path) -> None:
    """A dump has no marks of ours in its header; others add tables of their own."""
    caphistory("export", str(tmp_path / "facts.db"))
    with (
        closing(sqlite3.connect(tmp_path / "facts.db")) as db,
        closing(sqlite3.connect(tmp_path / "copy.db")) as copy,
    ):
        copy.executescript("\n".join(db.iterdump()))
        copy.execute("CREATE TABLE notes (text)")
    with package.open(tmp_path / "copy.db") as history:
        assert [*history.which("CAP_SETGID")["syscall"]] == ["setgid"]
    with closing(sqlite3.connect(tmp_path / "copy.db")) as copy:
        copy.execute("UPDATE meta SET value = 'x' WHERE key = 'schema_version'")
        copy.commit()
    with pytest.raises(package.CaphistoryError, match="another program made it"):
        package.open(tmp_path / "copy.db")


def test_csv_is_a_folder_with_each_view_in_one_release(caphistory: Run, tmp_path: Path) -> None:
    folder = tmp_path / "history.csv"
    assert caphistory("export", str(folder)).exit_code == 0
    assert {path.name for path in folder.iterdir()} == {
        "datapackage.json",
        *(f"{name}.csv" for name in VIEW_NAMES),
    }
    assert len(read_csv(folder / "releases.csv")) == 6
    assert {row["release"] for row in read_csv(folder / "check_sites.csv")} == {"2.2.24"}
    assert [path.name for path in tmp_path.iterdir()] == ["history.csv"]


def test_the_release_of_a_folder_can_be_chosen(caphistory: Run, tmp_path: Path) -> None:
    one, all_of_them = tmp_path / "one.csv", tmp_path / "all.csv"
    caphistory("export", str(one), "--release", "2.0.40")
    caphistory("export", str(all_of_them), "--all-releases")
    assert {row["release"] for row in read_csv(one / "check_sites.csv")} == {"2.0.40"}
    assert len({row["release"] for row in read_csv(all_of_them / "check_sites.csv")}) == 6


def test_a_folder_that_is_there_is_left_as_it_is(caphistory: Run, tmp_path: Path) -> None:
    (tmp_path / "history.csv").mkdir()
    said = caphistory("export", str(tmp_path / "history.csv"))
    assert (said.exit_code, said.out) == (3, "")
    assert "is there already" in said.err
    assert [*(tmp_path / "history.csv").iterdir()] == []


@pytest.mark.skipif(WITHOUT_PYARROW, reason="pyarrow is not installed")
def test_parquet_has_the_types_of_the_columns(caphistory: Run, tmp_path: Path) -> None:
    import pyarrow.parquet as parquet

    folder = tmp_path / "history.parquet"
    assert caphistory("export", str(folder)).exit_code == 0
    releases = parquet.read_table(folder / "releases.parquet")
    assert str(releases.schema.field("released").type) == "date32[day]"
    assert releases.num_rows == 6
    checks = parquet.read_table(folder / "syscall_checks.parquet")
    assert str(checks.schema.field("feasible").type) == "bool"
    assert {*checks.column("release").to_pylist()} == {"2.2.24"}


@pytest.mark.skipif(not WITHOUT_PYARROW, reason="pyarrow is installed")
def test_parquet_says_what_it_needs(caphistory: Run, tmp_path: Path) -> None:
    said = caphistory("export", str(tmp_path / "history.parquet"))
    assert (said.exit_code, said.out, said.err.count("\n")) == (3, "", 1)
    assert "Parquet needs pyarrow" in said.err
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize(
    ("arguments", "exit_code", "complaint"),
    [
        (["facts"], 2, "there are: .db, .sqlite, .sqlite3, .facts, .xz, .csv, .parquet"),
        (["facts.db", "--release", "2.0.40"], 2, "--release is for a folder"),
        (["a.csv", "--release", "2.0.40", "--all-releases"], 2, "--release is for a folder"),
        (["no folder/facts.db"], 3, "cannot write"),
        (["no folder/facts.facts"], 3, "cannot write"),
        (["no folder/facts.csv"], 3, "cannot write"),
    ],
)
def test_what_cannot_be_exported_is_one_line(
    caphistory: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    exit_code: int,
    complaint: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    said = caphistory("export", *arguments)
    assert (said.exit_code, said.out, said.err.count("\n")) == (exit_code, "", 1)
    assert complaint in said.err
    assert [*tmp_path.iterdir()] == []


def test_facts_can_be_asked_like_a_database(
    caphistory: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    facts = tmp_path / "history.facts"
    assert caphistory("export", str(facts)).exit_code == 0
    said = caphistory("--db", str(facts), "which", "setgid", "--format", "json")
    assert [row["syscall"] for row in said.rows] == ["setgid"]
    assert len([*(tmp_path / "cache" / "caphistory").iterdir()]) == 1


def test_the_database_is_named_for_other_programs(caphistory: Run, database: Path) -> None:
    assert caphistory("database") == (0, f"{database}\n", "")
    said = caphistory("--db", "nothing.db", "database")
    assert (said.exit_code, said.out) == (3, "")


@pytest.fixture
def shipped(database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home without a database of the user's, and what ships is the small history; gives a cache
    folder that nobody can make, since its parent is a file."""
    with closing(open_reader(database)) as db:
        export(db, tmp_path / "facts.xz")
    monkeypatch.setattr("caphistory.paths.data_path", lambda _: tmp_path / "facts.xz")
    (tmp_path / "file").touch()
    (tmp_path / "temporary").mkdir()
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    return tmp_path / "file" / "caphistory"


def test_without_a_cache_the_answer_comes_from_a_temporary_file(shipped: Path) -> None:
    said: list[str] = []
    path = default.default_database(warn=said.append)
    assert path.parent.parent.name == "temporary"
    with closing(open_reader(path)) as db:
        assert db.execute("SELECT count(*) FROM releases").fetchone()[0] == 6
    assert len(said) == 1
    assert said[0].startswith(f"cannot make {shipped}: ")
    with pytest.raises(package.CaphistoryError, match=f"^cannot make {shipped}: "):
        default.default_database()


READ_ONLY = """
import sys
from caphistory.cli import run
sys.exit(run(sys.argv[1:]))
"""


def test_the_program_answers_where_the_cache_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "temporary").mkdir()
    environment = os.environ | {
        "XDG_DATA_HOME": str(tmp_path),
        "XDG_CACHE_HOME": str(tmp_path / "file"),
        "TMPDIR": str(tmp_path / "temporary"),
    }
    ran = subprocess.run(
        [sys.executable, "-c", READ_ONLY, "releases", "--format", "jsonl"],
        capture_output=True,
        text=True,
        env=environment,
        check=True,
    )
    assert json.loads(ran.stdout.splitlines()[0])["release"] == "0.01"
    assert ran.stderr.count("\n") == 1
    assert "the facts are unpacked anew for this run" in ran.stderr
    assert [*(tmp_path / "temporary").iterdir()] == []


def test_json_lines_are_the_rows_of_json(caphistory: Run) -> None:
    lines = caphistory("syscall", "setgid", "--format", "jsonl").lines
    assert [json.loads(line) for line in lines] == caphistory(
        "syscall", "setgid", "--format", "json"
    ).rows


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script(caphistory: Run, shell: str) -> None:
    said = caphistory("completion", shell)
    assert said.exit_code == 0
    assert f"_CAPHISTORY_COMPLETE={shell}_complete" in said.out
