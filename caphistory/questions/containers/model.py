"""What a file says of a container, and what a set of capabilities is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

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


class Sets(NamedTuple):
    """The five sets of a process, each as capability names, as the bits of a mask, or None where
    the file does not say."""

    effective: tuple[str, ...] | int | None = None
    permitted: tuple[str, ...] | int | None = None
    inheritable: tuple[str, ...] | int | None = None
    bounding: tuple[str, ...] | int | None = None
    ambient: tuple[str, ...] | int | None = None


class Container(NamedTuple):
    """A container, unit or process that a file describes.

    ``add`` and ``drop`` are as written there: in any case, with or without CAP_, or ALL. ``user``
    is the user it runs as, None if that is root or not given. ``runtime`` is whose rules make a
    set of it (a key of ``runtimes.RUNTIMES``, ``kubernetes`` where the file leaves it open), or ""
    where ``sets`` has the sets themselves. ``userns`` says that it has a user namespace of its
    own, ``no_new_privileges`` that no program gives it more than it has. ``remarks`` are what a
    person should know of the file; ``refused`` is why it would not start, else "".
    """

    name: str
    add: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    privileged: bool = False
    user: str | None = None
    runtime: str = DOCKER
    sets: Sets | None = None
    userns: bool = False
    no_new_privileges: bool = False
    remarks: tuple[str, ...] = ()
    refused: str = ""


def normalize_name(text: str) -> str:
    """Return the full name of a capability (``net_admin`` is ``CAP_NET_ADMIN``), or ``ALL`` for
    ``all`` in any case."""
    return "ALL" if text.strip().upper() == "ALL" else capability_name(text)


def get_mapping(parent: Any, *keys: str) -> dict[str, Any]:
    """Return the mapping at a path of ``keys`` in parsed data, an empty one if there is none."""
    for key in keys:
        parent = parent.get(key) if isinstance(parent, dict) else None
    return parent if isinstance(parent, dict) else {}


def get_texts(parent: Mapping[str, Any], key: str) -> tuple[str, ...]:
    """Return the list of texts at ``key`` in parsed data, an empty one if there is none."""
    value = parent.get(key)
    return tuple(str(item) for item in value) if isinstance(value, list) else ()


def get_flag(parent: Mapping[str, Any], key: str) -> bool:
    """Whether ``key`` is true in parsed data."""
    return parent.get(key) is True


def find_user(user: object) -> str | None:
    """Return a user other than root: the part before ``:`` of ``user``; None for root or none."""
    name = "" if user is None else str(user).partition(":")[0].strip()
    return None if name in ("", "0", "root") else name


def list_unlisted(parent: Mapping[str, Any], keys: Iterable[str]) -> list[str]:
    """Return those of ``keys`` whose value in parsed data is there and no list."""
    return [key for key in keys if parent.get(key) is not None and not isinstance(parent[key], list)]
