"""From what a person writes to the names that the database knows."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Sequence

from caphistory.errors import NothingFound, UsageError
from caphistory.records import ROOT_CHECKS, capability_name


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


def known_release(connection: sqlite3.Connection, text: str) -> str:
    """The release that ``text`` (with or without ``v``) names; UsageError with the
    nearest ones where there is none."""
    wanted = re.sub(r"^[vV](?=\d)", "", text.strip())
    if _holds(connection, "select 1 from releases where release = ? limit 1", wanted):
        return wanted
    known = releases(connection)
    # 2.2.27 is nearer to the last of its series than to 2.2.7.
    series = [name for name in known if name.startswith(f"{wanted.rpartition('.')[0]}.")]
    raise _unknown(connection, "release", text, [*series[-1:], *_near(wanted, known)])


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


def _column(connection: sqlite3.Connection, sql: str) -> list[str]:
    return [str(row[0]) for row in connection.execute(sql)]
