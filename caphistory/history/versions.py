"""Parse and order the names of Linux releases. Pure functions of the name.

The names are those of the tags of the real histories (0.01 to 2.6.12-rc1 in
MaximeChretien/linux-history, ``v2.6.12`` and later in the mainline and stable
repositories) and of the Makefiles of the trees themselves.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import NamedTuple

_NUMBERS = r"(?P<pre2>pre)?(?P<numbers>\d+(?:\.\d+){1,4})"
# 0.95a, 0.99.7A, 0.95c+, 0.96a-patch1, 0.99.12-patch1
_RELEASE_REST = r"(?P<letter>[A-Za-z])?(?:(?P<plus>\+)|-patch(?P<patch>\d+))?"
# 0.96pre, 1.0alpha, 2.0.34pre11b, 2.2.27-rc1, 2.3.99pre10-1, 2.4.0-test10pre3, v5.12-rc1-dontuse
_PRERELEASE_REST = (
    r"-?(?P<stage>alpha|prerelease|pre|test|rc|final)(?P<number>\d+)?"
    r"(?:(?P<revision>[a-z])|(?:pre|-)(?P<step>\d+))?(?:-dontuse)?"
)
_RELEASE = re.compile(_NUMBERS + _RELEASE_REST, re.ASCII)
_PRERELEASE = re.compile(_NUMBERS + _PRERELEASE_REST, re.ASCII)

# In the order of the real history: 1.0pre1 < 1.0alpha (1.0alpha differs from 1.0 in 9 files,
# 1.0pre1 in 25), 2.0.40pre3 < 2.0.40-rc1, 2.4.0-test13pre7 < 2.4.0-prerelease,
# 2.6.9-rc4 (2004-10-10) < 2.6.9-final (2004-10-15) < 2.6.9 (2004-10-17).
_STAGES = ("pre", "alpha", "test", "rc", "prerelease", "final", "")
_RELEASED = _STAGES.index("")

# Widths in bits of the fields of a position: 62 together, so that it fits a signed 64-bit integer.
_WIDTHS = (8, 10, 12, 10, 4, 9, 9)
# A pre-patch of a prerelease (2.3.99pre3-8) comes before that prerelease (2.3.99pre3), a
# revision of it (2.0.34pre11b) after it.
_WHOLE = 256
_AFTER_PATCHES = 511


class Version(NamedTuple):
    """A parsed release name; its fields are in the order of the real history.

    ``major``, ``minor``, ``sublevel`` and ``stable`` are its numbers (0 where absent);
    ``stage`` counts the kinds of prerelease up to the release itself; ``number`` is the
    prerelease's number or the release's letter (0, or 1 for ``a``); ``step`` is the place
    among the pre-patches and revisions of a prerelease or the patches of a release.
    """

    major: int
    minor: int
    sublevel: int
    stable: int
    stage: int
    number: int
    step: int


def _number_letter(text: str | None) -> int:
    """Return 1 for ``a`` or ``A`` and so on, 0 without a letter."""
    return ord(text.lower()) - ord("a") + 1 if text else 0


def _is_prepatch(numbers: list[int]) -> bool:
    """Whether a name of numbers only is a pre-patch of the next version.

    2.4.0.1 to 2.4.14.9, and 2.5.x.y, are BitKeeper's names for pre-patches: the Makefile of
    2.4.9.15 says 2.4.10-pre15. From 2.4.15 on the fourth number is that of a stable release.
    """
    return len(numbers) > 3 and (
        (numbers[:2] == [2, 4] and numbers[2] < 15) or numbers[:2] == [2, 5]
    )


def _parse_prepatch(numbers: list[int]) -> Version:
    """Return the version of one of BitKeeper's pre-patches, given as its numbers."""
    # 2.4.10.0.4 comes before 2.4.10.1, and the Makefile of both says 2.4.11-pre1.
    major, minor, sublevel, number, *step = numbers
    pre = _STAGES.index("pre")
    if step:
        return Version(major, minor, sublevel + 1, 0, pre, number + 1, step[0])
    return Version(major, minor, sublevel + 1, 0, pre, number, _WHOLE)


def _fits(version: Version) -> bool:
    """Whether every field of a version fits its width in ``position``."""
    return all(field < 1 << width for field, width in zip(version, _WIDTHS, strict=True))


def parse(name: str) -> Version | None:
    """Return the parsed release name (with or without ``v``), or None if it is not one."""
    name = name.removeprefix("v")
    match = _RELEASE.fullmatch(name) or _PRERELEASE.fullmatch(name)
    if match is None:
        return None
    fields = match.groupdict()
    numbers = [int(number) for number in fields["numbers"].split(".")]
    if fields["pre2"]:
        # pre2.0.1 to pre2.0.14 lead from 1.3.100 to 2.0; their Makefiles say 1.99.1 to 1.99.14.
        if numbers[:2] != [2, 0] or len(numbers) != 3 or "stage" in fields:
            return None
        numbers[:2] = [1, 99]
    plain = match[0] == fields["numbers"]
    if plain and _is_prepatch(numbers):
        version = _parse_prepatch(numbers)
    elif len(numbers) > 4 or (len(numbers) == 4 and numbers < [2, 4]):
        return None
    else:
        major, minor, sublevel, stable = (*numbers, 0, 0)[:4]
        if "stage" in fields:
            stage = _STAGES.index(fields["stage"])
            number = int(fields["number"] or 0)
            step = (
                int(fields["step"])
                if fields["step"]
                else _WHOLE + _number_letter(fields["revision"])
            )
        else:
            stage = _RELEASED
            number = _number_letter(fields["letter"])
            step = _AFTER_PATCHES if fields["plus"] else int(fields["patch"] or 0)
        version = Version(major, minor, sublevel, stable, stage, number, step)
    return version if _fits(version) else None


def release_name(tag: str) -> str | None:
    """Return the name of the release that a tag stands for (``v2.6.11.4``: ``2.6.11.4``).

    None if the name of the tag is not a release: a port (``lia64-v2.5.10``), a tree
    (``v2.6.11-tree``), or anything unknown.
    """
    return tag.removeprefix("v") if parse(tag) else None


def _parse_base(release: str) -> tuple[Version, str | None]:
    """Return the version of a release and, for one of a port, the port's name.

    A port's name is what comes before its version: ``lia64-v2.5.52+``. Raises ValueError for
    any other name.
    """
    version = parse(release)
    if version is not None:
        return version, None
    port, _, rest = release.partition("-")
    version = parse(rest)
    if version is None or not port.isalnum():
        raise ValueError(f"{release!r} is not the name of a Linux release")
    return version, port


def is_known(release: str) -> bool:
    """Whether ``position``, ``kind`` and ``series`` take this name: a release, or one of a port."""
    try:
        _parse_base(release)
    except ValueError:
        return False
    return True


def position(release: str) -> int:
    """Return the place of a release in version order, from 0 to 2**62 - 1.

    A function of the name alone. Two spellings of one kernel (``2.0`` and ``2.0.0``;
    ``2.4.9.15`` and ``2.4.10-pre15``; a port and the release that it was made from) have the
    same position. Raises ValueError for what ``release_name`` does not accept.
    """
    result = 0
    for field, width in zip(_parse_base(release)[0], _WIDTHS, strict=True):
        result = result << width | field
    return result


def sort_key(release: str) -> tuple[int, str]:
    """Return a sort key: releases sort by version, spellings of one version by name."""
    return position(release), release


def kind(release: str) -> str:
    """Return ``prerelease`` for pre, alpha, test, rc, prerelease and final names, for pre2.0.x
    and for BitKeeper's pre-patches (2.4.9.15), else ``release``.

    Lettered and patched kernels (``0.95a``, ``0.95c+``, ``0.99.14k``, ``0.96c-patch1``) were
    published as they are, and the next one builds on them: they are releases.
    """
    version, _ = _parse_base(release)
    early = version.stage != _RELEASED or (version.major, version.minor) == (1, 99)
    return "prerelease" if early else "release"


def series(release: str) -> str:
    """Return the line of development that a release belongs to: its first two numbers as they
    are written (``0.01``, ``0.99``, ``2.2``, ``6.1``; pre2.0.x belong to ``2.0``), after the
    port's name where it is of a port (``lia64-2.5``).

    Within a series, releases that are adjacent by position are adjacent in time, even with
    stable releases in between (2.6.11, 2.6.11.1, 2.6.12). From 3.0 on, each ``x.y`` with its stable
    releases is a series of its own, as maintained side by side with the others.
    """
    _, port = _parse_base(release)
    numbers = re.search(r"\d+\.\d+", release.removeprefix(f"{port}-"))
    assert numbers is not None
    return f"{port}-{numbers[0]}" if port else numbers[0]


def match(patterns: Iterable[str], name: str) -> bool:
    """Whether a release or tag matches one of the patterns.

    Each pattern may be several, separated by commas; ``*``, ``?`` and ``[…]`` as in file names,
    with or without ``v`` on either side. No patterns match everything.
    """
    wanted = split_patterns(patterns)
    return not wanted or any(fnmatchcase(name.removeprefix("v"), pattern) for pattern in wanted)


def named_exactly(patterns: Iterable[str], name: str) -> bool:
    """Whether a release or tag is literally one of the patterns, without wildcards."""
    return name.removeprefix("v") in split_patterns(patterns)


def split_patterns(patterns: Iterable[str]) -> list[str]:
    """Split patterns at commas and return each without ``v``."""
    pieces = (piece.strip() for pattern in patterns for piece in pattern.split(","))
    return [piece.removeprefix("v") for piece in pieces if piece]
