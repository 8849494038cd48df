"""Runs the notebooks on the facts that ship, as a reader would.

``python -m tests.notebooks.execute`` writes their outputs into ``notebooks/``.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from unittest.mock import patch

import nbformat
from nbclient import NotebookClient

FOLDER = Path(__file__).resolve().parents[2] / "notebooks"
SECONDS = 300


def notebooks() -> list[Path]:
    """The notebooks, in their order."""
    return sorted(FOLDER.glob("*.ipynb"))


def executed(path: Path) -> nbformat.NotebookNode:
    """The notebook at ``path`` with its outputs of now; nbclient.CellExecutionError where a
    cell raises. The facts are the shipped ones, whatever database the user has."""
    notebook: nbformat.NotebookNode = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=SECONDS,
        kernel_name="python3",
        record_timing=False,
        store_widget_state=False,
    )
    with tempfile.TemporaryDirectory() as folder, patch.dict(os.environ, _without_own(folder)):
        client.execute()
    # The interpreter that ran it says nothing about its answers.
    notebook.metadata = nbformat.from_dict(
        {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        }
    )
    return notebook


def _without_own(folder: str) -> dict[str, str]:
    """An environment without a database of the user's own, and with no state of Jupyter's."""
    return {"XDG_DATA_HOME": folder, "IPYTHONDIR": folder, "JUPYTER_RUNTIME_DIR": folder}


if __name__ == "__main__":
    for notebook in notebooks():
        nbformat.write(executed(notebook), notebook)
        print(f"{notebook.name}: executed")
