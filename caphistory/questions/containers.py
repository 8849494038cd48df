"""Read the capabilities of a container from a mask, a Kubernetes pod file or the output of
``docker inspect``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from caphistory.errors import NothingFound, UsageError
from caphistory.records import capability_name

DOCKER, ALL, NONE = "docker", "all", "none"
"""The bases of a set that are not lists of capabilities."""


class CapabilitySet(NamedTuple):
    """A capability set: ``base`` without ``dropped`` and with ``added``.

    These are the parameters of ``queries/container.sql``: ``base`` is DOCKER, ALL, NONE or
    capabilities separated by commas; ``dropped`` and ``added`` are capabilities separated by
    commas, and ``dropped`` may also be ALL.
    """

    base: str
    dropped: str = ""
    added: str = ""


class Container(NamedTuple):
    """A container described in a file.

    ``add`` and ``drop`` are as written there: in any case, with or without CAP_, or ALL. ``user``
    is the user it runs as, None if that is root or not given.
    """

    name: str
    add: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    privileged: bool = False
    user: str | None = None


def normalize_name(text: str) -> str:
    """Return the full name of a capability (``net_admin`` is ``CAP_NET_ADMIN``), or ``ALL`` for
    ``all`` in any case."""
    return "ALL" if text.strip().upper() == "ALL" else capability_name(text)


def combine_set(base: str, add: Iterable[str] = (), drop: Iterable[str] = ()) -> CapabilitySet:
    """Return the set that ``add`` and ``drop`` make of ``base``.

    As in container runtimes, an added capability is held even if it is dropped too; but if ALL is
    added, whatever is dropped is not held.
    """
    added, dropped = ([normalize_name(name) for name in names] for names in (add, drop))
    if "ALL" in added:
        base = ALL
        dropped = [name for name in dropped if name != "ALL"]
        added = []
    return CapabilitySet(base, ",".join(dropped), ",".join(added))


def make_set(
    base: str | Iterable[str] | Container,
    add: Sequence[str] = (),
    drop: Sequence[str] = (),
    names: Mapping[int, str] | None = None,
) -> CapabilitySet:
    """Return the set of ``base`` without the capabilities in ``drop`` and with those in ``add``.

    ``base`` is DOCKER, ALL, NONE, capabilities, a hexadecimal mask or a container. ``names`` maps
    the bits of a mask to the capabilities of the release asked about; other bits are ignored. A
    container starts from Docker's default set: containerd and CRI-O give Kubernetes containers
    nearly the same one.

    Raises UsageError if ``base`` is none of these.
    """
    if isinstance(base, Container):
        if base.privileged:
            return combine_set(ALL, add, drop)
        dropped = {normalize_name(name) for name in drop}
        kept = [name for name in base.add if not dropped & {normalize_name(name), "ALL"}]
        return combine_set(DOCKER, (*kept, *add), (*base.drop, *drop))
    if not isinstance(base, str):
        return combine_set(",".join(map(normalize_name, base)) or NONE, add, drop)
    if base in (DOCKER, ALL, NONE):
        return combine_set(base, add, drop)
    bits = parse_mask(base)
    held = [name for bit, name in (names or {}).items() if bit in bits]
    return combine_set(",".join(held) or NONE, add, drop)


def parse_mask(mask: str) -> set[int]:
    """Return the numbers of the bits set in a hexadecimal ``mask``, such as the Cap lines of
    /proc/PID/status hold; raise UsageError if it is not hexadecimal."""
    if not re.fullmatch("(0x)?[0-9a-f]{1,16}", mask.strip(), re.IGNORECASE):
        raise UsageError(f"mask {mask!r} is not hexadecimal, as CapEff: in /proc/PID/status is")
    value = int(mask, 16)
    return {bit for bit in range(value.bit_length()) if value >> bit & 1}


def containers_in(text: str) -> list[Container]:
    """Return the containers that a Kubernetes file or the output of ``docker inspect`` describes.

    A Kubernetes file may hold Pods or anything with a pod template (Deployment, CronJob and so
    on), as several documents or as a List.

    Raises UsageError if ``text`` is neither, NothingFound if it describes no container.
    """
    import yaml

    try:
        # JSON is YAML, except that YAML allows no tabs between tokens.
        documents = list(yaml.safe_load_all(text.replace("\t", "  ")))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" (line {mark.line + 1})" if mark else ""
        raise UsageError(f"the file is neither YAML nor JSON{where}") from error
    containers = [container for document in documents for container in _read_document(document)]
    if not containers:
        raise NothingFound("the file describes no container")
    return containers


def choose_container(containers: Sequence[Container], name: str | None) -> Container:
    """Return the container called ``name``, or the only one if ``name`` is None; raise UsageError
    with the names in the file if no single container matches."""
    matching = [container for container in containers if name in (None, container.name)]
    if len(matching) == 1:
        return matching[0]
    names = ", ".join(container.name for container in containers)
    if not matching:
        raise UsageError(f"no container {name!r} in the file; there are: {names}")
    raise UsageError(f"{len(matching)} containers in the file: say which with --container: {names}")


def _read_document(document: Any) -> list[Container]:
    """Return the containers in one parsed YAML document; raise UsageError for another format."""
    if document is None:
        return []
    if isinstance(document, list):
        return [container for item in document for container in _read_document(item)]
    if isinstance(document, dict) and "HostConfig" in document:
        return [_read_docker(document)]
    if isinstance(document, dict) and "kind" in document:
        if isinstance(document.get("items"), list):
            return _read_document(document["items"])
        return _read_pod(_find_pod_spec(document))
    raise UsageError("the file is neither a Kubernetes pod nor what docker inspect prints")


def _read_docker(document: dict[str, Any]) -> Container:
    host, config = _mapping(document, "HostConfig"), _mapping(document, "Config")
    return Container(
        str(document.get("Name") or document.get("Id") or "").removeprefix("/"),
        _names(host, "CapAdd"),
        _names(host, "CapDrop"),
        host.get("Privileged") is True,
        _not_root(str(config.get("User") or "").partition(":")[0]),
    )


def _find_pod_spec(document: dict[str, Any]) -> dict[str, Any]:
    """Return the ``spec`` with the containers, however deeply its templates are nested."""
    spec = _mapping(document, "spec")
    for template in ("jobTemplate", "template"):
        if template in spec:
            spec = _find_pod_spec(_mapping(spec, template))
    return spec


def _read_pod(spec: dict[str, Any]) -> list[Container]:
    pod_context = _mapping(spec, "securityContext")
    return [
        _read_kubernetes(container, pod_context)
        for kind in ("containers", "initContainers", "ephemeralContainers")
        for container in spec.get(kind) or []
        if isinstance(container, dict)
    ]


def _read_kubernetes(container: dict[str, Any], pod_context: dict[str, Any]) -> Container:
    context = {**pod_context, **_mapping(container, "securityContext")}
    capabilities = _mapping(context, "capabilities")
    user = context.get("runAsUser")
    not_root = "not root" if user is None and context.get("runAsNonRoot") is True else None
    return Container(
        str(container.get("name", "")),
        _names(capabilities, "add"),
        _names(capabilities, "drop"),
        context.get("privileged") is True,
        _not_root("" if user is None else str(user)) or not_root,
    )


def _mapping(parent: dict[str, Any], key: str) -> dict[str, Any]:
    value = parent.get(key)
    return value if isinstance(value, dict) else {}


def _names(parent: dict[str, Any], key: str) -> tuple[str, ...]:
    value = parent.get(key)
    return tuple(str(name) for name in value) if isinstance(value, list) else ()


def _not_root(user: str) -> str | None:
    """Return ``user``, or None if it is root or not given."""
    return None if user in ("", "0", "root") else user
