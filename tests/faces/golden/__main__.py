"""Write the golden texts anew."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

from caphistory.cli import run
from tests.faces.golden import CASES, FOLDER, FORMATS, SOURCE_CASES, golden_file
from tests.kernels.database import build_history
from tests.kernels.sources import build_sources


def said(arguments: Sequence[str]) -> str:
    """What the command line prints."""
    with redirect_stdout(StringIO()) as out:
        run(arguments)
    return out.getvalue()


def main() -> None:
    """Write one file for each case and format, and nothing else into the folder."""
    os.environ["COLUMNS"] = "100"
    for form, suffix in FORMATS.items():
        for old in FOLDER.glob(f"*.{suffix}"):
            old.unlink()
        with tempfile.TemporaryDirectory() as folder:
            history = build_history(Path(folder) / "small.db")
            database, repository = build_sources(Path(folder))
            for case, arguments in CASES.items():
                text = said(["--db", str(history), *arguments, "--format", form])
                golden_file(case, form).write_text(text, "utf-8")
            for case, arguments in SOURCE_CASES.items():
                asked = ["--db", database, *arguments, "--repository", repository]
                golden_file(case, form).write_text(said([*asked, "--format", form]), "utf-8")


main()
