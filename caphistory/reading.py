"""From one release to the next: which files changed, what they hold, and the linked rows."""

from __future__ import annotations

from caphistory.history.model import Source, TagRef
from caphistory.linking.program import I386, Program
from caphistory.linking.release import Tree, link
from caphistory.records import AuditDetail, LinkedRelease, Release
from caphistory.syntax.facts import Blob, Item
from caphistory.syntax.reader import read


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

    def link(self, tag: TagRef, release: Release) -> tuple[LinkedRelease, int]:
        """The rows of a release, and how many blobs were read for it.

        Raises BrokenObject where the source lacks an object.
        """
        files = self._source.files(tag)
        notes: list[AuditDetail] = []
        c_files = {path: blob for path, blob in files.items() if path.endswith((".c", ".h"))}
        changed = {path: blob for path, blob in c_files.items() if self._ids.get(path) != blob}
        contents = {path: self._source.read(blob) for path, blob in changed.items()}
        for path in [path for path in self._blobs if path not in c_files]:
            del self._blobs[path], self._items[path], self._ids[path]
        fresh: dict[bytes, Item] = {}
        for path, content in contents.items():
            self._read(path, content, fresh)
            self._ids[path] = changed[path]
        self._program.update(self._blobs, fresh)
        tree = Tree(files, self._source.read)
        return link(release, self._program, tree, notes), len(changed)

    def _read(self, path: str, content: bytes, fresh: dict[bytes, Item]) -> None:
        known = self._items.get(path, {})
        blob, new = read(content, known)
        items = {p.key: new.get(p.key) or known[p.key] for p in blob.items}
        self._blobs[path] = blob
        self._items[path] = items
        fresh.update(items)
