"""The notebooks run on the shipped database, and are kept with what they show."""

from __future__ import annotations

import json
from pathlib import Path

import nbformat
import pytest

from caphistory.paths import data_path
from tests.notebooks.execute import executed, notebooks

NOTEBOOKS = notebooks()
NUMBER = 4
LARGEST = 500_000
SHIPPED = (data_path() / "facts.xz").exists()


def outputs(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    """Every output of every cell."""
    return [one for cell in notebook.cells for one in cell.get("outputs", ())]


@pytest.mark.slow
@pytest.mark.skipif(not SHIPPED, reason="data/facts.xz is not there")
def test_every_notebook_runs_from_top_to_bottom() -> None:
    ran = [path.name for path in NOTEBOOKS if outputs(executed(path))]
    assert len(ran) == NUMBER


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_kept_with_its_outputs_and_small(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert {one.output_type for one in outputs(notebook)} <= {"execute_result", "display_data"}
    assert any("image/svg+xml" in one.data for one in outputs(notebook))
    assert path.stat().st_size < LARGEST


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_nothing_of_the_machine_that_ran_a_notebook_is_in_it(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    texts = json.dumps(
        [
            {kind: text for kind, text in one.data.items() if kind != "image/svg+xml"}
            for one in outputs(notebook)
        ]
    )
    for trace in ("/home/", "/root/", "/tmp/", "site-packages", "0x"):
        assert trace not in texts
