"""Which documents are compared."""

from __future__ import annotations

from pathlib import Path

from caphistory.documented.documents import Documents
from caphistory.documented.manual import manual_folders
from caphistory.documented.reading import documents_of
from caphistory.documented.seccomp import read_profile


def documents(
    release: str, manual: Path | None = None, seccomp: Path | None = None
) -> list[Documents]:
    """The manual in the folder ``manual`` (None: that of this machine), and what the seccomp
    profile in the file ``seccomp`` says of ``release``; a profile alone where only that is given.

    Raises what ``manual.read_manual`` and ``seccomp.read_profile`` raise.
    """
    found = []
    if manual is not None or seccomp is None:
        found.append(documents_of(manual_folders(manual)))
    if seccomp is not None:
        found.append(read_profile(seccomp, release))
    return found
