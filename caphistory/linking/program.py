"""The facts of one release under the names by which C code finds them.

C's rules of linkage, as far as they can be told without building the kernel:
a static function is seen in its own file, or in those that include it; a macro or
inline of a header, in the files that include the header; another architecture's
folder does not exist.

A ``Program`` goes from one release to the next by exchanging the files that differ.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from typing import Generic, NamedTuple, TypeVar

from caphistory.linking.conditions import Target, possible, version_code
from caphistory.linking.folders import Abi, architecture, foreign
from caphistory.syntax.facts import (
    Blob,
    Call,
    Flow,
    Function,
    Item,
    Macro,
    Stored,
    Struct,
    Variable,
)
from caphistory.syntax.notation import meeting, names

T = TypeVar("T")


class Definition:
    """A function or macro of the release; compared by identity, ordered by ``key``."""

    __slots__ = ("condition", "fact", "item_line", "key", "line", "name", "path")

    def __init__(
        self, name: str, path: str, item_line: int, condition: str, fact: Function | Macro
    ) -> None:
        self.name = name
        self.path = path
        self.item_line = item_line
        self.condition = condition
        self.fact = fact
        self.line = item_line + (fact.line if isinstance(fact, Function) else 0)
        self.key = (path, self.line, name)

    def parameters(self) -> list[str]:
        """The names of its parameters, in order."""
        if isinstance(self.fact, Function):
            return [parameter.name for parameter in self.fact.parameters]
        return list(self.fact.parameters or ())

    def __repr__(self) -> str:
        return f"{self.name} ({self.path}:{self.line})"


class StoredAt(NamedTuple):
    """An initialiser's entry and where it stands; ``within`` is the function whose local
    it initialises."""

    stored: Stored
    path: str
    within: Definition | None


class Index(Generic[T]):
    """Things by name, that can be taken out again by the file that they came from."""

    __slots__ = ("_by_key", "_keys")

    def __init__(self) -> None:
        self._by_key: dict[str, dict[str, list[T]]] = {}
        self._keys: dict[str, set[str]] = {}

    def add(self, key: str, path: str, thing: T) -> None:
        self._by_key.setdefault(key, {}).setdefault(path, []).append(thing)
        self._keys.setdefault(path, set()).add(key)

    def drop(self, path: str) -> None:
        for key in self._keys.pop(path, ()):
            by_path = self._by_key[key]
            del by_path[path]
            if not by_path:
                del self._by_key[key]

    def __contains__(self, key: str) -> bool:
        return key in self._by_key

    def at(self, key: str, path: str) -> list[T]:
        """What a file itself has under a key."""
        by_path = self._by_key.get(key)
        return by_path.get(path, []) if by_path else []

    def get(self, key: str) -> Iterator[T]:
        """All under a key, by path: the order does not depend on how it came about."""
        by_path = self._by_key.get(key)
        if by_path:
            for path in sorted(by_path) if len(by_path) > 1 else by_path:
                yield from by_path[path]

    def paths(self, key: str) -> list[str]:
        return sorted(self._by_key.get(key, ()))

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_key)


class Program:
    """All that one release holds, seen as a kernel with one ABI is built (``build_for``)."""

    def __init__(self, abi: Abi) -> None:
        self.abi = abi
        self.files: dict[str, Blob] = {}
        self.definitions: dict[str, list[Definition]] = {}
        self.by_name: Index[Definition] = Index()
        self.structs: Index[Struct] = Index()
        self.typedefs: Index[str] = Index()
        self.variables: Index[Variable] = Index()
        self.calls: Index[tuple[Definition, Call]] = Index()
        self.aliases: Index[Definition] = Index()
        self.pointer_calls: Index[tuple[Definition, Call]] = Index()
        self.passed: Index[tuple[Definition, Call, int]] = Index()
        self.flows: Index[tuple[Definition, Flow]] = Index()
        self.stored: Index[StoredAt] = Index()
        self.uses: Index[StoredAt] = Index()
        self.tables: Index[StoredAt] = Index()
        self.uid_tests: Index[Definition] = Index()
        self.with_parameters: Index[Definition] = Index()
        self._all: tuple[Index[object], ...] = (  # type: ignore[assignment]
            self.by_name,
            self.structs,
            self.typedefs,
            self.variables,
            self.calls,
            self.aliases,
            self.pointer_calls,
            self.passed,
            self.flows,
            self.stored,
            self.uses,
            self.tables,
            self.uid_tests,
            self.with_parameters,
        )
        self._version: int | None = None
        self._possible: dict[str, bool] = {}
        self._included_sources: set[str] = set()
        self._foreign: frozenset[str] = frozenset()
        self._arch: dict[str, str] = {}
        self._direct: dict[str, list[str]] = {}
        self._seen: dict[str, frozenset[str]] = {}
        self._resolved: dict[tuple[str, str], list[Definition]] = {}

    def update(self, files: Mapping[str, Blob], items: Mapping[bytes, Item]) -> None:
        """Become the release that holds ``files``."""
        for path in [p for p, blob in self.files.items() if files.get(p) is not blob]:
            del self.files[path]
            del self.definitions[path]
            for index in self._all:
                index.drop(path)
        for path, blob in files.items():
            if path not in self.files:
                self.files[path] = blob
                self._add(path, blob, items)
        self._included_sources = {
            posixpath.basename(name[1:])
            for blob in self.files.values()
            for name in blob.includes
            if name.endswith(".c")
        }
        self.forget()

    def build_for(self, abi: Abi, release: str) -> None:
        """See the release as it is built with another ABI; ``release`` is its name."""
        version = version_code(release)
        if (abi, version) != (self.abi, self._version):
            self.abi, self._version = abi, version
            self.forget()

    def forget(self) -> None:
        """Drop what was worked out from the files or the ABI that were there before."""
        self._direct.clear()
        self._seen.clear()
        self._resolved.clear()
        self._possible.clear()
        self._foreign = foreign(self.files, self._arch, self.abi, self._include_targets)

    def _add(self, path: str, blob: Blob, items: Mapping[bytes, Item]) -> None:
        self._arch[path] = architecture(path)
        self.definitions[path] = []
        for placed in blob.items:
            item = items[placed.key]
            function = None
            for fact in item.functions:
                function = self._define(fact.name, path, placed.line, placed.condition, fact)
                for flow in fact.flows:
                    self.flows.add(meeting(flow.source), path, (function, flow))
            for macro in item.macros:
                at_macro = self._define(macro.name, path, placed.line, placed.condition, macro)
                if macro.parameters is not None and (macro.flows or macro.calls):
                    self.with_parameters.add("", path, at_macro)
            for struct in item.structs:
                self.structs.add(struct.tag, path, struct)
            for typedef in item.typedefs:
                self.typedefs.add(typedef.name, path, typedef.type)
            for variable in item.variables:
                self.variables.add(variable.name, path, variable)
            for stored in item.stored:
                at = StoredAt(stored, path, function)
                if names(stored.source):
                    self.stored.add(stored.source[1:], path, at)
                else:
                    self.uses.add(stored.source.partition("(")[0], path, at)
                if stored.path and stored.path[0][0] == "#":
                    self.tables.add(stored.variable, path, at)

    def _define(
        self, name: str, path: str, line: int, condition: str, fact: Function | Macro
    ) -> Definition:
        definition = Definition(name, path, line, condition, fact)
        self.definitions[path].append(definition)
        self.by_name.add(name, path, definition)
        if isinstance(fact, Macro) and fact.alias:
            self.aliases.add(fact.alias, path, definition)
        if fact.uid_tests:
            self.uid_tests.add("", path, definition)
        own = set(definition.parameters())
        for call in fact.calls:
            if call.pointer:
                self.pointer_calls.add(meeting(call.target), path, (definition, call))
            else:
                self.calls.add(call.target, path, (definition, call))
            for position, argument in enumerate(call.arguments):
                if may_be_function(argument, own):
                    self.passed.add(meeting(argument), path, (definition, call, position))
        return definition

    def is_stored(self, definition: Definition) -> bool:
        """Whether a function's name stands somewhere as a value, so that it may be called
        through a pointer."""
        name, place = definition.name, ":" + definition.name
        paths = {at.path for at in self.stored.get(name)}
        paths.update(user.path for user, flow in self.flows.get(place) if flow.source == place)
        paths.update(
            user.path
            for user, call, position in self.passed.get(place)
            if call.arguments[position] == place
        )
        return any(definition in self.resolve(name, path) for path in paths)

    def all_definitions(self) -> Iterator[Definition]:
        """Every definition, by path and line."""
        for path in sorted(self.definitions):
            yield from self.definitions[path]

    def testing_uids(self) -> Iterator[Definition]:
        """The definitions that compare a task's uid with 0."""
        return self.uid_tests.get("")

    def possible(self, condition: str) -> bool:
        """Whether what stands under a preprocessor condition can be part of such a kernel."""
        found = self._possible.get(condition)
        if found is None:
            others = frozenset(self._arch.values()) - self.abi.folders
            found = possible(condition, Target(self.abi.name, others, self._version))
            self._possible[condition] = found
        return found

    def built(self, path: str) -> bool:
        """Whether a file can be part of a kernel with this ABI."""
        found = self._arch[path]
        return (not found or found in self.abi.folders) and path not in self._foreign

    def _sees(self, path: str, other: str) -> bool:
        """Whether code in ``path`` can be linked with code in ``other``."""
        theirs = self._arch[other]
        if other in self._foreign:
            return path in self._foreign
        if not theirs:
            return True
        mine = self._arch.get(path, "")
        if not mine or mine in self.abi.folders:
            return theirs in self.abi.folders
        return mine == theirs

    # What a name means in a file.

    def resolve(self, name: str, path: str) -> list[Definition]:
        """The functions and macros that ``name`` may mean in the file ``path``: more than
        one only where the preprocessor decides among them."""
        if name not in self.by_name:
            return []
        key = (name, path)
        found = self._resolved.get(key)
        if found is None:
            found = self._resolved[key] = self._visible(name, path)
        return found

    def _visible(self, name: str, path: str) -> list[Definition]:
        own = self.by_name.at(name, path)
        if own:
            return [d for d in own if self.possible(d.condition)] or own
        candidates = [
            d
            for d in self.by_name.get(name)
            if self._sees(path, d.path) and self.possible(d.condition)
        ]
        exported = [d for d in candidates if _is_exported(d)]
        by_include = [d for d in candidates if self._may_be_included(d)]
        if by_include:
            seen = self.includes(path)
            included = [d for d in by_include if d.path in seen]
            if included and exported and _leaves_open(included):
                return _nearest(exported, path) + included
            if included:
                return included
        if exported:
            return _nearest(exported, path)
        # A header that is reached by a way that the tree does not show (generated
        # headers, -include): its inlines are better than nothing, if there is one only.
        headers = [d for d in candidates if d.path.endswith(".h")]
        return headers if len({d.path for d in headers}) == 1 else []

    def _may_be_included(self, definition: Definition) -> bool:
        """Drivers of 1.2 to 2.4 include .c files; the static functions come with them."""
        path = definition.path
        return path.endswith(".h") or posixpath.basename(path) in self._included_sources

    def includes(self, path: str) -> frozenset[str]:
        """The files that ``path`` includes, directly or not."""
        found = self._seen.get(path)
        if found is None:
            seen: set[str] = set()
            waiting = [path]
            while waiting:
                for target in self._included_by(waiting.pop()):
                    if target not in seen:
                        seen.add(target)
                        waiting.append(target)
            found = self._seen[path] = frozenset(seen)
        return found

    def _included_by(self, path: str) -> list[str]:
        found = self._direct.get(path)
        if found is None:
            names = self.files[path].includes
            found = [target for name in names for target in self._include_targets(name, path)]
            self._direct[path] = found
        return found

    def _include_targets(self, name: str, at: str) -> list[str]:
        kind, target = name[0], name[1:]
        tried = []
        if kind == '"':
            tried.append(posixpath.normpath(posixpath.join(posixpath.dirname(at), target)))
        if target.startswith("asm/"):
            rest = target[4:]
            mine = self._arch.get(at, "")
            folders = {mine} if mine and mine not in self.abi.folders else self.abi.folders
            # A platform's header stands before the generic one that it may include.
            for folder in sorted(folders, key=lambda f: (f == "generic", f)):
                tried += [
                    f"include/asm-{folder}/{rest}",
                    f"arch/{folder}/include/asm/{rest}",
                    f"arch/{folder}/include/uapi/asm/{rest}",
                ]
        tried += [f"include/{target}", f"include/uapi/{target}"]
        return [path for path in tried if path in self.files][:2]

    # Types and variables.

    def struct(self, type_: str, path: str) -> tuple[str, str, Struct] | None:
        """The struct that a type's name means in a file: its tag, the path of its
        definition and the definition; None where there is none."""
        for _ in range(6):
            type_ = self._renamed(type_, path)
            place = self._pick(self.structs, type_, path)
            if place is not None:
                return type_, place, self._widest(type_, place)
            if type_.startswith(("struct ", "union ")) or not type_:
                return None
            place = self._pick(self.typedefs, type_, path)
            if place is None:
                return None
            type_ = self.typedefs.at(type_, place)[0]
        return None

    def _renamed(self, type_: str, path: str) -> str:
        """A struct's type, if a macro that the file sees renames its tag: 2.2 drivers of 2.3
        have ``#define net_device device``."""
        kind, _, tag = type_.rpartition(" ")
        if kind and tag in self.by_name:
            for definition in self.resolve(tag, path):
                fact = definition.fact
                seen = definition.path == path or definition.path in self.includes(path)
                if seen and isinstance(fact, Macro) and fact.parameters is None and fact.alias:
                    return f"{kind} {fact.alias}"
        return type_

    def _widest(self, tag: str, path: str) -> Struct:
        """Of several definitions in one file (#ifdef), the one with the most members."""
        return max(self.structs.at(tag, path), key=lambda s: len(s.members))

    def variable(self, name: str, path: str) -> tuple[str, Variable] | None:
        """The variable that a name means in a file, with the path of its declaration if it
        is static: (path or "", variable)."""
        if name not in self.variables:
            return None
        own = self.variables.at(name, path)
        if own:
            best = max(own, key=lambda v: bool(v.type))
            return (path if best.static else ""), best
        shared = [v for v in self.variables.get(name) if not v.static]
        if shared:
            return "", max(shared, key=lambda v: bool(v.type))
        seen = self.includes(path)
        for place in self.variables.paths(name):
            if place in seen:
                return place, self.variables.at(name, place)[0]
        return None

    def _pick(self, index: Index[T], key: str, path: str) -> str | None:
        """Of the files with a definition, the one that ``path`` sees: itself, else one that
        it includes, else a header that this ABI is built with, else the first."""
        if key not in index:
            return None
        if index.at(key, path):
            return path
        places = [p for p in index.paths(key) if self._sees(path, p)]
        if len(places) <= 1:
            return places[0] if places else None
        seen = self.includes(path)
        for choice in (
            [p for p in places if p in seen],
            [p for p in places if p.endswith(".h")],
            places,
        ):
            if choice:
                return choice[0]
        return None


def may_be_function(argument: str, parameters: set[str]) -> bool:
    """Whether an argument may hand a function on: a name from outside that is no constant,
    a parameter, or a member."""
    if not argument or argument[0] == "=":
        return False
    if ">" in argument:
        return True
    if argument[0] == ":":
        return not argument[1:].isupper()
    return argument[0] == "$" and argument[1:] in parameters


def _is_exported(definition: Definition) -> bool:
    fact = definition.fact
    return isinstance(fact, Function) and not fact.static and not definition.path.endswith(".h")


def _leaves_open(definitions: list[Definition]) -> bool:
    """Whether the preprocessor may leave a header without these definitions: the stand-in
    for a function that is not configured (``do_shmat`` of include/linux/shm.h, 2.6)."""
    conditions = {definition.condition for definition in definitions}
    open_ = {c for c in conditions if not set(c.split(" && ")) <= _KERNEL}
    return open_ == conditions and not any({"!" + c, f"!({c})"} & open_ for c in open_)


# What holds for all code of a kernel that is C.
_KERNEL = frozenset(("", "defined(__KERNEL__)", "!defined(__ASSEMBLY__)"))


def _nearest(candidates: list[Definition], path: str) -> list[Definition]:
    """Of several functions with the same external name, which no kernel holds at once:
    those of the file nearest to the caller's (most leading folders in common); then one of
    the architecture; then the shallowest and first path."""
    if len({c.path for c in candidates}) == 1:
        return candidates
    folders = path.split("/")

    def rank(definition: Definition) -> tuple[int, bool, int, str]:
        theirs = definition.path.split("/")
        common = 0
        while common < min(len(folders), len(theirs)) and folders[common] == theirs[common]:
            common += 1
        return -common, theirs[0] != "arch", len(theirs), definition.path

    best = min(candidates, key=rank).path
    return [c for c in candidates if c.path == best]
