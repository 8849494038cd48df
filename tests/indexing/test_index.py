"""``index`` end to end: from real repositories, tarballs and folders to the database."""

from __future__ import annotations

import shutil
from contextlib import closing
from pathlib import Path

import pygit2
import pytest

from caphistory.errors import CaphistoryError
from caphistory.indexing import Summary, index
from caphistory.store import open_reader
from tests.indexing.running import Notes, contents, left_in, read, releases_of
from tests.kernels.archives import kernel_members, write_folder, write_tarball
from tests.kernels.git import commit, light_tag
from tests.kernels.transition import RELEASES, add_release, kernel, make_history


def rows(db: Path, sql: str) -> list[tuple[object, ...]]:
    with closing(open_reader(db)) as reader:
        return [tuple(row) for row in reader.execute(sql)]


def test_the_rows_tell_what_each_release_checks(whole: Path) -> None:
    found = rows(
        whole,
        "SELECT release, syscall, check_name, capability, reach, path, line, errno"
        " FROM syscall_checks JOIN releases USING (release)"
        " WHERE release IN ('2.1.91', '2.1.92') ORDER BY ordinal, syscall",
    )
    assert found == [
        ("2.1.91", "bind", "suser", None, "pointer", "net/socket.c", 8, "EACCES"),
        ("2.1.91", "chroot", "suser", None, "call", "fs/open.c", 7, "EPERM"),
        ("2.1.91", "setgid", "suser", None, "direct", "kernel/sys.c", 5, "EPERM"),
        *(
            ("2.1.92", syscall, "capable", capability, reach, path, line, errno)
            for syscall, capability, reach, path, line, errno in (
                ("bind", "CAP_NET_BIND_SERVICE", "pointer", "net/socket.c", 8, "EACCES"),
                ("chroot", "CAP_SYS_CHROOT", "call", "fs/open.c", 7, "EPERM"),
                ("setgid", "CAP_SETGID", "direct", "kernel/sys.c", 6, "EPERM"),
            )
        ),
    ]


def test_releases_are_in_the_order_of_versions_with_source_and_commit(
    history: Path, whole: Path
) -> None:
    repository = pygit2.Repository(str(history))
    assert rows(
        whole, "SELECT release, series, kind, source, commit_sha FROM releases ORDER BY ordinal"
    ) == [
        (
            release,
            release[:3],
            "release",
            "linux",
            str(repository.references[f"refs/tags/{release}"].target),
        )
        for release in RELEASES
    ]


def test_the_release_of_the_transition_is_named(whole: Path) -> None:
    assert rows(
        whole,
        "SELECT syscall, from_release, to_release, before, after FROM transitions"
        " WHERE syscall = 'setgid' AND before = 'suser' AND after = 'CAP_SETGID'",
    ) == [("setgid", "2.1.91", "2.1.92", "suser", "CAP_SETGID")]


def test_definitions_and_syscalls_are_there(whole: Path) -> None:
    assert rows(
        whole, "SELECT DISTINCT capability, number FROM capability_definitions ORDER BY number"
    ) == [("CAP_SETGID", 6), ("CAP_NET_BIND_SERVICE", 10), ("CAP_SYS_CHROOT", 18)]
    assert rows(
        whole, "SELECT number, syscall, function FROM syscalls WHERE release = '2.0.40'"
    ) == [
        (0, "setup", "sys_setup"),
        (1, "setgid", "sys_setgid"),
        (2, "chroot", "sys_chroot"),
        (3, "bind", "sys_bind"),
    ]


def test_a_second_run_finds_nothing_to_do(history: Path, whole: Path, tmp_path: Path) -> None:
    db = Path(shutil.copy(whole, tmp_path / "copy.db"))
    before = db.read_bytes()
    assert read(db, history) == Summary(0, len(RELEASES), 0, [], [], [], {})
    assert db.read_bytes() == before


def test_what_was_read_is_not_read_again_in_a_run(history: Path, tmp_path: Path) -> None:
    """Between 2.2.0 and 2.2.9 one file differs of the eight that are read."""
    assert read(tmp_path / "a.db", history, tags=["2.2.0", "2.2.9"]).blobs_read == 9


@pytest.mark.parametrize("late", RELEASES)
def test_a_release_that_is_added_later_gives_the_same_database(
    late: str, whole: Path, tmp_path: Path
) -> None:
    path = make_history(
        tmp_path / "linux.git", [release for release in RELEASES if release != late]
    )
    db = tmp_path / "grown.db"
    assert read(db, path).releases_added == len(RELEASES) - 1
    add_release(path, late)
    assert read(db, path)[:2] == (1, len(RELEASES) - 1)
    assert contents(db) == contents(whole)


@pytest.mark.parametrize("jobs", [2, 3, 20])
def test_the_number_of_processes_changes_nothing(
    jobs: int, history: Path, whole: Path, tmp_path: Path
) -> None:
    db = tmp_path / "jobs.db"
    assert read(db, history, jobs=jobs).releases_added == len(RELEASES)
    assert contents(db) == contents(whole)


def test_tags_and_prereleases_are_chosen(tmp_path: Path) -> None:
    path = make_history(tmp_path / "linux.git", RELEASES[:3])
    repository = pygit2.Repository(str(path))
    light_tag(repository, "v2.1.91pre2", commit(repository, kernel("2.1.91")))
    read(tmp_path / "a.db", path)
    read(tmp_path / "b.db", path, tags=["2.1.*"], prereleases=True)
    assert releases_of(tmp_path / "a.db") == list(RELEASES[:3])
    assert releases_of(tmp_path / "b.db") == ["2.1.91pre2", "2.1.91"]


def test_a_tag_that_is_no_kernel_is_skipped_with_the_reason(tmp_path: Path) -> None:
    path = make_history(tmp_path / "linux.git", RELEASES[:2])
    repository = pygit2.Repository(str(path))
    light_tag(repository, "2.0.41", commit(repository, {"README": "nothing here\n"}))
    summary = read(tmp_path / "a.db", path)
    assert summary.releases_added == 2
    assert summary.skipped == [("2.0.41", "not a kernel: it has no Makefile")]


def test_several_sources_fill_one_database(history: Path, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "linux-2.2.9", kernel("2.2.9"))
    summary = read(tmp_path / "a.db", make_history(tmp_path / "one.git", RELEASES[:2]), folder)
    assert summary.releases_added == 3
    assert releases_of(tmp_path / "a.db") == ["2.0.39", "2.0.40", "2.2.9"]


@pytest.mark.parametrize("kind", ["folder", "tarball"])
def test_a_tarball_and_a_folder_say_what_the_tag_says(
    kind: str, whole: Path, cache: Path, tmp_path: Path
) -> None:
    files = kernel("2.1.92")
    source = (
        write_folder(tmp_path / "linux-2.1.92", files)
        if kind == "folder"
        else write_tarball(
            tmp_path / "linux-2.1.92.tar.xz", kernel_members("linux/", files), compression="xz"
        )
    )
    db = tmp_path / "one.db"
    assert read(db, source)[:2] == (1, 0)
    select = "SELECT * FROM syscall_checks WHERE release = '2.1.92'"
    assert rows(db, select) == rows(whole, select)
    assert rows(db, "SELECT release, source, commit_sha FROM releases") == [
        ("2.1.92", source.name, None)
    ]
    assert left_in(cache) == []


def broken_history(tmp_path: Path, release: str, path: str) -> tuple[Path, str]:
    """A history in which an object of a release, a file or the folder of one, is gone."""
    history = make_history(tmp_path / "broken.git")
    repository = pygit2.Repository(str(history))
    tree = repository.references[f"refs/tags/{release}"].peel(pygit2.Tree)
    object_id = str(tree[path].id)
    (history / "objects" / object_id[:2] / object_id[2:]).unlink()
    return history, object_id


@pytest.mark.parametrize("jobs", [1, 3])
def test_a_folder_that_is_gone_is_missing_from_its_release_alone_and_said(
    jobs: int, whole: Path, tmp_path: Path
) -> None:
    broken, object_id = broken_history(tmp_path, "2.1.92", "kernel")
    summary = read(tmp_path / "a.db", broken, jobs=jobs)
    reason = f"folder {object_id} of broken cannot be read, nor what is in it"
    assert (summary.releases_added, summary.failed) == (len(RELEASES), [])
    assert summary.unread == [("2.1.92", "kernel/", reason)]
    sites = "SELECT release, path, line FROM check_sites"
    lost = set(rows(whole, sites)) - set(rows(tmp_path / "a.db", sites))
    assert {(release, str(path).split("/")[0]) for release, path, _ in lost} == {
        ("2.1.92", "kernel")
    }


@pytest.mark.parametrize("jobs", [1, 3])
def test_a_file_that_is_gone_is_missing_from_its_release_alone_and_said(
    jobs: int, whole: Path, tmp_path: Path
) -> None:
    """Each release has a ``kernel/sys.c`` of its own."""
    broken, object_id = broken_history(tmp_path, "2.1.92", "kernel/sys.c")
    summary = read(tmp_path / "a.db", broken, jobs=jobs)
    reason = f"object {object_id} of broken cannot be read: it is missing"
    assert (summary.releases_added, summary.failed) == (len(RELEASES), [])
    assert summary.unread == [("2.1.92", "kernel/sys.c", reason)]
    select = "SELECT release, path, detail FROM audit_details WHERE kind = 'unreadable'"
    assert rows(tmp_path / "a.db", select) == summary.unread
    sites = "SELECT release, path, line FROM check_sites"
    lost = set(rows(whole, sites)) - set(rows(tmp_path / "a.db", sites))
    assert {(release, path) for release, path, _ in lost} == {("2.1.92", "kernel/sys.c")}


def test_a_damaged_object_is_named(tmp_path: Path) -> None:
    broken, object_id = broken_history(tmp_path, "2.1.92", "kernel/sys.c")
    file = broken / "objects" / object_id[:2] / object_id[2:]
    file.write_bytes(b"not an object")
    ((release, path, reason),) = read(tmp_path / "a.db", broken).unread
    assert (release, path) == ("2.1.92", "kernel/sys.c")
    assert reason.startswith(f"object {object_id} of broken cannot be read: ")


def test_a_source_that_cannot_be_read_leaves_the_database_as_it_was(
    whole: Path, tmp_path: Path
) -> None:
    db = Path(shutil.copy(whole, tmp_path / "copy.db"))
    before = db.read_bytes()
    with pytest.raises(CaphistoryError, match="does not exist"):
        read(db, tmp_path / "nowhere")
    assert db.read_bytes() == before


def test_a_tag_that_came_after_the_clone_is_indexed(tmp_path: Path) -> None:
    origin = make_history(tmp_path / "owner" / "linux.git", RELEASES[:-1])
    db, notes = tmp_path / "a.db", Notes()

    def index_url() -> list[str]:
        index([f"file://{origin}"], db, tags=[], prereleases=False, jobs=1, progress=notes)
        return releases_of(db)

    assert index_url() == [*RELEASES[:-1]]
    add_release(origin, RELEASES[-1])
    assert index_url() == [*RELEASES]
    assert notes.problems == []
    origin.rename(tmp_path / "gone")
    assert index_url() == [*RELEASES]
    assert [line.partition(" (")[0] for line in notes.problems] == [
        "new tags of owner/linux cannot be fetched"
    ]
