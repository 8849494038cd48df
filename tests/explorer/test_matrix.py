"""The matrix of syscalls and releases."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from datasette.app import Datasette

from caphistory.explorer.server import explorer_application
from caphistory.records import CapabilityDefinition, LinkedRelease
from tests.explorer.asking import page
from tests.factories import build, check, linked, site, step, syscall

SET_MM = "PR_SET_MM/PR_SET_MM_MAP"


def kernel(name: str, *, capable: bool) -> LinkedRelease:
    """A release with operations: ``prctl`` asks under two, ``chroot`` whatever is asked, ``open``
    in code that many share, ``getpid`` never."""

    def asks(path: str, function: str, capability: str) -> dict[str, object]:
        return {"path": path, "line": 10, "function": function} | (
            {"capability": capability} if capable else {"check_name": "suser"}
        )

    chroot = site(**asks("fs/open.c", "sys_chroot", "CAP_SYS_CHROOT"))  # type: ignore[arg-type]
    resource = site(**asks("kernel/sys.c", "prctl_set_mm", "CAP_SYS_RESOURCE"))  # type: ignore[arg-type]
    bounding = site(**asks("security/commoncap.c", "cap_prctl", "CAP_SETPCAP"))  # type: ignore[arg-type]
    lookup = site(**asks("fs/namei.c", "permission", "CAP_DAC_OVERRIDE"))  # type: ignore[arg-type]
    way = step("sys_prctl", "kernel/sys.c", 5)
    return linked(
        name,
        checks=[
            check("chroot", chroot),
            check("prctl", resource, way, operation=SET_MM, instead=("CAP_SYS_ADMIN",)),
            check("prctl", bounding, way, operation="PR_CAPBSET_DROP"),
            check("open", lookup, step("sys_open", "fs/open.c", 7), shared_by=20),
        ],
        syscalls=[
            syscall("chroot", 61, path="fs/open.c"),
            syscall("prctl", 172, path="kernel/sys.c"),
            syscall("open", 5, path="fs/open.c"),
            syscall("getpid", 20, path="kernel/sched.c"),
        ],
        definitions=[
            CapabilityDefinition(name, bit, "include/capability.h", bit + 1, None)
            for bit, name in enumerate(("CAP_DAC_OVERRIDE", "CAP_SETPCAP"))
            if capable
        ],
    )


@pytest.fixture(scope="module")
def operations(tmp_path_factory: pytest.TempPathFactory) -> Datasette:
    """The explorer of two releases with operations."""
    path: Path = build(
        tmp_path_factory.mktemp("matrix") / "history.db",
        kernel("2.0.40", capable=False),
        kernel("2.2.24", capable=True),
    )
    return explorer_application(path, time_limit_ms=5000)


def cells(explorer: Datasette, **asked: str) -> dict[str, list[tuple[str, str]]]:
    """The kind and the words of the cells of each row."""
    text = page(explorer, "/matrix", **asked).text
    rows = {}
    for row in re.findall(r'<tr><th scope="row">(.*?)</tr>', text, re.DOTALL):
        head, _, body = row.partition("</th>")
        name = re.sub(r"\s+", " ", re.sub("<[^>]*>", "", head)).strip()
        rows[name] = [
            (kind, re.sub(r"<span class=.hidden.>.*?</span>|<[^>]*>", "", cell))
            for kind, cell in re.findall(r'<td class="(\w+)">(.*?)</td>', body, re.DOTALL)
        ]
    return rows


def test_a_cell_has_the_strongest_privilege_its_kind_and_how_many_more(
    operations: Datasette,
) -> None:
    rows = cells(operations)
    assert rows["chroot"] == [("root", "suser"), ("capability", "SYS_CHROOT")]
    assert rows["prctl"][1] == ("capability", "SETPCAP +1")
    assert rows["open"] == [("shared", "suser"), ("shared", "DAC_OVERRIDE")]
    assert "getpid" not in rows


def test_a_release_that_is_not_held_is_unknown_and_not_nothing(operations: Datasette) -> None:
    rows = cells(operations, releases="2.0.40,2.1.50,2.2.24")
    assert rows["chroot"] == [
        ("root", "suser"),
        ("unknown", "?"),
        ("capability", "SYS_CHROOT"),
    ]


def test_operations_are_rows_too(operations: Datasette) -> None:
    rows = cells(operations, by="operation", releases="2.2.24")
    assert rows[f"prctl {SET_MM}"] == [("capability", "SYS_RESOURCE")]
    assert rows["prctl PR_CAPBSET_DROP"] == [("capability", "SETPCAP")]


def test_releases_are_added_and_removed_in_the_address(operations: Datasette) -> None:
    text = page(operations, "/matrix", releases="2.0.40", add="2.2.24").text
    assert 'name="releases" value="2.0.40,2.2.24"' in text
    assert 'href="/matrix?releases=2.2.24&amp;by=syscall&amp;sort=subsystem">×' in text
    many = ",".join(f"2.1.{number}" for number in range(20))
    assert page(operations, "/matrix", releases=many).status_code == 404


def test_rows_can_be_filtered_and_sorted(operations: Datasette) -> None:
    assert [*cells(operations, privilege="CAP_SETPCAP")] == ["prctl"]
    assert [*cells(operations, sort="name")] == ["chroot", "open", "prctl"]
    assert cells(operations, releases="2.2.24", changed="1") == {}
    rows = page(operations, "/matrix.csv").text.splitlines()
    assert rows[0] == "syscall,operation,2.0.40,2.2.24"


def test_a_syscall_is_told_by_operation_with_what_does_as_well(operations: Datasette) -> None:
    text = page(operations, "/syscall/prctl").text
    told = re.sub(r"\s+", " ", re.sub("<[^>]*>", "", text))
    assert "under 2 operations" in told
    row = re.search(r"<code>PR_SET_MM/<wbr>PR_SET_MM_MAP</code>.*?</tr>", text, re.DOTALL)
    assert row is not None
    for said in ("CAP_SYS_RESOURCE", "CAP_SYS_ADMIN", "EPERM", "2.2.24"):
        assert said in row[0]


def test_chips_show_the_standing_of_the_evidence(operations: Datasette) -> None:
    assert 'class="chip capability direct"' in page(operations, "/syscall/chroot").text
    assert 'class="chip capability call"' in page(operations, "/syscall/prctl").text
    opened = page(operations, "/syscall/open").text
    assert 'class="chip capability shared"' in opened
    assert "asks for nothing of its own" in opened


def test_a_capability_that_only_shared_code_asks_for_is_no_bare_zero(
    operations: Datasette,
) -> None:
    text = page(operations, "/capability/CAP_DAC_OVERRIDE").text
    told = re.sub(r"\s+", " ", re.sub("<[^>]*>", "", text))
    assert "1 more in code that very many syscalls share" in told
    assert "No syscall." not in told
    assert 'class="chip shared" href="/syscall/open' in text


def test_a_syscall_is_narrowed_by_operation_with_its_history(operations: Datasette) -> None:
    text = page(operations, "/syscall/prctl", operation="pr_capbset*").text
    table = text[text.index('id="operations"') : text.index('id="operation-history"')]
    assert "PR_CAPBSET_DROP" in table and "PR_SET_MM" not in table
    answers = text[text.index('<div class="now">') : text.index('id="operations"')]
    assert "CAP_SETPCAP" in answers and "CAP_SYS_RESOURCE" not in answers
    assert "What changed, by any operation" in text
    rows = page(operations, "/syscall/prctl.json", operation="PR_CAPBSET_DROP").json()
    assert [(row["privilege"], row["first_release"]) for row in rows["histories"]] == [
        ("suser", "2.0.40"),
        ("CAP_SETPCAP", "2.2.24"),
    ]
    assert page(operations, "/syscall/prctl", operation="PR_NONE").status_code == 404


def test_a_capability_is_narrowed_by_operation(operations: Datasette) -> None:
    text = page(operations, "/capability/CAP_SETPCAP", operation="PR_CAPBSET_DROP").text
    assert 'href="/syscall/prctl?operation=PR_CAPBSET_DROP"' in text
    assert "No release asks for it." in (
        page(operations, "/capability/CAP_SETPCAP", operation="PR_SET_MM").text
    )


def test_two_releases_are_compared_by_operation(operations: Datasette) -> None:
    text = page(operations, "/transition", operation="PR_*").text
    assert "2 operations changed" in text
    rows = page(operations, "/transition.json", operation=SET_MM).json()["operation_changes"]
    assert [(row["before"], row["after"]) for row in rows] == [("suser", "CAP_SYS_RESOURCE")]


def test_a_chain_is_narrowed_by_operation(operations: Datasette) -> None:
    address = "/chain/i386/prctl/CAP_SETPCAP"
    assert page(operations, address, operation="PR_CAPBSET_DROP").status_code == 200
    assert page(operations, address, operation="PR_SET_MM").status_code == 404
