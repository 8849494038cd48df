"""The source between a syscall and its checks, from a clone in the user's cache."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from datasette.app import Datasette

from caphistory.explorer.server import explorer_application
from caphistory.explorer.sourcediff import diff_chains
from caphistory.paths import cache_folder
from tests.explorer.asking import page
from tests.explorer.test_pages import words
from tests.kernels.sources import build_sources


@pytest.fixture
def with_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Datasette:
    """The explorer of two kernels whose repository is in the cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    cache_folder().mkdir(parents=True)
    database, _ = build_sources(cache_folder())
    return explorer_application(Path(database), time_limit_ms=5000)


def test_the_functions_on_the_way_are_compared(with_source: Datasette) -> None:
    response = page(with_source, "/diff/settle", from_="2.0.40", to="2.2.24")
    text = words(response.text)
    assert "8 \N{MINUS SIGN}▸ if (!suser())" in text
    assert "8 +▸ if (!allowed(id))" in text
    assert "<ins>        if (!allowed(id))</ins>" in response.text
    assert "allowed new" in text
    functions = page(with_source, "/diff/settle.json", from_="2.0.40", to="2.2.24").json()
    assert [one["function"] for one in functions["functions"]] == ["sys_settle", "allowed"]


def test_a_function_that_did_not_change_is_shown_whole(with_source: Datasette) -> None:
    text = words(page(with_source, "/diff/settle", from_="2.2.24", to="2.2.24").text)
    assert "sys_settle unchanged" in text
    assert (
        "\N{MINUS SIGN}" not in text.split("sys_settle unchanged")[1].split("This page as data")[0]
    )


def test_without_a_clone_the_page_says_how_to_have_one(
    with_source: Datasette, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "empty"))
    response = page(with_source, "/diff/settle", from_="2.0.40", to="2.2.24")
    assert response.status_code == 200
    assert "The source of one of the two is not on this machine" in words(response.text)
    assert "2.0.40: " in words(response.text)
    links = re.findall(r'href="(https://elixir[^"]*)"', response.text)
    assert "https://elixir.bootlin.com/linux/2.0.40/source/kernel/sys.c#L8" in links
    assert all("/2.0.40/" in link or "/2.2.24/" in link for link in links)
    assert re.search(r"allowed not on the way kernel/sys\.c:\d+", words(response.text))


def test_functions_beyond_the_limit_are_named() -> None:
    found = diff_chains([("2.0", None, []), ("2.2", None, [])], [])
    assert found.functions == []
    assert found.problem is not None
