"""What calls need, and what failed calls lacked, by requirements (rows of the view
``requirements``)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from caphistory.errors import UsageError
from caphistory.questions.strace import (
    FITS,
    FITS_INSIDE,
    MAY_FIT,
    Call,
    fit_operation,
    is_message,
    split_operation,
)
from caphistory.records import FIRST_NAMESPACE_CHECKS, Row

OWNER = "owner"
"""Stands among the alternatives of a requirement that the owner of the object need not meet."""
TOLD = ("own", "shared")
"""The standings of the requirements that are told by default."""


def list_alternatives(row: Row) -> list[str]:
    """Return the privileges any one of which meets a requirement, the narrow ones first."""
    return sorted({row["privilege"], *json.loads(row["instead"] or "[]")}, key=_rank_breadth)


def asks_first_namespace(row: Row) -> bool:
    """Whether a requirement is asked in the first user namespace alone, so that no capability of
    another meets it; where the row does not say, by its check."""
    if row["namespace"] is None:
        return row["check_name"] in FIRST_NAMESPACE_CHECKS
    return bool(row["namespace"] == "init")


def order_requirements(rows: Iterable[Row]) -> list[Row]:
    """Return requirements in the order in which they are told: a syscall's own before what many
    share, denials before limits, the best evidence first."""
    return sorted(rows, key=rank_requirement)


def rank_requirement(row: Row) -> tuple[object, ...]:
    """Return the key by which requirements are sorted."""
    return (
        row["standing"] not in TOLD,
        row["standing"] != "own",
        ("deny", "limit", "unknown").index(row["effect"]),
        row["pointer_hops"],
        row["depth"],
        row["shared_by"],
        row["syscall"],
        row["operation"],
        row["privilege"],
    )


MUST, MAY = "must", "may"
"""Whether a privilege is asked for whatever the arguments, or under some operation or condition."""


class Need(NamedTuple):
    """A requirement that some calls come to: ``alternatives`` are the privileges any one of which
    meets it, the one to choose first; ``certainty`` is MUST or MAY; ``failed`` says that it
    explains best why a call in the log failed; ``fit`` is how its operation fits the call."""

    alternatives: tuple[str, ...]
    certainty: str
    row: Row
    failed: bool
    fit: int = FITS


def find_needs(calls: Iterable[Call], requirements: Mapping[str, Sequence[Row]]) -> list[Need]:
    """Return what ``calls`` need: for each privilege, or choice of privileges, the strongest
    reason. ``requirements`` has the told rows of each syscall.

    A call must have a privilege if lacking it is a denial on every way (no condition stands on the
    chain), if the call asks for the very operation that is denied, or if it failed and this is
    the requirement that explains it.
    """
    best: dict[frozenset[str], Need] = {}
    for call in calls:
        rows = requirements.get(call.syscall, ())
        explaining, doubtful = _explain(call, rows)
        for row in rows:
            fit = fit_operation(row["operation"], call)
            if fit is None:
                continue
            alternatives = tuple(list_alternatives(row))
            failed = row is explaining
            if fit == FITS_INSIDE and _is_of_any_family(row, call, rows):
                fit = FITS
            certain = _is_certain(row, call, fit, failed and not doubtful)
            certainty = MUST if certain else MAY
            need = Need(alternatives, certainty, row, failed, fit)
            known = best.get(frozenset(alternatives))
            if known is None or _rank_need(need) < _rank_need(known):
                best[frozenset(alternatives)] = need
    return sorted(best.values(), key=_rank_need)


def _explain(call: Call, rows: Sequence[Row]) -> tuple[Row | None, bool]:
    """Return the requirement that explains best why a call failed, and whether it is in doubt."""
    fitting = _list_fitting(call, rows) if call.errno else ()
    if not fitting:
        return None, True
    return fitting[0][1], is_doubtful(Explanation(call, (call.line,), fitting))


def is_failure_of(row: Row, call: Call) -> bool:
    """Whether a call failed with the error that a requirement gives."""
    return bool(call.errno) and call.errno == row["errno"]


_COMMANDS = frozenset(
    ("ioctl", "fcntl", "setsockopt", "getsockopt", "sendto", "sendmsg", "sendmmsg", "quotactl")
)
"""The syscalls whose operations are meant for the object behind a pointer. A flag of another
(``SEEK_CUR``) says nothing about the object."""


def _is_certain(row: Row, call: Call, fit: int, failed: bool) -> bool:
    if row["effect"] != "deny" or row["standing"] != "own" or row["subject"] != "caller":
        return False
    if OWNER in list_alternatives(row) or fit != FITS:
        return False
    constants, path = split_operation(row["operation"]) if row["operation"] else ([], "")
    is_asked = bool(path) or (
        bool(constants) and (call.syscall in _COMMANDS or not row["pointer_hops"])
    )
    return is_asked or not row.get("conditional", 1) or failed


def _is_of_any_family(row: Row, call: Call, rows: Iterable[Row]) -> bool:
    """Whether a call asks for an operation of sockets without a family (``ioctl:SIOCSIFADDR``), and
    all families that deny it ask for the same."""
    *families, command = split_operation(row["operation"])[0]
    if any(name.startswith("PF_") for name in call.names):
        return False
    alike = [
        other
        for other in rows
        if other["effect"] == "deny"
        and other["operation"].rpartition("/")[2] == command
        and _are_families(split_operation(other["operation"])[0][:-1])
    ]
    asked = {tuple(list_alternatives(other)) for other in alike}
    return _are_families(families) and len(asked) == 1


def _are_families(names: Iterable[str]) -> bool:
    return all(name.startswith("PF_") for name in names)


def _rank_need(need: Need) -> tuple[object, ...]:
    return (need.certainty != MUST, not need.failed, need.fit, *rank_requirement(need.row))


def _rank_breadth(privilege: str) -> tuple[bool, bool, str]:
    """Sorts alternatives: the narrow ones before CAP_SYS_ADMIN, which permits most, and OWNER."""
    return (privilege == OWNER, privilege == "CAP_SYS_ADMIN", privilege)


def is_possible(need: Need, userns: bool) -> bool:
    """Whether a capability meets a need, in a user namespace of its own or not."""
    return not (userns and asks_first_namespace(need.row))


def choose_least(needs: Sequence[Need], userns: bool = False) -> list[str]:
    """Return the least set of privileges that meets what must be met: of alternatives one that is
    needed anyway, else the narrowest. What no privilege can meet in a user namespace is left
    out."""
    must = [need for need in needs if need.certainty == MUST and is_possible(need, userns)]
    chosen = [need.alternatives[0] for need in must if len(need.alternatives) == 1]
    for need in must:
        if not set(need.alternatives) & set(chosen):
            chosen.append(need.alternatives[0])
    return sorted(set(chosen))


class Explanation(NamedTuple):
    """A failed call, how often and in which lines of the log it failed so, and the requirements
    that fit, the best first, each with how its operation fits."""

    call: Call
    lines: tuple[int, ...]
    fitting: tuple[tuple[int, Row], ...]


DENIALS = ("EPERM", "EACCES")
"""The errors that a missing privilege usually gives."""


def explain_failures(
    calls: Iterable[Call], requirements: Callable[[Collection[str]], Mapping[str, Sequence[Row]]]
) -> list[Explanation]:
    """Return an explanation for each failed call: those with one of DENIALS, and those with any
    error that a requirement of the syscall gives. ``requirements`` returns the told rows of
    syscalls. Calls that fail alike are one.

    Raises UsageError where only the errors of ``strace -c`` are there, which have no names.
    """
    alike: dict[tuple[object, ...], list[Call]] = {}
    unnamed = False
    for call in calls:
        unnamed = unnamed or call.errno == "?"
        if call.errno and call.errno != "?":
            key = (call.syscall, call.errno, call.names, call.paths)
            alike.setdefault(key, []).append(call)
    rows = requirements({group[0].syscall for group in alike.values()})
    explanations = []
    for group in alike.values():
        call = group[0]
        told = rows.get(call.syscall, ())
        if call.errno not in DENIALS:
            # A file that is not there is no want of privilege, though some code says so too.
            told = [row for row in told if _is_its_own(row)]
        fitting = _list_fitting(call, told)
        if fitting or call.errno in DENIALS:
            explanations.append(Explanation(call, tuple(c.line for c in group), fitting))
    if unnamed and not explanations:
        raise UsageError(
            "strace -c names no errors: ask caphistory needs --strace FILE, or log the calls"
        )
    return explanations


def _is_its_own(row: Row) -> bool:
    """Whether a requirement is a syscall's own, and depends on no object behind a pointer but
    that which its operation names."""
    return row["standing"] == "own" and bool(row["operation"] or not row["pointer_hops"])


def _list_fitting(call: Call, rows: Iterable[Row]) -> tuple[tuple[int, Row], ...]:
    """Return the requirements that fit a failed call: those with its error before those whose error
    could not be read, the whole operation before a part of it, a named one before none; of those
    that depend on an object behind a pointer, those with the most check sites."""
    fitting = [
        (fit, row)
        for row in rows
        if (is_failure_of(row, call) or _may_be_failure_of(row, call))
        and (fit := fit_operation(row["operation"], call)) is not None
        # What a message asks for is not asked by whoever passes it on.
        and (row["operation"] or not is_message(call))
    ]

    def rank(pair: tuple[int, Row]) -> tuple[object, ...]:
        fit, row = pair
        return (
            (row["errno"] is None) + (row["errno"] is None and row["effect"] == "limit"),
            fit,
            not row["operation"],
            row["standing"] != "own",
            row["pointer_hops"],
            -row["sites"] if row["pointer_hops"] and not row["operation"] else 0,
            *rank_requirement(row),
        )

    return tuple(sorted(fitting, key=rank))


def _may_be_failure_of(row: Row, call: Call) -> bool:
    """Whether a denial may be that of a requirement whose error could not be read, and which the
    syscall comes to by direct calls. One that is read as a limit comes last, for a limit of 0
    denies."""
    return row["errno"] is None and call.errno in DENIALS and _is_its_own(row)


def is_doubtful(explanation: Explanation) -> bool:
    """Whether the best requirement is one of several for different privileges, none of which its
    operation singles out: which it is depends on the object behind a function pointer."""
    fit, best = explanation.fitting[0]
    if best["errno"] is None:
        return True
    if best["operation"] or not best["pointer_hops"]:
        return fit == MAY_FIT
    return any(
        not row["operation"] and set(list_alternatives(row)) != set(list_alternatives(best))
        for _, row in explanation.fitting
    )


_NAMED_FILE = re.compile(r'(?:^|, |sun_path=)@?"')
"""A file's name among the arguments of a call."""


def list_other_causes(call: Call, explained: bool) -> list[str]:
    """Return what else gives the error of a failed call, as possibilities; ``explained`` says that
    a requirement fits it."""
    causes = []
    if call.errno == "EACCES" and _NAMED_FILE.search(call.arguments):
        causes.append("the permissions of the file, or of a folder on its path")
    if call.syscall in ("execve", "execveat") and call.errno == "EPERM":
        causes.append("the file has capabilities that the bounding set lacks (getcap FILE)")
    elif is_message(call):
        causes.append(
            "netlink answered so: its messages that change the network ask for CAP_NET_ADMIN"
        )
    elif call.errno == "EPERM" and not explained:
        causes.append(
            f"no requirement of {call.syscall} that fits gives EPERM: a seccomp filter does so"
            " (Docker's and Podman's by default), a security module, or an immutable file"
        )
    elif call.errno in DENIALS:
        causes.append("a seccomp filter" if call.errno == "EPERM" else "a security module")
    return causes
