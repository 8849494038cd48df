"""Read what the manual says of syscalls and capabilities, passage by passage."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from caphistory.documented.documents import Claim, Documents, Place
from caphistory.documented.groff import Line, Passage, split_sentences
from caphistory.documented.manual import Manual, Page, read_manual

_CAPABILITY = re.compile(r"\bCAP_[A-Z][A-Z0-9_]*\b")
_CALL = re.compile(r"(?<![\w.-])(\w+)\((?:2\w*)?\)")
_REFERENCE = re.compile(r"(?<![\w.-])(\w+)\(2\w*\)")
_CONSTANT = re.compile(r"\b(?!CAP_)[A-Z][A-Z0-9]*_[A-Z0-9_]+\b")
_ERRNO = re.compile(r"\bE[A-Z0-9]{2,}\b")
_SILENT = ("NAME", "SYNOPSIS", "EXAMPLES", "EXAMPLE", "SEE ALSO", "COLOPHON")
"""Sections that claim nothing: they show how a call is written, or lead on."""

_SINCE = re.compile(r"(?:since|from)\s+Linux\s+(\d+(?:\.\d+)+)", re.IGNORECASE)
_BEFORE = re.compile(r"(?:before|until)\s+Linux\s+(\d+(?:\.\d+)+)", re.IGNORECASE)


def read_documents(folders: Sequence[Path]) -> Documents:
    """Return what the manual in ``folders`` says (see ``manual.read_manual``)."""
    manual = read_manual(folders)
    overview = _read_overview(manual.overview, manual) if manual.overview else ()
    claims = [*overview, *(claim for page in manual.pages for claim in _read_page_claims(page))]
    silent = {
        name: Place(page.title, "", str(page.file), None) for name, page in manual.by_name.items()
    }
    return Documents(manual.edition, claims, silent, complete=True)


def _read_overview(page: Page, manual: Manual) -> Iterator[Claim]:
    """Give the claims of capabilities(7): below each capability's name, that name, and every page
    of section 2 that is referred to. A reference to a page that is no syscall's own (ioctl_tty)
    covers what that page is about."""
    seen = set()
    for passage in page.passages:
        capability = _CAPABILITY.match(passage.tags[0]) if passage.tags else None
        if capability is None or passage.code:
            continue
        name = capability[0]
        if name not in seen:
            seen.add(name)
            yield Claim(
                name, frozenset(), frozenset(), _make_place(page, passage, passage.lines[0])
            )
        for sentence in split_sentences(passage.lines):
            for line in sentence:
                for reference in _REFERENCE.findall(line.text):
                    of = manual.by_name.get(reference)
                    named = frozenset({reference} if not of or reference in of.functions else ())
                    covered = (of.names if of else frozenset()) - named
                    place = _make_place(page, passage, line)
                    releases = _find_releases(name, passage, sentence)
                    yield Claim(name, named, covered, place, *releases)


def _read_page_claims(page: Page) -> Iterator[Claim]:
    """Give the claims of a page: every capability that a passage of the page names, at the first
    place in it. Whom it is said of: those functions of the page that the passage names, else its
    item's or its subsection's heading, else all together; all together too where several
    capabilities and several functions are named at once ("CAP_X in the case of f(), or CAP_Y
    …")."""
    for passage in page.passages:
        if passage.code or passage.section in _SILENT:
            continue
        capabilities = set(_CAPABILITY.findall(passage.text))
        named = _find_named(passage, page.names) if capabilities else frozenset()
        if len(capabilities) > 1 and len(named) > 1:
            named = frozenset()
        for sentence in split_sentences(passage.lines):
            for line in sentence:
                for name in _CAPABILITY.findall(line.text):
                    if name in capabilities:
                        capabilities.remove(name)
                        place = _make_place(page, passage, line)
                        releases = _find_releases(name, passage, sentence)
                        yield Claim(name, named, page.names - named, place, *releases)


def _find_named(passage: Passage, names: frozenset[str]) -> frozenset[str]:
    """Return the functions that a passage is about, empty if it names none."""
    for text in (passage.text, *reversed(passage.tags), passage.subsection):
        named = names.intersection(_CALL.findall(text))
        if named:
            return named
    return frozenset()


def _make_place(page: Page, passage: Passage, line: Line) -> Place:
    """Return a place: its part is the section and, for an error, the error's name."""
    errors = [error for tag in passage.tags for error in _ERRNO.findall(tag)]
    part = passage.section
    if part.startswith("ERROR") and errors:
        part = f"{part} {errors[0]}"
    constants = dict.fromkeys(_CONSTANT.findall(" ".join((*passage.tags, passage.text))))
    return Place(page.title, part, str(page.file), line.number, tuple(constants))


def _find_releases(
    capability: str, passage: Passage, sentence: Sequence[Line]
) -> tuple[str | None, str | None]:
    """Return from which release on a claim holds, and before which, if that is beyond doubt: stated
    in the heading of its item, or at the beginning of a sentence that names no other capability."""
    text = " ".join(line.text for line in sentence).lstrip(" (")
    if set(_CAPABILITY.findall(text)) - {capability}:
        text = ""
    since, before = (
        [match[1] for tag in passage.tags for match in pattern.finditer(tag)]
        + [match[1] for match in [pattern.match(text)] if match]
        for pattern in (_SINCE, _BEFORE)
    )
    return (since[-1] if since else None, before[-1] if before else None)
