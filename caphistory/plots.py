"""The answers of ``caphistory.api`` as Altair charts, which a notebook shows.

Releases stand in the order of their versions, one step for each: many of the older ones have
no known date. Every chart carries its data, so that it can be looked up, changed and saved.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from caphistory.containers import Container
from caphistory.errors import CaphistoryError, UsageError
from caphistory.explorer.kinds import BOTH, CAPABILITY, KINDS, NOTHING, ROOT, UID0, kind

try:
    import altair as alt
except ImportError as error:
    raise CaphistoryError(
        "charts need altair: python -m pip install 'caphistory[notebooks]'"
    ) from error

if TYPE_CHECKING:
    from caphistory.api import History

WIDTH = 640
_COLORS = {
    NOTHING: "#e4e4e4",
    UID0: "#b8a1d9",
    ROOT: "#c8553d",
    BOTH: "#e9b44c",
    CAPABILITY: "#2a6f97",
}
_SERIES_APART = 25
"""The names of two series stand at least so many releases apart on an axis."""


class Plots:
    """The charts of one database (``History.plot``); each method says what it draws."""

    def __init__(self, history: History) -> None:
        self._history = history

    def checks(self, most: int = 5) -> alt.Chart:
        """How many check sites each release has, by the name of the check: a line for each of
        the ``most`` frequent names, prereleases left out."""
        counts = self._history.check_counts()
        peaks = counts.groupby("check_name")["sites"].max().sort_values(ascending=False)
        frequent = counts[counts["check_name"].isin(peaks.index[:most])]
        lines = self._through_releases(frequent, "check_name", "sites", kind="release")
        return self._lines(lines, "check_name", "sites", kind="release")

    def privilege(self, *privileges: str, count: str = "syscalls") -> alt.Chart:
        """How many ``syscalls`` (or check ``sites``) ask for each of ``privileges``, release by
        release: a line for each."""
        if count not in ("syscalls", "sites"):
            raise UsageError(f"count is syscalls or sites, not {count!r}")
        counts = self._history.privilege(*privileges)
        return self._lines(self._through_releases(counts, "privilege", count), "privilege", count)

    def timeline(self, *syscalls: str, abi: str | None = None) -> alt.Chart:
        """What ``syscalls`` check from release to release: a strip for each, in the colour of
        what it asks for."""
        runs = self._history.timeline(*syscalls, abi=abi)
        numbers, axis = self._axis(None)
        data = runs.assign(
            kind=[KINDS[kind(checks)] for checks in runs["checks"]],
            begin=runs["first_release"].map(numbers),
            end=runs["last_release"].map(numbers) + 1,
        )
        chart: alt.Chart = (
            alt.Chart(_plain(data), width=WIDTH, height=alt.Step(18))
            .mark_bar(height=14)
            .encode(
                x=alt.X("begin:Q", title="release", axis=axis, scale=_whole(numbers)),
                x2="end:Q",
                y=alt.Y("syscall:N", title=None, sort=list(dict.fromkeys(runs["syscall"]))),
                color=_kind_color(),
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
        """What became of root between two releases: for each privilege that the later one asks
        for, how many of the syscalls that asked for root in the earlier one ask for it. One
        syscall can ask for several."""
        became = self._history.root_became(from_release, to_release, abi=abi)
        pairs = became.assign(privilege=became["after"].map(_privileges)).explode("privilege")
        counts = pairs.groupby("privilege")["syscall"].nunique().rename("syscalls").reset_index()
        counts["kind"] = [KINDS[kind(name)] for name in counts["privilege"]]
        counts.loc[counts["privilege"] == _NO_PRIVILEGE, "kind"] = KINDS[NOTHING]
        chart: alt.Chart = (
            alt.Chart(_plain(counts), width=WIDTH)
            .mark_bar()
            .encode(
                x=alt.X("syscalls:Q", title="syscalls that asked for root before"),
                y=alt.Y("privilege:N", title=None, sort="-x"),
                color=_kind_color(),
                tooltip=["privilege", "syscalls"],
            )
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
        """How many syscalls ask for each capability that a container does not hold, in each of
        ``releases`` (see ``History.container``)."""
        if not releases:
            raise UsageError("give at least one release")
        base = base if isinstance(base, str | Container) else list(base)
        answers = [
            self._history.container(base, add=add, drop=drop, release=release, abi=abi)
            for release in releases
        ]
        losses = pd.concat(answers)
        counts = losses.groupby(["release", "capability"])["syscall"].nunique()
        data = counts.rename("syscalls").reset_index()
        shown = alt.Chart(_plain(data), width=alt.Step(48), height=alt.Step(18)).encode(
            x=alt.X("release:N", title=None, sort=list(releases), axis=alt.Axis(labelAngle=0)),
            y=alt.Y("capability:N", title=None),
            tooltip=["release", "capability", "syscalls"],
        )
        tiles = shown.mark_rect().encode(
            color=alt.Color("syscalls:Q", title="syscalls", scale=alt.Scale(scheme="oranges"))
        )
        chart: alt.LayerChart = tiles + shown.mark_text(fontSize=10).encode(text="syscalls:Q")
        return chart

    def _lines(
        self, data: pd.DataFrame, group: str, value: str, kind: str | None = None
    ) -> alt.Chart:
        numbers, axis = self._axis(kind)
        chart: alt.Chart = (
            alt.Chart(data, width=WIDTH, height=260)
            .mark_line(interpolate="step-after")
            .encode(
                x=alt.X("number:Q", title="release", axis=axis, scale=_whole(numbers)),
                y=alt.Y(f"{value}:Q", title=value),
                color=alt.Color(f"{group}:N", title=group.replace("_", " ")),
                tooltip=["release", group, value],
            )
        )
        return chart

    def _through_releases(
        self, data: pd.DataFrame, group: str, value: str, kind: str | None = None
    ) -> pd.DataFrame:
        """The ``value`` of each ``group`` in each release from its first on, 0 in those that
        have no row of it, with the ``number`` of the release."""
        numbers, _ = self._axis(kind)
        found = {
            (name, release): int(count)
            for name, release, count in zip(data[group], data["release"], data[value], strict=True)
        }
        counts = []
        for name in dict.fromkeys(data[group]):
            first = min(numbers[release] for one, release in found if one == name)
            counts += [
                {
                    "release": release,
                    "number": at,
                    group: name,
                    value: found.get((name, release), 0),
                }
                for release, at in numbers.items()
                if at >= first
            ]
        table: pd.DataFrame = pd.DataFrame(counts)
        return table

    def _axis(self, kind: str | None) -> tuple[dict[str, int], alt.Axis]:
        """The numbers of the releases, and an axis that names the series where they begin."""
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


def _privileges(checks: Any) -> list[str]:
    """The privileges of a text such as ``CAP_SETGID, suser``, missing for what is gone."""
    if pd.isna(checks) or not checks:
        return [_NO_PRIVILEGE]
    return str(checks).split(", ")


def _kind_color() -> alt.Color:
    scale = alt.Scale(domain=list(KINDS.values()), range=[_COLORS[one] for one in KINDS])
    return alt.Color("kind:N", title=None, scale=scale)


def _whole(numbers: dict[str, int]) -> alt.Scale:
    return alt.Scale(domain=[0, len(numbers)], nice=False)


def _plain(data: pd.DataFrame) -> pd.DataFrame:
    """``data`` with the plain types that Altair writes as they are."""
    plain: pd.DataFrame = data.astype(object)
    return plain
