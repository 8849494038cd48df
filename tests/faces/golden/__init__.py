"""What each command says, word for word: for people and in JSON.

``python -m tests.faces.golden`` writes the texts of ``CASES`` anew; read the difference before
it is kept.
"""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).resolve().parent

CASES = {
    "overview": (),
    "which": ("which", "CAP_SYS_ADMIN", "setgid"),
    "which-reach": ("which", "suser", "--release", "2.0.40", "--reach", "pointer"),
    "which-root": ("which", "suser", "--release", "2.0.40"),
    "which-all-releases": ("which", "suser", "CAP_SETGID", "--all-releases"),
    "which-rows": ("which", "suser", "--release", "2.0.40", "--rows", "2"),
    "syscall": ("syscall", "bind"),
    "syscall-rows": ("syscall", "setgid", "--rows", "1"),
    "syscall-release": ("syscall", "chdir", "--all", "--release", "2.2.24"),
    "transition": ("transition", "2.0.40", "2.2.24"),
    "transition-rows": ("transition", "--rows", "4"),
    "transition-sites": ("transition", "--sites"),
    "why": ("why", "bind", "CAP_NET_BIND_SERVICE"),
    "why-rows": ("why", "chroot", "CAP_SYS_CHROOT", "--rows", "1"),
    "why-little": ("why", "chdir", "CAP_DAC_OVERRIDE"),
    "capability": ("capability", "CAP_SYS_CHROOT"),
    "capabilities": ("capability", "--release", "2.2.24"),
    "container": ("container", "--docker", "--drop", "sys_chroot"),
    "container-set": ("container", "--mask", "00000000a80425fb", "--set"),
    "needs": ("needs", "chroot", "bind", "getpid"),
    "needs-kubernetes": ("needs", "chroot", "--as", "kubernetes"),
    "explain": ("explain", 'chroot("/srv") = -1 EPERM (Operation not permitted)'),
    "search": ("search", "chroot"),
    "documented": ("documented", "--manual", "tests/documented/manual"),
    "releases": ("releases",),
    "releases-series": ("releases", "--series", "2.2"),
    "audit": ("audit",),
    "audit-release": ("audit", "--release", "2.0.40"),
    "audit-details": ("audit", "--release", "2.0.40", "--details"),
}
"""Questions to the small history of ``tests.kernels.database``."""

SOURCE_CASES = {
    "show": ("show", "settle"),
    "show-privilege": ("show", "settle", "suser", "--release", "2.0.40"),
    "diff": ("diff", "settle", "2.0.40", "2.2.24"),
}
"""Questions to the kernels of ``tests.kernels.sources``, whose source is there."""

FORMATS = {"table": "txt", "json": "json"}


def golden_file(case: str, form: str) -> Path:
    """The file with what the command of a case says in a format."""
    return FOLDER / f"{case}.{FORMATS[form]}"
