"""What the checks of the kernel ask, in words.

Read in the source: ``include/linux/kernel.h`` of 1.1.44 (suser, fsuser); ``kernel/capability.c``,
``kernel/bpf/token.c``, ``net/netlink/af_netlink.c`` and ``net/core/sock.c`` of 6.12 (the others);
user_namespaces(7) says what a user namespace is. A check that is not here is a wrapper of a
release's own (see the view ``wrappers``), of which nothing is said.
"""

from __future__ import annotations

from collections.abc import Iterable

ROOT_CHECK = {
    "suser": "suser() asks whether the effective user is root; a call of it is a check site.",
    "fsuser": "fsuser() asks whether the user for file access is root; 1.1.44 brought it.",
    "uid0": "A raw comparison of a uid with 0, without a function of the kernel that asks it.",
}
"""What asks for root without a capability."""

_FIRST = "in the first user namespace alone"
_OWNER = "in the user namespace that owns what is acted upon"

USER_NAMESPACE = {
    "capable": _FIRST,
    "has_capability": _FIRST,
    "has_capability_noaudit": _FIRST,
    "sk_capable": _FIRST,
    "sockopt_capable": _FIRST,
    "netlink_capable": _FIRST,
    "ns_capable": _OWNER,
    "ns_capable_noaudit": _OWNER,
    "ns_capable_setid": _OWNER,
    "has_ns_capability": _OWNER,
    "has_ns_capability_noaudit": _OWNER,
    "sk_ns_capable": _OWNER,
    "sockopt_ns_capable": _OWNER,
    "netlink_ns_capable": _OWNER,
    "sk_net_capable": "in the user namespace that owns the network namespace",
    "netlink_net_capable": "in the user namespace that owns the network namespace",
    "bpf_token_capable": "in the user namespace of the token that is given, else in the first one",
    "file_ns_capable": "of who opened the file, in the user namespace that owns what is acted upon",
    "capable_wrt_inode_uidgid": "in the caller's user namespace, where that knows the file's owner",
    "inode_capable": "in the caller's user namespace, where that knows the file's owner",
}
"""In which user namespace (from 2.6.39 on) a check asks for a capability: one in a namespace that
anybody can make is not the one of the system's administrator."""


def other_check(capability: str | None, check_name: str) -> str:
    """The name of a check that asks for a capability by other means than ``capable``; nothing
    for ``capable`` itself and for what asks for root."""
    return "" if capability is None or check_name == "capable" else check_name


def namespaces(check_names: Iterable[str]) -> dict[str, str]:
    """In which user namespace each of these checks asks, by name; nothing of those that are not
    known, and nothing at all where every one is ``capable``: most kernels had no other."""
    names = sorted(set(check_names))
    if names == ["capable"]:
        return {}
    return {name: USER_NAMESPACE[name] for name in names if name in USER_NAMESPACE}
