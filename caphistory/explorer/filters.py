"""What Datasette's tables of a caphistory database show when nothing is asked, and their search.

A view such as ``check_sites`` has a row for each release: counting them all would take seconds
and say nothing. So, unless a release is asked for, the newest is shown, and the page says so. The
search box looks for each word in the columns of a view.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from caphistory.questions.schema import VIEWS

_NEWEST = "select release from asked_releases where asked = ''"

_DEFAULTS = {
    **{
        view.name: ("release", _NEWEST)
        for view in VIEWS
        if "release" in view.columns and view.name not in ("releases", "audit")
    },
    "successions": ("to_release", _NEWEST),
    "successions_kept": ("to_release", _NEWEST),
    "syscall_check_runs": (
        "syscall",
        "select syscall from syscall_timeline where checks <> ''"
        " order by syscall <> 'chroot', syscall limit 1",
    ),
}
"""The column by which a view is narrowed, and the SQL of the value."""

_NOT_SEARCHED = frozenset({"blob", "chain", "commit_sha", "line", "ordinal"})
"""The columns without words, which would only take time."""


class Filter(NamedTuple):
    """A condition on the rows of a view: in SQL with its parameters, and in words."""

    where: str
    parameters: dict[str, str]
    says: str


def default(view: str, asked: Iterable[str]) -> tuple[str, str] | None:
    """The column by which ``view`` is narrowed and the SQL of its value, None where ``asked``,
    the names of the parameters of an address, filters that column already, or has SQL of its
    own."""
    found = _DEFAULTS.get(view)
    if found is None or any(name.split("__")[0] in (found[0], "_where") for name in asked):
        return None
    return found


def narrowed(column: str, value: str) -> Filter:
    """The rows whose ``column`` is ``value``, because no other was asked for."""
    says = f"{column} = {value} (shown first: filter by {column} to see others)"
    return Filter(f"{column} = :caphistory_default", {"caphistory_default": value}, says)


def searched(columns: Mapping[str, str], text: str) -> Filter | None:
    """The rows that hold every word of ``text`` somewhere; None where nothing is searched."""
    words = text.lower().split()
    texts = [f"coalesce({name}, '')" for name in columns if name not in _NOT_SEARCHED]
    if not words or not texts:
        return None
    whole = f"lower({' || char(10) || '.join(texts)})"
    names = [f"caphistory_word_{number}" for number in range(len(words))]
    where = " and ".join(f"instr({whole}, :{name}) > 0" for name in names)
    return Filter(where, dict(zip(names, words, strict=True)), f"a text holds “{text}”")
