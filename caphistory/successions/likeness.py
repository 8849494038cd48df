"""Measure how similar two pieces of code are, from 0 to 1."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from difflib import SequenceMatcher
from functools import lru_cache
from itertools import chain
from typing import TypeVar

from caphistory.successions.contexts import CHECK, Context
from caphistory.successions.statements import Function, list_called

T = TypeVar("T", bound=Hashable)

_NEAR = 5
"""How many statements before and behind a check count as the code around it."""
_HEADS = 3
"""How many of the enclosing heads and labels are compared."""
_RENAMED = 1.2
"""A case is the same under another name if both labels, and what stands under them, are so like
in all."""
_CASE = 12
"""How many statements behind a check count as what it guards."""
_ENOUGH = 4
"""A piece of fewer statements occurs in too many functions to show where it came from."""


def compare_bags(bag: Counter[T], other: Counter[T]) -> float:
    """Return the share that two bags have in common, from 0 to 1; 1 for two empty bags."""
    size = bag.total() + other.total()
    return 2 * (bag & other).total() / size if size else 1.0


def measure_part(small: Counter[T], large: Counter[T]) -> float:
    """Return how much of one bag is in another, from 0 to 1; 0 for a bag too small to tell."""
    size = small.total()
    return (small & large).total() / size if size >= _ENOUGH else 0.0


@lru_cache(maxsize=50_000)
def compare_sequences(before: Sequence[Hashable], after: Sequence[Hashable]) -> float:
    """Return how much two sequences (tuples or texts) share in the same order, from 0 to 1."""
    return SequenceMatcher(None, before, after, autojunk=False).ratio()


def compare_surroundings(before: Context, after: Context) -> float:
    """Return how similar the code around two checks is: what asks, with what is directly under it;
    the heads and labels that lead there; the statements before and behind. A check under an
    ``if`` of its own is also like one in the same condition."""
    direct = 0.35 * compare_questions(before, after) + 0.3 * compare_bags(
        _count_leading(before), _count_leading(after)
    )
    joint = 0.35 * compare_bags(
        _count_condition(before), _count_condition(after)
    ) + 0.3 * compare_bags(
        _count_leading(before, past_if=True), _count_leading(after, past_if=True)
    )
    return max(direct, joint) + _compare_nearby(before, after)


def compare_with_call(before: Context, after: Context, name: str) -> float:
    """Return how similar the code around a check and around a call of ``name`` is, as if both
    asked; ``after`` is the place of the call."""
    call = (*_replace_call(after.statement, name), *_read_under(after))
    asked = 0.35 * compare_sequences(_read_question(before), call)
    return (
        asked
        + 0.3 * compare_bags(_count_leading(before), _count_leading(after))
        + _compare_nearby(before, after)
    )


def compare_questions(before: Context, after: Context) -> float:
    """Return how similar the statements of two checks are, with what is directly under them."""
    return compare_sequences(_read_question(before), _read_question(after))


def is_other_case(before: Context, after: Context) -> bool:
    """Whether two checks stand in different cases of a switch: under labels of which one is in
    the other function too, but elsewhere, or which have neither names nor code in common."""
    was = before.function.cases_at(before.at)
    now = after.function.cases_at(after.at)
    if not was or not now or was & now:
        return False
    if was & after.function.cases or now & before.function.cases:
        return True
    names = max(compare_sequences("".join(old), "".join(new)) for old in was for new in now)
    return names + compare_bags(_count_guarded(before), _count_guarded(after)) < _RENAMED


def _count_guarded(context: Context) -> Counter[str]:
    """Return the words of what a check guards."""
    return _count_words(context, context.guarded[:_CASE])


def _compare_nearby(before: Context, after: Context) -> float:
    """Return how alike the statements before and behind two checks are, from 0 to 0.35."""
    near = compare_bags(
        _count_words(before, range(before.at - _NEAR, before.at)),
        _count_words(after, range(after.at - _NEAR, after.at)),
    )
    behind = compare_bags(
        _count_words(before, range(before.at + 1, before.at + 1 + _NEAR)),
        _count_words(after, range(after.at + 1, after.at + 1 + _NEAR)),
    )
    return 0.15 * near + 0.2 * behind


def _read_question(context: Context) -> tuple[str, ...]:
    """Return the tokens of the statement that asks, and of what stands directly under it."""
    return (*context.statement, *_read_under(context))


def _read_under(context: Context) -> Iterable[str]:
    """Give the tokens of the first two statements under a check."""
    under = context.function.under(context.at)
    return chain.from_iterable(context.function.texts[at] for at in under[:2])


def _count_leading(context: Context, *, past_if: bool = False) -> Counter[str]:
    """The tokens of the heads and labels around a check; ``past_if`` leaves out the ``if`` that
    it stands under directly."""
    heads = list(context.function.enclosing(context.at))
    if past_if and heads and heads[0][0] == "if":
        heads = heads[1:]
    return Counter(token for text in heads[:_HEADS] for token in text)


def _count_words(context: Context, places: range) -> Counter[str]:
    """Return the words of the statements at ``places`` of a function."""
    texts = context.function.texts
    return Counter(
        token for at in places if 0 <= at < len(texts) for token in texts[at] if _is_word(token)
    )


def _count_condition(context: Context) -> Counter[str]:
    """The words of the statement that asks, and of the ``if`` directly around it."""
    around = next(context.function.enclosing(context.at), ())
    texts = (context.statement, around if around[:1] == ("if",) else ())
    return Counter(token for text in texts for token in text if _is_word(token))


def _is_word(token: str) -> bool:
    """Whether a token is a name, a number or a check, not punctuation."""
    return token.isidentifier() or token.isdigit() or token == CHECK


def _replace_call(text: tuple[str, ...], name: str) -> tuple[str, ...]:
    """A statement with ``CHECK`` in place of a call of ``name``."""
    start = text.index(name)
    depth, end = 0, start + 1
    for end in range(start + 1, len(text)):
        depth += {"(": 1, ")": -1}.get(text[end], 0)
        if depth == 0:
            break
    return (*text[:start], CHECK, *text[end + 1 :])


def find_calls(function: Function, name: str) -> Iterable[int]:
    """Give the numbers of the statements of a function that call ``name``."""
    return (at for at, text in enumerate(function.texts) if name in list_called(text))
