"""Datasette's own pages of the database: described, escaped, and leading to the explorer's."""

from __future__ import annotations

import asyncio
import json
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from importlib.metadata import entry_points
from pathlib import Path

import datasette
import pytest
from datasette.app import Datasette
from datasette.database import Results

from caphistory.errors import CaphistoryError
from caphistory.explorer.dress import mark_code
from caphistory.explorer.server import address, explorer_application, listen
from caphistory.explorer.shortening import MOST_ROWS
from caphistory.questions.queries import queries
from caphistory.records import CapabilityDefinition
from caphistory.store.tables import TABLES
from caphistory.store.views import VIEWS
from tests.explorer.asking import escaped, page_in_the_end
from tests.explorer.asking import page_in_the_end as page
from tests.factories import build, check, linked, site


@pytest.mark.parametrize("view", [view.name for view in VIEWS])
def test_a_view_is_shown_with_its_description_and_its_columns(
    explorer: Datasette, view: str
) -> None:
    described = next(one for one in VIEWS if one.name == view)
    response = page(explorer, f"/caphistory/{view}")
    assert response.status_code == 200
    for text in (described.description, *described.columns.values()):
        assert mark_code(escaped(text)) in response.text
    assert 'name="_search"' in response.text
    rows = page(explorer, f"/caphistory/{view}.json", _shape="objects")
    assert [*rows.json()["rows"][0]] == [*described.columns]


@pytest.mark.parametrize("table", [table.name for table in TABLES])
def test_a_storage_table_answers_though_it_is_not_listed(explorer: Datasette, table: str) -> None:
    assert page(explorer, f"/caphistory/{table}").status_code == 200


PER_RELEASE = [
    view.name
    for view in VIEWS
    if "release" in view.columns and view.name not in ("releases", "audit")
]


@pytest.mark.parametrize("view", PER_RELEASE)
def test_a_view_with_rows_of_each_release_begins_with_the_newest(
    explorer: Datasette, view: str
) -> None:
    asked = page(
        explorer,
        f"/caphistory/{view}.json",
        _shape="objects",
        _size="max",
        _extra="human_description_en",
    ).json()
    assert {row["release"] for row in asked["rows"]} == {"2.2.24"}
    assert 'release = "2.2.24"' in asked["human_description_en"]
    older = page(explorer, f"/caphistory/{view}.json", _shape="objects", release="2.2.0").json()
    assert {row["release"] for row in older["rows"]} == {"2.2.0"}
    everything = page(
        explorer, f"/caphistory/{view}.json", _shape="objects", release__notblank="1"
    ).json()
    assert len({row["release"] for row in everything["rows"]}) > 1


def test_the_runs_of_checks_begin_with_one_syscall(explorer: Datasette) -> None:
    rows = page(explorer, "/caphistory/syscall_check_runs.json", _shape="array").json()
    assert {row["syscall"] for row in rows} == {"chroot"}
    rows = page(
        explorer, "/caphistory/syscall_check_runs.json", _shape="array", syscall="bind"
    ).json()
    assert {row["syscall"] for row in rows} == {"bind"}


@pytest.mark.parametrize(
    ("view", "text", "column", "found"),
    [
        ("check_sites", "SETGID kernel/", "function", {"sys_setgid"}),
        ("requirements", "af_inet", "syscall", {"bind"}),
        ("releases", "2.1.", "release", {"2.1.91", "2.1.92"}),
        ("syscall_timeline", "cap_sys_admin", "syscall", {"mount"}),
        ("check_sites", "nosuchthing", "function", set()),
        ("check_sites", "' or 1=1 --", "function", set()),
    ],
)
def test_words_are_found_in_any_column_of_a_view(
    explorer: Datasette, view: str, text: str, column: str, found: set[str]
) -> None:
    rows = page(explorer, f"/caphistory/{view}.json", _shape="array", _search=text).json()
    assert {row[column] for row in rows} == found
    response = page(explorer, f"/caphistory/{view}", _search=text)
    assert response.status_code == 200
    assert f'value="{escaped(text)}"' in response.text


def test_a_number_of_another_table_is_shown_by_its_name(explorer: Datasette) -> None:
    text = page(explorer, "/caphistory/functions").text
    assert re.search(r'<a href="/caphistory/files/\d+">kernel/sys.c</a>', text)
    assert escaped("file that defines the function") in text


def test_only_the_views_are_listed(explorer: Datasette) -> None:
    listed = page(explorer, "/caphistory.json").json()
    assert [table["name"] for table in listed["tables"] if not table["hidden"]] == []
    assert {view["name"] for view in listed["views"]} == {view.name for view in VIEWS}
    if datasette.__version_info__ >= ("1",):
        # The page of a database names a few only.
        listed = page(explorer, "/caphistory/-/queries.json", _size="max").json()
    assert {query["name"] for query in listed["queries"]} == set(queries())


def test_no_question_is_called_like_a_table() -> None:
    """Datasette 1.0 shows the table at their common address."""
    tables = {table.name for table in TABLES} | {view.name for view in VIEWS}
    assert tables & set(queries()) == set()


@pytest.mark.parametrize("name", sorted(queries()))
def test_a_question_shows_rows_without_and_with_empty_parameters(
    explorer: Datasette, name: str
) -> None:
    query = queries()[name]
    empty = {parameter.name: "" for parameter in query.parameters}
    for parameters in ({}, empty):
        response = page(explorer, f"/caphistory/{name}", **parameters)
        assert response.status_code == 200
        assert f"<title>{escaped(query.title)} · caphistory</title>" in response.text
        assert mark_code(escaped(query.description)) in response.text
        assert all(escaped(parameter.default) in response.text for parameter in query.parameters)
        rows = page(explorer, f"/caphistory/{name}.json", _shape="array", **parameters)
        # The small history has no operations.
        assert rows.json() or name.startswith("operation_")


def test_a_question_takes_its_parameters(explorer: Datasette) -> None:
    rows = page(
        explorer, "/caphistory/which.json", _shape="array", privilege="setgid", release="v2.2.0"
    )
    assert [row["line"] for row in rows.json()] == [304]


def test_cells_lead_to_the_pages_and_to_the_source(explorer: Datasette) -> None:
    text = page(explorer, "/caphistory/which", privilege="net_bind_service", release="2.2.24").text
    assert '<a href="/syscall/bind">bind</a>' in text
    assert '<a href="/capability/CAP_NET_BIND_SERVICE">CAP_NET_BIND_SERVICE</a>' in text
    assert '<a href="/release/2.2.24">2.2.24</a>' in text
    assert 'href="https://elixir.bootlin.com/linux/2.2.24/source/net/ipv4/af_inet.c#L505">' in text
    assert '<a href="/function/inet_bind">inet_bind</a>' in text
    assert '<a href="/file/net/ipv4/af_inet.c">net/ipv4/af_inet.c</a>' in text
    assert "sys_bind <small>net/socket.c:810</small> through proto_ops.bind" in text


@pytest.mark.parametrize("name", ["check_sites", "requirements", "which", "check_list", "syscall"])
def test_every_link_of_a_row_leads_to_a_page(explorer: Datasette, name: str) -> None:
    text = page(explorer, f"/caphistory/{name}").text
    own = r'<td[^>]*><a href="(/(?:function|file|syscall|capability|release)/[^"]*)"'
    links = set(re.findall(own, text))
    assert links
    assert {link for link in links if page(explorer, link).status_code != 200} == set()


def test_a_citation_leads_to_the_archive(explorer: Datasette) -> None:
    text = page(explorer, "/caphistory/check_sites").text
    assert re.search(
        r'href="(https://archive.softwareheritage.org/swh:1:cnt:[0-9a-f]{40};lines=\d+)"', text
    )


def test_a_root_check_leads_to_its_page(explorer: Datasette) -> None:
    text = page(explorer, "/caphistory/which", privilege="suser", release="2.0.40").text
    assert '<a href="/capability/suser">suser</a>' in text


def test_nothing_can_be_written(explorer: Datasette, database: Path) -> None:
    before = database.read_bytes()
    response = page_in_the_end(explorer, "/caphistory", sql="delete from stored_releases")
    assert response.status_code in (400, 403)
    assert database.read_bytes() == before


def test_what_comes_from_a_kernel_cannot_become_markup(tmp_path: Path) -> None:
    evil = "<script>alert('x')</script>"
    path = f"fs/{evil}.c"
    kernel = linked(
        "2.2.24",
        checks=[check(f"chroot{evil}", site(path, 1, evil, capability=f"CAP_{evil}"))],
        definitions=[CapabilityDefinition(f"CAP_{evil}", 1, path, 1, evil)],
    )
    database = build(tmp_path / "history.db", kernel)
    explorer = explorer_application(database, time_limit_ms=5000)
    names = [*(view.name for view in VIEWS), *(table.name for table in TABLES), *queries()]
    for path in (f"/caphistory/{name}{query}" for name in names for query in ("", "?_search=x")):
        response = page(explorer, path)
        assert response.status_code == 200
        assert evil not in response.text
    assert escaped(evil) in page(explorer, "/caphistory/check_sites").text


@pytest.mark.skipif(
    "caphistory" not in [one.name for one in entry_points(group="datasette")],
    reason="caphistory is not installed",
)
def test_datasette_alone_finds_the_plugin(database: Path) -> None:
    answer = subprocess.run(
        [sys.executable, "-m", "datasette", str(database), "--get", "/history/which.json"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(answer.stdout)["rows"]


@pytest.mark.parametrize("immutable", [True, False])
@pytest.mark.parametrize("path", ["/", "/syscall/setgid", "/capability/CAP_SETGID.json"])
def test_datasette_alone_shows_what_serve_shows(
    explorer: Datasette, database: Path, path: str, immutable: bool
) -> None:
    files = [str(database)]
    plain = Datasette([], immutables=files) if immutable else Datasette(files)
    shown = page(plain, path)
    assert (
        shown.text.replace("/history/", "/caphistory/").replace('/history"', '/caphistory"')
        == page(explorer, path).text
    )
    assert shown.headers["content-security-policy"].startswith("default-src 'none'")


def test_licence_and_source_of_the_facts_are_shown(explorer: Datasette) -> None:
    text = page(explorer, "/caphistory").text
    assert 'href="https://creativecommons.org/publicdomain/zero/1.0/"' in text
    assert "the source of each release" in text


@pytest.mark.parametrize("immutable", [True, False])
def test_no_connection_of_datasettes_can_write(
    database: Path, tmp_path: Path, immutable: bool
) -> None:
    with closing(sqlite3.connect(tmp_path / "other.db")) as other:
        other.execute("create table notes (text)")
    files = [str(database), str(tmp_path / "other.db")]
    served = Datasette([], immutables=files) if immutable else Datasette(files)
    ours, other = served.get_database("history"), served.get_database("other")
    attach = f"attach '{tmp_path / 'new.db'}' as new"
    refused = pytest.raises(sqlite3.DatabaseError, match=r"not authorized|readonly database")
    for sql in (attach, "create temp table notes (text)", "pragma query_only = off"):
        with refused:
            asyncio.run(ours.execute(sql))
    if not immutable:
        with refused:
            asyncio.run(ours.execute_write("delete from files"))
        asyncio.run(other.execute_write("insert into notes values ('is theirs')"))
    asyncio.run(other.execute(attach))
    for path in ("/", "/history", "/history/releases", "/-/databases.json", "/-/versions.json"):
        assert page(served, path).status_code == 200
    asked = "select * from pragma_table_info('files')"
    assert page_in_the_end(served, "/history.json", sql=asked).json()["ok"]


def test_another_database_beside_it_is_left_as_it_is(database: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "other.db")) as other:
        other.execute("create table releases (name)")
    both = Datasette([], immutables=[str(database), str(tmp_path / "other.db")])
    assert escaped(queries()["which"].title) in page(both, "/history/which").text
    listed = page(both, "/other.json").json()
    assert listed["queries"] == []
    assert [table["hidden"] for table in listed["tables"]] == [False]
    assert "caphistory" not in page(both, "/other").text


def test_beside_another_database_the_home_page_stays_datasettes(
    database: Path, tmp_path: Path
) -> None:
    with closing(sqlite3.connect(tmp_path / "other.db")) as other:
        other.execute("create table releases (name)")
    both = Datasette([], immutables=[str(database), str(tmp_path / "other.db")])
    home = page(both, "/")
    assert 'href="/other"' in home.text
    assert "content-security-policy" not in home.headers
    assert "How Linux moved from root" in page(both, "/home").text
    assert page(both, "/syscall/setgid").status_code == 200


def test_without_a_caphistory_database_there_is_nothing_of_it(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "release.db")) as other:
        other.execute("create table item (name)")
    alone = Datasette([], immutables=[str(tmp_path / "release.db")])
    assert "caphistory" not in page(alone, "/").text
    assert page(alone, "/release/item").status_code == 200
    assert page(alone, "/transition").status_code == 404


def test_datasettes_own_pages_load_nothing_from_another_host(explorer: Datasette) -> None:
    for path in ("/caphistory", "/caphistory/releases", "/caphistory/which"):
        policy = page(explorer, path).headers["content-security-policy"]
        assert "default-src 'self'" in policy


@pytest.fixture
def taken() -> Iterator[int]:
    with listen("127.0.0.1", None) as listening:
        yield listening.getsockname()[1]


def test_a_port_that_is_taken_is_said_in_one_line(taken: int) -> None:
    with pytest.raises(CaphistoryError, match=f"cannot listen on 127.0.0.1 port {taken}"):
        listen("127.0.0.1", taken)


def test_without_a_port_a_free_one_is_found(taken: int) -> None:
    with listen("127.0.0.1", None) as listening:
        assert listening.getsockname()[1] != taken
        assert address(listening) == f"http://127.0.0.1:{listening.getsockname()[1]}/"


def test_a_long_answer_is_cut_on_its_page_and_whole_in_its_data(tmp_path: Path) -> None:
    kernels = [linked(f"2.2.{number}") for number in range(MOST_ROWS + 2)]
    explorer = explorer_application(build(tmp_path / "many.db", *kernels), time_limit_ms=5000)
    text = page(explorer, "/caphistory/release_list").text
    assert text.count("<tr>") - 1 == MOST_ROWS
    assert f"The first {MOST_ROWS} rows: the CSV has all" in text
    data = page(explorer, "/caphistory/release_list.json", _shape="array").json()
    assert len(data) == MOST_ROWS + 2


def test_rows_are_counted_once_for_each_question(tmp_path: Path) -> None:
    path = build(tmp_path / "a.db", linked("2.0.40"), linked("2.2.24"), linked("2.2.25"))
    database = explorer_application(path, time_limit_ms=5000).get_database("caphistory")

    def counts(series: str, what: str = "count(*)") -> Results:
        sql = f"select {what} from releases where series = :series"
        return asyncio.run(database.execute(sql, {"series": series}))

    assert [tuple(row) for row in counts("2.2").rows] == [(2,)]
    assert [tuple(row) for row in counts("2.0").rows] == [(1,)]
    assert counts("2.2") is counts("2.2")
    large = "count(*) || hex(zeroblob(9))"
    assert counts("2.2", large) is not counts("2.2", large)
