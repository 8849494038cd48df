"""Git repositories of kernels, read with pygit2: tags, trees and blobs, never a work tree."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import cast

import pygit2
from pygit2.enums import FileMode, ObjectType

from caphistory.errors import CaphistoryError
from caphistory.history.kernels import choose_root, missing_parts, release_of_makefile
from caphistory.history.model import (
    BrokenObject,
    Source,
    SourceSpec,
    TagRef,
    Tags,
    Wanted,
    is_source,
)
from caphistory.history.opening import open_repository
from caphistory.history.provenance import find_provenance
from caphistory.history.selection import demand_releases, select

_TAGS = "refs/tags/"
_FILE_MODES = {FileMode.BLOB, FileMode.BLOB_EXECUTABLE}

Files = tuple[tuple[str, str], ...]


class _Listings:
    """The files of recently listed folders, by path and tree id; a cache bounded by file count."""

    def __init__(self, limit: int) -> None:
        """``limit`` bounds the number of files and folders held."""
        self._limit = limit
        self._held = 0
        self._listings: OrderedDict[tuple[str, str], Files] = OrderedDict()

    def get(self, path: str, tree: str, make: Callable[[], Files]) -> Files:
        """Return the listing of a tree at a path, calling ``make`` if it is not held."""
        key = (path, tree)
        listing = self._listings.get(key)
        if listing is not None:
            self._listings.move_to_end(key)
            return listing
        listing = make()
        self._listings[key] = listing
        self._held += len(listing) + 1
        while self._held > self._limit:
            self._held -= len(self._listings.popitem(last=False)[1]) + 1
        return listing


class RepositorySource(Source):
    """The tagged releases of a git repository, bare or not.

    ``path`` is the repository or its work tree; ``name`` what the ``source`` column says
    (default: from its remote's address, else from the folder's name); ``wanted`` says which
    files matter. Only ``refs/tags/*`` are releases: real repositories also have branches named
    like tags (``2.0``, ``2.2``). Raises CaphistoryError if ``path`` is not a repository.
    """

    in_git = True

    # A 2.6 tree has 14,000 files in 800 folders, each counted once for each folder above it.
    _LISTING_LIMIT = 1_000_000
    # Kernels have at most 12 levels; a forged tree must not exhaust the stack.
    _DEPTH_LIMIT = 100

    def __init__(self, path: Path, *, name: str | None = None, wanted: Wanted = is_source) -> None:
        """Open the repository at ``path`` (see the class for the arguments)."""
        self._path = path
        self._wanted = wanted
        self._listings = _Listings(self._LISTING_LIMIT)
        self._repository = open_repository(path)
        self.name = name or _name_source(self._repository, path)

    @property
    def spec(self) -> SourceSpec:
        """See ``Source.spec``."""
        return SourceSpec("repository", str(self._path), self.name, None, {})

    def close(self) -> None:
        """See ``Source.close``."""
        self._repository.free()

    def tags(self, patterns: Sequence[str] = (), *, prereleases: bool = False) -> Tags:
        """See ``Source.tags``. A tag that is broken or holds no kernel is skipped, with the
        reason."""
        names = [
            name.removeprefix(_TAGS)
            for name in self._repository.references
            if name.startswith(_TAGS)
        ]
        selection = select(names, patterns, prereleases=prereleases)
        releases: list[TagRef] = []
        skipped = selection.skipped
        for release, tag in selection.chosen:
            release_or_reason = self._read_tag(release, tag)
            if isinstance(release_or_reason, str):
                skipped.append((tag, release_or_reason))
            else:
                releases.append(release_or_reason)
        return demand_releases(
            Tags(releases, skipped, selection.prereleases_left_out), self.name, patterns
        )

    def _read_tag(self, release: str, tag: str) -> TagRef | str:
        """Return the release of a tag, or the reason why it is none."""
        try:
            target = self._repository.references[_TAGS + tag].peel()
            if not isinstance(target, pygit2.Commit):
                return f"points to a {target.type_str}, not to a commit"
            missing = _find_missing_parts(target.tree)
        except (pygit2.GitError, KeyError, ValueError, OSError) as error:
            return f"cannot be read: {_explain(error)}"
        if missing:
            return f"not a kernel: it has no {missing[0]}"
        return self._make_release(release, tag, target, target.tree)

    def commit(self, commit_sha: str, *, release: str | None = None, folder: str = "") -> TagRef:
        """Return a commit as a release, whatever tags there are.

        ``release`` is its name (None: what its Makefile says); ``folder`` the path of the kernel
        in the commit's tree (empty: see ``find_kernel``). Raises CaphistoryError if the commit
        is missing or holds no kernel.
        """
        try:
            target = self._repository[commit_sha]
        except (KeyError, ValueError) as error:
            raise CaphistoryError(f"commit {commit_sha} is not in {self.name}") from error
        if not isinstance(target, pygit2.Commit):
            raise CaphistoryError(f"{commit_sha} of {self.name} is a {target.type_str}")
        try:
            tree = (
                _find_subtree(target.tree, folder) if folder else find_kernel(target.tree, release)
            )
            missing = _find_missing_parts(tree)
            if not missing and release is None:
                makefile = cast(pygit2.Blob, tree["Makefile"]).data
                release = release_of_makefile(makefile.decode("latin-1"))
        except (pygit2.GitError, KeyError, ValueError, OSError) as error:
            raise CaphistoryError(
                f"commit {commit_sha} of {self.name} cannot be read: {_explain(error)}"
            ) from error
        if missing:
            where = f"{folder} of " if folder else ""
            raise CaphistoryError(
                f"no kernel in {where}commit {commit_sha} of {self.name}: it has no {missing[0]}"
            )
        if release is None:
            raise CaphistoryError(
                f"cannot tell which release commit {commit_sha} of {self.name} is: its Makefile"
                " names none"
            )
        return self._make_release(release, commit_sha, target, tree)

    def _make_release(
        self, release: str, tag: str, target: pygit2.Commit, tree: pygit2.Tree
    ) -> TagRef:
        """Return the release of a commit whose kernel is ``tree``, with its dates and
        provenance."""
        # A commit without a parent imports a whole tree, at any time: sndrzt/linux-4.15 did so six
        # years later.
        dated = bool(target.parent_ids)
        return TagRef(
            release,
            tag,
            str(target.id),
            str(tree.id),
            _format_date(target.commit_time, target.commit_time_offset) if dated else None,
            _format_date(target.author.time, target.author.offset) if dated else None,
            find_provenance(self.name, str(target.id)),
        )

    def files(self, tag: TagRef) -> dict[str, str]:
        """See ``Source.files``. Folders that are the same in a release listed earlier are not
        read again. Links and submodules are left out."""
        if tag.tree is None:
            raise ValueError(f"{tag.tag} is not of a repository")
        files = self._list("", tag.tree)
        if not tag.exclusions.paths:
            return dict(files)
        return {path: blob for path, blob in files if tag.exclusions.keep(path)}

    def _list(self, path: str, tree_id: str) -> Files:
        """Return (path, git id) of the wanted files of a tree, held or read."""
        return self._listings.get(path, tree_id, lambda: tuple(self._walk(path, tree_id)))

    def _walk(self, path: str, tree_id: str) -> Iterator[tuple[str, str]]:
        """Read (path, git id) of the wanted files of the tree at ``path``, in path order.

        A folder inside it that cannot be read is given itself, with ``/`` at its end: the rest
        of the release is worth having.
        """
        if path.count("/") > self._DEPTH_LIMIT:
            raise BrokenObject(tree_id, self.name, "its folders are nested too deep")
        with self._report_broken(tree_id):
            entries = list(cast(pygit2.Tree, self._repository[tree_id]))
        for entry in entries:
            name = f"{path}{_decode_name(entry)}"
            if entry.filemode == FileMode.TREE:
                try:
                    yield from self._list(f"{name}/", str(entry.id))
                except BrokenObject:
                    yield f"{name}/", str(entry.id)
            elif entry.filemode in _FILE_MODES and self._wanted(name):
                yield name, str(entry.id)

    def read(self, blob_id: str) -> bytes:
        """See ``Source.read``."""
        with self._report_broken(blob_id):
            kind, content = self._repository.read(blob_id)
        if kind != ObjectType.BLOB:
            raise BrokenObject(blob_id, self.name, "it is not a file")
        return content

    @contextmanager
    def _report_broken(self, object_id: str) -> Iterator[None]:
        """Turn what pygit2 raises about an object into BrokenObject."""
        try:
            yield
        except (pygit2.GitError, KeyError, ValueError, OSError) as error:
            raise BrokenObject(object_id, self.name, _explain(error)) from error


def _explain(error: Exception) -> str:
    """Return an error of pygit2 in one line."""
    # pygit2 raises KeyError with the bare id where an object is missing.
    return "it is missing" if isinstance(error, KeyError) else str(error).splitlines()[0]


def find_kernel(tree: pygit2.Tree, release: str | None) -> pygit2.Tree:
    """Return the root of the kernel in a commit's tree: the tree itself, or one of its folders
    (see ``kernels.choose_root``). Without a kernel, return the tree itself."""
    if not _find_missing_parts(tree):
        return tree
    folders = {
        _decode_name(entry): entry
        for entry in tree
        if isinstance(entry, pygit2.Tree) and not _find_missing_parts(entry)
    }
    name = choose_root(folders, release)
    return tree if name is None else folders[name]


def _find_missing_parts(tree: pygit2.Tree) -> list[str]:
    """Return what a tree lacks to be a kernel (see ``kernels.missing_parts``)."""
    return missing_parts(
        lambda path: _find_kind(tree, path) == "blob", lambda path: _find_kind(tree, path) == "tree"
    )


def _find_subtree(tree: pygit2.Tree, folder: str) -> pygit2.Tree:
    """Return the folder of a commit's tree; raises CaphistoryError if there is none."""
    path = folder.strip("/")
    if _find_kind(tree, path) != "tree":
        raise CaphistoryError(f"there is no folder {folder} in that commit")
    return cast(pygit2.Tree, tree[path])


def _find_kind(tree: pygit2.Tree, path: str) -> str | None:
    """Return the git type at a path of a tree (``blob``, ``tree``), None if nothing is there."""
    try:
        return tree[path].type_str
    except KeyError:
        return None


def _decode_name(entry: pygit2.Object) -> str:
    """Return the name of a tree entry as text."""
    # Paths of kernels are ASCII; anything else in a repository must not stop the reading.
    return (entry.raw_name or b"").decode("utf-8", errors="replace")


def _format_date(seconds: int, offset_minutes: int) -> str:
    """Return the ISO date of a moment (seconds since 1970) in its own time zone."""
    zone = timezone(timedelta(minutes=offset_minutes))
    return datetime.fromtimestamp(seconds, zone).date().isoformat()


def name_of_url(url: str) -> str:
    """Return ``owner/name`` of a repository's address: its last two parts, without ``.git``."""
    parts = [part for part in re.split(r"[/:]", url.removesuffix("/").removesuffix(".git")) if part]
    return "/".join(parts[-2:])


def is_url(text: str) -> bool:
    """Whether a text is the address of a repository, not a path (``https://…``, ``git@host:…``)."""
    return "://" in text or re.match(r"[\w.-]+@[\w.-]+:", text) is not None


def _name_source(repository: pygit2.Repository, path: Path) -> str:
    """Return what the ``source`` column says of a repository: its remote's ``owner/name``, else its
    folder's name."""
    urls = [remote.url for remote in repository.remotes if remote.name == "origin" and remote.url]
    if urls and is_url(urls[0]) and not urls[0].startswith("file:"):
        return name_of_url(urls[0])
    resolved = path.resolve()
    folder = resolved.parent if resolved.name == ".git" else resolved
    return folder.name.removesuffix(".git") or "repository"
