"""The answers of ``caphistory.notebook.history`` as Altair charts for notebooks.

The axis is that of the explorer (``wording.axis``): ordered by version, because the dates of many
old releases are unknown, with a band for each series, and with holes where the database lacks
releases: lines are torn there. Charts are SVG, which needs no network. Every chart carries its
data, so that you can inspect, change and save it, and a description for screen readers. For people
who do not see colours, lines also differ in their dashes and tiles have numbers.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from html import escape
from os import PathLike
from typing import Any, Protocol

import pandas as pd

from caphistory.errors import CaphistoryError, NothingFound, UsageError
from caphistory.notebook import flows
from caphistory.notebook.containers import Base
from caphistory.questions.containers import Container
from caphistory.wording.axis import Axis, lay_out
from caphistory.wording.kinds import BOTH, CAPABILITY, KINDS, NOTHING, ROOT, UID0, classify

try:
    import altair as alt
except ImportError as error:
    raise CaphistoryError(
        "charts need altair: python -m pip install altair vl-convert-python"
    ) from error

WIDTH = 640
"""The minimum width of a chart; the axis of all releases is wider."""
_COLORS = {
    NOTHING: "#aab2bb",
    UID0: "#8a6100",
    ROOT: "#a83a1e",
    BOTH: "#7a4a6f",
    CAPABILITY: "#14677f",
}
"""Those of the explorer, where both are one above the other."""
_CHECK_STYLES = {
    "capable": (_COLORS[CAPABILITY], [1, 0]),
    "ns_capable": (_COLORS[CAPABILITY], [2, 2]),
    "suser": (_COLORS[ROOT], [6, 2]),
    "fsuser": (_COLORS[ROOT], [2, 2]),
    "uid0": (_COLORS[UID0], [8, 2, 2, 2]),
}
"""The colour and dash of the lines of these checks."""
_HOLE_COLOR = "#e3e6ea"
_FLOW_HEIGHT = 640
# The palette of Okabe and Ito, which people with any colour vision can tell apart.
_LINES = ["#000000", "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"]
_DASHES = [[1, 0], [6, 2], [2, 2], [8, 2, 2, 2], [1, 0], [6, 2], [2, 2]]
_TILES = ["#fff3e3", "#f2a65a"]
"""From few to many; black numbers are legible on both."""


def show_svg() -> None:
    """Show charts as SVG: they need no network, are saved with the notebook, and screen readers
    read their descriptions. Importing this module does it: Altair's own way fetches scripts."""
    alt.renderers.register("described_svg", _described_svg)
    alt.renderers.enable("described_svg")


def _described_svg(spec: dict[str, Any], **_: Any) -> dict[str, str]:
    import vl_convert

    text = str(spec.get("description", ""))
    svg = vl_convert.vegalite_to_svg(spec)
    labelled = f'<svg role="img" aria-label="{escape(text)}" '
    return {
        "image/svg+xml": _fit_width(svg.replace("<svg ", labelled, 1)),
        "text/plain": text,
    }


def _fit_width(svg: str) -> str:
    """Return a picture that is as wide as the cell that shows it: with a width of its own, most of
    what shows notebooks cuts the newest releases off."""
    head, end, rest = svg.partition(">")
    return re.sub(r' (?:width|height)="[\d.]+"', "", head) + ' width="100%"' + end + rest


show_svg()


class Frames(Protocol):
    """The data frames that the charts draw; ``notebook.history.History`` has these methods and
    describes them."""

    def ask(self, question: str, **parameters: str | None) -> pd.DataFrame: ...

    def check_counts(self, kind: str | None = None) -> pd.DataFrame: ...

    def privilege(self, *privileges: str, abi: str | None = None) -> pd.DataFrame: ...

    def timeline(self, *syscalls: str, abi: str | None = None) -> pd.DataFrame: ...

    def releases(self, series: str | None = None, kind: str | None = None) -> pd.DataFrame: ...

    def root_became(
        self, from_release: str | None, to_release: str | None, *, abi: str | None
    ) -> pd.DataFrame: ...

    def successions(self, from_release: str | None, to_release: str | None) -> pd.DataFrame: ...

    def container(
        self,
        base: Base,
        *,
        add: Sequence[str],
        drop: Sequence[str],
        release: str | None,
        abi: str | None,
    ) -> pd.DataFrame: ...


class Plots:
    """The charts of one database (``History.plot``); each method returns one."""

    def __init__(self, history: Frames) -> None:
        self._history = history

    def checks(self, most: int = 5) -> alt.LayerChart:
        """Draw how many check sites each release has, by the name of the check: a line for each of
        the ``most`` most frequent names, without prereleases."""
        counts = self._history.check_counts()
        peaks = counts.groupby("check_name")["sites"].max().sort_values(ascending=False)
        frequent = counts[counts["check_name"].isin(peaks.index[:most])]
        lines = self._through_releases(frequent, "check_name", "sites", kind="release")
        title = f"Check sites of each release, the {most} most frequent checks"
        return self._lines(lines, "check_name", "sites", title, kind="release")

    def privilege(self, *privileges: str, count: str = "syscalls") -> alt.LayerChart:
        """Draw how many ``syscalls`` (or check ``sites``) ask for each of ``privileges``, release
        by release: a line for each."""
        if count not in ("syscalls", "sites"):
            raise UsageError(f"count is syscalls or sites, not {count!r}")
        counts = _require_rows(self._history.privilege(*privileges), "no release asks for it")
        noun = "Syscalls that come to a check" if count == "syscalls" else "Check sites"
        lines = self._through_releases(counts, "privilege", count)
        return self._lines(lines, "privilege", count, f"{noun}, by what is asked for")

    def timeline(self, *syscalls: str, abi: str | None = None) -> alt.LayerChart:
        """Draw what ``syscalls`` check from release to release: a strip for each, whose colours
        show what it asks for."""
        runs = self._history.timeline(*syscalls, abi=abi)
        places = self._lay_out(None)
        data = runs.assign(
            kind=[KINDS[classify(checks)] for checks in runs["checks"]],
            begin=[places.left(release) for release in runs["first_release"]],
            end=[places.right(release) for release in runs["last_release"]],
        )
        last = data.groupby("syscall", sort=False).last()
        now = "; ".join(
            f"{name} {checks or 'nothing'} since {since}"
            for name, checks, since in zip(
                last.index, last["checks"], last["first_release"], strict=True
            )
        )
        title = "What syscalls ask for, from release to release"
        bars = (
            alt.Chart(_to_plain_types(data), width=places.width, height=alt.Step(18))
            .mark_bar(height=14)
            .encode(
                x=alt.X("begin:Q", title="release", axis=_make_axis(places), scale=_scale(places)),
                x2="end:Q",
                y=alt.Y("syscall:N", title=None, sort=list(dict.fromkeys(runs["syscall"]))),
                color=_make_color(),
                tooltip=["syscall", "checks", "first_release", "last_release"],
            )
        )
        chart: alt.LayerChart = (bars + _draw_holes(places)).properties(
            title=title, description=f"{title}. At the end: {now}"
        )
        return chart

    def transition(
        self,
        from_release: str | None = None,
        to_release: str | None = None,
        *,
        abi: str | None = None,
    ) -> alt.Chart:
        """Draw what the syscalls that asked for root in one release ask for in another: how many
        ask for each privilege. One syscall can ask for several."""
        became = self._history.root_became(from_release, to_release, abi=abi)
        pairs = became.assign(privilege=became["after"].map(_split)).explode("privilege")
        counts = pairs.groupby("privilege")["syscall"].nunique().rename("syscalls").reset_index()
        counts["kind"] = [KINDS[classify(name)] for name in counts["privilege"]]
        counts.loc[counts["privilege"] == _NO_PRIVILEGE, "kind"] = KINDS[NOTHING]
        ends = self._history.ask("transition_ends", from_=from_release, to=to_release).iloc[0]
        title = f"What syscalls that asked for root in {ends['from']} ask for in {ends['to']}"
        most = counts.nlargest(5, "syscalls")
        text = ", ".join(
            f"{name} {count}"
            for name, count in zip(most["privilege"], most["syscalls"], strict=True)
        )
        chart: alt.Chart = (
            alt.Chart(
                _to_plain_types(counts),
                width=WIDTH,
                title=title,
                description=f"{title}. Most often: {text}",
            )
            .mark_bar()
            .encode(
                x=alt.X("syscalls:Q", title="syscalls that asked for root before"),
                y=alt.Y("privilege:N", title=None, sort="-x"),
                color=_make_color(),
                tooltip=["privilege", "syscalls"],
            )
        )
        return chart

    def successions(
        self, from_release: str | None = None, to_release: str | None = None
    ) -> alt.LayerChart:
        """Draw what became of the checks between two releases as a flow: on the left what they
        asked for, on the right what they ask for in the later release, or that they are gone. The
        width of a band is its number of checks. New checks are left out."""
        rows = self._history.successions(from_release, to_release)
        old = rows[rows["site_before"].notna()]
        asked = old["capability_before"].fillna(old["check_before"])
        asks = old["capability_after"].fillna(old["check_after"]).fillna(old["fate"].map(_LOST))
        counts = Counter(zip(asked.astype(str), asks.astype(str), strict=True))
        ends = flows.place_ends(counts, _LOST.values())
        x = alt.X("x:Q", axis=None, scale=alt.Scale(domain=[-0.2, 1.5], nice=False))
        y = alt.Scale(reverse=True, nice=False)
        bands = (
            alt.Chart(_to_plain_types(_make_bands(counts, ends)), width=WIDTH, height=_FLOW_HEIGHT)
            .mark_area(opacity=0.7)
            .encode(
                x=x,
                y=alt.Y("low:Q", axis=None, scale=y),
                y2="high:Q",
                detail="flow:N",
                color=_make_color(),
                tooltip=["flow", "checks"],
            )
        )
        names = pd.DataFrame(
            [{"x": end.x, "low": end.middle, "name": f"{end.name}  {end.size}"} for end in ends]
        )
        left, right = (
            alt.Chart(_to_plain_types(names[names["x"] == side])).encode(
                x=x, y=alt.Y("low:Q", axis=None, scale=y), text="name:N"
            )
            for side in (0, 1)
        )
        before = left.mark_text(align="right", dx=-6, fontSize=10)
        after = right.mark_text(align="left", dx=6, fontSize=10)
        fates = ", ".join(f"{fate} {count}" for fate, count in old["fate"].value_counts().items())
        between = " in ".join(str(rows[side].iloc[0]) for side in ("from_release", "to_release"))
        # One that became several has as many rows.
        title = f"What became of the {old['site_before'].nunique()} checks of {between}"
        chart: alt.LayerChart = (bands + before + after).properties(
            title=title, description=f"{title}: {fates}"
        )
        return chart

    def container(
        self,
        base: Base = "docker",
        *,
        releases: Sequence[str],
        add: Sequence[str] = (),
        drop: Sequence[str] = (),
        abi: str | None = None,
    ) -> alt.LayerChart:
        """Draw how many syscalls ask for each capability that a container does not hold, in each of
        ``releases`` (see ``History.container``)."""
        if not releases:
            raise UsageError("give at least one release")
        base = base if isinstance(base, str | PathLike | Container) else list(base)
        answers = [
            self._history.container(base, add=add, drop=drop, release=release, abi=abi)
            for release in releases
        ]
        losses = _require_rows(pd.concat(answers), "nothing is lost with this set")
        counts = losses.groupby(["release", "capability"], observed=True)["syscall"].nunique()
        data = counts.rename("syscalls").reset_index()
        title = "Syscalls that come to a check of what is missing"
        worst = data.sort_values("syscalls", ascending=False).drop_duplicates("release")
        order = [str(release) for release in releases]
        worst = worst.sort_values("release", key=lambda column: column.astype(str).map(order.index))
        text = "; ".join(
            f"{release}: most for {capability}, {count}"
            for release, capability, count in zip(
                worst["release"], worst["capability"], worst["syscalls"], strict=True
            )
        )
        shown = alt.Chart(_to_plain_types(data), width=alt.Step(48), height=alt.Step(18)).encode(
            x=alt.X("release:N", title="release", sort=list(releases), axis=alt.Axis(labelAngle=0)),
            y=alt.Y("capability:N", title=None),
            tooltip=["release", "capability", "syscalls"],
        )
        tiles = shown.mark_rect().encode(
            color=alt.Color("syscalls:Q", title="syscalls", scale=alt.Scale(range=_TILES))
        )
        numbers = shown.mark_text(fontSize=10).encode(text="syscalls:Q")
        chart: alt.LayerChart = (tiles + numbers).properties(
            title=alt.Title(title, anchor="start", frame="group"), description=f"{title}. {text}"
        )
        return chart

    def _lines(
        self, data: pd.DataFrame, group: str, value: str, title: str, kind: str | None = None
    ) -> alt.LayerChart:
        places = self._lay_out(kind)
        last = data.groupby(group, sort=False).last()
        text = ", ".join(f"{name} {count}" for name, count in last[value].items())
        newest = f" In {data['release'].iloc[-1]}: {text}" if len(data) else ""
        names, words = list(last.index), group.replace("_", " ")
        styles = _choose_styles(names)
        colors = alt.Scale(domain=names, range=[color for color, _ in styles])
        dashes = alt.Scale(domain=names, range=[dash for _, dash in styles])
        lines = (
            alt.Chart(data, width=places.width, height=260)
            .mark_line(interpolate="step-after")
            .encode(
                x=alt.X("number:Q", title="release", axis=_make_axis(places), scale=_scale(places)),
                y=alt.Y(f"{value}:Q", title="check sites" if value == "sites" else value),
                color=alt.Color(f"{group}:N", title=words, sort=names, scale=colors),
                strokeDash=alt.StrokeDash(f"{group}:N", title=words, sort=names, scale=dashes),
                detail="stretch:N",
                tooltip=["release", group, value],
            )
        )
        chart: alt.LayerChart = (_draw_holes(places) + lines).properties(
            title=title, description=f"{title}, a line for each, release by release.{newest}"
        )
        return chart

    def _through_releases(
        self, data: pd.DataFrame, group: str, value: str, kind: str | None = None
    ) -> pd.DataFrame:
        """Return the ``value`` of each ``group`` in each release since its first, 0 if the release
        has no row of it, with the place (``number``) of the release, and the ``stretch`` between
        holes in which it is; each stretch ends with its last value at its right end."""
        places = self._lay_out(kind)
        values = {
            (name, release): int(count)
            for name, release, count in zip(data[group], data["release"], data[value], strict=True)
        }
        counts = []
        for name in dict.fromkeys(data[group]):
            first = min(places.left(release) for member, release in values if member == name)
            for stretch, releases in enumerate(places.stretches):
                points = [(places.left(release), release) for release in releases]
                points.append((places.right(releases[-1]), releases[-1]))
                counts += [
                    {
                        "release": release,
                        "number": at,
                        group: name,
                        value: values.get((name, release), 0),
                        "stretch": stretch,
                    }
                    for at, release in points
                    if at >= first
                ]
        table: pd.DataFrame = pd.DataFrame(counts)
        return table

    def _lay_out(self, kind: str | None) -> Axis:
        releases = self._history.releases(kind=kind)
        rows = releases.astype(object).where(releases.notna(), None).to_dict("records")
        return lay_out([{str(name): value for name, value in row.items()} for row in rows], WIDTH)


def _make_axis(places: Axis) -> alt.Axis:
    """Return an axis that labels the start of each series."""
    labels = json.dumps({f"{band.left:.2f}": band.name for band in places.bands})
    return alt.Axis(
        values=[band.left for band in places.bands],
        labelExpr=f"{labels}[format(datum.value, '.2f')]",
        grid=True,
        labelAlign="left",
        labelFontSize=9,
        labelOverlap=False,
    )


def _draw_holes(places: Axis) -> alt.Chart:
    """Return grey boxes where releases are missing, each with what is missing."""
    holes = [
        {
            "left": hole.left,
            "right": hole.right,
            "missing": f"{hole.missing} releases between {hole.before} and {hole.after}",
        }
        for hole in places.holes
    ]
    frame = pd.DataFrame(holes, columns=["left", "right", "missing"])
    chart: alt.Chart = (
        alt.Chart(_to_plain_types(frame))
        .mark_rect(color=_HOLE_COLOR)
        .encode(
            x=alt.X("left:Q", title="release", axis=_make_axis(places), scale=_scale(places)),
            x2="right:Q",
            tooltip=["missing"],
        )
    )
    return chart


def _choose_styles(names: Sequence[str]) -> list[tuple[str, list[int]]]:
    """Return the colour and the dash of each line; more lines than there are pairs repeat them."""
    others = [name for name in names if name not in _CHECK_STYLES]
    rest = {
        name: (_LINES[at % len(_LINES)], _DASHES[at % len(_DASHES)])
        for at, name in enumerate(others)
    }
    return [_CHECK_STYLES.get(name) or rest[name] for name in names]


_NO_PRIVILEGE = "nothing any more"
_LOST = {"removed": "no check any more", "gone": "gone with its function"}


def _split(checks: Any) -> list[str]:
    """Return the privileges in a text such as ``CAP_SETGID, suser``, else _NO_PRIVILEGE."""
    if pd.isna(checks) or not checks:
        return [_NO_PRIVILEGE]
    return str(checks).split(", ")


def _make_bands(counts: flows.Flows, ends: Sequence[flows.End]) -> pd.DataFrame:
    """Return the points of the bands, each with its kind."""
    rows = [
        {
            "flow": f"{point.before} → {point.after}",
            "checks": point.size,
            "kind": KINDS[NOTHING if point.after in _LOST.values() else classify(point.after)],
            "x": point.x,
            "low": point.low,
            "high": point.high,
        }
        for point in flows.trace_points(counts, ends)
    ]
    frame: pd.DataFrame = pd.DataFrame(rows)
    return frame


def _make_color() -> alt.Color:
    scale = alt.Scale(domain=list(KINDS.values()), range=[_COLORS[kind] for kind in KINDS])
    return alt.Color("kind:N", title=None, scale=scale)


def _scale(places: Axis) -> alt.Scale:
    return alt.Scale(domain=[0, places.width], nice=False)


def _require_rows(data: pd.DataFrame, otherwise: str) -> pd.DataFrame:
    """Return ``data``; raise NothingFound if it is empty."""
    if data.empty:
        raise NothingFound(f"nothing to draw: {otherwise}")
    return data


def _to_plain_types(data: pd.DataFrame) -> pd.DataFrame:
    """Return ``data`` with plain Python types, which Altair writes unchanged."""
    plain: pd.DataFrame = data.astype(object)
    return plain
