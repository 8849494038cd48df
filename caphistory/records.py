"""The rows of the contract as types, and the rows of answers.

Linking a release produces these rows and the store keeps them.

Every class here is one row of a contract view without its ``release`` column
(see ``store/views.py`` for the views themselves). Paths are relative to the
root of the kernel tree, lines count from 1, and flags are 0 or 1.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

Row = dict[str, Any]
"""A row of an answer, by column."""

PROVENANCES = {
    "mainline": "its commit stands in the history of Linus Torvalds, of the stable team or of the"
    " old import",
    "tree": "a single tree that looks untouched",
    "defective": "a single tree with known defects, which its note names",
}
"""The degrees of certainty that the tree of a release is what was released."""

NESTED = ("chain", "documented", "instead", "operations", "errors")
"""The columns of answers that hold JSON: the steps of a chain, the places of documents."""

ROOT_CHECKS = ("suser", "fsuser", "uid0")
"""The privileges that are not capabilities: being root, asked in three ways. (The SQL fragment
``is_root`` lists the same names; a test compares them.)"""


FIRST_NAMESPACE_CHECKS = (
    "capable",
    "has_capability",
    "has_capability_noaudit",
    "sk_capable",
    "sockopt_capable",
    "netlink_capable",
)
"""The checks that ask for a capability in the first user namespace alone."""


def decode_nested(row: Row) -> Row:
    """Return a copy of ``row`` with its NESTED columns decoded from JSON."""
    return {**row, **{name: json.loads(row[name]) for name in NESTED if row.get(name)}}


def capability_name(text: str) -> str:
    """Return the full name of a capability written in any case, with or without ``CAP_``:
    ``net_admin`` is ``CAP_NET_ADMIN``. (The view ``asked_privileges`` does the same in SQL.)"""
    return "CAP_" + text.strip().upper().removeprefix("CAP_")


class Release(NamedTuple):
    """One tagged kernel tree.

    ``release`` is the name without ``v``; ``series`` its first two numbers
    (``2.2``, ``6.1``…: see ``history.versions``); ``kind`` is ``release`` or
    ``prerelease``; ``position`` sorts releases by version and is a pure function
    of the name; ``released`` is an ISO date, or None if no source gives one;
    ``source`` names the repository, tarball or folder; ``commit_sha`` is None for
    a tree that is not a git commit; ``provenance`` is one of ``PROVENANCES``; ``note`` says what
    is known about this tree, such as its defects, or is None.
    """

    release: str
    series: str
    kind: str
    position: int
    released: str | None
    source: str
    commit_sha: str | None
    provenance: str = "tree"
    note: str | None = None


class CheckSite(NamedTuple):
    """One check at one line of one file (view ``check_sites``).

    ``form`` is ``call`` or ``macro``; ``effect`` is ``deny``, ``limit`` or
    ``unknown``; ``condition`` is the enclosing preprocessor condition or None;
    ``blob`` is the hexadecimal git id of the file's content.
    """

    path: str
    line: int
    function: str | None
    check_name: str
    capability: str | None
    argument: str | None
    form: str
    effect: str
    errno: str | None
    condition: str | None
    blob: str


class CapabilityDefinition(NamedTuple):
    """One ``#define CAP_X number`` (view ``capability_definitions``)."""

    capability: str
    number: int | None
    path: str
    line: int
    doc: str | None


class Syscall(NamedTuple):
    """One row of a system-call table (view ``syscalls``).

    ``number`` is None for a call that a multiplexer (``parent``) dispatches and that has no
    number of its own in the table. ``path`` and ``line`` are where the entry function is
    defined, or None if no definition was found.
    """

    abi: str
    number: int | None
    syscall: str
    function: str
    path: str | None
    line: int | None
    parent: str | None


class Step(NamedTuple):
    """One step of a chain: at ``line`` of ``function`` (defined in ``path``) the code goes on to
    the next step, or in the last step makes the check.

    ``edge`` is ``call`` or ``pointer``; ``via`` names what a pointer step goes through, such as
    ``proto_ops.bind``. A call has one where it goes to all that is registered, such as a hook of
    security modules, or hands on to the same operation of a driver, and else None.
    """

    function: str
    path: str
    line: int
    edge: str
    via: str | None


class Meaning(NamedTuple):
    """What a check means to whoever calls the syscall.

    ``operation`` is what the caller asks for, outermost first, joined by ``/``, and empty where
    the arguments do not select the way to the check. ``effect`` (``deny``, ``limit`` or
    ``unknown``) and ``errno`` are those of the syscall. ``instead`` are the other privileges any
    one of which does as well, sorted; ``owner`` among them where owning the object suffices.
    ``subject`` is whose privilege is asked for: ``caller``, ``other`` (another task) or
    ``opener`` (who opened the file). ``namespace`` is ``init``, ``owner`` (the user namespace
    that owns what is acted upon) or None before there were any.
    """

    operation: str
    effect: str
    errno: str | None
    instead: tuple[str, ...]
    subject: str
    namespace: str | None


class SyscallCheck(NamedTuple):
    """One check site that a syscall can reach, by one operation, with its best evidence
    (view ``syscall_checks``).

    ``check`` is the site (one of the release's ``CheckSite`` rows); ``reach`` is
    ``direct``, ``call`` or ``pointer``; ``depth`` is the number of steps from the
    entry function to the function that holds the check, ``pointer_hops`` how many
    of them go through a function pointer; ``conditional`` and ``feasible`` are
    flags; ``chain`` has ``depth + 1`` steps, the last of which makes the check.
    ``shared_by`` is how many syscalls of the ABI reach the same site with no more pointer
    steps than this row: through pointers nearly every syscall reaches nearly every site, which
    must not make a nearby site look common.
    """

    abi: str
    syscall: str
    check: CheckSite
    reach: str
    depth: int
    pointer_hops: int
    conditional: int
    feasible: int
    shared_by: int
    chain: tuple[Step, ...]
    meaning: Meaning


class Wrapper(NamedTuple):
    """A function or macro that only passes on a check (view ``wrappers``).

    ``kind`` is ``fixed`` (it always makes the check ``check_name`` for ``capability``; one row
    for each capability) or ``plumbing`` (the capability is its parameter number ``parameter``,
    counted from 0).
    """

    name: str
    kind: str
    check_name: str
    capability: str | None
    parameter: int | None
    path: str
    line: int


class Audit(NamedTuple):
    """How completely one release was read (view ``audit``): counts of occurrences.

    ``lexical`` counts every occurrence of a check's name outside comments and
    strings; each is a call (``calls``), part of a macro's body (``macros``), a definition, a
    declaration or ``unexplained``. ``functions`` counts function
    definitions, ``parse_errors`` the functions whose syntax tree holds an error,
    ``pointer_calls`` the calls through function pointers and
    ``pointer_calls_resolved`` those with at least one target by type.
    """

    lexical: int
    calls: int
    macros: int
    definitions: int
    declarations: int
    unexplained: int
    functions: int
    parse_errors: int
    pointer_calls: int
    pointer_calls_resolved: int


class AuditDetail(NamedTuple):
    """One occurrence or file that reading the release could not account for
    (view ``audit_details``): ``kind`` is one of ``store.tables.AUDIT_KINDS``."""

    kind: str
    path: str | None
    line: int | None
    detail: str


class LinkedRelease(NamedTuple):
    """Everything that is stored about one release."""

    release: Release
    check_sites: list[CheckSite]
    capability_definitions: list[CapabilityDefinition]
    syscalls: list[Syscall]
    syscall_checks: list[SyscallCheck]
    wrappers: list[Wrapper]
    audit: Audit
    audit_details: list[AuditDetail]
