"""Which functions are checks in a release, and where they are asked.

A few seeds are checks by their nature. A function that passes its own parameter on as
the capability of a check is *plumbing*: a check itself, whose callers are the sites. A
function or macro that does nothing but pass fixed checks on is a *fixed* wrapper, and a
call of it is a site for each of them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import NamedTuple

from caphistory.linking.program import Definition, Program
from caphistory.records import CheckSite, Wrapper
from caphistory.syntax.facts import Call, Function, UidTest
from caphistory.syntax.guards import Expr

# The position of the capability among the arguments; None for a check without one.
# suser and fsuser: 0.95 to 2.4; capable and cap_raised: from 2.1.91; security_capable:
# from 2.6.31, where the primitive moved behind the security modules.
SEEDS: dict[str, int | None] = {
    "suser": None,
    "fsuser": None,
    "capable": 0,
    "cap_raised": 1,
    "ns_capable": 1,
    "security_capable": 2,
}
UID0 = "uid0"
_CAPABILITY = re.compile(r"CAP_[A-Z0-9_]+")


class Meaning(NamedTuple):
    """What one call of a check asks: the check's name, and the capability or, where it is
    not a constant, the argument's text."""

    check_name: str
    capability: str | None
    argument: str | None


class Site(NamedTuple):
    """A check site with the definition that holds it, whether it is conditional, and the
    conditions on that definition's parameters under which it is asked."""

    definition: Definition
    check: CheckSite
    conditional: int
    guards: tuple[Expr, ...]


class Checks:
    """The checks of a release: which names ask, and what for."""

    def __init__(self, program: Program, entries: Collection[Definition] = ()) -> None:
        """``entries`` are the entry functions of system calls."""
        self.program = program
        self.positions = {name: self._seed(name) for name in SEEDS}
        self.fixed: dict[Definition, tuple[Meaning, ...]] = {}
        self._plumbing: dict[Definition, int] = {}
        self._find_plumbing()
        self._drop_mere_requests(entries)
        self._find_fixed()

    def _seed(self, name: str) -> int | None:
        """Where a seed takes the capability: where its definition has a parameter ``cap``
        (security_capable had it first, second or third, from 2.6.29 to 3.0)."""
        for definition in self.program.by_name.get(name):
            if "cap" in definition.parameters():
                return definition.parameters().index("cap")
        return SEEDS[name]

    def is_check(self, definition: Definition) -> bool:
        """Whether a definition is a check itself or a wrapper: what it asks is asked on
        behalf of its callers."""
        return definition.name in SEEDS or definition in self._plumbing or definition in self.fixed

    def definitions(self) -> set[Definition]:
        """All that are a check or a wrapper, as ``is_check`` has it."""
        seeds = {definition for name in SEEDS for definition in self.program.by_name.get(name)}
        return seeds | self._plumbing.keys() | self.fixed.keys()

    def meanings(self, call: Call, caller: Definition) -> tuple[Meaning, ...]:
        """What a call asks; empty if it is no check."""
        if call.pointer:
            return ()
        name = call.target
        if name in self.positions:
            targets = self.program.resolve(name, caller.path)
            if name in SEEDS or any(t in self._plumbing for t in targets):
                return (_meaning(name, self.positions[name], call),)
        if name in self._fixed_names:
            for target in self.program.resolve(name, caller.path):
                if target in self.fixed:
                    return self.fixed[target]
        return ()

    def _find_plumbing(self) -> None:
        """A function is plumbing if it hands one of its parameters to a check as the
        capability: found from the seeds outwards."""
        waiting = [name for name, position in self.positions.items() if position is not None]
        while waiting:
            name = waiting.pop()
            position = self.positions[name]
            for caller, call in self.program.calls.get(name):
                if position is None or position >= len(call.arguments):
                    continue
                handed = call.arguments[position]
                own = _position(caller, handed[1:]) if handed.startswith("$") else None
                if own is None or caller in self._plumbing or caller.name in SEEDS:
                    continue
                if name not in SEEDS and not any(
                    t in self._plumbing for t in self.program.resolve(name, caller.path)
                ):
                    continue
                self._plumbing[caller] = own
                self.positions.setdefault(caller.name, own)
                waiting.append(caller.name)

    def _drop_mere_requests(self, entries: Collection[Definition]) -> None:
        """What user space names a capability to only asks whether a set has it, on behalf of
        no operation (``prctl(PR_CAPBSET_READ, …)``, from 2.6.25 on): an entry function, and
        what nobody calls with a capability of the kernel's own choice, is no plumbing. What
        nobody calls by name is the kernel's own (a security module's ``capable``)."""
        dropped = {d for d in self._plumbing if d in entries}
        while dropped:
            for definition in dropped:
                del self._plumbing[definition]
            dropped = {d for d in self._plumbing if not self._is_asked(d)}
        self.positions = {
            name: position
            for name, position in self.positions.items()
            if name in SEEDS or any(d.name == name for d in self._plumbing)
        }

    def _is_asked(self, definition: Definition) -> bool:
        position = self._plumbing[definition]
        handed = [
            (caller, call.arguments[position])
            for caller, call in self.program.calls.get(definition.name)
            if position < len(call.arguments)
            and definition in self.program.resolve(definition.name, caller.path)
        ]
        return not handed or any(
            caller in self._plumbing or _CAPABILITY.fullmatch(argument.lstrip(":="))
            for caller, argument in handed
        )

    def _find_fixed(self) -> None:
        """Wrappers with a fixed capability: bodies that only relay checks; repeated until
        nothing new is found, as a wrapper may wrap a wrapper."""
        self._fixed_names: set[str] = set()
        waiting = [*sorted(self.positions), UID0]
        while waiting:
            name = waiting.pop(0)
            for definition in self._relaying(name):
                if definition in self.fixed or self.is_check(definition):
                    continue
                found = self._relayed(definition)
                # What is called through a pointer too asks in its own body.
                if found and not self.program.is_stored(definition):
                    self.fixed[definition] = found
                    self._fixed_names.add(definition.name)
                    waiting.append(definition.name)

    def _relaying(self, name: str) -> list[Definition]:
        if name == UID0:
            return [d for d in self.program.testing_uids() if UID0 in d.fact.relays]
        found = [d for d, _ in self.program.calls.get(name) if name in d.fact.relays]
        return found + list(self.program.aliases.get(name))

    def _relayed(self, definition: Definition) -> tuple[Meaning, ...]:
        names = definition.fact.relays or (_alias(definition),)
        found: dict[Meaning, None] = {}
        for name in names:
            if name == UID0:
                found[Meaning(UID0, None, None)] = None
                continue
            meanings = self._meanings_of(name, definition)
            if not meanings:
                return ()
            for meaning in meanings:
                if meaning.check_name in self.positions and meaning.argument is not None:
                    return ()
                found[meaning] = None
        return tuple(found)

    def _meanings_of(self, name: str, definition: Definition) -> tuple[Meaning, ...]:
        calls = [c for c in definition.fact.calls if c.target == name and not c.pointer]
        if calls:
            return tuple(m for call in calls for m in self.meanings(call, definition))
        # "#define permission_check suser": a macro that renames a check.
        position = self.positions.get(name, 0)
        return (Meaning(name, None, None),) if name in self.positions and position is None else ()

    def wrappers(self) -> list[Wrapper]:
        """All wrappers of the release, by name and place."""
        rows = [
            Wrapper(d.name, "plumbing", d.name, None, position, d.path, d.line)
            for d, position in self._plumbing.items()
        ]
        for d, meanings in self.fixed.items():
            rows += [
                Wrapper(d.name, "fixed", m.check_name, m.capability, None, d.path, d.line)
                for m in meanings
            ]
        return sorted(rows, key=lambda row: tuple("" if v is None else str(v) for v in row))

    def names(self) -> set[str]:
        """Every name that asks in this release."""
        return set(self.positions) | self._fixed_names

    def sites(self, blob_ids: Mapping[str, str]) -> list[Site]:
        """All check sites of the program; ``blob_ids`` gives each path's git id."""
        found = []
        for name in sorted(self.names()):
            for definition, call in self.program.calls.get(name):
                if not self.is_check(definition):
                    for meaning in self.meanings(call, definition):
                        found.append(_site(definition, call, meaning, blob_ids))
        for definition in self.program.testing_uids():
            if not self.is_check(definition):
                for test in definition.fact.uid_tests:
                    found.append(_site(definition, test, Meaning(UID0, None, None), blob_ids))
        return sorted(_one_a_line(found), key=lambda site: _order(site.check))


def _one_a_line(sites: list[Site]) -> list[Site]:
    """A check that is asked twice in one line (``current->uid && current->euid``, 0.01) is
    one site; of its two sets of conditions the weaker holds."""
    found: dict[tuple[Definition, CheckSite], Site] = {}
    for site in sites:
        key = (site.definition, site.check)
        known = found.get(key)
        if known is None or (len(site.guards), site.conditional) < (
            len(known.guards),
            known.conditional,
        ):
            found[key] = site
    return list(found.values())


def _order(check: CheckSite) -> tuple[str, int, str, str]:
    return check.path, check.line, check.check_name, check.capability or ""


def _site(
    definition: Definition,
    asked: Call | UidTest,
    meaning: Meaning,
    blob_ids: Mapping[str, str],
) -> Site:
    check = CheckSite(
        definition.path,
        definition.item_line + asked.line,
        definition.name or None,
        meaning.check_name,
        meaning.capability,
        meaning.argument,
        "call" if isinstance(definition.fact, Function) else "macro",
        asked.effect,
        asked.errno or None,
        _joined(definition.condition, asked.condition),
        blob_ids[definition.path],
    )
    return Site(definition, check, asked.conditional, asked.guards)


def _joined(outer: str, inner: str) -> str | None:
    if "0" in (outer, inner):
        return "0"
    return " && ".join(dict.fromkeys(part for part in (outer, inner) if part)) or None


def _meaning(name: str, position: int | None, call: Call) -> Meaning:
    if position is None:
        return Meaning(name, None, None)
    argument = call.arguments[position] if position < len(call.arguments) else ""
    text = argument.lstrip(":$=").replace(">", "->")
    if _CAPABILITY.fullmatch(text):
        return Meaning(name, text, None)
    return Meaning(name, None, text or "?")


def _position(definition: Definition, parameter: str) -> int | None:
    names = definition.parameters()
    return names.index(parameter) if parameter in names else None


def _alias(definition: Definition) -> str:
    fact = definition.fact
    return "" if isinstance(fact, Function) else fact.alias
