"""Which check of one release became which of another, by the code around them.

Contexts of both releases in, matches out. The checks of a function and of its later self are
paired first; then those left over, with those of other functions of the file and of other files,
where the functions' own text must say that one came from the other; then those that went into a
function which is called in their place. What is left over after that joined another check or was
parted from one, or is gone or new.

The standard library is enough: ``difflib`` matches the sequences of statements by their longest
common runs, as a reader would (the greatest number of equal ones may be scattered), and all checks
of a group are paired at once (``assignment``).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Sequence
from difflib import SequenceMatcher
from itertools import chain, takewhile
from typing import NamedTuple, TypeVar

from caphistory.successions import likeness
from caphistory.successions.assignment import assign
from caphistory.successions.contexts import Context, File, Site
from caphistory.successions.statements import Function

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)
Place = tuple[str, str]
"""A function by its path and name."""
FindFunctions = Callable[[Collection[str]], Iterable[File]]
"""Takes names of functions, gives files of the later release, without checks and not the same in
the earlier one, that may define them."""

# The least likeness of a pair, and that from which on it is certain: in versions of one function,
# which the name alone makes likely; in functions of the same name that no other one has; in others.
_WITHIN = (0.3, 0.5)
_NAMESAKE = (0.3, 0.6)
_ELSEWHERE = (0.57, 0.7)
_CALLEE = (0.45, 0.75)
# A pair is uncertain where another one is nearly as likely, and so is what has no partner though
# one was nearly like enough.
_MARGIN = 0.05
_DOUBT = 0.5
# Two functions may be one under two names, or one a part of the other, where they share so much.
_KIN = 0.4
_NAMESAKES_KIN = 0.2
# Two checks that follow one another are one question in two statements where they are so like.
_ALIKE = 0.9
# A statement that so many functions with checks have does not say where one came from.
_COMMON = 4


class Match(NamedTuple):
    """What became of a site: ``before`` and ``after`` are keys of sites, one of them None where
    there is no such site. ``found`` says where its successor is: ``function`` (the same file and
    function), ``file`` (another function of the file), ``tree`` (another file) or ``callee`` (a
    function that is called in its place); '' without one. ``likeness`` of the code around both is
    from 0 to 1, None without a successor. ``lives`` is the function that lives without its
    check."""

    before: int | None
    after: int | None
    fate: str
    found: str
    certain: bool
    likeness: float | None
    lives: Place | None = None


def is_unchanged(match: Match) -> bool:
    """Whether it is the same site in both releases; such a match is not stored."""
    return match.fate == "same" and match.before == match.after and match.certain


class Side(NamedTuple):
    """One release: the files that hold sites in either and are not the same in both, and the
    sites of those that are."""

    files: Sequence[File]
    settled: Sequence[Site] = ()


class Pair(NamedTuple):
    """A site and its successor, or one of them; the rest as in ``Match``."""

    before: Site
    after: Site
    found: str
    certain: bool
    likeness: float | None


def no_files(names: Collection[str]) -> Iterable[File]:
    """A ``FindFunctions`` that finds none."""
    return ()


def match(before: Side, after: Side, find: FindFunctions = no_files) -> list[Match]:
    """What became of every site of ``before``, and which sites of ``after`` are new. A settled
    site is the same in both and is left out, unless another one joined it."""
    matching = _Matching(before, after)
    matching.within_functions()
    matching.namesakes()
    matching.within_files()
    matching.between_files()
    matching.callees()
    matching.parted_and_joined()
    return [
        *fates(matching.pairs, after.settled),
        *matching.without_successor(find),
        *matching.without_ancestor(),
    ]


class _Matching:
    """The pairs found so far, one pass after the other."""

    def __init__(self, before: Side, after: Side) -> None:
        self.before = [context for file in before.files for context in file.contexts]
        self.after = [context for file in after.files for context in file.contexts]
        self.settled = after.settled
        self.old = _functions(before.files)
        self.new = _functions(after.files)
        self.pairs: list[Pair] = []
        self._names = {"before": _names(self.old), "after": _names(self.new)}
        self._contexts = {
            **{("before", one.site.key): one for one in self.before},
            **{("after", one.site.key): one for one in self.after},
        }
        self._doubts: defaultdict[tuple[str, int], float] = defaultdict(float)
        self._spread = Counter(
            text
            for function in {id(one.function): one.function for one in self.after}.values()
            for text in function.telling
        )
        self._alignments: dict[tuple[int, int], dict[int, int]] = {}
        self._kinships: dict[tuple[int, int], float] = {}

    @property
    def left(self) -> list[Context]:
        """The sites without a successor so far."""
        paired = {pair.before.key for pair in self.pairs}
        return [one for one in self.before if one.site.key not in paired]

    @property
    def fresh(self) -> list[Context]:
        """The sites without an ancestor so far."""
        paired = {pair.after.key for pair in self.pairs}
        return [one for one in self.after if one.site.key not in paired]

    # The passes.

    def within_functions(self) -> None:
        """Functions of the same file and name."""
        later = _grouped(self.after, _place)
        for place, group in _grouped(self.before, _place).items():
            self._pair(group, later.get(place, []), self._within, "function", *_WITHIN)

    def namesakes(self) -> None:
        """Functions that went to another file, of a name that no other function has."""
        places_before = _grouped({_place(one) for one in self.before}, lambda place: place[1])
        places_after = _grouped({_place(one) for one in self.after}, lambda place: place[1])
        later = _grouped(self.fresh, _place)
        for (path, name), group in _grouped(self.left, _place).items():
            there = places_after.get(name, [])
            alone = len(places_before[name]) == len(there) == 1
            if alone and (path, name) not in self.new and there[0] not in self.old:
                self._pair(group, later.get(there[0], []), self._namesake, "tree", *_NAMESAKE)

    def within_files(self) -> None:
        """Functions that were renamed, parted or joined in their file."""
        later = _grouped(self.fresh, lambda one: one.function.path)
        for path, group in _grouped(self.left, lambda one: one.function.path).items():
            self._pair(group, later.get(path, []), self._elsewhere, "file", *_ELSEWHERE)

    def between_files(self) -> None:
        """Functions that went to another file, whatever their name."""
        for group, others in self._akin():
            self._pair(group, others, self._elsewhere, "tree", *_ELSEWHERE)

    def callees(self) -> None:
        """Checks in whose place a function is called that asks: one that was not called there
        before, or did not ask."""
        asked = {one.function.name for one in self.before}
        asked |= {site.function or "" for site in self.settled}
        holders: defaultdict[str, list[Site]] = defaultdict(list)
        for site in [*(one.site for one in self.after), *self.settled]:
            holders[site.function or ""].append(site)
        for one in self.left:
            found = [
                (self._called(one, now, name, site), site)
                for now in self._later(one.function)
                for name in sorted(now.calls & holders.keys() - {now.name})
                if name not in one.function.calls or name not in asked
                for site in self._seen_from(now.path, holders[name])
            ]
            score, site = max(found, key=lambda pair: pair[0], default=(0.0, one.site))
            if score >= _CALLEE[0]:
                self.pairs.append(Pair(one.site, site, "callee", score >= _CALLEE[1], score))

    def parted_and_joined(self) -> None:
        """Checks of a function that guard what another check of it guards in the other release,
        or that stand in one statement with another check."""
        for one in self.fresh:
            for was in self._versions(one, "before"):
                backwards = {now: then for then, now in self._aligned(was, one.function).items()}
                ancestor = self._kin(one, was, backwards, self.before, "after")
                if ancestor:
                    self._add_kin(ancestor, one)
                    break
        for one in self.left:
            for now in self._versions(one, "after"):
                aligned = self._aligned(one.function, now)
                successor = self._kin(one, now, aligned, self.after, "before")
                if successor:
                    self._add_kin(one, successor)
                    break

    def without_successor(self, find: FindFunctions) -> Iterator[Match]:
        """The sites that are gone, some from a function that lives."""
        left = self.left
        moved = {one.function.name for one in left if not self._later(one.function)}
        gained = {place: found for place, found in self.new.items() if not self.old.get(place)}
        elsewhere = [*gained.values(), *_functions(find(moved)).values()] if moved else []
        by_name = _grouped(chain.from_iterable(elsewhere), lambda one: one.name)
        fresh_places = {_place(one) for one in self.fresh}
        for one in left:
            later = self._later(one.function) or _like(
                one.function, by_name.get(one.function.name, [])
            )
            lives = (later[0].path, later[0].name) if later else None
            certain = self._doubts["before", one.site.key] < _DOUBT and lives not in fresh_places
            fate = "removed" if lives else "gone"
            yield Match(one.site.key, None, fate, "", certain, None, lives)

    def without_ancestor(self) -> Iterator[Match]:
        """The sites that are new."""
        left_places = {_place(one) for one in self.left}
        for one in self.fresh:
            certain = (
                self._doubts["after", one.site.key] < _DOUBT and _place(one) not in left_places
            )
            yield Match(None, one.site.key, "new", "", certain, None)

    # What they share.

    def _pair(
        self,
        group: Sequence[Context],
        others: Sequence[Context],
        like: Callable[[Context, Context], float],
        found: str,
        least: float,
        sure: float,
    ) -> None:
        """Pair two groups for the greatest likeness in all."""
        if not group or not others:
            return
        scores = [[like(one, other) for other in others] for one in group]
        chosen = assign([[score - least for score in line] for line in scores])
        for row, line in enumerate(scores):
            for column, score in enumerate(line):
                if column == chosen[row]:
                    continue
                for side, key in (
                    ("before", group[row].site.key),
                    ("after", others[column].site.key),
                ):
                    self._doubts[side, key] = max(self._doubts[side, key], score)
        for row, taken in enumerate(chosen):
            if taken is None:
                continue
            score = scores[row][taken]
            rivals = chain(
                (other for n, other in enumerate(scores[row]) if n != taken),
                (line[taken] for n, line in enumerate(scores) if n != row),
            )
            certain = score >= sure and score - max(rivals, default=0.0) >= _MARGIN
            self.pairs.append(Pair(group[row].site, others[taken].site, found, certain, score))

    def _within(self, before: Context, after: Context) -> float:
        """How likely two checks of versions of one function are the same."""
        if likeness.other_case(before, after):
            return 0.0
        return 0.8 * likeness.around(before, after) + 0.2 * self._same_place(before, after)

    def _namesake(self, before: Context, after: Context) -> float:
        """How likely a check went with its function to another file."""
        kin = likeness.shared(before.function.words, after.function.words) >= _NAMESAKES_KIN
        return self._within(before, after) if kin else 0.0

    def _elsewhere(self, before: Context, after: Context) -> float:
        """How likely a check went from one function to another."""
        kinship = self._kinship(before.function, after.function)
        if kinship < _KIN or likeness.other_case(before, after):
            return 0.0
        was, now = before.function, after.function
        names = likeness.sequence(was.name, now.name)
        files = (self._same_file(was.path, now.path) + _nearness(was.path, now.path)) / 2
        context = likeness.around(before, after)
        return (0.95 + 0.05 * files) * (0.5 * context + 0.35 * kinship + 0.15 * names)

    def _kinship(self, was: Function, now: Function) -> float:
        """How much of what a function lost another one gained: all of both where the one is gone
        and the other new."""
        key = id(was), id(now)
        if key not in self._kinships:
            self._kinships[key] = self._kinship_of(was, now)
        return self._kinships[key]

    def _kinship_of(self, was: Function, now: Function) -> float:
        later = self.new.get((was.path, was.name), [])
        earlier = self.old.get((now.path, now.name), [])
        if later and earlier:
            return 0.0
        # What is in one file has more to do with one another than its text needs to say.
        own = self._own if was.path != now.path else _whole
        lost = own(was) - _sum(one.longer for one in later)
        gained = own(now) - _sum(one.longer for one in earlier)
        common = likeness.shared(lost, gained) if lost or gained else 0.0
        if was.name == now.name and not later:
            common = max(common, likeness.shared(was.words, now.words))
        if not earlier:
            common = max(common, likeness.part(gained, lost))
        if not later:
            common = max(common, likeness.part(lost, gained))
        return common

    def _own(self, function: Function) -> Counter[tuple[str, ...]]:
        """The statements of a function that few others have."""
        return Counter(
            {
                text: count
                for text, count in function.telling.items()
                if self._spread[text] <= _COMMON
            }
        )

    def _same_file(self, path: str, other: str) -> float:
        """How likely a file, or what it lost, is in another one now: by the names of functions
        that the one lost and the other gained."""
        if path == other:
            return 1.0
        old, new = self._names["before"], self._names["after"]
        lost = old.get(path, set()) - new.get(path, set())
        gained = new.get(other, set()) - old.get(other, set())
        return len(lost & gained) / min(len(lost), len(gained)) if lost and gained else 0.0

    def _akin(self) -> Iterator[tuple[list[Context], list[Context]]]:
        """Groups of leftover checks whose functions are akin."""
        left, fresh = self.left, self.fresh
        holding: defaultdict[Hashable, set[int]] = defaultdict(set)
        for number, other in enumerate(fresh):
            for mark in self._marks(other.function):
                holding[mark].add(number)
        groups: list[tuple[list[Context], set[int]]] = []
        for one in left:
            common = Counter(n for mark in self._marks(one.function) for n in holding.get(mark, ()))
            akin = {
                number
                for number, marks in common.items()
                if marks > 1 or fresh[number].function.name == one.function.name
                if self._kinship(one.function, fresh[number].function) >= _KIN
            }
            joined = [group for group in groups if group[1] & akin]
            groups = [group for group in groups if group not in joined]
            groups.append(
                (
                    [context for group in joined for context in group[0]] + [one],
                    akin.union(*(group[1] for group in joined)),
                )
            )
        for contexts, numbers in groups:
            yield contexts, [fresh[number] for number in sorted(numbers)]

    def _marks(self, function: Function) -> set[Hashable]:
        return {function.name, *self._own(function)}

    def _same_place(self, before: Context, after: Context) -> float:
        """Whether two statements stand in the same place of the sequences of two functions."""
        aligned = self._aligned(before.function, after.function)
        if before.at in aligned:
            return float(aligned[before.at] == after.at)
        above = max((now for was, now in aligned.items() if was < before.at), default=-1)
        end = len(after.function.statements)
        below = min((now for was, now in aligned.items() if was > before.at), default=end)
        return 0.8 if above < after.at < below else 0.0

    def _aligned(self, was: Function, now: Function) -> dict[int, int]:
        """Which statements of a function the other one has, by their numbers."""
        key = id(was), id(now)
        if key not in self._alignments:
            matcher = SequenceMatcher(None, was.texts, now.texts, autojunk=False)
            self._alignments[key] = {
                block.a + n: block.b + n
                for block in matcher.get_matching_blocks()
                for n in range(block.size)
            }
        return self._alignments[key]

    def _later(self, function: Function) -> Sequence[Function]:
        """A function in the later release: at its place, else the only one of its name that
        other files can see, where it was the only one before."""
        there = self.new.get((function.path, function.name), [])
        if there or function.static:
            return there
        before, after = (
            [one for (_, name), found in side for one in found if name == function.name]
            for side in (self.old.items(), self.new.items())
        )
        return after if len(before) == len(after) == 1 and not after[0].static else []

    def _seen_from(self, path: str, holders: Sequence[Site]) -> Sequence[Site]:
        """The checks of the function that a file means by a name: its own, else the only one
        that is not static (of a file that did not change this is not known)."""
        own = [site for site in holders if site.path == path]
        seen = [site for site in holders if not self._is_static(site)]
        return own or (seen if len({site.path for site in seen}) == 1 else [])

    def _is_static(self, site: Site) -> bool:
        context = self._contexts.get(("after", site.key))
        return context is not None and context.function.static

    def _called(self, one: Context, now: Function, name: str, site: Site) -> float:
        """How likely a check went into the function ``name``, which asks at ``site``: how like
        a call of it in the later function is to the check, and how like both checks are."""
        calls = (Context(one.site, now, at, 0) for at in likeness.calls_of(now, name))
        place = max(
            0.7 * likeness.in_place(one, call, name) + 0.3 * self._same_place(one, call)
            for call in calls
        )
        there = self._contexts.get(("after", site.key))
        return place if there is None else 0.65 * place + 0.35 * likeness.asking(one, there)

    def _versions(self, one: Context, side: str) -> list[Function]:
        """The function that holds a check, as it is on the other ``side``: at its place, and
        where other checks of it are paired with."""
        there = self.new if side == "after" else self.old
        here = "before" if side == "after" else "after"
        found = list(there.get(_place(one), []))
        for pair in self.pairs:
            own, other = (
                self._contexts.get((which, getattr(pair, which).key)) for which in (here, side)
            )
            if own and other and own.function is one.function and pair.found != "callee":
                found.append(other.function)
        return list({id(function): function for function in found}.values())

    def _kin(
        self,
        one: Context,
        version: Function,
        aligned: dict[int, int],
        there: Sequence[Context],
        side: str,
    ) -> Context | None:
        """The check in the other ``version`` of its function that does what ``one`` does:
        ``aligned`` leads from statements here to those there, ``side`` is that of ``one``."""
        partners = {
            getattr(pair, "after" if side == "before" else "before").key: self._contexts[
                side, getattr(pair, side).key
            ]
            for pair in self.pairs
            if (side, getattr(pair, side).key) in self._contexts
        }
        guarded = [aligned[at] for at in one.guarded if at in aligned]
        for other in there:
            if other.function is not version:
                continue
            partner = partners.get(other.site.key)
            if partner is not None and partner.function is not one.function:
                continue
            if likeness.other_case(one, other):
                continue
            if partner is not None and _stand_together(one, partner):
                return other
            if not guarded or (partner is not None and one.at in partner.guarded):
                continue
            if 3 * sum(at in other.guarded for at in guarded) >= 2 * len(guarded):
                return other
        return None

    def _add_kin(self, before: Context, after: Context) -> None:
        was, now = before.function, after.function
        found = "file" if was.path == now.path else "tree"
        found = "function" if _place(before) == _place(after) else found
        score = likeness.around(before, after)
        self.pairs.append(Pair(before.site, after.site, found, False, score))


def fates(pairs: Sequence[Pair], settled: Sequence[Site] = ()) -> Iterator[Match]:
    """The pairs with what they mean; a settled site is a pair of its own where another one
    joined it."""
    joined = {pair.after.key for pair in pairs}
    alone = [Pair(site, site, "function", True, None) for site in settled if site.key in joined]
    every = [*pairs, *alone]
    successors = Counter(pair.before.key for pair in every)
    ancestors = Counter(pair.after.key for pair in every)
    for pair in every:
        was, now = pair.before, pair.after
        if successors[was.key] > 1:
            fate = "split"
        elif ancestors[now.key] > 1:
            fate = "merged"
        elif was.asks != now.asks:
            fate = "replaced"
        elif (was.path, was.function) != (now.path, now.function):
            fate = "moved"
        else:
            fate = "same"
        yield Match(was.key, now.key, fate, pair.found, pair.certain, pair.likeness)


def _functions(files: Iterable[File]) -> dict[Place, list[Function]]:
    """The functions by path and name; several where conditionals choose one."""
    return _grouped(
        (function for file in files for function in file.functions),
        lambda function: (function.path, function.name),
    )


def _whole(function: Function) -> Counter[tuple[str, ...]]:
    return function.longer


def _names(functions: Iterable[Place]) -> dict[str, set[str]]:
    """The names of the functions of each file."""
    names: defaultdict[str, set[str]] = defaultdict(set)
    for path, name in functions:
        names[path].add(name)
    return dict(names)


def _stand_together(one: Context, other: Context) -> bool:
    """Whether two checks are of one statement, or of two like ones with nothing between."""
    first, second = sorted((one, other), key=lambda context: context.at)
    if first.at == second.at:
        return True
    follows = first.function.under(first.at).stop == second.at
    return follows and likeness.asking(first, second) >= _ALIKE


def _grouped(found: Iterable[T], key: Callable[[T], K]) -> dict[K, list[T]]:
    groups: defaultdict[K, list[T]] = defaultdict(list)
    for one in found:
        groups[key(one)].append(one)
    return dict(groups)


def _place(one: Context) -> Place:
    return one.function.path, one.function.name


def _nearness(path: str, other: str) -> float:
    """How many of their folders two files share, from 0 to 1."""
    folders, others = (one.split("/")[:-1] for one in (path, other))
    size = max(len(folders), len(others))
    shared = takewhile(lambda pair: pair[0] == pair[1], zip(folders, others, strict=False))
    return sum(1 for _ in shared) / size if size else 1.0


def _sum(bags: Iterable[Counter[tuple[str, ...]]]) -> Counter[tuple[str, ...]]:
    return sum(bags, Counter())


def _like(function: Function, namesakes: Sequence[Function]) -> list[Function]:
    """The functions of the same name that are like it, the most like one first."""
    scores = [(likeness.shared(function.words, one.words), one) for one in namesakes]
    ranked = sorted(scores, key=lambda pair: -pair[0])
    return [one for score, one in ranked if score >= _KIN]
