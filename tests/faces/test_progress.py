"""What those who wait are told."""

from __future__ import annotations

import io

import pytest

from caphistory.cli.progress import (
    LateProgress,
    QuietProgress,
    TerminalProgress,
    duration,
    progress_for,
    progress_line,
)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("done", "total", "seconds", "line"),
    [
        (0, 10, 0.0, "reading  ░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░  0/10  0.0/s"),
        (5, 10, 10.0, "reading  ███████████████░░░░░░░░░░░░░░░  5/10  0.5/s  10 s left"),
        (10, 10, 2.0, "reading  ██████████████████████████████  10/10  5.0/s  in 2 s"),
        (0, 0, 2.0, "reading  ██████████████████████████████  0/0  0.0/s"),
        (1200, None, 2.0, "reading  1,200  600/s"),
        (0, None, 2.0, "reading …"),
    ],
)
def test_a_line_says_how_far_how_fast_and_how_long(
    done: int, total: int | None, seconds: float, line: str
) -> None:
    assert progress_line("reading", done, total, seconds, 80) == line


@pytest.mark.parametrize("width", [10, 20, 40, 60, 80])
def test_a_line_fits_the_terminal(width: int) -> None:
    assert len(progress_line("reading blobs", 228_000, 300_000, 3.5, width)) <= width


@pytest.mark.parametrize(
    ("seconds", "text"), [(41.4, "41 s"), (200, "3 min 20 s"), (7500, "2 h 5 min")]
)
def test_durations_are_for_people(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_a_terminal_sees_each_stage_to_its_end_and_every_note() -> None:
    stream = Terminal()
    progress = progress_for(stream)
    assert isinstance(progress, TerminalProgress)
    progress.stage("reading", 2)
    progress.advance(2)
    progress.note("skipped v1\x1b[31m")
    progress.close()
    said = stream.getvalue()
    assert "2/2" in said
    assert "skipped v1�[31m\n" in said
    assert said.endswith("\n")


def test_a_log_has_the_notes_alone() -> None:
    stream = io.StringIO()
    progress = progress_for(stream)
    assert isinstance(progress, QuietProgress)
    progress.stage("reading", 2)
    progress.advance()
    progress.note("skipped v1")
    progress.close()
    assert stream.getvalue() == "skipped v1\n"


def test_short_work_shows_no_progress() -> None:
    stream = Terminal()
    progress = LateProgress("unpacking", stream)
    progress(1, 2)
    progress(2, 2)
    progress.close()
    assert stream.getvalue() == ""
