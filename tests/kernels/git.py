"""Kernels in git repositories."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

import pygit2

Files: TypeAlias = "Mapping[str, str | bytes]"
"""The content of files by path."""

SIGNATURE = pygit2.Signature("Tester", "tester@example.org", 1_000_000_000, 60)


def write_tree(repository: pygit2.Repository, files: Files) -> pygit2.Oid:
    """Write a tree with these files and return its id."""
    builder = repository.TreeBuilder()
    folders: dict[str, dict[str, str | bytes]] = {}
    for path, text in files.items():
        top, _, rest = path.partition("/")
        if rest:
            folders.setdefault(top, {})[rest] = text
        else:
            blob = repository.create_blob(text.encode() if isinstance(text, str) else text)
            builder.insert(top, blob, pygit2.enums.FileMode.BLOB)
    for name, below in folders.items():
        builder.insert(name, write_tree(repository, below), pygit2.enums.FileMode.TREE)
    return builder.write()


def commit(
    repository: pygit2.Repository,
    files: Files,
    *parents: pygit2.Oid,
    author: pygit2.Signature = SIGNATURE,
    committer: pygit2.Signature = SIGNATURE,
) -> pygit2.Oid:
    """Commit a tree with these files and return the commit's id."""
    tree = write_tree(repository, files)
    return repository.create_commit(None, author, committer, "a release", tree, list(parents))


def light_tag(repository: pygit2.Repository, name: str, target: pygit2.Oid) -> None:
    repository.references.create(f"refs/tags/{name}", target)


def annotated_tag(
    repository: pygit2.Repository,
    name: str,
    target: pygit2.Oid,
    kind: pygit2.enums.ObjectType = pygit2.enums.ObjectType.COMMIT,
) -> None:
    repository.create_tag(name, target, kind, SIGNATURE, f"release {name}")


def make_repository(path: Path, releases: Mapping[str, Files]) -> Path:
    """A bare repository with a commit and a light tag for each release, given by its files."""
    repository = pygit2.init_repository(str(path), bare=True)
    for name, files in releases.items():
        light_tag(repository, name, commit(repository, files))
    return path
