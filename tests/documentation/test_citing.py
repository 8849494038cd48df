"""What says how to name, cite and license caphistory says the same everywhere."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml

from caphistory import __version__, citing
from caphistory.explorer.metadata import instance_metadata
from tests.documentation.reference import DATA, README, ROOT

CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
ZENODO = json.loads((ROOT / ".zenodo.json").read_text("utf-8"))
PYPROJECT = (ROOT / "pyproject.toml").read_text("utf-8")


@pytest.mark.parametrize(
    ("cited", "deposited"),
    [
        ("title", "title"),
        ("version", "version"),
        ("keywords", "keywords"),
        ("abstract", "description"),
    ],
)
def test_the_citation_and_the_deposit_agree(cited: str, deposited: str) -> None:
    assert CITATION[cited] == ZENODO[deposited]


def test_title_author_and_address_are_the_programs() -> None:
    (author,) = CITATION["authors"]
    (creator,) = ZENODO["creators"]
    assert {author["name"], creator["name"]} == {citing.AUTHOR}
    assert CITATION["title"] == citing.TITLE
    assert f'authors = [{{ name = "{citing.AUTHOR}", email = "{citing.EMAIL}" }}]' in PYPROJECT


def test_every_address_of_the_project_is_made_of_one() -> None:
    assert CITATION["repository-code"] == citing.HOMEPAGE
    assert [each["identifier"] for each in ZENODO["related_identifiers"]] == [citing.HOMEPAGE]
    raw = citing.HOMEPAGE.replace("github.com", "raw.githubusercontent.com")
    addresses = re.findall(r"https?://[^\s\"')]+", PYPROJECT)
    assert len(addresses) >= 8
    assert [each for each in addresses if not each.startswith((citing.HOMEPAGE, raw))] == []


def test_there_is_one_version() -> None:
    crate = ROOT / "caphistory" / "engine" / "Cargo.toml"
    if crate.exists():  # not beside the tests of an installed package
        assert f'\nversion = "{__version__}"\n' in crate.read_text("utf-8")
    assert CITATION["version"] == __version__
    assert f"\n## {__version__} " in (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert not re.search(r"^version = ", PYPROJECT, re.MULTILINE)


def test_the_licence_of_the_data_stands_beside_them_and_where_they_are_shown() -> None:
    licence = citing.DATA_LICENSE
    assert licence["title"] in (ROOT / "data" / "LICENSE").read_text("utf-8")
    for document in (README, DATA):
        assert licence["title"] in document.read_text("utf-8")
    assert licence["name"] in CITATION["license"]
    served: dict[str, Any] = instance_metadata(["facts"], alone=True)
    for described in (served, served["databases"]["facts"]):
        assert (described["license"], described["license_url"]) == (
            licence["name"],
            licence["path"],
        )
