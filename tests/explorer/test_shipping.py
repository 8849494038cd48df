"""How pages are sent: compressed, kept by browsers, and described for those who link to them."""

from __future__ import annotations

import asyncio
import gzip
import re
from pathlib import Path

import httpx
import pytest
from datasette.app import Datasette

from caphistory import __version__
from tests.explorer.asking import page, page_in_the_end


def get(explorer: Datasette, path: str, **headers: str) -> httpx.Response:
    """What the explorer answers at ``path`` to a client with these headers."""

    async def ask() -> httpx.Response:
        await explorer.invoke_startup()
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        answer: httpx.Response = await explorer.client.get(path, headers=sent)
        return answer

    return asyncio.run(ask())


@pytest.mark.parametrize("path", ["/", "/transition.json", "/caphistory/releases.csv", "/nosuch"])
def test_texts_are_compressed_for_those_who_take_it(explorer: Datasette, path: str) -> None:
    packed = get(explorer, path, accept_encoding="gzip")
    plain = get(explorer, path, accept_encoding="identity")
    assert packed.headers["content-encoding"] == "gzip"
    assert "accept-encoding" in packed.headers["vary"]
    assert "content-encoding" not in plain.headers
    if "json" not in path and path != "/nosuch":
        assert len(gzip.compress(plain.content)) < len(plain.content)
    assert packed.text == plain.text


def test_a_browser_that_has_a_page_is_told_that_it_is_still_the_same(explorer: Datasette) -> None:
    first = get(explorer, "/syscall/setgid")
    tag = first.headers["etag"]
    assert __version__ in tag
    again = get(explorer, "/syscall/setgid", if_none_match=tag)
    assert (again.status_code, again.content) == (304, b"")
    assert get(explorer, "/syscall/setgid", if_none_match='W/"other"').status_code == 200


@pytest.mark.parametrize("path", ["/documented", "/diff/setgid", "/container"])
def test_what_depends_on_more_than_the_database_is_made_anew(
    explorer: Datasette, path: str
) -> None:
    assert "etag" not in get(explorer, path).headers


def test_a_database_that_may_change_has_no_tag(database: Path) -> None:
    assert "etag" not in get(Datasette([str(database)]), "/transition").headers


@pytest.mark.parametrize("path", ["/", "/syscall/setgid?release=2.2.24", "/capability/suser"])
def test_a_page_says_what_it_is_to_those_who_link_to_it(explorer: Datasette, path: str) -> None:
    text = page(explorer, path).text
    described = re.search(r'<meta name="description" content="([^"]+)">', text)
    assert described is not None and len(described[1]) > 40
    canonical = re.search(r'<link rel="canonical" href="(http[^"]*)">', text)
    assert canonical is not None and canonical[1].endswith(path)
    for name in ("og:title", "og:url", "og:type"):
        assert f'<meta property="{name}" content="' in text


def test_an_unknown_address_is_inside_the_site(explorer: Datasette) -> None:
    for path in ("/nosuch", "/syscal/setgid", "/caphistory/nosuch"):
        response = page(explorer, path)
        assert response.status_code == 404
        assert '<header class="site">' in response.text
        assert 'role="search"' in response.text
    assert 'href="/syscall/setgid"' in page(explorer, "/sycall/setgit").text
    assert page(explorer, "/nosuch.json").json()["ok"] is False


def test_sql_that_cannot_be_answered_is_told_inside_the_site(explorer: Datasette) -> None:
    response = page_in_the_end(explorer, "/caphistory", sql="delete from meta")
    assert response.status_code == 400
    assert '<header class="site">' in response.text
