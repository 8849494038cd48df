"""What pyproject.toml declares is what the package imports, in versions that have what it uses."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

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
