"""From one release to the next: which files changed, what they hold, and the linked rows."""

from __future__ import annotations

from caphistory.history.model import BrokenObject, Source, TagRef
from caphistory.linking.folders import I386
from caphistory.linking.program import Program
from caphistory.linking.release import Tree, link
from caphistory.records import AuditDetail, LinkedRelease, Release
from caphistory.syntax.facts import Blob, Item
from caphistory.syntax.reader import read, read_assembler

_C = (".c", ".h")
_ASSEMBLER = (".S", ".s")


class Reading:
    """Reads the releases of a source one after the other. Neighbours share most files, and
    the versions of a file most functions: what was there in the release before is not read
    again."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._program = Program(I386)
        self._ids: dict[str, str] = {}
        self._blobs: dict[str, Blob] = {}
        self._items: dict[str, dict[bytes, Item]] = {}
        self._unreadable: dict[str, str] = {}

    def link(self, tag: TagRef, release: Release) -> tuple[LinkedRelease, int]:
        """The rows of a release, and how many blobs were read for it.

        A file that cannot be read is noted in the audit and taken for empty. Raises
        BrokenObject where the files cannot even be listed; another release can be linked
        after that.
        """
        files = self._source.files(tag)
        blobs_read = self._read(
            {path: blob for path, blob in files.items() if path.endswith((*_C, *_ASSEMBLER))}
        )
        there = self._program.files
        items = {
            key: item
            for path, blob in self._blobs.items()
            if there.get(path) is not blob
            for key, item in self._items[path].items()
        }
        self._program.update(self._blobs, items)
        notes = [
            AuditDetail("unreadable", path, None, reason)
            for path, reason in sorted(self._unreadable.items())
        ]
        return link(release, self._program, Tree(files, self._source.read), notes), blobs_read

    def _read(self, files: dict[str, str]) -> int:
        """Hold the facts of these files, given by path and blob, and of no others."""
        for path in [path for path in self._blobs if path not in files]:
            del self._blobs[path], self._items[path], self._ids[path]
            self._unreadable.pop(path, None)
        changed = [path for path, blob in files.items() if self._ids.get(path) != blob]
        for path in changed:
            known = self._items.get(path, {})
            content = self._content(path, files[path])
            assembler = path.endswith(_ASSEMBLER)
            blob, new = read_assembler(content) if assembler else read(content, known)
            self._ids[path] = files[path]
            self._blobs[path] = blob
            self._items[path] = {p.key: new.get(p.key) or known[p.key] for p in blob.items}
        return len(changed)

    def _content(self, path: str, blob_id: str) -> bytes:
        self._unreadable.pop(path, None)
        try:
            return self._source.read(blob_id)
        except BrokenObject as error:
            self._unreadable[path] = str(error)
            return b""
