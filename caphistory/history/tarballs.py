"""A tarball of a kernel as a source of one release: its wanted files, safely unpacked."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import shutil
import tarfile
import tempfile
import zlib
from pathlib import Path, PurePosixPath
from typing import IO, Any, NamedTuple, cast

from caphistory.errors import CaphistoryError
from caphistory.history.folders import FolderSource, missing_parts_of_folder, release_of_folder
from caphistory.history.model import Progress, Wanted, is_source

_SUFFIXES = (".tar", ".tar.gz", ".tgz", ".tar.xz", ".txz", ".tar.bz2", ".tbz2")
_DAMAGE = (tarfile.TarError, EOFError, zlib.error, lzma.LZMAError, UnicodeError, ValueError)
_BLOCK = 512


class Limits(NamedTuple):
    """How much an archive may hold before it counts as a decompression bomb.

    ``size`` and ``members`` count everything in it, wanted or not (Linux 6.12: 1.5 GB, 93,000
    members); ``header`` bounds, in bytes, what lies between two members.
    """

    size: int = 6_000_000_000
    members: int = 500_000
    header: int = 1_000_000


LIMITS = Limits()


class _Bounded(io.RawIOBase):
    """A stream that refuses to give more than allowed, so that a forged header cannot make tarfile
    read gigabytes into memory. ``ended_early`` tells whether the end mark was missing."""

    def __init__(self, stream: IO[bytes], archive: str) -> None:
        """``archive`` is the name in error messages."""
        self._stream = stream
        self._archive = archive
        self._allowed = 0
        self._last = b""
        self.ended_early = False

    def allow(self, size: int) -> None:
        """Let ``size`` more bytes be read, from now on."""
        self._allowed = size

    def read(self, size: int = -1) -> bytes:
        """Read at most ``size`` bytes; raises CaphistoryError beyond what is allowed."""
        data = self._stream.read(size)
        self._allowed -= len(data)
        if self._allowed < 0:
            raise CaphistoryError(f"{self._archive} is not unpacked: it has an oversized header")
        if data:
            self._last = data[-_BLOCK:]
        elif self._last.strip(b"\0"):
            self.ended_early = True
        return data


def is_tarball(path: Path) -> bool:
    """Whether a file has the name of a tarball that can be read."""
    return path.name.endswith(_SUFFIXES)


def base_name(path: Path) -> str:
    """Return the name of a tarball without its suffix (``linux-2.2.24``)."""
    suffix = next((suffix for suffix in _SUFFIXES[::-1] if path.name.endswith(suffix)), "")
    return path.name.removesuffix(suffix)


def unpack(
    archive: Path, folder: Path, wanted: Wanted, progress: Progress, limits: Limits = LIMITS
) -> None:
    """Unpack the wanted regular files of a tarball into an empty folder.

    ``wanted`` takes the path below the archive's top folder. Links and devices are left out, but
    a hard link to a file of the archive becomes a copy of that file. Raises CaphistoryError for
    a damaged or truncated archive, for a path that leads out of it, and for one that holds more
    than ``limits``; some files may have been written by then.
    """
    try:
        with _open_decompressed(archive) as stream:
            bounded = _Bounded(stream, archive.name)
            _unpack_members(bounded, archive.name, folder, wanted, progress, limits)
    except _DAMAGE as error:
        raise CaphistoryError(
            f"{archive.name} is damaged, truncated or no tar archive (.tar, .gz, .xz, .bz2)"
        ) from error
    except OSError as error:
        raise CaphistoryError(f"cannot unpack {archive.name}: {error.strerror or error}") from error


def _open_decompressed(archive: Path) -> IO[bytes]:
    """Open an archive as an uncompressed stream, by its first bytes and not by its name."""
    with archive.open("rb") as file:
        magic = file.read(6)
    if magic.startswith(b"\x1f\x8b"):
        return cast(IO[bytes], gzip.open(archive))
    if magic.startswith(b"\xfd7zXZ\0"):
        return cast(IO[bytes], lzma.open(archive))
    if magic.startswith(b"BZh"):
        return cast(IO[bytes], bz2.open(archive))
    return archive.open("rb")


def _unpack_members(
    stream: _Bounded,
    name: str,
    folder: Path,
    wanted: Wanted,
    progress: Progress,
    limits: Limits,
) -> None:
    """Do the work of ``unpack`` on an uncompressed stream; raises what tarfile raises, too."""
    size = 0
    unpacked: dict[str, Path] = {}
    stream.allow(limits.header)
    with tarfile.open(fileobj=cast(IO[bytes], stream), mode="r|") as tar:
        members = 0
        while (member := tar.next()) is not None:
            members += 1
            size += member.size
            path = _check_path(member.name, name)
            source = unpacked.get(member.linkname) if member.islnk() else None
            if source is not None:
                size += source.stat().st_size
            if members > limits.members or size > limits.size:
                raise CaphistoryError(
                    f"{name} is not unpacked: it holds more than {limits.members:,} members "
                    f"or {limits.size:,} bytes"
                )
            stream.allow(member.size + limits.header)
            target = folder / path
            if not (wanted(_strip_top(path)) or wanted(str(path))):
                continue
            if member.isreg() or source is not None:
                target.parent.mkdir(parents=True, exist_ok=True)
                content = source.open("rb") if source else tar.extractfile(member)
                assert content is not None
                with content, target.open("wb") as out:
                    shutil.copyfileobj(content, out)
                unpacked[member.name] = target
            if members % 1000 == 0:
                progress(f"unpacking {name}", members, 0)
            # In stream mode tarfile keeps every member that it has read.
            cast(Any, tar).members.clear()
    if stream.ended_early:
        raise CaphistoryError(f"{name} is truncated: it ends without the mark of its end")


def _check_path(name: str, archive: str) -> PurePosixPath:
    """Return a member's path; raises CaphistoryError if it leads out of the archive."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\0" in name:
        raise CaphistoryError(f"{archive} is not unpacked: it holds the unsafe path {name!r}")
    return path


def _strip_top(path: PurePosixPath) -> str:
    """Return a path below the archive's top folder."""
    return "/".join(path.parts[1:])


def _find_root(folder: Path) -> Path:
    """Return the root of the kernel: the folder itself, or the only folder in it."""
    entries = list(folder.iterdir())
    if len(entries) == 1 and entries[0].is_dir() and missing_parts_of_folder(folder):
        return entries[0]
    return folder


class TarballSource(FolderSource):
    """One kernel in a tarball, unpacked to a folder in the cache that ``close`` removes."""

    def __init__(
        self,
        path: Path,
        *,
        cache_dir: Path,
        progress: Progress,
        wanted: Wanted = is_source,
        limits: Limits = LIMITS,
    ) -> None:
        """Unpack the tarball at ``path`` below ``cache_dir``; raises what ``unpack`` raises."""
        try:
            cache_dir.mkdir(parents=True, exist_ok=True)
            self._unpacked = tempfile.TemporaryDirectory(prefix="unpacked-", dir=cache_dir)
        except OSError as error:
            raise CaphistoryError(f"cannot write to {cache_dir}: {error.strerror}") from error
        try:
            folder = Path(self._unpacked.name)
            unpack(path, folder, wanted, progress, limits)
            root = _find_root(folder)
            release = release_of_folder(root, base_name(path))
            super().__init__(root, name=path.name, release=release, wanted=wanted)
        except BaseException:
            self._unpacked.cleanup()
            raise

    def close(self) -> None:
        """Remove the unpacked files."""
        self._unpacked.cleanup()
