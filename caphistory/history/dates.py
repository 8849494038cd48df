"""When releases came out, where a source says so."""

from __future__ import annotations

import csv
from datetime import date, timedelta
from functools import cache

from caphistory.history.model import TagRef
from caphistory.paths import data_path

# The default history was put together from imports: the releases to 2.4.0-prerelease on
# 2007-11-23, 2.4.0 to 2.5.3 (into BitKeeper) on 2002-02-04 and 2002-02-05.
_IMPORT_DAYS = {"2007-11-23", "2002-02-04", "2002-02-05"}


@cache
def load_dates() -> dict[str, tuple[str, str]]:
    """Return the ISO date and its source for each release in ``data/release_dates.csv``."""
    with data_path("release_dates.csv").open(encoding="utf-8", newline="") as file:
        return {row["release"]: (row["released"], row["source"]) for row in csv.DictReader(file)}


def find_release_date(tag: TagRef) -> str | None:
    """Return the ISO date of a release, or None where no source is known.

    The table has precedence; then comes the date of the tagged commit, in the committer's time
    zone, unless the commit is part of an import or was dated by hand (see ``is_commit_date_true``).
    """
    dated = load_dates().get(tag.release)
    if dated:
        return dated[0]
    return tag.committed if is_commit_date_true(tag) else None


def is_commit_date_true(tag: TagRef) -> bool:
    """Whether the date of a tagged commit is that of the release.

    Nobody authors a commit after committing it. Where the dates say so, by more than the day
    that time zones can make, the date was set by hand. This is true of 2.4.16 to 2.4.31 in the
    default history, some of which have day and month swapped (2.4.24: 2004-05-01, after 2.4.25:
    2004-02-18).
    """
    if tag.committed is None or tag.authored is None or tag.committed in _IMPORT_DAYS:
        return False
    late = date.fromisoformat(tag.authored) - date.fromisoformat(tag.committed)
    return late <= timedelta(days=1)
