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
    there is no such site. ``found`` (a column of the store) says where its successor is:
    ``function`` (the same file and function), ``file`` (another function of the file), ``tree``
    (another file) or ``callee`` (a function that is called in its place); '' without one.
    ``likeness`` of the code around both is from 0 to 1, None without a successor. ``lives`` is the
    function that lives without its check."""

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


def find_no_files(names: Collection[str]) -> Iterable[File]:
    """Find no files: the default ``FindFunctions``."""
    return ()


def match(before: Side, after: Side, find: FindFunctions = find_no_files) -> list[Match]:
    """Return what became of every site of ``before``, and which sites of ``after`` are new. A
    settled site is the same in both and is left out, unless another one joined it."""
    matching = _Matching(before, after)
    matching.pair_within_functions()
    matching.pair_namesakes()
    matching.pair_within_files()
    matching.pair_between_files()
    matching.pair_callees()
    matching.pair_parted_and_joined()
    return [
        *list_fates(matching.pairs, after.settled),
        *matching.list_lost(find),
        *matching.list_new(),
    ]


class _Matching:
    """The pairs found so far, one pass after the other."""

    def __init__(self, before: Side, after: Side) -> None:
        """Both sides as ``match`` takes them."""
        self.before = [context for file in before.files for context in file.contexts]
        self.after = [context for file in after.files for context in file.contexts]
        self.settled = after.settled
        self.old = _group_functions(before.files)
        self.new = _group_functions(after.files)
        self.pairs: list[Pair] = []
        self._names = {"before": _group_names(self.old), "after": _group_names(self.new)}
        self._contexts = {
            **{("before", check.site.key): check for check in self.before},
            **{("after", check.site.key): check for check in self.after},
        }
        self._doubts: defaultdict[tuple[str, int], float] = defaultdict(float)
        self._spread = Counter(
            text
            for function in {id(check.function): check.function for check in self.after}.values()
            for text in function.distinctive
        )
        self._alignments: dict[tuple[int, int], dict[int, int]] = {}
        self._kinships: dict[tuple[int, int], float] = {}

    @property
    def left(self) -> list[Context]:
        """The sites without a successor so far."""
        paired = {pair.before.key for pair in self.pairs}
        return [check for check in self.before if check.site.key not in paired]

    @property
    def fresh(self) -> list[Context]:
        """The sites without an ancestor so far."""
        paired = {pair.after.key for pair in self.pairs}
        return [check for check in self.after if check.site.key not in paired]

    # The passes.

    def pair_within_functions(self) -> None:
        """Pair checks of functions of the same file and name."""
        later = _group(self.after, _locate)
        for place, group in _group(self.before, _locate).items():
            self._pair(group, later.get(place, []), self._score_version, "function", *_WITHIN)

    def pair_namesakes(self) -> None:
        """Pair checks of functions that went to another file, if no other function has their
        name."""
        places_before = _group({_locate(check) for check in self.before}, lambda place: place[1])
        places_after = _group({_locate(check) for check in self.after}, lambda place: place[1])
        later = _group(self.fresh, _locate)
        for (path, name), group in _group(self.left, _locate).items():
            homes = places_after.get(name, [])
            alone = len(places_before[name]) == len(homes) == 1
            if alone and (path, name) not in self.new and homes[0] not in self.old:
                self._pair(group, later.get(homes[0], []), self._score_namesake, "tree", *_NAMESAKE)

    def pair_within_files(self) -> None:
        """Pair checks of functions that were renamed, split or merged in their file."""
        later = _group(self.fresh, lambda check: check.function.path)
        for path, group in _group(self.left, lambda check: check.function.path).items():
            self._pair(group, later.get(path, []), self._score_move, "file", *_ELSEWHERE)

    def pair_between_files(self) -> None:
        """Pair checks of functions that went to another file, whatever their name."""
        for group, others in self._group_akin():
            self._pair(group, others, self._score_move, "tree", *_ELSEWHERE)

    def pair_callees(self) -> None:
        """Pair checks with those of a function that is called in their place: one that was not
        called there before, or did not ask."""
        asked = {check.function.name for check in self.before}
        asked |= {site.function or "" for site in self.settled}
        holders: defaultdict[str, list[Site]] = defaultdict(list)
        for site in [*(check.site for check in self.after), *self.settled]:
            holders[site.function or ""].append(site)
        for check in self.left:
            candidates = [
                (self._score_call(check, now, name, site), site)
                for now in self._find_later(check.function)
                for name in sorted(now.calls & holders.keys() - {now.name})
                if name not in check.function.calls or name not in asked
                for site in self._list_visible(now.path, holders[name])
            ]
            score, site = max(candidates, key=lambda pair: pair[0], default=(0.0, check.site))
            if score >= _CALLEE[0]:
                self.pairs.append(Pair(check.site, site, "callee", score >= _CALLEE[1], score))

    def pair_parted_and_joined(self) -> None:
        """Pair checks of a function that guard what another check of it guards in the other
        release, or that stand in one statement with another check."""
        for check in self.fresh:
            for was in self._find_versions(check, "before"):
                backwards = {now: then for then, now in self._align(was, check.function).items()}
                ancestor = self._find_kin(check, was, backwards, self.before, "after")
                if ancestor:
                    self._add_kin(ancestor, check)
                    break
        for check in self.left:
            for now in self._find_versions(check, "after"):
                aligned = self._align(check.function, now)
                successor = self._find_kin(check, now, aligned, self.after, "before")
                if successor:
                    self._add_kin(check, successor)
                    break

    def list_lost(self, find: FindFunctions) -> Iterator[Match]:
        """Give the sites that are gone, some from a function that lives on."""
        left = self.left
        moved = {item.function.name for item in left if not self._find_later(item.function)}
        gained = {
            place: functions for place, functions in self.new.items() if not self.old.get(place)
        }
        elsewhere = [*gained.values(), *_group_functions(find(moved)).values()] if moved else []
        by_name = _group(chain.from_iterable(elsewhere), lambda item: item.name)
        fresh_places = {_locate(item) for item in self.fresh}
        for item in left:
            later = self._find_later(item.function) or _find_similar(
                item.function, by_name.get(item.function.name, [])
            )
            lives = (later[0].path, later[0].name) if later else None
            certain = self._doubts["before", item.site.key] < _DOUBT and lives not in fresh_places
            fate = "removed" if lives else "gone"
            yield Match(item.site.key, None, fate, "", certain, None, lives)

    def list_new(self) -> Iterator[Match]:
        """Give the sites that are new."""
        left_places = {_locate(check) for check in self.left}
        for check in self.fresh:
            certain = (
                self._doubts["after", check.site.key] < _DOUBT and _locate(check) not in left_places
            )
            yield Match(None, check.site.key, "new", "", certain, None)

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
        scores = [[like(before, after) for after in others] for before in group]
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

    def _score_version(self, before: Context, after: Context) -> float:
        """Return how likely two checks of versions of one function are the same, from 0 to 1."""
        if likeness.is_other_case(before, after):
            return 0.0
        return 0.8 * likeness.compare_surroundings(before, after) + 0.2 * self._compare_places(
            before, after
        )

    def _score_namesake(self, before: Context, after: Context) -> float:
        """Return how likely a check went with its function to another file, from 0 to 1."""
        kin = likeness.compare_bags(before.function.words, after.function.words) >= _NAMESAKES_KIN
        return self._score_version(before, after) if kin else 0.0

    def _score_move(self, before: Context, after: Context) -> float:
        """Return how likely a check went from one function to another, from 0 to 1."""
        kinship = self._find_kinship(before.function, after.function)
        if kinship < _KIN or likeness.is_other_case(before, after):
            return 0.0
        was, now = before.function, after.function
        names = likeness.compare_sequences(was.name, now.name)
        files = (self._compare_files(was.path, now.path) + _compare_folders(was.path, now.path)) / 2
        context = likeness.compare_surroundings(before, after)
        return (0.95 + 0.05 * files) * (0.5 * context + 0.35 * kinship + 0.15 * names)

    def _find_kinship(self, was: Function, now: Function) -> float:
        """Return how much of what a function lost another one gained: all of both where the one is
        gone and the other new."""
        key = id(was), id(now)
        if key not in self._kinships:
            self._kinships[key] = self._measure_kinship(was, now)
        return self._kinships[key]

    def _measure_kinship(self, was: Function, now: Function) -> float:
        """Compute what ``_find_kinship`` returns."""
        later = self.new.get((was.path, was.name), [])
        earlier = self.old.get((now.path, now.name), [])
        if later and earlier:
            return 0.0
        # What is in one file has more to do with one another than its text needs to say.
        own = self._count_own if was.path != now.path else _get_longer
        lost = own(was) - _add_up(function.longer for function in later)
        gained = own(now) - _add_up(function.longer for function in earlier)
        common = likeness.compare_bags(lost, gained) if lost or gained else 0.0
        if was.name == now.name and not later:
            common = max(common, likeness.compare_bags(was.words, now.words))
        if not earlier:
            common = max(common, likeness.measure_part(gained, lost))
        if not later:
            common = max(common, likeness.measure_part(lost, gained))
        return common

    def _count_own(self, function: Function) -> Counter[tuple[str, ...]]:
        """Return the statements of a function that few others have."""
        return Counter(
            {
                text: count
                for text, count in function.distinctive.items()
                if self._spread[text] <= _COMMON
            }
        )

    def _compare_files(self, path: str, other: str) -> float:
        """How likely a file, or what it lost, is in another one now: by the names of functions
        that the one lost and the other gained."""
        if path == other:
            return 1.0
        old, new = self._names["before"], self._names["after"]
        lost = old.get(path, set()) - new.get(path, set())
        gained = new.get(other, set()) - old.get(other, set())
        return len(lost & gained) / min(len(lost), len(gained)) if lost and gained else 0.0

    def _group_akin(self) -> Iterator[tuple[list[Context], list[Context]]]:
        """Groups of leftover checks whose functions are akin."""
        left, fresh = self.left, self.fresh
        holding: defaultdict[Hashable, set[int]] = defaultdict(set)
        for number, other in enumerate(fresh):
            for mark in self._list_marks(other.function):
                holding[mark].add(number)
        groups: list[tuple[list[Context], set[int]]] = []
        for leftover in left:
            common = Counter(
                n for mark in self._list_marks(leftover.function) for n in holding.get(mark, ())
            )
            akin = {
                number
                for number, marks in common.items()
                if marks > 1 or fresh[number].function.name == leftover.function.name
                if self._find_kinship(leftover.function, fresh[number].function) >= _KIN
            }
            joined = [group for group in groups if group[1] & akin]
            groups = [group for group in groups if group not in joined]
            groups.append(
                (
                    [context for group in joined for context in group[0]] + [leftover],
                    akin.union(*(group[1] for group in joined)),
                )
            )
        for contexts, numbers in groups:
            yield contexts, [fresh[number] for number in sorted(numbers)]

    def _list_marks(self, function: Function) -> set[Hashable]:
        """Return what functions that are akin are likely to share: the name and their own
        statements."""
        return {function.name, *self._count_own(function)}

    def _compare_places(self, before: Context, after: Context) -> float:
        """Whether two statements stand in the same place of the sequences of two functions."""
        aligned = self._align(before.function, after.function)
        if before.at in aligned:
            return float(aligned[before.at] == after.at)
        above = max((now for was, now in aligned.items() if was < before.at), default=-1)
        end = len(after.function.statements)
        below = min((now for was, now in aligned.items() if was > before.at), default=end)
        return 0.8 if above < after.at < below else 0.0

    def _align(self, was: Function, now: Function) -> dict[int, int]:
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

    def _find_later(self, function: Function) -> Sequence[Function]:
        """A function in the later release: at its place, else the only one of its name that
        other files can see, if it was the only one before, too."""
        namesakes = self.new.get((function.path, function.name), [])
        if namesakes or function.static:
            return namesakes
        before, after = (
            [
                candidate
                for (_, name), functions in side
                for candidate in functions
                if name == function.name
            ]
            for side in (self.old.items(), self.new.items())
        )
        return after if len(before) == len(after) == 1 and not after[0].static else []

    def _list_visible(self, path: str, holders: Sequence[Site]) -> Sequence[Site]:
        """The checks of the function that a file means by a name: its own, else the only one
        that is not static (of a file that did not change this is not known)."""
        own = [site for site in holders if site.path == path]
        seen = [site for site in holders if not self._is_static(site)]
        return own or (seen if len({site.path for site in seen}) == 1 else [])

    def _is_static(self, site: Site) -> bool:
        """Whether the function of a later site is known to be static."""
        context = self._contexts.get(("after", site.key))
        return context is not None and context.function.static

    def _score_call(self, check: Context, now: Function, name: str, site: Site) -> float:
        """How likely a check went into the function ``name``, which asks at ``site``: how like
        a call of it in the later function is to the check, and how like both checks are."""
        calls = (Context(check.site, now, at, 0) for at in likeness.find_calls(now, name))
        place = max(
            0.7 * likeness.compare_with_call(check, call, name)
            + 0.3 * self._compare_places(check, call)
            for call in calls
        )
        asking = self._contexts.get(("after", site.key))
        return (
            place
            if asking is None
            else 0.65 * place + 0.35 * likeness.compare_questions(check, asking)
        )

    def _find_versions(self, check: Context, side: str) -> list[Function]:
        """The function that holds a check, as it is on the other ``side``: at its place, and
        where other checks of it are paired with."""
        functions = self.new if side == "after" else self.old
        here = "before" if side == "after" else "after"
        versions = list(functions.get(_locate(check), []))
        for pair in self.pairs:
            own, other = (
                self._contexts.get((which, getattr(pair, which).key)) for which in (here, side)
            )
            if own and other and own.function is check.function and pair.found != "callee":
                versions.append(other.function)
        return list({id(function): function for function in versions}.values())

    def _find_kin(
        self,
        check: Context,
        version: Function,
        aligned: dict[int, int],
        candidates: Sequence[Context],
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
        guarded = [aligned[at] for at in check.guarded if at in aligned]
        for other in candidates:
            if other.function is not version:
                continue
            partner = partners.get(other.site.key)
            if partner is not None and partner.function is not check.function:
                continue
            if likeness.is_other_case(check, other):
                continue
            if partner is not None and _stand_together(check, partner):
                return other
            if not guarded or (partner is not None and check.at in partner.guarded):
                continue
            if 3 * sum(at in other.guarded for at in guarded) >= 2 * len(guarded):
                return other
        return None

    def _add_kin(self, before: Context, after: Context) -> None:
        """Add an uncertain pair of kin."""
        was, now = before.function, after.function
        place = "file" if was.path == now.path else "tree"
        place = "function" if _locate(before) == _locate(after) else place
        score = likeness.compare_surroundings(before, after)
        self.pairs.append(Pair(before.site, after.site, place, False, score))


def list_fates(pairs: Sequence[Pair], settled: Sequence[Site] = ()) -> Iterator[Match]:
    """Give the pairs as matches with their fates; a settled site is a pair of its own where another
    one joined it."""
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


def _group_functions(files: Iterable[File]) -> dict[Place, list[Function]]:
    """Return the functions by path and name; several if preprocessor conditionals choose one."""
    return _group(
        (function for file in files for function in file.functions),
        lambda function: (function.path, function.name),
    )


def _get_longer(function: Function) -> Counter[tuple[str, ...]]:
    """Return the statements of a function, without the shortest."""
    return function.longer


def _group_names(functions: Iterable[Place]) -> dict[str, set[str]]:
    """Return the names of functions by path of the file."""
    names: defaultdict[str, set[str]] = defaultdict(set)
    for path, name in functions:
        names[path].add(name)
    return dict(names)


def _stand_together(check: Context, other: Context) -> bool:
    """Whether two checks are of one statement, or of two like ones with nothing between."""
    first, second = sorted((check, other), key=lambda context: context.at)
    if first.at == second.at:
        return True
    follows = first.function.under(first.at).stop == second.at
    return follows and likeness.compare_questions(first, second) >= _ALIKE


def _group(items: Iterable[T], key: Callable[[T], K]) -> dict[K, list[T]]:
    """Return the items by key, in order."""
    groups: defaultdict[K, list[T]] = defaultdict(list)
    for item in items:
        groups[key(item)].append(item)
    return dict(groups)


def _locate(check: Context) -> Place:
    """Return path and name of the function of a check."""
    return check.function.path, check.function.name


def _compare_folders(path: str, other: str) -> float:
    """Return the share of folders that two paths have in common, from 0 to 1."""
    folders, others = (file.split("/")[:-1] for file in (path, other))
    size = max(len(folders), len(others))
    shared = takewhile(lambda pair: pair[0] == pair[1], zip(folders, others, strict=False))
    return sum(1 for _ in shared) / size if size else 1.0


def _add_up(bags: Iterable[Counter[tuple[str, ...]]]) -> Counter[tuple[str, ...]]:
    """Return the sum of bags."""
    return sum(bags, Counter())


def _find_similar(function: Function, namesakes: Sequence[Function]) -> list[Function]:
    """Return the namesakes that are similar to a function, the most similar first."""
    scores = [
        (likeness.compare_bags(function.words, namesake.words), namesake) for namesake in namesakes
    ]
    ranked = sorted(scores, key=lambda pair: -pair[0])
    return [namesake for score, namesake in ranked if score >= _KIN]
