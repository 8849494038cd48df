"""One function opens repositories, whoever they belong to."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pygit2
import pytest

import caphistory
from caphistory.errors import CaphistoryError
from caphistory.history.opening import open_repository
from tests.kernels.sources import build_sources

PACKAGE = Path(caphistory.__file__).parent
STRANGER = 54321


def test_no_other_place_opens_repositories() -> None:
    places = [
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        if "pygit2.Repository(" in path.read_text("utf-8")
    ]
    assert places == ["history/opening.py"]


def test_a_folder_inside_a_work_tree(tmp_path: Path) -> None:
    pygit2.init_repository(str(tmp_path))
    (tmp_path / "fs").mkdir()
    found = open_repository(tmp_path / "fs", search=True)
    assert Path(found.path).resolve() == (tmp_path / ".git").resolve()
    for path in (tmp_path / "fs", tmp_path / "nowhere"):
        with pytest.raises(CaphistoryError, match="is not a git repository that can be read"):
            open_repository(path)


@pytest.mark.skipif(not hasattr(os, "chown") or os.geteuid() != 0, reason="only root gives away")
@pytest.mark.parametrize("command", ["show settle", "diff settle 2.0.40 2.2.24"])
def test_the_repository_of_another_user_is_shown(tmp_path: Path, command: str) -> None:
    database, repository = build_sources(tmp_path)
    for path in [Path(repository), *Path(repository).rglob("*")]:
        os.chown(path, STRANGER, STRANGER)
    # In a process of its own: the setting is one for all of libgit2.
    asked = [*command.split(), "--db", database, "--repository", repository]
    done = subprocess.run(
        [sys.executable, "-m", "caphistory", *asked], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "sys_settle" in done.stdout
