"""Find by its content what kind of file describes containers, and read them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from caphistory.errors import CaphistoryError, NothingFound, UsageError
from caphistory.questions.containers.command_line import is_command, read_command
from caphistory.questions.containers.compose import read_services
from caphistory.questions.containers.inspecting import read_crictl, read_docker, read_spec
from caphistory.questions.containers.kubernetes import read_object
from caphistory.questions.containers.model import Container
from caphistory.questions.containers.processes import (
    is_capsh,
    is_pcaps,
    is_status,
    read_capsh,
    read_pcaps,
    read_status,
)
from caphistory.questions.containers.systemd import is_unit, read_unit
from caphistory.questions.inputs import parse_documents

KINDS = (
    "Kubernetes, Compose, systemd unit, OCI config.json, docker/podman/crictl inspect,"
    " docker run line, capsh --print, getpcaps, /proc/PID/status"
)
"""What can be read."""


def containers_in(text: str) -> list[Container]:
    """Return the containers, units or processes that the text of a file describes.

    Raises UsageError, listing what can be read, if it is of no known kind; NothingFound if it
    describes no container.
    """
    if not text.strip():
        raise UsageError(f"the file is empty; what can be read: {KINDS}")
    containers = list(_read(text))
    if not containers:
        raise NothingFound("the file describes no container")
    return containers


def _read(text: str) -> Iterator[Container]:
    # What is of one line in a file of another kind comes last: a command in a pod's YAML.
    if is_status(text):
        yield from read_status(text)
    elif is_capsh(text):
        yield read_capsh(text)
    elif is_pcaps(text):
        yield from read_pcaps(text)
    elif is_unit(text):
        yield read_unit(text)
    elif is_command(text) and not re.search(r"^(apiVersion|kind|services):", text, re.MULTILINE):
        yield read_command(text)
    else:
        for document in parse_documents(text):
            yield from _read_document(document)


def _read_document(document: Any) -> Iterator[Container]:
    """Yield the containers in parsed YAML or JSON; raise UsageError for another format."""
    if document is None:
        return
    if isinstance(document, list) and document:
        for item in document:
            yield from _read_document(item)
        return
    if isinstance(document, dict):
        if "HostConfig" in document:
            yield read_docker(document)
            return
        if "kind" in document:
            yield from read_object(document)
            return
        if isinstance(document.get("services"), dict):
            yield from read_services(document)
            return
        if isinstance(document.get("info"), dict) and "runtimeSpec" in document["info"]:
            yield read_crictl(document)
            return
        if isinstance(document.get("process"), dict):
            yield read_spec(document)
            return
    raise UsageError(f"the file is of no kind that can be read: {KINDS}")


def read_process(pid: int) -> Container:
    """Return a running process; raise CaphistoryError if there is none, or it cannot be read."""
    folder = Path("/proc") / str(pid)
    try:
        (process,) = read_status((folder / "status").read_text("utf-8", "replace"))
        mapping = (folder / "uid_map").read_text().split()
    except OSError as error:
        raise CaphistoryError(f"cannot read process {pid}: {error.strerror}") from error
    return process._replace(userns=mapping != ["0", "0", "4294967295"])


def list_names(containers: Sequence[Container]) -> str:
    """Return the names of containers, separated by commas."""
    return ", ".join(container.name for container in containers)


def choose_container(containers: Sequence[Container], name: str | None) -> Container:
    """Return the container called ``name`` (``POD/NAME``, or ``NAME`` alone where it is enough), or
    the only one if ``name`` is None; raise UsageError with the names in the file if no single
    container matches."""
    matching = [each for each in containers if name in (None, each.name)] or [
        each for each in containers if each.name.rpartition("/")[2] == name
    ]
    if len(matching) == 1:
        return matching[0]
    if not matching:
        raise UsageError(
            f"no container {name!r} in the file; there are: {list_names(containers)}"
        )
    raise UsageError(
        f"{len(matching)} containers: say which with --container: {list_names(matching)}"
    )
