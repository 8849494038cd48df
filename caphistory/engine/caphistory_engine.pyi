"""Reads kernel C and links it: contents of files in, rows of a release out.

A content is named by an id (its git id, say) and whether it is read as assembler: the same bytes
may be named both ways. All work is done without the GIL.
"""

from typing import TypeAlias

Step: TypeAlias = tuple[str, str, int, str, str | None]
"""function, path, line, edge, via (``caphistory.records.Step``)"""
CheckSite: TypeAlias = tuple[
    str,
    int,
    str | None,
    str,
    str | None,
    str | None,
    str,
    str,
    str | None,
    str | None,
    str,
]
"""path, line, function, check_name, capability, argument, form, effect, errno, condition, blob"""
CapabilityDefinition: TypeAlias = tuple[str, int | None, str, int, str | None]
"""capability, number, path, line, doc"""
Syscall: TypeAlias = tuple[str, int | None, str, str, str | None, int | None, str | None]
"""abi, number, syscall, function, path, line, parent"""
Meaning: TypeAlias = tuple[str, str, str | None, tuple[str, ...], str, str | None]
"""operation, effect, errno, instead, subject, namespace"""
SyscallCheck: TypeAlias = tuple[
    str, str, CheckSite, str, int, int, int, int, int, tuple[Step, ...], Meaning
]
"""abi, syscall, check, reach, depth, pointer_hops, conditional, feasible, shared_by, chain,
meaning"""
Wrapper: TypeAlias = tuple[str, str, str, str | None, int | None, str, int]
"""name, kind, check_name, capability, parameter, path, line"""
Audit: TypeAlias = tuple[int, int, int, int, int, int, int, int, int, int]
"""lexical, calls, macros, definitions, declarations, unexplained, functions, parse_errors,
pointer_calls, pointer_calls_resolved"""
AuditDetail: TypeAlias = tuple[str, str | None, int | None, str]
"""kind, path, line, detail"""
Rows: TypeAlias = tuple[
    list[CheckSite],
    list[CapabilityDefinition],
    list[Syscall],
    list[SyscallCheck],
    list[Wrapper],
    Audit,
    list[AuditDetail],
]
"""What ``caphistory.records.LinkedRelease`` holds, without the release itself."""

class Engine:
    """Reads contents and links releases, on threads of its own; holds what it read."""

    def __init__(self, threads: int) -> None:
        """``threads`` are at work at once, in all calls together."""

    def missing(self, blobs: list[tuple[str, bool]]) -> list[tuple[str, bool]]:
        """Those of these contents, as (id, assembler), that were not read, or were dropped."""

    def read(self, blobs: list[tuple[str, bytes, bool]]) -> list[tuple[str, str]]:
        """Read contents, given as (id, content, assembler). Gives (id, reason) of each that
        broke the reader: it counts as not read."""

    def keep(self, blobs: list[tuple[str, bool]]) -> list[bytes]:
        """What was read of these contents, given as (id, assembler), for ``recall``: parts that
        follow one another."""

    def recall(self, kept: bytes, wanted: list[tuple[str, bool]]) -> list[tuple[str, bool]]:
        """Take up what ``keep`` gave, in another process perhaps, if most of it is wanted. Gives
        the contents, as (id, assembler), that need not be read any more: none where the bytes
        were damaged, or kept by an engine that reads otherwise."""

    def forget(self, keep: list[str]) -> None:
        """Drop what was read of all contents but those with these ids."""

    def link(
        self,
        release: str,
        files: dict[str, str],
        texts: dict[str, bytes],
        stand_ins: dict[str, set[str]],
        unbuilt: dict[str, set[str]],
    ) -> Rows:
        """The rows of a release.

        ``files`` are the ids of its files' contents by path; files that hold neither C nor
        assembler do not matter, and those whose content was not read count as empty. ``texts``
        are the contents of the files that ``texts_wanted`` names. ``stand_ins`` are, for each ABI
        (``i386``, ``x86_64``), the paths that are built only where an option is off; from those in
        ``unbuilt`` no kernel with that ABI is built.

        In the rows, texts, steps, chains, meanings and check sites that are equal are the same
        object.
        Raises RuntimeError with the reason where the release cannot be linked.
        """

    def texts_wanted(self, paths: list[str]) -> list[str]:
        """Those of a release's files whose contents ``link`` is to be given as ``texts``: tables
        of system calls and definitions of capabilities."""
