"""Between the tests and the reader: ``facts`` of one file, ``linked`` rows of a release.

Everything that knows the engine is in ``_read_facts`` and ``_link_in_turn``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

import pytest

from caphistory.engine import ABSENT
from caphistory.indexing.linker import make_records
from caphistory.indexing.makefiles import OPTIONS_OFF, find_stand_ins
from caphistory.indexing.unbuilt import find_unbuilt
from caphistory.records import LinkedRelease, Release, SyscallCheck
from tests.engine.facts import File, file_from
from tests.kernels.files import Kernel, files_of

Version: TypeAlias = "tuple[Kernel, str]"
"""A kernel and the name of its release."""


def facts(
    source: str | bytes, *, assembler: bool = False, after: Sequence[str | bytes] = ()
) -> File:
    """The facts of a file. ``after`` are other versions of it that are read before."""
    return file_from(_read_facts(_encoded(source), assembler, [_encoded(each) for each in after]))


def linked(kernel: Kernel, release: str = "2.2.24") -> LinkedRelease:
    """The rows of a kernel that is linked as this release."""
    return linked_in_turn([(kernel, release)])[0]


def linked_in_turn(versions: Iterable[Version]) -> list[LinkedRelease]:
    """The rows of several kernels that are linked one after the other by the same engine."""
    return _link_in_turn([(files_of(kernel), release) for kernel, release in versions])


def chain_text(row: SyscallCheck) -> str:
    """A row as text: ``sys_bind (proto_ops.bind) inet_bind: CAP_A``, where a bare space
    between two functions is a direct call."""
    steps = [
        step.function if step.via is None else f"{step.function} ({step.via})" for step in row.chain
    ]
    return f"{' '.join(steps)}: {row.check.capability or row.check.check_name}"


def chains(kernel: Kernel, release: str = "2.2.24") -> set[str]:
    """Every row of a kernel as text."""
    return {chain_text(row) for row in linked(kernel, release).syscall_checks}


def _encoded(source: str | bytes) -> bytes:
    return source.encode("latin-1") if isinstance(source, str) else source


# The engine. It is given bytes, and gives nested tuples in the order of ``tests.engine.facts``,
# and a ``LinkedRelease``.


def _engine() -> Any:
    return pytest.importorskip("caphistory_engine", reason=ABSENT)


def _read_facts(source: bytes, assembler: bool, before: Sequence[bytes]) -> tuple[Any, ...]:
    facts: tuple[Any, ...] = _engine().read_facts(source, assembler, list(before))
    return facts


def _link_in_turn(versions: Sequence[tuple[dict[str, bytes], str]]) -> list[LinkedRelease]:
    engine = _engine().Engine(2)
    result = []
    for files, name in versions:
        ids = {path: _blob_id(content) for path, content in files.items()}
        contents = {ids[path]: content for path, content in files.items()}
        wanted = [(ids[path], path.endswith((".S", ".s"))) for path in files]
        missing = engine.missing(list(dict.fromkeys(wanted)))
        assert engine.read([(blob, contents[blob], how) for blob, how in missing]) == []
        texts = {path: files[path] for path in engine.texts_wanted([*files])}
        instead = {
            abi: set(find_stand_ins(ids, contents.__getitem__, off, {}).paths)
            for abi, off in OPTIONS_OFF.items()
        }
        unbuilt = {abi: find_unbuilt(ids, contents.__getitem__, abi, {}) for abi in OPTIONS_OFF}
        release = Release(name, "2.2", "release", 1, None, "tests", None)
        result.append(make_records(release, engine.link(name, ids, texts, instead, unbuilt), ()))
        engine.forget([*ids.values()])
    return result


def _blob_id(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
