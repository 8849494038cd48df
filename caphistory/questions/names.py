"""Resolve what a person writes to names in the database."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Sequence
from typing import NamedTuple

from caphistory.errors import NothingFound, UsageError
from caphistory.history.versions import kind, parse, position, series
from caphistory.questions.queries import expand
from caphistory.records import ROOT_CHECKS, capability_name
from caphistory.store.line import may_exist


def list_releases(connection: sqlite3.Connection) -> list[str]:
    """Return every release of the database, ordered by version."""
    return _column(connection, "select release from releases order by ordinal")


def list_syscalls(connection: sqlite3.Connection) -> list[str]:
    """Return the syscalls of all releases, in alphabetical order."""
    return _column(connection, "select distinct syscall from syscalls order by syscall")


def list_capabilities(connection: sqlite3.Connection) -> list[str]:
    """Return every capability that any release defines, ordered by number."""
    return _column(
        connection,
        "select capability from capability_definitions group by capability"
        " order by min(number) is null, min(number), capability",
    )


def list_privileges(connection: sqlite3.Connection) -> list[str]:
    """Return all that a check can ask for: ``suser``, ``fsuser``, ``uid0`` and the capabilities."""
    return [*ROOT_CHECKS, *list_capabilities(connection)]


def list_abis(connection: sqlite3.Connection) -> list[str]:
    """Return the names of the system-call tables in the database, such as ``i386``."""
    return _column(connection, "select distinct abi from syscalls order by abi")


def newest_release(connection: sqlite3.Connection) -> str:
    """Return the newest release of the database; raise NothingFound if it holds none."""
    newest = _column(connection, "select release from asked_releases where asked = ''")
    if not newest:
        raise NothingFound("the database holds no release yet: caphistory index adds some")
    return newest[0]


def resolve_abi(connection: sqlite3.Connection, text: str) -> str:
    """Return the system-call table that ``text`` names; raise UsageError, listing the tables, if
    there is none of that name."""
    if _holds(connection, "select 1 from syscalls where abi = ? limit 1", text.strip()):
        return text.strip()
    raise UsageError(
        f"no system-call table {text!r}; there are: {', '.join(list_abis(connection))}"
    )


class NamedRelease(NamedTuple):
    """The release that a person means. ``remark`` explains the choice if the release is not called
    what the person wrote, else it is empty."""

    release: str
    remark: str


# Distributions append to the version number of their kernels, and uname shows it: 6.8.0-45-generic,
# 5.15.167.4-microsoft-standard-WSL2, 4.18.0-553.el8_10.x86_64.
_DISTRIBUTED = re.compile(r"(?P<numbers>\d+\.\d+(?:\.\d+){0,2})[-+.].*")


def resolve_release(connection: sqlite3.Connection, text: str) -> NamedRelease:
    """Return the release of the database that ``text`` means.

    ``text`` is one of:

    - the name of a release, with or without ``v``
    - a series (2.4, 6.1): its newest release is taken
    - a name with a distribution's suffix (6.8.0-45-generic)
    - a release between two of the database: the nearest earlier one is taken, or one of its own
      stable series if there is one (for 4.4.10 rather 4.4.155 than 3.19.8)

    Raises UsageError, naming the nearest releases, for anything else.
    """
    wanted = re.sub(r"^[vV](?=\d)", "", text.strip())
    if _holds(connection, "select 1 from releases where release = ? limit 1", wanted):
        return NamedRelease(wanted, "")
    plain = _without_distribution(wanted)
    if _holds(connection, "select 1 from releases where release = ? limit 1", plain):
        return NamedRelease(plain, f"{wanted} is read as {plain}")
    held = sorted(filter(parse, list_releases(connection)), key=position)
    of_series = [name for name in held if series(name) == plain]
    if of_series:
        newest = max(of_series, key=lambda name: (kind(name) == "release", position(name)))
        return NamedRelease(newest, f"{wanted} is read as {newest}, the newest {plain} here")
    nearest = _find_nearest(plain, held)
    if nearest is None:
        raise _unknown_release(connection, text, wanted)
    is_before = position(nearest) < position(plain)
    place = "nearest before it" if is_before else f"first {series(plain)} here"
    return NamedRelease(
        nearest, f"{plain} is not in the database: this is of {nearest}, the {place}"
    )


def _without_distribution(text: str) -> str:
    """Remove a distribution's suffix from a release's name, and the .0 of 6.8.0."""
    distributed = None if parse(text) else _DISTRIBUTED.fullmatch(text)
    numbers = distributed["numbers"] if distributed else text
    while re.fullmatch(r"(?:[3-9]|\d{2,})\.\d+\.\d+\.\d+|(?:[3-9]|\d{2,})\.\d+\.0", numbers):
        numbers = numbers.rpartition(".")[0]
    return numbers


def _find_nearest(wanted: str, held: Sequence[str]) -> str | None:
    """Return which of the ``held`` releases, given in order, to answer from for one that is
    not; None if ``wanted`` is not a release, or lies before or after all of them."""
    if parse(wanted) is None or not may_exist(wanted):
        return None
    at = position(wanted)
    before = [name for name in held if position(name) < at]
    after = held[len(before) :]
    if not before or not after:
        return None
    is_stable = kind(wanted) == "release" and int(wanted.partition(".")[0]) > 2
    if is_stable and series(before[-1]) != series(wanted) == series(after[0]):
        return after[0]
    return before[-1]


def _unknown_release(connection: sqlite3.Connection, text: str, wanted: str) -> UsageError:
    held = list_releases(connection)
    # By version, 2.2.27 is nearer to the last of its series than to 2.2.7.
    same = [name for name in held if name.startswith(f"{wanted.rpartition('.')[0]}.")]
    return _unknown(connection, "release", text, [*same[-1:], *_nearest(wanted, held)])


def resolve_syscall(
    connection: sqlite3.Connection, text: str, release: str = "", abi: str | None = None
) -> str:
    """Return the syscall that ``text`` names; raise UsageError, naming the nearest ones, if there
    is none.

    ``text`` is its name, an entry function (``sys_chroot``, ``__x64_sys_chroot``), a macro
    (``__NR_chroot``), or its number in the table ``abi`` of ``release`` (by default the usual one
    of the newest).
    """
    wanted = text.strip().removesuffix("()")
    if wanted.isdecimal():
        return _resolve_number(connection, int(wanted), release, abi)
    plain = _ENTRY.sub("", wanted.lower())
    for name in (wanted, plain):
        if _holds(connection, "select 1 from syscalls where syscall = ? limit 1", name):
            return name
    raise _unknown(connection, "syscall", text, _nearest(plain, list_syscalls(connection)))


_ENTRY = re.compile(r"^(?:_*(?:x64|ia32|se|do|x32)?_?(?:compat_)?sys_|ksys_|__nr_(?:ia32_)?)")
"""What kernels and their headers put before the name of a syscall, in lower case."""


def _resolve_number(
    connection: sqlite3.Connection, number: int, release: str, abi: str | None
) -> str:
    row = connection.execute(
        "select syscalls.syscall from syscalls join asked_releases as asked using (release)"
        " where asked.asked = ? and syscalls.number = ?"
        " and coalesce(?, syscalls.abi) = syscalls.abi"
        " order by syscalls.abi = asked.abi desc limit 1",
        (release, number, abi),
    ).fetchone()
    if row is None:
        where = " ".join(filter(None, (release or newest_release(connection), abi)))
        raise UsageError(f"no syscall of {where} has the number {number}")
    return str(row[0])


def resolve_capability(connection: sqlite3.Connection, text: str) -> str:
    """Return the capability that ``text`` names, in any case and with or without ``CAP_``, or by
    its number; raise UsageError, naming the nearest ones, if there is none."""
    if text.strip().isdecimal():
        named = _column(
            connection,
            "select capability from capability_definitions join releases using (release)"
            " where number = ? order by ordinal desc limit 1",
            text.strip(),
        )
        if named:
            return named[0]
        raise UsageError(f"no capability has the number {text.strip()}")
    wanted = capability_name(text)
    sql = "select 1 from capability_definitions where capability = ? limit 1"
    if _holds(connection, sql, wanted):
        return wanted
    raise _unknown(connection, "capability", text, _nearest(wanted, list_capabilities(connection)))


def resolve_operation(connection: sqlite3.Connection, text: str, syscall: str | None = None) -> str:
    """Return the operation that ``text`` names, in any case; a part between slashes, as RTM_NEWLINK
    of NETLINK_ROUTE/RTM_NEWLINK, and a pattern with ``*`` stay as they are. AF_INET names what
    PF_INET does.

    Raises UsageError, naming the nearest ones, if no release has it for ``syscall``, or for any.
    """
    wanted = text.strip()
    # Of the runs the first that fits is enough; the view of operations would make them all.
    sql = expand(
        "select 1 from syscall_requirement_runs where operation <> ''"
        " and coalesce(nullif(:syscall, ''), syscall) = syscall"
        " and ({{matches_operation operation}}) limit 1"
    )
    if connection.execute(sql, {"operation": wanted, "syscall": syscall or ""}).fetchone():
        return wanted
    asked = f"{syscall} by " if syscall else ""
    nearest = _nearest(wanted.upper(), list_operations(connection, syscall))
    raise _unknown(connection, "operation", f"{asked}{text}", nearest)


def list_operations(connection: sqlite3.Connection, syscall: str | None = None) -> list[str]:
    """Return the operations by which ``syscall``, or any, asks for a privilege in any release."""
    return _column(
        connection,
        "select distinct operation from syscall_operations"
        " where coalesce(nullif(?, ''), syscall) = syscall order by operation",
        syscall or "",
    )


def resolve_name(connection: sqlite3.Connection, text: str) -> str:
    """Return the syscall, else the capability, that ``text`` names (see ``resolve_syscall`` and
    ``resolve_capability``): ``kill`` is the syscall, ``net_admin`` and ``CAP_KILL`` are
    capabilities. Raise UsageError, naming the nearest ones, if it is neither."""
    if text.strip().upper().startswith("CAP_"):
        return resolve_capability(connection, text)
    try:
        return resolve_syscall(connection, text)
    except UsageError as unknown:
        try:
            return resolve_capability(connection, text)
        except UsageError:
            raise unknown from None


def resolve_privilege(connection: sqlite3.Connection, text: str) -> str:
    """Return the privilege that ``text`` names: ``suser``, ``fsuser``, ``uid0`` or a capability
    (see ``resolve_capability``); raise UsageError, naming the nearest ones, if there is none."""
    root_check = text.strip().removesuffix("()").lower()
    if root_check in ROOT_CHECKS:
        return root_check
    try:
        return resolve_capability(connection, text)
    except UsageError:
        nearest = ROOT_CHECKS if root_check == "root" else _nearest(root_check, ROOT_CHECKS, 0.75)
        if not nearest:
            raise
        raise _unknown(connection, "check", text, nearest) from None


def _holds(connection: sqlite3.Connection, sql: str, name: str) -> bool:
    return connection.execute(sql, [name]).fetchone() is not None


def _nearest(wanted: str, names: Sequence[str], cutoff: float = 0.5) -> list[str]:
    from difflib import get_close_matches

    return get_close_matches(wanted, names, n=3, cutoff=cutoff)


def _unknown(
    connection: sqlite3.Connection, noun: str, text: str, nearest: Sequence[str]
) -> UsageError:
    # An empty database holds no name at all: this raises NothingFound, which says so.
    newest_release(connection)
    three = ", ".join(list(dict.fromkeys(nearest))[:3])
    return UsageError(f"no {noun} {text!r}" + (f"; nearest: {three}" if three else ""))


def _column(connection: sqlite3.Connection, sql: str, *parameters: str) -> list[str]:
    return [str(row[0]) for row in connection.execute(sql, parameters)]
