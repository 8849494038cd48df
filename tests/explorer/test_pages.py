"""The pages: what each says, as HTML and as data, and what none may do."""

from __future__ import annotations

import csv
import io
import json
import re
from html import unescape as html_unescape
from pathlib import Path
from urllib.parse import quote

import pytest
from datasette.app import Datasette

from caphistory.cli import run
from caphistory.explorer.databases import get_answers
from caphistory.explorer.server import explorer_application
from caphistory.explorer.templating import allow_breaks
from caphistory.questions.queries import queries
from caphistory.records import AuditDetail, CapabilityDefinition, LinkedRelease, Wrapper
from tests.explorer.asking import escaped, page
from tests.factories import build, check, linked, release, site, step, syscall

EVIL = "<script>alert('x')</script>\"&amp;"

PAGES = (
    "/",
    "/home",
    "/transition",
    "/transition?series=2.1&privilege=CAP_SETGID&subsystem=kernel&all=1",
    "/transition?from=2.0.40&to=2.2.24",
    "/successions",
    "/matrix",
    "/matrix?by=operation&releases=2.0.40,2.1.50,2.2.24&sort=changed",
    "/container",
    "/container?base=podman&drop=ALL&add=SYS_TIME&userns=1&release=2.2.24",
    "/syscall",
    "/syscall?q=fs",
    "/syscall/setgid",
    "/syscall/getpid",
    "/syscall/chdir?all=1",
    "/syscall/setgid?from=2.0.40&to=2.2.24",
    "/diff/setgid",
    "/capability",
    "/capability?release=2.0.40",
    "/capability/CAP_SYS_CHROOT",
    "/capability/suser",
    "/capability/fsuser",
    "/release",
    "/release/2.0.39",
    "/release/2.1.92",
    "/chain/i386/bind/CAP_NET_BIND_SERVICE?release=2.2.24",
    "/chain/i386/chdir/CAP_DAC_OVERRIDE",
    "/documented",
    "/search",
    "/search?q=sys",
    "/function/sys_setgid",
    "/function/permission",
    "/file/kernel/sys.c",
)


def words(html: str) -> str:
    """The text of a page as a reader sees it."""
    html = re.sub(r"<title>.*?</title>", "", html, flags=re.DOTALL)
    apart = re.sub(r"</(?:t[dh]|li|p|d[dt]|h\d|summary)>", " ", html)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", "", apart))


@pytest.mark.parametrize("path", PAGES)
def test_a_page_answers_as_html_as_json_and_as_csv(explorer: Datasette, path: str) -> None:
    response = page(explorer, path)
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.text.count("<h1>") == 1
    for link in set(re.findall(r'href="(/[^"#]*\.(?:json|csv)[^"#]*)"', response.text)):
        data = page(explorer, link.replace("&amp;", "&"))
        assert data.status_code == 200
        assert data.headers["content-type"].startswith(
            "application/json" if ".json" in link else "text/csv"
        )


@pytest.mark.parametrize("path", PAGES)
def test_a_page_leads_only_to_pages_that_are_there(explorer: Datasette, path: str) -> None:
    links = set(re.findall(r'(?:href|action)="(/[^"#]*)', page(explorer, path).text))
    assert {
        link: status
        for link in links
        if (status := page(explorer, link.replace("&amp;", "&")).status_code) not in (200, 302)
    } == {}


@pytest.mark.parametrize("path", PAGES)
def test_a_page_runs_no_script_and_loads_nothing_from_elsewhere(
    explorer: Datasette, path: str
) -> None:
    response = page(explorer, path)
    policy = response.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'self'")
    # Two lists are filtered as one types, by a file of this package alone.
    scripts = re.findall(r"<script[^>]*>[^<]*</script>", response.text)
    filtered = path.partition("?")[0] in ("/syscall", "/capability")
    own = '<script src="/-/caphistory-filter.js" defer></script>'
    assert scripts == [own] * filtered
    assert ("script-src 'self'" in policy) == filtered
    assert "unsafe" not in policy
    assert " style=" not in response.text
    loaded = re.sub('<link rel="canonical"[^>]*>', "", response.text)
    assert re.findall(r'(?:src|<link[^>]*href)="(?!/|data:)', loaded) == []


def test_releases_say_how_sure_their_trees_are(explorer: Datasette) -> None:
    listed = words(page(explorer, "/release").text)
    assert "2.1.92 " in listed and "2.2.0 (defective)" in listed
    told = page(explorer, "/release/2.2.0").text
    assert "<strong>defective</strong>" in told
    assert "Its &lt;b&gt;drivers&lt;/b&gt; are lost." in told
    assert "<dd>mainline</dd>" in page(explorer, "/release/2.2.24").text


def test_home_tells_the_result_in_one_sentence_and_one_bar(explorer: Datasette) -> None:
    text = page(explorer, "/").text
    assert "In 2.0.40, 7 places in the kernel asked" in words(text)
    assert "7 for one of 6 capabilities" in words(text)
    bar = re.findall(r'<li class="(\w+) w(\d+)"><a href="([^"]*)"', text)
    assert bar == [
        ("capability", "10", "/successions?became=capability&amp;from=2.0.40&amp;to=2.2.24")
    ]
    assert "7 checks changed in a single release, 2.1.92." in words(text)


def test_home_shows_the_picture_and_the_ways_in(explorer: Datasette) -> None:
    text = page(explorer, "/").text
    assert 'class="chart"' in text
    assert "2.1.92: 7 checks of root became capabilities</text>" in text
    assert re.search(r"capable\s*\d+ in 2\.2\.24", words(text))
    for way in ("/syscall", "/capability"):
        assert f'action="{way}"' in text
    assert 'href="/container?drop=ALL"' in text


def test_all_questions_are_in_one_of_five_groups(explorer: Datasette) -> None:
    text = page(explorer, "/").text
    assert len(re.findall(r"<details><summary>[^<]*</summary>\s*<ul class=\"found\">", text)) == 5
    assert {name for name in queries() if f'href="/caphistory/{name}"' in text} == set(queries())


def test_every_syscall_that_checks_something_has_a_strip(explorer: Datasette) -> None:
    text = page(explorer, "/transition").text
    rows = re.findall(r'<th scope="row"><a href="/syscall/(\w+)">', text)
    assert rows[:2] == ["bind", "chdir"] or rows == ["bind", "chroot", "mount", "setgid"]
    everything = page(explorer, "/transition", all="1").text
    assert 'href="/syscall/getpid"' in everything


def test_a_strip_says_in_words_what_was_asked_first_and_last(explorer: Datasette) -> None:
    text = page(explorer, "/transition").text
    assert "suser → CAP_SETGID" in words(text)
    assert "<title>setgid 2.0.39 – 2.1.91: suser</title>" in text


@pytest.mark.parametrize(
    ("filters", "shown"),
    [
        ({"privilege": "setgid"}, ["setgid"]),
        ({"subsystem": "fs"}, ["chroot", "mount"]),
        ({"subsystem": "net", "privilege": "suser"}, ["bind"]),
        ({"series": "2.2", "privilege": "suser"}, []),
    ],
)
def test_the_matrix_can_be_filtered(
    explorer: Datasette, filters: dict[str, str], shown: list[str]
) -> None:
    text = page(explorer, "/transition", **filters).text
    assert re.findall(r'<th scope="row"><a href="/syscall/(\w+)">', text) == shown
    rows = page(explorer, "/transition.json", **filters).json()["matrix"]
    assert sorted({row["syscall"] for row in rows}) == shown


def test_a_series_shows_its_releases_only(explorer: Datasette) -> None:
    text = page(explorer, "/transition", series="2.1").text
    assert 'viewBox="0 0 28 20"' in text
    assert "syscalls, 2.1.91 – 2.1.92" in words(text)


def test_two_releases_are_compared(explorer: Datasette) -> None:
    text = page(explorer, "/transition", from_="v2.0.40", to="2.2.24").text
    assert "From root to a capability alone: " in words(text)
    assert re.search(r"setgid.*suser.*CAP_SETGID", words(text))
    rows = page(explorer, "/transition.json", from_="2.0.40", to="2.2.24").json()["transition"]
    assert {row["became"] for row in rows} == {"capability"}
    assert "91 mainline releases" in words(text) or "mainline releases between the two" in words(
        text
    )


def test_two_releases_with_nothing_between_them_are_named(explorer: Datasette) -> None:
    text = words(page(explorer, "/transition", from_="2.2.0", to="2.2.24").text)
    assert "What changed from 2.2.0 to 2.2.24" in text
    assert "0 syscalls changed" in text


def test_a_syscall_answers_first_for_today_and_both_ends_of_the_transition(
    explorer: Datasette,
) -> None:
    text = page(explorer, "/syscall/setgid").text
    boxes = re.findall(r'<section class="box.*?</section>', text, re.DOTALL)
    told = [words(box) for box in boxes]
    assert re.search(r"2\.2\.24 · i386 · newest\s*CAP_SETGID", told[0])
    assert re.search(r"2\.0\.40 · i386\s*suser", told[1])
    assert "Number 46; sys_setgid" in told[0]
    older = words(page(explorer, "/syscall/setgid", release="2.1.91").text)
    assert re.search(r"2\.1\.91 · i386\s*suser", older)
    assert "By operation, in 2.1.91" in older


def test_a_syscall_tells_what_was_added_and_removed(explorer: Datasette) -> None:
    text = page(explorer, "/syscall/setgid").text
    (history,) = re.findall(r'<ul class="changes">.*?</ul>', text, re.DOTALL)
    assert re.findall(r'class="(added|removed)"><a [^>]*>(\w+)<', history) == [
        ("added", "CAP_SETGID"),
        ("removed", "suser"),
        ("added", "suser"),
    ]
    assert "2.1.92" in history and "2.1.91" not in history


def test_a_syscall_shows_its_evidence_in_the_two_releases_around_its_change(
    explorer: Datasette,
) -> None:
    text = page(explorer, "/syscall/setgid").text
    assert 'href="/syscall/setgid?from=2.1.91&amp;to=2.1.92"' in text
    text = words(page(explorer, "/syscall/setgid", **{"from": "2.1.91", "to": "2.1.92"}).text)
    assert re.search(r"In 2\.1\.91: 1 check.*kernel/sys\.c:302.*In 2\.1\.92", text)
    assert re.search(r"In 2\.1\.92: 1 check.*kernel/sys\.c:303", text)
    tables = page(explorer, "/syscall/setgid.json").json()
    assert tables["checks_to"][0]["chain"][0]["function"] == "sys_setgid"


def test_a_syscall_may_be_named_as_people_name_it(explorer: Datasette) -> None:
    assert "CAP_SETGID" in page(explorer, "/syscall/sys_setgid").text
    assert page(explorer, "/capability/setgid").status_code == 200
    assert page(explorer, "/release/v2.2.24").status_code == 200


def test_what_says_little_is_shown_on_request(explorer: Datasette) -> None:
    text = page(explorer, "/syscall/stime").text
    assert "asks for nothing" in words(text)
    assert "In 2.2.24: 0 checks" in words(page(explorer, "/syscall/stime", to="2.2.24").text)
    text = words(page(explorer, "/syscall/stime", all="1").text)
    assert "switched off by constants" in text


def test_a_capability_tells_what_it_is_and_who_asks_for_it(explorer: Datasette) -> None:
    text = words(page(explorer, "/capability/CAP_SYS_CHROOT").text)
    assert "Change the root directory with chroot" in text
    assert "2.2.24 · i386 · newest 1 syscall asks for it by itself. 1 check site" in text
    assert "2.0.40 · i386 not defined yet" in text
    assert re.search(r"chroot in the syscall's own function any\s+EPERM", html_unescape(text))
    assert "Number 18, defined since 2.1.92" in text
    assert escaped("Allow <b>it</b>.") in text


def test_a_capability_tells_since_when_who_asks_for_it(explorer: Datasette) -> None:
    text = page(explorer, "/capability/CAP_SYS_CHROOT").text
    (history,) = re.findall(r'<ul class="changes">.*?</ul>', text, re.DOTALL)
    assert "2.1.92" in history and 'class="added"><a href="/syscall/chroot">' in history
    assert 'class="removed"' not in history


def test_a_capability_has_a_chart_with_its_numbers(explorer: Datasette) -> None:
    text = page(explorer, "/capability/CAP_SYS_CHROOT").text
    assert 'aria-label="How many sites and syscalls check CAP_SYS_CHROOT in each release"' in text
    assert re.search(r"check sites\s*1 in 2\.2\.24", words(text))
    # From the series on in which it is first asked for.
    assert re.search(r"2\.1\s+2\.1\.91\s+0\s+0\s+2\.1\s+2\.1\.92\s+1\s+1", words(text))
    assert "No release checks it." in words(page(explorer, "/capability/fsuser").text)


def test_root_has_pages_like_a_capability(explorer: Datasette) -> None:
    text = words(page(explorer, "/capability/suser").text)
    assert "Who asks for it in 2.1.91 i386" in text
    assert "2.2.24 · i386 nobody asks for it" in text


def test_a_release_tells_what_changed_from_the_one_before(explorer: Datasette) -> None:
    text = words(page(explorer, "/release/2.1.92").text)
    assert re.search(r"\d syscalls check something else than in 2\.1\.91", text)
    assert re.search(r"setgid\s+CAP_SETGID\s+suser", text)
    assert re.search(r"← 2\.1\.91\s+2\.2\.0 →", text)
    assert text.index("What it checks") < text.index("What changed since 2.1.91")
    holed = words(page(explorer, "/release/2.2.24").text)
    assert "mainline releases between 2.2.0 and 2.2.24 are not in this database" in holed
    assert re.search(r"lexical\s*15", text)
    assert "published 1999-01-26" in words(page(explorer, "/release/2.2.0").text)


def test_a_chain_is_shown_step_by_step_with_links_to_each_line(explorer: Datasette) -> None:
    text = page(explorer, "/chain/i386/bind/CAP_NET_BIND_SERVICE", release="2.2.24").text
    assert "https://elixir.bootlin.com/linux/2.2.24/source/net/socket.c#L810" in text
    assert "https://elixir.bootlin.com/linux/2.2.24/source/net/ipv4/af_inet.c#L505" in text
    assert "calls through proto_ops.bind" in words(text)
    assert "without the privilege: EACCES" in words(text)
    assert 'id="net/ipv4/af_inet.c:505"' in text


def test_a_search_finds_every_kind_of_name(explorer: Datasette) -> None:
    text = words(page(explorer, "/search", q="s").text)
    for found in ("setgid", "CAP_SYS_ADMIN", "sys_chroot", "kernel/sys.c"):
        assert found in text


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("getpid", "/syscall/getpid"),
        ("2.0.40", "/release/2.0.40"),
        ("v2.0.40", "/release/2.0.40"),
        ("CAP_SYS_TIME", "/capability/CAP_SYS_TIME"),
        ("port below 1024", "/capability/CAP_NET_BIND_SERVICE"),
        ("inet_bind", "/function/inet_bind"),
        ("af_inet.c", "/file/net/ipv4/af_inet.c"),
    ],
)
def test_a_search_that_finds_one_thing_goes_there(
    explorer: Datasette, text: str, address: str
) -> None:
    response = page(explorer, "/search", q=text)
    assert (response.status_code, response.headers.get("location")) == (302, address)


def test_a_search_that_finds_several_things_lists_the_exact_name_first(
    explorer: Datasette,
) -> None:
    text = page(explorer, "/search", q="sys_setgid").text
    found = re.findall(r'<ul class="found">\s*<li><a href="([^"]*)"', text)
    assert found == ["/syscall/setgid", "/function/sys_setgid"]


def test_a_search_tells_what_the_command_line_tells(
    explorer: Datasette, database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["--db", str(database), "search", "chroot", "--format", "json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    text = words(page(explorer, "/search", q="chroot").text)
    assert rows[0]["about"] in text
    assert text.index("Syscalls: 1") < text.index("Capabilities that permit it: 1")
    text = words(page(explorer, "/search", q="root").text)
    assert text.index("Capabilities that permit it: 3") < text.index("Syscalls: 1")
    assert page(explorer, "/search.json", q="chroot").json()["search"] == rows


def test_a_search_without_a_find_says_so(explorer: Datasette) -> None:
    response = page(explorer, "/search", q="nosuchthing")
    assert response.status_code == 200
    assert "Nothing has “nosuchthing” in its name" in words(response.text)


def test_a_function_and_a_file_tell_their_checks(explorer: Datasette) -> None:
    text = words(page(explorer, "/function/permission").text)
    assert re.search(r"chdir CAP_DAC_OVERRIDE pointer 1 step", text)
    assert "sys_setgid" in words(page(explorer, "/file/kernel/sys.c").text)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/syscall/setgit", "nearest: setgid"),
        ("/capability/CAP_CHROOT", "nearest: CAP_SYS_CHROOT"),
        ("/release/2.2.25", "nearest: 2.2.24"),
        ("/chain/i386/getpid/suser", "does not come to a check of suser"),
        ("/chain/vax/bind/suser", "there are: i386"),
        ("/function/nothing", "no function"),
        ("/file/nothing.c", "no check stands in a file"),
        ("/transition?from=9.9", "no release"),
        ("/transition?series=9.9", "there are: 2.0, 2.1, 2.2"),
        ("/transition?subsystem=x", "there are: fs, kernel, net"),
        ("/syscall/setgid?abi=vax", "there are: i386"),
    ],
)
def test_a_name_that_is_unknown_is_said_with_what_is_known(
    explorer: Datasette, path: str, said: str
) -> None:
    response = page(explorer, path)
    assert response.status_code == 404
    assert escaped(said) in response.text
    place, _, query = path.partition("?")
    data = page(explorer, f"{place}.json?{query}")
    assert data.status_code == 404
    assert said in data.json()["error"]


def test_one_table_of_a_page_can_be_had(explorer: Datasette) -> None:
    response = page(explorer, "/release/2.1.92.csv", table="capabilities")
    rows = list(csv.DictReader(io.StringIO(response.text)))
    assert rows[0]["capability"] == "CAP_DAC_OVERRIDE"
    assert [*page(explorer, "/release/2.1.92.json", table="kinds").json()] == ["title", "kinds"]
    wrong = page(explorer, "/release/2.1.92.csv", table="nothing")
    assert wrong.status_code == 404
    assert "there are: changes, sites" in wrong.text


def test_what_a_page_shows_is_what_the_command_line_answers(
    explorer: Datasette, database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ("why", "bind", "CAP_NET_BIND_SERVICE", "--release", "2.2.24", "--format", "json")
    run(["--db", str(database), *asked])
    said = capsys.readouterr().out
    address = "/chain/i386/bind/CAP_NET_BIND_SERVICE.json"
    assert page(explorer, address, release="2.2.24").json()["chains"] == json.loads(said)


def test_robots_are_kept_from_pages_without_end(explorer: Datasette) -> None:
    lines = page(explorer, "/robots.txt").text.splitlines()
    assert lines[0] == "User-agent: *"
    assert {"Disallow: /caphistory", "Disallow: /search", "Disallow: /*?"} <= set(lines)


def test_a_database_that_stays_is_asked_once_for_what_every_page_needs(database: Path) -> None:
    explorer = explorer_application(database, time_limit_ms=5000)
    served = explorer.get_database("caphistory")
    first = page(explorer, "/transition").text
    known = get_answers(served)
    assert known is not None
    assert {name for name, _ in known} >= {"matrix", "release_changes", "release_list"}
    assert page(explorer, "/transition").text == first


def test_a_database_that_may_change_is_asked_anew(database: Path) -> None:
    mutable = Datasette([str(database)])
    assert page(mutable, "/transition").status_code == 200
    assert get_answers(mutable.get_database("history")) is None


def test_a_page_that_takes_too_long_is_given_up(database: Path) -> None:
    explorer = explorer_application(database, time_limit_ms=5000)
    assert page(explorer, "/transition").status_code == 200
    explorer._settings["sql_time_limit_ms"] = 0
    response = page(explorer, "/transition")
    assert response.status_code == 503
    assert "took longer than 0 ms" in response.text
    assert "error" in page(explorer, "/transition.json").json()


def test_pages_work_under_a_base_url(database: Path) -> None:
    explorer = explorer_application(database, time_limit_ms=5000)
    explorer._settings["base_url"] = "/linux/"
    text = page(explorer, "/syscall/setgid").text
    links = re.findall(r'(?:href|action)="(/[^"#]*)', text)
    assert links
    assert [link for link in links if not link.startswith("/linux/")] == []


def test_a_syscall_that_began_to_ask_in_a_user_namespace_shows_since_when(tmp_path: Path) -> None:
    def kernel(name: str, check_name: str) -> LinkedRelease:
        own = site("kernel/sys.c", 9, "sys_sethostname", check_name, "CAP_SYS_ADMIN")
        namespace = "owner" if check_name == "ns_capable" else "init"
        return linked(name, checks=[check("sethostname", own, namespace=namespace)])

    path = build(
        tmp_path / "history.db", kernel("2.6.38", "capable"), kernel("2.6.39", "ns_capable")
    )
    text = words(page(explorer_application(path, time_limit_ms=5000), "/syscall/sethostname").text)
    assert re.search(r"the caller, in the user namespace that owns it\s+2\.6\.39", text)


def test_what_comes_from_a_kernel_cannot_become_markup(tmp_path: Path) -> None:
    path = f"fs/{EVIL}.c"
    evil = f"CAP_{EVIL}"
    at = site(path, 1, EVIL, capability=evil, condition=EVIL, argument=EVIL, errno=EVIL)
    kernels = [
        linked(
            release(name)._replace(released=EVIL, source=EVIL),
            checks=[check(EVIL, at, step(EVIL, path, 1, EVIL))] if at is not None else [],
            sites=[site(path, 2, EVIL, EVIL, argument=EVIL)],
            syscalls=[syscall(EVIL, 1, EVIL, path, parent=EVIL)],
            definitions=[CapabilityDefinition(evil, 1, path, 1, EVIL)],
            wrappers=[Wrapper(EVIL, "fixed", EVIL, evil, None, path, 1)],
            details=[AuditDetail("unexplained", path, 1, EVIL)],
        )
        for name, at in (("2.2.23", None), ("2.2.24", at))
    ]
    explorer = explorer_application(build(tmp_path / "evil.db", *kernels), time_limit_ms=5000)
    name, capability = quote(EVIL, safe=""), quote(evil, safe="")
    paths = [
        *("/", "/transition", "/transition?all=1", "/transition?from=2.2.23&to=2.2.24"),
        *("/syscall", f"/syscall/{name}", f"/diff/{name}", "/capability", "/release"),
        *("/release/2.2.24", f"/search?q={name}", "/search?q=script", f"/function/{name}"),
        *(f"/file/fs/{name}.c", f"/capability/{capability}", f"/syscall/no{name}"),
        f"/chain/i386/{name}/{capability}",
    ]
    statuses = {}
    for address in paths:
        response = page(explorer, address)
        statuses[address] = response.status_code
        text = response.text.lower().replace('<script src="/-/caphistory-filter.js"', "")
        assert "<script" not in text
        assert EVIL not in response.text
        assert not re.search(r"""=["'][^"'>]*<script""", response.text)
    assert statuses.pop(f"/syscall/no{name}") == 404
    # resolve_capability() writes what it is asked for in capitals, which no such name survives.
    odd = {f"/capability/{capability}", f"/chain/i386/{name}/{capability}"}
    assert {address for address, status in statuses.items() if status != 200} <= odd


def test_names_may_be_broken_where_a_word_or_a_folder_ends() -> None:
    assert allow_breaks("fs/a_b.c") == "fs/<wbr>a_<wbr>b.c"
    assert allow_breaks("/dev/vfio/MAP_DMA", "/") == "/<wbr>dev/<wbr>vfio/<wbr>MAP_DMA"
    assert allow_breaks("<b>_") == "&lt;b&gt;_"
