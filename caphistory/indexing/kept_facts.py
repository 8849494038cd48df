"""What was read of the last release of a run, kept in the user's cache for the next run.

A point release more has nearly all its files in common with the one before: what was read of those
is taken up, and only the rest is read. The file is written at the end of a run, all at once, and
read when the first file would have to be; one that another engine wrote, or that is damaged, is
passed over.
"""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from caphistory_engine import Engine

Name = tuple[str, bool]
"""A content, by its git id, and whether it is read as assembler."""

# What is kept is written anew where more than this part of a release is not in it.
_MUCH = 1 / 20
# 2.6.11 has 70 MB, 6.8 some 400.
_MOST_BYTES = 1 << 30


class KeptFacts:
    """The facts that the run before kept, and those that the next one is to find."""

    def __init__(self, path: Path, engine: Engine) -> None:
        """``path`` is the file, ``engine`` what reads."""
        self._path = path
        self._engine = engine
        self._recalled: set[Name] = set()
        self._asked = False

    def recall(self, wanted: Collection[Name]) -> None:
        """Give the engine what was kept if most of it is ``wanted`` by the first release of a run;
        of a history that is read anew, the others would only load it in vain."""
        if self._asked:
            return
        self._asked = True
        with suppress(OSError):
            if self._path.stat().st_size <= _MOST_BYTES:
                self._recalled.update(self._engine.recall(self._path.read_bytes(), [*wanted]))

    def keep(self, names: Collection[Name]) -> None:
        """Write what the engine holds of these contents, if much of it was not there."""
        if sum(name not in self._recalled for name in names) <= len(names) * _MUCH:
            return
        kept = self._engine.keep([*names])
        if sum(map(len, kept)) > _MOST_BYTES:
            return
        new = self._path.with_suffix(".new")
        try:
            new.parent.mkdir(parents=True, exist_ok=True)
            with new.open("wb") as file:
                file.writelines(kept)
            new.replace(self._path)
        except OSError:  # no room on the disk, say: the next run reads again
            with suppress(OSError):
                new.unlink()
