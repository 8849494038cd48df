"""The facts of the statements of a function ``f``."""

from __future__ import annotations

from tests.engine.adapters import facts
from tests.engine.facts import Function, UidTest


def body(statements: str, parameters: str = "void") -> Function:
    """The function ``f`` with these statements."""
    return facts(f"int f({parameters})\n{{\n{statements}\n}}\n").function("f")


def calls(statements: str, parameters: str = "void") -> list[str]:
    """What the statements of a function call."""
    return [call.target for call in body(statements, parameters).calls]


def uid_tests(statements: str, parameters: str = "void") -> list[UidTest]:
    """The tests of uids among the statements of a function."""
    return list(body(statements, parameters).uid_tests)


def effect(statements: str, check: str = "capable") -> tuple[str, str]:
    """Effect and errno of the calls of ``check`` among the statements of a function."""
    (only,) = {(c.effect, c.errno) for c in body(statements).calls if c.target == check}
    return only
