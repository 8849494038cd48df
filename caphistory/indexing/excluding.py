"""Remove from a linked release the syscalls that whoever made its tree added to Linux."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

from caphistory.records import LinkedRelease


def remove_syscalls(linked: LinkedRelease, names: Collection[str]) -> LinkedRelease:
    """Return the release without the rows of these syscalls, and not counting them in
    ``shared_by``."""
    if not names:
        return linked
    # By ABI and site: through how many pointers each of them reached it.
    hops: defaultdict[tuple[object, ...], list[int]] = defaultdict(list)
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
