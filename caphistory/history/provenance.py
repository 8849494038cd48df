"""How sure it is that a commit is what was released (see ``records.PROVENANCES``)."""

from __future__ import annotations

from functools import cache

from caphistory.history.toml import read_toml
from caphistory.paths import data_path

OFFICIAL = frozenset(
    {"MaximeChretien/linux-history", "torvalds/linux", "stable/linux", "gregkh/linux"}
)
"""The repositories whose tags are the releases themselves: the old import, and those of Linus
Torvalds and of the stable team by their addresses at kernel.org and GitHub."""


def find_provenance(source: str, commit_sha: str) -> str:
    """Return ``mainline`` or ``tree`` for a commit in the repository named ``source``.

    A commit's id stands for its content and its whole past: a commit that is known from the
    mainline is mainline in every clone.
    """
    is_mainline = source in OFFICIAL or commit_sha in _mainline_commits()
    return "mainline" if is_mainline else "tree"


@cache
def _mainline_commits() -> frozenset[str]:
    """Return the ids of the mainline commits that ``data/sources.toml`` lists."""
    entries = read_toml(data_path("sources.toml")).get("source", [])
    return frozenset(
        entry["commit"]
        for entry in entries
        if "commit" in entry and entry.get("provenance") == "mainline"
    )
