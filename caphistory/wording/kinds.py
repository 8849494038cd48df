"""Sort what a syscall checks into five kinds, which charts show by colour and shape."""

from __future__ import annotations

from caphistory.records import ROOT_CHECKS, Row

NOTHING, UID0, ROOT, BOTH, CAPABILITY = "nothing", "uid0", "root", "both", "capability"

#: Each kind in words, in historical order.
KINDS = {
    NOTHING: "checks nothing",
    UID0: "compares a uid with 0",
    ROOT: "asks suser() or fsuser()",
    BOTH: "asks for root and for a capability",
    CAPABILITY: "asks for a capability",
}


def split_privileges(checks: str | None) -> list[str]:
    """Split a ``checks`` text of the database, such as ``CAP_SETGID, suser``, into privileges."""
    return [name for name in (checks or "").split(", ") if name]


def has_page(row: Row) -> bool:
    """Return whether the explorer has a page for the privilege that a row's check asks for. It has
    none if the capability is not a constant, for then it is unknown."""
    return row["capability"] is not None or row["check_name"] in ROOT_CHECKS


def classify(checks: str | None) -> str:
    """Return the kind of a ``checks`` text, such as ``CAP_SETGID, suser``. A capability that is not
    a constant appears in it as the name of its check, such as ``capable``."""
    asked = set(split_privileges(checks))
    root = asked & set(ROOT_CHECKS)
    if not asked:
        return NOTHING
    if not root:
        return CAPABILITY
    if asked - root:
        return BOTH
    return UID0 if root == {"uid0"} else ROOT
