"""The order of releases, and which one another is compared with."""

from __future__ import annotations

from caphistory.history.versions import is_known, parse, position
from caphistory.records import Release, Row
from caphistory.store.line import find_predecessors

__all__ = ["is_known", "parse", "position", "predecessor"]


def predecessor(releases: list[Row], name: str) -> str | None:
    """The release that ``name`` is compared with (see ``store.line``), None for the first."""
    known = [
        Release(
            one["release"], one["series"], one["kind"], one["ordinal"], one["released"],
            one["source"], one["commit_sha"], one["provenance"], one["note"],
        )
        for one in releases
    ]  # fmt: skip
    position = {one.release: one.position for one in known}
    before = find_predecessors(known)[position[name]]
    return next((one.release for one in known if one.position == before), None)
