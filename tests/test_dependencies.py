"""What pyproject.toml declares is what the package imports, in versions that have what it uses."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.kernels.database import build_history

ROOT = Path(__file__).resolve().parent.parent
DISTRIBUTIONS = {"yaml": "pyyaml", "vl_convert": "vl-convert-python"}
"""Those that are not called as their module is."""


def declared() -> dict[str, str]:
    """The lower bound of each dependency of the package and of its notebooks, by its name."""
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    listed = re.findall(
        r"^(?:dependencies|index|notebooks|parquet) = \[\n(.*?)^\]", text, re.M | re.S
    )
    return dict(re.findall(r'"([\w-]+)(?:>=([\d.]+))?', "".join(listed)))


def imported() -> set[str]:
    """The names of the distributions that a module of the package imports."""
    names: set[str] = set()
    for path in (ROOT / "caphistory").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                names.update(alias.name.partition(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                names.add(node.module.partition(".")[0])
    # tomllib came with Python 3.11; before, tomli stands in.
    outside = names - sys.stdlib_module_names - {"caphistory", "tomllib"}
    return {DISTRIBUTIONS.get(name, name.replace("_", "-")) for name in outside}


def test_every_import_is_declared() -> None:
    assert imported() - declared().keys() == set()


def test_pygit2_has_the_setting_of_the_owner() -> None:
    """``pygit2.settings.owner_validation`` came with 1.18.2; 1.18.1 raises AttributeError."""
    assert tuple(map(int, declared()["pygit2"].split("."))) >= (1, 18, 2)


def test_every_dependency_has_its_reason() -> None:
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    (listed,) = re.findall(r"^dependencies = \[\n(.*?)^\]", text, re.M | re.S)
    assert [line for line in listed.splitlines() if "#" not in line] == []


WITHOUT = """
import sys
sys.modules.update(dict.fromkeys(sys.argv.pop(1).split()))
from caphistory.cli import run
sys.exit(run(sys.argv[1:]))
"""
ANSWERS_NEED = {"click", "platformdirs", "sqlite_utils"}
if sys.version_info < (3, 11):  # whose standard library reads no TOML
    ANSWERS_NEED.add("tomli")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ("which setgid", ""),
        ("syscall setgid --format table", ""),
        ("transition", ""),
        ("container --drop setgid", ""),
        ("capability", ""),
        ("export facts.db", ""),
        ("serve --no-open", "this needs the Python package datasette"),
        ("show setgid", "this needs the Python package tree_sitter"),
        ("index .", "this needs the Python package pygit2"),
    ],
)
def test_answers_need_only_the_first_three(tmp_path: Path, arguments: str, complaint: str) -> None:
    """The others are for commands that say so in one line."""
    absent = {"yaml", *(name.replace("-", "_") for name in declared())} - ANSWERS_NEED
    ran = subprocess.run(
        [sys.executable, "-c", WITHOUT, " ".join(absent), "--db", "a.db", *arguments.split()],
        cwd=build_history(tmp_path / "a.db").parent,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == (3 if complaint else 0), ran.stderr
    assert complaint in ran.stderr
    assert ran.stderr.count("\n") == (1 if complaint else 0)
