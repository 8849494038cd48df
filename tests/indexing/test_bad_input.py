"""What cannot be read or written, end to end: one clear line, exit code 3, and what was in the
database stays as it was."""

from __future__ import annotations

import io
import os
import shutil
import sqlite3
import tarfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pygit2
import pytest
from pygit2.enums import ObjectType

from caphistory.cli import run
from caphistory.store.database import SCHEMA_VERSION
from tests.indexing.running import contents, left_in, own_folders, problems, read
from tests.kernels.archives import kernel_members, member, write_folder, write_tarball
from tests.kernels.git import annotated_tag, commit, light_tag
from tests.kernels.transition import RELEASES, add_release, kernel, make_history

Make = Callable[[Path], Path]

FILES = kernel("2.2.10")


def repository(path: Path) -> pygit2.Repository:
    return pygit2.init_repository(path, bare=True)


def one_release(path: Path) -> pygit2.Repository:
    made = repository(path)
    add_release(path, "2.2.10")
    return made


def drop_object(path: Path, found: str) -> None:
    """Remove an object of release 2.2.10: of the path ``found``, or ``commit``, ``tree``."""
    held = pygit2.Repository(str(path))
    at = held.references["refs/tags/2.2.10"].peel(pygit2.Commit)
    object_id = str(
        at.id if found == "commit" else at.tree.id if found == "tree" else at.tree[found].id
    )
    (path / "objects" / object_id[:2] / object_id[2:]).unlink()


def tarball(*more: tuple[tarfile.TarInfo, bytes], name: str = "linux-2.2.10.tar.gz") -> Make:
    def make(root: Path) -> Path:
        return write_tarball(root / name, [*kernel_members("linux/", FILES), *more])

    return make


def nothing(root: Path) -> Path:
    return root / "nowhere"


def empty_folder(root: Path) -> Path:
    (root / "empty").mkdir()
    return root / "empty"


def text_file(root: Path) -> Path:
    (root / "notes.txt").write_text("not a kernel\n")
    return root / "notes.txt"


def folder_without_version(root: Path) -> Path:
    return write_folder(root / "mine", {**FILES, "Makefile": "all:\n"})


def folder_without_kernel(root: Path) -> Path:
    return write_folder(root / "mine", {"Makefile": FILES["Makefile"], "main.c": "int main;\n"})


def empty_repository(root: Path) -> Path:
    repository(root / "a.git")
    return root / "a.git"


def repository_without_kernels(root: Path) -> Path:
    held = repository(root / "a.git")
    for name in ("2.0.1", "2.0.2"):
        light_tag(held, name, commit(held, {"README": f"{name}\n"}))
    return root / "a.git"


def repository_of_other_tags(root: Path) -> Path:
    held = repository(root / "a.git")
    light_tag(held, "nightly", commit(held, FILES))
    return root / "a.git"


def repository_of_prereleases(root: Path) -> Path:
    held = repository(root / "a.git")
    light_tag(held, "2.2.10pre1", commit(held, FILES))
    return root / "a.git"


def tag_of_a_file(root: Path) -> Path:
    held = repository(root / "a.git")
    annotated_tag(held, "2.2.10", held.create_blob(b"text"), ObjectType.BLOB)
    return root / "a.git"


def without(found: str) -> Callable[[Path], Path]:
    def make(root: Path) -> Path:
        one_release(root / "a.git")
        drop_object(root / "a.git", found)
        return root / "a.git"

    return make


def work_tree_of_nothing(root: Path) -> Path:
    (root / "work").mkdir()
    (root / "work" / ".git").write_text("gitdir: /nowhere/at/all\n")
    return root / "work"


def truncated(root: Path) -> Path:
    path = write_tarball(root / "linux-2.2.10.tar.gz", kernel_members("linux/", FILES))
    path.write_bytes(path.read_bytes()[:-200])
    return path


def cut_between_members(root: Path) -> Path:
    path = write_tarball(root / "a.tar", kernel_members("linux/", FILES), compression="")
    path.write_bytes(path.read_bytes()[: 512 * 6])
    return path


def no_archive(root: Path) -> Path:
    (root / "a.tar.xz").write_bytes(b"\xfd7zXZ\0 but then nothing of the kind")
    return root / "a.tar.xz"


def empty_archive(root: Path) -> Path:
    (root / "a.tar.gz").write_bytes(b"")
    return root / "a.tar.gz"


def link_out_of_the_archive(root: Path) -> Path:
    """Links are not followed: without the linked file there is no kernel."""
    members = [
        one for one in kernel_members("linux/", FILES) if not one[0].name.endswith("/Makefile")
    ]
    link = member("linux/Makefile", type=tarfile.SYMTYPE, linkname="/etc/hostname")
    return write_tarball(root / "a.tar.gz", [*members, link])


SOURCES: dict[str, tuple[Callable[[Path], Path], str]] = {
    "no such path": (nothing, "{source} does not exist"),
    "an empty folder": (
        empty_folder,
        "{source} is neither a git repository nor an unpacked kernel",
    ),
    "another file": (
        text_file,
        "{source} is neither a folder nor a tarball (.tar, .tar.gz, .tar.xz, .tar.bz2)",
    ),
    "a kernel whose release nobody can tell": (
        folder_without_version,
        "cannot tell which release mine is: its Makefile has no version, so name it like"
        " linux-0.01",
    ),
    "a folder with a Makefile alone": (
        folder_without_kernel,
        "mine holds no kernel: it has no init/main.c",
    ),
    "a repository without tags": (
        empty_repository,
        "a has no tags, so it has no releases to read",
    ),
    "a repository without kernels": (
        repository_without_kernels,
        "no kernel release in a: tag 2.0.1: not a kernel: it has no Makefile (and 1 more)",
    ),
    "a repository whose tags are no releases": (
        repository_of_other_tags,
        "no kernel release in a: tag nightly: not the name of a Linux release",
    ),
    "a repository of prereleases": (
        repository_of_prereleases,
        "only prereleases of a match all tags: add --prereleases",
    ),
    "a tag that is a file": (
        tag_of_a_file,
        "no kernel release in a: tag 2.2.10: points to a blob, not to a commit",
    ),
    "a commit that is missing": (without("commit"), "no kernel release in a: tag 2.2.10: "),
    "a tree that is missing": (without("tree"), "no kernel release in a: tag 2.2.10: "),
    "a file of the table that is missing": (
        without("arch/i386/kernel/entry.S"),
        "no release of a can be read: 2.2.10: object ",
    ),
    "a work tree without its repository": (
        work_tree_of_nothing,
        "{source} is not a git repository that can be read",
    ),
    "a truncated tarball": (
        truncated,
        "linux-2.2.10.tar.gz is damaged, truncated or no tar archive",
    ),
    "a tarball cut between two members": (
        cut_between_members,
        "a.tar is truncated: it ends without the mark of its end",
    ),
    "a tarball that is none": (no_archive, "a.tar.xz is damaged, truncated or no tar archive"),
    "an empty tarball": (empty_archive, "a.tar.gz "),
    "a tarball with an absolute path": (
        tarball(member("/etc/linux/kernel/a.c", b"int a;\n")),
        "linux-2.2.10.tar.gz is not unpacked: it holds the unsafe path '/etc/linux/kernel/a.c'",
    ),
    "a tarball with a path that leads out": (
        tarball(member("linux/../../a.c", b"int a;\n")),
        "linux-2.2.10.tar.gz is not unpacked: it holds the unsafe path 'linux/../../a.c'",
    ),
    "a tarball with a link that leads out": (
        link_out_of_the_archive,
        "a holds no kernel: it has no Makefile",
    ),
}


@pytest.fixture(scope="session")
def some(history: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with all releases but 2.2.10."""
    path = tmp_path_factory.mktemp("some") / "some.db"
    with own_folders(path.parent):
        read(path, history, tags=RELEASES[:-1])
    return path


@pytest.fixture
def db(some: Path, tmp_path: Path) -> Path:
    """A copy of that."""
    return Path(shutil.copy(some, tmp_path / "mine.db"))


Complaint = Callable[..., str]


@pytest.fixture
def complaint(capfd: pytest.CaptureFixture[str]) -> Complaint:
    """Runs ``caphistory``, which must end with 3 and one line; gives that line."""

    def run_it(*arguments: str | Path) -> str:
        exit_code = run([str(argument) for argument in arguments])
        out, err = capfd.readouterr()
        assert (exit_code, out) == (3, ""), err
        (line,) = problems(err)
        assert line.startswith("caphistory: ")
        return line.removeprefix("caphistory: ")

    return run_it


@pytest.mark.parametrize("case", SOURCES)
def test_a_source_that_cannot_be_read(
    case: str, complaint: Complaint, db: Path, some: Path, cache: Path, tmp_path: Path
) -> None:
    make, expected = SOURCES[case]
    source = make(tmp_path)
    said = complaint("--db", db, "index", source)
    assert said.startswith(expected.format(source=source))
    assert contents(db) == contents(some)
    assert left_in(cache) == []


@pytest.mark.parametrize("case", SOURCES)
def test_a_source_that_cannot_be_read_makes_no_release(
    case: str, complaint: Complaint, tmp_path: Path
) -> None:
    make, _ = SOURCES[case]
    source = make(tmp_path)
    complaint("--db", tmp_path / "new.db", "index", source)
    if (tmp_path / "new.db").exists():
        with closing(sqlite3.connect(tmp_path / "new.db")) as made:
            assert made.execute("SELECT count(*) FROM releases").fetchone() == (0,)


def test_a_tag_that_matches_nothing(complaint: Complaint, history: Path, db: Path) -> None:
    before = db.read_bytes()
    said = complaint("--db", db, "index", history, "--tag", "v3.*", "--tag", "4.4")
    assert said == "no tag of linux matches 3.*, 4.4"
    assert db.read_bytes() == before


def test_a_bomb(complaint: Complaint, db: Path, tmp_path: Path) -> None:
    """A member that claims seven gigabytes is not even begun."""
    bomb = tarfile.TarInfo("linux/kernel/a.c")
    bomb.size = 7_000_000_000
    write_tarball(tmp_path / "a.tar", kernel_members("linux/", FILES), compression="")
    blocks = (tmp_path / "a.tar").read_bytes().rstrip(b"\0")
    blocks += bytes(-len(blocks) % 512) + bomb.tobuf()
    (tmp_path / "a.tar").write_bytes(blocks)
    assert complaint("--db", db, "index", tmp_path / "a.tar") == (
        "a.tar is not unpacked: it holds more than 500,000 members or 6,000,000,000 bytes"
    )


def other_sqlite(path: Path) -> None:
    with closing(sqlite3.connect(path)) as made:
        made.execute("CREATE TABLE releases (release TEXT)")


def another_program(path: Path) -> None:
    path.unlink()
    other_sqlite(path)


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def newer(path: Path) -> None:
    with closing(sqlite3.connect(path)) as made:
        made.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")


def half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:5000])


def garbled(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[4096:-4096] = bytes(len(content) - 8192)
    path.write_bytes(content)


DATABASES: dict[str, tuple[Callable[[Path], object], str]] = {
    "a text": (
        lambda path: path.write_text("hello\n"),
        "{db} is not a caphistory database (it is no SQLite file)",
    ),
    "a database of another program": (
        another_program,
        "{db} is not a caphistory database (another program made it)",
    ),
    "a database of a newer version": (
        newer,
        "{db} was made by a newer version of caphistory (schema"
        f" {SCHEMA_VERSION + 1}, this one knows {SCHEMA_VERSION}): upgrade caphistory,"
        " or choose another --db",
    ),
    "a folder": (folder, "{db} is a folder, not a database"),
    "half a database": (half, "cannot read {db}: the file is damaged; delete it"),
    "a garbled database": (garbled, "cannot read {db}: the file is damaged; delete it"),
}


@pytest.mark.parametrize("command", ["index", "which"])
@pytest.mark.parametrize("case", DATABASES)
def test_a_database_that_is_none(
    case: str, command: str, complaint: Complaint, history: Path, db: Path
) -> None:
    change, expected = DATABASES[case]
    change(db)
    before = db.read_bytes() if db.is_file() else None
    said = complaint("--db", db, command, history if command == "index" else "CAP_SETGID")
    assert said.startswith(expected.format(db=db))
    assert (db.read_bytes() if db.is_file() else None) == before


@pytest.mark.parametrize(
    ("db", "expected"),
    [
        ("{tmp}/no/such/folder/a.db", "no folder {tmp}/no/such/folder: make it first"),
        ("{tmp}/file/a.db", "no folder {tmp}/file: make it first"),
        ("/proc/a.db", "cannot write /proc/a.db"),
    ],
)
def test_a_place_where_no_database_can_be(
    db: str, expected: str, complaint: Complaint, history: Path, tmp_path: Path
) -> None:
    """Nobody may make a file in /proc, not even root."""
    (tmp_path / "file").write_text("")
    said = complaint("--db", db.format(tmp=tmp_path), "index", history)
    assert said.startswith(expected.format(tmp=tmp_path))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_database_without_permission_to_write(
    complaint: Complaint, tmp_path: Path, db: Path
) -> None:
    path = make_history(tmp_path / "linux.git", [RELEASES[0]])
    db.chmod(0o400)
    add_release(path, "2.2.10")
    before = db.read_bytes()
    complaint("--db", db, "index", path)
    assert db.read_bytes() == before


@pytest.mark.parametrize("name", ["XDG_CACHE_HOME", "XDG_DATA_HOME"])
def test_folders_of_the_user_that_cannot_be_made(
    name: str, complaint: Complaint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "/proc/nowhere")
    archive = write_tarball(tmp_path / "linux-2.2.10.tar.gz", kernel_members("linux/", FILES))
    assert "/proc/nowhere/caphistory" in complaint("index", archive)


@pytest.mark.parametrize(
    "url", ["https://127.0.0.1:9/someone/linux.git", "git://127.0.0.1:9/someone/linux.git"]
)
def test_no_network_when_a_clone_is_needed(
    url: str, complaint: Complaint, db: Path, cache: Path
) -> None:
    """Nothing listens on port 9."""
    before = db.read_bytes()
    said = complaint("--db", db, "index", url)
    assert url in said
    assert db.read_bytes() == before
    assert left_in(cache) == []


def test_a_release_that_cannot_be_read_beside_one_that_can(
    capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The other one is added, and the exit code says that something is missing."""
    path = make_history(tmp_path / "a.git", ["2.2.9"])
    table = "arch/i386/kernel/entry.S"
    add_release(path, "2.2.10", {table: f"{FILES[table]}\n"})
    drop_object(path, table)
    assert run(["--db", str(tmp_path / "a.db"), "index", str(path)]) == 3
    out, err = capfd.readouterr()
    assert out.startswith("1 release added to ")
    skipped, end = problems(err)
    assert skipped.startswith("skipped 2.2.10: object ")
    assert end.startswith("caphistory: 1 release could not be read: ")


@pytest.mark.parametrize("file", ["kernel/sys.c", "Makefile"])
def test_a_file_that_cannot_be_read(
    file: str, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Its release is there without it, the audit names it, and the exit code says so."""
    path = make_history(tmp_path / "a.git", ["2.2.9", "2.2.10"])
    drop_object(path, file)
    db = str(tmp_path / "a.db")
    assert run(["--db", db, "index", str(path)]) == 3
    out, err = capfd.readouterr()
    assert out.startswith("2 releases added to ")
    lacks, end = problems(err)
    assert lacks.startswith(f"2.2.10 lacks {file}: object ")
    assert end.startswith("caphistory: 1 file of 2.2.10 could not be read ")
    assert run(["--db", db, "audit", "--release", "2.2.10", "--details"]) == 0
    assert "unreadable" in capfd.readouterr().out


def test_a_pipe_is_no_tarball(complaint: Complaint, db: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "linux-2.2.10.tar")
    assert complaint("--db", db, "index", tmp_path / "linux-2.2.10.tar")


def test_files_that_are_no_c_are_read_as_far_as_they_go(db: Path, tmp_path: Path) -> None:
    """Any bytes may stand in a file; they cost nothing but their own facts."""
    noise = io.BytesIO(bytes(range(256)) * 64).getvalue()
    folder = write_folder(tmp_path / "linux", kernel("2.2.0"))
    (folder / "kernel" / "noise.c").write_bytes(noise)
    (folder / "kernel" / "deep.c").write_text("int f(void) { return " + "(" * 5000 + "; }\n")
    (folder / "kernel" / "nest.c").write_text("int f(void) " + "{" * 5000)
    (folder / "kernel" / "ifs.c").write_text("#if A\n" * 3000 + "int g;\n")
    assert run(["--db", str(tmp_path / "a.db"), "index", str(folder)]) == 0


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everywhere")
def test_a_database_without_permission_to_read(complaint: Complaint, db: Path) -> None:
    db.chmod(0)
    assert complaint("--db", db, "which", "suser") == f"cannot read {db}: Permission denied"
