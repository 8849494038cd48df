"""What counts as selected by the caller, and as having its operation."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine.adapters import facts
from tests.truth.measure import Share
from tests.truth.selected import Source, Step, Told, count, selected_lines

CHECK = "if (!capable(CAP_A)) return -1;"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (f"switch (cmd) {{ case ASK: {CHECK} }}", {"case"}),
        (f"switch (cmd) {{ case 1: {CHECK} }}", set()),
        (f"switch (cmd) {{ case ASK: return 0; default: {CHECK} }}", set()),
        (f"if (cmd == ASK) {CHECK}", {"comparison"}),
        (f"if (s->kind == ASK) {CHECK}", set()),
        (f"if (cmd == 1) {CHECK}", set()),
        (CHECK, set()),
    ],
)
def test_lines_are_selected_by_names_that_a_parameter_is_compared_with(
    body: str, expected: set[str]
) -> None:
    lines = selected_lines(facts(f"int f(int cmd, struct s *s)\n{{\n{body}\n}}\n"))
    assert lines.get(3, set()) == expected


def test_each_way_to_be_selected_is_counted(tmp_path: Path) -> None:
    (tmp_path / "a.c").write_text(f"int f(int cmd)\n{{\nif (cmd == ASK) {CHECK}\n}}\n")
    step = Step("a.c", 3, "")
    told = [
        Told("ASK", (step,)),
        Told("", (step,)),
        Told("", (Step("a.c", 1, ""),)),
        Told("/proc/sys/x", (Step("b.c", 1, "ctl_table.proc_handler"),)),
    ]
    assert count(told, Source(tmp_path)) == {
        "case": Share(0, 0),
        "comparison": Share(1, 2),
        "handler": Share(1, 1),
        "any": Share(2, 3),
    }
