"""Choose the documents to compare with a release."""

from __future__ import annotations

from pathlib import Path

from caphistory.documented.documents import Documents
from caphistory.documented.manual import list_manual_folders
from caphistory.documented.reading import read_documents
from caphistory.documented.seccomp import read_profile


def documents(
    release: str, manual: Path | None = None, seccomp: Path | None = None
) -> list[Documents]:
    """Return the manual in the folder ``manual`` (None: that of this machine), and what the seccomp
    profile in the file ``seccomp`` says of ``release``; a profile alone where only that is given.

    Raises what ``manual.read_manual`` and ``seccomp.read_profile`` raise.
    """
    chosen = []
    if manual is not None or seccomp is None:
        chosen.append(read_documents(list_manual_folders(manual)))
    if seccomp is not None:
        chosen.append(read_profile(seccomp, release))
    return chosen
