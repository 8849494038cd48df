"""The pages of syscalls: the list, one through the releases, and its source."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

from markupsafe import Markup, escape

from caphistory.explorer.addresses import Addresses
from caphistory.explorer.changes import list_changes
from caphistory.explorer.clones import describe_clone
from caphistory.explorer.evidence import rank
from caphistory.explorer.pages.page import Asked, Page, Redirect
from caphistory.explorer.requirements import (
    OWN,
    SHARED,
    Chip,
    describe_subject,
    group_requirements,
    list_instead,
    make_chips,
)
from caphistory.explorer.sourcediff import FunctionDiff, diff_chains
from caphistory.explorer.strips import Bar, define_holes, draw_axis, draw_labels, draw_strip
from caphistory.questions.names import (
    newest_release,
    resolve_operation,
    resolve_privilege,
    resolve_syscall,
)
from caphistory.questions.requirements import is_told
from caphistory.questions.source_text import cached_repositories
from caphistory.records import ROOT_CHECKS, Row
from caphistory.wording.axis import lay_out
from caphistory.wording.kinds import BOTH, CAPABILITY, ROOT, UID0, classify, split_privileges
from caphistory.wording.phrases import format_count, format_run

#: How many checks of a release are in its evidence, and how many operations in the table of them;
#: the rest is in the CSV.
_MOST_CHECKS = 25
_MOST_OPERATIONS = 80


class Answer(NamedTuple):
    """What a syscall asks for in one release: ``entry`` is its row of the system-call table, None
    if the release does not have it."""

    release: str
    abi: str
    entry: Row | None
    own: list[Chip]
    shared: list[Chip]
    operations: int


class Side(NamedTuple):
    """The evidence in one of two releases: ``name`` is ``from`` or ``to``, ``entry`` its row of the
    system-call table, ``rows`` its checks."""

    name: str
    release: str
    entry: Row | None
    rows: list[Row]

    @property
    def shown(self) -> list[Row]:
        """The checks on the page, the best evidence first."""
        return self.rows[:_MOST_CHECKS]


def index(asked: Asked) -> Page | Redirect:
    """Return the page of all syscalls of any release, or of those that have the text ``q`` in their
    name, number or privileges; a redirect to the one that is called so."""
    every = asked.ask("syscall_index", abi=asked.abi)
    text = asked.given("q")
    rows = [row for row in every if text is None or _is_meant(row, text)]
    named = [row for row in rows if text in (row["syscall"], str(row["number"]))]
    if text and (len(rows) == 1 or named):
        return Redirect(asked.addresses.syscall((named or rows)[0]["syscall"]))
    return Page(
        "syscalls",
        "Syscalls",
        {"syscall_index": rows},
        {
            "rows": rows,
            "total": len(every),
            "q": text,
            "tables": asked.ask("abi_list"),
            "names": lambda checks: _name_checks(checks, asked.addresses),
        },
        f"Every one of {format_count(len(every), 'syscall')} of Linux with the privileges that it"
        " asks for.",
        scripted=True,
    )


def _is_meant(row: Row, text: str) -> bool:
    where = f"{row['syscall']} {row['number']} {row['parent'] or ''} {row['checks']}".lower()
    return all(word in where for word in text.lower().removeprefix("sys_").split())


def _name_checks(checks: str, addresses: Addresses) -> Markup:
    """Return what a syscall checks as names without CAP_, each a link: hundreds of them in full
    would be most of a page."""
    return Markup(", ").join(
        Markup('<a href="{}">{}</a>').format(addresses.privilege(name), name.removeprefix("CAP_"))
        if name.startswith("CAP_") or name in ROOT_CHECKS
        else escape(name)
        for name in split_privileges(checks)
    ) or Markup('<span class="nothing">nothing</span>')


def syscall(asked: Asked) -> Page:
    """Return the page of one syscall: what it asks for today and at both ends of the transition, by
    operation, what changed, and the evidence."""
    name = resolve_syscall(asked.connection, asked.parts["name"])
    everything = asked.given("all") is not None
    compared = everything or bool(asked.given("from") or asked.given("to"))
    releases = asked.ask("release_list")
    runs = asked.ask("timeline", syscall=name, abi=asked.abi)
    release = asked.release("release") or newest_release(asked.connection)
    operation = asked.given("operation")
    operation = operation and resolve_operation(asked.connection, operation, name)
    named = _list_requirements(asked, name, release, operation)
    usual = asked.ask("transition_ends")[0]
    others = [end for end in (usual["to"], usual["from"]) if end != release]
    answers = [
        _make_answer(asked, name, release, named),
        *(
            _make_answer(asked, name, end, _list_cells(asked, name, end, operation))
            for end in others
        ),
    ]
    operations = group_requirements(
        [row for row in named if row["standing"] == OWN and not compared],
        "operation",
        "privilege",
        "namespace",
    )
    operations.sort(key=lambda group: (group[0]["operation"], rank(group[0])))
    ends = _choose_ends(asked, runs, releases)
    abi = _choose_table(asked, runs)
    sides = [
        _read_side(asked, name, abi, end, release, everything)
        for end, release in ends.items()
        if compared or "format" in asked.parts
    ]
    axis = lay_out(releases)
    bars = [
        Bar(
            axis.left(run["first_release"]),
            axis.right(run["last_release"]),
            classify(run["checks"]),
            f"{format_run(run)}: {run['checks'] or 'nothing'}",
        )
        for run in runs
    ]
    histories = (
        asked.ask("operation_history", syscall=name, operation=operation, abi=abi)
        if operation
        else []
    )
    called = f"{name} {operation}" if operation else name
    said = ", ".join(chip.privilege for chip in answers[0].own) or "nothing of its own"
    return Page(
        "syscall",
        f"{called}: what it asks for",
        {
            "requirements": named,
            "timeline": runs,
            "histories": histories,
            **{f"checks_{side.name}": side.rows for side in sides},
        },
        {
            "name": name,
            "release": release,
            "operation": operation,
            "histories": histories[:_MOST_OPERATIONS],
            "answers": answers,
            "operations": operations[:_MOST_OPERATIONS],
            "all_operations": len(operations),
            "instead": list_instead,
            "subject": describe_subject,
            "since": _find_since(asked, name, answers[0].abi, release, operation)
            if operations
            else {},
            "changes": list_changes(runs),
            "runs": runs,
            "strip": draw_strip(bars, (), axis),
            "axis": draw_axis(axis, {}),
            "labels": draw_labels(axis),
            "holes": define_holes(axis),
            "torn": bool(axis.holes),
            "everything": everything,
            "ends": ends,
            "sides": sides,
            "releases": releases,
        },
        f"The Linux syscall {called} asks for {said} in {release}; what it asked for since"
        f" {runs[0]['first_release'] if runs else release}, by operation, with the evidence.",
    )


def _list_requirements(
    asked: Asked, syscall: str, release: str, operation: str | None = None
) -> list[Row]:
    return asked.ask(
        "requirement_list",
        syscall=syscall,
        release=release,
        operation=operation,
        abi=_find_table(asked, syscall, release),
    )


def _list_cells(
    asked: Asked, syscall: str, release: str, operation: str | None = None
) -> list[Row]:
    """Return requirements without the places of their checks, which are found much sooner."""
    return asked.ask(
        "requirement_cells",
        syscall=syscall,
        release=release,
        operation=operation,
        abi=_find_table(asked, syscall, release),
    )


def _find_table(asked: Asked, syscall: str, release: str) -> str | None:
    """Return the system-call table asked for, else the one in which a release has a syscall (the
    usual one first), None if it has it in none."""
    if asked.abi:
        return asked.abi
    entries = asked.ask("syscall_entry", syscall=syscall, release=release)
    return str(entries[0]["abi"]) if entries else None


def _make_answer(asked: Asked, syscall: str, release: str, rows: list[Row]) -> Answer:
    entries = asked.ask("syscall_entry", syscall=syscall, release=release, abi=asked.abi)
    return Answer(
        release,
        str(entries[0]["abi"]) if entries else "",
        entries[0] if entries else None,
        make_chips(rows, OWN),
        make_chips(rows, SHARED),
        len({row["operation"] for row in rows if row["operation"] and row["standing"] == OWN}),
    )


def _find_since(
    asked: Asked, syscall: str, abi: str, release: str, operation: str | None
) -> dict[tuple[str, str, str], tuple[str, str | None]]:
    """Return since when each operation asks for each privilege, in each user namespace, without a
    break up to ``release``, and the release before a hole if it came in one."""
    rows = asked.ask(
        "requirement_since", syscall=syscall, abi=abi, release=release, operation=operation
    )
    return {
        (row["operation"], row["privilege"], row["namespace"]): (
            row["first_release"],
            row["gap_before"],
        )
        for row in rows
    }


def diff(asked: Asked) -> Page:
    """Return the page of the functions between a syscall and its checks, in two releases."""
    name = resolve_syscall(asked.connection, asked.parts["name"])
    privilege = asked.given("privilege")
    privilege = privilege and resolve_privilege(asked.connection, privilege)
    releases = asked.ask("release_list")
    runs = asked.ask("timeline", syscall=name, abi=asked.abi)
    ends = _choose_ends(asked, runs, releases)
    commits = {row["release"]: row["commit_sha"] for row in releases}
    sources = {row["release"]: str(row["source"]) for row in releases}
    abi = _choose_table(asked, runs)
    chains = [
        asked.ask("check_chains", syscall=name, privilege=privilege, release=release, abi=abi)
        for release in ends.values()
    ]
    comparison = diff_chains(
        [
            (release, commits[release], rows)
            for release, rows in zip(ends.values(), chains, strict=True)
        ],
        cached_repositories(),
    )
    return Page(
        "diff",
        f"{name}: its source from {ends['from']} to {ends['to']}",
        {"functions": [_make_function_row(function) for function in comparison.functions]},
        {
            "name": name,
            "privilege": privilege,
            "ends": ends,
            "comparison": comparison,
            "bring": {
                release: describe_clone(release, sources[release]) for release in ends.values()
            }
            if comparison.problem
            else {},
            "releases": releases,
            "privileges": sorted(
                {name for run in runs for name in split_privileges(run["checks"])}
                | ({privilege} if privilege else set())
            ),
        },
    )


def _choose_ends(asked: Asked, runs: list[Row], releases: list[Row]) -> dict[str, str]:
    """Return the two releases to compare, ``from`` and ``to``: those asked for, else those around
    the change from root to a capability, else around the last change, else the first and last
    release that has the syscall."""
    changes = list(pairwise(runs))
    moved = [
        (before, after)
        for before, after in changes
        if classify(after["checks"]) in (CAPABILITY, BOTH)
        and classify(before["checks"]) in (UID0, ROOT)
    ]
    if changes:
        before, after = (moved or changes[-1:])[0]
        first, last = before["last_release"], after["first_release"]
    elif runs:
        first, last = runs[0]["first_release"], runs[0]["last_release"]
    else:
        first, last = releases[0]["release"], releases[-1]["release"]
    return {"from": asked.release("from") or first, "to": asked.release("to") or last}


def _choose_table(asked: Asked, runs: list[Row]) -> str | None:
    """Return the one system-call table for all releases of a page: that of the history."""
    return asked.abi or (str(runs[0]["abi"]) if runs else None)


def _read_side(
    asked: Asked, syscall: str, abi: str | None, name: str, release: str, everything: bool
) -> Side:
    entries = asked.ask("syscall_entry", syscall=syscall, release=release, abi=abi)
    rows = [
        row
        for row in asked.ask("why", syscall=syscall, release=release, abi=abi)
        if everything or is_told(row)
    ]
    return Side(name, release, entries[0] if entries else None, rows)


def _make_function_row(function: FunctionDiff) -> Row:
    return {
        "function": function.function,
        "path_from": function.path_from,
        "line_from": function.line_from,
        "path_to": function.path_to,
        "line_to": function.line_to,
        "diff": function.text,
    }
