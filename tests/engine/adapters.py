"""Between the tests and the reader: ``facts`` of one file, ``linked`` rows of a release.

Everything that knows the reader is in ``_read_facts`` and ``_link_in_turn``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, TypeAlias

from caphistory.linking.folders import I386
from caphistory.linking.program import Program
from caphistory.linking.release import Tree, link
from caphistory.records import LinkedRelease, Release, SyscallCheck
from caphistory.syntax.facts import Blob, Item
from caphistory.syntax.reader import read, read_assembler
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


# The reader. It is given bytes, and gives nested tuples in the order of ``tests.engine.facts``,
# and a ``LinkedRelease``.


def _read_facts(source: bytes, assembler: bool, before: Sequence[bytes]) -> tuple[Any, ...]:
    if assembler or not before:
        blob, items = _read(source, not assembler)
    else:
        items = {}
        for each in before:
            items.update(read(each, items)[1])
        blob, new = read(source, items)
        items.update(new)
    return (
        [(placed.line, placed.condition, items[placed.key]) for placed in blob.items],
        blob.includes,
        blob.mentions,
        blob.required,
        blob.constants,
    )


def _link_in_turn(versions: Sequence[tuple[dict[str, bytes], str]]) -> list[LinkedRelease]:
    program = Program(I386)
    result = []
    for number, (files, name) in enumerate(versions, 1):
        blobs: dict[str, Blob] = {}
        items: dict[bytes, Item] = {}
        for path, content in files.items():
            if path.endswith((".c", ".h", ".S", ".s")):
                blobs[path], new = _read(content, path.endswith((".c", ".h")))
                items.update(new)
        program.update(blobs, items)
        contents = {_blob_id(content): content for content in files.values()}
        ids = {path: _blob_id(content) for path, content in files.items()}
        release = Release(name, "2.2", "release", 1, None, "tests", None)
        tree = Tree(ids, contents.__getitem__)
        result.append(link(release, program, tree, [], last=number == len(versions)))
    return result


@cache
def _read(content: bytes, c: bool) -> tuple[Blob, dict[bytes, Item]]:
    """What did not change is the same object in the next kernel, as it is for a worker. Not to be
    changed."""
    return (read if c else read_assembler)(content)


def _blob_id(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
