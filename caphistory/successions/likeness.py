"""How like two pieces of code are, from 0 to 1."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from difflib import SequenceMatcher
from functools import lru_cache
from itertools import chain
from typing import TypeVar

from caphistory.successions.contexts import CHECK, Context
from caphistory.successions.statements import Function, called

T = TypeVar("T", bound=Hashable)

_NEAR = 5
"""So many statements before a check, and behind it, are the code around it."""
_HEADS = 3
"""So many heads and labels that enclose it are compared."""
_RENAMED = 1.2
"""A case is the same under another name if both labels, and what stands under them, are so like
in all."""
_CASE = 12
"""So many statements behind a check are what it is about."""
_ENOUGH = 4
"""A piece of fewer statements is in too many functions to say where it came from."""


def shared(one: Counter[T], other: Counter[T]) -> float:
    """What two bags have in common; two empty ones are alike."""
    size = one.total() + other.total()
    return 2 * (one & other).total() / size if size else 1.0


def part(small: Counter[T], large: Counter[T]) -> float:
    """How much of one bag is in another; one with little in it says nothing."""
    size = small.total()
    return (small & large).total() / size if size >= _ENOUGH else 0.0


@lru_cache(maxsize=50_000)
def sequence(one: Sequence[Hashable], other: Sequence[Hashable]) -> float:
    """How much two sequences (tuples or texts) share in the same order."""
    return SequenceMatcher(None, one, other, autojunk=False).ratio()


def around(before: Context, after: Context) -> float:
    """How like the code around two checks is: what asks, with what stands directly under it;
    the heads and labels that lead there; the statements before and behind. A check under an
    ``if`` of its own is also like one in the same condition."""
    direct = 0.35 * asking(before, after) + 0.3 * shared(_leading(before), _leading(after))
    joint = 0.35 * shared(_condition(before), _condition(after)) + 0.3 * shared(
        _leading(before, past_if=True), _leading(after, past_if=True)
    )
    return max(direct, joint) + _beside(before, after)


def in_place(before: Context, after: Context, name: str) -> float:
    """How like the code around a check and around a call of ``name`` is, as if that were one;
    ``after`` is the place of the call."""
    call = (*_with_check(after.statement, name), *_under(after))
    asked = 0.35 * sequence(_asking(before), call)
    return asked + 0.3 * shared(_leading(before), _leading(after)) + _beside(before, after)


def asking(before: Context, after: Context) -> float:
    """How like the statements of two checks are, with what stands directly under them."""
    return sequence(_asking(before), _asking(after))


def other_case(before: Context, after: Context) -> bool:
    """Whether two checks stand in different cases of a switch: under labels of which one is in
    the other function too, but elsewhere, or which have neither names nor code in common."""
    was = before.function.cases_at(before.at)
    now = after.function.cases_at(after.at)
    if not was or not now or was & now:
        return False
    if was & after.function.cases or now & before.function.cases:
        return True
    names = max(sequence("".join(one), "".join(other)) for one in was for other in now)
    return names + shared(_guarded(before), _guarded(after)) < _RENAMED


def _guarded(one: Context) -> Counter[str]:
    return _words(one, one.guarded[:_CASE])


def _beside(before: Context, after: Context) -> float:
    near = shared(
        _words(before, range(before.at - _NEAR, before.at)),
        _words(after, range(after.at - _NEAR, after.at)),
    )
    behind = shared(
        _words(before, range(before.at + 1, before.at + 1 + _NEAR)),
        _words(after, range(after.at + 1, after.at + 1 + _NEAR)),
    )
    return 0.15 * near + 0.2 * behind


def _asking(one: Context) -> tuple[str, ...]:
    return (*one.statement, *_under(one))


def _under(one: Context) -> Iterable[str]:
    under = one.function.under(one.at)
    return chain.from_iterable(one.function.texts[at] for at in under[:2])


def _leading(one: Context, *, past_if: bool = False) -> Counter[str]:
    """The tokens of the heads and labels around a check; ``past_if`` leaves out the ``if`` that
    it stands under directly."""
    heads = list(one.function.enclosing(one.at))
    if past_if and heads and heads[0][0] == "if":
        heads = heads[1:]
    return Counter(token for text in heads[:_HEADS] for token in text)


def _words(one: Context, places: range) -> Counter[str]:
    texts = one.function.texts
    return Counter(
        token for at in places if 0 <= at < len(texts) for token in texts[at] if _is_word(token)
    )


def _condition(one: Context) -> Counter[str]:
    """The words of the statement that asks, and of the ``if`` directly around it."""
    around = next(one.function.enclosing(one.at), ())
    texts = (one.statement, around if around[:1] == ("if",) else ())
    return Counter(token for text in texts for token in text if _is_word(token))


def _is_word(token: str) -> bool:
    return token.isidentifier() or token.isdigit() or token == CHECK


def _with_check(text: tuple[str, ...], name: str) -> tuple[str, ...]:
    """A statement with ``CHECK`` in place of a call of ``name``."""
    start = text.index(name)
    depth, end = 0, start + 1
    for end in range(start + 1, len(text)):
        depth += {"(": 1, ")": -1}.get(text[end], 0)
        if depth == 0:
            break
    return (*text[:start], CHECK, *text[end + 1 :])


def calls_of(function: Function, name: str) -> Iterable[int]:
    """The statements of a function that call ``name``."""
    return (at for at, text in enumerate(function.texts) if name in called(text))
