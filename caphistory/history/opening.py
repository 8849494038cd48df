"""Opening a git repository on this machine: the one way for reading, showing and comparing."""

from __future__ import annotations

from pathlib import Path

import pygit2
from pygit2.enums import RepositoryOpenFlag

from caphistory.errors import CaphistoryError

# libgit2 refuses repositories of another user because git would run their hooks and
# configured commands; reading objects runs nothing, and shared clones are common.
pygit2.settings.owner_validation = False
# Of a pack, so much at once: the default maps all of it, 170 MB more for 6.8, and is no faster.
pygit2.settings.mwindow_size = 8 << 20
pygit2.settings.mwindow_mapped_limit = 64 << 20


def open_repository(path: Path, *, search: bool = False) -> pygit2.Repository:
    """Open the repository at ``path``, bare or a work tree, whoever owns it; with ``search`` also
    one that contains ``path``. Raises CaphistoryError if there is none."""
    flags = RepositoryOpenFlag(0) if search else RepositoryOpenFlag.NO_SEARCH
    try:
        return pygit2.Repository(str(path), flags)
    except (pygit2.GitError, OSError, ValueError) as error:
        raise CaphistoryError(f"{path} is not a git repository that can be read") from error
