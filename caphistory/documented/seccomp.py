"""What a seccomp profile claims: the syscalls that a container may call only with a capability.

The profiles are those of Docker and Podman: a JSON file whose rules allow or refuse syscalls,
some only where the container holds a capability (``includes.caps``) or lacks it
(``excludes.caps``).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from errno import EPERM, errorcode
from pathlib import Path
from typing import Any, NamedTuple

from caphistory.documented.documents import Claim, Documents, Place
from caphistory.errors import CaphistoryError, NothingFound, UsageError
from caphistory.questions.inputs import read_text
from caphistory.questions.releases import parse

_ALLOW = "SCMP_ACT_ALLOW"
_ARCHITECTURES = {"amd64", "x86", "x32", "386"}
"""The architectures that the database covers."""


class _Rule(NamedTuple):
    """A rule of a profile: the syscalls it is about, whether it allows them, whether it depends on
    their arguments, and the capabilities that it asks for."""

    place: Place
    names: frozenset[str]
    allows: bool
    conditional: bool
    capabilities: tuple[str, ...]


def read_profile(file: Path, release: str) -> Documents:
    """Return what the profile in ``file`` claims of the syscalls of the kernel ``release``.

    Raises UsageError where it is no profile, NothingFound where no rule of it asks for a
    capability, CaphistoryError where it cannot be read.
    """
    listed, default = _read_rules(file)
    rules = [
        _make_rule(Place(file.name, f"syscalls[{at}]", str(file), None), described, default)
        for at, described in enumerate(listed)
        if isinstance(described, dict) and _applies(described, release)
    ]
    free = {
        name: rule.place
        for rule in reversed(rules)
        if rule.allows and not (rule.conditional or rule.capabilities)
        for name in rule.names
    }
    claims = [
        Claim(capability, rule.names - free.keys(), frozenset(), rule.place)
        for rule in rules
        for capability in rule.capabilities
        if rule.names - free.keys()
    ]
    if not claims:
        raise NothingFound(f"no rule of {file} asks for a capability")
    return Documents(file.name, claims, free, complete=False)


def _read_rules(file: Path) -> tuple[list[Any], str]:
    """Return the rules of a profile, and what it does with a syscall that none is about."""
    described = _read_profile(file)
    return described["syscalls"], str(described.get("defaultAction"))


def _read_profile(file: Path) -> dict[str, Any]:
    """Return a profile as it stands in its file, with a list of ``syscalls``."""
    try:
        described = json.loads(read_text(file))
    except OSError as error:
        raise CaphistoryError(f"cannot read {file}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{file} is no seccomp profile: it is not JSON") from error
    if not isinstance(described, dict) or not isinstance(described.get("syscalls"), list):
        raise UsageError(f"{file} is no seccomp profile: it has no list of syscalls")
    return described


def _make_rule(place: Place, rule: dict[str, Any], default: str) -> _Rule:
    """Return a rule, given as it stands in the profile and the profile's default action."""
    return _Rule(
        place,
        frozenset(_list_names(rule)),
        rule.get("action", default) == _ALLOW,
        bool(rule.get("args")),
        tuple(
            dict.fromkeys(
                _list_texts(rule, "includes", "caps") + _list_texts(rule, "excludes", "caps")
            )
        ),
    )


def _list_names(rule: dict[str, Any]) -> list[str]:
    """Return the syscalls that a rule is about."""
    names = rule.get("names")
    return [str(name) for name in (names if isinstance(names, list) else [rule.get("name")])]


def _applies(rule: dict[str, Any], release: str) -> bool:
    """Whether a rule is for this release, on a PC."""
    only, never = (set(_list_texts(rule, key, "arches")) for key in ("includes", "excludes"))
    if (only and not only & _ARCHITECTURES) or never & _ARCHITECTURES:
        return False
    oldest = _find_minimum(rule, "includes")
    too_new = _find_minimum(rule, "excludes")
    return (oldest is None or _reaches(release, oldest)) and (
        too_new is None or not _reaches(release, too_new)
    )


def _find_minimum(rule: dict[str, Any], key: str) -> str | None:
    """Return the oldest kernel that a part of a rule names, None if it names none."""
    within = rule.get(key)
    oldest = within.get("minKernel") if isinstance(within, dict) else None
    return oldest if isinstance(oldest, str) else None


def _reaches(release: str, oldest: str) -> bool:
    """Whether a release is not older than another; False for unknown names."""
    ours, theirs = parse(release), parse(oldest)
    return ours is not None and theirs is not None and ours >= theirs


def _list_texts(rule: dict[str, Any], key: str, part: str) -> tuple[str, ...]:
    """Return the texts of a list in a part of a rule, empty if there is none."""
    within = rule.get(key)
    texts = within.get(part) if isinstance(within, dict) else None
    return tuple(map(str, texts)) if isinstance(texts, list) else ()


class Verdict(NamedTuple):
    """What a profile does with a syscall of a container: ``allows``; the error that a refused one
    gives ("" for an allowed one, ``killed`` where the process dies); ``conditional`` says that it
    depends on the arguments."""

    allows: bool
    errno: str
    conditional: bool


class Profile(NamedTuple):
    """A profile applied to a container: the verdicts of the syscalls that it names, and that on
    the others."""

    verdicts: Mapping[str, Verdict]
    default: Verdict

    def judge(self, syscall: str) -> Verdict:
        """Return what the profile does with ``syscall``."""
        return self.verdicts.get(syscall, self.default)

    def describe(self, syscall: str) -> str:
        """Return what the profile does with ``syscall`` in a word: allowed, arguments (it depends
        on them) or the error."""
        verdict = self.judge(syscall)
        if not verdict.allows:
            return verdict.errno
        return "arguments" if verdict.conditional else "allowed"


def apply_profile(file: Path, release: str, holds: Callable[[str], bool]) -> Profile:
    """Return what the profile in ``file`` does in a container on the kernel ``release`` whose
    bounding set ``holds`` some capabilities, as Docker and Podman build its filter.

    Raises UsageError where it is no profile, CaphistoryError where it cannot be read.
    """
    described = _read_profile(file)
    verdicts: dict[str, Verdict] = {}
    for rule in described["syscalls"]:
        if not isinstance(rule, dict) or not _applies(rule, release):
            continue
        if not all(map(holds, _list_texts(rule, "includes", "caps"))):
            continue
        if any(map(holds, _list_texts(rule, "excludes", "caps"))):
            continue
        verdict = _make_verdict(str(rule.get("action")), rule.get("errnoRet"), rule.get("args"))
        for name in _list_names(rule):
            verdicts[name] = _combine_verdicts(verdicts.get(name), verdict)
    default = _make_verdict(
        str(described.get("defaultAction")), described.get("defaultErrnoRet"), None
    )
    return Profile(verdicts, default)


def list_allowed(profile: Profile) -> list[str]:
    """Return the syscalls that a profile names and allows, with whatever arguments or some."""
    return sorted(name for name, verdict in profile.verdicts.items() if verdict.allows)


def _make_verdict(action: str, errno: object, arguments: object) -> Verdict:
    allows = action in (_ALLOW, "SCMP_ACT_LOG", "SCMP_ACT_TRACE", "SCMP_ACT_NOTIFY")
    if allows:
        return Verdict(True, "", bool(arguments))
    if action != "SCMP_ACT_ERRNO":
        return Verdict(False, "killed", bool(arguments))
    number = errno if isinstance(errno, int) else EPERM
    return Verdict(False, errorcode.get(number, str(number)), bool(arguments))


def _combine_verdicts(before: Verdict | None, now: Verdict) -> Verdict:
    """Return the verdict of two rules on one syscall: what is allowed for some arguments is allowed
    for all if another rule says so."""
    if before is None or (now.allows and not before.allows):
        return now
    if before.allows and now.allows:
        return Verdict(True, "", before.conditional and now.conditional)
    return before
