"""Compare the functions between a syscall and its checks in two releases."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from caphistory.errors import CaphistoryError
from caphistory.questions.requirements import is_told
from caphistory.questions.source_text import FunctionText, KernelSource, open_kernel
from caphistory.records import Row
from caphistory.wording.phrases import decode_steps

#: The limit keeps the page readable, and parsing the files takes time.
MOST_FUNCTIONS = 8
_CONTEXT = 3


class Line(NamedTuple):
    """A line of a diff: ``sign`` is ``+``, ``-`` or a space (``…`` stands for lines left out);
    ``before`` and ``after`` are its numbers in the files; ``on_chain`` says that a chain to a
    check continues, or ends, in it."""

    sign: str
    before: int | None
    after: int | None
    text: str
    on_chain: bool = False


class FunctionDiff(NamedTuple):
    """A function in two releases; path and line are None for a release that lacks it."""

    function: str
    path_from: str | None
    line_from: int | None
    path_to: str | None
    line_to: int | None
    lines: list[Line]

    @property
    def changed(self) -> bool:
        """Whether the two versions differ."""
        return any(line.sign in "+-" for line in self.lines)

    @property
    def text(self) -> str:
        """The diff as text."""
        return "\n".join(line.sign + line.text for line in self.lines)


class ChainDiff(NamedTuple):
    """The functions of two chains; ``problem`` says why there is no source, ``left_out`` names the
    functions beyond MOST_FUNCTIONS."""

    functions: list[FunctionDiff]
    problem: str | None
    left_out: list[str]


class _Place(NamedTuple):
    path: str
    lines: set[int]


def diff_chains(
    sides: Sequence[tuple[str, str | None, list[Row]]], repositories: Sequence[Path]
) -> ChainDiff:
    """Compare the functions on the chains of two releases, each given as its name, its commit and
    its rows of the query ``why``. The text is read from the first of ``repositories`` that has it;
    if none has, the functions have no lines, only the places where their chains continue."""
    places = [_find_places(rows) for _, _, rows in sides]
    names = list(dict.fromkeys([*places[1], *places[0]]))
    try:
        kernels = [open_kernel(release, commit, repositories) for release, commit, _ in sides]
    except CaphistoryError as error:
        return ChainDiff([_place_alone(name, places) for name in names], str(error), [])
    shown = names[:MOST_FUNCTIONS]
    return ChainDiff(
        [_diff_function(name, kernels, places) for name in shown], None, names[MOST_FUNCTIONS:]
    )


def _place_alone(name: str, places: Sequence[dict[str, _Place]]) -> FunctionDiff:
    """Return where the chains of two releases continue, or end, in a function, without its text."""
    before, after = (place.get(name) for place in places)
    return FunctionDiff(
        name,
        before and before.path,
        before and min(before.lines),
        after and after.path,
        after and min(after.lines),
        [],
    )


def diff_site(
    row: Row, sides: Sequence[tuple[str, str | None]], repositories: Sequence[Path]
) -> FunctionDiff:
    """Compare the functions around a check in two releases, each given as its name and its commit;
    ``row`` is of the query ``successions_between``. Raise CaphistoryError if none of
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
    return _diff_texts(name, texts[0], texts[1], marked[0], marked[1])


def _find_places(rows: list[Row]) -> dict[str, _Place]:
    """Return the functions on the chains of what is told, or of all rows if nothing is."""
    places: dict[str, _Place] = {}
    told = [row for row in rows if is_told(row)]
    for row in told or rows:
        for step in decode_steps(row):
            if step["function"] and step["path"]:
                place = places.setdefault(step["function"], _Place(step["path"], set()))
                place.lines.add(step["line"])
    return places


def _diff_function(
    name: str, kernels: Sequence[KernelSource], places: Sequence[dict[str, _Place]]
) -> FunctionDiff:
    texts: list[FunctionText | None] = []
    for kernel, place, other in zip(kernels, places, reversed(places), strict=True):
        # A function that is on no chain of a release may still exist in it.
        at = place.get(name) or other.get(name)
        texts.append(kernel.function(at.path, name) if at else None)
    marked = [place[name].lines if name in place else set() for place in places]
    return _diff_texts(name, texts[0], texts[1], marked[0], marked[1])


def _diff_texts(
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
        list(_diff_lines(before, after, marked_before, marked_after)),
    )


def _diff_lines(
    before: FunctionText | None,
    after: FunctionText | None,
    marked_before: set[int],
    marked_after: set[int],
) -> Iterator[Line]:
    """Yield the lines of both versions; unchanged ones only near a change or the chain."""
    old = _number_lines(before)
    new = _number_lines(after)
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
        yield from _shorten(same)


def _number_lines(function: FunctionText | None) -> list[tuple[int, str]]:
    return list(enumerate(function.text.split("\n"), function.line)) if function else []


def _shorten(same: list[Line]) -> Iterator[Line]:
    """Yield ``same`` without the lines that are far from both ends and from those on the chain."""
    marks = [0, len(same) - 1, *(at for at, line in enumerate(same) if line.on_chain)]
    near = {at for mark in marks for at in range(mark - _CONTEXT, mark + _CONTEXT + 1)}
    for kept, group in groupby(enumerate(same), lambda item: item[0] in near):
        if kept:
            yield from (line for _, line in group)
        else:
            yield Line("…", None, None, "")
