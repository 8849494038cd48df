"""The accounting of a release: every occurrence of a check's name, and where it went."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import pairwise

from caphistory.linking.checks import Checks, Site
from caphistory.linking.graph import Bounds
from caphistory.linking.pointers import Count, Pointers
from caphistory.linking.program import Definition, Program
from caphistory.records import Audit, AuditDetail, SyscallCheck
from caphistory.syntax.facts import Function


def audit(
    program: Program, checks: Checks, pointers: Pointers, sites: list[Site], bounds: Bounds
) -> tuple[Audit, list[AuditDetail]]:
    """Account for every occurrence of a check's name outside comments and strings.

    ``lexical`` is counted in the text, by itself: the sum of the other counts is the proof
    that nothing was lost. An occurrence that no parenthesis follows (a struct member, an
    exported symbol) counts among the declarations.
    """
    names = checks.names()
    accounted = _accounted(program, names)
    counts: Counter[str] = Counter()
    details: list[AuditDetail] = []
    for path in sorted(program.files):
        for line, name, kind in program.files[path].mentions:
            if name not in names:
                continue
            counts["lexical"] += 1
            place = accounted.get((path, line, name))
            if place:
                counts[place.pop()] += 1
            elif kind in ("declaration", "name"):
                counts["declarations"] += 1
            else:
                counts["unexplained"] += 1
                details.append(AuditDetail("unexplained", path, line, name))
    details += [
        AuditDetail("no_function", site.check.path, site.check.line, site.check.check_name)
        for site in sites
        if site.check.function is None
    ]
    details += _bounds(bounds)
    functions = [d.fact for d in program.all_definitions() if isinstance(d.fact, Function)]
    pointed = pointers.count()
    details += _pointers(pointed)
    row = Audit(
        counts["lexical"],
        counts["calls"],
        counts["macros"],
        counts["definitions"],
        counts["declarations"],
        counts["unexplained"],
        len(functions),
        sum(f.error for f in functions),
        pointed.calls,
        pointed.resolved,
    )
    return row, sorted(details, key=lambda d: (d.kind, d.path or "", d.line or 0, d.detail))


def _accounted(program: Program, names: Iterable[str]) -> dict[tuple[str, int, str], list[str]]:
    """Where the facts have each occurrence, by path, line and name."""
    found: dict[tuple[str, int, str], list[str]] = {}
    for name in names:
        for path, line, kind in _occurrences(program, name):
            found.setdefault((path, line, name), []).append(kind)
    return found


def _occurrences(program: Program, name: str) -> Iterator[tuple[str, int, str]]:
    for definition in program.by_name.get(name):
        yield definition.path, definition.line, "definitions"
    for caller, call in program.calls.get(name):
        yield caller.path, caller.item_line + call.line, _kind(caller)
    for macro in program.aliases.get(name):
        yield macro.path, macro.line, "macros"


def _kind(definition: Definition) -> str:
    return "calls" if isinstance(definition.fact, Function) else "macros"


def ambiguous(program: Program, checks: Iterable[SyscallCheck]) -> list[AuditDetail]:
    """The steps of chains that call a name which several files define for all others: one row
    for each name and calling file, where it is called first. To be asked while the program is
    as the checks were found in it."""
    found: dict[tuple[str, str], AuditDetail] = {}
    for check in checks:
        for step, following in pairwise(check.chain):
            key = (following.function, step.path)
            others = program.ambiguous.get(key, ()) if step.edge == "call" else ()
            # A pointer's target may have the same name.
            if others and following.path not in others:
                detail = f"{following.function} of {following.path}, not of {', '.join(others)}"
                row = AuditDetail("ambiguous", step.path, step.line, detail)
                if key not in found or step.line < (found[key].line or 0):
                    found[key] = row
    return [found[key] for key in sorted(found)]


def _pointers(count: Count) -> list[AuditDetail]:
    """How sharply calls through pointers were resolved."""
    mean = count.targets / count.resolved if count.resolved else 0.0
    return [
        AuditDetail(
            "pointer_calls_by_name",
            None,
            None,
            f"{count.by_name} calls, of a member in which functions are stored, through a"
            " receiver of unknown type",
        ),
        AuditDetail(
            "targets_per_call",
            None,
            None,
            f"{mean:.1f} on average, {count.most} at most ({count.widest})",
        ),
    ]


def _bounds(bounds: Bounds) -> list[AuditDetail]:
    """What is cut off is said with the release."""
    told = [
        f"chains of more than {most} steps, {hops} of them through a pointer"
        for hops, most in enumerate(bounds.steps)
    ]
    told.append(f"chains of more than {len(bounds.steps) - 1} pointer steps")
    return [AuditDetail("cut_off", None, None, one) for one in told]
