"""Pods, and whatever has a pod template, as the containers in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from caphistory.questions.containers.model import (
    Container,
    find_user,
    get_flag,
    get_mapping,
    get_texts,
    list_unlisted,
)
from caphistory.questions.containers.runtimes import KUBERNETES

_CONTAINERS = ("containers", "initContainers", "ephemeralContainers")
_OF_CONTAINERS = ("capabilities", "privileged", "allowPrivilegeEscalation", "procMount")
"""Fields of a container's securityContext that a pod's does not have."""


def read_object(document: Mapping[str, Any]) -> Iterator[Container]:
    """Yield the containers of an object of Kubernetes, and of each object of a List; none for a
    kind without pods."""
    items = document.get("items")
    if isinstance(items, list):
        for item in items:
            if isinstance(item, dict):
                yield from read_object(item)
        return
    name = str(get_mapping(document, "metadata").get("name") or "")
    yield from _read_pod(name, _find_pod_spec(document))


def _find_pod_spec(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the ``spec`` with the containers, however deeply its templates are nested."""
    spec = get_mapping(document, "spec") or get_mapping(document, "template", "spec")
    for template in ("jobTemplate", "template"):
        if template in spec:
            spec = _find_pod_spec(get_mapping(spec, template))
    return spec


def _read_pod(pod: str, spec: dict[str, Any]) -> Iterator[Container]:
    context = get_mapping(spec, "securityContext")
    for kind in _CONTAINERS:
        listed = spec.get(kind)
        for container in listed if isinstance(listed, list) else ():
            if isinstance(container, dict):
                yield _read_container(pod, spec, context, container)


def _read_container(
    pod: str, spec: dict[str, Any], pod_context: dict[str, Any], container: dict[str, Any]
) -> Container:
    own = get_mapping(container, "securityContext")
    capabilities = get_mapping(own, "capabilities")
    both = {**pod_context, **own}
    user = find_user(both.get("runAsUser"))
    if user is None and both.get("runAsUser") is None and get_flag(both, "runAsNonRoot"):
        user = "a user other than root"
    name = str(container.get("name", ""))
    add = get_texts(capabilities, "add")
    return Container(
        f"{pod}/{name}" if pod else name,
        add,
        get_texts(capabilities, "drop"),
        get_flag(own, "privileged"),
        user,
        KUBERNETES,
        userns=spec.get("hostUsers") is False,
        no_new_privileges=own.get("allowPrivilegeEscalation") is False,
        remarks=tuple(_find_mistakes(spec, pod_context, container, own)),
        refused=_find_refusal(own, capabilities, add),
    )


def _find_mistakes(
    spec: dict[str, Any],
    pod_context: dict[str, Any],
    container: dict[str, Any],
    own: dict[str, Any],
) -> Iterator[str]:
    """Yield a remark on each field that stands where Kubernetes has none of that name."""
    for field in _OF_CONTAINERS:
        if field in pod_context:
            yield f"ignored: a pod's securityContext has no {field}, only a container's"
        if field in container:
            yield f"ignored: {field} belongs in the container's securityContext"
        if field in spec:
            yield f"ignored: {field} belongs in a container's securityContext"
    if "hostUsers" in container or "hostUsers" in pod_context:
        yield "ignored: hostUsers belongs in the pod's spec"
    for field in ("add", "drop"):
        if field in own:
            yield f"ignored: {field} belongs in securityContext.capabilities"


def _find_refusal(
    context: dict[str, Any], capabilities: dict[str, Any], add: tuple[str, ...]
) -> str:
    """Return why the API server refuses a container, else "" (its validation of
    securityContext)."""
    if context.get("capabilities") is not None and not isinstance(context["capabilities"], dict):
        return "capabilities is no mapping with add and drop"
    unlisted = list_unlisted(capabilities, ("add", "drop"))
    if unlisted:
        return f"capabilities.{unlisted[0]} is no list"
    if context.get("allowPrivilegeEscalation") is False:
        if get_flag(context, "privileged"):
            return "Kubernetes refuses privileged with allowPrivilegeEscalation: false"
        if "CAP_SYS_ADMIN" in add:
            return "Kubernetes refuses CAP_SYS_ADMIN with allowPrivilegeEscalation: false"
    return ""
