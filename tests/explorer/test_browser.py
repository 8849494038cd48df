"""The explorer in a real browser: what a person does, by mouse and by keyboard."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed")

CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        CHROMIUM is None, reason="there is no chromium (Debian: apt-get install chromium)"
    ),
]

ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PAGES = (
    "/",
    "/transition",
    "/transition?from=2.0.40&to=2.2.24",
    "/successions",
    "/matrix",
    "/container",
    "/container?drop=ALL&userns=1",
    "/syscall",
    "/syscall/setgid",
    "/syscall/chdir?all=1",
    "/diff/setgid",
    "/capability",
    "/capability/CAP_SYS_CHROOT",
    "/capability/suser",
    "/release",
    "/release/2.1.92",
    "/chain/i386/bind/CAP_NET_BIND_SERVICE?release=2.2.24",
    "/documented",
    "/search?q=s",
    "/search?q=nosuchthing",
    "/function/permission",
    "/file/kernel/sys.c",
    "/syscall/nosuchthing",
    "/nosuchplace",
    "/caphistory",
    "/caphistory/check_sites?release=2.2.24",
    "/caphistory/which",
    "/caphistory/container?base=foo",
    "/caphistory?sql=select+1",
    "/caphistory/functions",
    "/caphistory/files/1",
    "/-/databases",
    "/diff/setgid?from=2.0.40&to=2.2.24",
)
WINDOWS = {"wide": (1280, 900), "narrow": (360, 740)}


class Visit:
    """A browser's page, with what it complained of and whom else it asked."""

    def __init__(self, page: Any, home: str) -> None:
        self.page = page
        self.home = home.rstrip("/")
        self.complaints: list[str] = []
        self.elsewhere: list[str] = []
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", self._remember)

    def _remember(self, request: Any) -> None:
        if not request.url.startswith((self.home, "data:")):
            self.elsewhere.append(request.url)

    def go(self, path: str) -> int:
        """Open the page at ``path``; its HTTP status."""
        return int(self.page.goto(self.home + path).status)

    @property
    def path(self) -> str:
        """Where the browser is."""
        return str(self.page.url).removeprefix(self.home)

    @property
    def heading(self) -> str:
        """The page's title as it stands there."""
        return str(self.page.locator("h1").inner_text())


@pytest.fixture(scope="module")
def home(database: Path) -> Iterator[str]:
    """The address of ``caphistory serve`` on the small history."""
    command = [sys.executable, "-m", "caphistory", "--db", str(database), "serve", "--no-open"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, bufsize=1) as served:
        try:
            assert served.stdout is not None
            said = re.search(r"http://\S+", served.stdout.readline())
            assert said is not None
            # Where rich is installed Datasette prints a long traceback for each address that is not
            # there: a pipe that nobody reads would be full of them, and the server stand still.
            Thread(target=served.stdout.read, daemon=True).start()
            yield said[0]
        finally:
            served.terminate()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as started:
        launched = started.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        yield launched
        launched.close()


@pytest.fixture
def visit(browser: Any, home: str) -> Iterator[Visit]:
    """A fresh page, which must not complain, nor ask anybody but the explorer."""
    context = browser.new_context()
    context.set_default_timeout(10_000)
    one = Visit(context.new_page(), home)
    yield one
    context.close()
    assert one.complaints == []
    assert one.elsewhere == []


def test_a_reader_finds_a_syscall_and_follows_it_to_its_chain(visit: Visit) -> None:
    visit.go("/")
    visit.page.get_by_role("searchbox", name="Search").fill("setgid")
    visit.page.get_by_role("button", name="Find").click()
    visit.page.get_by_role("main").get_by_role("link", name="setgid", exact=True).click()
    assert visit.heading == "setgid"
    visit.page.get_by_role("link", name="Its checks in 2.1.91 and 2.1.92").click()
    after = visit.page.get_by_role("region", name="In 2.1.92", exact=True)
    after.get_by_role("link", name="chain from setgid to kernel/sys.c:303").click()
    assert visit.heading == "setgid → CAP_SETGID"
    assert visit.path == "/chain/i386/setgid/CAP_SETGID?release=2.1.92#kernel/sys.c:303"
    assert visit.page.locator(":target").inner_text() == "kernel/sys.c:303"
    line = visit.page.get_by_role("link", name="sys_setgid kernel/sys.c:303")
    assert line.get_attribute("href").startswith("https://elixir.bootlin.com/linux/2.1.92/")


def test_a_reader_compares_two_releases(visit: Visit) -> None:
    visit.go("/transition")
    visit.page.get_by_text("Compare two releases").click()
    visit.page.get_by_label("From release").fill("2.0.40")
    visit.page.get_by_label("to release").fill("2.2.24")
    visit.page.get_by_role("button", name="Compare").click()
    assert visit.heading == "What changed from 2.0.40 to 2.2.24"
    row = visit.page.get_by_role("row").filter(has_text="chroot")
    assert row.get_by_role("cell").all_inner_texts()[:2] == ["suser", "CAP_SYS_CHROOT"]


def test_a_reader_filters_the_strips(visit: Visit) -> None:
    visit.go("/transition")
    assert visit.page.get_by_role("rowheader").count() >= 4
    visit.page.get_by_label("Privilege").select_option("CAP_SETGID")
    visit.page.get_by_label("Series").select_option("2.1")
    visit.page.get_by_role("button", name="Show").click()
    (row,) = visit.page.get_by_role("rowheader").all_inner_texts()
    assert row.split() == ["setgid", "suser", "→", "CAP_SETGID"]
    assert visit.page.get_by_label("Privilege").input_value() == "CAP_SETGID"


def test_a_list_is_filtered_as_one_types(visit: Visit) -> None:
    visit.go("/syscall")
    visit.page.get_by_label("Name, number or privilege").press_sequentially("chr")
    shown = visit.page.locator("#list tbody tr:visible")
    assert shown.count() == 1
    assert shown.get_by_role("rowheader").inner_text() == "chroot"
    assert visit.page.locator("output").inner_text() == "1 shown"


def test_a_reader_takes_a_capability_from_a_container(visit: Visit) -> None:
    visit.go("/container")
    visit.page.get_by_role("checkbox", name="SYS_CHROOT").uncheck()
    visit.page.get_by_role("button", name="Show").click()
    assert visit.path == "/container?base=docker&drop=SYS_CHROOT&release=2.2.24"
    lost = visit.page.get_by_role("region", name="CAP_SYS_CHROOT")
    assert "chroot → EPERM" in lost.inner_text()
    assert "--cap-add SYS_CHROOT" in lost.inner_text()


def test_a_reader_pastes_a_mask(visit: Visit) -> None:
    visit.go("/container")
    visit.page.get_by_label("Or paste a file or a mask").fill("0000000000200000")
    visit.page.get_by_role("button", name="Read it").click()
    assert visit.page.get_by_role("checkbox", name="SYS_ADMIN").is_checked()
    assert not visit.page.get_by_role("checkbox", name="SYS_CHROOT").is_checked()
    visit.page.get_by_role("link", name="its address").click()
    assert visit.path == "/container?base=none&add=SYS_ADMIN&release=2.2.24"


def test_pointing_at_a_bar_says_what_the_syscall_checks_there(visit: Visit) -> None:
    visit.go("/transition")
    box = visit.page.get_by_role("row").filter(has_text="chroot").locator(".strip").bounding_box()
    said = [
        visit.page.evaluate(
            "([x, y]) => document.elementFromPoint(x, y).querySelector('title').textContent",
            # Near the top, where the bar of a root check is not.
            [box["x"] + share * box["width"], box["y"] + 2],
        )
        for share in (0.1, 0.6)
    ]
    assert said == ["chroot 2.0.39 – 2.1.91: suser", "chroot 2.1.92 –: CAP_SYS_CHROOT"]


def test_words_are_searched_in_a_table(visit: Visit) -> None:
    visit.go("/caphistory/check_sites")
    visit.page.get_by_label("Search:").fill("af_inet")
    visit.page.get_by_role("button", name="Apply").click()
    visit.page.wait_for_url(re.compile("_search=af_inet"))
    found = visit.page.locator("table.rows-and-columns tbody tr")
    assert found.count() == 1
    found.get_by_role("link", name="inet_bind").click()
    assert visit.heading == "inet_bind()"


def test_everything_can_be_reached_by_the_keyboard_alone(visit: Visit) -> None:
    press = visit.page.keyboard.press
    visit.go("/")
    press("Tab")
    assert focused(visit) == "Skip to the content"
    press("Enter")
    visit.page.wait_for_url(re.compile(r"/#main$"))
    visit.go("/")
    tab_to(visit, "q")
    visit.page.keyboard.type("chroot")
    press("Enter")
    visit.page.wait_for_url(re.compile(r"/search\?q=chroot$"))
    tab_to(visit, "Skip to the content")
    press("Enter")
    press("Tab")
    assert focused(visit) == "chroot"
    press("Enter")
    visit.page.wait_for_url(re.compile(r"/syscall/chroot$"))
    tab_to(visit, "Its checks in 2.1.91 and 2.1.92")
    press("Enter")
    visit.page.wait_for_url(re.compile(r"/syscall/chroot\?"))
    tab_to(visit, "chain from chroot to fs/open.c:403")
    press("Enter")
    visit.page.wait_for_url(re.compile(r"/chain/i386/chroot/CAP_SYS_CHROOT\?release=2\.1\.92#"))
    tab_to(visit, "As text")
    press("Enter")
    assert visit.page.locator("pre").is_visible()


def test_lists_are_filtered_and_containers_asked_about_without_scripts(
    browser: Any, home: str
) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(home + "syscall")
    page.get_by_label("Name, number or privilege").fill("cap_set")
    page.get_by_role("button", name="Filter").click()
    assert page.url.endswith("/syscall/setgid")
    page.goto(home + "container")
    page.get_by_role("checkbox", name="SYS_CHROOT").uncheck()
    page.get_by_role("button", name="Show").click()
    assert page.url.endswith("/container?base=docker&drop=SYS_CHROOT&release=2.2.24")
    context.close()


def test_what_is_closed_stays_closed_in_print(browser: Any, home: str) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.emulate_media(media="print")
    page.goto(home)
    assert not page.locator("header.site").is_visible()
    assert not page.locator("details ul").first.is_visible()
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("window", WINDOWS)
def test_no_page_has_an_accessibility_violation_or_is_wider_than_its_window(
    browser: Any, home: str, scheme: str, window: str
) -> None:
    width, height = WINDOWS[window]
    context = browser.new_context(
        color_scheme=scheme,
        viewport={"width": width, "height": height},
        # axe is put into the page, which its policy rightly forbids.
        bypass_csp=True,
    )
    visit = Visit(context.new_page(), home)
    found = {}
    for path in PAGES:
        visit.go(path)
        # What is closed is looked at too.
        visit.page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        result = axe.Axe().run(visit.page)
        if result.violations_count:
            found[path] = result.generate_report()
        assert visit.page.evaluate("document.documentElement.scrollWidth") <= width, path
    context.close()
    assert found == {}
    assert visit.elsewhere == []


WHAT_IS_CUT = """cells => cells.filter(cell => {
    const right = cell.getBoundingClientRect().right + 1;
    const text = document.createRange();
    const told = cell.querySelector("a") || cell;
    return [...told.childNodes].filter(node => node.nodeType === Node.TEXT_NODE).some(node => {
        text.selectNodeContents(node);
        return [...text.getClientRects()].some(line => line.right > right);
    });
}).map(cell => cell.innerText)"""


@pytest.mark.parametrize("window", WINDOWS)
def test_no_cell_of_the_matrix_cuts_its_words(visit: Visit, window: str) -> None:
    width, height = WINDOWS[window]
    visit.page.set_viewport_size({"width": width, "height": height})
    visit.go(
        "/matrix?releases=2.0.40,2.1.91,2.1.92,2.2.0,2.2.1,2.2.2,2.2.3,2.2.4,2.2.5,2.2.6,2.2.24"
    )
    words = visit.page.locator("td a").all_inner_texts()
    assert any(word.startswith("NET_BIND_SERVICE") for word in words)
    assert visit.page.locator("td").evaluate_all(WHAT_IS_CUT) == []


@pytest.mark.parametrize("path", ["/caphistory", "/caphistory/releases", "/caphistory/which"])
def test_datasettes_own_pages_ask_nobody_else(visit: Visit, path: str) -> None:
    assert visit.go(path) == 200


def focused(visit: Visit) -> str:
    """What has the focus: its id, else its text."""
    active = "document.activeElement.id || document.activeElement.textContent"
    return str(visit.page.evaluate(active)).strip()


def tab_to(visit: Visit, text: str) -> None:
    """Press Tab until what says ``text``, or has it as its id, has the focus."""
    for _ in range(200):
        visit.page.keyboard.press("Tab")
        if focused(visit) == text:
            return
    raise AssertionError(f"{text!r} cannot be reached by Tab")
