"""Find which options of a release's Kconfig a kernel with one ABI can have."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import NamedTuple

from caphistory.indexing.makefiles import OPTIONS_OFF

_CONTINUED = re.compile(r"\\\n")
_TOKEN = re.compile(r'&&|\|\||!=|<=|>=|[=<>!()]|"[^"]*"|\$\([^)]*\)|[\w./-]+')
_COMPARING = frozenset(("=", "!=", "<", "<=", ">", ">="))
_COMMENT = re.compile(r"\s#.*")
_WORD = re.compile(r"---help---|\w+")
_SOURCE = re.compile(r'"?([\w./-]+)"?')
_ON = re.compile(r"on\b\s*")
_BLOCKS = frozenset(("if", "menu", "choice"))
_BEGINNING = _BLOCKS | {
    *("config", "menuconfig", "comment", "source", "endif", "endmenu", "endchoice")
}
_END = ("endmenu", "")
_DEPENDING = frozenset(("depends", "requires"))
_HELP = frozenset(("help", "---help---"))
_TYPES = frozenset(("bool", "boolean", "tristate", "string", "int", "hex", "prompt"))
_SELECTING = frozenset(("select", "imply", "enable"))

Term = tuple["Term", ...] | str
"""A condition: an option, or ``("!", x)``, ``("&&", x, y)``, ``("||", x, y)``; ``"?"`` for what is
not looked into."""


class Option(NamedTuple):
    """One definition of an option: the conditions around it and those that it depends on, whether a
    user or a default may set it, and what it selects, each with the condition for that."""

    name: str
    needs: tuple[str, ...]
    free: bool
    selects: tuple[tuple[str, str], ...]


def read_options(kconfig: str) -> tuple[list[Option], set[str]]:
    """The definitions in a Kconfig file, and the paths of the files that it includes.

    What stands around a line that includes another file is not looked at: an option of that may
    seem to need less than it does.
    """
    options, sources = list[Option](), set[str]()
    around: list[list[str]] = []
    name, needs, free = "", list[str](), False
    selects = list[tuple[str, str]]()
    for word, rest in (*_statements(kconfig), _END):
        if word in _BEGINNING:
            if name:
                options.append(Option(name, tuple(needs), free, tuple(selects)))
            name, selects, free = "", [], False
            needs = [condition for block in around for condition in block]
            if word.endswith("config"):
                name = rest
            elif word.startswith("end"):
                del around[-1:]
            elif word == "source" and (included := _SOURCE.fullmatch(rest)):
                sources.add(included[1])
            elif word in _BLOCKS:
                # What a menu depends on stands behind its name, before what is in it.
                needs = [rest] if word == "if" else []
                around.append(needs)
        elif word in _DEPENDING:
            # Newer ones depend on something only if something else is there.
            needs += [_ON.sub("", rest)] if " if " not in rest else []
        elif word in _SELECTING:
            selected, _, condition = rest.partition(" if ")
            selects.append((selected.strip(), condition))
        else:
            free |= word.startswith("def_") or word == "default" or (word in _TYPES and rest != "")
    return options, sources


def _statements(kconfig: str) -> Iterator[tuple[str, str]]:
    """The first word of each line and the rest of it, without comments and texts of help."""
    helping: int | None = None
    begins = False
    for line in _CONTINUED.sub(" ", kconfig).expandtabs().splitlines():
        text = line.strip()
        depth = len(line) - len(line.lstrip())
        if not text:
            continue
        if begins:
            helping, begins = depth or None, False
        if helping is not None and depth >= helping:
            continue
        helping = None
        if found := _WORD.match(text):
            begins = found[0] in _HELP
            yield found[0], _COMMENT.sub("", text[found.end() :]).strip()


def possible_options(options: Iterable[Option], abi: str) -> set[str]:
    """Return the names of the options that some kernel with an ABI has: those that nothing excludes
    for sure. CONFIG_CXLFLASH needs PPC, which no Kconfig for x86 defines."""
    off = {name.removeprefix("CONFIG_") for name in OPTIONS_OFF[abi]}
    others = (names for other, names in OPTIONS_OFF.items() if other != abi)
    on = {name.removeprefix("CONFIG_") for names in others for name in names}
    by_name: dict[str, list[Option]] = {}
    selected: dict[str, list[tuple[str, str]]] = {}
    users: dict[str, set[str]] = {}
    for option in options:
        by_name.setdefault(option.name, []).append(option)
        for need in option.needs:
            for name in _names(_term(need)):
                users.setdefault(name, set()).add(option.name)
        for name, condition in option.selects:
            selected.setdefault(name, []).append((option.name, condition))
            for one in (option.name, *_names(_term(condition))):
                users.setdefault(one, set()).add(name)
    possible = by_name.keys() - off

    def may_be(condition: str) -> bool:
        return not condition or _values(_term(condition), possible, on)[0]

    def is_possible(name: str) -> bool:
        free = (one for one in by_name[name] if one.free)
        return any(all(map(may_be, one.needs)) for one in free) or any(
            one in possible and may_be(condition) for one, condition in selected.get(name, ())
        )

    asked = set(possible)
    while asked:
        gone = {name for name in asked if not is_possible(name)}
        possible -= gone
        asked = {user for name in gone for user in users.get(name, ())} & possible
    return possible


def _values(term: Term, possible: set[str], on: set[str]) -> tuple[bool, bool]:
    """Whether a condition may hold, and whether it may not."""
    if isinstance(term, str):
        return term in possible or term in ("?", "y", "m"), term not in on and term not in (
            "y",
            "m",
        )
    head, *sides = term
    found = [_values(side, possible, on) for side in sides]
    if head == "!":
        return found[0][::-1]
    every, some = (all, any) if head == "&&" else (any, all)
    return every(holds for holds, _ in found), some(fails for _, fails in found)


def _names(term: Term) -> Iterator[str]:
    if isinstance(term, str):
        yield term
    else:
        for side in term[1:]:
            yield from _names(side)


@cache
def _term(condition: str) -> Term:
    tokens = _TOKEN.findall(condition)[::-1]
    return _side(tokens, ("||", "&&"))


def _side(tokens: list[str], signs: tuple[str, ...]) -> Term:
    """Read from the end of ``tokens`` what these signs and those behind them join."""
    if not signs:
        return _operand(tokens)
    found = _side(tokens, signs[1:])
    while tokens and tokens[-1] == signs[0]:
        tokens.pop()
        found = (signs[0], found, _side(tokens, signs[1:]))
    return found


def _operand(tokens: list[str]) -> Term:
    if not tokens:
        return "?"
    token = tokens.pop()
    found: Term = token
    if token == "!":
        return ("!", _operand(tokens))
    if token == "(":
        found = _side(tokens, ("||", "&&"))
        if tokens:
            tokens.pop()
    if tokens and tokens[-1] in _COMPARING:
        del tokens[-2:]
        return "?"
    return "?" if token.startswith(('"', "$")) else found
