"""The records of draws, whatever they say of the answers."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from tests.truth.draws import COLUMNS, DRAWS, VERDICTS, read_draws, summarise

FILES = sorted(DRAWS.glob("*.csv"))


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_every_row_says_what_was_read(path: Path) -> None:
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        assert tuple(reader.fieldnames or ()) == COLUMNS
        for row in reader:
            assert all(row[column] in allowed for column, allowed in VERDICTS.items()), row
            assert row["kind"] or row["pair"] == "right", row


def test_wrong_pairs_do_not_count_for_operations_and_effects() -> None:
    usual = dict.fromkeys(COLUMNS, "") | {"release": "6.8", "seed": "x", "chain": "right"}
    right = usual | {"pair": "right", "operation_right": "none", "effect_right": "wrong"}
    wrong = usual | {"pair": "wrong", "operation_right": "wrong", "effect_right": "right"}
    row = summarise([right, wrong]).splitlines()[-1]
    assert row == "| 6.8 | x | 2 | 1/2 (50%) | 2/2 (100%) | 1/1 (100%) | 0/1 (0%) |"


def test_the_draws_are_read() -> None:
    assert read_draws()
