"""Groups of checks are a plain dict: to ask for one that is not there makes none."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import caphistory.successions
from caphistory.successions.matching import _group

MODULES = sorted(Path(caphistory.successions.__path__[0]).glob("*.py"))


def test_a_group_that_is_not_there() -> None:
    groups = _group([1, 2, 3], lambda number: number % 2)
    assert groups == {1: [1, 3], 0: [2]}
    with pytest.raises(KeyError):
        groups[5]
    assert 5 not in groups


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_what_makes_a_missing_value_is_annotated_so(module: Path) -> None:
    hidden = [
        node.lineno
        for node in ast.walk(ast.parse(module.read_text("utf-8")))
        if isinstance(node, ast.AnnAssign)
        and isinstance(node.value, ast.Call)
        and ast.unparse(node.value.func) == "defaultdict"
        and not ast.unparse(node.annotation).startswith("defaultdict[")
    ]
    assert hidden == []
