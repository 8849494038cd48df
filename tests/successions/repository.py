"""A repository with the releases of a small kernel, to be indexed."""

from __future__ import annotations

from pathlib import Path

import pygit2

from caphistory.cli.progress import QuietProgress
from caphistory.indexing import index
from tests.history.kernels import KERNEL, commit, light_tag

FILE = "kernel/widget.c"
FIND = """
int sys_widget(struct widget *w, int which)
{
    struct widget *next = w->next;
    while (next && next->number != which)
        next = next->next;
    if (!suser())
        return -EPERM;
    w->found = next;
    count_widget(w, which);
    return next ? 0 : -ENOENT;
}
"""
BOTH = FIND + FIND.replace("sys_widget", "sys_gadget").replace("count", "weigh")
HEADER = {"include/linux/capability.h": "#define CAP_CHOWN 0\n#define CAP_SYS_ADMIN 21\n"}
TEXTS = {
    "2.0.39": BOTH,
    "2.0.40": BOTH,
    "2.1.0": BOTH,
    "2.1.1": BOTH.replace("suser()", "capable(CAP_SYS_ADMIN)"),
    "2.2.0": FIND.replace("suser()", "capable(CAP_SYS_ADMIN)"),
    "2.2.1": FIND.replace("suser()", "capable(CAP_CHOWN)").replace("sys_widget", "sys_trinket"),
}


def make_repository(path: Path) -> Path:
    """A repository of TEXTS."""
    repository = pygit2.init_repository(str(path), bare=True)
    for release, text in TEXTS.items():
        light_tag(repository, release, commit(repository, {**KERNEL, **HEADER, FILE: text}))
    return path


def indexed(db: Path, repository: Path, *tags: str, jobs: int = 1) -> Path:
    """Index the tags of the repository (all: none) into ``db``."""
    index(
        [str(repository)],
        db,
        tags=[*tags],
        prereleases=False,
        jobs=jobs,
        progress=QuietProgress(),
    )
    return db
