"""``show`` and ``diff`` read the functions on a chain from a clone."""

from __future__ import annotations

from pathlib import Path

import pygit2
import pytest

from caphistory.sources import function_text
from tests.faces.conftest import Run
from tests.factories import build, check, linked, release, site, step

OLD = b"""\
int other(void)
{
\treturn 1;
}

asmlinkage int sys_settle(int id)
{
\tif (!suser())
\t\treturn -1;
\treturn 0;
}
"""
NEW = (
    OLD.replace(b"!suser()", b"!allowed(id)")
    + b"""
/* Gr\xfc\xdfe */
static int
allowed(int id)
{
\treturn capable(CAP_SETGID);\x0c
}
"""
)
SIGNATURE = pygit2.Signature("a", "a@example.org", 0, 0)


def commit(repository: pygit2.Repository, source: bytes) -> str:
    folder = repository.TreeBuilder()
    folder.insert("sys.c", repository.create_blob(source), pygit2.enums.FileMode.BLOB)
    tree = repository.TreeBuilder()
    tree.insert("kernel", folder.write(), pygit2.enums.FileMode.TREE)
    commit = repository.create_commit(None, SIGNATURE, SIGNATURE, "m", tree.write(), [])
    return str(commit)


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """A database of two releases and the repository that has their source."""
    folder = tmp_path_factory.mktemp("sources")
    repository = pygit2.init_repository(str(folder / "linux.git"), bare=True)
    path = "kernel/sys.c"
    old = linked(
        release("2.0.40")._replace(commit_sha=commit(repository, OLD)),
        checks=[check("settle", site(path, 8, "sys_settle", "suser"))],
    )
    new = linked(
        release("2.2.24")._replace(commit_sha=commit(repository, NEW)),
        checks=[
            check(
                "settle",
                site(path, 17, "allowed", "capable", "CAP_SETGID"),
                step("sys_settle", path, 8),
            )
        ],
    )
    database = build(folder / "history.db", old, new)
    return str(database), str(folder / "linux.git")


def test_show_prints_the_functions_with_the_lines_of_the_chain(
    caphistory: Run, history: tuple[str, str]
) -> None:
    database, repository = history
    said = caphistory(
        "--db", database, "show", "settle", "--repository", repository, "--format", "table"
    )
    assert said.lines == [
        "kernel/sys.c:6  sys_settle",
        "     6   asmlinkage int sys_settle(int id)",
        "     7   {",
        "     8 >         if (!allowed(id))",
        "     9                   return -1;",
        "    10           return 0;",
        "    11   }",
        "",
        "kernel/sys.c:14  allowed",
        "    14   static int",
        "    15   allowed(int id)",
        "    16   {",
        "    17 >         return capable(CAP_SETGID);",
        "    18   }",
        "",
    ]


def test_diff_prints_what_changed_function_by_function(
    caphistory: Run, history: tuple[str, str]
) -> None:
    database, repository = history
    arguments = ("--db", database, "diff", "settle", "2.0.40", "2.2.24", "--repository")
    said = caphistory(*arguments, repository)
    assert said.lines[:7] == [
        "--- kernel/sys.c:6",
        "+++ kernel/sys.c:6",
        "@@ -1,6 +1,6 @@",
        " asmlinkage int sys_settle(int id)",
        " {",
        "-        if (!suser())",
        "+        if (!allowed(id))",
    ]
    assert "--- /dev/null" in said.lines
    rows = caphistory(*arguments, repository, "--format", "json").rows
    assert [row["function"] for row in rows] == ["sys_settle", "allowed"]


def test_without_a_clone_it_says_how_to_get_one(
    caphistory: Run, history: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database, _ = history
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    said = caphistory("--db", database, "show", "settle")
    assert (said.exit_code, said.out) == (3, "")
    assert "the source of 2.2.24 is not on this machine: `caphistory index`" in said.err
    said = caphistory("--db", database, "show", "settle", "--repository", str(tmp_path))
    assert (said.exit_code, said.err) == (
        3,
        f"caphistory: {tmp_path} is not a git repository that can be read\n",
    )


def test_a_function_that_is_not_there_is_none() -> None:
    assert function_text(NEW, "kernel/sys.c", "missing") is None
