"""Reads function and macro bodies: calls, tests of uids, and what is stored where."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import NamedTuple

import tree_sitter_c
from tree_sitter import Language, Node, Parser

from caphistory.syntax import guards
from caphistory.syntax.effects import UNKNOWN, Decision, Decisions
from caphistory.syntax.facts import Call, Flow, Parameter, Stored, Struct, UidTest

# More calls within each other than any kernel needs (200): what lies deeper in a mangled file
# is not read. Python itself stops at 1,000.
_DEEPEST = 500
_DEEPEST_STRUCT = 30
_FLAGS = re.compile(rb"[A-Z0-9_|&~()\s<x]+")
_TASK_UID = re.compile(
    r"(?:(?::current|get_current\(\)|struct task_struct)(?:>(?:real_)?cred)?"
    r"|struct cred|current_cred\(\)|__task_cred\(\))>(?:e|s|fs)?uid(?:>val)?"
)
_UID_CALL = re.compile(r"current_(?:e|s|fs)?uid")
_TYPE_ARGUMENT = re.compile(rb",\s*((?:struct|union)\s+\w+)\s*,")
_ZERO = (b"0", b"GLOBAL_ROOT_UID", b"ROOT_UID", b"(uid_t)0", b"(uid_t) 0")


@lru_cache(maxsize=1)
def parser() -> Parser:
    """The parser of this process: making one is dear, using one is not."""
    return Parser(Language(tree_sitter_c.language()))


class Body(NamedTuple):
    """What was read from one reading of a body; keys are offsets in the given code."""

    calls: dict[int, Call]
    uid_tests: dict[int, UidTest]
    flows: dict[tuple[int, str], Flow]
    stored: dict[tuple[int, str], Stored]
    structs: dict[int, Struct]
    parameters: tuple[Parameter, ...]
    relays: tuple[str, ...]
    error: bool
    sets: dict[int, tuple[str, guards.Expr]]
    handed: set[str]

    def add(self, other: Body) -> None:
        """Take in what another reading found and this one did not."""
        self.calls.update(other.calls | self.calls)
        self.uid_tests.update(other.uid_tests | self.uid_tests)
        self.flows.update(other.flows | self.flows)
        self.stored.update(other.stored | self.stored)
        self.structs.update(other.structs | self.structs)
        self.sets.update(other.sets | self.sets)
        self.handed.update(other.handed)


def made_name(node: Node, code: bytes) -> str:
    """``DRM(open)``: a function's name that a macro makes (drm of 2.4 and 2.6), written as in
    its definition; empty for anything else."""
    if node.type != "call_expression":
        return ""
    function = node.child_by_field_name("function")
    arguments = node.child_by_field_name("arguments")
    if function is None or arguments is None or function.type != "identifier":
        return ""
    macro = code[function.start_byte : function.end_byte].decode("latin-1")
    if not macro.isupper() or arguments.named_child_count != 1:
        return ""
    only = arguments.named_children[0]
    if only.type != "identifier":
        return ""
    return f"{macro}({code[only.start_byte : only.end_byte].decode('latin-1')})"


def type_name(node: Node | None, code: bytes) -> str:
    """A type without qualifiers: ``struct sock``, a typedef's name, or empty."""
    if node is None:
        return ""
    kind = node.type
    if kind in ("struct_specifier", "union_specifier"):
        name = node.child_by_field_name("name")
        if name is None:
            return ""
        return f"{kind.split('_')[0]} {code[name.start_byte : name.end_byte].decode('latin-1')}"
    if kind == "type_identifier":
        return code[node.start_byte : node.end_byte].decode("latin-1")
    return ""


class Declared(NamedTuple):
    """A declarator: its name and what stands around it."""

    name: str
    function: bool
    pointer_to_function: bool
    array: bool


def declared(node: Node, code: bytes) -> Declared | None:
    """The name that a declarator declares, and whether it is a function (a prototype),
    a pointer to one, or an array."""
    function = pointer = array = False
    at: Node | None = node
    for _ in range(_DEEPEST):
        if at is None:
            return None
        kind = at.type
        if kind in ("identifier", "field_identifier", "type_identifier"):
            name = code[at.start_byte : at.end_byte].decode("latin-1")
            return Declared(name, function and not pointer, function and pointer, array)
        if kind == "function_declarator":
            function, pointer = True, False
        elif kind == "pointer_declarator":
            pointer = pointer or function
        elif kind == "array_declarator":
            array = True
        following = at.child_by_field_name("declarator")
        if following is None:
            named = [c for c in at.named_children if "declarator" in c.type or "ident" in c.type]
            following = named[0] if named else None
        at = following
    return None


class BodyReader:
    """Walks one syntax tree. ``base`` is added to offsets, ``base_row`` to lines;
    ``condition_at`` gives the preprocessor condition at an offset."""

    def __init__(
        self,
        code: bytes,
        base: int,
        base_row: int,
        condition_at: Callable[[int], str],
        locals_known: dict[str, tuple[str, bool]] | None = None,
    ) -> None:
        self.code = code
        self.base = base
        self.base_row = base_row
        self.condition_at = condition_at
        self._decisions = Decisions(code)
        self.locals: dict[str, tuple[str, bool]] = dict(locals_known or {})
        self.case = ""
        self._under: list[tuple[Node, bool]] = []
        self._conditions: dict[int, guards.Expr] = {}
        self.body = Body({}, {}, {}, {}, {}, (), (), False, {}, set())

    # The tree, top down. ``conditional`` is a flag, ``depth`` guards the stack.

    def visit(self, node: Node, conditional: int, depth: int) -> None:
        if depth > _DEEPEST:
            return
        visitor = _VISITORS.get(node.type)
        if visitor is not None:
            visitor(self, node, conditional, depth + 1)
            return
        for child in node.named_children:
            if child.type not in _LEAVES:
                self.visit(child, conditional, depth + 1)

    def _through(self, node: Node, conditional: int, depth: int) -> None:
        for child in node.named_children:
            self.visit(child, conditional, depth + 1)

    def _struct(self, node: Node, conditional: int, depth: int) -> None:
        for struct in structs_in(node, self.code):
            self.body.structs.setdefault(self.base + node.start_byte, struct)

    def _if(self, node: Node, conditional: int, depth: int) -> None:
        condition = node.child_by_field_name("condition")
        if condition is not None:
            self._decide(condition, conditional, depth + 1, self._decisions.of(node), True)
        alternative = node.child_by_field_name("alternative")
        for child in node.named_children:
            if condition is None:
                self.visit(child, 1, depth + 1)
            elif child.start_byte != condition.start_byte:
                truth = alternative is None or child.start_byte != alternative.start_byte
                self._under.append((condition, truth))
                self.visit(child, 1, depth + 1)
                self._under.pop()

    def _loop(self, node: Node, conditional: int, depth: int) -> None:
        body = node.child_by_field_name("body")
        for child in node.named_children:
            inside = body is not None and child.start_byte == body.start_byte
            self.visit(child, 1 if inside else conditional, depth + 1)

    def _case(self, node: Node, conditional: int, depth: int) -> None:
        label = node.child_by_field_name("value")
        outer = self.case
        # sys_ipc looks at a version number inside "case MSGRCV:" (from 1.1.10 on).
        if label is not None and label.type == "identifier":
            self.case = self._text(label)
        for child in node.named_children:
            if label is None or child.start_byte != label.start_byte:
                self.visit(child, 1, depth + 1)
        self.case = outer

    def _ternary(
        self,
        node: Node,
        conditional: int,
        depth: int,
        decision: Decision | None = None,
        truth: bool = True,
    ) -> None:
        condition = node.child_by_field_name("condition")
        if condition is not None:
            self._decide(condition, conditional, depth + 1, self._decisions.of(node), True)
        for name in ("consequence", "alternative"):
            side = node.child_by_field_name(name)
            if side is not None and condition is not None:
                self._under.append((condition, name == "consequence"))
                if decision is not None:
                    self._decide(side, 1, depth + 1, decision, truth)
                else:
                    self.visit(side, 1, depth + 1)
                self._under.pop()

    def _binary(self, node: Node, conditional: int, depth: int) -> None:
        self._decide(node, conditional, depth + 1, None, True)

    _unary = _binary

    def _decide(
        self, node: Node, conditional: int, depth: int, decision: Decision | None, truth: bool
    ) -> None:
        """Visit an expression whose value, if it is ``truth``, makes ``decision`` true."""
        if depth > _DEEPEST:
            return
        kind = node.type
        if kind == "parenthesized_expression":
            for child in node.named_children:
                self._decide(child, conditional, depth + 1, decision, truth)
        elif kind == "unary_expression":
            operand = node.child_by_field_name("argument")
            if operand is not None and self.code[node.start_byte] == 0x21:
                self._decide(operand, conditional, depth + 1, decision, not truth)
            else:
                self._through(node, conditional, depth + 1)
        elif kind == "binary_expression":
            self._decide_binary(node, conditional, depth + 1, decision, truth)
        elif kind == "call_expression":
            if self._is_uid(node):
                self._uid_test(node, conditional, decision, truth)
            self._call(node, conditional, depth + 1, decision, truth)
        elif kind == "conditional_expression" and decision is not None:
            self._ternary(node, conditional, depth + 1, decision, truth)
        elif self._is_uid(node):
            self._uid_test(node, conditional, decision, truth)
        else:
            self.visit(node, conditional, depth + 1)

    def _decide_binary(
        self, node: Node, conditional: int, depth: int, decision: Decision | None, truth: bool
    ) -> None:
        operator = node.child_by_field_name("operator")
        left = node.child_by_field_name("left")
        right = node.child_by_field_name("right")
        if operator is None or left is None or right is None:
            self._through(node, conditional, depth + 1)
            return
        sign = operator.type
        if sign in ("&&", "||"):
            self._decide(left, conditional, depth + 1, decision, truth)
            self._under.append((left, sign == "&&"))
            self._decide(right, 1, depth + 1, decision, truth)
            self._under.pop()
        elif sign in ("==", "!="):
            same = truth if sign == "!=" else not truth
            for side, other in ((left, right), (right, left)):
                if self.code[other.start_byte : other.end_byte].strip() in _ZERO:
                    self._decide(side, conditional, depth + 1, decision, same)
                    return
            self._through(node, conditional, depth + 1)
        else:
            self._through(node, conditional, depth + 1)

    # Calls.

    def _call(
        self,
        node: Node,
        conditional: int,
        depth: int,
        decision: Decision | None = None,
        truth: bool = True,
    ) -> None:
        function = node.child_by_field_name("function")
        arguments = node.child_by_field_name("arguments")
        if function is None or arguments is None:
            self._through(node, conditional, depth + 1)
            return
        target, pointer = self._target(function)
        values = tuple(
            self._value(argument, target)
            for argument in arguments.named_children
            if argument.type != "comment"
        )
        effect, errno = decision.when(not truth) if decision is not None else UNKNOWN
        if target == "uid_eq" and self._compares_root(arguments):
            # True for root, as a uid itself is true for everybody else.
            self._uid_test(node, conditional, decision, not truth)
        if target:
            at = self.base + node.start_byte
            self.body.calls.setdefault(
                at,
                Call(
                    self._row(node),
                    target,
                    pointer,
                    values,
                    conditional,
                    effect,
                    errno,
                    self.case,
                    self.condition_at(at),
                    self._guards(),
                    self._passed(arguments),
                ),
            )
        if function.type != "identifier":
            self.visit(function, conditional, depth + 1)
        for argument in arguments.named_children:
            self.visit(argument, conditional, depth + 1)

    def _target(self, function: Node) -> tuple[str, bool]:
        """What a call calls: a name, or a place and True."""
        node = function
        while node.type == "parenthesized_expression" and node.named_child_count == 1:
            node = node.named_children[0]
        if node.type == "pointer_expression":
            inner = node.child_by_field_name("argument")
            node = inner if inner is not None else node
            while node.type == "parenthesized_expression" and node.named_child_count == 1:
                node = node.named_children[0]
        if node.type == "identifier":
            name = self._text(node)
            if name in self.locals:
                return "$" + name, True
            return name, False
        made = made_name(node, self.code)
        return (made, False) if made else (self.place(node), True)

    def _compares_root(self, arguments: Node) -> bool:
        children = arguments.named_children
        return any(self._text(c) == "GLOBAL_ROOT_UID" for c in children) and any(
            self._is_uid(c) for c in children
        )

    def _value(self, node: Node, callee: str) -> str:
        """An argument: a number, a place, ``=text`` of constant flags, or empty."""
        kind = node.type
        while kind in ("parenthesized_expression", "cast_expression") and node.named_child_count:
            node = node.named_children[-1]
            kind = node.type
        if kind == "number_literal":
            return self._text(node)
        if kind in ("identifier", "field_expression", "pointer_expression", "subscript_expression"):
            return self.place(node)
        text = self.code[node.start_byte : node.end_byte]
        # The text of any other argument is of use only if it names a capability.
        if len(text) <= 80 and (_FLAGS.fullmatch(text) or "cap" in callee):
            return "=" + " ".join(text.decode("latin-1").split())
        return ""

    # Uids.

    def _is_uid(self, node: Node) -> bool:
        if node.type == "field_expression":
            field = node.child_by_field_name("field")
            if field is None or not self._text(field).endswith(("uid", "val")):
                return False
            return bool(_TASK_UID.fullmatch(self.place(node)))
        if node.type == "call_expression":
            function = node.child_by_field_name("function")
            return function is not None and bool(_UID_CALL.fullmatch(self._text(function)))
        return False

    def _uid_test(
        self, node: Node, conditional: int, decision: Decision | None, truth: bool
    ) -> None:
        effect, errno = decision.when(truth) if decision is not None else UNKNOWN
        at = self.base + node.start_byte
        self.body.uid_tests.setdefault(
            at,
            UidTest(
                self._row(node),
                self._text(node),
                conditional,
                effect,
                errno,
                self.condition_at(at),
                self._guards(),
            ),
        )

    # Conditions.

    def _guards(self) -> tuple[guards.Expr, ...]:
        """The conditions on variables of the function under which the code at hand runs."""
        found = []
        for condition, truth in self._under:
            key = condition.start_byte << 1 | truth
            if key not in self._conditions:
                expr = guards.expression(condition, self.code, self.locals)
                self._conditions[key] = (
                    guards.UNKNOWN
                    if not guards.leaves(expr)
                    else expr
                    if truth
                    else guards.negated(expr)
                )
            if self._conditions[key] != guards.UNKNOWN:
                found.append(self._conditions[key])
        return tuple(found)

    def _passed(self, arguments: Node) -> tuple[guards.Expr, ...]:
        """The arguments of a call, up to the last one that can be followed."""
        found = [
            guards.expression(argument, self.code, self.locals)
            for argument in arguments.named_children
            if argument.type != "comment"
        ]
        # A macro may change what it is handed (get_user), a function what "&" hands it.
        self.body.handed.update(one for one in found if isinstance(one, str) and one[0] == "$")
        while found and found[-1] == guards.UNKNOWN:
            found.pop()
        return tuple(found)

    def _set(self, node: Node, target: Node, value: Node) -> None:
        place = guards.expression(target, self.code, self.locals)
        if isinstance(place, str) and place[0] == "$":
            self.body.sets.setdefault(
                self.base + node.start_byte,
                (place, guards.expression(value, self.code, self.locals)),
            )

    # Storing.

    def _assignment(self, node: Node, conditional: int, depth: int) -> None:
        left = node.child_by_field_name("left")
        right = node.child_by_field_name("right")
        if left is None or right is None:
            self._through(node, conditional, depth)
            return
        operator = node.child_by_field_name("operator")
        sign = operator.type if operator is not None else ""
        if sign == "=":
            self._flow(self.place(left), right)
        # "&=" only takes flags away; what any other operator does is not followed.
        if sign in ("=", "|="):
            self._set(node, left, right)
        elif sign != "&=":
            self._set(node, left, node)
        self.visit(left, conditional, depth + 1)
        self.visit(right, conditional, depth + 1)

    def _update(self, node: Node, conditional: int, depth: int) -> None:
        argument = node.child_by_field_name("argument")
        if argument is not None:
            self._set(node, argument, node)
        self._through(node, conditional, depth)

    def _flow(self, target: str, value: Node) -> None:
        if not target or (target.startswith("$") and not self._may_hold_function(target[1:])):
            return
        for source in self._sources(value, 0):
            if source != target:
                at = self.base + value.start_byte
                self.body.flows.setdefault((at, source), Flow(self._row(value), target, source))

    def _may_hold_function(self, name: str) -> bool:
        type_, pointer_to_function = self.locals.get(name, ("", False))
        return pointer_to_function or (bool(type_) and not type_.startswith(("struct ", "union ")))

    def _sources(self, node: Node, depth: int) -> list[str]:
        """Places whose value may be that of an expression."""
        kind = node.type
        if depth > 8:
            return []
        if kind in ("parenthesized_expression", "cast_expression"):
            inner = node.child_by_field_name("value") or (
                node.named_children[-1] if node.named_child_count else None
            )
            return self._sources(inner, depth + 1) if inner is not None else []
        if kind == "conditional_expression":
            sides = (
                node.child_by_field_name("consequence"),
                node.child_by_field_name("alternative"),
            )
            return [s for side in sides if side is not None for s in self._sources(side, depth + 1)]
        if kind == "assignment_expression":
            right = node.child_by_field_name("right")
            return self._sources(right, depth + 1) if right is not None else []
        if kind == "identifier":
            name = self._text(node)
            if name in self.locals:
                return ["$" + name] if self._may_hold_function(name) else []
            return [":" + name]
        if kind == "pointer_expression":
            inner = node.child_by_field_name("argument")
            return self._sources(inner, depth + 1) if inner is not None else []
        if kind in ("field_expression", "subscript_expression"):
            place = self.place(node)
            return [place] if place else []
        made = made_name(node, self.code)
        return [":" + made] if made else []

    def place(self, node: Node, depth: int = 0) -> str:
        """The place (see ``facts``) that an expression denotes, or the empty string."""
        if depth > 40:
            return ""
        kind = node.type
        if kind == "identifier":
            name = self._text(node)
            if name not in self.locals:
                return ":" + name
            return "$" + name
        if kind == "field_expression":
            argument = node.child_by_field_name("argument")
            field = node.child_by_field_name("field")
            if argument is None or field is None:
                return ""
            base = self.place(argument, depth + 1)
            if base.startswith("$") and ">" not in base:
                base = self.locals[base[1:]][0]
            return f"{base}>{self._text(field)}" if base else ""
        if kind == "subscript_expression":
            argument = node.child_by_field_name("argument")
            return self.place(argument, depth + 1) if argument is not None else ""
        if kind == "pointer_expression":
            argument = node.child_by_field_name("argument")
            return self.place(argument, depth + 1) if argument is not None else ""
        if kind == "cast_expression":
            cast = node.child_by_field_name("type")
            inner = cast.child_by_field_name("type") if cast is not None else None
            name = type_name(inner, self.code)
            if name:
                return name
            value = node.child_by_field_name("value")
            return self.place(value, depth + 1) if value is not None else ""
        if kind == "call_expression":
            return self._call_place(node)
        if kind in ("parenthesized_expression", "comma_expression"):
            children = node.named_children
            return self.place(children[-1], depth + 1) if children else ""
        if kind in ("conditional_expression", "assignment_expression"):
            side = node.child_by_field_name("consequence") or node.child_by_field_name("left")
            return self.place(side, depth + 1) if side is not None else ""
        if kind in ("update_expression", "binary_expression"):
            # "current" is (0+current_set[smp_processor_id()]) in 2.0.
            sides = (node.child_by_field_name(name) for name in ("argument", "left", "right"))
            places = (self.place(side, depth + 1) for side in sides if side is not None)
            return next(filter(None, places), "")
        return ""

    def _call_place(self, node: Node) -> str:
        function = node.child_by_field_name("function")
        if function is None or function.type != "identifier":
            return ""
        # list_entry(p, struct task_struct, run_list) is of the type that it names.
        named = _TYPE_ARGUMENT.search(self.code, node.start_byte, node.end_byte)
        if named:
            return " ".join(named.group(1).decode("latin-1").split())
        return self._text(function) + "()"

    # Declarations inside a body.

    def _declaration(self, node: Node, conditional: int, depth: int) -> None:
        specifier = node.child_by_field_name("type")
        type_ = type_name(specifier, self.code)
        if specifier is not None and specifier.type in ("struct_specifier", "union_specifier"):
            self._struct(specifier, conditional, depth)
        for declarator in node.children_by_field_name("declarator"):
            value = (
                declarator.child_by_field_name("value")
                if declarator.type == "init_declarator"
                else None
            )
            found = declared(declarator, self.code)
            if found is None or found.function:
                continue
            self.locals[found.name] = (
                "" if found.pointer_to_function else type_,
                found.pointer_to_function,
            )
            if value is None:
                continue
            if value.type == "initializer_list":
                self._stored(value, "$" + found.name, type_, found.array)
            else:
                self._flow("$" + found.name, value)
            self.body.sets.setdefault(
                self.base + declarator.start_byte,
                ("$" + found.name, guards.expression(value, self.code, self.locals)),
            )
            self.visit(value, conditional, depth + 1)

    def _literal(self, node: Node, conditional: int, depth: int) -> None:
        described = node.child_by_field_name("type")
        value = node.child_by_field_name("value")
        if described is not None and value is not None:
            type_ = type_name(described.child_by_field_name("type"), self.code)
            self._stored(value, "", type_, False)
        self._through(node, conditional, depth)

    def _stored(self, value: Node, variable: str, type_: str, array: bool) -> None:
        found = initialiser(value, self.code, variable, type_, self.base_row, array)
        for offset, stored in found:
            self.body.stored.setdefault((self.base + offset, stored.source), stored)

    def parameters(self, node: Node) -> tuple[Parameter, ...]:
        """The parameters of a parameter list, which become known as locals."""
        result = []
        for child in node.named_children:
            if child.type != "parameter_declaration":
                continue
            type_ = type_name(child.child_by_field_name("type"), self.code)
            declarator = child.child_by_field_name("declarator")
            found = declared(declarator, self.code) if declarator is not None else None
            name = found.name if found else ""
            if found:
                pointer = found.pointer_to_function or found.function
                self.locals[name] = ("" if pointer else type_, pointer)
            result.append(Parameter(name, type_))
        return tuple(result)

    def relayed(self, expression: Node, depth: int = 0) -> tuple[str, ...]:
        """The names that an expression calls if it is made of nothing but calls and
        uid tests joined by ``!``, ``&&`` and ``||`` (a uid test is named ``uid0``);
        empty for any other expression. To be asked after the visit."""
        kind = expression.type
        if depth > 20:
            return ()
        if kind == "call_expression":
            function = expression.child_by_field_name("function")
            if function is None or function.type != "identifier":
                return ()
            return ("uid0",) if self._tests_uid(expression) else (self._text(function),)
        if kind == "parenthesized_expression" and expression.named_child_count == 1:
            return self.relayed(expression.named_children[0], depth + 1)
        if kind == "unary_expression" and self.code[expression.start_byte] == 0x21:
            operand = expression.child_by_field_name("argument")
            if operand is None:
                return ()
            return ("uid0",) if self._is_uid(operand) else self.relayed(operand, depth + 1)
        if kind == "binary_expression":
            left = expression.child_by_field_name("left")
            right = expression.child_by_field_name("right")
            operator = expression.child_by_field_name("operator")
            if left is None or right is None or operator is None:
                return ()
            if operator.type == "==" and self._tests_uid(expression):
                return ("uid0",)
            if operator.type in ("&&", "||"):
                first, second = self.relayed(left, depth + 1), self.relayed(right, depth + 1)
                return (*first, *second) if first and second else ()
        return ()

    def _tests_uid(self, node: Node) -> bool:
        low, high = self.base + node.start_byte, self.base + node.end_byte
        return any(low <= at < high for at in self.body.uid_tests)

    def _text(self, node: Node) -> str:
        return self.code[node.start_byte : node.end_byte].decode("latin-1")

    def _row(self, node: Node) -> int:
        return self.base_row + node.start_point[0]


# Not in the reader itself: its own methods in it would be a cycle, and workers that read
# thousands of files do without the collector of cycles.
_VISITORS: dict[str, Callable[[BodyReader, Node, int, int], None]] = {
    "call_expression": BodyReader._call,
    "if_statement": BodyReader._if,
    "while_statement": BodyReader._loop,
    "do_statement": BodyReader._loop,
    "for_statement": BodyReader._loop,
    "switch_statement": BodyReader._loop,
    "case_statement": BodyReader._case,
    "binary_expression": BodyReader._binary,
    "unary_expression": BodyReader._unary,
    "conditional_expression": BodyReader._ternary,
    "assignment_expression": BodyReader._assignment,
    "declaration": BodyReader._declaration,
    "update_expression": BodyReader._update,
    "parenthesized_expression": BodyReader._through,
    "compound_literal_expression": BodyReader._literal,
    "struct_specifier": BodyReader._struct,
    "union_specifier": BodyReader._struct,
}

# Nodes with nothing of interest below them.
_LEAVES = frozenset(
    (
        *("identifier", "field_identifier", "type_identifier", "statement_identifier"),
        *("number_literal", "string_literal", "concatenated_string", "char_literal", "null"),
        *("primitive_type", "sized_type_specifier", "type_qualifier", "sizeof_expression"),
        *("break_statement", "continue_statement", "goto_statement", "parameter_list"),
    )
)


def initialiser(
    value: Node, code: bytes, variable: str, type_: str, base_row: int, array: bool
) -> list[tuple[int, Stored]]:
    """The names that a braced list stores, each with the path to where it stands.

    For an array the first step of the path is left out, as all elements are alike.
    """
    return [
        (
            name.start_byte,
            Stored(
                base_row + name.start_point[0],
                variable,
                type_,
                path,
                ":" + code[name.start_byte : name.end_byte].decode("latin-1"),
            ),
        )
        for name, path in _listed(value, code, (), 0, array)
    ]


def _listed(
    node: Node, code: bytes, path: tuple[str, ...], depth: int, array: bool
) -> Iterator[tuple[Node, tuple[str, ...]]]:
    """The names in a braced list, each with its path."""
    if depth > 20:
        return
    for index, child in enumerate(c for c in node.named_children if c.type != "comment"):
        names, value = _designated(child, code)
        if value is None:
            continue
        inner = _bare(value)
        element = array and depth == 0 and inner.type == "initializer_list"
        here = (*path, *(names or (() if element else (f"#{index}",))))
        if inner.type == "initializer_list":
            yield from _listed(inner, code, here, depth + 1, array)
        elif inner.type == "identifier" or made_name(inner, code):
            yield inner, here


_WRAPPINGS = frozenset(
    (
        "cast_expression",
        "parenthesized_expression",
        "pointer_expression",
        "compound_literal_expression",
    )
)


def _bare(node: Node) -> Node:
    """An expression without casts, parentheses and ``&`` around it."""
    while node.type in _WRAPPINGS:
        inner = node.child_by_field_name("value") or node.child_by_field_name("argument")
        if inner is None:
            if not node.named_child_count:
                break
            inner = node.named_children[-1]
        node = inner
    return node


def _designated(entry: Node, code: bytes) -> tuple[tuple[str, ...], Node | None]:
    """The members that an entry of a braced list names (``.ops.bind = f``, ``bind: f``;
    subscripts are left out), and its value."""
    if entry.type != "initializer_pair":
        return (), entry
    names = []
    for designator in entry.children_by_field_name("designator"):
        at = designator.named_children[0] if designator.named_child_count else designator
        if "field_identifier" in (designator.type, at.type):
            names.append(code[at.start_byte : at.end_byte].decode("latin-1"))
    return tuple(names), entry.child_by_field_name("value")


def structs_in(node: Node, code: bytes, outer: str = "", depth: int = 0) -> list[Struct]:
    """The structs and unions that a specifier defines, the nested ones after their outer
    one. A nested one without a tag is named after its place: ``struct inode>u``."""
    fields = node.child_by_field_name("body")
    if fields is None or depth > _DEEPEST_STRUCT:
        return []
    tag = type_name(node, code) or outer
    members: list[Parameter] = []
    nested: list[Struct] = []
    for field in fields.named_children:
        if field.type != "field_declaration":
            continue
        specifier = field.child_by_field_name("type")
        type_ = type_name(specifier, code)
        declarators = field.children_by_field_name("declarator")
        inline = specifier is not None and specifier.child_by_field_name("body") is not None
        names = [d for d in (declared(x, code) for x in declarators) if d is not None and d.name]
        if inline and specifier is not None:
            if not names:
                # Members of an anonymous struct or union belong to the outer one.
                inner = structs_in(specifier, code, f"{tag}>", depth + 1)
                if inner:
                    members.extend(inner[0].members)
                    nested.extend(inner[1:])
                    if not inner[0].tag.endswith(">"):
                        nested.append(inner[0])
                continue
            inner = structs_in(specifier, code, f"{tag}>{names[0].name}", depth + 1)
            nested.extend(inner)
            type_ = inner[0].tag if inner else type_
        for name in names:
            members.append(
                Parameter(name.name, "()" if name.pointer_to_function or name.function else type_)
            )
    return [Struct(tag, tuple(members)), *nested]
