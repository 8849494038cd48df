"""caphistory in Python: data frames with the rows of the command line, and charts of them."""

from __future__ import annotations

import json
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import altair as alt
import pandas as pd
import pytest

import caphistory
from caphistory.cli import run
from caphistory.questions.containers import Container
from caphistory.questions.queries import queries
from caphistory.store.views import VIEWS
from tests.documentation.reference import README
from tests.factories import build
from tests.kernels.database import RELEASES, build_history


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Iterator[caphistory.History]:
    """The small history of ``tests.kernels.database``."""
    with caphistory.open(build_history(tmp_path_factory.mktemp("api") / "history.db")) as opened:
        yield opened


def test_it_says_what_it_holds(history: caphistory.History) -> None:
    assert repr(history) == "<caphistory: 6 releases, 2.0.39 – 2.2.24>"
    assert history.newest == "2.2.24"


def test_which_has_the_columns_of_the_contract_and_chains_as_steps(
    history: caphistory.History,
) -> None:
    frame = history.which("net_bind_service", release="v2.2.0")
    assert [*frame.columns] == [*next(v.columns for v in VIEWS if v.name == "requirements")]
    assert [*frame["syscall"]] == ["bind"]
    assert [step["via"] for step in frame["chain"][0]] == ["proto_ops.bind", None]


def test_which_takes_several_privileges_and_narrows(history: caphistory.History) -> None:
    assert [*history.which("setgid", "CAP_SYS_CHROOT")["syscall"]] == ["setgid", "chroot"]
    assert [*history.which("suser", release="2.0.40", reach="pointer")["syscall"]] == ["bind"]
    assert [*history.which("sys_admin", everything=True)["syscall"]] == ["mount", "ioctl"]


def test_runs_of_releases(history: caphistory.History) -> None:
    runs = history.which_all_releases("suser", "setgid").set_index("syscall")
    assert runs.loc["bind", "last_release"] == "2.1.91"
    timeline = history.timeline("setgid", "mount")
    assert [*timeline["checks"]] == ["suser", "CAP_SETGID", "suser", "CAP_SYS_ADMIN"]
    assert [*history.syscall("setgid")["check_name"]] == ["suser", "capable"]
    assert history.syscall("chdir").empty
    assert len(history.syscall("chdir", everything=True)) == 2


def test_transition(history: caphistory.History) -> None:
    assert {*history.transition()["became"]} == {"capability"}
    assert [*history.transition("2.2.0", "2.2.24").columns] == [*history.transition().columns]
    assert [*history.root_became("2.0.39", "2.1.91")["became"]] == ["root"] * 4


def test_why(history: caphistory.History) -> None:
    assert {*history.why("bind")["capability"]} == {"CAP_NET_BIND_SERVICE"}
    assert history.why("bind", "suser").empty


def test_capabilities_keep_whole_numbers(history: caphistory.History) -> None:
    assert [*history.capability("setgid")["release"]] == ["2.1.92", "2.2.0", "2.2.24"]
    capabilities = history.capabilities("2.2.24").set_index("capability")
    assert capabilities.loc["CAP_SYS_ADMIN", "number"] == 21
    assert history.capabilities("2.0.40").empty
    held = history.container_capabilities().set_index("capability")["number"]
    assert (str(held.dtype), held["CAP_SETGID"], held.isna().sum()) == ("Int64", 6, 10)
    assert [*history.privilege("suser")["release"]] == [*RELEASES[:3]]


@pytest.mark.parametrize(
    ("base", "changes", "lost"),
    [
        ("docker", {}, {"mount"}),
        ("docker", {"drop": ["net_bind_service"]}, {"mount", "bind"}),
        ("none", {"add": ["CAP_SYS_ADMIN", "setgid"]}, {"chroot", "bind"}),
        (["setgid"], {"add": ["ALL"]}, set()),
        ("0x0000000000040400", {}, {"mount", "setgid"}),
        (Container("web", drop=("ALL",)), {}, {"mount", "setgid", "chroot", "bind"}),
    ],
)
def test_container(
    history: caphistory.History, base: str, changes: dict[str, Any], lost: set[str]
) -> None:
    assert {*history.container(base, **changes)["syscall"]} == lost


POD = """\
kind: Pod
metadata: {name: web}
spec:
  containers:
    - name: proxy
      securityContext: {capabilities: {drop: [ALL], add: [NET_BIND_SERVICE]}}
    - name: log
"""


def test_container_reads_files(history: caphistory.History, tmp_path: Path) -> None:
    (tmp_path / "pod.yaml").write_text(POD)
    one = history.container(tmp_path / "pod.yaml", container="proxy")
    assert {*one["syscall"]} == {"mount", "setgid", "chroot"}
    assert [*one["runtime"].unique()] == ["containerd", "cri-o"]
    every = history.container(str(tmp_path / "pod.yaml"))
    assert [*every["container"].unique()] == ["web/proxy", "web/log"]
    held = history.container_capabilities(tmp_path / "pod.yaml", container="proxy")
    assert [*held["capability"][held["held"]]] == ["CAP_NET_BIND_SERVICE"]


def test_container_is_what_the_command_line_says(
    history: caphistory.History, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    profile = tmp_path / "profile.json"
    profile.write_text(
        '{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{"names": ["mount"],'
        ' "action": "SCMP_ACT_ALLOW", "includes": {"caps": ["CAP_SYS_CHROOT"]}}]}'
    )
    frame = history.container("docker", drop="setgid", userns=True, seccomp=profile)
    asked = ["--docker", "--drop", "setgid", "--userns", "--seccomp", str(profile)]
    rows = say(history, capsys, "container", *asked)
    assert [*frame.columns] == [*rows[0]]
    assert [*frame["syscall"]] == [row["syscall"] for row in rows]
    assert [*frame["seccomp"]] == [row["seccomp"] for row in rows]
    assert {*zip(frame["syscall"], frame["seccomp"], strict=True)} >= {
        ("mount", "allowed"),
        ("setgid", "EPERM"),
    }


def say(
    history: caphistory.History, capsys: pytest.CaptureFixture[str], *arguments: str
) -> list[dict[str, Any]]:
    """The rows that the command line prints."""
    (path,) = (row[2] for row in history._connection.execute("PRAGMA database_list"))
    assert run(["--db", path, *arguments, "--format", "json"]) == 0
    rows: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    return rows


FAILED = 'chroot("/srv") = -1 EPERM (Operation not permitted)\n'


@pytest.mark.parametrize(
    ("ask", "arguments"),
    [
        (lambda history: history.needs("chroot", "bind"), ("needs", "chroot", "bind")),
        (lambda history: history.needs(strace=FAILED), ("needs", "--strace", FAILED)),
        (lambda history: history.explain(FAILED), ("explain", FAILED)),
        (lambda history: history.search("chroot"), ("search", "chroot")),
    ],
)
def test_what_is_made_of_several_answers_is_as_on_the_command_line(
    history: caphistory.History,
    capsys: pytest.CaptureFixture[str],
    ask: Callable[[caphistory.History], pd.DataFrame],
    arguments: tuple[str, ...],
) -> None:
    frame = ask(history)
    rows = say(history, capsys, *arguments)
    assert [*frame.columns] == [*rows[0]]
    for name in set(frame.columns) - {"chain", "instead"}:
        values = [None if pd.isna(value) else value for value in frame[name]]
        assert values == [row[name] for row in rows], name


def test_their_types_do_not_depend_on_the_rows(history: caphistory.History, tmp_path: Path) -> None:
    (tmp_path / "log").write_text("getpid() = 1\n")
    for some, none in (
        (history.needs("chroot"), history.needs("getpid")),
        (history.explain(FAILED), history.explain(tmp_path / "log")),
        (history.search("chroot"), history.search("no such words")),
    ):
        assert len(some) and none.empty
        assert [*some.dtypes] == [*none.dtypes]
    assert str(some["first_release"].dtype) == "category"
    assert [str(history.needs("chroot")[name].dtype) for name in ("failed", "possible")] == [
        "boolean"
    ] * 2


def test_what_a_person_should_know_of_a_question_is_a_warning(history: caphistory.History) -> None:
    with pytest.warns(UserWarning, match="1 call cut off, left out"):
        history.explain(f'{FAILED}chroot("/s')
    with pytest.warns(UserWarning, match="ignored, no capability of this release: bits 29–31"):
        history.container("e0000000")
    with pytest.raises(caphistory.UsageError, match="nothing to ask about"):
        history.needs()
    with pytest.raises(caphistory.UsageError, match="no syscall 'chrot'; nearest: chroot"):
        history.needs("chrot")
    with pytest.raises(caphistory.UsageError, match="no line of 'f\\(' is a call"):
        history.explain("f(")


def test_what_is_in_the_database(history: caphistory.History) -> None:
    assert [*history.releases("2.2")["release"]] == ["2.2.0", "2.2.24"]
    assert len(history.check_sites("2.0.40", "suser")) == 7
    assert {*history.check_counts()["check_name"]} == {"suser", "capable"}
    assert [*history.audit("2.0.40")["lexical"]] == [13]
    assert len(history.audit()) == len(RELEASES)


def test_sql_asks_the_views_and_writes_nothing(history: caphistory.History, tmp_path: Path) -> None:
    counts = history.sql(
        "select release, count(*) as checks from syscall_checks where syscall = ? group by release",
        ["mount"],
    )
    assert [*counts.columns] == ["release", "checks"]
    assert len(counts) == len(RELEASES)
    new = tmp_path / "new.db"
    for wrong in (
        "select nothing from nowhere",
        "drop view releases",
        f"attach '{new}' as new",
        "select ?",
        "select 1; x",
    ):
        with pytest.raises(caphistory.UsageError, match=r"^SQL: "):
            history.sql(wrong)
    assert not new.exists()


@pytest.mark.parametrize(
    ("sql", "parameters"),
    [
        ("select 1; select 2", ()),
        ("select '\0'", ()),
        ("select '\udcff'", ()),
        ("select ?", ["\udcff"]),
        ("select ?", [1 << 64]),
        ("select ?", [object()]),
    ],
)
def test_what_sqlite_does_not_take_is_a_usage_error(
    history: caphistory.History, sql: str, parameters: list[object]
) -> None:
    with pytest.raises(caphistory.UsageError, match=r"^SQL: "):
        history.sql(sql, parameters)


def test_two_statements_are_a_usage_error_on_python_3_10_too() -> None:
    class Connection:
        """sqlite3's own up to Python 3.10, whose warning is no sqlite3.Error."""

        def execute(self, *statement: object) -> None:
            raise sqlite3.Warning("You can only execute one statement at a time.")

    with pytest.raises(caphistory.UsageError, match=r"^SQL: You can only execute one statement"):
        caphistory.History(Connection).sql("select 1; select 2")  # type: ignore[arg-type]


@pytest.mark.parametrize("question", queries())
def test_every_question_can_be_asked_by_its_name(
    history: caphistory.History, question: str
) -> None:
    parameters = {parameter.name: "" for parameter in queries()[question].parameters}
    assert isinstance(history.ask(question, **parameters), pd.DataFrame)


def test_a_question_says_what_it_takes(history: caphistory.History) -> None:
    assert [*history.ask("transition", from_="2.0.39", to="2.0.40")["syscall"]] == []
    with pytest.raises(caphistory.UsageError, match="no question 'wich'; there are: "):
        history.ask("wich")
    with pytest.raises(caphistory.UsageError, match="timeline does not ask for name; it takes:"):
        history.ask("timeline", name="setgid")


def test_wrong_names_are_the_errors_of_the_command_line(history: caphistory.History) -> None:
    for ask, complaint in (
        (lambda: history.syscall("setgidd"), "no syscall 'setgidd'; nearest: setgid"),
        (lambda: history.which("CAP_SYS_CHROT"), "nearest: CAP_SYS_CHROOT"),
        (lambda: history.which("suser", release="2.2.42"), "no release '2.2.42'; nearest: 2.2.24"),
        (lambda: history.which(), "give at least one privilege"),
        (lambda: history.which("suser", reach="near"), "reach is direct, call or pointer"),
        (lambda: history.timeline("bind", abi="vax"), "there are: i386"),
        (lambda: history.container("dokcer"), "'dokcer' is no file, no runtime (there are: docker"),
        (lambda: history.plot.privilege("suser", count="lines"), "count is syscalls or sites"),
        (lambda: history.plot.container(releases=[]), "give at least one release"),
        (lambda: history.container(drop=["CHROT"]), "nearest: CAP_SYS_CHROOT"),
        (lambda: history.releases(kind="beta"), "kind is release or prerelease, not 'beta'"),
        (lambda: history.check_counts("beta"), "kind is release or prerelease, not 'beta'"),
    ):
        with pytest.raises(caphistory.UsageError, match=re.escape(complaint)):
            ask()


def test_a_database_that_cannot_be_read_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(caphistory.CaphistoryError, match="no database at"):
        caphistory.open(tmp_path / "missing.db")
    with caphistory.open(str(build(tmp_path / "empty.db"))) as empty:
        assert repr(empty) == "<caphistory: no releases>"
        with pytest.raises(caphistory.NothingFound, match="holds no release yet"):
            empty.which("suser")


def charts(history: caphistory.History) -> dict[str, alt.Chart | alt.LayerChart]:
    return {
        "checks": history.plot.checks(),
        "privilege": history.plot.privilege("suser", "CAP_SETGID", count="sites"),
        "timeline": history.plot.timeline("setgid", "bind", "getpid"),
        "transition": history.plot.transition("2.0.40", "2.2.24"),
        "container": history.plot.container("none", releases=["2.2.0", "2.2.24"]),
    }


def test_every_chart_is_valid_and_carries_its_data(history: caphistory.History) -> None:
    for name, chart in charts(history).items():
        # Altair checks a chart against the schema of Vega-Lite when it is written.
        assert any(chart.to_dict()["datasets"].values()), name
        assert chart.to_json().count("Infinity") == 0


def test_every_chart_has_a_title_and_is_told_in_words(history: caphistory.History) -> None:
    told = {name: chart.to_dict()["description"] for name, chart in charts(history).items()}
    assert told["privilege"].endswith("In 2.2.24: suser 0, CAP_SETGID 1")
    assert told["timeline"].endswith(
        "setgid CAP_SETGID since 2.1.92; bind CAP_NET_BIND_SERVICE"
        " since 2.1.92; getpid nothing since 2.0.39"
    )
    assert told["container"].count("2.2.24: most for ") == 1
    assert all(told[name].split(".")[0] for name in told)


def test_what_cannot_be_drawn_is_said(history: caphistory.History) -> None:
    with pytest.raises(caphistory.NothingFound, match="nothing to draw: nothing is lost"):
        history.plot.container("all", releases=["2.2.24"])


def test_one_capability_may_be_given_by_itself(history: caphistory.History) -> None:
    one = history.container("all", drop="sys_chroot")
    assert [*one["syscall"]] == [*history.container("all", drop=["sys_chroot"])["syscall"]]
    assert [*one["capability"]] == ["CAP_SYS_CHROOT"]


def rows_of(chart: alt.LayerChart, column: str) -> list[dict[str, Any]]:
    """The rows of a chart's data that has a column."""
    datasets = chart.to_dict()["datasets"].values()
    (rows,) = (rows for rows in datasets if rows and column in rows[0])
    found: list[dict[str, Any]] = rows
    return found


def test_a_line_is_at_zero_where_there_is_nothing_any_more(history: caphistory.History) -> None:
    rows = rows_of(history.plot.privilege("suser", "CAP_SETGID"), "privilege")
    points = {(row["privilege"], row["release"]): row["syscalls"] for row in rows}
    assert points["suser", "2.1.91"] == 4
    assert points["suser", "2.2.24"] == 0
    assert ("CAP_SETGID", "2.1.91") not in points


def test_a_line_is_torn_where_releases_are_missing(history: caphistory.History) -> None:
    chart = history.plot.privilege("suser")
    stretches: dict[int, set[str]] = {}
    for row in rows_of(chart, "privilege"):
        stretches.setdefault(row["stretch"], set()).add(row["release"])
    assert stretches == {
        0: {"2.0.39", "2.0.40"},
        1: {"2.1.91", "2.1.92"},
        2: {"2.2.0"},
        3: {"2.2.24"},
    }
    missing = [row["missing"] for row in rows_of(chart, "missing")]
    assert missing[0] == "91 releases between 2.0.40 and 2.1.91"


def test_a_strip_is_as_long_as_its_run(history: caphistory.History) -> None:
    first, second = rows_of(history.plot.timeline("setgid"), "kind")
    assert (first["kind"], second["kind"]) == ("asks suser() or fsuser()", "asks for a capability")
    assert first["begin"] == 0
    assert first["end"] == second["begin"] > first["begin"]
    assert second["end"] > second["begin"]


def test_charts_show_without_a_network(history: caphistory.History) -> None:
    bundle: Any = history.plot.checks()._repr_mimebundle_()
    assert bundle["image/svg+xml"].startswith('<svg role="img" aria-label="Check sites')
    assert "http" not in bundle["image/svg+xml"].replace("http://www.w3.org/", "")
    head = bundle["image/svg+xml"].partition(">")[0]
    assert 'width="100%"' in head and " height=" not in head and "viewBox" in head


def test_importing_caphistory_is_light() -> None:
    script = "import sys, caphistory; print(*sys.modules, sep='\\n')"
    loaded = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    ).stdout.split("\n")
    assert not {"pandas", "altair", "sqlite3", "click", "pygit2", "datasette"} & {*loaded}


def test_every_method_says_what_it_gives() -> None:
    from caphistory.notebook.plots import Plots

    for kind in (caphistory.History, Plots):
        for name, member in vars(kind).items():
            assert name.startswith("_") or (member.__doc__ or "").strip(), name


def test_the_examples_in_the_readme_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pod.yaml").write_text(POD)
    (tmp_path / "caphistory").mkdir()
    build_history(tmp_path / "caphistory" / "caphistory.db")
    first, second = re.findall(r"```python\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
    told: dict[str, object] = {}
    exec(first, told)
    assert repr(told["history"]) == "<caphistory: 6 releases, 2.0.39 – 2.2.24>"
    told |= {name: pytest.importorskip(name) for name in ("duckdb", "polars")}
    pytest.importorskip("pyarrow")
    assert run(["export", "history.parquet"]) == 0
    exec(second, told)


DTYPES = {
    "release": "category",
    "released": "datetime64[s]",
    "line": "Int64",
    "feasible": "boolean",
    "path": "string",
    "chain": "object",
}


def test_types_do_not_depend_on_the_rows(history: caphistory.History) -> None:
    some = history.which("CAP_SETGID", release="2.2.24")
    none = history.which("CAP_SETGID", release="2.0.40")
    assert len(some) and none.empty
    assert [*some.dtypes] == [*none.dtypes]
    assert [*history.releases().dtypes] == [*history.releases("9.9").dtypes]
    for frame in (some, none, history.releases()):
        for name, dtype in DTYPES.items():
            assert name not in frame or str(frame[name].dtype) == dtype, name


def test_releases_sort_by_version(history: caphistory.History) -> None:
    counts = history.check_counts().pivot(index="release", columns="check_name", values="sites")
    assert [*counts.index] == [*RELEASES]
    newer = history.releases().query("release > '2.1.91'")
    assert [*newer["release"]] == ["2.1.92", "2.2.0", "2.2.24"]


def test_chains_are_hashable(history: caphistory.History) -> None:
    twice = pd.concat([history.which("CAP_SETGID")] * 2)
    assert len(twice.drop_duplicates()) == 1
    (chain,) = history.which("CAP_SETGID")["chain"]
    assert {**chain[0]}["function"] == "sys_setgid"
    with pytest.raises(TypeError, match="a step cannot be changed"):
        chain[0]["function"] = "other"


def test_columns_of_sql_are_typed_by_name_where_their_values_fit(
    history: caphistory.History,
) -> None:
    fits = history.sql("select release, released, ordinal from releases")
    assert [str(dtype) for dtype in fits.dtypes] == ["category", "datetime64[s]", "Int64"]
    other = history.sql("select 'x' as release, 'soon' as released, 7 as feasible, 1.5 as line")
    assert [*other.iloc[0]] == ["x", "soon", 7, 1.5]
    twice = history.sql("select 1 as a, 'b' as a")
    assert [*twice.columns] == ["a", "a"]


def test_another_thread_may_ask(history: caphistory.History) -> None:
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(history.which, ["CAP_SETGID"] * 20))
    assert {tuple(frame["syscall"]) for frame in answers} == {("setgid",)}


def test_a_closed_history_says_so(tmp_path: Path) -> None:
    closed = caphistory.open(build_history(tmp_path / "a.db"))
    closed.close()
    closed.close()
    assert repr(closed) == "<caphistory: closed>"
    questions: list[Callable[[], object]] = [
        lambda: closed.which("suser"),
        lambda: closed.sql("select 1"),
        closed.releases,
    ]
    for ask in questions:
        with pytest.raises(caphistory.CaphistoryError, match="this history is closed"):
            ask()


def test_a_notebook_shows_what_it_holds_and_where_to_begin(history: caphistory.History) -> None:
    shown = history._repr_html_()
    assert "6 releases, 2.0.39 – 2.2.24" in shown
    assert "history.which(&quot;CAP_SYS_CHROOT&quot;)" in shown


def test_a_name_that_is_no_text_is_a_usage_error(history: caphistory.History) -> None:
    wrong: Any = 2.2
    questions: list[Callable[[], object]] = [
        lambda: history.which("suser", release=wrong),
        lambda: history.syscall(wrong),
        lambda: history.which(wrong),
        lambda: history.capability(wrong),
        lambda: history.timeline("bind", abi=wrong),
        lambda: history.transition(wrong, wrong),
    ]
    for ask in questions:
        with pytest.raises(caphistory.UsageError, match=r"is a text, such as '2.2', not 2.2"):
            ask()


def test_without_pandas_the_extra_is_named() -> None:
    script = "import sys; sys.modules['pandas'] = None; import caphistory; caphistory.open"
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert "python -m pip install 'caphistory[notebooks]'" in ran.stderr.splitlines()[-1]
