"""Cloning a repository of kernels into the user's cache."""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path

import pygit2

from caphistory.errors import CaphistoryError
from caphistory.history.model import Progress


class _Callbacks(pygit2.RemoteCallbacks):
    def __init__(self, url: str, progress: Progress) -> None:
        super().__init__()
        self._url = url
        self._progress = progress

    def transfer_progress(self, stats: pygit2.remotes.TransferProgress) -> None:
        if stats.received_objects < stats.total_objects:
            self._progress(f"cloning {self._url}", stats.received_objects, stats.total_objects)
        else:
            self._progress("unpacking the clone", stats.indexed_deltas, stats.total_deltas)


def clone_folder(url: str) -> str:
    """Return the name of the folder in the cache that a repository is cloned to."""
    address = (
        re.sub(r"^\w+://(?:[^/@]*@)?|^[\w.-]+@", "", url).removesuffix("/").removesuffix(".git")
    )
    return re.sub(r"[^A-Za-z0-9._-]+", "+", address).strip("+.") + ".git"


def clone(url: str, folder: Path, progress: Progress) -> None:
    """Clone a repository, bare, to a folder that does not exist yet.

    The clone is made beside it and renamed when it is whole. Raises CaphistoryError where it
    cannot be had or cannot be written.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=".cloning-", dir=folder.parent))
    except OSError as error:
        raise CaphistoryError(f"cannot write to {folder.parent}: {error.strerror}") from error
    try:
        pygit2.clone_repository(url, str(beside), bare=True, callbacks=_Callbacks(url, progress))
        beside.rename(folder)
    except (pygit2.GitError, OSError, ValueError) as error:
        # Another process may have cloned it in the meantime: its clone is as good.
        if not folder.exists():
            reason = str(error).splitlines()[0]
            raise CaphistoryError(
                f"cannot clone {url}: {reason}; check the network, or name a clone on this machine"
            ) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)
