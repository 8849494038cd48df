"""What pages once said that was not so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from datasette.app import Datasette

from caphistory.explorer.server import explorer_application
from caphistory.records import CapabilityDefinition, LinkedRelease
from tests.explorer.asking import page
from tests.factories import build, check, linked, release, site, step


def words(text: str) -> str:
    """The text of a page as a reader sees it."""
    return re.sub(r"\s+", " ", re.sub("<[^>]*>", " ", text))


def kernel(name: str, *capabilities: str, root: bool = False, abi: str = "i386") -> LinkedRelease:
    """A release in which acct asks for capabilities, and for root too."""
    sites = [site("kernel/acct.c", 9, "sys_acct", capability=one) for one in capabilities]
    if root:
        sites.append(site("kernel/acct.c", 19, "sys_acct", "suser"))
    return linked(
        release(name),
        checks=[check("acct", one, abi=abi) for one in sites],
        definitions=[
            CapabilityDefinition(one, bit, "include/capability.h", bit + 1, None)
            for bit, one in enumerate(capabilities)
        ],
    )


def explore(folder: Path, *kernels: LinkedRelease) -> Datasette:
    """The explorer of these releases."""
    return explorer_application(build(folder / "history.db", *kernels), time_limit_ms=5000)


@pytest.mark.parametrize("root", [False, True])
def test_what_still_asks_for_root_is_not_told_as_moved_to_a_capability(
    tmp_path: Path, root: bool
) -> None:
    explorer = explore(
        tmp_path, kernel("2.0.40", root=True), kernel("2.2.24", "CAP_SYS_PACCT", root=root)
    )
    text = words(page(explorer, "/transition", from_="2.0.40", to="2.2.24").text)
    assert ("From root to a capability, and root still: 1" in text) == root
    assert ("From root to a capability alone: 1" in text) == (not root)


def test_what_changed_across_a_hole_is_no_change_of_the_release_after_it(tmp_path: Path) -> None:
    explorer = explore(
        tmp_path,
        kernel("3.3", "CAP_A"),
        kernel("3.4", "CAP_B"),
        kernel("3.9", "CAP_C"),
        kernel("3.10", "CAP_C"),
    )
    text = page(explorer, "/transition").text
    assert re.search(r"Most changes between adjacent releases: 3\.4 \( ?1 ?\) ?\.", words(text))
    # One mark, where nothing is missing.
    assert re.findall(r'class="change" d="([^"]*)"', text)[0].count("M") == 1
    assert 'id="holes"' in text and '<use href="#holes"/>' in text
    told = words(page(explorer, "/syscall/acct").text)
    assert "after 3.4 , by 3.9" in told
    assert "4 mainline releases between 3.4 and 3.9" in words(page(explorer, "/release/3.9").text)


def test_the_legend_of_a_chart_counts_what_the_heading_counts(tmp_path: Path) -> None:
    both = kernel("6.12", "CAP_A", abi="x86_64")
    older = site("kernel/x.c", 5, "sys_vm86", capability="CAP_A")
    checks = [*both.syscall_checks, check("vm86", older), check("acct", older)]
    tables = linked(release("6.12"), checks=checks, definitions=list(both.capability_definitions))
    text = words(page(explore(tmp_path, tables), "/capability/CAP_A").text)
    assert "6.12 · x86_64 · newest 1 syscall asks for it by itself" in text
    assert re.search(r"syscalls\s+1 in 6\.12", text)


def test_lines_of_sites_and_syscalls_have_no_colour_of_root_or_capability(tmp_path: Path) -> None:
    explorer = explore(tmp_path, kernel("2.2.24", "CAP_A"))
    chart = re.search(r'<svg class="chart".*?</svg>', page(explorer, "/capability/CAP_A").text)
    assert chart is not None
    assert re.findall(r'class="line (\w+)"', chart[0]) == ["sites", "syscalls"]


def test_a_history_does_not_end_where_only_the_standing_changed(tmp_path: Path) -> None:
    def shared(name: str, by: int) -> LinkedRelease:
        at = site("fs/namei.c", 9, "permission", capability="CAP_DAC_OVERRIDE")
        way = step("sys_open", "fs/open.c", 5)
        return linked(release(name), checks=[check("open", at, way, shared_by=by)])

    explorer = explore(tmp_path, shared("2.2.0", 2), shared("2.2.1", 20))
    text = page(explorer, "/syscall/open").text
    assert 'class="removed"' not in text
    assert "CAP_DAC_OVERRIDE" in text
