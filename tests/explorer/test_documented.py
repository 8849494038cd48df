"""The page that compares the manual of this machine with a release."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from datasette.app import Datasette

from caphistory.documented.documents import Documents
from caphistory.documented.reading import read_documents
from caphistory.explorer.pages import documented
from caphistory.explorer.server import explorer_application
from tests.documented import MANUAL
from tests.explorer.asking import page
from tests.explorer.test_pages import words


@pytest.fixture(autouse=True)
def manual(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MANPATH", str(MANUAL))


def test_it_shows_each_disagreement_with_the_evidence_of_both_sides(explorer: Datasette) -> None:
    text = words(page(explorer, "/documented").text)
    assert "Documented, not checked: 1" in text
    assert "getpid CAP_SYS_ADMIN capabilities(7), line 27 DESCRIPTION no check is known" in text
    assert "mount CAP_SYS_ADMIN not in mount(2) direct EPERM fs/super.c:805 sys_mount" in text
    assert "chroot" not in text
    assert "3 more pairs of a syscall and a capability are no disagreement" in text


def test_it_shows_what_agrees_on_request(explorer: Datasette) -> None:
    text = words(page(explorer, "/documented", all="1").text)
    assert "Agree: 2" in text
    assert "chroot CAP_SYS_CHROOT capabilities(7), line 35 DESCRIPTION, and 1 more" in text


def test_one_syscall_or_capability_is_asked_about(explorer: Datasette) -> None:
    assert "Agree: 1" in words(page(explorer, "/documented", about="chroot").text)
    rows = page(explorer, "/documented.json", about="CAP_SYS_ADMIN").json()["documented"]
    assert [row["syscall"] for row in rows] == ["getpid", "mount"]
    assert "Nothing is documented" in page(explorer, "/documented", about="chdir").text
    assert page(explorer, "/documented", about="nosuchthing").status_code == 404


def test_an_older_release_is_asked_about(explorer: Datasette) -> None:
    assert "The manual and 2.0.40" in page(explorer, "/documented", release="v2.0.40").text


def test_the_rows_tell_nothing_of_the_folders_of_this_machine(explorer: Datasette) -> None:
    for address in ("/documented.json", "/documented.csv", "/documented"):
        assert str(MANUAL) not in page(explorer, address, all="1").text


def test_without_a_manual_the_page_says_so(
    explorer: Datasette, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MANPATH", str(tmp_path))
    response = page(explorer, "/documented")
    assert response.status_code == 200
    assert "no manual page of section 2" in response.text
    assert page(explorer, "/documented.json").json()["documented"] == []


def test_reading_the_manual_is_not_counted_as_a_query(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit_ms = 1000  # of Datasette, if it is told nothing else

    def read_slowly(folders: Sequence[Path]) -> Documents:
        time.sleep(1.2 * limit_ms / 1000)
        return read_documents(folders)

    documented._read_manual.cache_clear()
    monkeypatch.setattr(documented, "read_documents", read_slowly)
    response = page(explorer_application(database, limit_ms), "/documented")
    assert response.status_code == 200
    assert "Documented, not checked: 1" in words(response.text)
