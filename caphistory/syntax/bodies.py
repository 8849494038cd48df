"""Reads function and macro bodies: calls, tests of uids, and what is stored where."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple, TypeVar

from tree_sitter import Node

from caphistory.syntax import guards
from caphistory.syntax.declarations import declared, structs_in, type_name
from caphistory.syntax.effects import UNKNOWN, Decision, Decisions
from caphistory.syntax.facts import Call, Flow, Parameter, Stored, Struct, UidTest
from caphistory.syntax.initialisers import initialiser
from caphistory.syntax.notation import names
from caphistory.syntax.places import AUTO, Places
from caphistory.syntax.relays import relayed
from caphistory.syntax.uids import compares_root, is_uid

# More calls within each other than any kernel needs (200): what lies deeper in a mangled file
# is not read. Python itself stops at 1,000.
_DEEPEST = 500
_LEAVING = frozenset(
    ("return_statement", "goto_statement", "break_statement", "continue_statement")
)
# Without any of these an expression holds no call, no assignment and no uid.
_TELLING = re.compile(rb"[({=]|\+\+|--|uid|val")
_LINE_END = re.compile(rb"\n")
_GOTO = re.compile(rb"\bgoto\s+(\w+)")
_ZERO = (b"0", b"GLOBAL_ROOT_UID", b"ROOT_UID", b"(uid_t)0", b"(uid_t) 0")

# Nodes with nothing below them, and those with nothing of interest.
_WORDS = (
    *("identifier", "field_identifier", "type_identifier", "statement_identifier"),
    *("number_literal", "string_literal", "char_literal", "null", "primitive_type"),
)
_LEAVES = frozenset(
    (
        *_WORDS,
        *("concatenated_string", "sized_type_specifier", "type_qualifier"),
        *("sizeof_expression", "parameter_list"),
        *("break_statement", "continue_statement", "goto_statement"),
    )
)

K = TypeVar("K", int, "tuple[int, str]")
V = TypeVar("V")


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
    locals: dict[str, str]

    def add(self, other: Body) -> None:
        """Take in what another reading found and this one did not. A condition counts if it
        holds in all readings: another configuration may be without it."""
        for at, call in other.calls.items():
            known = self.calls.setdefault(at, call)
            if known.guards != call.guards:
                self.calls[at] = known._replace(guards=_common(known.guards, call.guards))
        for at, test in other.uid_tests.items():
            same = self.uid_tests.setdefault(at, test)
            if same.guards != test.guards:
                self.uid_tests[at] = same._replace(guards=_common(same.guards, test.guards))
        self.flows.update(other.flows | self.flows)
        self.stored.update(other.stored | self.stored)
        self.structs.update(other.structs | self.structs)
        self.sets.update(other.sets | self.sets)
        self.handed.update(other.handed)
        self.locals.update(other.locals | self.locals)


def nothing() -> Body:
    """A body of which nothing was read yet."""
    return Body({}, {}, {}, {}, {}, (), (), False, {}, set(), {})


def _common(
    one: tuple[guards.Expr, ...], other: tuple[guards.Expr, ...]
) -> tuple[guards.Expr, ...]:
    return tuple(guard for guard in one if guard in other)


def in_order(found: dict[K, V]) -> tuple[V, ...]:
    """What was found, by where it stands."""
    return tuple(found[key] for key in sorted(found))


class _Guard:
    """A condition that holds (or, without ``truth``, does not) where the code at hand runs, from
    ``start`` to ``end``. ``expr`` is worked out when first asked for."""

    __slots__ = ("condition", "configured", "end", "expr", "start", "truth")

    def __init__(
        self,
        condition: Node,
        truth: bool,
        start: int,
        end: int,
        expr: guards.Expr | None = None,
    ) -> None:
        self.condition = condition
        self.truth = truth
        self.start = start
        self.end = end
        self.expr = expr
        self.configured: frozenset[str] = frozenset()


def _side_that_stays(statement: Node) -> bool | None:
    """Which outcome of an if's condition alone leads to what follows it; None for both."""
    consequence = statement.child_by_field_name("consequence")
    alternative = statement.child_by_field_name("alternative")
    if consequence is not None and _always_leaves(consequence):
        return False
    if alternative is not None and _always_leaves(alternative):
        return True
    return None


def _always_leaves(statement: Node) -> bool:
    """Whether the last of some statements is a return, a goto or the like."""
    while statement.type in ("compound_statement", "case_statement", "else_clause"):
        children = [c for c in statement.named_children if c.type != "comment"]
        if not children:
            return False
        statement = children[-1]
    return statement.type in _LEAVING


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
        self._under: list[_Guard] = []
        self._returning = False
        self._jumps: list[tuple[str, int]] | None = None
        self.body = nothing()

    # The tree, top down. ``conditional`` is a flag, ``depth`` guards the stack.

    def visit(self, node: Node, conditional: int, depth: int) -> None:
        if depth <= _DEEPEST:
            visitor = _VISITORS.get(node.type, BodyReader._below)
            if visitor is not None:
                visitor(self, node, conditional, depth + 1)

    def _visit_all(self, nodes: list[Node], conditional: int, depth: int) -> None:
        if depth <= _DEEPEST:
            for node in nodes:
                visitor = _VISITORS.get(node.type, BodyReader._below)
                if visitor is not None:
                    visitor(self, node, conditional, depth + 1)

    def _below(self, node: Node, conditional: int, depth: int) -> None:
        """What ``_visit_all`` does with children, in one frame of the stack for each level."""
        if depth <= _DEEPEST:
            for child in node.named_children:
                kind = child.type
                if kind not in _LEAVES:
                    visitor = _VISITORS.get(kind, BodyReader._below)
                    if visitor is not None:
                        visitor(self, child, conditional, depth + 1)

    def _through(self, node: Node, conditional: int, depth: int) -> None:
        self._visit_all(node.named_children, conditional, depth + 1)

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
                self._under.append(_Guard(condition, truth, child.start_byte, child.end_byte))
                self.visit(child, 1, depth + 1)
                self._under.pop()

    def _block(self, node: Node, conditional: int, depth: int) -> None:
        """Statements one after the other: what follows ``if (x) return …;`` runs under !x."""
        self._sequence(node.named_children, conditional, depth)

    def _sequence(self, statements: list[Node], conditional: int, depth: int) -> None:
        outer = len(self._under)
        looped = left = False
        for statement in statements:
            kind = statement.type
            # A macro may hold the label by which what follows a return is reached: the cases of
            # RO_IOCTLS in the switch of sd_ioctl (2.0).
            if left and kind not in ("labeled_statement", "case_statement", "comment"):
                for guard in self._under:
                    guard.expr = guards.UNKNOWN
            if kind != "comment":
                left = kind in _LEAVING
            if kind in _LEAVES:
                continue
            self.visit(statement, conditional, depth + 1)
            # What stands behind a macro without a semicolon may be the body of its loop, which
            # runs for nothing: for_each_task(p) if (...) return 0;
            inner = statement
            while inner.type == "labeled_statement" and inner.named_child_count:
                inner = inner.named_children[-1]
            if inner.type == "if_statement" and not looped:
                condition = inner.child_by_field_name("condition")
                stays = _side_that_stays(inner)
                if condition is not None and stays is not None:
                    end = statements[-1].end_byte
                    self._under.append(_Guard(condition, stays, statement.end_byte, end))
            if kind != "comment":
                looped = (
                    kind == "expression_statement" and self.code[statement.end_byte - 1] != 0x3B
                )
        del self._under[outer:]

    def _return(self, node: Node, conditional: int, depth: int) -> None:
        """A function that returns a function has a place for it."""
        for child in node.named_children:
            for source in self.places.sources(child):
                named = names(source) and child.type in ("identifier", "conditional_expression")
                if named or (source[0] == "$" and self.places.holds_function(source[1:])):
                    at = self.base + child.start_byte
                    self.body.flows.setdefault((at, source), Flow(self._row(child), "()", source))
        self._returning = True
        self._through(node, conditional, depth)
        self._returning = False

    def _label(self, node: Node, conditional: int, depth: int) -> None:
        """A goto from anywhere may lead here, past what returned earlier and into what stands
        under a condition."""
        label = node.child_by_field_name("label")
        name = self.places.text(label) if label is not None else ""
        if self._jumps is None:
            self._jumps = [
                (found.group(1).decode("latin-1"), found.start())
                for found in _GOTO.finditer(self.code)
            ]
        jumps = [at for target, at in self._jumps if target == name]
        for guard in self._under:
            if not all(guard.start <= at < guard.end for at in jumps):
                guard.expr = guards.UNKNOWN
        self._through(node, conditional, depth)

    def _switch(self, node: Node, conditional: int, depth: int) -> None:
        condition = node.child_by_field_name("condition")
        body = node.child_by_field_name("body")
        if condition is None or body is None:
            self._through(node, conditional, depth)
            return
        self.visit(condition, conditional, depth + 1)
        subject = guards.expression(condition, self.code, self.places.locals)
        cases = [child for child in body.named_children if child.type == "case_statement"]
        labels = [self._case_label(case) for case in cases]
        # Without a case that is not configured, its label goes elsewhere.
        here = self.condition_at(self.base + node.start_byte)
        there = [here == self.condition_at(self.base + case.start_byte) for case in cases]
        sure = [one for one, same in zip(labels, there, strict=True) if same]
        all_ = ("labels", *dict.fromkeys(one for one in sure if one != guards.UNKNOWN))
        own: list[guards.Expr] = []
        for child in body.named_children:
            if child.type != "case_statement":
                self.visit(child, 1, depth + 1)
                continue
            own.append(self._case_label(child))
            # Where a label is an expression, nothing is known.
            if guards.UNKNOWN in own or subject == guards.UNKNOWN:
                self.visit(child, 1, depth + 1)
            else:
                case = ("case", subject, ("labels", *own), all_)
                span = child.start_byte, child.end_byte
                self._under.append(_Guard(condition, True, *span, expr=case))
                self.visit(child, 1, depth + 1)
                self._under.pop()
            if _always_leaves(child):
                own = []

    def _forget_cases(self) -> None:
        for guard in self._under:
            if isinstance(guard.expr, tuple) and guard.expr[0] == "case":
                guard.expr = guards.UNKNOWN

    def _case_label(self, case: Node) -> guards.Expr:
        label = case.child_by_field_name("value")
        if label is None:
            return "default"
        found = guards.expression(label, self.code, self.places.locals)
        return found if isinstance(found, str) else guards.UNKNOWN

    def _loop(self, node: Node, conditional: int, depth: int) -> None:
        body = node.child_by_field_name("body")
        for child in node.named_children:
            inside = body is not None and child.start_byte == body.start_byte
            self.visit(child, 1 if inside else conditional, depth + 1)

    def _case(self, node: Node, conditional: int, depth: int) -> None:
        label = node.child_by_field_name("value")
        outer = self.case
        above = node.parent.parent if node.parent is not None else None
        if above is None or above.type != "switch_statement":
            self._forget_cases()  # a case within a block of another one
        # sys_ipc looks at a version number inside "case MSGRCV:" (from 1.1.10 on).
        if label is not None and label.type == "identifier":
            self.case = self.places.text(label)
        children = node.named_children
        self._sequence([c for c in children if c != label], 1, depth)
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
                span = side.start_byte, side.end_byte
                self._under.append(_Guard(condition, name == "consequence", *span))
                if decision is not None:
                    self._decide(side, 1, depth + 1, decision, truth)
                else:
                    self.visit(side, 1, depth + 1)
                self._under.pop()

    def _binary(self, node: Node, conditional: int, depth: int) -> None:
        if _TELLING.search(self.code, node.start_byte, node.end_byte):
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
            self._under.append(_Guard(left, sign == "&&", right.start_byte, right.end_byte))
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
        given = [one for one in arguments.named_children if one.type != "comment"]
        effect, errno = decision.when(not truth) if decision is not None else UNKNOWN
        if target == "uid_eq" and compares_root(arguments, self.places):
            # True for root, as a uid itself is true for everybody else.
            self._uid_test(node, conditional, decision, not truth)
        if target:
            at = self.base + node.start_byte
            condition = self.condition_at(at)
            # In get_blkfops(major)->ioctl(…) (2.0) two calls begin at the same place.
            plain = function.type == "identifier"
            self.body.calls.setdefault(
                at if plain else self.base + arguments.start_byte,
                Call(
                    self._row(node),
                    target,
                    pointer,
                    tuple([self.places.argument(one, target) for one in given]),
                    conditional,
                    effect,
                    errno,
                    self.case,
                    condition,
                    self._guards(condition),
                    self._passed(given, "" if pointer else target),
                ),
            )
        if pointer and function.type != "identifier":
            self.visit(function, conditional, depth + 1)
        self._visit_all(given, conditional, depth + 1)

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
                self._guards(self.condition_at(at)),
            ),
        )

    # Conditions.

    def _guards(self, configured: str) -> tuple[guards.Expr, ...]:
        """The conditions on variables of the function under which the code at hand runs, that
        stands under the preprocessor condition ``configured``."""
        if not self._under:
            return ()
        found = []
        have = set(configured.split(" && "))
        for guard in self._under:
            if guard.expr is None:
                guard.configured = self._configured(guard.condition)
                expr = guards.expression(guard.condition, self.code, self.places.locals)
                if not guards.leaves(expr):
                    expr = guards.UNKNOWN
                known = expr == guards.UNKNOWN or guard.truth
                guard.expr = expr if known else guards.negated(expr)
            # What is not compiled wherever this code is does not guard it.
            if guard.expr != guards.UNKNOWN and guard.configured <= have:
                found.append(guard.expr)
        return tuple(found)

    def _configured(self, node: Node) -> frozenset[str]:
        """The preprocessor conditions under which all of an expression is compiled."""
        start, end = node.start_byte, node.end_byte
        places = [start, *(found.start() for found in _LINE_END.finditer(self.code, start, end))]
        texts = {self.condition_at(self.base + at) for at in places}
        return frozenset(part for text in texts for part in text.split(" && ") if part)

    def _passed(self, arguments: list[Node], target: str) -> tuple[guards.Expr, ...]:
        """The arguments of a call, up to the last one that can be followed."""
        found = [guards.expression(one, self.code, self.places.locals) for one in arguments]
        if self._returning:
            found = [
                (*one, "last") if isinstance(one, tuple) and one[0] == "addr" else one
                for one in found
            ]
        # A macro may change what it is handed (get_user), a function what "&" hands it.
        for one in found:
            inner = one[1] if isinstance(one, tuple) and one[0] == "addr" else one
            if isinstance(inner, str) and inner[0] == "$":
                # A macro may change it; what a pointer points to is none.
                if target:
                    self.body.handed.add(f"{inner}@{target}")
                if inner is not one:
                    self.body.handed.add("&" + inner[1:])
        while found and found[-1] == guards.UNKNOWN:
            found.pop()
        return tuple(found)

    def _set(self, node: Node, target: Node, value: Node | None, operator: str = "=") -> None:
        """Take down what a variable or a member of it is set to; ``x |= y`` sets x to x | y."""
        place = guards.expression(target, self.code, self.places.locals)
        if isinstance(place, str) and place[0] == "$":
            expr = guards.UNKNOWN
            if value is not None:
                expr = guards.expression(value, self.code, self.places.locals)
                if operator in ("|=", "&="):
                    expr = (operator[0], place, expr)
            self.body.sets.setdefault(self.base + node.start_byte, (place, expr))

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
        # What any other operator does is not followed.
        self._set(node, left, right if sign in ("=", "|=", "&=") else None, sign)
        self.visit(left, conditional, depth + 1)
        self.visit(right, conditional, depth + 1)

    def _update(self, node: Node, conditional: int, depth: int) -> None:
        argument = node.child_by_field_name("argument")
        if argument is not None:
            self._set(node, argument, None)
        self._through(node, conditional, depth)

    def _assembler(self, node: Node, conditional: int, depth: int) -> None:
        operand = node.child_by_field_name("value")
        if operand is not None:
            self._set(node, operand, None)
        self._through(node, conditional, depth)

    def _flow(self, target: str, value: Node) -> None:
        local = target.startswith("$") and ">" not in target
        if not target or (local and not self.places.may_hold_function(target[1:])):
            return
        # What functions return is followed into variables for functions alone: it is a lot.
        held = target.startswith("$") and self.places.holds_function(target[1:])
        for source in self.places.sources(value, of_call=held):
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
            if type_ == AUTO and value is not None:
                type_ = self.places.typed(self.places.place(value))
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
            static = self.code[node.start_byte : node.start_byte + 6] == b"static"
            self.body.sets.setdefault(
                self.base + declarator.start_byte,
                (
                    "$" + found.name,
                    guards.UNKNOWN
                    if static
                    else guards.expression(value, self.code, self.places.locals),
                ),
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
        """The parameters of a parameter list, which become known as locals; one named ``...``
        stands for any number of them."""
        result = []
        for child in node.named_children:
            if child.type == "variadic_parameter":
                result.append(Parameter("...", ""))
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
_VISITORS: dict[str, Callable[[BodyReader, Node, int, int], None] | None] = {
    **dict.fromkeys(_WORDS),
    "call_expression": BodyReader._call,
    "if_statement": BodyReader._if,
    "while_statement": BodyReader._loop,
    "do_statement": BodyReader._loop,
    "for_statement": BodyReader._loop,
    "switch_statement": BodyReader._switch,
    "compound_statement": BodyReader._block,
    "labeled_statement": BodyReader._label,
    "return_statement": BodyReader._return,
    "case_statement": BodyReader._case,
    "binary_expression": BodyReader._binary,
    "unary_expression": BodyReader._unary,
    "conditional_expression": BodyReader._ternary,
    "assignment_expression": BodyReader._assignment,
    "declaration": BodyReader._declaration,
    "update_expression": BodyReader._update,
    "gnu_asm_output_operand": BodyReader._assembler,
    "parenthesized_expression": BodyReader._through,
    "compound_literal_expression": BodyReader._literal,
    "struct_specifier": BodyReader._struct,
    "union_specifier": BodyReader._struct,
}
