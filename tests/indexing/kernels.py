"""A history of tiny kernels of our own C: real git repositories to index.

From 2.1.92 on the syscalls ask for a capability where they asked for root before.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import pygit2
import pytest

from caphistory.indexing import Summary, index
from caphistory.indexing.progress import Progress
from caphistory.store import open_reader
from caphistory.store.views import VIEWS
from tests.history.kernels import commit, light_tag

RELEASES = ("2.0.39", "2.0.40", "2.1.91", "2.1.92", "2.2.0", "2.2.9", "2.2.10")
"""In order of version, which is not the order of the alphabet."""

FIRST_WITH_CAPABILITIES = RELEASES.index("2.1.92")

_ENTRY = """ENTRY(sys_call_table)
    .long SYMBOL_NAME(sys_setup)
    .long SYMBOL_NAME(sys_setgid)
    .long SYMBOL_NAME(sys_chroot)
    .long SYMBOL_NAME(sys_bind)
    .long SYMBOL_NAME(sys_ni_syscall)
"""
_NAMES = """#define __NR_setup 0
#define __NR_setgid 1
#define __NR_chroot 2
#define __NR_bind 3
"""
_CAPABILITIES = """/* Allows to change groups. */
#define CAP_SETGID 6
#define CAP_NET_BIND_SERVICE 10
#define CAP_SYS_CHROOT 18
"""
_SETGID = """int sys_setgid(int gid)
{
    if (!%s)
        return -EPERM;
    return 0;
}
"""
_CHROOT = """int sys_chroot(const char *name)
{
    return may_chroot(name);
}
static int may_chroot(const char *name)
{
    if (!%s)
        return -EPERM;
    return 0;
}
"""
_SOCKET = """#include <linux/net.h>
int sys_bind(struct socket *sock)
{
    return sock->ops->bind(sock);
}
static int small_bind(struct socket *sock)
{
    return %s ? 0 : -EACCES;
}
static struct proto_ops small_ops = { small_bind };
"""
_NET = """struct proto_ops { int (*bind)(struct socket *); };
struct socket { struct proto_ops *ops; };
"""


def kernel(release: str) -> dict[str, str]:
    """The files of a release. The check of ``setgid`` stands one line lower in each."""
    number = RELEASES.index(release)
    capable = number >= FIRST_WITH_CAPABILITIES

    def ask(capability: str) -> str:
        return f"capable({capability})" if capable else "suser()"

    version, patchlevel, sublevel = release.split(".")
    files = {
        "Makefile": f"VERSION = {version}\nPATCHLEVEL = {patchlevel}\nSUBLEVEL = {sublevel}\n",
        "init/main.c": "int sys_setup(void) { return 0; }\n",
        "kernel/sys.c": "\n" * number + _SETGID % ask("CAP_SETGID"),
        "fs/open.c": _CHROOT % ask("CAP_SYS_CHROOT"),
        "net/socket.c": _SOCKET % ask("CAP_NET_BIND_SERVICE"),
        "include/linux/net.h": _NET,
        "include/asm-i386/unistd.h": _NAMES,
        "arch/i386/kernel/entry.S": _ENTRY,
    }
    if capable:
        files["include/linux/capability.h"] = _CAPABILITIES
    return files


def add_release(path: Path, release: str, more: Mapping[str, str] | None = None) -> None:
    """Commit a release, with ``more`` files in it, and tag it."""
    repository = pygit2.Repository(str(path))
    light_tag(repository, release, commit(repository, {**kernel(release), **(more or {})}))


def make_history(path: Path, releases: Sequence[str] = RELEASES) -> Path:
    """A bare repository with these releases, tagged in an order that means nothing."""
    pygit2.init_repository(path, bare=True)
    for release in sorted(releases):
        add_release(path, release)
    return path


class Silence(Progress):
    """A progress that nobody watches; what tests do at a certain point, they do in
    ``advance``, which is called for each release that has been written."""

    reading = False

    def stage(self, name: str, total: int | None = None) -> None:
        self.reading = name == "reading and linking"

    def advance(self, n: int = 1) -> None:
        if self.reading:
            self.written()

    def written(self) -> None:
        """One more release is in the database."""

    def note(self, line: str) -> None:
        pass

    def close(self) -> None:
        pass


def problems(said: str) -> list[str]:
    """The lines of what a run said but for the first, which says how many jobs it does."""
    return [line for line in said.splitlines() if not re.match(r"\d+ jobs?: ", line)]


class Notes(Silence):
    """A progress that keeps the lines that it is told, ``problems`` among them."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def note(self, line: str) -> None:
        self.lines.append(line)

    @property
    def problems(self) -> list[str]:
        return problems("\n".join(self.lines))


def read(
    db: Path,
    *sources: Path,
    tags: Sequence[str] = (),
    jobs: int = 1,
    prereleases: bool = False,
    progress: Progress | None = None,
) -> Summary:
    """Index sources into ``db``."""
    return index(
        [str(source) for source in sources],
        db,
        tags=list(tags),
        prereleases=prereleases,
        jobs=jobs,
        progress=progress or Silence(),
    )


def contents(db: Path) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every view of a database."""
    with closing(open_reader(db)) as reader:
        return {
            view.name: sorted(map(tuple, reader.execute(f"SELECT * FROM {view.name}")), key=repr)
            for view in VIEWS
        }


@contextmanager
def own_folders(parent: Path) -> Iterator[Path]:
    """Give this process folders of the user in ``parent``; gives that of the cache."""
    with pytest.MonkeyPatch.context() as environment:
        for name in ("CACHE", "DATA", "CONFIG", "STATE"):
            environment.setenv(f"XDG_{name}_HOME", str(parent / f"xdg-{name.lower()}"))
        yield parent / "xdg-cache" / "caphistory"


def left_in(cache: Path) -> list[str]:
    """What a run left in the user's cache beside the facts of the files that it read."""
    return [path.name for path in cache.glob("*") if path.name != "facts"]


def releases_of(db: Path) -> list[str]:
    """The releases of a database, in its order."""
    with closing(open_reader(db)) as reader:
        rows = reader.execute("SELECT release FROM releases ORDER BY ordinal")
        return [release for (release,) in rows]
