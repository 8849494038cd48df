"""Leaving out of a linked release the syscalls that whoever made its tree added to Linux."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

from caphistory.records import LinkedRelease


def without_syscalls(linked: LinkedRelease, names: Collection[str]) -> LinkedRelease:
    """The rows of a release without these syscalls, which share no check with others then."""
    if not names:
        return linked
    # By ABI and site: over how many pointers each of them came there.
    hops: dict[tuple[object, ...], list[int]] = defaultdict(list)
    for row in linked.syscall_checks:
        if row.syscall in names:
            hops[row.abi, row.check].append(row.pointer_hops)
    return linked._replace(
        syscalls=[row for row in linked.syscalls if row.syscall not in names],
        syscall_checks=[
            row._replace(
                shared_by=row.shared_by
                - sum(other <= row.pointer_hops for other in hops[row.abi, row.check])
            )
            for row in linked.syscall_checks
            if row.syscall not in names
        ],
    )
