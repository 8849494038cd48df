"""What a container is given, and what the command says that it loses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from caphistory.errors import UsageError
from caphistory.questions.containers import (
    RUNTIMES,
    CapabilitySet,
    Container,
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


DOCKER = ",".join(RUNTIMES["docker"].defaults)
PODMAN = ",".join(RUNTIMES["podman"].defaults)


@pytest.mark.parametrize(
    ("base", "add", "drop", "held"),
    [
        ("docker", (), (), CapabilitySet(DOCKER)),
        ("podman", (), (), CapabilitySet(PODMAN)),
        (
            "docker",
            ("net_admin",),
            ("CAP_CHOWN",),
            CapabilitySet(DOCKER, "CAP_CHOWN", "CAP_NET_ADMIN"),
        ),
        ("docker", ("ALL",), ("kill",), CapabilitySet("all", "CAP_KILL")),
        ("all", ("kill",), ("all",), CapabilitySet("none", "", "CAP_KILL")),
        (["kill", "CAP_CHOWN"], (), (), CapabilitySet("CAP_KILL,CAP_CHOWN")),
        ([], (), (), CapabilitySet("none")),
        ("0x21", (), (), CapabilitySet("CAP_CHOWN,CAP_KILL")),
        ("8000000000", (), (), CapabilitySet("none")),
        (Container("web", ("chown",), ("ALL",)), (), (), CapabilitySet("none", "", "CAP_CHOWN")),
        (Container("web", ("net_raw",)), (), ("NET_RAW",), CapabilitySet(DOCKER, "CAP_NET_RAW")),
        (
            Container("web", ("chown",)),
            ("kill",),
            ("ALL",),
            CapabilitySet("none", "", "CAP_KILL"),
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
    assert docker("container") == set(RUNTIMES["docker"].defaults)


def test_container_reads_a_file_and_standard_input(
    caphistory: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pod = tmp_path / "pod.yaml"
    pod.write_text(DEPLOYMENT)
    asked = ("container", str(pod), "--container", "web", "--format")
    said = caphistory(*asked, "table")
    assert said.lines[0] == "web (containerd) holds 0 of 6 capabilities of 2.2.24 i386"
    assert said.lines[1].startswith("containerd does not start it: Kubernetes wants names without")
    assert "runs as 1000, so it holds none" in said.out
    # Of CRI-O's rules the second name is one too; of neither's does the process hold anything.
    most = caphistory(*asked, "json", "--bounding", "--runtime", "cri-o").rows
    assert {row["syscall"] for row in most} >= {"mount", "setgid"}
    assert not {row["syscall"] for row in most} & {"bind", "chroot"}
    privileged = caphistory("container", str(pod), "--container", "setup", "--format", "json")
    assert (privileged.exit_code, privileged.rows) == (0, [])
    with (tmp_path / "inspected.json").open("w+") as inspected_file:
        inspected_file.write(inspected(CapDrop=["NET_BIND_SERVICE"]).replace("7:7", ""))
        inspected_file.seek(0)
        monkeypatch.setattr("sys.stdin", inspected_file)
        rows = caphistory("container", "-", "--format", "json").rows
    assert {row["syscall"] for row in rows} >= {"mount", "bind"}


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
