"""Draw what checks asked for before and ask for now as ribbons, each a link to its list."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from markupsafe import Markup

from caphistory.wording.kinds import NOTHING, classify
from caphistory.wording.phrases import format_count

_WIDTH = 960
_LEFT, _RIGHT = 130, 700
"""Where the ribbons begin and end; the names stand outside."""
_PER_CHECK = 1.3
_GAP = 9
_LEAST = 4.0
"""The minimum height of an end, which keeps its name apart from the next one."""


class Flow(NamedTuple):
    """The number of checks that asked for ``before`` and now ask for ``after``: a privilege, or
    what became of them (``fate``) where they ask for nothing."""

    before: str
    after: str
    fate: str
    checks: int


def draw_ribbons(flows: Sequence[Flow], link: Callable[[Flow], str]) -> Markup:
    """Return the picture of ``flows`` from root, on the left what was asked for; empty if there is
    none. ``link`` gives the address of a flow's list."""
    shown = [flow for flow in flows if classify(flow.before) in ("root", "uid0")]
    if not shown:
        return Markup("")
    before = _place_ends(Counter(_sum(shown, "before")))
    after = _place_ends(Counter(_sum(shown, "after")))
    height = max(end for _, end in [*before.values(), *after.values()]) + _GAP
    left = {name: start for name, (start, _) in before.items()}
    right = {name: start for name, (start, _) in after.items()}
    drawn = []
    for flow in sorted(shown, key=lambda flow: (before[flow.before], after[flow.after])):
        size = flow.checks * _PER_CHECK
        drawn.append(_draw_ribbon(flow, left[flow.before], right[flow.after], size, link(flow)))
        left[flow.before] += size
        right[flow.after] += size
    names = [
        *_draw_names(before, _sum(shown, "before"), _LEFT - 8, "end"),
        *_draw_names(after, _sum(shown, "after"), _RIGHT + 8, "start"),
    ]
    return Markup(
        '<svg class="ribbons" viewBox="0 0 {} {:.0f}" role="group" aria-label="{}">{}{}</svg>'
    ).format(
        _WIDTH,
        height,
        "From what checks asked for to what they ask for; each ribbon is a link",
        Markup("").join(drawn),
        Markup("").join(names),
    )


def _sum(flows: Iterable[Flow], side: str) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for flow in flows:
        counts[getattr(flow, side)] += flow.checks
    return dict(counts.most_common())


def _place_ends(counts: Mapping[str, int]) -> dict[str, tuple[float, float]]:
    """Return the top and bottom of each end, the biggest first."""
    places = {}
    y = float(_GAP)
    for name, count in counts.items():
        size = count * _PER_CHECK
        places[name] = (y, y + size)
        y += max(size, _LEAST) + _GAP
    return places


def _draw_ribbon(flow: Flow, left: float, right: float, size: float, address: str) -> Markup:
    middle = (_LEFT + _RIGHT) / 2
    words = f"{format_count(flow.checks, 'check')} from {flow.before} to {flow.after}"
    kind = NOTHING if flow.fate else classify(flow.after)
    return Markup(
        '<a class="{}" href="{}" aria-label="{}"><path d="M{} {:.1f}C{} {:.1f} {} {:.1f} {} {:.1f}'
        'v{:.1f}C{} {:.1f} {} {:.1f} {} {:.1f}z"><title>{}</title></path></a>'
    ).format(
        kind, address, words, _LEFT, left, middle, left, middle, right, _RIGHT, right, size,
        middle, right + size, middle, left + size, _LEFT, left + size, words,
    )  # fmt: skip


def _draw_names(
    places: Mapping[str, tuple[float, float]], counts: Mapping[str, int], x: int, anchor: str
) -> list[Markup]:
    return [
        Markup('<text x="{}" y="{:.1f}" dy=".35em"{}>{} {}</text>').format(
            x,
            (top + bottom) / 2,
            Markup(' class="end"') if anchor == "end" else "",
            name,
            counts[name],
        )
        for name, (top, bottom) in places.items()
    ]
