"""Say how a person brings the source text of a release onto the machine."""

from __future__ import annotations

import re

DEFAULT_HISTORY = "linux-history"


def describe_clone(release: str, source: str) -> str:
    """Return the command that clones the repository a release was read from to where the program
    looks for it; "" if it was read from no repository that can be cloned."""
    path = source.removesuffix(".git")
    name = path.rpartition("/")[2]
    if name == DEFAULT_HISTORY:
        return "caphistory index"
    if re.fullmatch(r"[\w-]+/[\w.-]+", path):
        path = f"https://github.com/{path}"
    if not re.fullmatch(r"https://[\w./~-]+", path):
        return ""
    return f"git clone --bare {path} ~/.cache/caphistory/{name}.git"
