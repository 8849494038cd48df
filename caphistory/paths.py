"""Where the files that come with the package are: ``data/`` and ``queries/``.

In an installed package they stand inside it (the wheel puts them there); in a checkout, at the
root of the repository.
"""

from __future__ import annotations

from pathlib import Path

from caphistory.errors import CaphistoryError

_PACKAGE = Path(__file__).resolve().parent


def resource_path(folder: str, name: str = "") -> Path:
    """Return the path of a file in ``data`` or ``queries``, or of the folder itself.

    Raises CaphistoryError where there is no such file.
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
    """The user's cache folder of caphistory: cloned repositories, unpacked data."""
    from platformdirs import user_cache_dir

    return Path(user_cache_dir("caphistory"))


def log_folder() -> Path:
    """The user's folder for what caphistory logs."""
    from platformdirs import user_log_dir

    return Path(user_log_dir("caphistory"))
