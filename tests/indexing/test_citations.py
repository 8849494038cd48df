"""A SWHID of the database names what git has under its id: the line of a check, a release."""

from __future__ import annotations

import re
from pathlib import Path

import pygit2
import pytest

from caphistory.store import open_reader
from tests.factories import build, linked, release

SITE = re.compile(r"swh:1:cnt:(?P<content>[0-9a-f]{40});lines=(?P<line>[1-9][0-9]*)")


def test_a_citation_of_a_site_leads_to_its_line(small_database: Path, small_history: Path) -> None:
    repository = pygit2.Repository(str(small_history))
    db = open_reader(small_database)
    wrappers = {row["name"] for row in db.execute("SELECT name FROM wrappers")}
    sites = db.execute("SELECT DISTINCT swhid, check_name FROM check_sites").fetchall()
    assert len(sites) > 20
    for swhid, check_name in sites:
        cited = SITE.fullmatch(swhid)
        assert cited is not None, swhid
        content = repository[cited["content"]]
        assert isinstance(content, pygit2.Blob)
        line = content.data.decode("latin-1").split("\n")[int(cited["line"]) - 1]
        names = {check_name, *wrappers}
        assert check_name == "uid0" or any(name in line for name in names), swhid


@pytest.mark.parametrize("provenance", ["mainline", "tree", "defective"])
def test_a_release_is_cited_where_its_commit_is_mainline(tmp_path: Path, provenance: str) -> None:
    one = release("2.2.0")._replace(provenance=provenance)
    db = open_reader(build(tmp_path / "a.db", linked(one)))
    cited = f"swh:1:rev:{one.commit_sha}" if provenance == "mainline" else None
    assert db.execute("SELECT swhid FROM releases").fetchone()["swhid"] == cited


def test_what_is_no_commit_is_not_cited(tmp_path: Path) -> None:
    one = release("2.2.0")._replace(provenance="mainline", commit_sha=None)
    db = open_reader(build(tmp_path / "a.db", linked(one)))
    assert db.execute("SELECT swhid FROM releases").fetchone()["swhid"] is None
