"""Repositories like those of today's kernels: the tags of the mainline and of the stable kernels
beside one another, and what the kernels of each era are like, as one line of releases."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import pygit2
import pytest
from pygit2.enums import ObjectType

from caphistory.cli import run
from caphistory.store import open_reader
from tests.indexing.running import read
from tests.kernels.archives import kernel_members, write_tarball
from tests.kernels.git import SIGNATURE, annotated_tag, light_tag, write_tree

RELEASES = ("2.6.12", "2.6.13-rc1", "3.0", "3.10.1", "4.15", "4.19-rc2", "6.12.1")

_SETGID = {
    "plain": "asmlinkage long sys_setgid(gid_t gid)",
    "macro": "SYSCALL_DEFINE1(setgid, gid_t, gid)",
}
_BODY = "\n{\n    if (!%s)\n        return -EPERM;\n    return 0;\n}\n"
_CHROOT = {
    "plain": "asmlinkage long sys_chroot(const char __user *name)",
    "macro": "SYSCALL_DEFINE1(chroot, const char __user *, name)",
}
_CAPABILITIES = "#define CAP_SETGID 6\n#define CAP_SYS_CHROOT 18\n"
_PLUMBING = """int ns_capable(struct user_namespace *ns, int cap)
{
    return security_capable(current_cred(), ns, cap) == 0;
}
int capable(int cap)
{
    return ns_capable(&init_user_ns, cap);
}
"""
_NUMBERS = "#define __NR_restart 0\n#define __NR_setgid 1\n#define __NR_chroot 2\n"
_TABLE = (
    "ENTRY(sys_call_table)\n    .long sys_restart\n    .long sys_setgid\n    .long sys_chroot\n"
)
_TBL_32 = (
    "0\ti386\trestart\tsys_restart\n1\ti386\tsetgid\tsys_setgid\n2\ti386\tchroot\tsys_chroot\n"
)
_TBL_64 = "106\tcommon\tsetgid\tsys_setgid\n161\tcommon\tchroot\tsys_chroot\n"


def kernel(release: str) -> Mapping[str, str]:
    """The files of a release, each in the way of its time."""
    base, _, early = release.partition("-")
    numbers = [int(number) for number in base.split(".")]
    macros = numbers >= [2, 6, 29]
    form = "macro" if macros else "plain"
    chroot = "capable(CAP_SYS_CHROOT)"
    if numbers >= [3, 8]:
        chroot = "ns_capable(current_user_ns(), CAP_SYS_CHROOT)"
    version, patchlevel, sublevel = (*numbers, 0)[:3]
    files = {
        "Makefile": f"VERSION = {version}\nPATCHLEVEL = {patchlevel}\nSUBLEVEL = {sublevel}\n"
        f"EXTRAVERSION = {'-' + early if early else ''}\n",
        "init/main.c": "asmlinkage long sys_restart(void) { return 0; }\n",
        "kernel/sys.c": _SETGID[form] + _BODY % "capable(CAP_SETGID)",
        "fs/open.c": _CHROOT[form] + _BODY % chroot,
    }
    if numbers >= [2, 6, 39]:
        files["kernel/capability.c"] = _PLUMBING
    if numbers >= [3, 7]:
        files["include/uapi/linux/capability.h"] = _CAPABILITIES
    else:
        files["include/linux/capability.h"] = _CAPABILITIES
    if numbers >= [3, 3]:
        folder = "arch/x86/entry/syscalls" if numbers >= [4, 2] else "arch/x86/syscalls"
        files[f"{folder}/syscall_32.tbl"] = _TBL_32
        files[f"{folder}/syscall_64.tbl"] = _TBL_64
    elif numbers >= [2, 6, 24]:
        files["arch/x86/kernel/syscall_table_32.S"] = _TABLE
        files["arch/x86/include/asm/unistd_32.h"] = _NUMBERS
    else:
        files["arch/i386/kernel/syscall_table.S"] = _TABLE
        files["include/asm-i386/unistd.h"] = _NUMBERS
    return files


def add(repository: pygit2.Repository, release: str, *parents: pygit2.Oid) -> pygit2.Oid:
    """Commit a release upon others."""
    tree = write_tree(repository, kernel(release))
    return repository.create_commit(None, SIGNATURE, SIGNATURE, release, tree, list(parents))


@pytest.fixture(scope="module")
def linux(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with merges, in which most tags are objects of their own, some upon a tag,
    and with tags that are no releases, or no kernels."""
    path = tmp_path_factory.mktemp("mainline") / "linux.git"
    repository = pygit2.init_repository(path, bare=True)
    first = add(repository, "2.6.12")
    candidate = add(repository, "2.6.13-rc1", first)
    side = add(repository, "2.6.12", first)
    third = add(repository, "3.0", candidate, side)
    stable = add(repository, "3.10.1", third)
    fourth = add(repository, "4.19-rc2", third, stable)
    newest = add(repository, "6.12.1", fourth, stable, side)
    light_tag(repository, "v2.6.12", first)
    for tag, commit in (
        ("v2.6.13-rc1", candidate),
        ("v3.0", third),
        ("v3.10.1", stable),
        ("v4.19-rc2", fourth),
    ):
        annotated_tag(repository, tag, commit)
    annotated_tag(repository, "signed-again", newest)
    upon = pygit2.Oid(hex=str(repository.references["refs/tags/signed-again"].target))
    annotated_tag(repository, "v6.12.1", upon, ObjectType.TAG)
    annotated_tag(repository, "v2.6.11", write_tree(repository, {"a": "b"}), ObjectType.TREE)
    annotated_tag(repository, "some-driver-for-linus", side)
    repository.references.create("refs/heads/v6.13", newest)
    return path


@pytest.fixture
def tarballs(tmp_path: Path) -> list[Path]:
    """The kernels 3.0, which the repository has too, and 4.15, which it has not."""
    return [
        write_tarball(
            tmp_path / f"linux-{release}.tar.xz",
            kernel_members(f"linux-{release}/", kernel(release)),
            compression="xz",
        )
        for release in ("3.0", "4.15")
    ]


def rows(db: Path, sql: str) -> list[tuple[object, ...]]:
    with closing(open_reader(db)) as reader:
        return [tuple(row) for row in reader.execute(sql)]


def test_all_sources_are_one_line_of_releases(
    linux: Path, tarballs: list[Path], tmp_path: Path
) -> None:
    db = tmp_path / "a.db"
    summary = read(db, linux, *tarballs, prereleases=True, jobs=2)
    assert (summary.releases_added, summary.failed, summary.unread) == (len(RELEASES), [], [])
    assert summary.elsewhere == {"linux": 1}
    assert sorted(summary.skipped) == [
        ("signed-again", "not the name of a Linux release"),
        ("some-driver-for-linus", "not the name of a Linux release"),
        ("v2.6.11", "points to a tree, not to a commit"),
    ]
    assert rows(db, "SELECT release, series, kind, source FROM releases ORDER BY ordinal") == [
        ("2.6.12", "2.6", "release", "linux"),
        ("2.6.13-rc1", "2.6", "prerelease", "linux"),
        ("3.0", "3.0", "release", "linux"),
        ("3.10.1", "3.10", "release", "linux"),
        ("4.15", "4.15", "release", "linux-4.15.tar.xz"),
        ("4.19-rc2", "4.19", "prerelease", "linux"),
        ("6.12.1", "6.12", "release", "linux"),
    ]


def test_the_same_release_of_a_second_source_is_said_and_left_out(
    linux: Path, tarballs: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    db = tmp_path / "a.db"
    assert run(["--db", str(db), "index", str(tarballs[0])]) == 0
    assert run(["--db", str(db), "index", str(linux)]) == 0
    assert "1 release there already from linux-3.0" in capsys.readouterr().err
    assert rows(db, "SELECT release, source FROM releases ORDER BY ordinal") == [
        ("2.6.12", "linux"),
        ("3.0", "linux-3.0.tar.xz"),
        ("3.10.1", "linux"),
        ("6.12.1", "linux"),
    ]


def test_each_era_says_which_syscall_asks_for_what(linux: Path, tmp_path: Path) -> None:
    """The 64-bit table is there from 3.3 on in the form that is read here, chroot asks in the
    user namespace from 3.8 on."""
    db = tmp_path / "a.db"
    read(db, linux, prereleases=True)
    found = rows(
        db,
        "SELECT release, abi, syscall, check_name, capability, function, path, line"
        " FROM syscall_checks JOIN releases USING (release) ORDER BY ordinal, abi, syscall",
    )
    assert found == [
        (release, abi, syscall, check, capability, f"sys_{syscall}", path, 3)
        for release in RELEASES
        if release != "4.15"
        for abi in ("i386", "x86_64")
        if abi == "i386" or release in ("3.10.1", "4.19-rc2", "6.12.1")
        for syscall, check, capability, path in (
            (
                "chroot",
                "ns_capable" if release in ("3.10.1", "4.19-rc2", "6.12.1") else "capable",
                "CAP_SYS_CHROOT",
                "fs/open.c",
            ),
            ("setgid", "capable", "CAP_SETGID", "kernel/sys.c"),
        )
    ]
    assert rows(
        db, "SELECT release, path FROM capability_definitions WHERE capability = 'CAP_SETGID'"
    ) == [
        (release, f"include/{'uapi/' if release >= '3.10' else ''}linux/capability.h")
        for release in ("2.6.12", "2.6.13-rc1", "3.0", "3.10.1", "4.19-rc2", "6.12.1")
    ]


def test_one_kernel_by_two_names_is_one_release(linux: Path, tmp_path: Path) -> None:
    """BitKeeper named its pre-patches by what they go on from: 2.4.9.15 is 2.4.10-pre15."""
    files = kernel("2.6.12")
    paths = []
    for name, tag in (("one", "2.4.9.15"), ("two", "v2.4.10-pre15")):
        repository = pygit2.init_repository(tmp_path / f"{name}.git", bare=True)
        tree = write_tree(repository, files)
        commit = repository.create_commit(None, SIGNATURE, SIGNATURE, tag, tree, [])
        light_tag(repository, tag, commit)
        paths.append(Path(repository.path))
    db = tmp_path / "a.db"
    summary = read(db, *paths, linux, prereleases=True, tags=["2.4.*", "2.6.12"])
    assert (summary.releases_added, summary.elsewhere) == (2, {"one": 1})
    assert rows(db, "SELECT release, source FROM releases ORDER BY ordinal") == [
        ("2.4.9.15", "one"),
        ("2.6.12", "linux"),
    ]
