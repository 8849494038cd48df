"""Small C, read: what the tests of syntax share."""

from __future__ import annotations

from typing import NamedTuple

from caphistory.syntax.facts import (
    Blob,
    Call,
    Function,
    Item,
    Macro,
    Stored,
    Struct,
    Typedef,
    UidTest,
    Variable,
)
from caphistory.syntax.reader import read


class Asked(NamedTuple):
    """A call, or a test of a uid (``uid0``), where it stands in the file."""

    line: int
    function: str
    name: str
    effect: str
    errno: str
    condition: str


class File(NamedTuple):
    """A file that was read, with the lines of the file in place of those of its items."""

    blob: Blob
    items: list[tuple[int, str, Item]]

    @property
    def functions(self) -> list[Function]:
        return [fact for _, _, item in self.items for fact in item.functions]

    @property
    def macros(self) -> list[Macro]:
        return [fact for _, _, item in self.items for fact in item.macros]

    @property
    def structs(self) -> list[Struct]:
        return [fact for _, _, item in self.items for fact in item.structs]

    @property
    def typedefs(self) -> list[Typedef]:
        return [fact for _, _, item in self.items for fact in item.typedefs]

    @property
    def variables(self) -> list[Variable]:
        return [fact for _, _, item in self.items for fact in item.variables]

    @property
    def stored(self) -> list[Stored]:
        return [fact for _, _, item in self.items for fact in item.stored]

    def function(self, name: str) -> Function:
        """The one function of that name."""
        (found,) = [function for function in self.functions if function.name == name]
        return found

    def asked(self) -> list[Asked]:
        """All calls and tests of uids, by line."""
        found = []
        for line, outer, item in self.items:
            for fact in (*item.functions, *item.macros):
                for one in (*fact.calls, *fact.uid_tests):
                    condition = " && ".join(part for part in (outer, one.condition) if part)
                    name = one.target if isinstance(one, Call) else "uid0"
                    at = line + one.line
                    found.append(Asked(at, fact.name, name, one.effect, one.errno, condition))
        return sorted(found)

    def lines(self, name: str) -> list[tuple[int, str]]:
        """Where something is asked: line and function."""
        return [(one.line, one.function) for one in self.asked() if one.name == name]


def file(text: str | bytes) -> File:
    """Read a file."""
    source = text.encode("latin-1") if isinstance(text, str) else text
    blob, items = read(source)
    return File(blob, [(p.line, p.condition, items[p.key]) for p in blob.items])


def body(statements: str, parameters: str = "void") -> Function:
    """Read the statements of a function ``f``."""
    return file(f"int f({parameters})\n{{\n{statements}\n}}\n").function("f")


def calls(statements: str, parameters: str = "void") -> list[str]:
    """What the statements of a function call."""
    return [call.target for call in body(statements, parameters).calls]


def uid_tests(statements: str, parameters: str = "void") -> list[UidTest]:
    """The tests of uids among the statements of a function."""
    return list(body(statements, parameters).uid_tests)


def effect(statements: str, check: str = "capable") -> tuple[str, str]:
    """The effect of the one call of ``check`` in the statements of a function."""
    found = {(c.effect, c.errno) for c in body(statements).calls if c.target == check}
    (only,) = found
    return only
