"""How places are written (see ``facts``): put together, and taken apart again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

# Where macros paste names together ("show_##name"), as a name can hold it.
PASTE = "__cat__"
_LONGEST = 300


def use(name: str, arguments: Sequence[str]) -> str:
    """The place that a call of ``name`` returns, with the places of its arguments:
    ``READ_ONCE(struct sock/ops)``."""
    listed = ",".join(argument.replace(">", "/") for argument in arguments)
    plain = not any(arguments) or len(listed) > _LONGEST
    return f"{name}()" if plain else f"{name}({listed})"


def used(place: str) -> tuple[str, list[str]] | None:
    """The name and the arguments of such a place; None for another one."""
    if not place.endswith(")"):
        return None
    name, _, listed = place[:-1].partition("(")
    arguments = [""]
    depth = 0
    for character in listed:
        if character == "," and not depth:
            arguments.append("")
            continue
        depth += (character == "(") - (character == ")")
        arguments[-1] += ">" if character == "/" and not depth else character
    return name, arguments


def as_use(source: str) -> str:
    """A name that a macro makes (``:DRM(open)``) as the use of that macro; any other place
    as it is."""
    if not (source.startswith(":") and source.endswith(")")):
        return source
    name, _, argument = source[1:-1].partition("(")
    return use(name, [":" + argument])


def split(place: str) -> tuple[str, list[str]]:
    """A place's first part, and the members behind it."""
    parts = place.split(">")
    return parts[0], parts[1:]


RETURNED = "$()"
"""Where what functions return meets, whatever they are called."""


def meeting(place: str) -> str:
    """A place's last part: the key under which places meet that may be the same."""
    last = place.rpartition(">")[2] or "?"
    return RETURNED if last[-1] == ")" and last[0] != ":" else last


def names(place: str) -> bool:
    """Whether a place is a name from outside functions, and no more."""
    return place.startswith(":") and ">" not in place


def filled(place: str, values: Mapping[str, str], types: Mapping[str, str]) -> str:
    """A place in a macro as it is where the macro is used; empty where nobody can tell.
    ``values`` are the arguments by the names of the macro's parameters; ``types`` those that
    are variables of the user's, by what they are."""
    base, members = split(place)
    call = used(base)
    if call is not None:
        inner = {**values, **types}
        base = use(named(call[0], values), [filled(one, inner, inner) for one in call[1]])
    elif base.startswith("$"):
        known = types.get(base[1:], "") if members else ""
        base = known or values.get(base[1:], "")
    elif base.startswith(":"):
        base = ":" + named(base[1:], values)
    elif base in values:
        base = values[base].removeprefix(":")  # "(type *) p", where type is a parameter
    if not base:
        return ""
    return ">".join((base, *(named(member, values) for member in members)))


def named(name: str, values: Mapping[str, str]) -> str:
    """A name in a macro, in which parameters may stand for names or parts of them."""
    pieces = []
    for piece in name.split(PASTE):
        value = values.get(piece, "")
        pieces.append(value[1:] if value[:1] in (":", "$") and ">" not in value else piece)
    return "".join(pieces)
