"""Which tags of a source are taken as releases: pure functions of their names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from caphistory.errors import CaphistoryError
from caphistory.history import versions
from caphistory.history.model import Tags


class Selection(NamedTuple):
    """The (release, tag) pairs to take in version order, the (tag, reason) of matching tags that
    are not taken, and the number of prereleases left out."""

    chosen: list[tuple[str, str]]
    skipped: list[tuple[str, str]]
    prereleases_left_out: int


def select(tags: Iterable[str], patterns: Sequence[str], *, prereleases: bool) -> Selection:
    """Choose the releases among the names of tags (see ``Source.tags`` for the rules).

    If two tags name one release (``2.6.11`` and ``v2.6.11``), the first by name is taken.
    """
    chosen: dict[str, str] = {}
    skipped: list[tuple[str, str]] = []
    left_out = 0
    for tag in sorted(tags):
        if not versions.match(patterns, tag):
            continue
        exactly = versions.named_exactly(patterns, tag)
        release = versions.release_name(tag) or (tag if exactly else None)
        if release is None or not versions.is_known(release):
            skipped.append((tag, "not the name of a Linux release"))
        elif versions.kind(release) == "prerelease" and not (prereleases or exactly):
            left_out += 1
        elif release in chosen:
            skipped.append((tag, f"the same release as tag {chosen[release]}"))
        else:
            chosen[release] = tag
    ordered = sorted(chosen.items(), key=lambda item: versions.sort_key(item[0]))
    return Selection(ordered, skipped, left_out)


def demand_releases(tags: Tags, source: str, patterns: Sequence[str]) -> Tags:
    """Return the tags; raise CaphistoryError with the reason if there is no release among them."""
    if tags.releases:
        return tags
    asked = ", ".join(versions.split_patterns(patterns))
    if tags.prereleases_left_out:
        raise CaphistoryError(
            f"only prereleases of {source} match {asked or 'all tags'}: add --prereleases"
        )
    if tags.skipped:
        tag, reason = tags.skipped[0]
        more = f" (and {len(tags.skipped) - 1} more)" if len(tags.skipped) > 1 else ""
        raise CaphistoryError(f"no kernel release in {source}: tag {tag}: {reason}{more}")
    if asked:
        raise CaphistoryError(f"no tag of {source} matches {asked}")
    raise CaphistoryError(f"{source} has no tags, so it has no releases to read")
