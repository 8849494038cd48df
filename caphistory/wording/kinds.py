"""What a syscall checks, as one of five kinds, which colours and shapes stand for."""

from __future__ import annotations

from caphistory.records import ROOT_CHECKS, Row

NOTHING, UID0, ROOT, BOTH, CAPABILITY = "nothing", "uid0", "root", "both", "capability"

#: Every kind in words, in the order of history.
KINDS = {
    NOTHING: "checks nothing",
    UID0: "compares a uid with 0",
    ROOT: "asks suser() or fsuser()",
    BOTH: "asks for root and for a capability",
    CAPABILITY: "asks for a capability",
}


def privileges(checks: str | None) -> list[str]:
    """The privileges in a text of the database such as ``CAP_SETGID, suser``."""
    return [name for name in (checks or "").split(", ") if name]


def has_page(row: Row) -> bool:
    """Whether what a row's check asks for is a privilege with a page of its own: a check whose
    capability is no constant asks for none that is known."""
    return row["capability"] is not None or row["check_name"] in ROOT_CHECKS


def kind(checks: str | None) -> str:
    """The kind of such a text. A capability that is no constant stands in it under the name
    of its check, such as ``capable``."""
    asked = set(privileges(checks))
    root = asked & set(ROOT_CHECKS)
    if not asked:
        return NOTHING
    if not root:
        return CAPABILITY
    if asked - root:
        return BOTH
    return UID0 if root == {"uid0"} else ROOT
