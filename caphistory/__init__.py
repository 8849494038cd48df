"""caphistory: which syscalls check which privilege, in which Linux release, where, since when.

    import caphistory
    history = caphistory.open()
    history.which("CAP_SYS_CHROOT", release="2.2.24")

gives pandas data frames (see ``caphistory.notebook.history``). Nothing but the standard library is
imported until then.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from caphistory.errors import CaphistoryError, NothingFound, UsageError

if TYPE_CHECKING:
    from caphistory.notebook.history import History, open

__version__ = "0.1.0"

__all__ = ["CaphistoryError", "History", "NothingFound", "UsageError", "open"]


def __getattr__(name: str) -> Any:
    if name in ("History", "open"):
        return getattr(import_module("caphistory.notebook.history"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
