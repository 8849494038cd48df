"""The capabilities that a container is given: by a mask, by a Kubernetes pod file, by what
``docker inspect`` prints."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from caphistory.errors import NothingFound, UsageError
from caphistory.records import capability_name

DOCKER, ALL, NONE = "docker", "all", "none"
"""The bases of a set that are no list of capabilities."""


class CapabilitySet(NamedTuple):
    """``base`` without ``dropped`` and with ``added``, as ``queries/container.sql`` reads
    them: ``base`` is DOCKER, ALL, NONE or capabilities separated by commas; ``dropped`` and
    ``added`` are capabilities separated by commas, and ``dropped`` may be ALL too."""

    base: str
    dropped: str = ""
    added: str = ""


class Container(NamedTuple):
    """A container of a file: ``add`` and ``drop`` as they are written there (any case, with
    or without CAP_, or ALL), and the user it runs as, None where that is root or not said."""

    name: str
    add: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    privileged: bool = False
    user: str | None = None


def capability_or_all(text: str) -> str:
    """``net_admin`` and ``CAP_NET_ADMIN`` as ``CAP_NET_ADMIN``; ``all`` as ``ALL``."""
    return "ALL" if text.strip().upper() == "ALL" else capability_name(text)


def capability_set(base: str, add: Iterable[str] = (), drop: Iterable[str] = ()) -> CapabilitySet:
    """The set that ``add`` and ``drop`` make of ``base``, as container runtimes read them: what
    is added is there whatever is dropped, but of ALL that is added only what is not dropped."""
    added, dropped = ([capability_or_all(name) for name in names] for names in (add, drop))
    if "ALL" in added:
        base = ALL
        dropped = [name for name in dropped if name != "ALL"]
        added = []
    return CapabilitySet(base, ",".join(dropped), ",".join(added))


def set_of(
    base: str | Iterable[str] | Container,
    add: Sequence[str] = (),
    drop: Sequence[str] = (),
    names: Mapping[int, str] | None = None,
) -> CapabilitySet:
    """The set that ``base`` gives, then without what ``drop`` and with what ``add`` names.

    ``base`` is DOCKER, ALL, NONE, capabilities, a mask in hexadecimal (its bits mean what
    ``names`` says of the asked release; other bits mean nothing to it) or a container. That
    begins with Docker's default set: containerd and CRI-O give Kubernetes' containers nearly
    the same. UsageError where ``base`` is none of these.
    """
    if isinstance(base, Container):
        if base.privileged:
            return capability_set(ALL, add, drop)
        dropped = {capability_or_all(name) for name in drop}
        kept = [name for name in base.add if not dropped & {capability_or_all(name), "ALL"}]
        return capability_set(DOCKER, (*kept, *add), (*base.drop, *drop))
    if not isinstance(base, str):
        return capability_set(",".join(map(capability_or_all, base)) or NONE, add, drop)
    if base in (DOCKER, ALL, NONE):
        return capability_set(base, add, drop)
    bits = bits_of(base)
    held = [name for bit, name in (names or {}).items() if bit in bits]
    return capability_set(",".join(held) or NONE, add, drop)


def bits_of(mask: str) -> set[int]:
    """The numbers of the bits that are set in a hexadecimal ``mask``, such as the Cap lines of
    /proc/PID/status have; UsageError where it is none."""
    if not re.fullmatch("(0x)?[0-9a-f]{1,16}", mask.strip(), re.IGNORECASE):
        raise UsageError(f"mask {mask!r} is not hexadecimal, as CapEff: in /proc/PID/status is")
    value = int(mask, 16)
    return {bit for bit in range(value.bit_length()) if value >> bit & 1}


def containers_in(text: str) -> list[Container]:
    """The containers of a Kubernetes file (a Pod, or what has a pod template: Deployment,
    CronJob and so on; several documents or a List) or of what ``docker inspect`` prints.

    UsageError where ``text`` is neither, NothingFound where it describes no container.
    """
    import yaml

    try:
        # JSON is YAML, but for tabs between its words.
        documents = list(yaml.safe_load_all(text.replace("\t", "  ")))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" (line {mark.line + 1})" if mark else ""
        raise UsageError(f"the file is neither YAML nor JSON{where}") from error
    found = [one for document in documents for one in _described(document)]
    if not found:
        raise NothingFound("the file describes no container")
    return found


def one_of(containers: Sequence[Container], name: str | None) -> Container:
    """The container called ``name``, without a name the only one; UsageError with the names
    that there are."""
    fitting = [one for one in containers if name in (None, one.name)]
    if len(fitting) == 1:
        return fitting[0]
    names = ", ".join(one.name for one in containers)
    if not fitting:
        raise UsageError(f"no container {name!r} in the file; there are: {names}")
    raise UsageError(f"{len(fitting)} containers in the file: say which with --container: {names}")


def _described(document: Any) -> list[Container]:
    if document is None:
        return []
    if isinstance(document, list):
        return [one for item in document for one in _described(item)]
    if isinstance(document, dict) and "HostConfig" in document:
        return [_of_docker(document)]
    if isinstance(document, dict) and "kind" in document:
        if isinstance(document.get("items"), list):
            return _described(document["items"])
        return _of_pod(_pod_spec(document))
    raise UsageError("the file is neither a Kubernetes pod nor what docker inspect prints")


def _of_docker(document: dict[str, Any]) -> Container:
    host, config = _mapping(document, "HostConfig"), _mapping(document, "Config")
    return Container(
        str(document.get("Name") or document.get("Id") or "").removeprefix("/"),
        _names(host, "CapAdd"),
        _names(host, "CapDrop"),
        host.get("Privileged") is True,
        _not_root(str(config.get("User") or "").partition(":")[0]),
    )


def _pod_spec(document: dict[str, Any]) -> dict[str, Any]:
    """The ``spec`` with the containers, however deep its templates are."""
    spec = _mapping(document, "spec")
    for template in ("jobTemplate", "template"):
        if template in spec:
            spec = _pod_spec(_mapping(spec, template))
    return spec


def _of_pod(spec: dict[str, Any]) -> list[Container]:
    of_pod = _mapping(spec, "securityContext")
    return [
        _of_kubernetes(container, of_pod)
        for kind in ("containers", "initContainers", "ephemeralContainers")
        for container in spec.get(kind) or []
        if isinstance(container, dict)
    ]


def _of_kubernetes(container: dict[str, Any], of_pod: dict[str, Any]) -> Container:
    context = {**of_pod, **_mapping(container, "securityContext")}
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


def _mapping(of: dict[str, Any], key: str) -> dict[str, Any]:
    value = of.get(key)
    return value if isinstance(value, dict) else {}


def _names(of: dict[str, Any], key: str) -> tuple[str, ...]:
    value = of.get(key)
    return tuple(str(name) for name in value) if isinstance(value, list) else ()


def _not_root(user: str) -> str | None:
    return None if user in ("", "0", "root") else user
