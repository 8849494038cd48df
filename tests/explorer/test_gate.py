"""The addresses of Datasette's own pages: what they filter by, and the names in them."""

from __future__ import annotations

import pytest
from datasette.app import Datasette

from tests.explorer.asking import escaped, page


@pytest.mark.parametrize("format", ["", ".csv", ".json"])
def test_the_default_filter_of_a_view_stands_in_its_address(
    explorer: Datasette, format: str
) -> None:
    response = page(explorer, f"/caphistory/check_sites{format}", effect="deny")
    expected = f"/caphistory/check_sites{format}?release=2.2.24&effect=deny"
    assert (response.status_code, response.headers["location"]) == (302, expected)


@pytest.mark.parametrize(
    "query",
    [
        "release=2.2.0",
        "release__notblank=1",
        "_where=release%3D'2.2.0'",
        "_filter_column=release&_filter_op=exact&_filter_value=2.2.0",
    ],
)
def test_whoever_filters_already_is_left_alone(explorer: Datasette, query: str) -> None:
    response = page(explorer, f"/caphistory/check_sites?{query}")
    assert "2.2.24" not in response.headers.get("location", "")


@pytest.mark.parametrize(
    ("question", "given", "settled"),
    [
        ("container", {"dropped": "NET_BIND_SERVICE,chown_"}, None),
        ("container", {"dropped": "NET_BIND_SERVICE"}, "dropped=CAP_NET_BIND_SERVICE"),
        ("container", {"base": "setgid, CAP_SYS_TIME"}, "base=CAP_SETGID%2CCAP_SYS_TIME"),
        ("container", {"base": "Docker", "added": "all"}, "base=docker&added=ALL"),
        ("container", {"base": "foo"}, None),
        ("container", {"added": "CAP_FOO"}, None),
        ("container", {"drop": "NET_BIND_SERVICE"}, None),
        ("transition_ends", {"release": "2.2.24"}, None),
        ("container", {"release": "9.9"}, None),
        ("container", {"release": "v2.2.0"}, "release=2.2.0"),
        ("container", {"release": "2.2"}, "release=2.2.24"),
        ("which", {"privilege": "setgid"}, "privilege=CAP_SETGID"),
        ("why", {"syscall": "sys_setgid"}, "syscall=setgid"),
        ("why", {"syscall": "nosuchcall"}, None),
        ("which", {"abi": "vax"}, None),
    ],
)
def test_names_are_read_as_people_write_them_and_unknown_ones_are_said(
    explorer: Datasette, question: str, given: dict[str, str], settled: str | None
) -> None:
    response = page(explorer, f"/caphistory/{question}", **given)
    if settled is None:
        assert response.status_code == 404
        assert "no " in response.text
        data = page(explorer, f"/caphistory/{question}.json", **given)
        assert (data.status_code, data.json()["ok"]) == (404, False)
    else:
        assert response.status_code == 302
        assert response.headers["location"] == f"/caphistory/{question}?{settled}"
        assert page(explorer, response.headers["location"]).status_code == 200


def test_a_base_that_is_none_names_those_that_are(explorer: Datasette) -> None:
    text = page(explorer, "/caphistory/container", base="foo").text
    assert escaped("the base of a set is one of docker") in text


def test_what_is_said_of_a_name_cannot_become_markup(explorer: Datasette) -> None:
    text = page(explorer, "/caphistory/which", privilege="<script>").text
    assert "<script>" not in text
