"""How the program and its data are named, licensed and found: one place for all that says so."""

from __future__ import annotations

from collections.abc import Mapping

TITLE = "caphistory: which Linux syscalls check which privilege, release by release"
HOMEPAGE = "https://github.com/caphistory/caphistory"
AUTHOR = "The caphistory maintainers"

DATA_LICENSE: Mapping[str, str] = {
    "name": "CC0-1.0",
    "title": "CC0 1.0 Universal",
    "path": "https://creativecommons.org/publicdomain/zero/1.0/",
}
"""The licence of the facts (the program has another, MIT): they are read, not written, and are
to be combined with anything."""
