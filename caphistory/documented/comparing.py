"""Compare what is documented with what a release checks, by syscall and capability."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Collection, Iterable, Sequence

from caphistory.documented.documents import Claim, Documents, Place
from caphistory.questions.names import list_operations, list_syscalls
from caphistory.questions.queries import ask
from caphistory.questions.releases import is_known, position
from caphistory.questions.requirements import is_told
from caphistory.records import Row

NOT_CHECKED = "documented, not checked"
SAYS_LITTLE = "documented, checked only in ways that say little"
NOT_DOCUMENTED = "checked, not documented"
CHECKED_BESIDES = "checked, documented of other releases"
ANOTHER_ERROR = "checked, documented with another error"
ANOTHER_OPERATION = "checked, documented of other operations"
AGREE = "agree"
ALLOWED = "checked, allowed without it"
IN_GENERAL = "checked, documented in general"
ANOTHER = "documented of several, checked by another"
OTHER_RELEASES = "documented of other releases"
NO_SYSCALL = "documented, no such syscall"
NO_CAPABILITY = "documented, no such capability"

VERDICTS = {
    NOT_CHECKED: "a document says so, and no way to a check is known",
    SAYS_LITTLE: "a document says so, and a check is reached only where constants switch it off, or"
    " by many pointer steps in code that many syscalls share",
    NOT_DOCUMENTED: "the kernel checks it, and no document says so",
    CHECKED_BESIDES: "the kernel checks it, and documents say so of other releases only",
    ANOTHER_ERROR: "the kernel checks it, and gives none of the errors that documents name",
    ANOTHER_OPERATION: "the kernel checks it, and for none of the operations that documents name",
    AGREE: "the kernel checks it, and a document says so",
    ALLOWED: "the kernel checks it, and a profile allows the syscall to those without it, whom the"
    " kernel refuses by itself",
    IN_GENERAL: "the kernel checks it, and a document says what the capability is for without"
    " naming any syscall",
    ANOTHER: "a document says so of several syscalls together, and another of them checks it",
    OTHER_RELEASES: "documents say so of other releases, and the kernel does not check it",
    NO_SYSCALL: "a document says so, and the release has no such syscall",
    NO_CAPABILITY: "a document says so, and the release has no such capability",
}
"""What each verdict means."""

DISAGREEMENTS = (
    *(NOT_CHECKED, SAYS_LITTLE, NOT_DOCUMENTED, CHECKED_BESIDES),
    *(ANOTHER_ERROR, ANOTHER_OPERATION),
)
"""The verdicts that a maintainer has to look into."""

COLUMNS = (
    *("release", "abi", "source", "syscall", "capability", "verdict", "documented"),
    *("check_name", "reach", "depth", "pointer_hops", "shared_by", "standing", "effect", "errno"),
    *("operations", "errors", "function", "path", "line", "sites", "chain"),
)
"""The columns of the rows, those of the check from ``check_name`` on."""

_CHECK = COLUMNS[COLUMNS.index("check_name") :]
_ERRNO = re.compile(r"\bE[A-Z0-9]{2,}$")
Pair = tuple[str, str]


def compared(
    connection: sqlite3.Connection, documents: Documents, release: str, abi: str | None = None
) -> list[Row]:
    """Return what ``documents`` say beside what ``release`` checks, the disagreements first.

    Each row has ``syscall``, ``capability``, ``verdict`` (one of VERDICTS) and the evidence of
    both sides: ``documented`` is a JSON array of places ``{document, part, file, line, scope}``,
    the best first, where ``scope`` is ``named``, ``covered``, ``general`` or, for the place that
    does not tell, ``silent``, and ``constants`` are those that it names; the columns of the check
    are those of ``queries/checked_pairs.sql``, NULL where there is none.
    """
    table = ask(connection, "syscall_table", release=release, abi=abi)
    return compare(
        documents,
        release,
        table[0]["abi"] if table else abi,
        ask(connection, "checked_pairs", release=release, abi=abi, everything="1"),
        {row["syscall"] for row in table},
        {row["capability"] for row in ask(connection, "capability_list", release=release)},
        set(list_syscalls(connection)),
        {part for name in list_operations(connection) for part in name.split("/")},
    )


def compare(
    documents: Documents,
    release: str,
    abi: str | None,
    checked: Iterable[Row],
    existing: set[str],
    defined: set[str],
    all_syscalls: set[str],
    operations: Collection[str] = (),
) -> list[Row]:
    """Return the rows of ``compared``: ``checked`` are those of ``queries/checked_pairs.sql``, what
    says little included; ``existing`` and ``defined`` are the syscalls and the capabilities of
    ``release``, ``all_syscalls`` the syscalls of any release, ``operations`` the names of which the
    operations of any release are made."""
    checks = {(row["syscall"], row["capability"]): row for row in checked}
    informative = {pair for pair, row in checks.items() if is_told(row)}
    claims = [_adopt_table_names(claim, all_syscalls) for claim in documents.claims]
    current = [claim for claim in claims if _holds_in(claim, release)]
    now, ever, general = (
        _list_places(current, all_syscalls),
        _list_places(claims, all_syscalls),
        _list_general_places(claims),
    )
    demanded = {pair for claim in current for pair in _list_demanded(claim, existing, informative)}

    def verdict(pair: Pair) -> str:
        if pair[0] not in existing:
            return NO_SYSCALL
        if pair[1] not in defined:
            return NO_CAPABILITY
        if pair in informative:
            if pair in now:
                return _compare_meaning(checks[pair], now[pair], operations)
            if pair in ever:
                return CHECKED_BESIDES
            if pair[1] in general:
                return IN_GENERAL
            return NOT_DOCUMENTED if documents.complete else ALLOWED
        if pair in demanded:
            return SAYS_LITTLE if pair in checks else NOT_CHECKED
        return ANOTHER if pair in now else OTHER_RELEASES

    def places(pair: Pair) -> list[Row]:
        documented = now.get(pair) or ever.get(pair) or general.get(pair[1])
        if documented is None and pair[0] in documents.silent:
            return [_make_row(documents.silent[pair[0]], "silent")]
        return documented or []

    def row(pair: Pair) -> Row:
        check = checks.get(pair)
        return {
            "release": release,
            "abi": abi,
            "source": documents.source,
            "syscall": pair[0],
            "capability": pair[1],
            "verdict": verdict(pair),
            "documented": json.dumps(places(pair)),
            **{name: check[name] if check else None for name in _CHECK},
        }

    asked = {*ever, *(pair for pair in informative if documents.complete or places(pair))}
    return sorted(map(row, asked), key=_rank_row)


def _compare_meaning(check: Row, places: Sequence[Row], operations: Collection[str]) -> str:
    """Return whether the errors and operations that documents name are those of the kernel; where
    either side names none, they are."""
    documented = {errno for place in places for errno in _ERRNO.findall(place["part"])}
    given = set(json.loads(check["errors"] or "[]")) - {None}
    if documented and given and not documented & given:
        return ANOTHER_ERROR
    named = {name for place in places for name in place["constants"]} & {*operations}
    asked = json.loads(check["operations"] or "[]")
    parts = {part for operation in asked for part in operation.split("/")}
    if named and "" not in asked and parts and not named & parts:
        return ANOTHER_OPERATION
    return AGREE


def narrowed(
    rows: Iterable[Row], names: Collection[str] = (), *, everything: bool = False
) -> list[Row]:
    """Return the disagreements among ``rows``, or all where ``everything`` is asked for or
    ``names`` (syscalls and capabilities) are given; of these names a row must have one of each
    kind."""
    capabilities = {name for name in names if name.startswith("CAP_")}
    of = set(names) - capabilities
    return [
        row
        for row in rows
        if (everything or names or row["verdict"] in DISAGREEMENTS)
        and (not capabilities or row["capability"] in capabilities)
        and (not of or row["syscall"] in of)
    ]


def _adopt_table_names(claim: Claim, all_syscalls: set[str]) -> Claim:
    """Return the claim with the names that the syscall tables use: ``_sysctl`` for ``sysctl``."""

    def renamed(names: frozenset[str]) -> frozenset[str]:
        return frozenset(
            f"_{name}" if name not in all_syscalls and f"_{name}" in all_syscalls else name
            for name in names
        )

    return claim._replace(named=renamed(claim.named), covered=renamed(claim.covered))


def _holds_in(claim: Claim, release: str) -> bool:
    """Whether a claim is about a release."""
    if not is_known(release):
        # No name of a version, which a database of somebody else may hold: what holds today.
        return claim.before is None
    asked = position(release)
    since, before = (
        position(bound) if bound is not None and is_known(bound) else None
        for bound in (claim.since, claim.before)
    )
    return (since is None or asked >= since) and (before is None or asked < before)


def _list_demanded(claim: Claim, existing: set[str], informative: set[Pair]) -> list[Pair]:
    """Return the pairs that must be checked for the claim to hold: of each syscall that is named,
    or where none is, of those covered, unless one of them does check it."""
    if claim.named:
        return [(syscall, claim.capability) for syscall in claim.named & existing]
    covered = [(syscall, claim.capability) for syscall in claim.covered & existing]
    return [] if informative.intersection(covered) else covered


def _list_places(claims: Sequence[Claim], all_syscalls: set[str]) -> dict[Pair, list[Row]]:
    """Return the places that document each pair, those first that name the syscall."""
    places: dict[Pair, list[Row]] = {}
    for scope in ("named", "covered"):
        for claim in claims:
            for syscall in all_syscalls & (claim.named if scope == "named" else claim.covered):
                entries = places.setdefault((syscall, claim.capability), [])
                entries.append(_make_row(claim.place, scope))
    return places


def _list_general_places(claims: Sequence[Claim]) -> dict[str, list[Row]]:
    """Return the place for each capability that a document explains without naming a syscall."""
    particular = {
        (claim.capability, claim.place.document) for claim in claims if claim.named or claim.covered
    }
    return {
        claim.capability: [_make_row(claim.place, "general")]
        for claim in claims
        if (claim.capability, claim.place.document) not in particular
    }


def _make_row(place: Place, scope: str) -> Row:
    """Return a place as part of a row."""
    return {**place._asdict(), "scope": scope}


def _rank_row(row: Row) -> tuple[object, ...]:
    """Return a sort key: disagreements first, and within each verdict the nearest checks."""
    return (
        list(VERDICTS).index(row["verdict"]),
        ("direct", "call", "pointer", None).index(row["reach"]),
        row["shared_by"] or 0,
        row["pointer_hops"] or 0,
        row["depth"] or 0,
        row["syscall"],
        row["capability"],
    )
