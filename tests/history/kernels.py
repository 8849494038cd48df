"""Small kernels for tests: files of our own, in git repositories, folders and tarballs."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping
from pathlib import Path

import pygit2

MAKEFILE = "VERSION = 2\nPATCHLEVEL = 2\nSUBLEVEL = 24\nEXTRAVERSION =\n"

KERNEL = {
    "Makefile": MAKEFILE,
    "README": "not read\n",
    "init/main.c": "int start_kernel(void) { return 0; }\n",
    "kernel/sys.c": "int sys_example(void) { return suser() ? 0 : -1; }\n",
    "fs/open.c": "int sys_chroot_example(void) { return 0; }\n",
    "fs/ext2/inode.c": "int ext2_example;\n",
    "arch/i386/kernel/entry.S": "# table\n",
    "drivers/char/caf\u00e9.c": "int coffee;\n",
}
WANTED = sorted(set(KERNEL) - {"README"})
SIGNATURE = pygit2.Signature("Tester", "tester@example.org", 1_000_000_000, 60)


def write_tree(repository: pygit2.Repository, files: Mapping[str, str]) -> pygit2.Oid:
    """Write a tree with these files and return its id."""
    builder = repository.TreeBuilder()
    folders: dict[str, dict[str, str]] = {}
    for path, text in files.items():
        top, _, rest = path.partition("/")
        if rest:
            folders.setdefault(top, {})[rest] = text
        else:
            blob = repository.create_blob(text.encode())
            builder.insert(top, blob, pygit2.enums.FileMode.BLOB)
    for name, below in folders.items():
        builder.insert(name, write_tree(repository, below), pygit2.enums.FileMode.TREE)
    return builder.write()


def commit(
    repository: pygit2.Repository,
    files: Mapping[str, str],
    *parents: pygit2.Oid,
    author: pygit2.Signature = SIGNATURE,
) -> pygit2.Oid:
    """Commit a tree with these files and return the commit's id."""
    tree = write_tree(repository, files)
    return repository.create_commit(None, author, SIGNATURE, "a release", tree, list(parents))


def light_tag(repository: pygit2.Repository, name: str, target: pygit2.Oid) -> None:
    repository.references.create(f"refs/tags/{name}", target)


def annotated_tag(
    repository: pygit2.Repository,
    name: str,
    target: pygit2.Oid,
    kind: pygit2.enums.ObjectType = pygit2.enums.ObjectType.COMMIT,
) -> None:
    repository.create_tag(name, target, kind, SIGNATURE, f"release {name}")


def write_folder(root: Path, files: Mapping[str, str]) -> Path:
    """Write these files below a folder and return it."""
    for path, text in files.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return root


def member(name: str, content: bytes = b"", **fields: object) -> tuple[tarfile.TarInfo, bytes]:
    """Return a member of a tarball; ``fields`` are those of TarInfo."""
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for field, value in fields.items():
        setattr(info, field, value)
    return info, content


def kernel_members(top: str, files: Mapping[str, str]) -> list[tuple[tarfile.TarInfo, bytes]]:
    return [member(f"{top}{path}", text.encode()) for path, text in files.items()]


def write_tarball(
    path: Path, members: list[tuple[tarfile.TarInfo, bytes]], *, compression: str = "gz"
) -> Path:
    """Write a tarball and return its path."""
    with tarfile.open(path, f"w:{compression}") as tar:  # type: ignore[call-overload]
        for info, content in members:
            tar.addfile(info, io.BytesIO(content))
    return path
