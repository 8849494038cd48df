"""Two kernels of a few lines in a git repository, and a database that knows their commits."""

from __future__ import annotations

from pathlib import Path

import pygit2

from tests.factories import build, check, linked, release, site, step
from tests.kernels.git import commit

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


def build_sources(folder: Path) -> tuple[str, str]:
    """A database of the two releases and the repository that has their source, in ``folder``."""
    repository = pygit2.init_repository(str(folder / "linux.git"), bare=True)
    path = "kernel/sys.c"
    old = linked(
        release("2.0.40")._replace(commit_sha=str(commit(repository, {path: OLD}))),
        checks=[check("settle", site(path, 8, "sys_settle", "suser"))],
    )
    new = linked(
        release("2.2.24")._replace(commit_sha=str(commit(repository, {path: NEW}))),
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
