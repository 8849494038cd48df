"""Find the files that ship with the package, ``data/`` and ``queries/``, and the user's folders.

In an installed package ``data/`` and ``queries/`` are inside it, where the wheel puts them; in a
checkout they are at the root of the repository.
"""

from __future__ import annotations

from pathlib import Path

from caphistory.errors import CaphistoryError

_PACKAGE = Path(__file__).resolve().parent


def resource_path(folder: str, name: str = "") -> Path:
    """Return the path of a file in ``data`` or ``queries``, or of the folder itself.

    Raises CaphistoryError if there is no such file.
    """
    for root in (_PACKAGE, _PACKAGE.parent):
        path = root / folder / name
        if path.exists():
            return path
    raise CaphistoryError(f"{folder}/{name} is missing: install caphistory again")


def data_path(name: str = "") -> Path:
    """Return the path of a file in ``data`` (see ``resource_path``)."""
    return resource_path("data", name)


def queries_path(name: str = "") -> Path:
    """Return the path of a file in ``queries`` (see ``resource_path``)."""
    return resource_path("queries", name)


def cache_folder() -> Path:
    """Return the user's cache folder for caphistory: cloned repositories, unpacked data."""
    from platformdirs import user_cache_dir

    return Path(user_cache_dir("caphistory"))


def log_folder() -> Path:
    """Return the user's folder for caphistory's log files."""
    from platformdirs import user_log_dir

    return Path(user_log_dir("caphistory"))
