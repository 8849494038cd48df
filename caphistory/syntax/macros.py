"""Reads macros: what they call, test and store, and the place that they denote."""

from __future__ import annotations

import re
from collections.abc import Collection

from tree_sitter import Node

from caphistory.syntax import bodies, constants
from caphistory.syntax.declarations import parser
from caphistory.syntax.facts import Flow, Macro, Stored
from caphistory.syntax.headers import split_arguments
from caphistory.syntax.initialisers import initialiser, variables_in
from caphistory.syntax.lexical import without_sparse
from caphistory.syntax.notation import PASTE, as_use, names, split, use, used
from caphistory.syntax.places import AUTO
from caphistory.syntax.repairs import readable

_DEFINE = re.compile(rb"\s*#\s*define\s+([A-Za-z_]\w*)(\([^)]*\))?")
_HAS_CALL = re.compile(rb"\b[A-Za-z_]\w*\s*[([]|->|\w\.\w")
_ALIAS = re.compile(rb"\(?\s*([A-Za-z_]\w*)\s*\)?")
_LIST = re.compile(rb"\s*\{.*[a-z_]\w*\s*[,}]", re.S)
# LSM_HOOK_INIT (from 4.2 on): both the member and what it holds are parameters.
_MEMBER = re.compile(r"\.\s*(\w+)\s*=\s*(\w+)\s*[,}]")
_DECLARATION = re.compile(
    rb"\s*(?:(?:static|const)\s+)*(?:struct|union)\s+\w+\s+(?:const\s+)?\w+[^=;({]*=", re.S
)
_ALONE = re.compile(rb"\s*(?:(?:static|const)\s+)*([A-Z][A-Z0-9_]*)\s*\(([^\"]*)\)\s*;", re.S)
_NAME = re.compile(rb"&?\s*([A-Za-z_]\w*)")
_TYPEOF = re.compile(rb"\b\w*typeof(?:__)?\s*\(")
_CAST_BEFORE = re.compile(rb"\(\s*(?:(?:const|volatile)\s+)*$")
_CAST_AFTER = re.compile(rb"[\w\s*]*\)")


def matters(code: bytes) -> bool:
    """Whether a macro can be more than a constant: most of a kernel's macros are register
    numbers, which hold no fact."""
    head = _DEFINE.match(code)
    if head is None:
        return False
    body = code[head.end() :]
    patterns = (_HAS_CALL.search, _ALIAS.fullmatch, _LIST.match, _DECLARATION.match)
    return any(pattern(body.strip()) for pattern in patterns)


def used_alone(code: bytes) -> str:
    """The use of a macro that stands where a declaration does and is handed a function:
    ``static DEVICE_ATTR(name, S_IRUGO, show_name, NULL);``; empty for anything else."""
    found = _ALONE.fullmatch(code)
    if found is None:
        return ""
    arguments = split_arguments(found.group(2))
    given = [one.group(1) if (one := _NAME.fullmatch(a)) else b"" for a in arguments]
    if len(arguments) < 2 or not any(one and not one.isupper() for one in given):
        return ""
    listed = [":" + one.decode("latin-1") if one else "" for one in given]
    return use(found.group(1).decode("latin-1"), listed)


def macro(code: bytes) -> Macro | None:
    """The facts of a ``#define``; None for what is none."""
    head = _DEFINE.match(code)
    if head is None:
        return None
    listed = head.group(2)
    parameters = (
        None
        if listed is None
        else tuple(p.decode("latin-1") for p in split_arguments(listed[1:-1]))
    )
    body = without_sparse(code[head.end() :])
    alias = _ALIAS.fullmatch(body.strip())
    row = code[: head.end()].count(b"\n")
    text = _without_typeof(_pasted(body))
    wrapped = b"void f(){" + text + b"\n;}"
    root = parser().parse(readable(wrapped)).root_node
    known = {name: ("$" + name, True) for name in parameters or ()}
    reader = bodies.BodyReader(wrapped, 0, row, lambda _: "", known)
    reader.visit(root, 0, 0)
    expression = _expression_of(root)
    calls, tests, _ = constants.decided(reader.body, set(parameters or ()))
    return Macro(
        head.group(1).decode("latin-1"),
        parameters,
        calls,
        tests,
        reader.relays(expression) if expression is not None else (),
        alias.group(1).decode("latin-1") if alias else "",
        reader.places.typed(reader.places.place(expression)) if expression is not None else "",
        tuple(f for f in bodies.in_order(reader.body.flows) if _told(f, known)),
        tuple(_of_parameters(one, known) for one in _stored(text, row, known)),
    )


def _pasted(body: bytes) -> bytes:
    """A macro's body with its pasted names as names; ``, ## args`` hands arguments on."""
    if b"##" not in body:
        return body
    body = re.sub(rb",[ \t]*##", b",", body)
    return re.sub(rb"[ \t]*##[ \t]*", PASTE.encode(), body)


def _without_typeof(body: bytes) -> bytes:
    """A macro's body without casts to ``typeof(…)``, and with variables of that type as those
    of their value's, which is the same."""
    at = 0
    while found := _TYPEOF.search(body, at):
        end = _closing(body, found.end())
        if end < 0:
            break
        before = _CAST_BEFORE.search(body, 0, found.start())
        after = _CAST_AFTER.match(body, end)
        if before and after:
            body = body[: before.start()] + b" " + body[after.end() :]
            at = before.start()
        else:
            body = body[: found.start()] + AUTO.encode() + b" " + body[end:]
            at = found.start() + len(AUTO)
    return body


def _closing(code: bytes, at: int) -> int:
    """Behind the parenthesis that closes the one before ``at``; -1 where there is none."""
    depth = 1
    while at < len(code):
        depth += (code[at] == 0x28) - (code[at] == 0x29)
        at += 1
        if not depth:
            return at
    return -1


def _told(flow: Flow, known: dict[str, tuple[str, bool]]) -> bool:
    """Whether a flow speaks of parameters and names from outside alone, and not of one thing
    (``(p)->next = (p)``)."""
    source, target = (split(place)[0] for place in (flow.source, flow.target))
    if source == target or (names(flow.source) and flow.source.isupper()):
        return False
    if used(flow.target) is not None:
        return False
    return all(p[0] != "$" or p[1:] in known for p in (source, target))


def _stored(text: bytes, row: int, known: Collection[str]) -> list[Stored]:
    """What a macro stores that is a braced list, or the declaration of a variable."""
    listed = _LIST.match(text) or _chooses_member(text, known)
    if listed:
        code = b"int v = " + text.strip().rstrip(b";") + b";"
    elif _DECLARATION.match(text):
        code = text.strip().rstrip(b";") + b";"
    else:
        return []
    lines = row + text[: len(text) - len(text.lstrip())].count(b"\n")
    found: list[Stored] = []
    for node in parser().parse(code).root_node.named_children:
        if node.type == "declaration":
            if listed:
                declarator = node.child_by_field_name("declarator")
                value = declarator.child_by_field_name("value") if declarator else None
                if value is not None:
                    found += [one for _, one in initialiser(value, code, "", "", 0, False)]
            else:
                found += [one for _, one in variables_in(node, code) if isinstance(one, Stored)]
    return [one._replace(line=one.line + lines) for one in found]


def _chooses_member(text: bytes, known: Collection[str]) -> bool:
    """Whether a macro is a braced list in which one parameter names the member that another
    one is stored in."""
    if not text.lstrip().startswith(b"{"):
        return False
    pairs = _MEMBER.findall(text.decode("latin-1"))
    return any(member in known and value in known for member, value in pairs)


def _of_parameters(stored: Stored, known: dict[str, tuple[str, bool]]) -> Stored:
    return stored._replace(source=_of_parameter(stored.source, known))


def _of_parameter(source: str, known: dict[str, tuple[str, bool]]) -> str:
    """A source in which a macro's parameters are told from names outside."""
    source = as_use(source)
    if names(source):
        return "$" + source[1:] if source[1:] in known else source
    call = used(source)
    return use(call[0], [_of_parameter(one, known) for one in call[1]]) if call else source


def _expression_of(root: Node) -> Node | None:
    """The expression that a macro's body is, if it is one."""
    node = root
    for _ in range(4):
        children = [c for c in node.named_children if c.type != "parameter_list"]
        if node.type == "expression_statement":
            return children[0] if len(children) == 1 else None
        if node.type == "compound_statement":
            children = [c for c in children if c.end_byte - c.start_byte > 1]
            if len(children) != 1:
                return None
        if not children:
            return None
        node = children[-1]
    return None
