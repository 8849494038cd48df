"""Whatever the encoding of standard output, every command answers, in characters that it has."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from caphistory.cli import main
from tests.faces.golden import CASES, SOURCE_CASES
from tests.kernels.sources import build_sources

ENCODINGS = ("ascii", "latin-1", "cp1252", "cp437", "utf-16")
FORMATS = ("table", "json", "csv", "tsv", "markdown")

Print = Callable[..., str]


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """A database and the repository with its source, in which there are letters of Latin-1."""
    return build_sources(tmp_path_factory.mktemp("sources"))


@pytest.fixture
def printed(database: Path, monkeypatch: pytest.MonkeyPatch) -> Print:
    """Runs the program in an encoding and gives what it prints, decoded from it."""

    def run_it(encoding: str, *arguments: str, errors: str = "strict") -> str:
        out = io.BytesIO()
        with monkeypatch.context() as patched:
            patched.setattr("sys.argv", ["caphistory", "--db", str(database), *arguments])
            stdout = io.TextIOWrapper(out, encoding, errors)
            patched.setattr("sys.stdout", stdout)
            with pytest.raises(SystemExit) as ended:
                main()
            stdout.flush()
            text = out.getvalue().decode(encoding)
            stdout.detach()
        assert ended.value.code == 0
        return text

    return run_it


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("case", CASES)
def test_every_command_answers_in_every_encoding(printed: Print, case: str, encoding: str) -> None:
    for form in FORMATS:
        assert printed(encoding, *CASES[case], "--format", form)


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("case", SOURCE_CASES)
def test_source_text_is_printed_in_every_encoding(
    printed: Print, sources: tuple[str, str], case: str, encoding: str
) -> None:
    database, repository = sources
    asked = (*SOURCE_CASES[case], "--db", database, "--repository", repository)
    for form in FORMATS:
        assert printed(encoding, *asked, "--format", form)


def test_what_an_encoding_lacks_is_said_in_ascii(printed: Print) -> None:
    asked = ("why", "bind", "CAP_NET_BIND_SERVICE", "--format", "table")
    for encoding, arrow in {"ascii": "->", "cp1252": "->", "utf-8": "→"}.items():
        first = printed(encoding, *asked).splitlines()[0]
        assert first.startswith(f"bind {arrow} CAP_NET_BIND_SERVICE in ")
    assert "2.0.40 -> 2.2.24" in printed("latin-1", "transition", "--format", "table")


def test_an_error_handler_that_was_chosen_is_kept(printed: Print) -> None:
    asked = ("why", "bind", "CAP_NET_BIND_SERVICE", "--format", "table")
    assert printed("ascii", *asked, errors="replace").startswith("bind ? CAP_NET_BIND_SERVICE")


def test_a_name_that_is_no_text_is_printed(printed: Print, tmp_path: Path) -> None:
    file = os.fsdecode(os.fsencode(tmp_path) + b"/\xff.facts")
    assert "\\udcff.facts: 0.0 MB" in printed("utf-8", "export", file)


@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
def test_the_program_as_it_is_started(database: Path, encoding: str) -> None:
    asked = ("--format", "table", "why", "bind", "CAP_NET_BIND_SERVICE")
    done = subprocess.run(
        [sys.executable, "-m", "caphistory", "--db", str(database), *asked],
        env=os.environ | {"PYTHONIOENCODING": encoding},
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(b"bind -> CAP_NET_BIND_SERVICE")
