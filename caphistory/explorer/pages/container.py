"""The container page: what a set of capabilities cannot do on a release, and how to mend it.

The address holds the whole state; a pasted file is read here, shown, and kept nowhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from caphistory.errors import UsageError
from caphistory.explorer.evidence import rank
from caphistory.explorer.pages.page import Asked, Page, Redirect
from caphistory.explorer.requirements import OWN, list_instead
from caphistory.questions.containers import (
    ALL,
    DOCKER,
    NONE,
    RUNTIMES,
    CapabilitySet,
    containers_in,
    list_runtimes,
    make_given,
    make_set,
)
from caphistory.questions.containers.recognising import KINDS
from caphistory.questions.containers.runtimes import combine_set, list_held
from caphistory.questions.descriptions import read_descriptions
from caphistory.questions.names import newest_release, resolve_capability
from caphistory.records import Row, capability_name
from caphistory.wording.phrases import format_count

_PARAMETERS = ("base", "drop", "add", "userns", "release")
"""What an address may say, so that another's (the question ``container`` has ``dropped``) is not
passed over."""

_OF_THE_FORM = ("file", "shown", "cap", "table")
"""What the form sends besides, and which table of the page is asked for as data."""

_MASK = re.compile(r"(0x)?[0-9a-f]{8,16}", re.IGNORECASE)
#: How much is told of a capability before the rest is folded.
_MOST_OPERATIONS = 3
_MOST_ERRORS = 2
_MOST_SYSCALLS = 8


class State(NamedTuple):
    """What the address says: a base set, what is dropped and added, and whether the container has a
    user namespace of its own."""

    base: str
    drop: tuple[str, ...]
    add: tuple[str, ...]
    userns: bool


class Lost(NamedTuple):
    """A syscall that lacks a capability: under which operations, how many more there are, whether
    also by a way that depends on none, and what happens then; ``row`` is the best evidence."""

    syscall: str
    operations: list[str]
    more: int
    any: bool
    effect: str
    row: Row


class Loss(NamedTuple):
    """A capability that is missing, and what comes of it. ``never`` says that no runtime can grant
    it in a user namespace."""

    capability: str
    permits: str
    refused: list[Lost]
    limited: list[Lost]
    unknown: list[Lost]
    shared: list[str]
    never: bool


class Found(NamedTuple):
    """What a pasted file describes, by the rules of one runtime, with the address that shows it."""

    name: str
    runtime: str
    address: str
    remarks: tuple[str, ...]
    refused: str
    state: State


def container(asked: Asked) -> Page | Redirect:
    """Return the page of the set of capabilities that the address names."""
    release = asked.release("release") or newest_release(asked.connection)
    defined = asked.ask("capability_list", release=release)
    names = [str(row["capability"]) for row in defined]
    numbers = {row["number"]: str(row["capability"]) for row in defined}
    text = asked.given("file")
    found = _read_file(asked, text, names, numbers) if text else []
    state = found[0].state if found else _read_state(asked, names)
    if not text and asked.given("shown"):
        return Redirect(_make_address(asked, state))
    held = _list_held(state, names)
    every = asked.ask("requirement_cells", release=release, abi=asked.abi)
    rows = [row for row in every if row["privilege"] in numbers.values()]
    lost = [row for row in rows if _is_lost(row, held, state.userns)]
    losses = make_losses(lost, state.userns)
    table = asked.ask("known_syscalls", release=release, abi=asked.abi)
    return Page(
        "container",
        "What this container cannot do",
        # What was pasted is in no address, so there is none that gives this as data.
        {} if text else {"lost": lost, "held": [{"capability": name} for name in held]},
        {
            "release": release,
            "releases": asked.ask("release_list"),
            "abi": table[0]["abi"] if table else "",
            "syscalls": len(table),
            "state": state,
            "bases": [*RUNTIMES, NONE, ALL],
            "boxes": names,
            "held": held,
            "permits": {name: one.permits for name, one in read_descriptions().items()},
            "found": found,
            "kinds_of_file": KINDS,
            "losses": losses,
            "most": _MOST_SYSCALLS,
            "summary": _summarise(lost),
            "saved": sorted(
                {
                    str(row["syscall"])
                    for row in rows
                    if _is_missing(row["privilege"], row, held, state.userns)
                    and not _is_lost(row, held, state.userns)
                }
            ),
            "mend": _mend(state.base),
            "address": _make_address(asked, state),
        },
        f"What a container with {format_count(len(held), 'capability')} cannot do on Linux"
        f" {release}.",
    )


def _read_state(asked: Asked, names: Sequence[str]) -> State:
    """Return the state of the address; a form that was sent says by its boxes what is dropped from
    and added to the set that it showed."""
    for name in asked.query:
        if name not in (*_PARAMETERS, *_OF_THE_FORM):
            raise UsageError(f"no parameter {name!r}; there are: {', '.join(_PARAMETERS)}")
    base = (asked.given("base") or DOCKER).lower()
    if base not in (*RUNTIMES, ALL, NONE):
        raise UsageError(f"no base {base!r}; there are: {', '.join([*RUNTIMES, ALL, NONE])}")
    userns = asked.given("userns") is not None
    shown = asked.given("shown")
    if shown is None:
        return State(base, _read_names(asked, "drop"), _read_names(asked, "add"), userns)
    if shown != base:
        return State(base, (), (), userns)
    return _find_state(_read_names(asked, "cap"), base, names, userns)


def _read_names(asked: Asked, parameter: str) -> tuple[str, ...]:
    return tuple(
        "ALL"
        if text.strip().upper() == "ALL"
        else resolve_capability(asked.connection, capability_name(text))
        for text in (asked.given(parameter) or "").split(",")
        if text.strip()
    )


def _list_held(state: State, names: Sequence[str]) -> list[str]:
    return list_held(combine_set(make_set(state.base), state.add, state.drop), names)


def _make_address(asked: Asked, state: State) -> str:
    def short(names: Iterable[str]) -> str:
        return ",".join(name.removeprefix("CAP_") for name in names)

    return asked.addresses.page(
        "container",
        base=state.base,
        drop=short(state.drop),
        add=short(state.add),
        userns="1" if state.userns else None,
        release=asked.given("release"),
    )


def _read_file(
    asked: Asked, text: str, names: Sequence[str], numbers: Mapping[int, str]
) -> list[Found]:
    """Return what a pasted text describes: a mask, or the containers of a file."""
    if _MASK.fullmatch(text.strip()):
        held = list_held(make_set(text.strip(), names=numbers), names)
        state = _find_state(held, NONE, names, asked.given("userns") is not None)
        return [Found("the mask", "", _make_address(asked, state), (), "", state)]
    found = []
    for one in containers_in(text):
        for runtime in list_runtimes(one):
            given = make_given(one, runtime, numbers)
            effective: CapabilitySet = given.effective
            held = list_held(effective, names)
            base = runtime if runtime in RUNTIMES else NONE
            state = _find_state(held, base, names, one.userns)
            found.append(
                Found(
                    one.name or "the container",
                    runtime,
                    _make_address(asked, state),
                    given.remarks,
                    given.refused,
                    state,
                )
            )
    return found


def _find_state(held: Sequence[str], base: str, names: Sequence[str], userns: bool) -> State:
    """Return the state with the set ``held``, told from ``base``."""
    if set(held) == set(names):
        return State(ALL, (), (), userns)
    given = _list_held(State(base, (), (), userns), names)
    dropped = tuple(name for name in given if name not in held)
    if len(dropped) > len(held):
        return State(base, ("ALL",), tuple(name for name in names if name in held), userns)
    return State(base, dropped, tuple(n for n in names if n in held and n not in given), userns)


def _is_missing(privilege: str, row: Row, held: Sequence[str], userns: bool) -> bool:
    """Whether a container lacks a privilege where a row asks for it: what is held in a user
    namespace of its own counts for nothing in the first one."""
    return privilege not in held or (userns and row["namespace"] == "init")


def _is_lost(row: Row, held: Sequence[str], userns: bool) -> bool:
    wanted = [str(row["privilege"]), *list_instead(row)]
    return all(_is_missing(name, row, held, userns) for name in wanted)


def make_losses(rows: Iterable[Row], userns: bool) -> list[Loss]:
    """Return what is lost by capability, the one that most syscalls refuse for first."""
    of_capability: dict[str, list[Row]] = {}
    for row in rows:
        of_capability.setdefault(str(row["privilege"]), []).append(row)
    descriptions = read_descriptions()
    losses = []
    for name, group in of_capability.items():
        own = [row for row in group if row["standing"] == OWN]
        by_effect = {
            effect: _list_lost([row for row in own if row["effect"] == effect])
            for effect in ("deny", "limit", "unknown")
        }
        told = {str(row["syscall"]) for row in own}
        losses.append(
            Loss(
                name,
                descriptions[name].permits if name in descriptions else "",
                by_effect["deny"],
                by_effect["limit"],
                by_effect["unknown"],
                sorted({str(row["syscall"]) for row in group} - told),
                userns and all(row["namespace"] == "init" for row in group),
            )
        )
    return sorted(
        losses, key=lambda loss: (-len(loss.refused), -len(loss.limited), loss.capability)
    )


def _list_lost(rows: Iterable[Row]) -> list[Lost]:
    of_syscall: dict[str, list[Row]] = {}
    for row in rows:
        of_syscall.setdefault(str(row["syscall"]), []).append(row)
    lost = []
    for syscall, group in of_syscall.items():
        listed = sorted({str(row["operation"]) for row in group} - {""})
        errors = list(dict.fromkeys(str(row["errno"]) for row in group if row["errno"]))
        lost.append(
            Lost(
                syscall,
                listed[:_MOST_OPERATIONS],
                max(0, len(listed) - _MOST_OPERATIONS),
                any(not row["operation"] for row in group),
                ", ".join(errors[:_MOST_ERRORS]) + (" …" if len(errors) > _MOST_ERRORS else ""),
                min(group, key=rank),
            )
        )
    return sorted(lost, key=lambda one: (rank(one.row), one.row["depth"], one.syscall))


def _summarise(rows: Iterable[Row]) -> dict[str, int]:
    """Count the syscalls by the worst that happens to them: refused, refused under some
    operations only, going on with less, and those touched in shared code alone."""
    worst: dict[str, str] = {}
    order = ["entirely", "partly", "limited", "unknown", "shared"]
    for row in rows:
        if row["standing"] != OWN:
            now = "shared"
        elif row["effect"] == "deny":
            now = "partly" if row["operation"] else "entirely"
        else:
            now = "limited" if row["effect"] == "limit" else "unknown"
        known = worst.get(str(row["syscall"]), now)
        worst[str(row["syscall"])] = min(known, now, key=order.index)
    counts = list(worst.values())
    return {name: counts.count(name) for name in order}


def _mend(base: str) -> str:
    """Return how the runtime is told to add a capability, with ``{}`` for its name."""
    if base in ("containerd", "cri-o"):
        return 'securityContext: {{capabilities: {{add: ["{}"]}}}}'
    return "--cap-add {}"
