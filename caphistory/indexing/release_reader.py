"""From one release to the next: which files changed, what they hold, and the linked rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from caphistory.history.model import BrokenObject, Source, TagRef
from caphistory.indexing.fact_cache import FactCache, Items
from caphistory.linking.folders import I386
from caphistory.linking.program import Program
from caphistory.linking.release import Tree, link
from caphistory.records import AuditDetail, LinkedRelease, Release
from caphistory.syntax.facts import Blob
from caphistory.syntax.reader import read, read_assembler

_C = (".c", ".h")
_ASSEMBLER = (".S", ".s")
# The same content may be named both ways.
_AS_ASSEMBLER = " (assembler)"


def readable_files(files: Mapping[str, str]) -> dict[str, str]:
    """Those of a release's files that hold C or assembler, by path."""
    return {path: blob for path, blob in files.items() if path.endswith((*_C, *_ASSEMBLER))}


def name_of(path: str, blob_id: str) -> str:
    """The name under which the facts of a file are cached."""
    return blob_id + (_AS_ASSEMBLER if path.endswith(_ASSEMBLER) else "")


def facts_of(path: str, content: bytes, known: Items) -> tuple[Blob, Items]:
    """The facts of a file and of its items, of which some may be known."""
    if path.endswith(_ASSEMBLER):
        return read_assembler(content)
    blob, new = read(content, known)
    return blob, {p.key: new.get(p.key) or known[p.key] for p in blob.items}


class ReleaseReader:
    """Reads the releases of a source one after the other. Neighbours share most files, and
    the versions of a file most functions: what was there in the release before, or was read by
    an earlier run (``cache``), is not read again.

    ``lost`` are the contents that cannot be read, by id, with the reason. ``about_to`` is told
    the id of each content and its path before it is read, and two empty strings after that.
    """

    def __init__(
        self,
        source: Source,
        cache: FactCache,
        lost: Mapping[str, str],
        about_to: Callable[[str, str], None],
    ) -> None:
        self._source = source
        self._fact_cache = cache
        self._lost = lost
        self._about_to = about_to
        self._program = Program(I386)
        self._ids: dict[str, str] = {}
        self._blobs: dict[str, Blob] = {}
        self._items: dict[str, Items] = {}
        self._unreadable: dict[str, str] = {}

    def link(
        self, tag: TagRef, release: Release, *, last: bool = False
    ) -> tuple[LinkedRelease, int]:
        """The rows of a release, and how many blobs were read for it. After the ``last`` one
        no other can be linked: what only they would need is dropped before, half a gigabyte of
        a kernel of today.

        A file that cannot be read is noted in the audit and taken for empty. Raises
        BrokenObject where the files cannot even be listed; another release can be linked
        after that.
        """
        files = self._source.files(tag)
        blobs_read = self._read(readable_files(files))
        there = self._program.files
        items = {
            key: item
            for path, blob in self._blobs.items()
            if there.get(path) is not blob
            for key, item in self._items[path].items()
        }
        self._program.update(self._blobs, items)
        del items  # a hundred megabytes in a kernel of today
        if last:
            self._items.clear()
        notes = [
            AuditDetail("unreadable", path, None, reason)
            for path, reason in sorted(self._unreadable.items())
        ]
        tree = Tree(files, self._source.read)
        return link(release, self._program, tree, notes, last=last), blobs_read

    def _read(self, files: dict[str, str]) -> int:
        """Hold the facts of these files, given by path and blob, and of no others."""
        for path in [path for path in self._blobs if path not in files]:
            del self._blobs[path], self._items[path], self._ids[path]
            self._unreadable.pop(path, None)
        changed = [path for path, blob in files.items() if self._ids.get(path) != blob]
        blobs_read = 0
        for path in changed:
            self._unreadable.pop(path, None)
            self._ids[path] = files[path]
            known = self._items.get(path, {})
            name = name_of(path, files[path])
            found = self._fact_cache.get(name)
            if found is None:
                blobs_read += 1
                known = known or self._fact_cache.lately(path)
                self._about_to(files[path], path)
                found = facts_of(path, self._content(path, files[path]), known)
                self._about_to("", "")
                if path not in self._unreadable:
                    self._fact_cache.put(name, path, *found)
            blob, items = found
            self._blobs[path] = blob
            self._items[path] = {p.key: known.get(p.key) or items[p.key] for p in blob.items}
        self._fact_cache.flush()
        return blobs_read

    def _content(self, path: str, blob_id: str) -> bytes:
        try:
            if blob_id in self._lost:
                raise BrokenObject(blob_id, self._source.name, self._lost[blob_id])
            return self._source.read(blob_id)
        except BrokenObject as error:
            self._unreadable[path] = str(error)
            return b""
