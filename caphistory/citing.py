"""How the program and its data are named, licensed and found: one place for all that says so."""

from __future__ import annotations

from collections.abc import Mapping

TITLE = "caphistory: which Linux syscalls check which privilege, release by release"

#: Placeholders until the project has a public address. ``pyproject.toml``, ``CITATION.cff`` and
#: ``.zenodo.json`` repeat them, which tests/documentation/test_citing.py compares: whoever changes
#: them here is told where else.
HOMEPAGE = "https://github.com/caphistory/caphistory"
AUTHOR = "The caphistory maintainers"
EMAIL = "maintainers@caphistory.example"

DATA_LICENSE: Mapping[str, str] = {
    "name": "CC0-1.0",
    "title": "CC0 1.0 Universal",
    "path": "https://creativecommons.org/publicdomain/zero/1.0/",
}
"""The licence of the facts (the program has another, MIT): they are read, not written, and are
to be combined with anything."""
