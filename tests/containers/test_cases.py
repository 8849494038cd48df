"""Small inputs after real public files of the same kinds, each with its right reading."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from caphistory.questions.containers import (
    RUNTIMES,
    Container,
    Given,
    choose_container,
    containers_in,
    list_runtimes,
    make_given,
)
from caphistory.questions.containers.runtimes import list_held
from caphistory.questions.descriptions import read_descriptions
from caphistory.questions.inputs import read_text

CASES = Path(__file__).parent / "cases"
KNOWN = list(read_descriptions())
DOCKER = set(RUNTIMES["docker"].defaults)
CRIO = set(RUNTIMES["cri-o"].defaults)
NO_CAPABILITIES: set[str] = set()


class Reading(NamedTuple):
    """How one container of a case is to be read, by the rules of one runtime."""

    held: set[str]
    refused: str = ""
    remark: str = ""
    userns: bool = False
    bounding: set[str] | None = None


READINGS: dict[tuple[str, str, str], Reading] = {
    ("adddrop.yaml", "p/c", "containerd"): Reading(DOCKER),
    ("adddrop.yaml", "p/c", "cri-o"): Reading(CRIO),
    ("capprefix.yaml", "p/c", "containerd"): Reading(
        DOCKER | {"CAP_SYS_TIME"}, refused="CAP_CAP_NET_ADMIN"
    ),
    ("capprefix.yaml", "p/c", "cri-o"): Reading(CRIO | {"CAP_NET_ADMIN", "CAP_SYS_TIME"}),
    # Not root, so the process holds none of the runtime's default, which stays its bounding set.
    ("podlevel.yaml", "p/c", "containerd"): Reading(
        NO_CAPABILITIES, remark="a pod's securityContext has no capabilities", bounding=DOCKER
    ),
    ("podpriv.yaml", "p/c", "containerd"): Reading(
        DOCKER, remark="a pod's securityContext has no privileged"
    ),
    ("hostusers.yaml", "p/c", "containerd"): Reading(DOCKER | {"CAP_SYS_ADMIN"}, userns=True),
    ("list.yaml", "a/a", "containerd"): Reading(NO_CAPABILITIES),
    ("list.yaml", "b/a", "containerd"): Reading(DOCKER | {"CAP_SYS_PTRACE"}),
    ("list.yaml", "b/debugger", "cri-o"): Reading(CRIO | {"CAP_SYS_PTRACE", "CAP_SYS_ADMIN"}),
    ("multi.yaml", "node/sysctl", "containerd"): Reading(set(KNOWN)),
    ("multi.yaml", "node/iptables", "containerd"): Reading({"CAP_NET_ADMIN", "CAP_NET_RAW"}),
    ("multi.yaml", "node/main", "containerd"): Reading(NO_CAPABILITIES),
    ("multi.yaml", "cron/job", "containerd"): Reading(DOCKER - {"CAP_NET_RAW"}),
    ("multi.yaml", "cron/job", "cri-o"): Reading(CRIO),
    ("compose.yaml", "alpine1", "docker"): Reading({"CAP_CHOWN", "CAP_NET_BIND_SERVICE"}),
    ("compose.yaml", "priv", "docker"): Reading(set(KNOWN)),
    ("bind-captest.service", "service", ""): Reading({"CAP_NET_BIND_SERVICE"}),
    ("oci.json", "process", ""): Reading(
        {"CAP_CHOWN", "CAP_KILL"},
        userns=True,
        bounding={"CAP_CHOWN", "CAP_KILL", "CAP_NET_BIND_SERVICE"},
    ),
    ("crictl.json", "c", ""): Reading({"CAP_CHOWN"}),
    ("podman.json", "t", ""): Reading(set(RUNTIMES["podman"].defaults)),
    ("podman-dropall.json", "t", ""): Reading(NO_CAPABILITIES),
    ("capsh.txt", "process", ""): Reading(DOCKER),
    ("status.txt", "bash", ""): Reading(DOCKER),
}


def read(case: str, name: str) -> Container:
    """A container of a case."""
    return choose_container(containers_in(read_text(CASES / case)), name)


def held(given: Given) -> set[str]:
    """The capabilities that a container's first process holds."""
    return set(list_held(given.effective, KNOWN))


@pytest.mark.parametrize(("case", "name", "runtime"), READINGS)
def test_a_case_is_read_rightly(case: str, name: str, runtime: str) -> None:
    reading = READINGS[case, name, runtime]
    container = read(case, name)
    assert runtime in list_runtimes(container)
    given = make_given(container, runtime)
    assert held(given) == reading.held
    bounding = reading.held if reading.bounding is None else reading.bounding
    assert set(list_held(given.bounding, KNOWN)) == bounding
    assert reading.refused in given.refused
    assert bool(reading.refused) == bool(given.refused)
    assert reading.remark in " ".join(given.remarks)
    assert container.userns == reading.userns


def test_every_container_of_every_case_has_a_reading() -> None:
    described = {
        (file.name, container.name)
        for file in CASES.iterdir()
        for container in containers_in(read_text(file))
    }
    assert described == {(case, name) for case, name, _ in READINGS}


def test_the_five_sets_of_a_process_are_kept() -> None:
    sets = read("status.txt", "bash").sets
    assert sets is not None
    assert sets.effective == sets.permitted == sets.bounding == 0xA80425FB
    assert sets.inheritable == sets.ambient == 0


def test_a_unit_that_forbids_new_privileges_says_so() -> None:
    unit = read("bind-captest.service", "service")
    assert (unit.user, unit.no_new_privileges) == ("captest", True)
