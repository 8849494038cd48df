"""What documents of any kind say: claims, each with its place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple


class Place(NamedTuple):
    """A place in a document.

    ``document`` is a manual page such as ``mount(2)`` or the name of a profile's file; ``part``
    is a section of the page with, of an error, its name (``ERRORS EPERM``), or a rule of the
    profile; ``line`` is the line in ``file``, from 1, None where it is about the whole.
    ``constants`` are the names of constants in the passage, such as PR_SET_MM.
    """

    document: str
    part: str
    file: str
    line: int | None
    constants: tuple[str, ...] = ()


class Claim(NamedTuple):
    """A place that brings syscalls together with ``capability``.

    ``named`` are the syscalls that the place itself names: each of them must check the
    capability for the claim to hold. ``covered`` are others that it is about: where it names
    none, one of these must. A claim without any says what the capability is for in general. It
    is about the releases from ``since`` on and before ``before``, where these are given.
    """

    capability: str
    named: frozenset[str]
    covered: frozenset[str]
    place: Place
    since: str | None = None
    before: str | None = None


class Documents(NamedTuple):
    """What is to be compared: ``source`` names it all; ``silent`` has, for a syscall, the place
    that would have to tell what it checks; ``complete`` says that they are to tell of every
    check (a profile is not: it has what is to be refused without it)."""

    source: str
    claims: Sequence[Claim]
    silent: Mapping[str, Place]
    complete: bool
