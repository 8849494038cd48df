"""Small builders of the records that the store keeps, with sensible defaults.

    chroot = site("fs/open.c", 310, "sys_chroot", capability="CAP_SYS_CHROOT")
    build(path, linked("2.2.24", checks=[check("chroot", chroot)]))

gives a real database with one release in it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path

from caphistory import store
from caphistory.records import (
    Audit,
    AuditDetail,
    CapabilityDefinition,
    CheckSite,
    LinkedRelease,
    Meaning,
    Release,
    Step,
    Syscall,
    SyscallCheck,
    Wrapper,
)


def release(name: str, kind: str | None = None, position: int | None = None) -> Release:
    """A release; by default its position sorts names such as 2.2.9, 2.2.10pre1, 2.2.10."""
    parts = re.fullmatch(r"([\d.]+)(?:-?(?:pre|rc|test)(\d+))?", name)
    assert parts is not None
    main, pre = parts.groups()
    numbers = [int(number) for number in main.split(".")]
    order = 0
    for number in (*numbers, 0, 0, 0, 0)[:4]:
        order = order * 1000 + number
    order = order * 1000 + (int(pre) if pre else 999)
    return Release(
        release=name,
        series=main if numbers[0] > 2 else ".".join(main.split(".")[:2]),
        kind=kind or ("prerelease" if pre else "release"),
        position=order if position is None else position,
        released=None,
        source="https://example.org/linux-history",
        commit_sha=hashlib.sha1(name.encode()).hexdigest(),
    )


def site(
    path: str,
    line: int,
    function: str | None,
    check_name: str = "capable",
    capability: str | None = None,
    *,
    argument: str | None = None,
    form: str = "call",
    effect: str = "deny",
    errno: str | None = "EPERM",
    condition: str | None = None,
    blob: str | None = None,
) -> CheckSite:
    """A check site; its blob is made from the path unless it is given."""
    return CheckSite(
        path=path,
        line=line,
        function=function,
        check_name=check_name,
        capability=capability,
        argument=argument,
        form=form,
        effect=effect,
        errno=errno,
        condition=condition,
        blob=blob or hashlib.sha1(path.encode()).hexdigest(),
    )


def step(function: str, path: str, line: int, via: str | None = None) -> Step:
    """A step of a chain; with ``via`` it goes on through a function pointer."""
    return Step(function, path, line, "pointer" if via else "call", via)


def check(
    syscall: str,
    at: CheckSite,
    *steps: Step,
    abi: str = "i386",
    conditional: int = 0,
    feasible: int = 1,
    shared_by: int = 1,
    operation: str = "",
    effect: str | None = None,
    errno: str | None = None,
    instead: tuple[str, ...] = (),
    subject: str = "caller",
    namespace: str | None = None,
) -> SyscallCheck:
    """A row that leads from a syscall through ``steps`` to the check ``at``, with the effect of
    that unless one is given."""
    hops = sum(step.edge == "pointer" for step in steps)
    return SyscallCheck(
        abi=abi,
        syscall=syscall,
        check=at,
        reach="direct" if not steps else "pointer" if hops else "call",
        depth=len(steps),
        pointer_hops=hops,
        conditional=conditional,
        feasible=feasible,
        shared_by=shared_by,
        chain=(*steps, Step(at.function or "", at.path, at.line, "call", None)),
        meaning=Meaning(
            operation,
            effect or at.effect,
            errno if effect else at.errno,
            instead,
            subject,
            namespace,
        ),
    )


def syscall(
    name: str,
    number: int | None = None,
    function: str | None = None,
    path: str | None = "kernel/sys.c",
    line: int | None = 1,
    *,
    abi: str = "i386",
    parent: str | None = None,
) -> Syscall:
    """A row of a system-call table; the entry function is sys_NAME unless it is given."""
    return Syscall(abi, number, name, function or f"sys_{name}", path, line, parent)


def linked(
    of: str | Release,
    *,
    checks: Iterable[SyscallCheck] = (),
    sites: Iterable[CheckSite] = (),
    syscalls: Iterable[Syscall] | None = None,
    definitions: Iterable[CapabilityDefinition] = (),
    wrappers: Iterable[Wrapper] = (),
    audit: Audit | None = None,
    details: Iterable[AuditDetail] = (),
) -> LinkedRelease:
    """A release with its rows.

    The check sites of ``checks`` need not be given in ``sites`` again, and without
    ``syscalls`` there is one for each syscall that ``checks`` names.
    """
    checks = list(checks)
    all_sites = list(dict.fromkeys((*sites, *(row.check for row in checks))))
    if syscalls is None:
        entries = {
            (row.abi, row.syscall): syscall(
                row.syscall, None, row.chain[0].function, row.chain[0].path, 1, abi=row.abi
            )
            for row in checks
        }
        syscalls = entries.values()
    return LinkedRelease(
        release=release(of) if isinstance(of, str) else of,
        check_sites=all_sites,
        capability_definitions=list(definitions),
        syscalls=list(syscalls),
        syscall_checks=checks,
        wrappers=list(wrappers),
        audit=audit or Audit(len(all_sites), len(all_sites), 0, 0, 0, 0, 100, 0, 10, 5),
        audit_details=list(details),
    )


def build(path: Path, *releases: LinkedRelease, extractor_version: str = "1") -> Path:
    """Write releases into the database at ``path``, which is made where there is none."""
    with store.open_writer(path, extractor_version) as writer:
        for each in releases:
            writer.write_release(each)
    return path
