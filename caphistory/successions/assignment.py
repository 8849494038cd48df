"""The best way to pair two sets: one to one, with the greatest sum of similarities.

What is taken greedily is wrong where several like checks stand in one function: the best pair for
one of them may leave another without its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf


def assign(scores: Sequence[Sequence[float]]) -> list[int | None]:
    """Return for each row the column that it is paired with, None if it has none: no score below
    zero is taken. The Hungarian method, in O(rows² · columns)."""
    rows, width = len(scores), max(map(len, scores), default=0)
    if not rows or not width:
        return [None] * rows
    # A column of its own, worth nothing, lets each row go without a partner.
    costs = [[-score for score in row] + [0.0] * rows for row in scores]
    return [column if column < width else None for column in _minimise(costs)]


def _minimise(costs: list[list[float]]) -> list[int]:
    """Return the column of each row for the smallest sum; there are at least as many columns as
    rows."""
    rows, columns = len(costs), len(costs[0])
    row_price = [0.0] * (rows + 1)
    column_price = [0.0] * (columns + 1)
    row_of = [rows] * (columns + 1)  # the row that holds each column; `rows` is none
    for row in range(rows):
        row_of[columns] = row
        free = columns
        least = [inf] * columns
        came_from = [columns] * columns
        seen = [False] * (columns + 1)
        while row_of[free] != rows:
            seen[free] = True
            holder = row_of[free]
            step, following = inf, columns
            for column in range(columns):
                if seen[column]:
                    continue
                reduced = costs[holder][column] - row_price[holder] - column_price[column]
                if reduced < least[column]:
                    least[column], came_from[column] = reduced, free
                if least[column] < step:
                    step, following = least[column], column
            for column in range(columns + 1):
                if seen[column]:
                    row_price[row_of[column]] += step
                    column_price[column] -= step
                elif column < columns:
                    least[column] -= step
            free = following
        while free != columns:
            row_of[free] = row_of[came_from[free]]
            free = came_from[free]
    taken = [0] * rows
    for column, row in enumerate(row_of[:columns]):
        if row < rows:
            taken[row] = column
    return taken
