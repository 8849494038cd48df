"""What a container is given: read from Kubernetes' files, from docker inspect, from masks."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from caphistory.errors import NothingFound, UsageError
from caphistory.questions.containers import (
    CapabilitySet,
    Container,
    choose_container,
    containers_in,
    make_set,
    parse_mask,
)
from caphistory.questions.queries import query
from tests.faces.conftest import Run

DEPLOYMENT = """
kind: Service
spec: {ports: [{port: 80}]}
---
kind: Deployment
spec:
  template:
    spec:
      securityContext: {runAsUser: 1000}
      initContainers:
        - name: setup
          securityContext: {privileged: true, runAsUser: 0}
      containers:
        - name: web
          securityContext:
            capabilities:
              drop: [all]
              add: [NET_BIND_SERVICE, CAP_SYS_CHROOT]
        - name: log
          image: log
"""


def inspected(**host: object) -> str:
    """What docker inspect prints, as far as it matters here."""
    return json.dumps(
        [{"Id": "f00", "Name": "/web", "HostConfig": host, "Config": {"User": "7:7"}}]
    )


def test_the_containers_of_a_deployment_are_found_with_what_the_pod_says_for_all() -> None:
    web, log, setup = containers_in(DEPLOYMENT)
    assert web == Container("web", ("NET_BIND_SERVICE", "CAP_SYS_CHROOT"), ("all",), False, "1000")
    assert log == Container("log", user="1000")
    assert setup == Container("setup", privileged=True)


@pytest.mark.parametrize(
    "text",
    [
        "kind: Pod\nspec: {containers: [{name: web}]}",
        "kind: CronJob\n"
        "spec: {jobTemplate: {spec: {template: {spec: {containers: [{name: web}]}}}}}",
        "kind: List\nitems: [{kind: Pod, spec: {containers: [{name: web}]}}]",
        '{\n\t"kind": "Pod", "spec": {"containers": [{"name": "web", "securityContext": null}]}}',
        inspected().replace("7:7", "root"),
        inspected(CapAdd=None, CapDrop=None).replace("7:7", "0:0"),
    ],
)
def test_a_container_without_wishes_is_found_in_files_of_every_kind(text: str) -> None:
    assert containers_in(text) == [Container("web")]


def test_docker_inspect_says_what_was_added_and_dropped() -> None:
    assert containers_in(inspected(CapAdd=["NET_ADMIN"], CapDrop=["ALL"], Privileged=False)) == [
        Container("web", ("NET_ADMIN",), ("ALL",), False, "7")
    ]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("a: [b", "neither YAML nor JSON (line 1)"),
        ("hello", "neither a Kubernetes pod nor what docker inspect prints"),
        ("a: b", "neither a Kubernetes pod nor what docker inspect prints"),
        ('[{"Image": "x"}]', "neither a Kubernetes pod nor what docker inspect prints"),
        ("kind: Service", "describes no container"),
        ("kind: Pod\nspec: {containers: {name: web}}", "describes no container"),
        ("", "describes no container"),
    ],
)
def test_any_other_file_is_refused_in_one_line(text: str, complaint: str) -> None:
    with pytest.raises((UsageError, NothingFound), match=re.escape(complaint)) as refused:
        containers_in(text)
    assert "\n" not in str(refused.value)


def test_one_container_of_several_is_asked_for_by_name() -> None:
    found = containers_in(DEPLOYMENT)
    assert choose_container(found, "log").name == "log"
    assert choose_container(found[:1], None).name == "web"
    with pytest.raises(UsageError, match="say which with --container: web, log, setup"):
        choose_container(found, None)
    with pytest.raises(UsageError, match="no container 'db' in the file; there are: web, log"):
        choose_container(found, "db")


@pytest.mark.parametrize(
    ("base", "add", "drop", "held"),
    [
        ("docker", (), (), CapabilitySet("docker")),
        (
            "docker",
            ("net_admin",),
            ("CAP_CHOWN",),
            CapabilitySet("docker", "CAP_CHOWN", "CAP_NET_ADMIN"),
        ),
        ("docker", ("ALL",), ("kill",), CapabilitySet("all", "CAP_KILL")),
        ("all", ("kill",), ("all",), CapabilitySet("all", "ALL", "CAP_KILL")),
        (["kill", "CAP_CHOWN"], (), (), CapabilitySet("CAP_KILL,CAP_CHOWN")),
        ([], (), (), CapabilitySet("none")),
        ("0x21", (), (), CapabilitySet("CAP_CHOWN,CAP_KILL")),
        ("8000000000", (), (), CapabilitySet("none")),
        (
            Container("web", ("chown",), ("ALL",)),
            (),
            (),
            CapabilitySet("docker", "ALL", "CAP_CHOWN"),
        ),
        (Container("web", ("chown",)), (), ("CHOWN",), CapabilitySet("docker", "CAP_CHOWN")),
        (
            Container("web", ("chown",)),
            ("kill",),
            ("ALL",),
            CapabilitySet("docker", "ALL", "CAP_KILL"),
        ),
        (Container("web", (), ("ALL",), True), (), ("kill",), CapabilitySet("all", "CAP_KILL")),
    ],
)
def test_a_set_is_what_a_container_runtime_makes_of_it(
    base: str | list[str] | Container,
    add: tuple[str, ...],
    drop: tuple[str, ...],
    held: CapabilitySet,
) -> None:
    assert make_set(base, add, drop, {0: "CAP_CHOWN", 5: "CAP_KILL"}) == held


def test_a_mask_is_its_bits() -> None:
    assert parse_mask("00000000a80425fb") == {0, 1, 3, 4, 5, 6, 7, 8, 10, 13, 18, 27, 29, 31}
    for wrong in ("", "-1", "0xzz", "docker", "1" * 17):
        with pytest.raises(UsageError, match="is not hexadecimal"):
            parse_mask(wrong)


def test_both_questions_about_containers_mean_the_same_default_set() -> None:
    def docker(name: str) -> set[str]:
        return {
            word
            for line in query(name).sql.splitlines()
            if "'" in line
            for word in line.replace("'", ",").split(",")
            if word.startswith("CAP_") and len(word) > 4
        }

    assert docker("container") == docker("container_capabilities")
    assert len(docker("container")) == 14


def test_container_reads_a_file_and_standard_input(
    caphistory: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pod = tmp_path / "pod.yaml"
    pod.write_text(DEPLOYMENT)
    said = caphistory("container", str(pod), "--container", "web", "--format", "table")
    assert said.lines[0] == "what is missing in 2.2.24: 2 syscalls"
    assert "web runs as 1000: it holds the set only where a program's file gives it" in said.lines
    rows = caphistory("container", str(pod), "--container", "web", "--format", "json").rows
    assert {row["syscall"] for row in rows} == {"mount", "setgid"}
    privileged = caphistory("container", str(pod), "--container", "setup", "--format", "json")
    assert privileged.exit_code == 1
    with (tmp_path / "inspected.json").open("w+") as inspected_file:
        inspected_file.write(inspected(CapDrop=["NET_BIND_SERVICE"]))
        inspected_file.seek(0)
        monkeypatch.setattr("sys.stdin", inspected_file)
        rows = caphistory("container", "-", "--format", "json").rows
    assert {row["syscall"] for row in rows} == {"mount", "bind"}


def test_what_cannot_be_read_is_one_line(caphistory: Run, tmp_path: Path) -> None:
    (tmp_path / "image").write_bytes(b"\xff\xfe\x00")
    for name, complaint in (
        ("missing", "No such file"),
        ("image", "is no text"),
        ("", "directory"),
    ):
        said = caphistory("container", str(tmp_path / name))
        assert (said.exit_code in (2, 3), said.out, said.err.count("\n")) == (True, "", 1)
        assert complaint in said.err


def test_the_set_itself_is_shown_with_what_asks_for_it(caphistory: Run) -> None:
    rows = caphistory("container", "--drop", "setgid", "--set", "--format", "json").rows
    assert {row["capability"]: (row["held"], row["syscalls"]) for row in rows} == {
        "CAP_DAC_OVERRIDE": (1, 0),
        "CAP_SETGID": (0, 1),
        "CAP_NET_BIND_SERVICE": (1, 1),
        "CAP_SYS_CHROOT": (1, 1),
        "CAP_SYS_ADMIN": (1, 1),
        "CAP_SYS_TIME": (1, 0),
    }
