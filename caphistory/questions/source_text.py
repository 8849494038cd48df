"""The source text of the functions that an answer names, read from a clone on this machine."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from caphistory.errors import CaphistoryError
from caphistory.history import source_text
from caphistory.history.cloning import clone_folder
from caphistory.history.source_text import (
    FunctionText,
    KernelSource,
    SourceNotHereError,
    cached_repositories,
)
from caphistory.history.sources_file import read_entries
from caphistory.paths import cache_folder, data_path

__all__ = ["FunctionText", "KernelSource", "cached_repositories", "open_kernel"]


def open_kernel(release: str, commit_sha: str | None, repositories: Sequence[Path]) -> KernelSource:
    """Return the source of ``release``, the commit ``commit_sha``, from the first of
    ``repositories`` that has it; raise CaphistoryError, with the command that brings it where the
    release is one that ships, if none has."""
    try:
        return source_text.open_kernel(release, commit_sha, repositories)
    except SourceNotHereError:
        command = find_clone_command(release)
        if command is None:
            raise
        raise CaphistoryError(
            f"the source of {release} is not on this machine: {command}"
        ) from None


def find_clone_command(release: str) -> str | None:
    """Return the command that clones the repository from which the facts of ``release`` come that
    ship, into the folder where it is looked for; None for a release of the default history, and
    for one that does not ship."""
    entries, _ = read_entries(data_path("sources.toml"))
    for entry in entries:
        if entry.release == release and entry.repository:
            address = (*entry.copies, entry.repository)[0]
            folder = str(cache_folder() / clone_folder(address))
            home = str(Path.home())
            at = f"~{folder.removeprefix(home)}" if folder.startswith(f"{home}/") else folder
            return f"git clone --bare {address} {at}"
    return None
