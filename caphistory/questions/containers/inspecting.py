"""What docker, podman and crictl print of a container, and the configuration of an OCI runtime."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from caphistory.questions.containers.compose import forbids_new_privileges
from caphistory.questions.containers.model import (
    Container,
    Sets,
    find_user,
    get_flag,
    get_mapping,
    get_texts,
    normalize_name,
)


def read_docker(document: Mapping[str, Any]) -> Container:
    """Return the container in an object of ``docker inspect`` or ``podman inspect``. The latter
    says what it holds (EffectiveCaps), whatever was added and dropped."""
    host, config = get_mapping(document, "HostConfig"), get_mapping(document, "Config")
    container = Container(
        str(document.get("Name") or document.get("Id") or "").removeprefix("/"),
        get_texts(host, "CapAdd"),
        get_texts(host, "CapDrop"),
        get_flag(host, "Privileged"),
        find_user(config.get("User")),
        userns=_has_mapping(host),
        no_new_privileges=forbids_new_privileges(get_texts(host, "SecurityOpt")),
    )
    if "EffectiveCaps" not in document:
        return container
    sets = Sets(
        effective=_read_names(document, "EffectiveCaps"),
        bounding=_read_names(document, "BoundingCaps"),
    )
    return container._replace(runtime="", sets=sets)


def _has_mapping(host: Mapping[str, Any]) -> bool:
    """Whether podman's HostConfig maps user IDs, as in a container with a user namespace."""
    return bool(get_texts(get_mapping(host, "IDMappings"), "UidMap"))


def read_crictl(document: Mapping[str, Any]) -> Container:
    """Return the container in what ``crictl inspect`` prints."""
    spec = get_mapping(document, "info", "runtimeSpec")
    labels = get_mapping(document, "status", "labels")
    name = str(get_mapping(document, "status", "metadata").get("name") or "")
    pod = labels.get("io.kubernetes.pod.name")
    return read_spec(spec, f"{pod}/{name}" if pod else name)


def read_spec(spec: Mapping[str, Any], name: str = "") -> Container:
    """Return the container that an OCI runtime makes of its ``config.json``."""
    process = get_mapping(spec, "process")
    listed = get_mapping(process, "capabilities")
    user = find_user(get_mapping(process, "user").get("uid"))
    sets = Sets(*(_read_names(listed, field) for field in Sets._fields))
    remarks = []
    if user is not None and sets.effective != sets.ambient:
        # execve leaves a process that is not root, and whose program has no capabilities of its
        # own, with the ambient set.
        sets = sets._replace(effective=sets.ambient)
        remarks.append("not root: of the effective set only what is ambient outlives execve")
    if not listed:
        remarks.append("process.capabilities is missing: the runtime gives none")
    spaces = get_mapping(spec, "linux").get("namespaces")
    return Container(
        name or str(spec.get("hostname") or "process"),
        user=user,
        runtime="",
        sets=sets,
        userns=any(
            isinstance(space, dict) and space.get("type") == "user"
            for space in (spaces if isinstance(spaces, list) else ())
        ),
        no_new_privileges=get_flag(process, "noNewPrivileges"),
        remarks=tuple(remarks),
    )


def _read_names(parent: Mapping[str, Any], key: str) -> tuple[str, ...]:
    return tuple(map(normalize_name, get_texts(parent, key)))
