"""Explain in words what the kernel's checks ask.

Source: ``include/linux/kernel.h`` of 1.1.44 (suser, fsuser); ``kernel/capability.c``,
``kernel/bpf/token.c``, ``net/netlink/af_netlink.c`` and ``net/core/sock.c`` of 6.12 (the others).
user_namespaces(7) says what a user namespace is. A check missing here is a wrapper that some
releases define themselves (see the view ``wrappers``): it is not explained.
"""

from __future__ import annotations

from collections.abc import Iterable

from caphistory.records import FIRST_NAMESPACE_CHECKS

ROOT_CHECK = {
    "suser": "suser() asks whether the effective user is root; a call of it is a check site.",
    "fsuser": "fsuser() asks whether the user for file access is root; 1.1.44 brought it.",
    "uid0": "A raw comparison of a uid with 0, without a function of the kernel that asks it.",
}
"""The checks that ask for root, not for a capability, with what each means."""

_FIRST = "in the first user namespace alone"
_OWNER = "in the user namespace that owns what is acted upon"

USER_NAMESPACE = {
    **dict.fromkeys(FIRST_NAMESPACE_CHECKS, _FIRST),
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
"""The user namespace (since 2.6.39) in which a check asks for a capability. It matters because
anybody can make a namespace and hold every capability in it."""


def name_other_check(capability: str | None, check_name: str) -> str:
    """Return ``check_name`` if it asks for a capability by other means than ``capable``; "" for
    ``capable`` itself and for a check of root."""
    return "" if capability is None or check_name == "capable" else check_name


def find_namespaces(check_names: Iterable[str]) -> dict[str, str]:
    """Return the user namespace in which each of these checks asks, by name. Checks missing from
    USER_NAMESPACE are left out; if all are ``capable`` the answer is empty, since most kernels had
    no other."""
    names = sorted(set(check_names))
    if names == ["capable"]:
        return {}
    return {name: USER_NAMESPACE[name] for name in names if name in USER_NAMESPACE}
