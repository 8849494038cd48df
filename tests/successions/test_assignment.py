"""The pairing against trying every one."""

from __future__ import annotations

from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from caphistory.successions.assignment import assign

SCORES = st.integers(1, 4).flatmap(
    lambda width: st.lists(
        st.lists(st.integers(-9, 9), min_size=width, max_size=width), min_size=0, max_size=4
    )
)


def worth(scores: list[list[int]], columns: tuple[int | None, ...]) -> int:
    return sum(line[at] for line, at in zip(scores, columns, strict=True) if at is not None)


@given(SCORES)
def test_no_other_pairing_is_worth_more(scores: list[list[int]]) -> None:
    found = tuple(assign(scores))
    taken = [column for column in found if column is not None]
    assert len(taken) == len(set(taken))
    choices = [*range(len(scores[0]) if scores else 0), *[None] * len(scores)]
    best = max(worth(scores, one) for one in set(permutations(choices, len(scores))))
    assert worth(scores, found) == best


def test_nothing_is_paired_with_nothing() -> None:
    assert assign([]) == []
    assert assign([[], []]) == [None, None]
    assert assign([[-1.0]]) == [None]
