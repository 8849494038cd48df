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
    usual |= {"pointer_hops": "0", "instead_right": "none"}
    right = usual | {"pair": "right", "operation_right": "none", "effect_right": "wrong"}
    wrong = usual | {"pair": "wrong", "operation_right": "wrong", "effect_right": "right"}
    row = summarise([right, wrong]).splitlines()[2]
    assert row == "| 6.8 | x | 2 | 1/2 (50%) | 2/2 (100%) | 1/1 (100%) | 0/1 (0%) |"
    both = summarise([right, wrong | {"release": "6.9"}]).splitlines()[4]
    assert both == row.replace("6.8 | x", "all |")


def test_pairs_are_counted_by_pointers_and_what_does_as_well_where_it_is_told() -> None:
    usual = dict.fromkeys(COLUMNS, "") | {"pair": "right", "instead_right": "none"}
    direct = usual | {"pointer_hops": "0", "instead_right": "wrong"}
    told = summarise([direct, usual | {"pointer_hops": "1"}, direct | {"pair": "wrong"}])
    assert "on the way: 1/2 (50%) with 0, 1/1 (100%) with 1." in told
    assert "(`instead`): 0/2 (0%)." in told


def test_the_draws_are_read() -> None:
    assert {row["release"] for row in read_draws()} == {path.stem for path in FILES}
