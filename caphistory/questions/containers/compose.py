"""Compose files as the services in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from caphistory.questions.containers.model import (
    Container,
    find_user,
    get_flag,
    get_texts,
    list_unlisted,
)


def read_services(document: Mapping[str, Any]) -> Iterator[Container]:
    """Yield the services of a Compose file."""
    for name, service in document["services"].items():
        if isinstance(service, dict):
            yield _read_service(str(name), service)


def _read_service(name: str, service: dict[str, Any]) -> Container:
    unlisted = list_unlisted(service, ("cap_add", "cap_drop"))
    options = get_texts(service, "security_opt")
    return Container(
        name,
        get_texts(service, "cap_add"),
        get_texts(service, "cap_drop"),
        get_flag(service, "privileged"),
        find_user(service.get("user")),
        no_new_privileges=forbids_new_privileges(options),
        refused=f"{unlisted[0]} is no list" if unlisted else "",
    )


def forbids_new_privileges(options: tuple[str, ...]) -> bool:
    """Whether one of Docker's security options is ``no-new-privileges``."""
    return any(
        option.replace("=", ":").removesuffix(":true") == "no-new-privileges" for option in options
    )
