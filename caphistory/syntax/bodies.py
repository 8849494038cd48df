"""Reads function and macro bodies: calls, tests of uids, and what is stored where."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from tree_sitter import Node

from caphistory.syntax import guards
from caphistory.syntax.declarations import declared, structs_in, type_name
from caphistory.syntax.effects import UNKNOWN, Decision, Decisions
from caphistory.syntax.facts import Call, Flow, Parameter, Stored, Struct, UidTest
from caphistory.syntax.initialisers import initialiser
from caphistory.syntax.places import Places
from caphistory.syntax.relays import relayed
from caphistory.syntax.uids import compares_root, is_uid

# More calls within each other than any kernel needs (200): what lies deeper in a mangled file
# is not read. Python itself stops at 1,000.
_DEEPEST = 500
_ZERO = (b"0", b"GLOBAL_ROOT_UID", b"ROOT_UID", b"(uid_t)0", b"(uid_t) 0")


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


class BodyReader:
    """Walks one syntax tree. ``base`` is added to offsets, ``base_row`` to lines;
    ``condition_at`` gives the preprocessor condition at an offset."""

    def __init__(
        self,
        code: bytes,
        base: int,
        base_row: int,
        condition_at: Callable[[int], str],
        known: dict[str, tuple[str, bool]] | None = None,
    ) -> None:
        self.code = code
        self.base = base
        self.base_row = base_row
        self.condition_at = condition_at
        self._decisions = Decisions(code)
        self.places = Places(code, dict(known or {}))
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
            self.case = self.places.text(label)
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
            if is_uid(node, self.places):
                self._uid_test(node, conditional, decision, truth)
            self._call(node, conditional, depth + 1, decision, truth)
        elif kind == "conditional_expression" and decision is not None:
            self._ternary(node, conditional, depth + 1, decision, truth)
        elif is_uid(node, self.places):
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
        target, pointer = self.places.called(function)
        values = tuple(
            self.places.argument(argument, target)
            for argument in arguments.named_children
            if argument.type != "comment"
        )
        effect, errno = decision.when(not truth) if decision is not None else UNKNOWN
        if target == "uid_eq" and compares_root(arguments, self.places):
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

    # Uids.

    def _uid_test(
        self, node: Node, conditional: int, decision: Decision | None, truth: bool
    ) -> None:
        effect, errno = decision.when(truth) if decision is not None else UNKNOWN
        at = self.base + node.start_byte
        self.body.uid_tests.setdefault(
            at,
            UidTest(
                self._row(node),
                self.places.text(node),
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
                expr = guards.expression(condition, self.code, self.places.locals)
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
            guards.expression(argument, self.code, self.places.locals)
            for argument in arguments.named_children
            if argument.type != "comment"
        ]
        # A macro may change what it is handed (get_user), a function what "&" hands it.
        self.body.handed.update(one for one in found if isinstance(one, str) and one[0] == "$")
        while found and found[-1] == guards.UNKNOWN:
            found.pop()
        return tuple(found)

    def _set(self, node: Node, target: Node, value: Node) -> None:
        place = guards.expression(target, self.code, self.places.locals)
        if isinstance(place, str) and place[0] == "$":
            self.body.sets.setdefault(
                self.base + node.start_byte,
                (place, guards.expression(value, self.code, self.places.locals)),
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
            self._flow(self.places.place(left), right)
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
        if not target or (target.startswith("$") and not self.places.may_hold_function(target[1:])):
            return
        for source in self.places.sources(value):
            if source != target:
                at = self.base + value.start_byte
                self.body.flows.setdefault((at, source), Flow(self._row(value), target, source))

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
            self.places.locals[found.name] = (
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
                ("$" + found.name, guards.expression(value, self.code, self.places.locals)),
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
                self.places.locals[name] = ("" if pointer else type_, pointer)
            result.append(Parameter(name, type_))
        return tuple(result)

    def relays(self, expression: Node) -> tuple[str, ...]:
        """What an expression relays (see ``relays``). To be asked after the visit."""
        return relayed(expression, self.places, [at - self.base for at in self.body.uid_tests])

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
