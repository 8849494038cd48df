"""The containers that an argument in Python means: a runtime, a mask, capabilities or a file."""

from __future__ import annotations

from collections.abc import Iterable
from os import PathLike
from pathlib import Path

from caphistory.errors import UsageError
from caphistory.questions.containers import (
    ALL,
    NONE,
    RUNTIMES,
    Container,
    Sets,
    choose_container,
    containers_in,
    parse_mask,
)
from caphistory.questions.containers.model import normalize_name
from caphistory.questions.inputs import read_text

Base = str | PathLike[str] | Iterable[str] | Container
"""A runtime, ``all``, ``none``, a mask, a file, capabilities, or a container that was read."""

_SET = "the set"
_BASES = (*RUNTIMES, ALL, NONE)


def find_file(base: Base) -> Path | None:
    """Return the file that ``base`` names, None if it means something else."""
    if isinstance(base, str):
        return Path(base) if base not in _BASES and Path(base).is_file() else None
    return Path(base) if isinstance(base, PathLike) else None


def read_containers(base: Base, name: str | None = None) -> list[Container]:
    """Return what ``base`` describes, of a file only the container ``name`` if it is given.

    Raises UsageError for a text that is no base.
    """
    file = find_file(base)
    if file is not None:
        containers = containers_in(read_text(file))
        return containers if name is None else [choose_container(containers, name)]
    if isinstance(base, Container):
        return [base]
    if not isinstance(base, str | PathLike):
        names = tuple(map(normalize_name, base))
        return [Container(_SET, runtime="", sets=Sets(effective=names))]
    text = str(base)
    if text in _BASES:
        return [Container(_SET, runtime=text)]
    try:
        parse_mask(text)
    except UsageError as error:
        raise UsageError(
            f"{text!r} is no file, no runtime (there are: {', '.join(_BASES)}) and no mask"
        ) from error
    return [Container(_SET, runtime="", sets=Sets(effective=int(text, 16)))]
