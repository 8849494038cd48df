"""``index --sources`` end to end: from a file that lists sources to the database."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pygit2
import pytest

from caphistory.cli import run
from caphistory.store import open_reader
from tests.indexing.running import releases_of
from tests.kernels.archives import kernel_members, write_folder, write_tarball
from tests.kernels.git import commit, light_tag
from tests.kernels.transition import kernel, make_history

NOTE = "Parts are lost."


def rows(db: Path, sql: str) -> list[tuple[object, ...]]:
    with closing(open_reader(db)) as reader:
        return [tuple(row) for row in reader.execute(sql)]


def asks(function: str) -> str:
    """A file with a function that asks for a privilege."""
    body = "if (!capable(CAP_SETGID))\n\t\treturn -EPERM;\n\treturn 0;"
    return f"int {function}(void)\n{{\n\t{body}\n}}\n"


def add_commit(path: Path, files: dict[str, str]) -> str:
    """A repository without tags, with one commit."""
    return str(commit(pygit2.init_repository(path, bare=True), files))


def index(tmp_path: Path, *entries: str, more: tuple[str, ...] = ()) -> int:
    """Index a file with these entries; gives the exit code."""
    file = tmp_path / "sources.toml"
    file.write_text("".join(f"[[source]]\n{entry}\n" for entry in entries), "utf-8")
    db = str(tmp_path / "a.db")
    return run(["--db", db, "index", "--sources", str(file), "--jobs", "1", *more])


def test_releases_of_several_kinds_of_sources_with_what_is_known_of_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_history(tmp_path / "linux.git", ["2.0.39", "2.0.40"])
    files = {f"linux-2.1.91/{path}": text for path, text in kernel("2.1.91").items()}
    made = add_commit(tmp_path / "one.git", {**files, "README": "a course\n"})
    write_tarball(tmp_path / "b.tar.xz", kernel_members("b/", kernel("2.1.92")), compression="xz")
    entries = (
        'repository = "linux.git"\nprovenance = "mainline"',
        f'repository = "one.git"\ncommit = "{made}"\nnote = "{NOTE}"\nprovenance = "defective"',
        'archive = "b.tar.xz"\nrelease = "2.1.92"',
    )
    assert index(tmp_path, *entries) == 0
    db = tmp_path / "a.db"
    assert rows(
        db, "SELECT release, source, provenance, note, commit_sha FROM releases ORDER BY ordinal"
    )[1:] == [
        ("2.0.40", "linux", "mainline", None, rows(db, "SELECT commit_sha FROM releases")[1][0]),
        ("2.1.91", "one", "defective", NOTE, made),
        ("2.1.92", "b.tar.xz", "tree", None, None),
    ]
    capsys.readouterr()
    # Once more: nothing is to be done, and the tarball need not even be one.
    (tmp_path / "b.tar.xz").write_bytes(b"gone")
    assert index(tmp_path, *entries) == 0
    assert "0 releases added" in capsys.readouterr().out


def test_neighbours_of_different_repositories_and_a_tarball_are_compared(tmp_path: Path) -> None:
    """One in a folder of its commit's tree."""
    make_history(tmp_path / "linux.git", ["2.0.40"])
    files = {f"linux-2.1.91/{path}": text for path, text in kernel("2.1.91").items()}
    made = add_commit(tmp_path / "one.git", files)
    write_tarball(tmp_path / "b.tar.gz", kernel_members("b/", kernel("2.1.92")))
    write_folder(tmp_path / "linux-2.2.0", kernel("2.2.0"))
    assert (
        index(
            tmp_path,
            'repository = "linux.git"',
            f'repository = "one.git"\ncommit = "{made}"',
            'archive = "b.tar.gz"\nrelease = "2.1.92"',
            'archive = "linux-2.2.0"',
        )
        == 0
    )
    db = tmp_path / "a.db"
    pairs = rows(
        db, "SELECT from_release, to_release FROM succession_pairs_stored WHERE neighbours"
    )
    assert pairs == [("2.0.40", "2.1.91"), ("2.1.91", "2.1.92"), ("2.1.92", "2.2.0")]
    assert rows(
        db,
        "SELECT function_after, check_before, capability_after, fate FROM successions"
        " WHERE to_release = '2.1.92' ORDER BY function_after",
    ) == [
        ("may_chroot", "suser", "CAP_SYS_CHROOT", "replaced"),
        ("small_bind", "suser", "CAP_NET_BIND_SERVICE", "replaced"),
        ("sys_setgid", "suser", "CAP_SETGID", "replaced"),
    ]


def test_a_release_from_elsewhere_is_compared_with_one_from_a_clone_in_the_cache(
    tmp_path: Path, cache: Path
) -> None:
    """A tarball that is added later to what an earlier run read."""
    cache.mkdir(parents=True)
    make_history(cache / "linux.git", ["2.0.40"])
    db = tmp_path / "a.db"
    assert run(["--db", str(db), "index", str(cache / "linux.git"), "--jobs", "1"]) == 0
    write_folder(tmp_path / "linux-2.1.91", kernel("2.1.91"))
    assert run(["--db", str(db), "index", str(tmp_path / "linux-2.1.91"), "--jobs", "1"]) == 0
    pairs = "SELECT from_release, to_release FROM succession_pairs_stored"
    assert rows(db, pairs) == [("2.0.40", "2.1.91")]


def test_bad_entries_are_named_and_the_others_are_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    history = make_history(tmp_path / "linux.git", ["2.0.39", "2.0.40"])
    light_tag(pygit2.Repository(str(history)), "v3.0", commit(pygit2.Repository(str(history)), {}))
    made = add_commit(tmp_path / "one.git", {"README": "no kernel\n"})
    entries = [
        'repository = "none.git"',
        f'repository = "one.git"\ncommit = "{"0" * 40}"',
        f'repository = "one.git"\ncommit = "{made}"\nrelease = "2.2.0"',
        'repository = "linux.git"\ntags = ["2.0.39"]',
        'repository = "linux.git"',
    ]
    assert index(tmp_path, *entries) == 3
    file = tmp_path / "sources.toml"
    said = capsys.readouterr()
    assert [
        line for line in said.err.splitlines() if "entry" in line and "sources.toml" in line
    ] == [
        f"{file}: entry 1: none.git is no git repository",
        f"{file}: entry 2: commit {'0' * 40} is not in one",
        f"{file}: entry 3: no kernel in commit {made} of one: it has no Makefile",
        f"{file}: entry 5: 2.0.39 is there already from entry 4",
    ]
    assert said.err.splitlines()[-1].endswith(
        "4 entries of the file of sources could not be used: mend the file and run it again"
    )
    assert releases_of(tmp_path / "a.db") == ["2.0.39", "2.0.40"]


@pytest.mark.parametrize("content", ["[[source]]\nrepository = 'none.git'\n", "[[source]\n", None])
def test_where_nothing_can_be_used_nothing_is_written(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "sources.toml"
    if content is not None:
        file.write_text(content)
    assert run(["--db", str(tmp_path / "a.db"), "index", "--sources", str(file)]) == 3
    assert not (tmp_path / "a.db").exists()


@pytest.mark.parametrize(
    "options",
    [("--mirrors", "MIRRORS"), ("--sources", "FILE", "--mirrors", "nowhere")],
    ids=["without a file", "no folder"],
)
def test_wrong_use(tmp_path: Path, options: tuple[str, ...]) -> None:
    named = [option.replace("MIRRORS", str(tmp_path)) for option in options]
    assert run(["--db", str(tmp_path / "a.db"), "index", *named]) == 2


def test_what_was_added_to_linux_is_left_out(tmp_path: Path) -> None:
    """Files by their path, syscalls by their name; they count nowhere."""
    plain = kernel("2.2.9")
    made = dict(plain)
    made["my/toy.c"] = (
        "int sys_toy(void)\n{\n\treturn capable(CAP_SETGID) ? 0 : may_chroot(0);\n}\n"
    )
    made["my/more.c"] = asks("more")
    table = "arch/i386/kernel/entry.S"
    made[table] = plain[table].replace("sys_ni_syscall", "sys_toy")
    made["include/asm-i386/unistd.h"] += "#define __NR_toy 4\n"
    made["fs/open.c"] = plain["fs/open.c"].replace("static int may", "int may")
    base = {**plain, "fs/open.c": made["fs/open.c"]}
    ids = [add_commit(tmp_path / "made.git", made), add_commit(tmp_path / "plain.git", base)]
    entry = f'repository = "made.git"\ncommit = "{ids[0]}"\n'
    views = ("check_sites", "syscalls", "syscall_checks")

    def read(entry: str, home: Path) -> list[list[tuple[object, ...]]]:
        home.mkdir()
        (tmp_path / "made.git").rename(home / "made.git")
        (tmp_path / "plain.git").rename(home / "plain.git")
        assert index(home, entry) == 0
        (home / "made.git").rename(tmp_path / "made.git")
        (home / "plain.git").rename(tmp_path / "plain.git")
        return [sorted(rows(home / "a.db", f"SELECT * FROM {view}"), key=repr) for view in views]

    wanted = read(f'repository = "plain.git"\ncommit = "{ids[1]}"', tmp_path / "1")
    whole = read(entry, tmp_path / "2")
    assert {row[2] for row in whole[2]} == {"bind", "chroot", "setgid", "toy"}
    assert len(whole[0]) == len(wanted[0]) + 2
    # The file is left out: then its syscall leads nowhere. It is left out of the table too.
    excluded = 'exclude_syscalls = ["toy"]'
    assert read(f'{entry}exclude = ["my/"]\n{excluded}', tmp_path / "3") == wanted
    assert read(f"{entry}{excluded}", tmp_path / "4")[1:] == wanted[1:]


def test_files_that_a_source_is_known_to_lack_are_in_the_audit_and_no_failure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = {**kernel("2.2.9"), "drivers/big.h": "#define BIG 1\n", "drivers/a.c": "int a;\n"}
    made = add_commit(tmp_path / "one.git", files)
    tree = pygit2.Repository(str(tmp_path / "one.git"))[made].peel(pygit2.Tree)
    gone = str(tree["drivers/big.h"].id)
    (tmp_path / "one.git" / "objects" / gone[:2] / gone[2:]).unlink()
    entry = f'repository = "one.git"\ncommit = "{made}"\n'
    assert index(tmp_path, f'{entry}lacks = ["drivers/big"]\nnote = "lacks a header"') == 0
    details = "SELECT path FROM audit_details WHERE kind = 'unreadable'"
    assert rows(tmp_path / "a.db", details) == [("drivers/big.h",)]
    (tmp_path / "a.db").unlink()
    assert index(tmp_path, f'{entry}lacks = ["drivers/other"]') == 3
    assert "1 file of 2.2.9 could not be read" in capsys.readouterr().err


def test_a_file_that_another_source_lacks_is_read_where_it_is(tmp_path: Path) -> None:
    """A header of amdgpu is gone from the repository of 6.8, and is in the tarball of 6.12."""
    shared = {"drivers/big.c": "int big(void) { return capable(CAP_SETGID); }\n"}
    commits = [
        add_commit(tmp_path / name, {**kernel(release), **shared})
        for name, release in (("one.git", "2.2.9"), ("two.git", "2.2.10"))
    ]
    tree = pygit2.Repository(str(tmp_path / "one.git"))[commits[0]].peel(pygit2.Tree)
    gone = str(tree["drivers/big.c"].id)
    (tmp_path / "one.git" / "objects" / gone[:2] / gone[2:]).unlink()
    lacking, whole = (
        f'repository = "{name}"\ncommit = "{made}"\n'
        for name, made in zip(("one.git", "two.git"), commits, strict=True)
    )
    lacking += 'lacks = ["drivers/"]\nnote = "lacks a file"\n'
    assert index(tmp_path, f"{lacking}[[source]]\n{whole}") == 0
    details = "SELECT release, path FROM audit_details WHERE kind = 'unreadable'"
    assert rows(tmp_path / "a.db", details) == [("2.2.9", "drivers/big.c")]
    wrappers = "SELECT release FROM wrappers WHERE path = 'drivers/big.c'"
    assert rows(tmp_path / "a.db", wrappers) == [("2.2.10",)]


def test_lines_that_end_with_crlf_change_nothing(tmp_path: Path) -> None:
    """Trees that went through a system where text files end their lines so."""
    found = []
    for name, end in (("unix", "\n"), ("dos", "\r\n")):
        files = {path: text.replace("\n", end) for path, text in kernel("2.2.9").items()}
        files["kernel/sys.c"] = files["kernel/sys.c"].replace("!capable(", f"!\\{end}capable(")
        (tmp_path / name).mkdir()
        made = add_commit(tmp_path / name / "one.git", files)
        assert index(tmp_path / name, f'repository = "one.git"\ncommit = "{made}"') == 0
        db = tmp_path / name / "a.db"
        found.append(
            [
                rows(db, "SELECT * FROM syscall_checks"),
                rows(db, "SELECT * FROM syscalls"),
                rows(db, "SELECT * FROM audit"),
                rows(db, "SELECT path, line, effect, errno FROM check_sites"),
                rows(db, "SELECT * FROM capability_definitions"),
            ]
        )
    assert found[0] == found[1]
    assert len(found[0][0]) == 3


def test_files_whose_names_differ_in_case_only_are_two(tmp_path: Path) -> None:
    files = kernel("2.2.9")
    files |= {"net/a.c": asks("one"), "net/A.c": asks("two")}
    made = add_commit(tmp_path / "one.git", files)
    assert index(tmp_path, f'repository = "one.git"\ncommit = "{made}"') == 0
    sites = "SELECT path, function FROM check_sites WHERE path LIKE 'net/a.c' ORDER BY path"
    assert rows(tmp_path / "a.db", sites) == [("net/A.c", "two"), ("net/a.c", "one")]
