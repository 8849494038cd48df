"""Find the database to read or write if the user names none."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from caphistory.errors import CaphistoryError
from caphistory.store.database import is_database, open_reader
from caphistory.store.reading import read_indexed

if TYPE_CHECKING:
    from caphistory.store.shipped import Progress

#: How long an unpacked database is kept after its last use: two versions of caphistory that are
#: used side by side are not to unpack theirs (2 s, 150 MB) again and again.
UNUSED_DAYS = 30

_XZ = b"\xfd7zXZ\x00"


def default_database(
    db: Path | str | None = None,
    progress: Progress | None = None,
    warn: Callable[[str], None] | None = None,
) -> Path:
    """Return the database to read: ``db`` where it is given, else the user's own, else the one that
    ships with the package.

    What ships, or ``db`` if it is an exported file of facts, is unpacked to the user's cache at
    first use, once for each content; ``progress`` is given how many of how many rows are done.
    Where the cache cannot be written and ``warn`` is given, which is then told so, it is unpacked
    to a temporary file for this process. Raises CaphistoryError when there is nothing to unpack or
    it cannot be written.
    """
    from caphistory.paths import cache_folder, data_path

    if db is None:
        own = user_database()
        if own.exists() and not _is_empty(own):
            return own
        facts = data_path("facts.xz")
    else:
        facts = Path(db)
        if not is_compressed(facts):
            return facts
    try:
        return unpack_once(facts, cache_folder(), progress)
    except UnwritableCache as error:
        if warn is None:
            raise
        warn(f"{error}: the facts are unpacked anew for this run (or export them to a file)")
        return _unpack_for_this_process(facts, progress)


def is_compressed(path: Path) -> bool:
    """Whether a file is an export of facts (by its first bytes, those of xz)."""
    try:
        with path.open("rb") as file:
            return file.read(len(_XZ)) == _XZ
    except OSError:
        return False


class UnwritableCache(CaphistoryError):
    """The user's cache folder cannot be written."""


def _unpack_for_this_process(facts: Path, progress: Progress | None) -> Path:
    """Return a database in a folder of its own, which is removed when the process ends."""
    from caphistory.store import shipped

    try:
        folder = Path(tempfile.mkdtemp(prefix="caphistory-"))
    except OSError as error:
        raise CaphistoryError(f"no folder for temporary files: {error.strerror}") from error
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    shipped.unpack(facts, folder / "facts.db", progress)
    return folder / "facts.db"


def unpack_once(facts: Path, folder: Path, progress: Progress | None = None) -> Path:
    """Return the database in ``folder`` with the facts of an exported file, made where there is
    none yet for this content of the file; those that nobody used for UNUSED_DAYS are removed."""
    from caphistory.store import shipped

    path = folder / f"facts-{shipped.name_content(facts)}.db"
    if not is_database(path):
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UnwritableCache(f"cannot make {folder}: {error.strerror}") from error
        if not os.access(folder, os.W_OK):
            raise UnwritableCache(f"cannot write to {folder}")
        _remove_stray_folder(path)
        shipped.unpack(facts, path, progress)
    with suppress(OSError):
        # A folder that cannot be written to loses nothing either.
        os.utime(path)
        _remove_unused(folder)
    return path


def _remove_stray_folder(path: Path) -> None:
    """Remove an empty folder at a path; raises CaphistoryError if it is not empty."""
    try:
        if path.is_dir():
            path.rmdir()
    except OSError as error:
        raise CaphistoryError(
            f"{path} is a folder with something in it, where the shipped facts are to be"
            " unpacked: remove it"
        ) from error


def _remove_unused(folder: Path) -> None:
    """Remove the databases of earlier contents, and what a killed unpacking left."""
    oldest = time.time() - UNUSED_DAYS * 86_400
    for file in (*folder.glob("facts-*.db"), *folder.glob(".facts-*.db.*.tmp")):
        with suppress(OSError):
            if file.is_file() and file.stat().st_mtime < oldest:
                file.unlink()


def database_to_write(db: Path | str | None = None) -> Path:
    """Return the database to write to: ``db`` where it is given, else the user's own, whose folder
    is made. Raises CaphistoryError when that cannot be made."""
    if db is not None:
        return Path(db)
    own = user_database()
    _make_folder(own.parent)
    return own


def user_database() -> Path:
    """Return the path of the user's own database, whether or not it exists."""
    from platformdirs import user_data_dir

    return Path(user_data_dir("caphistory")) / "caphistory.db"


def _is_empty(own: Path) -> bool:
    """Whether a database holds no release, as one does whose index run was stopped early: it
    must not hide what ships. A file that cannot be read is not empty."""
    try:
        with closing(open_reader(own)) as db:
            return not read_indexed(db)
    except CaphistoryError:
        return False


def _make_folder(folder: Path) -> None:
    """Make a folder and those above it; raises CaphistoryError if that fails."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CaphistoryError(f"cannot make {folder}: {error.strerror}") from error
