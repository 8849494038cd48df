"""The default filters of Datasette's tables of a caphistory database, and their search.

A view such as ``check_sites`` has rows for each release: counting them all would take seconds and
say nothing. So ``gate`` leads to the address with the newest release unless one is asked for. The
search box looks for each word in all columns of a view.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from caphistory.questions.schema import VIEWS

_NEWEST = "select release from asked_releases where asked = ''"


def _find_syscall(name: str) -> str:
    """Return SQL for a syscall that asks for something: the one called ``name``, if it is there."""
    return (
        "select syscall from syscall_timeline where checks <> ''"
        f" order by syscall <> '{name}', syscall limit 1"
    )


_DEFAULTS = {
    **{
        view.name: ("release", _NEWEST)
        for view in VIEWS
        if "release" in view.columns and view.name not in ("releases", "audit")
    },
    "successions": ("to_release", _NEWEST),
    "successions_kept": ("to_release", _NEWEST),
    **dict.fromkeys(
        ("syscall_check_runs", "syscall_requirement_runs"), ("syscall", _find_syscall("chroot"))
    ),
    "syscall_operations": ("syscall", _find_syscall("mount")),
}
"""For each view, the column to filter by default and the SQL of its value."""

_NOT_SEARCHED = frozenset({"blob", "chain", "commit_sha", "line", "ordinal", "swhid"})
"""Columns without words, which would only take time to search."""


class Filter(NamedTuple):
    """A condition on the rows of a view: in SQL with its parameters, and in words."""

    where: str
    parameters: dict[str, str]
    says: str


def find_default(view: str, asked: Iterable[str]) -> tuple[str, str] | None:
    """Return the column by which ``view`` is filtered and the SQL of its value.

    None if the view has no default filter, or if ``asked``, the parameter names of an address,
    already filters that column, contains SQL or is a form that Datasette makes an address of.
    """
    default = _DEFAULTS.get(view)
    if default is None or any(
        name.split("__")[0] in (default[0], "_where", "_filter_column") for name in asked
    ):
        return None
    return default


def search(columns: Mapping[str, str], text: str) -> Filter | None:
    """Return a filter for rows that contain every word of ``text``; None if there is none."""
    words = text.lower().split()
    texts = [f"coalesce({name}, '')" for name in columns if name not in _NOT_SEARCHED]
    if not words or not texts:
        return None
    whole = f"lower({' || char(10) || '.join(texts)})"
    names = [f"caphistory_word_{number}" for number in range(len(words))]
    where = " and ".join(f"instr({whole}, :{name}) > 0" for name in names)
    return Filter(where, dict(zip(names, words, strict=True)), f"a text holds “{text}”")
