"""Which files each file of a program includes, as a kernel with one ABI is built."""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Mapping

from caphistory.linking.folders import Abi, base_names
from caphistory.syntax.facts import Blob


class Includes:
    """Goes from one release to the next with the files, a mapping that its owner changes: what
    does not depend on the files that changed is kept. A set of files is an integer with a bit
    for each: thousands of sets of hundreds of paths would take more memory than all else."""

    def __init__(
        self, files: Mapping[str, Blob], architectures: Mapping[str, str], abi: Abi
    ) -> None:
        self._files = files
        self._architectures = architectures
        self._abi = abi
        self._bits: dict[str, int] = {}
        self._direct: dict[str, list[str]] = {}
        self._closures: dict[str, int] = {}

    def refresh(
        self, changed: Collection[str], moved: Collection[str]
    ) -> dict[frozenset[str], frozenset[str]]:
        """Take notice of files that changed, and of those of them that came or went; the files,
        known before, that now include others than they did, directly or not, by these others."""
        names = {posixpath.basename(path) for path in moved}
        stale = [
            path
            for path in self._direct
            if path in changed or not names.isdisjoint(base_names(self._files[path].includes))
        ]
        before = {path: self._direct.pop(path) for path in stale}
        different = {
            path for path in stale if path not in self._files or self.direct(path) != before[path]
        }
        mask = 0
        for path in different:
            mask |= self._bit(path)
        affected = {
            path: closure
            for path, closure in self._closures.items()
            if closure & mask or path in different
        }
        for path in affected:
            del self._closures[path]
        found: dict[int, list[str]] = {}
        for path, closure in affected.items():
            if path in self._files:
                found.setdefault(self._closure(path) ^ closure, []).append(path)
        found.pop(0, None)
        return {self._named(others): frozenset(paths) for others, paths in found.items()}

    def _named(self, bits: int) -> frozenset[str]:
        """The files of a set."""
        return frozenset(path for path, bit in self._bits.items() if bits >> bit & 1)

    def sees(self, path: str, other: str) -> bool:
        """Whether ``path`` includes ``other``, directly or not."""
        return bool(self._closure(path) & self._bit(other))

    def _bit(self, path: str) -> int:
        return 1 << self._bits.setdefault(path, len(self._bits))

    def _closure(self, path: str) -> int:
        found = self._closures.get(path)
        if found is None:
            # The headers first, which most other files include too.
            if not path.endswith(".h"):
                for target in self.direct(path):
                    if target.endswith(".h"):
                        self._closure(target)
            found = 0
            waiting = [path]
            while waiting:
                for target in self.direct(waiting.pop()):
                    if not found & self._bit(target):
                        found |= self._bit(target)
                        known = self._closures.get(target)
                        if known is None:
                            waiting.append(target)
                        else:
                            found |= known
            self._closures[path] = found
        return found

    def direct(self, path: str) -> list[str]:
        """The files that a file names itself."""
        found = self._direct.get(path)
        if found is None:
            found = self._direct[path] = [
                target for name in self._files[path].includes for target in self.targets(name, path)
            ]
        return found

    def targets(self, name: str, at: str) -> list[str]:
        """The files that an include's name (``<asm/io.h``) means in a file."""
        kind, target = name[0], name[1:]
        tried = []
        if kind == '"':
            tried.append(posixpath.normpath(posixpath.join(posixpath.dirname(at), target)))
        if target.startswith("asm/"):
            rest = target[4:]
            mine = self._architectures.get(at, "")
            folders = {mine} if mine and mine not in self._abi.folders else self._abi.folders
            # A platform's header stands before the generic one that it may include.
            for folder in sorted(folders, key=lambda f: (f == "generic", f)):
                tried += [
                    f"include/asm-{folder}/{rest}",
                    f"include/uapi/asm-{folder}/{rest}",  # from 3.7 on
                    f"arch/{folder}/include/asm/{rest}",
                    f"arch/{folder}/include/uapi/asm/{rest}",
                ]
        tried += [f"include/{target}", f"include/uapi/{target}"]
        return [path for path in tried if path in self._files][:2]
