"""Every kind of file: several shapes that people have, and broken ones."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from caphistory.errors import CaphistoryError, NothingFound, UsageError
from caphistory.questions.containers import (
    Container,
    choose_container,
    containers_in,
    list_runtimes,
    make_given,
    read_process,
)
from caphistory.questions.containers.runtimes import list_held
from caphistory.questions.descriptions import read_descriptions
from caphistory.questions.inputs import MOST_BYTES, read_text

KNOWN = list(read_descriptions())
CONTEXT = "securityContext: {capabilities: "


def held(text: str, name: str | None = None, runtime: str | None = None) -> set[str]:
    """What a container of a file holds, without CAP_."""
    container = choose_container(containers_in(text), name)
    given = make_given(container, list_runtimes(container, runtime)[0])
    return {name.removeprefix("CAP_") for name in list_held(given.effective, KNOWN)}


def refusal(text: str, runtime: str | None = None) -> str:
    """Why the only container of a file does not start."""
    (container,) = containers_in(text)
    return make_given(container, list_runtimes(container, runtime)[0]).refused


def remarks(text: str, runtime: str | None = None) -> str:
    """What is said of the only container of a file."""
    (container,) = containers_in(text)
    return "; ".join(make_given(container, list_runtimes(container, runtime)[0]).remarks)


def pod(context: str, spec: str = "") -> str:
    """A pod with one container."""
    return f"kind: Pod\nspec:\n  {spec}\n  containers:\n  - name: c\n    {context}\n"


ALL = {name.removeprefix("CAP_") for name in KNOWN}
DOCKER_14 = {
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "NET_RAW",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
}
PODMAN_11 = DOCKER_14 - {"AUDIT_WRITE", "MKNOD", "NET_RAW"}


@pytest.mark.parametrize(
    ("context", "runtime", "expected"),
    [
        (CONTEXT + "{drop: [all], add: [net_admin]}}", None, {"NET_ADMIN"}),
        (CONTEXT + "{add: [ALL], drop: [ALL]}}", None, set()),
        (CONTEXT + "{add: [ALL], drop: [SYS_ADMIN]}}", None, ALL - {"SYS_ADMIN"}),
        (CONTEXT + "{drop: [ALL, KILL], add: [KILL, CHOWN]}}", None, {"CHOWN"}),
        (CONTEXT + "{drop: [ALL]}, privileged: true}", None, ALL),
        (CONTEXT + "{drop: [KILL]}}", "docker", DOCKER_14 - {"KILL"}),
        (CONTEXT + "{add: [KILL], drop: [KILL]}}", "docker", DOCKER_14),
        ("image: x", "containerd", DOCKER_14),
        ("securityContext: {runAsUser: 1000}", None, set()),
        ("securityContext: {runAsUser: 0, runAsNonRoot: true}", "containerd", DOCKER_14),
    ],
)
def test_a_pod(context: str, runtime: str | None, expected: set[str]) -> None:
    assert held(pod(context), runtime=runtime) == expected


@pytest.mark.parametrize(
    "kind",
    [
        "kind: Pod\nmetadata: {name: p}\nspec: SPEC",
        "kind: Deployment\nmetadata: {name: p}\nspec: {template: {spec: SPEC}}",
        "kind: CronJob\nmetadata: {name: p}\nspec: {jobTemplate: {spec: {template: {spec: SPEC}}}}",
        "kind: PodTemplate\nmetadata: {name: p}\ntemplate: {spec: SPEC}",
        "kind: List\nitems: [{kind: Pod, metadata: {name: p}, spec: SPEC}]",
        "kind: PodList\nitems: [{metadata: {name: p}, spec: SPEC}]",
        "# a comment\n---\n---\nkind: Pod\nmetadata: {name: p}\nspec: SPEC\n---\n",
    ],
)
def test_every_kind_of_object_with_a_pod(kind: str) -> None:
    (container,) = containers_in(kind.replace("SPEC", "{containers: [{name: c}]}"))
    assert container == Container("p/c", runtime="kubernetes")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (pod(CONTEXT + "{add: [NET_ADMINN]}}"), "no capability: NET_ADMINN"),
        (pod(CONTEXT + "{add: [CAP_NET_RAW]}}"), "write NET_RAW"),
        (pod(CONTEXT + "[NET_RAW]}"), "capabilities is no mapping"),
        (pod(CONTEXT + "{add: NET_RAW}}"), "capabilities.add is no list"),
        (
            pod("securityContext: {privileged: true, allowPrivilegeEscalation: false}"),
            "refuses privileged",
        ),
        (pod(CONTEXT + '{add: ["{{ .Values.cap }}"]}}'), "no capability: {{ .Values.cap }}"),
    ],
)
def test_what_kubernetes_or_its_runtime_refuses_is_said(text: str, said: str) -> None:
    assert said in refusal(text)


@pytest.mark.parametrize("name", ["NET_ADMINN", "CAP_NET_ADMIN", "CAP_CAP_NET_ADMIN", "{{ x }}"])
def test_an_unknown_name_is_not_held(name: str) -> None:
    assert held(pod(CONTEXT + f'{{drop: [ALL], add: ["{name}", KILL]}}}}')) == {"KILL"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (pod("capabilities: {add: [NET_RAW]}"), "belongs in the container's securityContext"),
        (pod("privileged: true"), "privileged belongs in the container's securityContext"),
        (pod("hostUsers: false"), "hostUsers belongs in the pod's spec"),
        (pod("securityContext: {add: [KILL]}"), "add belongs in securityContext.capabilities"),
        (pod("image: x", "privileged: true"), "privileged belongs in a container's"),
        (pod(CONTEXT + "{drop: [NO_SUCH]}}"), "no capability, so not dropped: NO_SUCH"),
        (pod("securityContext: {privileged: true, capabilities: {drop: [ALL]}}"), "all the same"),
    ],
)
def test_what_has_no_effect_is_said(text: str, said: str) -> None:
    assert said in remarks(text)


@pytest.mark.parametrize(
    ("service", "expected"),
    [
        ("{cap_drop: [ALL], cap_add: [CAP_CHOWN, net_raw]}", {"CHOWN", "NET_RAW"}),
        ("{cap_add: [ALL], cap_drop: [MKNOD]}", ALL - {"MKNOD"}),
        ("{privileged: true, cap_drop: [ALL]}", ALL),
        ("{image: x}", DOCKER_14),
        ("{user: '1000:1000', cap_add: [NET_ADMIN]}", set()),
    ],
)
def test_compose(service: str, expected: set[str]) -> None:
    assert held(f"version: '3'\nservices:\n  web: {service}\n") == expected


def test_compose_merges_and_tags_of_its_own() -> None:
    text = (
        "x-base: &base\n  cap_drop: [ALL]\nservices:\n  web:\n    <<: *base\n"
        "    cap_add: !override [KILL]\n"
    )
    assert held(text) == {"KILL"}


def test_compose_refuses_what_is_no_list_and_no_name() -> None:
    assert "cap_add is no list" in refusal("services: {web: {cap_add: NET_RAW}}")
    assert "no capability: NET_ADMNI" in refusal("services: {web: {cap_add: [NET_ADMNI]}}")


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("CapabilityBoundingSet=CAP_KILL\nCapabilityBoundingSet=CAP_CHOWN", {"KILL", "CHOWN"}),
        ("CapabilityBoundingSet=~CAP_SYS_ADMIN CAP_KILL", ALL - {"SYS_ADMIN", "KILL"}),
        (
            "CapabilityBoundingSet=CAP_KILL CAP_CHOWN\nCapabilityBoundingSet=~CAP_KILL",
            {"CHOWN"},
        ),
        ("CapabilityBoundingSet=CAP_KILL\nCapabilityBoundingSet=", set()),
        ("CapabilityBoundingSet=", set()),
        ("CapabilityBoundingSet=~", ALL),
        ("ExecStart=/bin/true", ALL),
        (
            "PrivateDevices=yes\nProtectClock=on",
            ALL - {"MKNOD", "SYS_RAWIO", "SYS_TIME", "WAKE_ALARM"},
        ),
        ("User=www-data", set()),
        ("DynamicUser=yes\nAmbientCapabilities=CAP_NET_RAW", {"NET_RAW"}),
        (
            "User=x\nAmbientCapabilities=CAP_NET_RAW CAP_KILL\nCapabilityBoundingSet=CAP_KILL",
            {"KILL"},
        ),
        ("User=x\nAmbientCapabilities=CAP_NET_RAW \\\n# why\n  CAP_KILL", {"NET_RAW", "KILL"}),
        ("User=root\nCapabilityBoundingSet=cap_net_raw", {"NET_RAW"}),
        ("CapabilityBoundingSet=21 13", {"SYS_ADMIN", "NET_RAW"}),
    ],
)
def test_a_unit(lines: str, expected: set[str]) -> None:
    assert held(f"[Unit]\nDescription=x\n[Service]\n{lines}\n") == expected


def test_a_unit_with_a_drop_in_and_what_systemctl_show_prints() -> None:
    both = (
        "# /lib/systemd/system/web.service\n[Service]\nCapabilityBoundingSet=CAP_KILL\n\n"
        "# /etc/systemd/system/web.service.d/more.conf\n[Service]\n"
        "CapabilityBoundingSet=CAP_CHOWN\n"
    )
    assert held(both, "web.service") == {"KILL", "CHOWN"}
    assert held("CapabilityBoundingSet=cap_chown cap_kill\nAmbientCapabilities=\nUser=\n") == {
        "KILL",
        "CHOWN",
    }


def test_a_unit_says_what_systemd_ignores() -> None:
    said = remarks("[Service]\nCapabilityBoundingSet=CAP_NO_SUCH CAP_KILL NET_RAW\n")
    assert "no capability: CAP_NO_SUCH" in said
    assert "no capability: NET_RAW (systemd wants CAP_)" in said
    docker = "[Service]\nExecStart=/usr/bin/docker run --cap-drop ALL x\n"
    assert "give its own line" in remarks(docker)
    with pytest.raises(UsageError, match=r"no \[Service\] section"):
        containers_in("[Unit]\nDescription=x\n[Install]\nWantedBy=y\n")


def spec(**process: object) -> dict[str, object]:
    """The configuration of an OCI runtime."""
    return {"ociVersion": "1.0.2", "process": {"args": ["sh"], **process}, "root": {"path": "r"}}


def test_an_oci_configuration() -> None:
    sets = {"effective": ["CAP_KILL"], "bounding": ["CAP_KILL", "CAP_CHOWN"]}
    assert held(json.dumps(spec(capabilities=sets))) == {"KILL"}
    assert held(json.dumps(spec(capabilities={}))) == set()
    assert held(json.dumps(spec(user={"uid": 5}, capabilities=sets))) == set()
    ambient = {**sets, "ambient": ["CAP_KILL"]}
    assert held(json.dumps(spec(user={"uid": 5}, capabilities=ambient))) == {"KILL"}
    assert "process.capabilities is missing" in remarks(json.dumps(spec()))
    assert held(json.dumps(spec(capabilities=["CAP_KILL"]))) == set()


def inspected(**more: object) -> dict[str, object]:
    """What docker inspect prints, as far as it matters here."""
    return {"Id": "f00", "Name": "/web", "HostConfig": {}, "Config": {"User": ""}, **more}


def test_docker_and_podman_inspect() -> None:
    assert held(json.dumps([inspected()])) == DOCKER_14
    added = {"CapAdd": ["NET_ADMIN"], "CapDrop": ["ALL"]}
    assert held(json.dumps(inspected(HostConfig=added))) == {"NET_ADMIN"}
    privileged = {"Privileged": True, "CapAdd": None, "CapDrop": None}
    assert held(json.dumps([inspected(HostConfig=privileged)])) == ALL
    assert held(json.dumps([inspected(Config={"User": "7:7"})])) == set()
    effective = inspected(EffectiveCaps=["CAP_KILL"], HostConfig=added)
    assert held(json.dumps([effective])) == {"KILL"}
    assert held(json.dumps([inspected(EffectiveCaps=None)])) == set()
    mapped = {"IDMappings": {"UidMap": ["0:1000:1"], "GidMap": []}}
    assert containers_in(json.dumps([inspected(HostConfig=mapped)]))[0].userns
    two = json.dumps([inspected(), inspected(Name="/db")])
    assert [each.name for each in containers_in(two)] == ["web", "db"]


def test_crictl_inspect() -> None:
    labels = {"io.kubernetes.pod.name": "pod-1"}
    status = {"metadata": {"name": "web"}, "labels": labels}
    runtime = spec(capabilities={"effective": ["CAP_KILL"]})
    (one,) = containers_in(json.dumps({"status": status, "info": {"runtimeSpec": runtime}}))
    assert (one.name, one.sets and one.sets.effective) == ("pod-1/web", ("CAP_KILL",))
    (bare,) = containers_in(json.dumps({"info": {"runtimeSpec": {}}}))
    assert bare.sets is not None and bare.sets.effective == ()
    with pytest.raises(UsageError):
        containers_in(json.dumps({"status": status, "info": {}}))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("docker run --cap-drop ALL --cap-add=NET_ADMIN alpine ip a", {"NET_ADMIN"}),
        ("$ sudo docker run -it --rm --privileged alpine", ALL),
        ("docker container run -u 1000:1000 --name x alpine", set()),
        ("podman run --cap-drop=all --cap-add=KILL,CHOWN alpine", {"KILL", "CHOWN"}),
        ("podman run alpine", PODMAN_11),
        ("podman run --user 5 --cap-add NET_RAW alpine", {"NET_RAW"}),
        ("podman run --user 5 --cap-add all alpine", ALL),
        ("docker run -v /a:/b \\\n  --cap-drop \\\n  NET_RAW alpine", DOCKER_14 - {"NET_RAW"}),
        ("docker run alpine --privileged --cap-add ALL", DOCKER_14),
        ("/usr/bin/docker create --cap-add cap_sys_time x", DOCKER_14 | {"SYS_TIME"}),
        ("docker run --privileged=false -e A=1 x", DOCKER_14),
    ],
)
def test_a_command_line(line: str, expected: set[str]) -> None:
    assert held(line) == expected


def test_a_broken_command_line() -> None:
    with pytest.raises(UsageError, match="cut off"):
        containers_in('docker run --name "web alpine')
    assert "no capability: FOO" in refusal("docker run --cap-add FOO x")
    assert "refuses to add and drop" in refusal("podman run --cap-add KILL --cap-drop KILL x")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Current: =ep\nBounding set =cap_chown\n", ALL),
        ("Current: =ep cap_sys_resource-ep\n", ALL - {"SYS_RESOURCE"}),
        (
            "Current: = cap_chown,cap_kill+eip\nBounding set =cap_chown,cap_kill\n",
            {"CHOWN", "KILL"},
        ),
        ("Current: =\nBounding set =\nAmbient set =\nSecurebits: 00/0x0/1'b0\n", set()),
        ("Current: cap_kill=p\n", set()),
        ("Current: cap_kill,39=ep\n", {"KILL", "BPF"}),
    ],
)
def test_capsh(text: str, expected: set[str]) -> None:
    assert held(text) == expected


def test_broken_capsh() -> None:
    with pytest.raises(UsageError, match="Current: of capsh --print is missing"):
        containers_in("Bounding set =cap_chown\n")
    with pytest.raises(UsageError, match="no set of capabilities"):
        containers_in("Current: cap_chown%ep\n")
    assert "no capability: cap_no_such" in remarks("Current: cap_no_such,cap_kill=ep\n")


def test_getpcaps() -> None:
    assert held("1: =ep\n") == ALL
    assert held("Capabilities for `1234': = cap_kill+eip\n") == {"KILL"}
    both = "1: cap_kill=ep\n20: =\n"
    assert [each.name for each in containers_in(both)] == ["1", "20"]
    with pytest.raises(UsageError):
        containers_in("1: cap_ki")
    with pytest.raises(UsageError):
        containers_in("Capabilities for process `1'")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Name:\tsh\nCapInh:\t0\nCapPrm:\t20\nCapEff:\t0000000000000020\nCapBnd:\t21\n", {"KILL"}),
        ("CapEff: 00000000a80425fb", DOCKER_14),
        ("  CapEff:\t00000000a80425fb  \n", DOCKER_14),
        ("00000000a80425fb\n", DOCKER_14),
        ("0x21000000\n", {"MAC_OVERRIDE"} - {"MAC_OVERRIDE"} | {"SYS_RESOURCE", "AUDIT_WRITE"}),
    ],
)
def test_cap_lines(text: str, expected: set[str]) -> None:
    assert held(text) == expected


def test_cap_lines_of_several_processes_and_broken_ones() -> None:
    text = "/proc/1/status:CapEff:\t0000000000000020\n/proc/2/status:CapEff:\t0000000000000000\n"
    first, second = containers_in(text)
    assert (first.name, first.sets and first.sets.effective) == ("/proc/1/status", 0x20)
    assert second.sets is not None and second.sets.effective == 0
    with pytest.raises(UsageError, match="no CapEff line"):
        containers_in("CapBnd:\t00000000a80425fb\n")
    with pytest.raises(UsageError):
        containers_in("CapEff:\txyz\n")


def test_bits_without_a_name_are_told_and_not_held() -> None:
    (mask,) = containers_in("CapEff: 8000000000000020")
    given = make_given(mask, "", {5: "CAP_KILL"})
    assert list_held(given.effective, KNOWN) == ["CAP_KILL"]
    assert "bit 63 of the mask" in given.remarks[0]
    (mask,) = containers_in("CapEff: 800000000000003f")
    (remark,) = make_given(mask, "", {5: "CAP_KILL"}).remarks
    assert "bits 0–4, 63 of the mask" in remark


def test_a_process_of_this_machine() -> None:
    process = read_process(os.getpid())
    assert process.sets is not None and isinstance(process.sets.bounding, int)
    with pytest.raises(CaphistoryError, match="cannot read process 999999999"):
        read_process(999_999_999)


CYCLE = "a: &a [*a]\n"
BOMB = "a0: &a0 [x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12)
)
MERGES = "a0: &a0 {x: 1}\n" + "".join(
    f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 10)}]}}\n" for n in range(1, 12)
)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "the file is empty"),
        ("hello", "unknown kind of file"),
        ("a: b", "unknown kind of file"),
        ("a: [b", "neither YAML nor JSON (line 1)"),
        ('[{"Image": "x"}]', "unknown kind of file"),
        ('{"kind": "Pod", "spec": ', "neither YAML nor JSON"),
        ("[" * 5_000_000, "nested too deeply"),
        ("a: " + "[" * 10_000_000, "larger than 4 MB of YAML"),
        ("a:\n" + "".join(" " * n + "a:\n" for n in range(1, 2000)), "nested too deeply"),
        ('{"a":' * 100_000 + "1" + "}" * 100_000, "nested too deeply"),
        (BOMB, "by aliases too often"),
        (MERGES, "by aliases too often"),
        (CYCLE, "nested too deeply"),
        ("kind: Pod\nspec: {{ .Values.spec }}\n", "a template that is not rendered"),
        ("{% if x %}\nkind: Pod\n", "a template that is not rendered"),
        ("kind: !!python/object/apply:os.system ['false']\n", "describes no container"),
        ("kind: Service\n", "describes no container"),
        ("kind: Pod\nspec: {containers: {name: web}}\n", "describes no container"),
        ("kind: Pod\nspec: [1]\n", "describes no container"),
        ("services: {web: null}\n", "describes no container"),
    ],
)
def test_any_other_file_is_refused_in_one_line(text: str, complaint: str) -> None:
    with pytest.raises((UsageError, NothingFound), match=re.escape(complaint)) as refused:
        containers_in(text)
    assert "\n" not in str(refused.value)
    # Two lines of 80 columns, with the program's name.
    assert len(str(refused.value)) + len("caphistory: ") <= 160


def test_a_name_may_hold_anything() -> None:
    name = "\x1b[31m\u202e" + "x" * 1000
    text = json.dumps({"kind": "Pod", "spec": {"containers": [{"name": name}]}})
    (container,) = containers_in(text)
    assert container.name == name


def test_files_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "image").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "large").write_bytes(b"#" * (MOST_BYTES + 1))
    os.mkfifo(tmp_path / "pipe")
    for name, complaint in (
        ("image", "is no text"),
        ("large", "is larger than 16 MB"),
        (".", "is a directory"),
        ("/dev/zero", "is a device"),
        ("/dev/tty", "device"),
    ):
        with pytest.raises((UsageError, OSError), match=f"{complaint}|No such device"):
            read_text(tmp_path / name)
    assert read_text(tmp_path / "pipe") == ""
    with pytest.raises(FileNotFoundError):
        read_text(tmp_path / "missing")


def test_text_of_other_encodings(tmp_path: Path) -> None:
    for encoding in ("utf-8-sig", "utf-16"):
        (tmp_path / "file").write_text("CapEff: 20", encoding)
        assert read_text(tmp_path / "file") == "CapEff: 20"


def test_one_container_of_several_is_asked_for_by_name() -> None:
    text = "kind: List\nitems:\n" + "".join(
        f"- {{kind: Pod, metadata: {{name: {name}}}, spec: {{containers: [{{name: a}}]}}}}\n"
        for name in ("x", "y")
    )
    two = containers_in(text)
    assert choose_container(two, "y/a").name == "y/a"
    assert choose_container(two[:1], "a").name == "x/a"
    with pytest.raises(UsageError, match="say which with --container: x/a, y/a"):
        choose_container(two, "a")
    with pytest.raises(UsageError, match="no container 'z' in the file; there are: x/a, y/a"):
        choose_container(two, "z")
