"""The answers of ``caphistory.notebook.history`` as Altair charts for notebooks.

The axis has one step for each release, ordered by version, because the dates of many old releases
are unknown. Every chart carries its data, so that you can inspect, change and save it, and a
description for screen readers. For people who do not see colours, lines also differ in their dashes
and tiles have numbers.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any, Protocol

import pandas as pd

from caphistory.errors import CaphistoryError, NothingFound, UsageError
from caphistory.notebook import flows
from caphistory.questions.containers import Container
from caphistory.wording.kinds import BOTH, CAPABILITY, KINDS, NOTHING, ROOT, UID0, classify

try:
    import altair as alt
except ImportError as error:
    raise CaphistoryError(
        "charts need altair: python -m pip install altair vl-convert-python"
    ) from error

WIDTH = 640
_COLORS = {
    NOTHING: "#e4e4e4",
    UID0: "#b8a1d9",
    ROOT: "#c8553d",
    BOTH: "#e9b44c",
    CAPABILITY: "#2a6f97",
}
_FLOW_HEIGHT = 640
# The palette of Okabe and Ito, which people with any colour vision can tell apart.
_LINES = ["#000000", "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"]
_DASHES = [[1, 0], [6, 2], [2, 2], [8, 2, 2, 2], [1, 0], [6, 2], [2, 2]]
_TILES = ["#fff3e3", "#f2a65a"]
"""From few to many; black numbers are legible on both."""
_SERIES_APART = 25
"""The minimum distance between the names of two series on an axis, in releases."""


def show_svg() -> None:
    """Show the charts of this notebook as SVG: they need no network, are saved with the notebook,
    and screen readers read their descriptions."""
    alt.renderers.register("described_svg", _described_svg)
    alt.renderers.enable("described_svg")


def _described_svg(spec: dict[str, Any], **_: Any) -> dict[str, str]:
    import vl_convert

    text = str(spec.get("description", ""))
    svg = vl_convert.vegalite_to_svg(spec)
    labelled = f'<svg role="img" aria-label="{escape(text)}" '
    return {"image/svg+xml": svg.replace("<svg ", labelled, 1), "text/plain": text}


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
        base: str | Iterable[str] | Container,
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

    def checks(self, most: int = 5) -> alt.Chart:
        """Draw how many check sites each release has, by the name of the check: a line for each of
        the ``most`` most frequent names, without prereleases."""
        counts = self._history.check_counts()
        peaks = counts.groupby("check_name")["sites"].max().sort_values(ascending=False)
        frequent = counts[counts["check_name"].isin(peaks.index[:most])]
        lines = self._through_releases(frequent, "check_name", "sites", kind="release")
        title = f"Check sites of each release, the {most} most frequent checks"
        return self._lines(lines, "check_name", "sites", title, kind="release")

    def privilege(self, *privileges: str, count: str = "syscalls") -> alt.Chart:
        """Draw how many ``syscalls`` (or check ``sites``) ask for each of ``privileges``, release
        by release: a line for each."""
        if count not in ("syscalls", "sites"):
            raise UsageError(f"count is syscalls or sites, not {count!r}")
        counts = _require_rows(self._history.privilege(*privileges), "no release asks for it")
        noun = "Syscalls that come to a check" if count == "syscalls" else "Check sites"
        lines = self._through_releases(counts, "privilege", count)
        return self._lines(lines, "privilege", count, f"{noun}, by what is asked for")

    def timeline(self, *syscalls: str, abi: str | None = None) -> alt.Chart:
        """Draw what ``syscalls`` check from release to release: a strip for each, whose colours
        show what it asks for."""
        runs = self._history.timeline(*syscalls, abi=abi)
        numbers, axis = self._axis(None)
        data = runs.assign(
            kind=[KINDS[classify(checks)] for checks in runs["checks"]],
            begin=[numbers[release] for release in runs["first_release"]],
            end=[numbers[release] + 1 for release in runs["last_release"]],
        )
        last = data.groupby("syscall", sort=False).last()
        now = "; ".join(
            f"{name} {checks or 'nothing'} since {since}"
            for name, checks, since in zip(
                last.index, last["checks"], last["first_release"], strict=True
            )
        )
        title = "What syscalls ask for, from release to release"
        chart: alt.Chart = (
            alt.Chart(
                _to_plain_types(data),
                width=WIDTH,
                height=alt.Step(18),
                title=title,
                description=f"{title}. At the end: {now}",
            )
            .mark_bar(height=14)
            .encode(
                x=alt.X("begin:Q", title="release", axis=axis, scale=_scale(numbers)),
                x2="end:Q",
                y=alt.Y("syscall:N", title=None, sort=list(dict.fromkeys(runs["syscall"]))),
                color=_make_color(),
                tooltip=["syscall", "checks", "first_release", "last_release"],
            )
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
        title = f"What became of {len(old)} checks"
        chart: alt.LayerChart = (bands + before + after).properties(
            title=title, description=f"{title}: {fates}"
        )
        return chart

    def container(
        self,
        base: str | Iterable[str] | Container = "docker",
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
        base = base if isinstance(base, str | Container) else list(base)
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
    ) -> alt.Chart:
        numbers, axis = self._axis(kind)
        last = data.groupby(group, sort=False).last()
        text = ", ".join(f"{name} {count}" for name, count in last[value].items())
        newest = f" In {data['release'].iloc[-1]}: {text}" if len(data) else ""
        names, words = list(last.index), group.replace("_", " ")
        many = len(names) > len(_LINES)
        colors = alt.Undefined if many else alt.Scale(domain=names, range=_LINES[: len(names)])
        dashes = alt.Undefined if many else alt.Scale(domain=names, range=_DASHES[: len(names)])
        chart: alt.Chart = (
            alt.Chart(
                data,
                width=WIDTH,
                height=260,
                title=title,
                description=f"{title}, a line for each, release by release.{newest}",
            )
            .mark_line(interpolate="step-after")
            .encode(
                x=alt.X("number:Q", title="release", axis=axis, scale=_scale(numbers)),
                y=alt.Y(f"{value}:Q", title="check sites" if value == "sites" else value),
                color=alt.Color(f"{group}:N", title=words, sort=names, scale=colors),
                strokeDash=alt.StrokeDash(f"{group}:N", title=words, sort=names, scale=dashes),
                tooltip=["release", group, value],
            )
        )
        return chart

    def _through_releases(
        self, data: pd.DataFrame, group: str, value: str, kind: str | None = None
    ) -> pd.DataFrame:
        """Return the ``value`` of each ``group`` in each release since its first, 0 if the release
        has no row of it, with the ``number`` of the release."""
        numbers, _ = self._axis(kind)
        values = {
            (name, release): int(count)
            for name, release, count in zip(data[group], data["release"], data[value], strict=True)
        }
        counts = []
        for name in dict.fromkeys(data[group]):
            first = min(numbers[release] for member, release in values if member == name)
            counts += [
                {
                    "release": release,
                    "number": at,
                    group: name,
                    value: values.get((name, release), 0),
                }
                for release, at in numbers.items()
                if at >= first
            ]
        table: pd.DataFrame = pd.DataFrame(counts)
        return table

    def _axis(self, kind: str | None) -> tuple[dict[str, int], alt.Axis]:
        """Return the numbers of the releases, and an axis that labels the start of each series."""
        releases = self._history.releases(kind=kind)
        numbers = {str(release): at for at, release in enumerate(releases["release"])}
        names: dict[int, str] = {}
        for at, series in enumerate(releases["series"]):
            begins = at == 0 or series != releases["series"].iloc[at - 1]
            if begins and (not names or at - max(names) >= _SERIES_APART):
                names[at] = str(series)
        labels = json.dumps({str(at): name for at, name in names.items()})
        axis = alt.Axis(
            values=list(names), labelExpr=f"{labels}[datum.value]", grid=True, labelAlign="left"
        )
        return numbers, axis


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


def _scale(numbers: dict[str, int]) -> alt.Scale:
    return alt.Scale(domain=[0, len(numbers)], nice=False)


def _require_rows(data: pd.DataFrame, otherwise: str) -> pd.DataFrame:
    """Return ``data``; raise NothingFound if it is empty."""
    if data.empty:
        raise NothingFound(f"nothing to draw: {otherwise}")
    return data


def _to_plain_types(data: pd.DataFrame) -> pd.DataFrame:
    """Return ``data`` with plain Python types, which Altair writes unchanged."""
    plain: pd.DataFrame = data.astype(object)
    return plain
