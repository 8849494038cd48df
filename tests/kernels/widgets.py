"""A repository of six releases with two functions, whose checks move and change."""

from __future__ import annotations

from pathlib import Path

from tests.kernels.git import make_repository
from tests.kernels.minimal import KERNEL

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


def make_widgets(path: Path) -> Path:
    """A repository of TEXTS."""
    releases = {name: {**KERNEL, **HEADER, FILE: text} for name, text in TEXTS.items()}
    return make_repository(path, releases)
