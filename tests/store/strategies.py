"""Random releases over a small world, so that facts meet again from release to release."""

from __future__ import annotations

import hashlib

from hypothesis import strategies as st

from caphistory.records import (
    Audit,
    AuditDetail,
    CapabilityDefinition,
    LinkedRelease,
    Release,
    Wrapper,
)
from tests import factories

LINES = st.integers(1, 3)
FILES = st.sampled_from(["a.c", "b.c"])
FUNCTIONS = st.sampled_from(["f", "g"])
CAPABILITIES = st.sampled_from([None, "CAP_A", "CAP_B"])


@st.composite
def linked_releases(draw: st.DrawFn, release: Release) -> LinkedRelease:
    """Rows of one release; lists may hold the same check site twice (two on one line)."""
    version = {path: draw(st.integers(0, 1)) for path in ("a.c", "b.c")}
    sites = draw(
        st.lists(
            st.builds(
                lambda path, *rest: factories.site(
                    path, *rest, blob=hashlib.sha1(f"{path}{version[path]}".encode()).hexdigest()
                ),
                FILES,
                LINES,
                FUNCTIONS,
                st.just("capable"),
                CAPABILITIES,
            ),
            max_size=5,
        )
    )
    reached = [site for site in sites if draw(st.booleans())]
    shared = {site: draw(st.sampled_from([1, 3, 7, 14, 29, 31])) for site in reached}
    checks = [
        factories.check(
            syscall,
            site,
            *draw(st.lists(STEPS, max_size=2)),
            conditional=draw(st.integers(0, 1)),
            feasible=draw(st.integers(0, 1)),
            shared_by=shared[site],
            operation=operation,
            effect=draw(st.sampled_from(["deny", "limit"])),
            instead=draw(st.sampled_from([(), ("CAP_C", "owner")])),
            namespace=draw(st.sampled_from([None, "init"])),
        )
        for site in reached
        for syscall in draw(st.sets(st.sampled_from(["x", "y"])))
        for operation in draw(st.sampled_from([[""], ["A"], ["A", "A/B"]]))
    ]
    return LinkedRelease(
        release=release,
        check_sites=sites,
        capability_definitions=draw(st.lists(DEFINITIONS, max_size=2, unique=True)),
        syscalls=draw(st.lists(SYSCALLS, max_size=2, unique_by=lambda row: row[:5])),
        syscall_checks=checks,
        wrappers=draw(st.lists(WRAPPERS, max_size=1)),
        audit=Audit(*(draw(st.integers(0, 2)) for _ in Audit._fields)),
        audit_details=draw(st.lists(DETAILS, max_size=1)),
    )


STEPS = st.builds(
    factories.step, FUNCTIONS, FILES, LINES, st.sampled_from([None, None, "proto_ops.bind"])
)
DEFINITIONS = st.builds(
    CapabilityDefinition,
    st.just("CAP_A"),
    st.integers(0, 1),
    st.just("capability.h"),
    LINES,
    st.sampled_from([None, "a", "b"]),
)
SYSCALLS = st.builds(
    factories.syscall,
    st.sampled_from(["x", "y"]),
    st.sampled_from([None, 1]),
    st.just("sys_x"),
    FILES,
    LINES,
)
WRAPPERS = st.builds(
    Wrapper,
    st.just("w_capable"),
    st.sampled_from(["fixed", "plumbing"]),
    st.just("capable"),
    CAPABILITIES,
    st.sampled_from([None, 1]),
    FILES,
    LINES,
)
DETAILS = st.builds(AuditDetail, st.just("cut_off"), st.none(), st.none(), st.sampled_from("ab"))
