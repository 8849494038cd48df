"""How the functions between a syscall and its checks differ between two releases."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from caphistory.errors import CaphistoryError
from caphistory.questions.source_text import FunctionText, KernelSource, open_kernel
from caphistory.records import Row
from caphistory.wording.phrases import steps

#: So many functions at most: a reader's patience, and the time that parsing their files takes.
MOST_FUNCTIONS = 12
_CONTEXT = 4


class Line(NamedTuple):
    """A line of a diff: ``sign`` is ``+``, ``-`` or a space (``…`` stands for lines left out);
    ``before`` and ``after`` are its numbers in the files; ``on_chain`` says that the way to a
    check goes on, or ends, in it."""

    sign: str
    before: int | None
    after: int | None
    text: str
    on_chain: bool = False


class FunctionDiff(NamedTuple):
    """A function in two releases; path and line are None in the one that lacks it."""

    function: str
    path_from: str | None
    line_from: int | None
    path_to: str | None
    line_to: int | None
    lines: list[Line]

    @property
    def changed(self) -> bool:
        """Whether the two differ."""
        return any(line.sign in "+-" for line in self.lines)

    @property
    def text(self) -> str:
        """The diff as text."""
        return "\n".join(line.sign + line.text for line in self.lines)


class ChainDiff(NamedTuple):
    """``problem`` says why there is no source, ``left_out`` which functions are one too many."""

    functions: list[FunctionDiff]
    problem: str | None
    left_out: list[str]


class _Place(NamedTuple):
    path: str
    lines: set[int]


def chain_diff(
    sides: Sequence[tuple[str, str | None, list[Row]]], repositories: Sequence[Path]
) -> ChainDiff:
    """The functions on the chains of two releases, each given as its name, its commit and
    its rows of the query ``why``; read from the first of ``repositories`` that has them, else
    without their lines, as the places where their chains go on."""
    places = [_places(rows) for _, _, rows in sides]
    names = list(dict.fromkeys([*places[1], *places[0]]))
    try:
        kernels = [open_kernel(release, commit, repositories) for release, commit, _ in sides]
    except CaphistoryError as error:
        return ChainDiff([_place_alone(name, places) for name in names], str(error), [])
    shown = names[:MOST_FUNCTIONS]
    return ChainDiff(
        [_function(name, kernels, places) for name in shown], None, names[MOST_FUNCTIONS:]
    )


def _place_alone(name: str, places: Sequence[dict[str, _Place]]) -> FunctionDiff:
    """Where the chains of two releases go on, or end, in a function, without its text."""
    before, after = (place.get(name) for place in places)
    return FunctionDiff(
        name,
        before and before.path,
        before and min(before.lines),
        after and after.path,
        after and min(after.lines),
        [],
    )


def site_diff(
    row: Row, sides: Sequence[tuple[str, str | None]], repositories: Sequence[Path]
) -> FunctionDiff:
    """The functions around a check in two releases, each given as its name and its commit;
    ``row`` is of the query ``successions_between``. Raises CaphistoryError where none of
    ``repositories`` has their text."""
    kernels = [open_kernel(release, commit, repositories) for release, commit in sides]
    texts = [
        kernel.function(row[f"path_{side}"], row[f"function_{side}"])
        if row[f"path_{side}"] and row[f"function_{side}"]
        else None
        for kernel, side in zip(kernels, ("before", "after"), strict=True)
    ]
    marked = [{row[f"line_{side}"]} for side in ("before", "after")]
    name = row["function_after"] or row["function_before"] or ""
    return _compared(name, texts[0], texts[1], marked[0], marked[1])


def _places(rows: list[Row]) -> dict[str, _Place]:
    """The functions on the chains of the telling rows (of all where none is)."""
    found: dict[str, _Place] = {}
    for row in [row for row in rows if row["telling"]] or rows:
        for step in steps(row):
            if step["function"] and step["path"]:
                place = found.setdefault(step["function"], _Place(step["path"], set()))
                place.lines.add(step["line"])
    return found


def _function(
    name: str, kernels: Sequence[KernelSource], places: Sequence[dict[str, _Place]]
) -> FunctionDiff:
    texts: list[FunctionText | None] = []
    for kernel, place, other in zip(kernels, places, reversed(places), strict=True):
        # A function that is not on the way in one release may be there all the same.
        at = place.get(name) or other.get(name)
        texts.append(kernel.function(at.path, name) if at else None)
    marked = [place[name].lines if name in place else set() for place in places]
    return _compared(name, texts[0], texts[1], marked[0], marked[1])


def _compared(
    name: str,
    before: FunctionText | None,
    after: FunctionText | None,
    marked_before: set[int],
    marked_after: set[int],
) -> FunctionDiff:
    return FunctionDiff(
        name,
        before and before.path,
        before and before.line,
        after and after.path,
        after and after.line,
        list(_lines(before, after, marked_before, marked_after)),
    )


def _lines(
    before: FunctionText | None,
    after: FunctionText | None,
    marked_before: set[int],
    marked_after: set[int],
) -> Iterator[Line]:
    """The lines of both, those that did not change only near one that did, or on the chain."""
    old = _numbered(before)
    new = _numbered(after)
    old_text, new_text = ([text for _, text in side] for side in (old, new))
    matcher = SequenceMatcher(None, old_text, new_text, autojunk=False)
    for tag, a, b, c, d in matcher.get_opcodes():
        if tag != "equal":
            for number, text in old[a:b]:
                yield Line("-", number, None, text, number in marked_before)
            for number, text in new[c:d]:
                yield Line("+", None, number, text, number in marked_after)
            continue
        same = [
            Line(" ", first, second, text, first in marked_before or second in marked_after)
            for (first, text), (second, _) in zip(old[a:b], new[c:d], strict=True)
        ]
        yield from same if old_text == new_text else _shortened(same)


def _numbered(function: FunctionText | None) -> list[tuple[int, str]]:
    return list(enumerate(function.text.split("\n"), function.line)) if function else []


def _shortened(same: list[Line]) -> Iterator[Line]:
    """Lines without those that are far from both ends and not on the chain."""
    near = {*range(_CONTEXT), *range(len(same) - _CONTEXT, len(same))}
    for kept, group in groupby(enumerate(same), lambda one: one[0] in near or one[1].on_chain):
        if kept:
            yield from (line for _, line in group)
        else:
            yield Line("…", None, None, "")
