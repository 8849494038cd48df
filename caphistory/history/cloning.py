"""Cloning a repository of kernels into the user's cache, and fetching its new tags later."""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path

import pygit2

from caphistory.errors import CaphistoryError
from caphistory.history.model import Progress
from caphistory.history.opening import open_repository

# In milliseconds. By default libgit2 waits for a silent server as long as the system tries to
# connect (two minutes on Linux), and forever for one that stops halfway.
pygit2.settings.server_connect_timeout = 15_000
pygit2.settings.server_timeout = 120_000

# Not forced, like git's own fetch: a tag that was moved upstream keeps the commit we read.
_TAGS = "refs/tags/*:refs/tags/*"


class _Callbacks(pygit2.RemoteCallbacks):
    """Reports how far a clone or a fetch is."""

    def __init__(self, doing: str, progress: Progress) -> None:
        """``doing`` is the stage that ``progress`` is told while objects arrive."""
        super().__init__()
        self._doing = doing
        self._progress = progress

    def transfer_progress(self, stats: pygit2.remotes.TransferProgress) -> None:
        """Report objects received, or, once all have arrived, deltas resolved."""
        if stats.received_objects < stats.total_objects:
            self._progress(self._doing, stats.received_objects, stats.total_objects)
        else:
            self._progress("unpacking what came", stats.indexed_deltas, stats.total_deltas)


def clone_folder(url: str) -> str:
    """Return the name of the cache folder that the repository at ``url`` is cloned to."""
    address = (
        re.sub(r"^\w+://(?:[^/@]*@)?|^[\w.-]+@", "", url).removesuffix("/").removesuffix(".git")
    )
    return re.sub(r"[^A-Za-z0-9._-]+", "+", address).strip("+.") + ".git"


def clone(url: str, folder: Path, progress: Progress) -> None:
    """Clone a repository, bare, to a folder that does not exist yet.

    The clone is made in a temporary folder beside it and renamed when complete. Raises
    CaphistoryError if the repository cannot be fetched or the folder cannot be written.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=".cloning-", dir=folder.parent))
    except OSError as error:
        raise CaphistoryError(f"cannot write to {folder.parent}: {error.strerror}") from error
    try:
        callbacks = _Callbacks(f"cloning {url}", progress)
        pygit2.clone_repository(url, str(beside), bare=True, callbacks=callbacks)
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


def fetch_tags(url: str, folder: Path, progress: Progress) -> None:
    """Fetch the tags of the repository at ``url`` that its clone in ``folder`` lacks.

    Raises CaphistoryError, whose message is the reason, if they cannot be fetched or written.
    """
    repository = open_repository(folder)
    try:
        callbacks = _Callbacks("fetching new tags", progress)
        repository.remotes.create_anonymous(url).fetch([_TAGS], callbacks=callbacks)
    except (pygit2.GitError, OSError, ValueError, KeyError) as error:
        raise CaphistoryError(str(error).splitlines()[0]) from error
    finally:
        repository.free()
