"""Kernels in folders and tarballs."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping
from pathlib import Path


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
