"""The facts of one release under the names by which C code finds them.

C's rules of linkage, as far as they can be told without building the kernel:
a static function is seen in its own file, or in those that include it; a macro or
inline of a header, in the files that include the header; another architecture's
folder does not exist.

A ``Program`` goes from one release to the next by exchanging the files that differ.
"""

from __future__ import annotations

import posixpath
from bisect import insort
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from functools import cache
from itertools import count
from typing import Any, Generic, NamedTuple, TypeVar

from caphistory.linking.conditions import VERSION, Target, possible, version_code
from caphistory.linking.folders import GENERIC, Abi, architecture, foreign, of_other_width
from caphistory.linking.includes import Includes
from caphistory.linking.news import News, different, different_members, widest
from caphistory.syntax.facts import (
    Blob,
    Call,
    Flow,
    Function,
    Item,
    Macro,
    Placed,
    Stored,
    Struct,
    Variable,
)
from caphistory.syntax.notation import PASTE, meeting, names

T = TypeVar("T")


_NUMBERS = count()


class Definition:
    """A function or macro of the release; compared by identity, which is its ``number`` too, and
    ordered by ``key``. It stays the same from release to release as long as those who use it can
    tell no difference."""

    __slots__ = ("cells", "condition", "fact", "item_line", "line", "name", "number", "path")

    def __init__(
        self, name: str, path: str, item_line: int, condition: str, fact: Function | Macro
    ) -> None:
        self.name = name
        self.path = path
        self.condition = condition
        self.number = next(_NUMBERS)
        # Its parameters and locals that can hold functions, by name (see ``cells``).
        self.cells: dict[str, Any] | None = None
        self.place(item_line, fact)

    def place(self, item_line: int, fact: Function | Macro) -> None:
        """Say where it stands, and what it is, in another release."""
        self.item_line = item_line
        self.fact = fact
        self.line = item_line + (fact.line if isinstance(fact, Function) else 0)

    @property
    def key(self) -> tuple[str, int, str]:
        """What it is ordered by."""
        return self.path, self.line, self.name

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

    __slots__ = ("_at", "_paths")

    def __init__(self) -> None:
        self._at: dict[str, dict[str, list[T]]] = {}
        # In order; most keys are of one file, and take less room so.
        self._paths: dict[str, str | list[str]] = {}

    def put(self, path: str, things: dict[str, list[T]]) -> None:
        """Hold this of a file, by key, and nothing else of it."""
        before = self._at.get(path, {})
        for key in before:
            if key not in things:
                self._forget(key, path)
        for key in things:
            if key not in before:
                known = self._paths.setdefault(key, path)
                if known is not path:
                    if isinstance(known, str):
                        known = self._paths[key] = [known]
                    insort(known, path)
        if things:
            self._at[path] = things
        elif before:
            del self._at[path]

    def _forget(self, key: str, path: str) -> None:
        known = self._paths[key]
        if isinstance(known, str):
            del self._paths[key]
        else:
            known.remove(path)
            if len(known) == 1:
                self._paths[key] = known[0]

    def held(self, path: str) -> Mapping[str, list[T]]:
        """All that a file has, by key."""
        return self._at.get(path, {})

    def __contains__(self, key: str) -> bool:
        return key in self._paths

    def at(self, key: str, path: str) -> list[T]:
        """What a file itself has under a key."""
        own = self._at.get(path)
        return own.get(key, []) if own else []

    def get(self, key: str, among: Collection[str] | None = None) -> Iterator[T]:
        """All under a key, or what these files have, by path: the order does not depend on how
        it came about."""
        for path in self.paths(key):
            if among is None or path in among:
                yield from self._at[path][key]

    def paths(self, key: str) -> Sequence[str]:
        known = self._paths.get(key, ())
        return (known,) if isinstance(known, str) else known

    def __iter__(self) -> Iterator[str]:
        return iter(self._paths)


class _File:
    """What the indexes of a program are to hold of one file, by key. ``before`` are the
    definitions that the file had in the release before."""

    def __init__(self, path: str, before: Iterable[Definition]) -> None:
        self.path = path
        self.definitions: list[Definition] = []
        self.by_name: dict[str, list[Definition]] = {}
        self.structs: dict[str, list[Struct]] = {}
        self.typedefs: dict[str, list[str]] = {}
        self.variables: dict[str, list[Variable]] = {}
        self.calls: dict[str, list[tuple[Definition, Call]]] = {}
        self.aliases: dict[str, list[Definition]] = {}
        self.pointer_calls: dict[str, list[tuple[Definition, Call]]] = {}
        self.passed: dict[str, list[tuple[Definition, Call, int]]] = {}
        self.flows: dict[str, list[tuple[Definition, Flow]]] = {}
        self.stored: dict[str, list[StoredAt]] = {}
        self.uses: dict[str, list[StoredAt]] = {}
        self.tables: dict[str, list[StoredAt]] = {}
        self.uid_tests: dict[str, list[Definition]] = {}
        self.with_parameters: dict[str, list[Definition]] = {}
        self.lists: dict[str, list[Definition]] = {}
        self.versioned: dict[str, list[Definition]] = {}
        self._before: dict[tuple[object, ...], list[Definition]] = {}
        for definition in before:
            key = (definition.name, definition.condition, _as_used(definition.fact))
            self._before.setdefault(key, []).insert(0, definition)

    def read(self, blob: Blob, items: Mapping[bytes, Item]) -> None:
        """Take in all that the file holds."""
        path = self.path
        for placed in blob.items:
            item = items[placed.key]
            function = None
            for fact in item.functions:
                function = self._define(fact.name, placed, fact)
                for flow in fact.flows:
                    _add(self.flows, meeting(flow.source), (function, flow))
            for macro in item.macros:
                at_macro = self._define(macro.name, placed, macro)
                if macro.parameters is not None and (macro.flows or macro.calls):
                    _add(self.with_parameters, macro.name, at_macro)
                if macro.stored:
                    _add(self.lists, macro.name, at_macro)
            for struct in item.structs:
                _add(self.structs, struct.tag, struct)
            for typedef in item.typedefs:
                _add(self.typedefs, typedef.name, typedef.type)
            for variable in item.variables:
                _add(self.variables, variable.name, variable)
            for stored in item.stored:
                at = StoredAt(stored, path, function)
                if names(stored.source):
                    _add(self.stored, stored.source[1:], at)
                else:
                    _add(self.uses, stored.source.partition("(")[0], at)
                if stored.path and stored.path[0][0] == "#":
                    _add(self.tables, stored.variable, at)

    def _define(self, name: str, placed: Placed, fact: Function | Macro) -> Definition:
        known = self._before and self._before.get((name, placed.condition, _as_used(fact)))
        if known:
            definition = known.pop()
            definition.place(placed.line, fact)
        else:
            definition = Definition(name, self.path, placed.line, placed.condition, fact)
        self.definitions.append(definition)
        _add(self.by_name, name, definition)
        if VERSION in placed.condition:
            _add(self.versioned, name, definition)
        if isinstance(fact, Macro) and fact.alias:
            _add(self.aliases, fact.alias, definition)
        if fact.uid_tests:
            _add(self.uid_tests, "", definition)
        own = places_of_parameters(definition)
        for call in fact.calls:
            if call.pointer:
                _add(self.pointer_calls, meeting(call.target), (definition, call))
            else:
                _add(self.calls, call.target, (definition, call))
            for position, argument in enumerate(call.arguments):
                if may_be_function(argument, own):
                    _add(self.passed, meeting(argument), (definition, call, position))
        return definition


def _add(table: dict[str, list[T]], key: str, thing: T) -> None:
    known = table.get(key)
    if known is None:
        table[key] = [thing]
    else:
        known.append(thing)


def _as_used(fact: Function | Macro) -> object:
    """What those who use a function or macro depend on."""
    if isinstance(fact, Function):
        return fact.static, fact.inline, fact.parameters, fact.returns
    calls = tuple(call for call in fact.calls if _is_handed_on(call))
    return fact.parameters, fact.alias, fact.place, calls, fact.flows, fact.stored


def _is_handed_on(call: Call) -> bool:
    """Whether a call in a macro may depend on the macro's arguments."""
    return (
        call.pointer or PASTE in call.target or any(one.startswith("$") for one in call.arguments)
    )


class _View:
    """What was worked out of a program for one ABI, kept from release to release until
    something changes that it depends on. Tables are by name first, then by the path of the file
    in which the name is used."""

    def __init__(self, abi: Abi, files: Mapping[str, Blob], arch: Mapping[str, str]) -> None:
        self.target = Target(abi.name, frozenset(), None)
        # The kinds of folders that it is built from.
        self.kinds = ("", *abi.folders)
        self.includes = Includes(files, arch, abi)
        self.foreign: frozenset[str] = frozenset()
        self.stand_ins: frozenset[str] = frozenset()
        self.built: set[str] = set()
        self.possible: dict[str, bool] = {}
        self.resolved: dict[str, dict[str, list[Definition]]] = {}
        # By name: most files see the same, and one list is enough for them.
        self.shared: dict[str, list[Definition]] = {}
        # By name: what others than its own file may see, as long as nothing changes.
        self.for_others: dict[str, list[Definition]] = {}
        self.structs: dict[str, dict[str, str | None]] = {}
        self.typedefs: dict[str, dict[str, str | None]] = {}
        # For an external name with several functions and the file that uses it, the paths of
        # those that were not taken.
        self.ambiguous: dict[tuple[str, str], list[str]] = {}
        # Since it was built for last: the files that changed, those of them that came or went,
        # and the names that may mean something else, by kind: in what it is built from, and
        # in other architectures' files.
        self.changed: set[str] = set()
        self.moved: set[str] = set()
        self.near: list[set[str]] = [set(), set(), set()]
        self.far: list[set[str]] = [set(), set(), set()]
        # What is new for what this ABI is built from, since that was asked for; and what is
        # worked out elsewhere, and kept for this ABI.
        self.news = News()
        self.companions: dict[object, Any] = {}

    @property
    def tables(self) -> tuple[dict[str, dict[str, Any]], ...]:
        """What names mean, by kind."""
        return self.resolved, self.structs, self.typedefs


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
        self.lists: Index[Definition] = Index()
        self._versioned: Index[Definition] = Index()
        self._named: tuple[Index[Any], ...] = (
            self.by_name,
            self.structs,
            self.typedefs,
            self.variables,
        )
        self._included_sources: set[str] = set()
        self._arch: dict[str, str] = {}
        self._views: dict[Abi, _View] = {}
        self._view = self._view_of(abi)
        self._asked: set[str] = set()
        self._last = False

    def update(self, files: Mapping[str, Blob], items: Mapping[bytes, Item]) -> None:
        """Become the release that holds ``files``."""
        gone = [path for path in self.files if path not in files]
        new = [path for path, blob in files.items() if self.files.get(path) is not blob]
        moved = {*gone, *(path for path in new if path not in self.files)}
        changed = {*gone, *new}
        before = {path: [index.held(path) for index in self._named] for path in changed}
        called = self._called_in(changed)
        for path in gone:
            del self.files[path], self._arch[path]
            self._hold(_File(path, ()))
            del self.definitions[path]
        for path in new:
            self.files[path] = files[path]
            self._arch[path] = architecture(path)
            file = _File(path, self.definitions.get(path, ()))
            file.read(files[path], items)
            self._hold(file)
        called |= self._called_in(changed)
        sources = self._included_sources
        self._included_sources = {
            posixpath.basename(name[1:])
            for blob in self.files.values()
            for name in blob.includes
            if name.endswith(".c")
        }
        sources ^= self._included_sources
        others = {
            name
            for path in (self.files if sources else ())
            if posixpath.basename(path) in sources
            for name in self.by_name.held(path)
        }
        for view in self._views.values():
            view.changed |= changed
            view.moved |= moved
            view.near[0] |= others
            view.news.called |= called
        for path in changed:
            by_kind, everywhere = self._news_of(path, before[path])
            for view in self._views.values():
                near = architecture(path) in view.kinds
                for known, more in zip(view.near if near else view.far, by_kind, strict=True):
                    known |= more
                if near:
                    view.news.add_everywhere(everywhere)

    def _called_in(self, paths: Iterable[str]) -> set[str]:
        """The names that are called in some files, or of which a macro is another name there."""
        return _names_in(self.calls, paths) | _names_in(self.aliases, paths)

    def _news_of(
        self, path: str, before: Sequence[Mapping[str, Any]]
    ) -> tuple[list[set[str]], set[str]]:
        """The names that may mean something else as a file changed, by kind; and what is
        something else wherever it is meant: types, variables, and members of structs."""
        now = [index.held(path) for index in self._named]
        names, tags, types, variables = (
            different(old, new) for old, new in zip(before, now, strict=True)
        )
        # Where it is defined tells what a tag or type is; what it is like, only as it is there.
        moved = [
            tags & (before[1].keys() ^ now[1].keys()),
            types & (before[2].keys() ^ now[2].keys()),
        ]
        everywhere = (types - moved[1]) | variables
        for tag in tags:
            everywhere.update(different_members(tag, before[1].get(tag), now[1].get(tag)))
        return [names, *moved], everywhere

    def _hold(self, file: _File) -> None:
        path = file.path
        self.definitions[path] = file.definitions
        self.by_name.put(path, file.by_name)
        self.structs.put(path, file.structs)
        self.typedefs.put(path, file.typedefs)
        self.variables.put(path, file.variables)
        self.calls.put(path, file.calls)
        self.aliases.put(path, file.aliases)
        self.pointer_calls.put(path, file.pointer_calls)
        self.passed.put(path, file.passed)
        self.flows.put(path, file.flows)
        self.stored.put(path, file.stored)
        self.uses.put(path, file.uses)
        self.tables.put(path, file.tables)
        self.uid_tests.put(path, file.uid_tests)
        self.with_parameters.put(path, file.with_parameters)
        self.lists.put(path, file.lists)
        self._versioned.put(path, file.versioned)

    def build_for(
        self,
        abi: Abi,
        release: str,
        stand_ins: frozenset[str] = frozenset(),
        *,
        last: bool = False,
    ) -> None:
        """See the release as it is built with another ABI; ``release`` is its name, and
        ``stand_ins`` the files that are built only where an option is off. No other release can
        be seen after the ``last``."""
        self.abi = abi
        self._last = last
        self._view = view = self._view_of(abi)
        others = frozenset(self._arch.values()) - abi.folders
        target = Target(abi.name, others, version_code(release))
        if target.others != view.target.others:
            view = self._views[abi] = self._view = _View(abi, self.files, self._arch)
        elif target.version != view.target.version:
            view.near[0] |= self._of_another_version(view.target, target)
            for condition in [one for one in view.possible if VERSION in one]:
                del view.possible[condition]
        view.target = target
        included = view.includes.refresh(view.changed, view.moved)
        there = foreign(self.files, self._arch, abi, view.includes.targets)
        turned = ((there ^ view.foreign) | (stand_ins ^ view.stand_ins)) & self.files.keys()
        view.foreign, view.stand_ins = there, stand_ins
        view.built = {p for p, kind in self._arch.items() if kind in view.kinds and p not in there}
        self._look_again(view, turned, included)
        view.news.called |= self._called_in(turned)
        self._asked.clear()
        for done in (view.changed, view.moved, *view.near, *view.far):
            done.clear()

    def _of_another_version(self, before: Target, now: Target) -> set[str]:
        """The names with a definition that can be part of a kernel of only one of two versions:
        few of the hundreds that ask for one, as most ask for the first of a series."""
        turned = cache(lambda condition: possible(condition, before) != possible(condition, now))
        return {
            name
            for name in self._versioned
            if any(turned(one.condition) for one in self._versioned.get(name))
        }

    def _look_again(
        self, view: _View, turned: Set[str], included: Mapping[frozenset[str], frozenset[str]]
    ) -> None:
        """Look at what names mean that may mean something else where they are used: those that
        are defined elsewhere or otherwise than before; all that ``turned`` files use; and those
        of files that others include now and did not before, or the other way (``included``, by
        these)."""
        others = {path for path, kind in self._arch.items() if kind not in view.kinds}
        gone = view.moved - self.files.keys()
        view.shared.clear()
        view.for_others.clear()
        for kind, look in enumerate((self.resolve, self._struct_in, self._typedef_in)):
            table, index = view.tables[kind], self._named[kind]
            near = view.near[kind] | _names_in(index, turned)
            view.news.add_everywhere(near - table.keys())
            dropped = {name: table.pop(name) for name in near & table.keys()}
            _drop(table, view.far[kind], others, dropped)
            _drop(table, table.keys(), turned | gone, dropped)
            closer: dict[str, dict[str, Any]] = {}
            for these, files in included.items():
                _drop(table, _names_in(index, these), files, closer)
            for found in (dropped, closer):
                for name, known in found.items():
                    for path, before in known.items():
                        if kind == 0:
                            view.ambiguous.pop((name, path), None)
                        if path in others or path in gone:
                            continue
                        if look(name, path) != before or found is closer:
                            view.news.add(name, path)
        view.news.add_everywhere(
            name
            for these in included
            for path in these
            for name, variables in self.variables.held(path).items()
            if any(variable.static for variable in variables)
        )

    def companion(self, kind: Callable[[Program], T]) -> T:
        """What works something out of this program, and keeps it from release to release, for
        the ABI: made when it is asked for first."""
        companions = self._view.companions
        if kind not in companions:
            companions[kind] = kind(self)
        made: T = companions[kind]
        return made

    def news(self) -> News:
        """What is new in what this ABI is built from, since this was asked for last; beside that
        the files themselves may have changed."""
        news, self._view.news = self._view.news, News()
        return news

    @contextmanager
    def noting(self, asked: set[str]) -> Iterator[None]:
        """Add to ``asked`` whatever answers depend on that are given meanwhile: names, and the
        files in which they were asked for."""
        if self._last:
            yield
            return
        before, self._asked = self._asked, asked
        try:
            yield
        finally:
            self._asked = before

    def note(self, asked: Iterable[str]) -> None:
        """Add something to what answers depend on."""
        self._asked.update(asked)

    @property
    def built_files(self) -> Collection[str]:
        """The files that can be part of a kernel with this ABI."""
        return self._view.built

    def forget(self, abi: Abi) -> None:
        """Drop what was worked out for an ABI; ``build_for`` one works it out again."""
        del self._views[abi]

    def _view_of(self, abi: Abi) -> _View:
        return self._views.setdefault(abi, _View(abi, self.files, self._arch))

    @property
    def ambiguous(self) -> Mapping[tuple[str, str], list[str]]:
        """For an external name with several functions and the file that uses it, the paths of
        those that were not taken."""
        return self._view.ambiguous

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
        known = self._view.possible
        found = known.get(condition)
        if found is None:
            found = known[condition] = possible(condition, self._view.target)
        return found

    def built(self, path: str) -> bool:
        """Whether a file can be part of a kernel with this ABI."""
        return path in self._view.built

    def of_built(self, index: Index[T], key: str, path: str | None = None) -> Iterable[T]:
        """What the files that can be part of such a kernel, or one of them, have under a key,
        by path."""
        if path is None:
            return index.get(key, self._view.built)
        return index.at(key, path) if self.built(path) else ()

    def _sees(self, path: str, other: str) -> bool:
        """Whether code in ``path`` can be linked with code in ``other``."""
        theirs = self._arch[other]
        if other in self._view.foreign:
            return path in self._view.foreign
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
        self._asked.add(name)
        self._asked.add(path)
        known = self._view.resolved.get(name)
        if known is None:
            if name not in self.by_name:
                return []
            known = self._view.resolved[name] = {}
        found = known.get(path)
        if found is None:
            found = self._visible(name, path)
            if self._view.shared.get(name) == found:
                found = self._view.shared[name]
            known[path] = self._view.shared[name] = found
        return found

    def _visible(self, name: str, path: str) -> list[Definition]:
        own = self.by_name.at(name, path)
        if own:
            strong = self._strong(name, path) or self._instead(name, path)
            return strong or [d for d in own if self.possible(d.condition)] or own
        candidates = [d for d in self._for_others(name) if self._sees(path, d.path)]
        exported = [d for d in candidates if _is_exported(d)]
        by_include = [d for d in candidates if self.may_be_included(d.path)]
        if by_include:
            included = [d for d in by_include if self.includes(path, d.path)]
            if any(d in included for d in self._own(name)):
                included = [d for d in included if self._arch[d.path] != GENERIC]
            if included and exported and _leaves_open(included):
                return self._choose(name, exported, path) + included
            if included:
                return included
        if exported:
            return self._choose(name, exported, path)
        # A header that is reached by a way that the tree does not show (generated
        # headers, -include): its inlines are better than nothing, if there is one only.
        headers = [d for d in candidates if d.path.endswith(".h")]
        return headers if len({d.path for d in headers}) == 1 else []

    def _for_others(self, name: str) -> list[Definition]:
        """What a name may mean beyond the file that defines it: hundreds of drivers may have a
        static function or a macro of one name."""
        known = self._view.for_others
        found = known.get(name)
        if found is None:
            found = known[name] = [
                d
                for d in self.by_name.get(name)
                if (_is_exported(d) or self.may_be_included(d.path)) and self.possible(d.condition)
            ]
        return found

    def _strong(self, name: str, path: str) -> list[Definition]:
        """The architecture's own definition of an external function that generic code defines
        too (``__weak``, or unless the architecture has one) and uses in the same file; the
        linker takes it. bpf_int_jit_compile of kernel/bpf/core.c, from 3.16 on."""
        own = self.by_name.at(name, path)
        if self._arch[path] or not all(_is_exported(d) and not _of_module(d) for d in own):
            return []
        theirs = [
            d
            for d in self._for_others(name)
            if self._arch[d.path] in self.abi.folders and _is_exported(d) and not self._stands_in(d)
        ]
        return self._choose(name, theirs, path) if theirs else []

    def _instead(self, name: str, path: str) -> list[Definition]:
        """What the architecture has instead of a definition in ``path``, a header of
        include/asm-generic: BUG() of 2.6 and later, which calls panic() there alone."""
        return self._own(name) if self._arch[path] == GENERIC else []

    def _own(self, name: str) -> list[Definition]:
        """What the architecture's own headers define, whatever is configured."""
        return [
            d
            for d in self._for_others(name)
            if self._arch[d.path] in self.abi.folders - {GENERIC}
            and d.path.endswith(".h")
            and not d.condition
        ]

    def _choose(self, name: str, exported: list[Definition], path: str) -> list[Definition]:
        chosen = self.nearest(exported, path)
        if len(chosen) < len(exported):
            self._view.ambiguous[name, path] = sorted({d.path for d in exported} - {chosen[0].path})
        return chosen

    def nearest(self, candidates: list[Definition], path: str) -> list[Definition]:
        """Of several functions with the same external name, which no kernel holds at once, the
        one that is meant in ``path``: one of a file that is not named for processors of another
        width; that is no stand-in for what is not configured; for generic code the
        architecture's, unless a module brings its own; of the file nearest to the caller's
        (most leading folders in common); of the architecture; of the shallowest and first
        path."""
        if len({c.path for c in candidates}) == 1:
            return candidates
        folders = path.split("/")
        generic = not self._arch.get(path) and not any(_of_module(c) for c in candidates)

        def rank(definition: Definition) -> tuple[bool, bool, bool, int, bool, int, str]:
            theirs = definition.path.split("/")
            common = 0
            while common < min(len(folders), len(theirs)) and folders[common] == theirs[common]:
                common += 1
            other = not self._arch[definition.path]
            return (
                of_other_width(definition.path, self.abi),
                self._stands_in(definition),
                generic and other,
                -common,
                other,
                len(theirs),
                definition.path,
            )

        best = min(candidates, key=rank).path
        return [c for c in candidates if c.path == best]

    def _stands_in(self, definition: Definition) -> bool:
        """Whether a definition stands in for what is not configured: by its file, or as
        ``memory_failure`` of arch/x86/kernel/cpu/mce/core.c in 6.12."""
        return definition.path in self._view.stand_ins or any(
            term.startswith("!defined(CONFIG_") for term in definition.condition.split(" && ")
        )

    def may_be_included(self, path: str) -> bool:
        """Whether a file is a header, or a .c file that others include (drivers of 1.2 to 2.4;
        kernel/sched/core_sched.c of 6.12), whose static functions come with it."""
        return path.endswith(".h") or posixpath.basename(path) in self._included_sources

    def includes(self, path: str, other: str) -> bool:
        """Whether a file includes another one, directly or not."""
        return self._view.includes.sees(path, other)

    # Types and variables.

    def struct(self, type_: str, path: str) -> tuple[str, str, Struct] | None:
        """The struct that a type's name means in a file: its tag, the path of its
        definition and the definition; None where there is none."""
        for _ in range(6):
            type_ = self._renamed(type_, path)
            place = self._struct_in(type_, path)
            if place is not None:
                return type_, place, widest(self.structs.at(type_, place))
            if type_.startswith(("struct ", "union ")) or not type_:
                return None
            place = self._typedef_in(type_, path)
            if place is None:
                return None
            type_ = self.typedefs.at(type_, place)[0]
        return None

    def _renamed(self, type_: str, path: str) -> str:
        """A struct's type, if a macro that the file sees renames its tag: 2.2 drivers of 2.3
        have ``#define net_device device``."""
        kind, _, tag = type_.rpartition(" ")
        if not kind:
            return type_
        self._asked.add(tag)
        if tag in self.by_name:
            for definition in self.resolve(tag, path):
                fact = definition.fact
                seen = definition.path == path or self.includes(path, definition.path)
                if seen and isinstance(fact, Macro) and fact.parameters is None and fact.alias:
                    return f"{kind} {fact.alias}"
        return type_

    def variable(self, name: str, path: str) -> tuple[str, Variable] | None:
        """The variable that a name means in a file, with the path of its declaration if it
        is static: (path or "", variable)."""
        self._asked.add(name)
        self._asked.add(path)
        if name not in self.variables:
            return None
        own = self.variables.at(name, path)
        if own:
            best = max(own, key=lambda v: bool(v.type))
            return (path if best.static else ""), best
        shared = [v for v in self.variables.get(name) if not v.static]
        if shared:
            return "", max(shared, key=lambda v: bool(v.type))
        for place in self.variables.paths(name):
            if self.includes(path, place):
                return place, self.variables.at(name, place)[0]
        return None

    def _struct_in(self, tag: str, path: str) -> str | None:
        return self._pick(self.structs, self._view.structs, tag, path)

    def _typedef_in(self, name: str, path: str) -> str | None:
        return self._pick(self.typedefs, self._view.typedefs, name, path)

    def _pick(
        self, index: Index[T], table: dict[str, dict[str, str | None]], key: str, path: str
    ) -> str | None:
        self._asked.add(key)
        self._asked.add(path)
        known = table.get(key)
        if known is None:
            if key not in index:
                return None
            known = table[key] = {}
        if path not in known:
            known[path] = self._picked(index, key, path)
        return known[path]

    def _picked(self, index: Index[T], key: str, path: str) -> str | None:
        """Of the files with a definition, the one that ``path`` sees: itself, else one that
        it includes, else a header that this ABI is built with, else the first."""
        if index.at(key, path):
            return path
        places = [p for p in index.paths(key) if self._sees(path, p)]
        if len(places) <= 1:
            return places[0] if places else None
        for choice in (
            [p for p in places if self.includes(path, p)],
            [p for p in places if p.endswith(".h")],
            places,
        ):
            if choice:
                return choice[0]
        return None


def _names_in(index: Index[Any], paths: Iterable[str]) -> set[str]:
    return {name for path in paths for name in index.held(path)}


def _drop(
    table: Mapping[str, dict[str, T]],
    names: Set[str],
    paths: Set[str],
    dropped: dict[str, dict[str, T]],
) -> None:
    """Move what names mean in some files from a table to ``dropped``."""
    for name in names & table.keys() if paths else ():
        known = table[name]
        for path in known.keys() & paths:
            dropped.setdefault(name, {})[path] = known.pop(path)


def places_of_parameters(definition: Definition) -> set[str]:
    """A definition's parameters, as places."""
    return {"$" + name for name in definition.parameters()}


def may_be_function(argument: str, parameters: set[str]) -> bool:
    """Whether an argument may hand a function on: a name from outside that is no constant, a
    parameter (a place among ``parameters``), or a member."""
    if argument in parameters:
        return True
    first = argument[:1]
    if first == ":":
        return not argument.isupper() or ">" in argument
    return first != "=" and ">" in argument


def _is_exported(definition: Definition) -> bool:
    fact = definition.fact
    return isinstance(fact, Function) and not fact.static and not definition.path.endswith(".h")


def _of_module(definition: Definition) -> bool:
    """Whether each module has such a function of its own (``init_module`` until 2.4)."""
    return "defined(MODULE)" in definition.condition.split(" && ")


def _leaves_open(definitions: list[Definition]) -> bool:
    """Whether the preprocessor may leave a header without these definitions: the stand-in
    for a function that is not configured (``do_shmat`` of include/linux/shm.h, 2.6)."""
    conditions = {definition.condition for definition in definitions}
    open_ = {c for c in conditions if not set(c.split(" && ")) <= _KERNEL}
    return open_ == conditions and not any({"!" + c, f"!({c})"} & open_ for c in open_)


# What holds for all code of a kernel that is C.
_KERNEL = frozenset(("", "defined(__KERNEL__)", "!defined(__ASSEMBLY__)"))
