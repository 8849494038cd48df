"""The rules by which container runtimes make sets of capabilities of what they are told.

Read in the sources of moby 28.3 (``oci/caps``), containerd 2.1 (``internal/cri/opts``,
``pkg/oci``), Podman 5.5 (``pkg/specgen/generate``) with containers/common 0.63
(``pkg/capabilities``), and CRI-O 1.33 (``internal/factory/container``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from caphistory.errors import UsageError
from caphistory.questions.containers.model import (
    ALL,
    DOCKER,
    NONE,
    CapabilitySet,
    Container,
    normalize_name,
)
from caphistory.questions.descriptions import list_numbers, read_descriptions


class Runtime(NamedTuple):
    """A container runtime: the capabilities that it gives by default, and where that stands;
    ``takes_prefix`` says that names may begin with CAP_, ``drops_last`` that what is both added
    and dropped is dropped."""

    defaults: tuple[str, ...]
    source: str
    takes_prefix: bool
    drops_last: bool


_CRIO = (
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_FOWNER",
    "CAP_FSETID",
    "CAP_KILL",
    "CAP_NET_BIND_SERVICE",
    "CAP_SETGID",
    "CAP_SETPCAP",
    "CAP_SETUID",
)
_PODMAN = (*_CRIO, "CAP_SETFCAP", "CAP_SYS_CHROOT")
_DOCKER = (*_PODMAN, "CAP_AUDIT_WRITE", "CAP_MKNOD", "CAP_NET_RAW")

RUNTIMES = {
    DOCKER: Runtime(_DOCKER, "moby's oci/caps/defaults.go, 1.13 to 28", True, False),
    "podman": Runtime(
        _PODMAN, "containers/common's pkg/config/default.go, Podman 4.4 to 5", True, False
    ),
    "containerd": Runtime(_DOCKER, "containerd's pkg/oci/spec.go, 1.0 to 2.1", False, True),
    "cri-o": Runtime(_CRIO, "CRI-O's default_capabilities, 1.21 to 1.33", True, True),
}
"""The runtimes by name. A cluster may change what CRI-O and Podman give by default."""

KUBERNETES = "kubernetes"
"""A pod whose runtime is not known: containerd or CRI-O."""


class Given(NamedTuple):
    """What a container holds by the rules of one runtime.

    ``effective`` is what its first process holds, ``bounding`` the most that a program may get in
    it; ``remarks`` are what a person should know; ``refused`` is why it does not start, else "".
    """

    runtime: str
    effective: CapabilitySet
    bounding: CapabilitySet
    remarks: tuple[str, ...] = ()
    refused: str = ""


def list_runtimes(container: Container, asked: str | None = None) -> list[str]:
    """Return the runtimes whose rules a container may run by: ``asked``, else the one that its file
    is for, else each that may run a pod."""
    if container.sets is not None:
        return [""]
    wanted = asked or container.runtime
    return ["containerd", "cri-o"] if wanted == KUBERNETES else [wanted]


def make_given(
    container: Container, runtime: str, numbers: Mapping[int, str] | None = None
) -> Given:
    """Return what ``container`` holds by the rules of ``runtime`` (one of ``list_runtimes``).
    ``numbers`` maps the bits of masks to names: the release's, by default today's."""
    if container.sets is not None:
        return _read_sets(container, numbers or list_numbers())
    rules = RUNTIMES.get(runtime, RUNTIMES[DOCKER])
    base = runtime if runtime in (ALL, NONE) else ",".join(rules.defaults)
    added, unknown = _split_known(container.add, rules)
    dropped, unknown_dropped = _split_known(container.drop, rules)
    remarks, refused = list(container.remarks), container.refused
    if unknown and not refused:
        refused = _describe_unknown(unknown, runtime)
    if unknown_dropped:
        remarks.append(f"no capability, so not dropped: {', '.join(unknown_dropped)}")
    if runtime == "podman" and not refused:
        refused = _find_contradiction(added, dropped)
    if container.privileged:
        if dropped:
            remarks.append("privileged: what is dropped is held all the same")
        bounding = CapabilitySet(ALL)
    else:
        bounding = _combine(base, added, dropped, rules.drops_last)
    effective = bounding
    if container.user is not None:
        ambient = added if runtime == "podman" and not container.privileged else []
        effective = CapabilitySet(",".join(sorted(ambient)) or NONE)
    return Given(runtime, effective, bounding, tuple(remarks), refused)


def _combine(
    base: str, added: Sequence[str], dropped: Sequence[str], drops_last: bool
) -> CapabilitySet:
    """Return the set that ``added`` and ``dropped`` make of ``base``."""
    if drops_last:
        base = NONE if "ALL" in dropped else ALL if "ALL" in added else base
        names = [name for name in added if name not in ("ALL", *dropped)]
        return CapabilitySet(base, ",".join(name for name in dropped if name != "ALL"), _join(names))
    if "ALL" in added:
        return CapabilitySet(ALL, ",".join(name for name in dropped if name != "ALL"))
    if "ALL" in dropped:
        return CapabilitySet(NONE, "", _join(added))
    return CapabilitySet(base, ",".join(dropped), _join(added))


def _join(names: Iterable[str]) -> str:
    return ",".join(dict.fromkeys(names))


def _split_known(names: Iterable[str], rules: Runtime) -> tuple[list[str], list[str]]:
    """Return the full names of those that a runtime knows, and the others as written."""
    known, unknown = [], []
    for name in names:
        full = normalize_name(name)
        prefixed = name.strip().upper().startswith("CAP_")
        if full != "ALL" and (
            full not in read_descriptions() or (prefixed and not rules.takes_prefix)
        ):
            unknown.append(name)
        else:
            known.append(full)
    return list(dict.fromkeys(known)), unknown


def _describe_unknown(unknown: Sequence[str], runtime: str) -> str:
    prefixed = [name for name in unknown if normalize_name(name) in read_descriptions()]
    if prefixed and runtime == "containerd":
        name = prefixed[0].strip().upper()
        return (
            f"Kubernetes wants names without CAP_: of {name} containerd makes CAP_{name}, which"
            f" is none; write {name.removeprefix('CAP_')}"
        )
    return f"no capability: {', '.join(unknown)}"


def _find_contradiction(added: Sequence[str], dropped: Sequence[str]) -> str:
    both = [name for name in added if name in dropped]
    return f"Podman refuses to add and drop {', '.join(both)}" if both else ""


def _read_sets(container: Container, numbers: Mapping[int, str]) -> Given:
    """Return the sets that a file itself gives. Bits without a name are told, and not held."""
    sets, remarks = container.sets, list(container.remarks)
    if sets is None:
        raise ValueError("the container has no sets")
    bits = [value for value in sets if isinstance(value, int)]
    unnamed = sorted({bit for value in bits for bit in split_mask(value)} - numbers.keys())
    if unnamed:
        remarks.append(
            f"ignored, no capability of this release: bit {', '.join(map(str, unnamed))} of the"
            " mask"
        )
    effective = _name_set(sets.effective, numbers)
    bounding = effective if sets.bounding is None else _name_set(sets.bounding, numbers)
    return Given("", effective, bounding, tuple(remarks), container.refused)


def _name_set(value: tuple[str, ...] | int | None, numbers: Mapping[int, str]) -> CapabilitySet:
    if isinstance(value, int):
        names = [numbers[bit] for bit in sorted(split_mask(value)) if bit in numbers]
    else:
        names = list(value or ())
    if "ALL" in names:
        return CapabilitySet(ALL)
    return CapabilitySet(",".join(names) or NONE)


def make_set(
    base: str | Iterable[str] | Container,
    add: Sequence[str] = (),
    drop: Sequence[str] = (),
    names: Mapping[int, str] | None = None,
) -> CapabilitySet:
    """Return the set of ``base`` without the capabilities in ``drop`` and with those in ``add``.

    ``base`` is a runtime (whose default set is meant), ALL, NONE, capabilities, a hexadecimal mask
    or a container, whose effective set is meant (that by containerd's rules where a pod leaves the
    runtime open). ``names`` maps the bits of a mask to the capabilities of the release asked
    about; other bits are ignored.

    Raises UsageError if ``base`` is none of these.
    """
    if isinstance(base, Container):
        given = make_given(base, list_runtimes(base)[0], names)
        return combine_set(given.effective, add, drop)
    if not isinstance(base, str):
        return combine_set(CapabilitySet(",".join(map(normalize_name, base)) or NONE), add, drop)
    if base in (ALL, NONE):
        return combine_set(CapabilitySet(base), add, drop)
    if base in RUNTIMES:
        return combine_set(CapabilitySet(",".join(RUNTIMES[base].defaults)), add, drop)
    bits = parse_mask(base)
    held = [name for bit, name in (names or list_numbers()).items() if bit in bits]
    return combine_set(CapabilitySet(",".join(held) or NONE), add, drop)


def combine_set(
    base: CapabilitySet, add: Iterable[str] = (), drop: Iterable[str] = ()
) -> CapabilitySet:
    """Return ``base`` without what is in ``drop`` and with what is in ``add``, which is held even
    if it is dropped too; but if ALL is added, whatever is dropped is not held."""
    added, dropped = ([normalize_name(name) for name in names] for names in (add, drop))
    if "ALL" in added:
        return CapabilitySet(ALL, _join(name for name in dropped if name != "ALL"))
    if "ALL" in dropped:
        return CapabilitySet(NONE, "", _join(added))
    kept = [name for name in _split(base.added) if name not in dropped]
    return CapabilitySet(
        base.base, _join([*_split(base.dropped), *dropped]), _join([*kept, *added])
    )


def list_held(held: CapabilitySet, defined: Iterable[str]) -> list[str]:
    """Return those of the ``defined`` capabilities that a set holds."""
    dropped, added = set(_split(held.dropped)), set(_split(held.added))
    base = set(_split(held.base)) if held.base not in (ALL, NONE) else set()
    return [
        name
        for name in defined
        if name in added or ((held.base == ALL or name in base) and name not in dropped)
    ]


def _split(names: str) -> list[str]:
    return [name for name in names.split(",") if name]


def parse_mask(mask: str) -> set[int]:
    """Return the numbers of the bits set in a hexadecimal ``mask``, such as the Cap lines of
    /proc/PID/status hold; raise UsageError if it is not hexadecimal."""
    if not re.fullmatch("(0x)?[0-9a-f]{1,16}", mask.strip(), re.IGNORECASE):
        raise UsageError(f"mask {mask!r} is not hexadecimal, as CapEff: in /proc/PID/status is")
    return split_mask(int(mask, 16))


def split_mask(mask: int) -> set[int]:
    """Return the numbers of the bits set in ``mask``."""
    return {bit for bit in range(mask.bit_length()) if mask >> bit & 1}
