"""What the names of constants stand for in a file of one release."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple
from weakref import WeakKeyDictionary

from caphistory.linking.program import Program
from caphistory.linking.values import Value, any_of, value_of
from caphistory.syntax.constants import constant, definitions
from caphistory.syntax.facts import Blob
from caphistory.syntax.guards import names
from caphistory.syntax.headers import split_arguments

_DEEPEST = 8
_NAME = re.compile(r"\b[A-Z_][A-Z0-9_]*\b")
_DEFINED = re.compile(r"^\w+", re.M)
_CALL = re.compile(r"\(?\s*([A-Z_][A-Z0-9_]*)\s*\(([^()]*(?:\([^()]*\)[^()]*)*)\)\s*\)?")


class _Macro(NamedTuple):
    parameters: list[str]
    body: str


class _Defining:
    """Which files define a name as a constant, kept from release to release."""

    def __init__(self) -> None:
        self._texts: dict[str, bytes] = {}
        self._paths: dict[str, tuple[str, ...]] = {}

    def update(self, files: Mapping[str, Blob]) -> None:
        """Become what these files define."""
        for path in [path for path in self._texts if path not in files]:
            self._exchange(path, b"")
        for path, blob in files.items():
            if self._texts.get(path, b"") is not blob.constants:
                self._exchange(path, blob.constants)

    def _exchange(self, path: str, text: bytes) -> None:
        before, now = _names_in(self._texts.pop(path, b"")), _names_in(text)
        for name in before - now:
            others = tuple(one for one in self._paths.pop(name) if one != path)
            if others:
                self._paths[name] = others
        for name in now - before:
            self._paths[name] = (*self._paths.get(name, ()), path)
        if text:
            self._texts[path] = text

    def paths(self, name: str) -> tuple[str, ...]:
        """The files that define a name, in no particular order."""
        return self._paths.get(name, ())


def _names_in(text: bytes) -> set[str]:
    return set(_DEFINED.findall(text.decode("latin-1")))


_KNOWN: WeakKeyDictionary[Program, _Defining] = WeakKeyDictionary()


def _defining(program: Program) -> _Defining:
    found = _KNOWN.setdefault(program, _Defining())
    found.update(program.files)
    return found


# Most constants are the same in neighbouring releases, and in files that see the same header.
_expression = lru_cache(1 << 16)(constant)


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
        defining = _defining(self._program)
        while missing:
            self._bodies.update((name, {}) for name in missing)
            paths = {path for name in missing for path in defining.paths(name)}
            for path in filter(self._program.built, paths):
                for name, parameters, body in definitions(self._program.files[path].constants):
                    if name in missing:
                        macro = _Macro(parameters, body)
                        self._bodies[name].setdefault(path, []).append(macro)
            found = [m for name in missing for all_ in self._bodies[name].values() for m in all_]
            missing = {n for macro in found for n in _NAME.findall(macro.body)}
            missing -= self._bodies.keys()

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
        body = _expression(text)
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
