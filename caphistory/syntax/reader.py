"""Reads one file: the bytes of a blob in, its facts out.

A file is cut into items (functions, declarations, macros), and each item is read by
itself and kept under a key of its text: neighbouring versions of a file share most
of their items, and an item whose key is known is not read again.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Container
from functools import partial
from hashlib import blake2b
from sys import intern
from typing import Any

from tree_sitter import Node

from caphistory.syntax import bodies, constants, facts, items, macros
from caphistory.syntax.conditionals import (
    Branch,
    Conditions,
    Group,
    Nest,
    condition_text,
    groups,
    selections,
    without_guards,
)
from caphistory.syntax.declarations import declared, parser, structs_in, type_name
from caphistory.syntax.headers import KEYWORDS, parse_header
from caphistory.syntax.initialisers import variables_in
from caphistory.syntax.lexical import Directive, Scan, blanked, scan
from caphistory.syntax.repairs import readable, with_groups, without_attributes
from caphistory.syntax.tables import assembler_functions

# Any name that may be, or hold, a check's name: the lexical count starts from these.
_HINT = re.compile(rb"suser|capable|cap_raised|has_cap|capability")
_WORD = re.compile(rb"\w*")
_INCLUDE = re.compile(rb'#\s*include\s*([<"][^">\n]+)[">]')
_CALLED = re.compile(rb"\s*\(")
_MEMBER = re.compile(rb"(?:->|[\w\])]\s*\.)\s*\Z")
_STORES_NAME = re.compile(rb"[{,:=(]\s*(?:&\s*)?[A-Za-z_]\w*\s*[,})]")
_ATTRIBUTE = re.compile(rb"__attribute__\s*\(\((?:[^()]|\([^()]*\))*\)\)")
_ANNOTATION = re.compile(
    rb"(\b(?:struct|union)\s+\w+[\s*]+\w+\s*(?:\[[^\]]*\]\s*)*|\)\s*)(\b__\w+)(?=\s*=)"
)
_LARGE = 20_000
# A function is read once for each selection of its branches: so many bytes at most, or 16
# times (real ones need less than 15 and 200,000; a mangled file could ask for any number).
_MOST_READ = 8_000_000


def read(source: bytes, known: Container[bytes] = ()) -> tuple[facts.Blob, dict[bytes, facts.Item]]:
    """The facts of a file, and those of its items that are not in ``known``, by key.

    Never fails on any bytes: what cannot be read as C gives no facts, and the lexical
    count (``Blob.mentions``) shows it.
    """
    scanned = scan(source)
    nest = Nest(
        without_guards(groups(scanned.directives, len(source)), scanned.directives, scanned.code)
    )
    placed: list[tuple[int, facts.Placed]] = []
    fresh: dict[bytes, facts.Item] = {}
    same: dict[Any, Any] = {}

    def place(start: int, text: bytes, make: Callable[[], facts.Item], outer: list[Group]) -> None:
        key = blake2b(text, digest_size=12).digest()
        if key not in known and key not in fresh:
            fresh[key] = _shared(make(), same)
        condition = _condition_at(start, outer)
        placed.append((start, facts.Placed(scanned.line(start), condition, key)))

    prototypes = []
    for extent in items.cut(scanned):
        if extent.body is None and _is_prototype(scanned.code, extent):
            prototypes.append(extent)
            code = scanned.code[extent.start : extent.end]
            if macros.used_alone(code):
                place(extent.start, b"u" + code, partial(_use, code), nest.enclosing(extent.start))
            continue
        inner, outer = nest.split(extent.start, extent.end)
        make = _reader(scanned, extent, inner)
        mark = b"f" if extent.body is not None else b"d"
        # Groups that only partly lie in the item change how it is read.
        partly = any(g.start < extent.start or g.end > extent.end for g in inner)
        text = mark + source[extent.start : extent.end]
        context = repr(_moved(inner, -extent.start)).encode() if partly else b""
        place(extent.start, text + context, make, outer)
    for directive in scanned.directives:
        if directive.keyword == "define" and macros.matters(directive.code):
            place(
                directive.start,
                b"m" + directive.code,
                partial(_macro, directive.code),
                nest.enclosing(directive.start),
            )
    placed.sort(key=lambda pair: pair[0])
    blob = facts.Blob(
        tuple(item for _, item in placed),
        _includes(source, scanned.directives),
        _mentions(scanned, prototypes),
        _includes(source, [d for d in scanned.directives if not nest.enclosing(d.start)]),
        constants.defined(scanned.directives, source),
    )
    return blob, fresh


def _shared(fact: Any, known: dict[Any, Any], *, plain: bool = False) -> Any:
    """The same fact with each distinct string once in memory: a release has two million strings
    in its facts, one in seven of them different. What calls hold is once among those ``known``
    too: most calls of a function stand under the same conditions as others. ``plain`` says that
    no record is in a fact, which as a key would be one with a tuple."""
    if type(fact) is str:
        return intern(fact)
    if not isinstance(fact, tuple):
        return fact
    kind = type(fact)
    if plain and fact in known:
        return known[fact]
    inner = plain or kind is facts.Call or kind is facts.UidTest
    parts = [
        intern(part)
        if type(part) is str
        else _shared(part, known, plain=inner)
        if part and isinstance(part, tuple)
        else part
        for part in fact
    ]
    made = tuple.__new__(kind, parts)
    if plain:
        known[made] = made
    return made


def read_assembler(source: bytes) -> tuple[facts.Blob, dict[bytes, facts.Item]]:
    """The facts of an assembler file: what its global labels call."""
    placed: list[facts.Placed] = []
    fresh: dict[bytes, facts.Item] = {}
    for function in assembler_functions(source):
        calls = tuple(
            facts.Call(line - function.line, name, False, (), 1, "unknown", "", "", "")
            for line, name in function.calls
        )
        body = facts.Function(function.name, 0, 0, False, False, (), "", calls, (), (), (), False)
        item = facts.Item(functions=(body,))
        key = blake2b(repr(item).encode(), digest_size=12).digest()
        fresh[key] = item
        placed.append(facts.Placed(function.line, "", key))
    return facts.Blob(tuple(placed), (), ()), fresh


def _moved(found: list[Group], by: int) -> list[Group]:
    """Groups at other offsets."""
    return [
        Group(
            group.start + by,
            group.end + by,
            tuple(
                Branch(b.start + by, b.end + by, b.directive + by, b.facts) for b in group.branches
            ),
        )
        for group in found
    ]


def _condition_at(offset: int, enclosing: list[Group]) -> str:
    found: list[tuple[str, bool]] = []
    for group in enclosing:
        for branch in group.branches:
            if branch.start <= offset < branch.end:
                found.extend(branch.facts)
    return condition_text(found)


def _is_prototype(code: bytes, extent: items.Extent) -> bool:
    text = code[extent.start : extent.end]
    return (
        b"{" not in text
        and b"=" not in text
        and b"(" in text
        and b"(*" not in text.replace(b" ", b"")
    )


def _readings(scanned: Scan, extent: items.Extent, inner: list[Group]) -> list[bytes]:
    """The item's code, once for each selection of branches."""
    code = scanned.code[extent.start : extent.end]
    if not inner:
        return [code]
    readings = []
    for removed in selections(inner, max(16, _MOST_READ // len(code))):
        changed = bytearray(code)
        for start, end in removed:
            low, high = max(start, extent.start) - extent.start, min(end, extent.end) - extent.start
            if low < high:
                changed[low:high] = blanked(code[low:high])
        readings.append(bytes(changed))
    # Under #if 0 may be a brace too many, or no C at all: once more, as if no condition held.
    disabled = any(("0", True) in group.branches[0].facts for group in inner)
    if disabled or any(reading.count(b"{") != reading.count(b"}") for reading in readings):
        readings.append(_bare(code, extent.start, inner))
    return readings


def _bare(code: bytes, base: int, inner: list[Group]) -> bytes:
    """Code without any branch but those of #else."""
    changed = bytearray(code)
    for group in inner:
        otherwise = len(group.branches[-1].facts) < len(group.branches)
        for branch in group.branches[:-1] if otherwise else group.branches:
            low, high = max(branch.start - base, 0), max(branch.end - base, 0)
            changed[low:high] = blanked(code[low:high])
    return bytes(changed)


def _reader(scanned: Scan, extent: items.Extent, inner: list[Group]) -> Callable[[], facts.Item]:
    def make() -> facts.Item:
        conditions = Conditions(inner) if inner else None

        def condition_at(offset: int) -> str:
            return conditions.at(offset + extent.start) if conditions else ""

        readings = _readings(scanned, extent, inner)
        if extent.body is not None:
            return _function(readings, extent.body - extent.start, condition_at)
        return _declaration(readings, condition_at)

    return make


# Functions.


def _function(readings: list[bytes], body: int, condition_at: Callable[[int], str]) -> facts.Item:
    found = bodies.nothing()
    first = None
    error = False
    for code in readings:
        at = body if code[body : body + 1] == b"{" else code.find(b"{")
        header = parse_header(code[:at]) if at >= 0 else None
        if header is None:
            continue
        if header.name in KEYWORDS:
            at, header = 0, header._replace(parameters=(), old_style=b" ")
        one = _body(code, at, header.parameters, header.old_style, condition_at)
        found.add(one)
        error = error or one.error
        if first is None or first[0].name in KEYWORDS:
            first = (header, one, code[: header.name_at].count(b"\n"))
    if first is None:
        return facts.NOTHING
    header, chosen, line = first
    calls, tests, sets = constants.decided(
        found, {parameter.name for parameter in chosen.parameters}
    )
    function = facts.Function(
        # Statements that stand alone under #if 0 belong to no function (ide/pci/generic.c, 2.6).
        "" if header.name in KEYWORDS else header.name,
        line,
        readings[0].count(b"\n"),
        header.static,
        header.inline,
        chosen.parameters,
        header.returns,
        calls,
        tests,
        bodies.in_order(found.flows),
        chosen.relays if len(readings) == 1 else (),
        error,
        sets,
        _handed_on(found),
    )
    return facts.Item(
        functions=(function,),
        structs=bodies.in_order(found.structs),
        stored=bodies.in_order(found.stored),
    )


def _handed_on(found: bodies.Body) -> tuple[facts.Parameter, ...]:
    """The local variables of a type that are arguments of calls."""
    handed = {argument for call in found.calls.values() for argument in call.arguments}
    return tuple(
        facts.Parameter(name, type_)
        for name, type_ in sorted(found.locals.items())
        if "$" + name in handed
    )


def _body(
    code: bytes,
    at: int,
    parameters: tuple[bytes, ...],
    old_style: bytes,
    condition_at: Callable[[int], str],
) -> bodies.Body:
    """Read ``code[at:]``, a braced body, as the body of a function with these parameters."""
    if old_style:
        prefix = b"void f(){" + b" ".join(old_style.split())
        wrapped = prefix + code[at:] + b"}"
    else:
        prefix = b" ".join((b"void f(" + b", ".join(parameters) + b")").split())
        wrapped = prefix + code[at:]
    root = parser().parse(readable(wrapped)).root_node
    reader = bodies.BodyReader(wrapped, at - len(prefix), code[:at].count(b"\n"), condition_at)
    found: tuple[facts.Parameter, ...] = ()
    definition = root.named_children[0] if root.named_child_count else None
    declarator = definition.child_by_field_name("declarator") if definition else None
    listed = declarator.child_by_field_name("parameters") if declarator else None
    if listed is not None:
        found = reader.parameters(listed)
    body = definition.child_by_field_name("body") if definition is not None else None
    for child in root.named_children:
        if body is not None and child.start_byte == root.named_children[0].start_byte:
            reader.visit(body, 0, 0)
        else:
            reader.visit(child, 0, 0)
    if old_style:
        found = tuple(
            facts.Parameter(name, type_) for name, (type_, _) in _old_parameters(reader, old_style)
        )
    relays = _only_return(reader, body) if body is not None else ()
    own = {parameter.name for parameter in found}
    locals_ = {n: t for n, (t, _) in reader.places.locals.items() if t and n not in own}
    return reader.body._replace(
        parameters=found, relays=relays, error=root.has_error, locals=locals_
    )


def _only_return(reader: bodies.BodyReader, body: Node) -> tuple[str, ...]:
    """What a body relays that consists of a single return statement."""
    statements = body.named_children
    if len(statements) != 1 or statements[0].type != "return_statement":
        return ()
    values = statements[0].named_children
    return reader.relays(values[0]) if len(values) == 1 else ()


def _old_parameters(
    reader: bodies.BodyReader, old_style: bytes
) -> list[tuple[str, tuple[str, bool]]]:
    declared = set(re.findall(r"\w+", old_style.decode("latin-1")))
    return [(name, kind) for name, kind in reader.places.locals.items() if name in declared]


# Declarations.


def _without_annotations(code: bytes) -> bytes:
    """Blank what stands between a declarator and its value, which the grammar does not know:
    ``struct ops o __attribute__((unused)) = {`` (2.2), ``struct ops o __initdata = {``."""
    code = with_groups(without_attributes(code))
    if b"__" not in code:
        return code
    return _ANNOTATION.sub(
        lambda found: found.group(1) + b" " * len(found.group(2)), _ATTRIBUTE.sub(_blank, code)
    )


def _blank(found: re.Match[bytes]) -> bytes:
    return bytes(blanked(found.group()))


def _declaration(readings: list[bytes], condition_at: Callable[[int], str]) -> facts.Item:
    structs: dict[str, dict[str, facts.Parameter]] = {}
    typedefs: dict[str, facts.Typedef] = {}
    variables: dict[str, facts.Variable] = {}
    stored: dict[tuple[int, str], facts.Stored] = {}
    for code in readings:
        if len(code) > _LARGE and not _STORES_NAME.search(code):
            continue  # firmware and font tables: large, and no name in them
        code = _without_annotations(code)
        root = parser().parse(code).root_node
        for node in root.named_children:
            for struct in _structs_of(node, code):
                known = structs.setdefault(struct.tag, {})
                for member in struct.members:
                    known.setdefault(member.name, member)
            if node.type == "type_definition":
                for typedef in _typedefs(node, code):
                    typedefs.setdefault(typedef.name, typedef)
            elif node.type == "declaration":
                for offset, one in variables_in(node, code):
                    if isinstance(one, facts.Variable):
                        variables.setdefault(one.name, one)
                    else:
                        stored.setdefault((offset, one.source), one)
    return facts.Item(
        structs=tuple(facts.Struct(tag, tuple(found.values())) for tag, found in structs.items()),
        typedefs=tuple(typedefs.values()),
        variables=tuple(variables.values()),
        stored=bodies.in_order(stored),
    )


def _structs_of(node: Node, code: bytes) -> list[facts.Struct]:
    specifier = node
    name = ""
    if node.type in ("declaration", "type_definition"):
        inner = node.child_by_field_name("type")
        if inner is None:
            return []
        specifier = inner
        declarator = node.child_by_field_name("declarator")
        found = declared(declarator, code) if declarator is not None else None
        name = found.name if found else ""
    if specifier.type not in ("struct_specifier", "union_specifier"):
        return []
    return structs_in(specifier, code, name)


def _typedefs(node: Node, code: bytes) -> list[facts.Typedef]:
    specifier = node.child_by_field_name("type")
    result = []
    for declarator in node.children_by_field_name("declarator"):
        found = declared(declarator, code)
        if found is None:
            continue
        # A struct without a tag is known by the typedef's own name.
        type_ = "()" if found.pointer_to_function else type_name(specifier, code)
        if type_ and type_ != found.name:
            result.append(facts.Typedef(found.name, type_))
    return result


def _macro(code: bytes) -> facts.Item:
    macro = macros.macro(code)
    return facts.NOTHING if macro is None else facts.Item(macros=(macro,))


def _use(code: bytes) -> facts.Item:
    return facts.Item(stored=(facts.Stored(0, "", "", (), macros.used_alone(code)),))


# The file as a whole.


def _includes(source: bytes, directives: list[Directive]) -> tuple[str, ...]:
    found = []
    for directive in directives:
        if directive.keyword == "include":
            match = _INCLUDE.match(source, directive.start)
            if match:
                found.append(match.group(1).decode("latin-1"))
    return tuple(dict.fromkeys(found))


def _mentions(scanned: Scan, prototypes: list[items.Extent]) -> tuple[tuple[int, str, str], ...]:
    found = []
    starts = [extent.start for extent in prototypes]
    for at, name, called in _named(scanned.code):
        kind = "call" if called else "name"
        before = bisect_right(starts, at) - 1
        if called and before >= 0 and at < prototypes[before].end:
            kind = "declaration"
        found.append((scanned.line(at), name, kind))
    for directive in scanned.directives:
        if directive.keyword in ("define", "if", "elif"):
            for at, name, called in _named(directive.code):
                line = scanned.line(directive.start + at)
                found.append((line, name, "call" if called else "name"))
    return tuple(sorted(found))


def _named(code: bytes) -> list[tuple[int, str, bool]]:
    """Offset and name of each mention, and whether the name itself is called: a member of
    that name is another thing (``security_ops->capable(…)``, 2.6)."""
    found = []
    end = 0
    for hint in _HINT.finditer(code):
        if hint.start() < end:
            continue  # twice in one name: has_capability
        start = _word_start(code, hint.start(), end)
        end = _WORD.match(code, hint.end()).end()  # type: ignore[union-attr]
        called = _CALLED.match(code, end) and not _MEMBER.search(code, max(0, start - 40), start)
        found.append((start, code[start:end].decode("latin-1"), bool(called)))
    return found


def _word_start(code: bytes, at: int, earliest: int) -> int:
    while at > earliest and (code[at - 1 : at].isalnum() or code[at - 1] == 0x5F):
        at -= 1
    return at
