"""Tarballs as sources: what is taken from them, and what is refused."""

from __future__ import annotations

import gzip
import pickle
import tarfile
from pathlib import Path

import pytest

from caphistory.errors import CaphistoryError
from caphistory.history.folders import hash_blob
from caphistory.history.model import is_source
from caphistory.history.sources import open_source, reopen
from caphistory.history.tarballs import Limits, TarballSource, base_name, unpack
from tests.kernels.archives import kernel_members, member, write_tarball
from tests.kernels.minimal import KERNEL, WANTED


def ignore(*step: object) -> None:
    """No progress is shown."""


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.mark.parametrize(
    ("name", "compression"),
    [
        ("linux-2.2.24.tar", ""),
        ("linux-2.2.24.tar.gz", "gz"),
        ("linux-2.2.24.tgz", "gz"),
        ("linux-2.2.24.tar.xz", "xz"),
        ("linux-2.2.24.tar.bz2", "bz2"),
    ],
)
@pytest.mark.parametrize("top", ["linux/", "./linux-2.2.24/", ""])
def test_a_tarball_is_one_release(
    tmp_path: Path, cache: Path, name: str, compression: str, top: str
) -> None:
    path = write_tarball(tmp_path / name, kernel_members(top, KERNEL), compression=compression)
    with open_source(str(path), cache_dir=cache) as source:
        (tag,) = source.tags().releases
        assert (tag.release, tag.tag, tag.commit_sha) == ("2.2.24", name, None)
        assert source.name == name
        files = source.files(tag)
        assert list(files) == WANTED
        assert files["fs/open.c"] == hash_blob(KERNEL["fs/open.c"].encode())
        again = reopen(pickle.loads(pickle.dumps(source.spec)))
        assert again.read(files["fs/open.c"]) == KERNEL["fs/open.c"].encode()
    assert list(cache.iterdir()) == []


def test_a_kernel_without_a_version_is_named_by_its_tarball(tmp_path: Path, cache: Path) -> None:
    members = kernel_members("linux/", {**KERNEL, "Makefile": "all: Image\n"})
    path = write_tarball(tmp_path / "linux-0.01.tar.gz", members)
    with open_source(str(path), cache_dir=cache) as source:
        assert source.tags().releases[0].release == "0.01"


def test_debian_kernel(tmp_path: Path, cache: Path) -> None:
    version = "VERSION = 6\nPATCHLEVEL = 1\nSUBLEVEL = 140\nEXTRAVERSION =\n"
    members = kernel_members("linux-source-6.1/", {**KERNEL, "Makefile": version})
    path = write_tarball(tmp_path / "linux-source-6.1.tar.xz", members, compression="xz")
    with open_source(str(path), cache_dir=cache) as source:
        assert source.tags().releases[0].release == "6.1.140"


def test_links_and_devices_are_left_out(tmp_path: Path, cache: Path) -> None:
    (tmp_path / "secret.c").write_text("int secret;\n")
    members = [
        member("linux/fs/link.c", type=tarfile.SYMTYPE, linkname=str(tmp_path / "secret.c")),
        member("linux/out", type=tarfile.SYMTYPE, linkname=str(tmp_path)),
        member("linux/hard.c", type=tarfile.LNKTYPE, linkname=str(tmp_path / "secret.c")),
        member("linux/fifo.c", type=tarfile.FIFOTYPE),
        member("linux/null.c", type=tarfile.CHRTYPE, devmajor=1, devminor=3),
        *kernel_members("linux/", KERNEL),
    ]
    path = write_tarball(tmp_path / "linux.tar.gz", members)
    with open_source(str(path), cache_dir=cache) as source:
        assert list(source.files(source.tags().releases[0])) == WANTED


def test_a_file_is_not_written_through_a_link(tmp_path: Path, cache: Path) -> None:
    members = [
        *kernel_members("linux/", KERNEL),
        member("linux/out", type=tarfile.SYMTYPE, linkname=str(tmp_path)),
        member("linux/out/written.c", b"int written;\n"),
    ]
    path = write_tarball(tmp_path / "linux.tar.gz", members)
    with open_source(str(path), cache_dir=cache) as source:
        assert "out/written.c" in source.files(source.tags().releases[0])
    assert not (tmp_path / "written.c").exists()


def test_a_hard_link_to_a_file_of_the_archive_is_that_file(tmp_path: Path, cache: Path) -> None:
    members = [
        *kernel_members("linux/", KERNEL),
        member("linux/fs/same.c", type=tarfile.LNKTYPE, linkname="linux/fs/open.c"),
    ]
    path = write_tarball(tmp_path / "linux.tar.gz", members)
    with open_source(str(path), cache_dir=cache) as source:
        files = source.files(source.tags().releases[0])
        assert files["fs/same.c"] == files["fs/open.c"]


@pytest.mark.parametrize("name", ["/etc/evil.c", "../evil.c", "linux/../../evil.c"])
def test_paths_that_lead_out_are_refused(tmp_path: Path, cache: Path, name: str) -> None:
    members = [*kernel_members("linux/", KERNEL), member(name, b"int evil;\n")]
    path = write_tarball(tmp_path / "linux.tar.gz", members)
    with pytest.raises(CaphistoryError, match="unsafe path"):
        open_source(str(path), cache_dir=cache)
    assert list(cache.iterdir()) == []
    assert not list(tmp_path.rglob("evil.c"))


@pytest.mark.parametrize("compression", ["", "gz", "xz", "bz2"])
@pytest.mark.parametrize("part", [0.3, 0.8])
def test_a_truncated_tarball(tmp_path: Path, cache: Path, compression: str, part: float) -> None:
    big = {**KERNEL, "drivers/big.c": "int big;\n" * 5000}
    path = write_tarball(
        tmp_path / "linux.tar", kernel_members("linux/", big), compression=compression
    )
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * part)])
    with pytest.raises(CaphistoryError, match="truncated"):
        open_source(str(path), cache_dir=cache)
    assert list(cache.iterdir()) == []


def test_a_tarball_cut_between_two_members(tmp_path: Path, cache: Path) -> None:
    path = write_tarball(tmp_path / "linux.tar", kernel_members("linux/", KERNEL), compression="")
    # Each of the small members takes a header and one block.
    path.write_bytes(path.read_bytes()[: 2 * 512 * (len(KERNEL) - 1)])
    with pytest.raises(CaphistoryError, match="truncated"):
        open_source(str(path), cache_dir=cache)


@pytest.mark.parametrize("content", [b"", b"no archive", bytes(10240), b"\x1f\x8bgarbage", b"BZh9"])
def test_what_is_no_tarball(tmp_path: Path, cache: Path, content: bytes) -> None:
    path = tmp_path / "linux.tar.gz"
    path.write_bytes(content)
    with pytest.raises(CaphistoryError, match=r"^linux(\.tar\.gz)? (is|holds no kernel)") as info:
        open_source(str(path), cache_dir=cache)
    assert "\n" not in str(info.value)
    assert list(cache.iterdir()) == []


@pytest.mark.parametrize(
    "limits", [Limits(size=1_000_000), Limits(members=len(KERNEL) - 1)], ids=["size", "members"]
)
def test_a_bomb(tmp_path: Path, cache: Path, limits: Limits) -> None:
    members = [*kernel_members("linux/", KERNEL), member("linux/bomb.bin", bytes(2_000_000))]
    path = write_tarball(tmp_path / "linux.tar.gz", members)
    with pytest.raises(CaphistoryError, match="is not unpacked: it holds more than"):
        TarballSource(path, cache_dir=cache, progress=ignore, limits=limits)
    assert list(cache.iterdir()) == []


def test_a_bomb_of_hard_links(tmp_path: Path, cache: Path) -> None:
    members = [
        member("linux/big.c", b"int x;\n" * 1000),
        *(
            member(f"linux/{number}.c", type=tarfile.LNKTYPE, linkname="linux/big.c")
            for number in range(100)
        ),
    ]
    path = write_tarball(tmp_path / "linux.tar.gz", members)
    with pytest.raises(CaphistoryError, match="holds more than"):
        TarballSource(path, cache_dir=cache, progress=ignore, limits=Limits(size=100_000))


def test_a_bomb_in_a_header(tmp_path: Path, cache: Path) -> None:
    """A pax header is read into memory as a whole, so its size is a way to fill it."""
    info = tarfile.TarInfo("pax")
    info.type = tarfile.XHDTYPE
    info.size = 8_000_000
    header = info.tobuf(tarfile.USTAR_FORMAT)
    path = tmp_path / "linux.tar.gz"
    path.write_bytes(gzip.compress(header + bytes(info.size) + bytes(1024)))
    with pytest.raises(CaphistoryError, match="oversized header"):
        open_source(str(path), cache_dir=cache)


def test_a_name_that_is_not_utf_8(tmp_path: Path, cache: Path) -> None:
    members = [*kernel_members("linux/", KERNEL), member("linux/fs/caf\udce9.c", b"int x;\n")]
    path = write_tarball(tmp_path / "linux.tar.gz", members)
    with open_source(str(path), cache_dir=cache) as source:
        files = source.files(source.tags().releases[0])
        assert source.read(files["fs/caf\ufffd.c"]) == b"int x;\n"


def test_a_file_where_a_folder_must_be(tmp_path: Path, cache: Path) -> None:
    members = [member("linux/fs.c", b"int x;\n"), member("linux/fs.c/open.c", b"int y;\n")]
    path = write_tarball(tmp_path / "linux.tar.gz", members)
    with pytest.raises(CaphistoryError, match=r"cannot unpack linux\.tar\.gz"):
        open_source(str(path), cache_dir=cache)


def test_only_wanted_files_are_unpacked(tmp_path: Path) -> None:
    path = write_tarball(tmp_path / "linux.tar.gz", kernel_members("linux/", KERNEL))
    folder = tmp_path / "unpacked"
    folder.mkdir()
    unpack(path, folder, is_source, ignore)
    files = {file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()}
    assert files == {f"linux/{name}" for name in WANTED}


def test_a_tarball_of_something_else(tmp_path: Path, cache: Path) -> None:
    members = kernel_members("project/", {"Makefile": "VERSION = 1\n", "main.c": "int main;\n"})
    path = write_tarball(tmp_path / "project.tar.gz", members)
    with pytest.raises(CaphistoryError, match="project holds no kernel"):
        open_source(str(path), cache_dir=cache)
    assert list(cache.iterdir()) == []


def test_a_cache_that_cannot_be_written(tmp_path: Path) -> None:
    path = write_tarball(tmp_path / "linux.tar.gz", kernel_members("linux/", KERNEL))
    with pytest.raises(CaphistoryError, match="cannot write to"):
        open_source(str(path), cache_dir=path / "cache")


def test_base_name() -> None:
    assert base_name(Path("/srv/linux-0.01.tar.gz")) == "linux-0.01"
    assert base_name(Path("linux-2.2.24.tgz")) == "linux-2.2.24"
    assert base_name(Path("linux.tar")) == "linux"
