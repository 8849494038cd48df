"""How sure it is that a commit is what was released (see ``records.PROVENANCES``)."""

from __future__ import annotations

from functools import cache

from caphistory.paths import data_path

OFFICIAL = frozenset(
    {"MaximeChretien/linux-history", "torvalds/linux", "stable/linux", "gregkh/linux"}
)
"""The repositories whose tags are the releases themselves: the old import, and those of Linus
Torvalds and of the stable team by their addresses at kernel.org and GitHub."""


def find_provenance(source: str, commit_sha: str) -> str:
    """Return the provenance of a commit in a repository of this name, as far as both tell.

    A commit's id stands for its content and its whole past: one that is known from the mainline
    is mainline in whatever clone it is found.
    """
    known = source in OFFICIAL or commit_sha in _mainline_commits()
    return "mainline" if known else "tree"


@cache
def _mainline_commits() -> frozenset[str]:
    """The mainline commits that ``data/sources.toml`` lists."""
    from caphistory.history.sources_file import read_toml

    entries = read_toml(data_path("sources.toml")).get("source", [])
    return frozenset(
        entry["commit"]
        for entry in entries
        if "commit" in entry and entry.get("provenance") == "mainline"
    )
