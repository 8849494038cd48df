"""The successions on the command line, in Python and in the explorer."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from datasette.app import Datasette

import caphistory
from caphistory.cli import run
from caphistory.explorer.server import explorer_application
from caphistory.notebook.flows import place_ends, trace_points
from caphistory.paths import cache_folder
from tests.explorer.asking import page
from tests.explorer.test_pages import words

Ask = Callable[..., str]


@pytest.fixture
def said(
    database: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Ask:
    monkeypatch.setenv("COLUMNS", "100")

    def ask(*arguments: str, code: int = 0) -> str:
        assert run(["--db", str(database), *arguments]) == code
        captured = capsys.readouterr()
        return captured.err if code else captured.out

    return ask


def test_what_became_of_the_checks_for_people(said: Ask) -> None:
    text = said("transition", "--sites", "--format", "table")
    assert text.startswith("2.0.40 → 2.2.1: 3 checks\n")
    assert "1 ask for a capability: CAP_CHOWN 1" in text
    assert "1 gone with their function" in text
    assert "from root to a capability in 2.1.1 (2)" in text
    assert "another capability later: sys_trinket CAP_SYS_ADMIN → CAP_CHOWN (2.2.1)" in text
    assert re.search(r"replaced +kernel/widget\.c:7 sys_widget +suser +kernel/widget\.c:7", text)


def test_what_became_of_the_checks_for_machines(said: Ask) -> None:
    rows = json.loads(said("transition", "--sites", "2.1.0", "2.1.1", "--format", "json"))
    assert {row["fate"] for row in rows} == {"replaced", "same"}


def test_any_two_releases_with_a_repository(said: Ask, repository: Path) -> None:
    asked = ("transition", "--sites", "2.0.39", "2.2.0", "--format", "json")
    rows = json.loads(said(*asked, "--repository", str(repository)))
    assert {row["fate"] for row in rows} == {"replaced", "same", "gone"}


def test_what_cannot_be_compared_says_what_to_do(
    said: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    text = said("transition", "--sites", "2.2.1", "2.0.39", code=3)
    assert "caphistory index" in text and "--repository" in text


def test_a_repository_is_of_no_use_for_syscalls(said: Ask, repository: Path) -> None:
    assert "--sites" in said("transition", "--repository", str(repository), code=2)


def test_a_data_frame(database: Path) -> None:
    with caphistory.open(database) as history:
        frame = history.successions()
        assert list(frame["fate"]) == ["same", "replaced", "gone"]
        assert history.successions("2.1.0", "2.2.1")["fate"].tolist() == list(frame["fate"])


def test_a_flow(database: Path) -> None:
    with caphistory.open(database) as history:
        drawn = json.dumps(history.plot.successions().to_dict())
    assert "suser \\u2192 CAP_CHOWN" in drawn and "gone with its function" in drawn


def test_every_band_is_as_thick_as_its_number_and_none_covers_another() -> None:
    flows = {("a", "x"): 3, ("a", "y"): 2, ("b", "x"): 4}
    found = place_ends(flows, last=("x",))
    assert [(end.name, end.size) for end in found if end.x == 1] == [("y", 2), ("x", 7)]
    for x in (0.0, 1.0):
        bands = sorted((one.low, one.high) for one in trace_points(flows, found) if one.x == x)
        assert sum(high - low for low, high in bands) == 9
        assert all(a[1] <= b[0] for a, b in pairwise(bands))


@pytest.fixture
def explorer(
    database: Path, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Datasette:
    """The explorer, with the repository in the user's cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    cache_folder().mkdir(parents=True)
    (cache_folder() / "linux.git").symlink_to(repository)
    return explorer_application(database, time_limit_ms=5000)


PAGES = (
    "/successions",
    "/successions?from=2.1.0&to=2.1.1",
    "/successions?fate=gone",
    "/successions?privilege=CAP_CHOWN&doubt=1",
    "/successions?from=2.2.1&to=2.0.39",
    "/succession?before=kernel/widget.c:7&after=kernel/widget.c:7",
)


@pytest.mark.parametrize("path", PAGES)
def test_a_page_answers_and_leads_on(explorer: Datasette, path: str) -> None:
    response = page(explorer, path)
    assert response.status_code == 200
    assert response.text.count("<h1>") == 1
    links = set(re.findall(r'(?:href|action)="(/[^"#]*)', response.text))
    assert {
        link: status
        for link in links
        if (status := page(explorer, link.replace("&amp;", "&")).status_code) not in (200, 302)
    } == {}


def test_every_check_with_both_places(explorer: Datasette) -> None:
    response = page(explorer, "/successions")
    text = words(response.text)
    assert "Of 3 checks in 2.0.40, what each is in 2.2.1" in text
    assert "suser CAP_CHOWN 1" in text
    assert "https://elixir.bootlin.com/linux/2.0.40/source/kernel/widget.c#L7" in response.text
    assert "https://elixir.bootlin.com/linux/2.2.1/source/kernel/widget.c#L7" in response.text
    rows = page(explorer, "/successions.json", fate="gone").json()["successions"]
    assert [row["function_before"] for row in rows] == ["sys_gadget"]


def test_both_places_side_by_side(explorer: Datasette) -> None:
    where = "kernel/widget.c:7"
    response = page(explorer, "/succession", before=where, after=where)
    assert "<del>    if (!suser())</del>" in response.text
    assert "<ins>    if (!capable(CAP_CHOWN))</ins>" in response.text
    assert "2.1.1 suser → CAP_SYS_ADMIN" in words(response.text)
    assert "2.2.1 CAP_SYS_ADMIN → CAP_CHOWN" in words(response.text)


def test_without_the_source_there_are_links(
    explorer: Datasette, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "none"))
    where = "kernel/widget.c:7"
    response = page(explorer, "/succession", before=where, after=where)
    assert "is not on this machine" in words(response.text)
    assert "https://elixir.bootlin.com/linux/2.0.40/source/kernel/widget.c#L7" in response.text


def test_what_is_not_compared_says_how_to_have_it(explorer: Datasette) -> None:
    response = page(explorer, "/successions", from_="2.2.1", to="2.0.39")
    assert "caphistory transition --sites 2.2.1 2.0.39" in words(response.text)


def test_a_check_that_is_not_there_is_not_found(explorer: Datasette) -> None:
    assert page(explorer, "/succession", before="kernel/widget.c:1").status_code == 404
    assert page(explorer, "/succession").status_code == 404


def test_the_transition_leads_there(explorer: Datasette) -> None:
    assert 'href="/successions"' in page(explorer, "/transition").text
    compared = page(explorer, "/transition", from_="2.0.40", to="2.2.1").text
    assert 'href="/successions?from=2.0.40&amp;to=2.2.1"' in compared
