"""What the names of constants stand for in a file of one release."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from caphistory.linking.program import Program
from caphistory.linking.values import Value, any_of, value_of
from caphistory.syntax.constants import constant, definitions
from caphistory.syntax.guards import names
from caphistory.syntax.headers import split_arguments

_DEEPEST = 8
_NAME = re.compile(r"\b[A-Z_][A-Z0-9_]*\b")
_DEFINED = re.compile(r"^\w+", re.M)
_CALL = re.compile(r"\(?\s*([A-Z_][A-Z0-9_]*)\s*\(([^()]*(?:\([^()]*\)[^()]*)*)\)\s*\)?")


class _Macro(NamedTuple):
    parameters: list[str]
    body: str


class Numbers:
    """The values of macros without parameters, as the files of a program define them. Where the
    preprocessor decides among several definitions, the value is what these have in common."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._bodies: dict[str, dict[str, list[_Macro]]] = {}
        self._known: dict[tuple[str, str], Value | None] = {}

    def find(self, wanted: Iterable[str]) -> None:
        """Look for the definitions of these names (``:O_CREAT``), and of those in them."""
        missing = {name[1:] for name in wanted} - self._bodies.keys()
        defining = self._defining() if missing else {}
        while missing:
            self._bodies.update((name, {}) for name in missing)
            for path in {path for name in missing for path in defining.get(name, ())}:
                for name, parameters, body in definitions(self._program.files[path].constants):
                    if name in missing:
                        macro = _Macro(parameters, body)
                        self._bodies[name].setdefault(path, []).append(macro)
            found = [m for name in missing for all_ in self._bodies[name].values() for m in all_]
            missing = {n for macro in found for n in _NAME.findall(macro.body)}
            missing -= self._bodies.keys()

    def _defining(self) -> dict[str, list[str]]:
        """For each name the files that define it."""
        found: dict[str, list[str]] = {}
        for path, blob in self._program.files.items():
            if blob.constants and self._program.built(path):
                for name in _DEFINED.findall(blob.constants.decode("latin-1")):
                    found.setdefault(name, []).append(path)
        return found

    def of(self, wanted: Iterable[str], path: str) -> dict[str, Value]:
        """The values of names in a file, as far as they are known."""
        values = {name: self._value(name, path, 0) for name in wanted}
        return {name: value for name, value in values.items() if value is not None}

    def _value(self, name: str, path: str, depth: int) -> Value | None:
        key = (name, path)
        if key not in self._known:
            self._known[key] = None  # for one that names itself
            bodies = self._visible(name[1:], path) if depth < _DEEPEST else []
            self._known[key] = any_of([self._worth(body, path, depth) for body in bodies])
        return self._known[key]

    def _worth(self, macro: _Macro, path: str, depth: int) -> Value | None:
        if macro.parameters or not macro.body:
            return None
        bodies = self._expanded(macro.body, path, depth)
        return any_of([self._number(body, path, depth) for body in bodies])

    def _number(self, text: str, path: str, depth: int) -> Value | None:
        body = constant(text)
        inner = {name: self._value(name, path, depth + 1) for name in names(body)}
        value = value_of(body, {n: v for n, v in inner.items() if v is not None})
        return None if isinstance(value, str) else value

    def _expanded(self, text: str, path: str, depth: int) -> list[str]:
        """What a body may be that only uses a macro with parameters: ``_IO(0x12, 98)``."""
        call = _CALL.fullmatch(text)
        if call is None or depth > _DEEPEST:
            return [text]
        arguments = [a.decode("latin-1") for a in split_arguments(call.group(2).encode("latin-1"))]
        found = []
        for macro in self._visible(call.group(1), path):
            if len(macro.parameters) != len(arguments):
                return [text]
            put = dict(zip(macro.parameters, arguments, strict=True))
            words = re.split(r"(\w+)", macro.body)
            body = "".join(put.get(word, word) for word in words)
            found += self._expanded(body, path, depth + 1)
        return found or [text]

    def _visible(self, name: str, path: str) -> list[_Macro]:
        by_path = self._bodies.get(name)
        if not by_path:
            return []
        found = [p for p in by_path if p == path or self._program.includes(path, p)]
        # What is included has what the files have that include it.
        if not found and self._program.may_be_included(path):
            found = [p for p in by_path if p.endswith(".h")]
        return [macro for p in found for macro in by_path[p]]
