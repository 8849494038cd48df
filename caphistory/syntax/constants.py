"""What of a function a caller's constants can decide: its guards, and the values that it sets."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache

from caphistory.syntax import guards
from caphistory.syntax.bodies import Body, in_order
from caphistory.syntax.declarations import parser
from caphistory.syntax.facts import Call, UidTest
from caphistory.syntax.guards import Expr
from caphistory.syntax.lexical import Directive

Set = tuple[str, Expr]

_DEFINE = re.compile(rb"\s*#\s*define\s+([A-Z_][A-Z0-9_]*(?:\([a-z_, ]+\))?)(?![\w(])[ \t]*")
_PLAIN = re.compile(rb"[\w\s()|&~<>+*^',-]{1,200}")
_COMMENT = re.compile(rb"/\*.*?\*/|//.*", re.S)
_LETTER = re.compile(rb"'[^'\\\n]'")
# Lists of a graphics chip's registers (5.x, 6.x): no call takes such a constant.
_MOST = 500_000


def defined(directives: Iterable[Directive], source: bytes) -> bytes:
    """The constants that a file defines as macros, one in a line: the name with its parameters,
    a tab and its body; no body where it is no expression that ``constant`` reads."""
    lines = []
    for directive in directives:
        if directive.keyword == "define":
            head = _DEFINE.match(directive.code)
            if head is not None:
                text = _with_letters(directive, source)
                body = b" ".join(text[head.end() :].split())
                name = head.group(1).replace(b" ", b"")
                lines.append(name + b"\t" + (body if _PLAIN.fullmatch(body) else b""))
    found = b"\n".join(lines)
    return found if len(found) <= _MOST else b""


def _with_letters(directive: Directive, source: bytes) -> bytes:
    """A directive's code with the letters that stand in it: ``_IO('M', 3)``."""
    text = source[directive.start : directive.start + len(directive.code)]
    if b"'" not in text:
        return directive.code
    code = bytearray(directive.code)
    text = _COMMENT.sub(lambda found: b" " * len(found.group()), text)
    for found in _LETTER.finditer(text):
        code[found.start() : found.end()] = found.group()
    return bytes(code)


def definitions(text: bytes) -> Iterator[tuple[str, list[str], str]]:
    """Name, parameters and body of each constant in what ``defined`` returns."""
    for line in text.decode("latin-1").split("\n"):
        head, _, body = line.partition("\t")
        name, _, listed = head.partition("(")
        yield name, listed.rstrip(")").split(",") if listed else [], body


def constant(body: str) -> Expr:
    """The body of a macro as an expression."""
    code = b"int x = " + body.encode("latin-1") + b";"
    root = parser().parse(code).root_node
    declaration = root.named_children[0] if root.named_child_count == 1 else None
    declarator = declaration.child_by_field_name("declarator") if declaration else None
    value = declarator.child_by_field_name("value") if declarator else None
    if value is None or root.has_error:
        return guards.UNKNOWN
    return guards.expression(value, code, ())


def decided(
    found: Body, parameters: set[str]
) -> tuple[tuple[Call, ...], tuple[UidTest, ...], tuple[Set, ...]]:
    """Calls and tests with that of their guards alone which a caller's constants can decide,
    and the values of variables that a callee can see.

    A variable that is set once stands for its value (``ia_valid = attr->ia_valid``), a
    parameter to which flags are added for what it may then be; whatever else is not a
    parameter or a member of one is unknown.
    """
    values: dict[str, list[Expr]] = {}
    for place, value in in_order(found.sets):
        values.setdefault(place, []).append(value)
    stands: dict[str, Expr] = {}
    users: dict[str, list[Expr]] = {}
    for one in sorted(found.handed):
        place, sign, user = one.partition("@")
        if sign:
            users.setdefault(place, []).append("@" + user)
    for place, all_ in values.items():
        own = place[1:].partition(">")[0] in parameters
        if own:
            stands[place] = _changed(place, [place, *all_])
        elif ">" not in place:
            stands[place] = _unless(_changed(place, all_), users.get(place, []))

    for place in found.handed:
        if place[0] == "&":
            stands["$" + place[1:]] = guards.UNKNOWN
    # Of a pointer that is set to another one the members are not the caller's.
    followed = {name for name in parameters if stands.get("$" + name) != guards.UNKNOWN}

    @cache
    def decide(conditions: tuple[Expr, ...]) -> tuple[Expr, ...]:
        parts = (guards.known_part(one, stands, followed) for one in conditions)
        return tuple(dict.fromkeys(part for part in parts if guards.leaves(part)))

    once = {
        place: value
        for place, value in stands.items()
        if value != guards.UNKNOWN or place[1:].partition(">")[0] in parameters
    }

    def settled(call: Call) -> Call:
        known = decide(call.guards) if call.guards else ()
        passes = call.passes
        if once:
            passes = tuple([guards.substitute(one, once) for one in passes])
        same = known == call.guards and passes == call.passes
        return call if same else call._replace(guards=known, passes=passes)

    calls = tuple([settled(call) for call in in_order(found.calls)])
    tests = tuple(test._replace(guards=decide(test.guards)) for test in in_order(found.uid_tests))
    locals_ = {place: value for place, value in once.items() if ">" not in place}
    sets = tuple(
        (place, guards.substitute(value, locals_))
        for place, all_ in values.items()
        if ">" in place
        for value in all_
    )
    return calls, tests, sets


def _changed(place: str, values: list[Expr]) -> Expr:
    """What a variable may be that is set to one value and then only has flags added or taken
    away; unknown for any other."""
    plain = [value for value in values if not _changes(place, value)]
    if len(plain) != 1:
        return guards.UNKNOWN
    found = plain[0]
    for value in values:
        if isinstance(value, tuple) and _changes(place, value):
            found = ("&", found, guards.UNKNOWN) if value[0] == "&" else ("|?", found, value[2])
    return found


def _unless(value: Expr, users: list[Expr]) -> Expr:
    """A value that holds unless one of those that the variable is handed to is a macro."""
    if value == guards.UNKNOWN or not users:
        return value
    return ("unless", value, *users) if len(users) <= _MOST_USERS else guards.UNKNOWN


_MOST_USERS = 6


def _changes(place: str, value: Expr) -> bool:
    return isinstance(value, tuple) and value[0] in ("&", "|") and value[1] == place
