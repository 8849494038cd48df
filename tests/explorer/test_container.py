"""The container page: the set in the address, a pasted file, and what it cannot do."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import httpx
import pytest
from datasette.app import Datasette

from caphistory.explorer.server import explorer_application
from caphistory.records import CapabilityDefinition
from tests.explorer.asking import escaped, page
from tests.factories import build, check, linked, site, step

NAMES = ("CHOWN", "DAC_OVERRIDE", "NET_ADMIN", "NET_RAW", "SYS_ADMIN", "BPF")


@pytest.fixture(scope="module")
def container(tmp_path_factory: pytest.TempPathFactory) -> Datasette:
    """The explorer of a release in which syscalls lose something in every way."""

    def asks(function: str, name: str, check_name: str = "capable", effect: str = "deny") -> object:
        return site(f"fs/{function}.c", 9, function, check_name, f"CAP_{name}", effect=effect,
                    errno="EPERM" if effect == "deny" else None)  # fmt: skip

    way = step("sys_ioctl", "fs/ioctl.c", 3)
    kernel = linked(
        "6.12",
        checks=[
            check("mount", asks("sys_mount", "SYS_ADMIN"), abi="x86_64", namespace="owner"),  # type: ignore[arg-type]
            check("acct", asks("sys_acct", "SYS_ADMIN"), abi="x86_64", namespace="init"),  # type: ignore[arg-type]
            check("ioctl", asks("dev_ioctl", "NET_ADMIN"), way, abi="x86_64",  # type: ignore[arg-type]
                  operation="SIOCSIFADDR", namespace="owner"),
            check("fcntl", asks("pipe", "SYS_ADMIN", effect="limit"), way, abi="x86_64",  # type: ignore[arg-type]
                  operation="F_SETPIPE_SZ", namespace="init"),
            check("bpf", asks("sys_bpf", "BPF"), abi="x86_64", instead=("CAP_SYS_ADMIN",)),  # type: ignore[arg-type]
            check("chown", asks("chown_ok", "CHOWN"), way, abi="x86_64", namespace="owner"),  # type: ignore[arg-type]
        ],
        definitions=[
            CapabilityDefinition(f"CAP_{name}", bit, "include/capability.h", bit + 1, None)
            for bit, name in enumerate(NAMES)
        ],
    )  # fmt: skip
    path: Path = build(tmp_path_factory.mktemp("container") / "history.db", kernel)
    return explorer_application(path, time_limit_ms=5000)


def words(text: str) -> str:
    """The text of a page as a reader sees it."""
    return re.sub(r"\s+", " ", re.sub("<[^>]*>", " ", text))


def losses(text: str) -> dict[str, str]:
    """What the page says of each missing capability."""
    parts = re.findall(r'<section class="loss.*?</section>', text, re.DOTALL)
    return {re.search(r"CAP_\w+", part)[0]: words(part) for part in parts}  # type: ignore[index]


def send(explorer: Datasette, **fields: str) -> httpx.Response:
    """What the page answers to a form with a pasted file."""

    async def post() -> httpx.Response:
        await explorer.invoke_startup()
        answer: httpx.Response = await explorer.client.post("/container", data=fields)
        return answer

    return asyncio.run(post())


def test_what_dockers_set_lacks_is_told_by_capability(container: Datasette) -> None:
    text = page(container, "/container").text
    told = losses(text)
    assert [*told] == ["CAP_SYS_ADMIN", "CAP_BPF", "CAP_NET_ADMIN"]
    assert re.search(r"Refused: (mount|acct) → EPERM", told["CAP_SYS_ADMIN"])
    assert "Goes on with less: fcntl F_SETPIPE_SZ" in told["CAP_SYS_ADMIN"]
    assert "ioctl SIOCSIFADDR → EPERM" in told["CAP_NET_ADMIN"]
    assert "--cap-add NET_ADMIN" in told["CAP_NET_ADMIN"]
    assert "3 can be refused, 1 more only under some operations, 1 go on" in (
        words(text).replace(" ,", ",")
    )


def test_what_another_capability_does_as_well_is_saved(container: Datasette) -> None:
    text = page(container, "/container", add="SYS_ADMIN").text
    assert [*losses(text)] == ["CAP_NET_ADMIN"]
    assert "1 syscall saved by another capability" in words(text)


def test_every_capability_has_a_box_and_those_of_the_set_are_ticked(container: Datasette) -> None:
    text = page(container, "/container", drop="CHOWN", add="CAP_BPF").text
    boxes = re.findall(r'name="cap" value="(\w+)"( checked)?', text)
    assert [name for name, _ in boxes] == [*NAMES]
    assert [name for name, ticked in boxes if ticked] == ["DAC_OVERRIDE", "NET_RAW", "BPF"]


@pytest.mark.parametrize(
    ("sent", "address"),
    [
        ("cap=DAC_OVERRIDE&cap=NET_RAW", "/container?base=docker&drop=CHOWN"),
        (
            "cap=CHOWN&cap=DAC_OVERRIDE&cap=NET_RAW&cap=BPF&userns=1",
            "/container?base=docker&add=BPF&userns=1",
        ),
        ("", "/container?base=docker&drop=ALL"),
    ],
)
def test_the_boxes_become_an_address(container: Datasette, sent: str, address: str) -> None:
    response = page(container, f"/container?base=docker&shown=docker&{sent}")
    assert (response.status_code, response.headers["location"]) == (302, address)


def test_another_set_takes_the_place_of_the_boxes(container: Datasette) -> None:
    response = page(container, "/container?base=none&shown=docker&cap=CHOWN")
    assert response.headers["location"] == "/container?base=none"


def test_a_user_namespace_of_its_own_opens_nothing_of_the_first_one(container: Datasette) -> None:
    told = losses(page(container, "/container", base="all", userns="1").text)
    assert [*told] == ["CAP_SYS_ADMIN"]
    assert "Refused: acct → EPERM" in told["CAP_SYS_ADMIN"]
    assert "no runtime can grant it" in told["CAP_SYS_ADMIN"]
    assert losses(page(container, "/container", base="all").text) == {}


def test_a_pasted_mask_is_read_and_has_an_address(container: Datasette) -> None:
    text = send(container, file="0000000000000011").text
    boxes = re.findall(r'name="cap" value="(\w+)" checked', text)
    assert boxes == ["CHOWN", "SYS_ADMIN"]
    assert 'href="/container?base=none&amp;add=CHOWN%2CSYS_ADMIN"' in text


def test_a_pasted_file_is_read_by_the_rules_of_its_runtime(container: Datasette) -> None:
    pod = """
kind: Pod
spec:
  containers:
    - name: <b>web
      securityContext: {capabilities: {drop: [ALL], add: [NET_RAW]}}
"""
    text = send(container, file=pod).text
    assert "<b>web" not in text and escaped("<b>web") in text
    assert 'href="/container?base=containerd&amp;drop=ALL&amp;add=NET_RAW"' in text
    assert "by the rules of cri-o" in words(text)


def test_a_file_that_is_no_container_is_said(container: Datasette) -> None:
    response = send(container, file="hello <script>")
    assert response.status_code == 404
    assert "<script>" not in response.text


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"base": "foo"}, "no base"),
        ({"drop": "CAP_FOO"}, "no capability"),
        ({"dropped": "NET_BIND_SERVICE"}, "no parameter"),
        ({"drops": "NET_BIND_SERVICE"}, "no parameter"),
        ({"release": "9.9"}, "no release"),
    ],
)
def test_a_name_that_is_no_capability_is_said(
    container: Datasette, asked: dict[str, str], said: str
) -> None:
    response = page(container, "/container", **asked)
    assert response.status_code == 404
    assert said in response.text


def test_what_was_pasted_is_in_no_address_and_needs_no_token(container: Datasette) -> None:
    response = send(container, file="00000000a80425fb")
    assert response.status_code == 200
    assert response.text.count("a80425fb") == 1  # the example beside the field
    assert "etag" not in response.headers
