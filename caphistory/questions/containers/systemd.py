"""A systemd service unit, with its drop-ins, as the process that it starts.

The rules are those of systemd.exec(5) of systemd 252 to 257.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from caphistory.errors import UsageError
from caphistory.questions.containers.model import Container, Sets, find_user
from caphistory.questions.descriptions import list_numbers, read_descriptions

_SECTION = re.compile(r"^\s*\[(Unit|Service|Install|Socket|Mount|Swap)\]\s*$", re.MULTILINE)
_SETTING = re.compile(
    r"^\s*(CapabilityBoundingSet|AmbientCapabilities|NoNewPrivileges|DynamicUser)\s*=", re.MULTILINE
)
_FILE = re.compile(r"^# (?:\S*/)?(?P<name>[^\s/]+\.service)$", re.MULTILINE)
_YES = ("1", "yes", "y", "true", "t", "on")
_WITHOUT = {
    "PrivateDevices": ("CAP_MKNOD", "CAP_SYS_RAWIO"),
    "ProtectClock": ("CAP_SYS_TIME", "CAP_WAKE_ALARM"),
    "ProtectKernelModules": ("CAP_SYS_MODULE",),
    "ProtectKernelLogs": ("CAP_SYSLOG",),
}
"""The settings that take capabilities from the bounding set."""


def is_unit(text: str) -> bool:
    """Whether ``text`` is a unit, several files of one (``systemctl cat``), or its settings
    (``systemctl show``)."""
    return bool(_SECTION.search(text) or _SETTING.search(text))


def read_unit(text: str) -> Container:
    """Return the process of a service; raise UsageError if the unit is of another type."""
    settings = list(_read_settings(text))
    sections = {section for section, _, _ in settings}
    if sections and not sections & {"", "Service", "Socket", "Mount", "Swap"}:
        raise UsageError("the unit has no [Service] section: it starts no process")
    remarks: list[str] = []
    bounding = _merge(settings, "CapabilityBoundingSet", _known(), remarks)
    ambient = _merge(settings, "AmbientCapabilities", frozenset(), remarks)
    for name, removed in _WITHOUT.items():
        if _is_on(settings, name):
            bounding -= set(removed)
            remarks.append(f"{name} takes {', '.join(removed)} away")
    user = find_user(_find_last(settings, "User"))
    if _is_on(settings, "DynamicUser"):
        user = user or "a dynamic user"
    ambient &= bounding
    held = bounding if user is None else ambient
    file = _FILE.search(text)
    return Container(
        file["name"] if file else "service",
        user=user,
        runtime="",
        sets=Sets(
            effective=_order(held),
            permitted=_order(held),
            bounding=_order(bounding),
            ambient=_order(ambient),
        ),
        userns=_find_last(settings, "PrivateUsers") in (*_YES, "self", "identity", "full"),
        no_new_privileges=_is_on(settings, "NoNewPrivileges"),
        remarks=tuple(remarks),
    )


def _read_settings(text: str) -> Iterator[tuple[str, str, str]]:
    """Yield section, name and value of each setting. A line that ends with a backslash goes on in
    the next, comments in between left out."""
    section, pending = "", ""
    for line in text.splitlines():
        stripped = line.strip()
        if stripped[:1] in ("#", ";"):
            continue
        pending += stripped
        if pending.endswith("\\"):
            pending = pending[:-1] + " "
            continue
        whole, pending = pending, ""
        if whole.startswith("[") and whole.endswith("]"):
            section = whole[1:-1]
        else:
            name, equals, value = whole.partition("=")
            if equals:
                yield section, name.strip(), value.strip()


def _merge(
    settings: Iterable[tuple[str, str, str]],
    wanted: str,
    initial: frozenset[str],
    remarks: list[str],
) -> frozenset[str]:
    """Return the set that the lines of one setting add up to: each adds, one with ``~`` takes away;
    an empty one makes the set empty, a lone ``~`` full; the first replaces what is initial."""
    merged = initial
    for _, name, value in settings:
        if name != wanted:
            continue
        inverted = value.startswith("~")
        names = _read_names(value.removeprefix("~"), remarks)
        if not names or merged == initial:
            merged = _known() - names if inverted else names
        else:
            merged = merged - names if inverted else merged | names
    return merged


def _read_names(value: str, remarks: list[str]) -> frozenset[str]:
    names = set()
    for word in value.replace('"', " ").replace("'", " ").split():
        name = list_numbers().get(int(word), word) if word.isdecimal() else word.upper()
        if name in _known():
            names.add(name)
        else:
            hint = " (systemd wants CAP_)" if f"CAP_{name}" in _known() else ""
            remarks.append(f"ignored, no capability: {word}{hint}")
    return frozenset(names)


def _known() -> frozenset[str]:
    return frozenset(read_descriptions())


def _order(names: frozenset[str]) -> tuple[str, ...]:
    return ("ALL",) if names == _known() else tuple(n for n in read_descriptions() if n in names)


def _find_last(settings: Iterable[tuple[str, str, str]], wanted: str) -> str:
    """Return the value of a setting that its last line gives, "" if there is none."""
    return next((value for _, name, value in reversed(list(settings)) if name == wanted), "")


def _is_on(settings: Iterable[tuple[str, str, str]], wanted: str) -> bool:
    return _find_last(settings, wanted).lower() in _YES
