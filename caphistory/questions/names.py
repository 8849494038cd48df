"""From what a person writes to the names that the database knows."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Sequence
from typing import NamedTuple

from caphistory.errors import NothingFound, UsageError
from caphistory.history.versions import kind, parse, position, series
from caphistory.records import ROOT_CHECKS, capability_name
from caphistory.store.line import may_exist


def releases(connection: sqlite3.Connection) -> list[str]:
    """Every release of the database, in the order of versions."""
    return _column(connection, "select release from releases order by ordinal")


def syscalls(connection: sqlite3.Connection) -> list[str]:
    """Every syscall of any release, in the order of the alphabet."""
    return _column(connection, "select distinct syscall from syscalls order by syscall")


def capabilities(connection: sqlite3.Connection) -> list[str]:
    """Every capability that any release defines, in the order of their numbers."""
    return _column(
        connection,
        "select capability from capability_definitions group by capability"
        " order by min(number) is null, min(number), capability",
    )


def privileges(connection: sqlite3.Connection) -> list[str]:
    """What a check can ask for: ``suser``, ``fsuser``, ``uid0`` and the capabilities."""
    return [*ROOT_CHECKS, *capabilities(connection)]


def abis(connection: sqlite3.Connection) -> list[str]:
    """The system-call tables that the database holds."""
    return _column(connection, "select distinct abi from syscalls order by abi")


def newest_release(connection: sqlite3.Connection) -> str:
    """The newest release of the database; NothingFound where there is none."""
    newest = _column(connection, "select release from asked_releases where asked = ''")
    if not newest:
        raise NothingFound("the database holds no release yet: caphistory index adds some")
    return newest[0]


def known_abi(connection: sqlite3.Connection, text: str) -> str:
    """The system-call table that ``text`` names; UsageError with those that there are."""
    if _holds(connection, "select 1 from syscalls where abi = ? limit 1", text.strip()):
        return text.strip()
    raise UsageError(f"no system-call table {text!r}; there are: {', '.join(abis(connection))}")


class NamedRelease(NamedTuple):
    """The release that a person means; ``remark`` says how it was found where its name is not the
    one that was written, else it is empty."""

    release: str
    remark: str


# What uname and distributions put behind the numbers of their kernels: 6.8.0-45-generic,
# 5.15.167.4-microsoft-standard-WSL2, 4.18.0-553.el8_10.x86_64.
_DISTRIBUTED = re.compile(r"(?P<numbers>\d+\.\d+(?:\.\d+){0,2})[-+.].*")


def named_release(connection: sqlite3.Connection, text: str) -> NamedRelease:
    """The release of the database that ``text`` means.

    It is its name, with or without ``v``; that of a series (2.4, 6.1), of which the newest
    release is taken; a name with what a distribution puts behind it (6.8.0-45-generic); or that
    of a release which lies between two of the database: the nearest earlier one is taken, of its
    own stable series where there is one (for 4.4.10 rather 4.4.155 than 3.19.8). UsageError with
    the nearest ones for any other.
    """
    wanted = re.sub(r"^[vV](?=\d)", "", text.strip())
    if _holds(connection, "select 1 from releases where release = ? limit 1", wanted):
        return NamedRelease(wanted, "")
    plain = _without_distribution(wanted)
    if _holds(connection, "select 1 from releases where release = ? limit 1", plain):
        return NamedRelease(plain, f"{wanted} is read as {plain}")
    held = sorted(filter(parse, releases(connection)), key=position)
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
    """A release's name without what a distribution puts behind it, and without the .0 of 6.8.0."""
    distributed = None if parse(text) else _DISTRIBUTED.fullmatch(text)
    numbers = distributed["numbers"] if distributed else text
    while re.fullmatch(r"(?:[3-9]|\d{2,})\.\d+\.\d+\.\d+|(?:[3-9]|\d{2,})\.\d+\.0", numbers):
        numbers = numbers.rpartition(".")[0]
    return numbers


def _find_nearest(wanted: str, held: Sequence[str]) -> str | None:
    """The release to answer from for one that lies between two of those that are held, which are
    in order; None for what is no release, or lies before or after all of them."""
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
    known = releases(connection)
    # 2.2.27 is nearer to the last of its series than to 2.2.7.
    same = [name for name in known if name.startswith(f"{wanted.rpartition('.')[0]}.")]
    return _unknown(connection, "release", text, [*same[-1:], *_near(wanted, known)])


def known_syscall(connection: sqlite3.Connection, text: str) -> str:
    """The syscall that ``text`` (with or without ``sys_``) names; UsageError with the
    nearest ones where there is none."""
    wanted = text.strip().removesuffix("()")
    for name in (wanted, wanted.lower().removeprefix("sys_")):
        if _holds(connection, "select 1 from syscalls where syscall = ? limit 1", name):
            return name
    near = _near(wanted.lower().removeprefix("sys_"), syscalls(connection))
    raise _unknown(connection, "syscall", text, near)


def known_capability(connection: sqlite3.Connection, text: str) -> str:
    """The capability that ``text`` names, in any case and with or without ``CAP_``;
    UsageError with the nearest ones where there is none."""
    wanted = capability_name(text)
    sql = "select 1 from capability_definitions where capability = ? limit 1"
    if _holds(connection, sql, wanted):
        return wanted
    raise _unknown(connection, "capability", text, _near(wanted, capabilities(connection)))


def known_name(connection: sqlite3.Connection, text: str) -> str:
    """The syscall, else the capability that ``text`` names (see ``known_syscall`` and
    ``known_capability``): ``kill`` is the syscall, ``net_admin`` and ``CAP_KILL`` are
    capabilities; UsageError with the nearest ones where it is neither."""
    if text.strip().upper().startswith("CAP_"):
        return known_capability(connection, text)
    try:
        return known_syscall(connection, text)
    except UsageError as unknown:
        try:
            return known_capability(connection, text)
        except UsageError:
            raise unknown from None


def known_privilege(connection: sqlite3.Connection, text: str) -> str:
    """The privilege that ``text`` names: ``suser``, ``fsuser``, ``uid0`` or a capability
    (see ``known_capability``); UsageError with the nearest ones where there is none."""
    root_check = text.strip().removesuffix("()").lower()
    if root_check in ROOT_CHECKS:
        return root_check
    try:
        return known_capability(connection, text)
    except UsageError:
        near = ROOT_CHECKS if root_check == "root" else _near(root_check, ROOT_CHECKS, 0.75)
        if not near:
            raise
        raise _unknown(connection, "check", text, near) from None


def _holds(connection: sqlite3.Connection, sql: str, name: str) -> bool:
    return connection.execute(sql, [name]).fetchone() is not None


def _near(wanted: str, known: Sequence[str], alike: float = 0.5) -> list[str]:
    from difflib import get_close_matches

    return get_close_matches(wanted, known, n=3, cutoff=alike)


def _unknown(
    connection: sqlite3.Connection, what: str, text: str, near: Sequence[str]
) -> UsageError:
    # An empty database knows no name at all: say that instead (NothingFound).
    newest_release(connection)
    three = ", ".join(list(dict.fromkeys(near))[:3])
    return UsageError(f"no {what} {text!r}" + (f"; nearest: {three}" if three else ""))


def _column(connection: sqlite3.Connection, sql: str, *parameters: str) -> list[str]:
    return [str(row[0]) for row in connection.execute(sql, parameters)]
