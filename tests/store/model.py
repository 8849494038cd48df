"""The naive model of the store: every view as plain rows made from the records."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from caphistory.records import CheckSite, LinkedRelease, Meaning, SyscallCheck
from caphistory.store.standing import STANDINGS, decide, weigh

Row = tuple[Any, ...]


def expected(releases: list[LinkedRelease]) -> dict[str, Counter[Row]]:
    """What the views that hold one release's rows must show."""
    views: dict[str, Callable[[LinkedRelease], Iterable[Row]]] = {
        "releases": _releases,
        "check_sites": _check_sites,
        "capability_definitions": lambda of: _prefixed(of, of.capability_definitions),
        "syscalls": _syscalls,
        "syscall_checks": _syscall_checks,
        "requirements": _requirements,
        "wrappers": lambda of: _prefixed(of, of.wrappers),
        "audit": lambda of: _prefixed(of, [of.audit]),
        "audit_details": lambda of: _prefixed(of, of.audit_details),
    }
    return {
        name: Counter(row for release in releases for row in rows(release))
        for name, rows in views.items()
    }


def shown(db: sqlite3.Connection, view: str) -> Counter[Row]:
    """What a view shows, chains read from their JSON."""
    cursor = db.execute(f"SELECT * FROM {view}")
    names = [column[0] for column in cursor.description]
    return Counter(
        tuple(
            _steps(json.loads(value)) if name == "chain" else value
            for name, value in zip(names, row, strict=True)
        )
        for row in cursor
    )


def _steps(chain: list[dict[str, Any]]) -> Row:
    return tuple(tuple(step.values()) for step in chain)


def _prefixed(of: LinkedRelease, rows: list[Any]) -> Iterator[Row]:
    return ((of.release.release, *row) for row in rows)


def _releases(of: LinkedRelease) -> Iterator[Row]:
    mainline = of.release.provenance == "mainline" and of.release.commit_sha
    yield (*of.release, f"swh:1:rev:{of.release.commit_sha}" if mainline else None)


def _check_sites(of: LinkedRelease) -> Iterator[Row]:
    for site in of.check_sites:
        yield (of.release.release, site.path, site.line, site.function, *site[3:], _cite(site))


def _cite(site: CheckSite) -> str:
    return f"swh:1:cnt:{site.blob};lines={site.line}"


def _syscalls(of: LinkedRelease) -> Iterator[Row]:
    yield from _prefixed(of, list(of.syscalls))


def _syscall_checks(of: LinkedRelease) -> Iterator[Row]:
    for rows in _grouped(of, lambda row, place: (row.abi, row.syscall, row.check, place)).values():
        best = _best(of, rows)
        yield (
            of.release.release,
            best.abi,
            best.syscall,
            best.check.check_name,
            best.check.capability,
            best.reach,
            best.depth,
            best.pointer_hops,
            best.conditional,
            best.feasible,
            best.check.function,
            best.check.path,
            best.check.line,
            best.meaning.effect,
            best.meaning.errno,
            best.shared_by,
            _steps_of(best),
            _write_json(sorted({row.meaning.operation for row in rows} - {""})),
            *_told_of(best.meaning),
            STANDINGS[_standing(of, best)],
        )


def _requirements(of: LinkedRelease) -> Iterator[Row]:
    groups = _grouped(of, lambda row, _: (row.abi, row.syscall, _privilege(row), row.meaning))
    for (abi, syscall, privilege, meaning), rows in groups.items():
        best = _best(of, rows)
        instead, subject, namespace = _told_of(meaning)
        yield (
            of.release.release,
            abi,
            syscall,
            meaning.operation,
            privilege,
            instead,
            meaning.effect,
            meaning.errno,
            subject,
            namespace,
            STANDINGS[_standing(of, best)],
            sum(_standing(of, row) == _standing(of, best) for row in rows),
            best.check.check_name,
            best.check.capability,
            best.reach,
            best.depth,
            best.pointer_hops,
            best.check.function,
            best.check.path,
            best.check.line,
            best.shared_by,
            _steps_of(best),
            _cite(best.check),
        )


def _grouped(
    of: LinkedRelease, key: Callable[[SyscallCheck, int], Any]
) -> dict[Any, list[SyscallCheck]]:
    """The rows by a key, made of a row and of its place among equal sites on one line."""
    groups: dict[Any, list[SyscallCheck]] = {}
    used: Counter[Any] = Counter()
    for row in of.syscall_checks:
        same = (row.abi, row.syscall, row.check, row.meaning)
        place = min(used[same], of.check_sites.count(row.check) - 1)
        used[same] += 1
        groups.setdefault(key(row, place), []).append(row)
    return groups


def _best(of: LinkedRelease, rows: list[SyscallCheck]) -> SyscallCheck:
    """The best evidence, by all that is shown of it."""
    return min(
        rows,
        key=lambda row: (
            _standing(of, row),
            row.pointer_hops,
            row.depth,
            row.conditional,
            *(part or "" for part in (row.check.path, row.check.function, *row.check[3:10])),
            row.check.line,
            tuple((step.path, step.function, step.via or "") for step in row.chain),
            tuple(step.line for step in row.chain),
            tuple(part or "" for part in row.meaning),
        ),
    )


def _standing(of: LinkedRelease, row: SyscallCheck) -> int:
    return decide(
        feasible=row.feasible,
        way=weigh([(step.edge, step.via) for step in row.chain], row.depth),
        pointer_hops=row.pointer_hops,
        shared_by=row.shared_by,
        check_name=row.check.check_name,
        operation=row.meaning.operation,
        effect=row.meaning.effect,
        subject=row.meaning.subject,
        table=sum(syscall.abi == row.abi for syscall in of.syscalls),
    )


def _privilege(row: SyscallCheck) -> str:
    return row.check.capability or row.check.check_name


def _told_of(meaning: Meaning) -> tuple[str, str, str | None]:
    return _write_json(list(meaning.instead)), meaning.subject, meaning.namespace


def _write_json(texts: list[str]) -> str:
    return json.dumps(texts, separators=(",", ":"))


def _steps_of(row: SyscallCheck) -> Row:
    return tuple(tuple(step) for step in row.chain)
