"""Tell whether a folder is a kernel, and which release its own Makefile names."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

from caphistory.history.versions import release_name

# True of all 1,674 tags of the default history (0.01 to 2.6.12-rc1) and of later kernels.
_FILES = ("Makefile", "init/main.c")
_FOLDERS = ("kernel", "fs")

_ASSIGNMENT = re.compile(
    r"^(VERSION|PATCHLEVEL|SUBLEVEL|ALPHA|EXTRAVERSION)[ \t]*=[ \t]*(.*)$", re.M
)
_TREE_NAME = re.compile(r"linux-(?:source-)?(.+)")


def missing_parts(is_file: Callable[[str], bool], is_folder: Callable[[str], bool]) -> list[str]:
    """Return the files and folders (with ``/``) that every kernel tree has and this one lacks.

    The arguments say whether a path relative to the root is a file or a folder. The list is
    empty for a kernel.
    """
    return [name for name in _FILES if not is_file(name)] + [
        f"{name}/" for name in _FOLDERS if not is_folder(name)
    ]


def choose_root(folders: Collection[str], release: str | None) -> str | None:
    """Return which of the folders that hold a kernel is meant: the one named after the release
    (``linux-3.13.10``), else the only one; None if neither applies."""
    named = f"linux-{release}"
    if named in folders:
        return named
    return next(iter(folders)) if len(folders) == 1 else None


def release_of_makefile(makefile: str) -> str | None:
    """Return the release that the Makefile of a kernel names, None if it names none.

    Makefiles have had a version since 0.99.13k. An EXTRAVERSION that is not part of a release's
    name (2.4.15 calls itself ``2.4.15-greased-turkey``, builders add their own) is left out.
    """
    assigned = {
        name: value.split("#")[0].strip() for name, value in reversed(_ASSIGNMENT.findall(makefile))
    }
    if not assigned.get("VERSION") or not assigned.get("PATCHLEVEL"):
        return None
    numbers = [assigned["VERSION"], assigned["PATCHLEVEL"]]
    if assigned.get("SUBLEVEL"):
        numbers.append(assigned["SUBLEVEL"])
    # Named as their tags are: 2.0 (Makefile: 2.0.0), 3.0 and later (3.0.0).
    if numbers == ["2", "0", "0"] or (
        numbers[2:] == ["0"] and numbers[0].isdigit() and int(numbers[0]) > 2
    ):
        del numbers[2:]
    # pre2.0.1 to pre2.0.14 call themselves 1.99.1 to 1.99.14.
    if numbers[:2] == ["1", "99"]:
        numbers[:2] = ["pre2", "0"]
    # 1.0pre1 and 1.0alpha call themselves pre-1.0.
    if numbers[0] == "pre-1":
        numbers[0] = "1"
        assigned["ALPHA"] = "pre"
    base = ".".join(numbers)
    extra = assigned.get("EXTRAVERSION", "") or assigned.get("ALPHA", "")
    return release_name(base + extra) or release_name(base)


def release_of_name(name: str) -> str | None:
    """Return the release that a file's or folder's name stands for (``linux-0.01``: ``0.01``),
    None if it stands for none."""
    match = _TREE_NAME.fullmatch(name)
    return release_name(match[1] if match else name)
