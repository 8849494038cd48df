"""The pages of privileges: all capabilities, and one capability or suser, fsuser, uid0."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import dropwhile
from typing import NamedTuple

from caphistory.explorer.changes import list_syscall_changes
from caphistory.explorer.chart import SITES, SYSCALLS, Chart, Line, chart
from caphistory.explorer.evidence import rank
from caphistory.explorer.pages.page import Asked, Page, Redirect
from caphistory.explorer.requirements import OWN, SHARED, describe_subject, list_instead
from caphistory.questions.descriptions import read_descriptions, search_capabilities
from caphistory.questions.names import newest_release, resolve_privilege
from caphistory.records import ROOT_CHECKS, Row, capability_name
from caphistory.wording.checks import ROOT_CHECK
from caphistory.wording.phrases import format_count

#: How much is on the page; the rest is in the CSV.
_MOST_SITES = 80
_MOST_SYSCALLS = 60
_MOST_CHANGES = 40
_MOST_NAMES = 12
_MOST_OPERATIONS = 4


def index(asked: Asked) -> Page | Redirect:
    """Return the page of a release's capabilities and the root checks before them, or of those that
    a text ``q`` names or describes; a redirect to the one that is called so."""
    release = asked.release("release") or newest_release(asked.connection)
    every = asked.ask("capability_list", release=release, abi=asked.abi)
    text = asked.given("q")
    if text and (text.lower() in ROOT_CHECKS or capability_name(text) in _names(every)):
        return Redirect(asked.addresses.privilege(text, release=asked.given("release")))
    described = search_capabilities(text) if text else []
    rows = [
        row
        for row in every
        if text is None
        or row["capability"] in described
        or text.upper().replace(" ", "_") in row["capability"]
    ]
    return Page(
        "capabilities",
        f"Capabilities in {release}",
        {"capability_list": rows},
        {
            "rows": rows,
            "total": len(every),
            "q": text,
            "abi": asked.abi,
            "permits": dict.fromkeys(_names(every), "")
            | {name: one.permits for name, one in read_descriptions().items()},
            "release": release,
            "releases": asked.ask("release_list"),
        },
        f"The {format_count(len(every), 'capability')} of Linux {release}: what each permits, how"
        " many places check it and how many syscalls come to one.",
        scripted=True,
    )


def _names(rows: list[Row]) -> set[str]:
    return {str(row["capability"]) for row in rows}


class Count(NamedTuple):
    """How many syscalls ask for a privilege in one release: by themselves and only in shared code;
    ``defined`` is 0 for a capability that the release does not have."""

    release: str
    abi: str
    own: int
    shared: int
    sites: int
    defined: bool


class Asking(NamedTuple):
    """A syscall that asks for the privilege: ``row`` is the best evidence, ``operations`` are those
    under which it does; ``any`` says that one of its ways depends on none."""

    row: Row
    operations: list[str]
    any: bool
    sites: int


def capability(asked: Asked) -> Page:
    """Return the page of one privilege: who asks for it today and at both ends of the transition,
    what changed, definition, sites."""
    name = resolve_privilege(asked.connection, asked.parts["name"])
    releases = asked.ask("release_list")
    counts = splice_counts(asked, name)
    release = (
        asked.release("release")
        or (counts[-1]["release"] if counts else None)
        or newest_release(asked.connection)
    )
    usual = asked.ask("transition_ends")[0]
    ends = [release, *(end for end in (usual["to"], usual["from"]) if end != release)]
    definitions = (
        [] if name in ROOT_CHECKS else asked.ask("definitions_through_releases", capability=name)
    )
    operation = asked.given("operation")
    named = asked.ask("which", privilege=name, release=release, operation=operation, abi=asked.abi)
    rows = None if operation else named
    by_operation = (
        asked.ask("operation_history", privilege=name, operation=operation, abi=asked.abi)
        if operation
        else []
    )
    sites = asked.ask("check_list", privilege=name, release=release)
    histories = asked.ask("which_all_releases", privilege=name, abi=asked.abi)
    changes = list_syscall_changes(histories, releases)
    asking = list_asking([row for row in named if row["standing"] == OWN])
    shared = {str(row["syscall"]) for row in named if row["standing"] == SHARED}
    shared -= {str(one.row["syscall"]) for one in asking}
    meant = read_descriptions().get(name)
    return Page(
        "capability",
        name,
        {
            "requirements": named,
            "sites": sites,
            "counts": counts,
            "definitions": definitions,
            "histories": by_operation or histories,
        },
        {
            "name": name,
            "meaning": meant.permits if meant else ROOT_CHECK.get(name),
            "release": release,
            "operation": operation,
            "by_operation": by_operation[:_MOST_SYSCALLS],
            "releases": releases,
            "definitions": definitions,
            "answers": [
                _count(asked, name, ends[0], rows, counts, definitions),
                *(_count(asked, name, end, None, counts, definitions) for end in ends[1:]),
            ],
            "asking": asking[:_MOST_SYSCALLS],
            "rest": asking[_MOST_SYSCALLS:],
            "shared": sorted(shared),
            "instead": list_instead,
            "subject": describe_subject,
            "changes": changes[:_MOST_CHANGES],
            "all_changes": len(changes),
            "most_names": _MOST_NAMES,
            "most_operations": _MOST_OPERATIONS,
            "sites": sites[:_MOST_SITES],
            "all_sites": len(sites),
            "chart": draw_counts(name, counts, _since(counts, releases)),
        },
        f"{name}: {meant.permits if meant else ROOT_CHECK.get(name, '')} In {release}"
        f" {format_count(len(asking), 'syscall')} ask for it.",
    )


def list_asking(rows: Iterable[Row]) -> list[Asking]:
    """Return the syscalls of the rows with their operations, the best evidence first."""
    of_syscall: dict[str, list[Row]] = {}
    for row in rows:
        of_syscall.setdefault(str(row["syscall"]), []).append(row)
    asking = []
    for group in of_syscall.values():
        operations = {str(row["operation"]) for row in group}
        best = min(group, key=lambda row: (rank(row), row["shared_by"]))
        asking.append(
            Asking(
                best,
                sorted(operations - {""}),
                "" in operations,
                sum(row["sites"] for row in group),
            )
        )
    return sorted(asking, key=lambda one: (rank(one.row), one.row["shared_by"], one.row["syscall"]))


def splice_counts(asked: Asked, name: str) -> list[Row]:
    """Return the rows of the query ``privilege_counts``, each of the table asked for, else of the
    usual one of its release: the one that the rest of the page shows."""
    if asked.abi:
        return asked.ask("privilege_counts", privilege=name, abi=asked.abi)
    usual = {row["release"]: row["abi"] for row in asked.ask("usual_abi_list")}
    counts = {
        abi: {row["release"]: row for row in asked.ask("privilege_counts", privilege=name, abi=abi)}
        for abi in dict.fromkeys(usual.values())
    }
    return [
        {**counts[abi][release], "abi": abi}
        for release, abi in usual.items()
        if release in counts[abi]
    ]


def _count(
    asked: Asked,
    name: str,
    release: str,
    rows: list[Row] | None,
    counts: list[Row],
    definitions: list[Row],
) -> Count:
    sites = {str(row["release"]): int(row["sites"]) for row in counts}
    if rows is None:
        # What no place of a release asks for no syscall does.
        asks = release in sites
        cells = asked.ask("requirement_cells", release=release, abi=asked.abi) if asks else []
        rows = [row for row in cells if row["privilege"] == name]
    own = {row["syscall"] for row in rows if row["standing"] == OWN}
    shared = {row["syscall"] for row in rows if row["standing"] == SHARED} - own
    usual = {row["release"]: str(row["abi"]) for row in asked.ask("usual_abi_list")}
    held = asked.ask("capability_list", release=release) if definitions else []
    return Count(
        release,
        asked.abi or usual[release],
        len(own),
        len(shared),
        sites.get(release, 0),
        not definitions or name in _names(held),
    )


def _since(counts: list[Row], releases: list[Row]) -> list[Row]:
    """Return the releases since the start of the series in which ``counts`` begin."""
    of_release = {row["release"]: row["series"] for row in releases}
    first = of_release[counts[0]["release"]] if counts else None
    return list(dropwhile(lambda row: row["series"] != first, releases))


def draw_counts(name: str, counts: list[Row], releases: list[Row]) -> Chart:
    """Return the chart of a privilege's check sites and syscalls; ``counts`` are rows of the query
    ``privilege_counts``."""
    of_release = {row["release"]: row for row in counts}
    lines = [
        Line(
            what,
            style,
            tuple(of_release.get(row["release"], {}).get(column, 0) for row in releases),
        )
        for what, column, style in (
            ("check sites", "sites", SITES),
            ("syscalls", "syscalls", SYSCALLS),
        )
    ]
    return chart(lines, releases, f"How many sites and syscalls check {name} in each release")
