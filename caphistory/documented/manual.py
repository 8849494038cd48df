"""The manual of this machine: its pages of section 2 and capabilities(7), read when asked.

The manual's text is not kept, only what it names and where.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from caphistory.documented.groff import Passage, read_page, split_arguments, strip_escapes
from caphistory.errors import CaphistoryError, NothingFound

DEFAULT_FOLDERS = (Path("/usr/local/share/man"), Path("/usr/local/man"), Path("/usr/share/man"))
"""Where manual pages are, unless MANPATH says otherwise."""

# Since 6.10 what one operation of a syscall does has a page of its own: PR_SET_MM(2const).
_SYSCALLS = ("man2", "man2const", "man2type")
_OVERVIEWS = ("man7",)
_OVERVIEW = "capabilities(7)"
_FILE = re.compile(r"(?P<name>.+)\.(?P<section>\d\w*)(?:\.(?:gz|xz|bz2))?")
_UNPACK: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.decompress,
    ".xz": lzma.decompress,
    ".bz2": bz2.decompress,
}
_INCLUDE = re.compile(r"\.so\s+(?:\S*/)?(?P<page>[^\s/]+)\s*")


class Page(NamedTuple):
    """A page: ``title`` is as in ``mount(2)``; ``functions`` are what its SYNOPSIS declares,
    ``names`` these and whatever else it is about, by its NAME and by the names of the files
    that stand for it."""

    title: str
    file: Path
    functions: frozenset[str]
    names: frozenset[str]
    passages: tuple[Passage, ...]


class Manual(NamedTuple):
    """``edition`` is what the pages call the whole (``Linux man-pages 6.03``), ``pages`` are
    those of section 2, ``overview`` is capabilities(7), ``by_name`` finds the page of section 2
    for the name of a function or of a file."""

    edition: str
    pages: tuple[Page, ...]
    overview: Page | None
    by_name: Mapping[str, Page]


class _Source(NamedTuple):
    """A page: its file and its unpacked text."""

    file: Path
    text: str


def list_manual_folders(given: Path | None) -> list[Path]:
    """Return the folders to look for pages in: ``given`` (with ``man2`` and ``man7`` in it, or in
    its folder ``man``), else those of MANPATH, where an empty part stands for the usual
    ones, else the usual ones."""
    if given is not None:
        return [given, given / "man"]
    parts = os.environ.get("MANPATH", "").split(":")
    return [folder for part in parts for folder in ([Path(part)] if part else DEFAULT_FOLDERS)]


def read_manual(folders: Sequence[Path]) -> Manual:
    """Return the manual in ``folders``; a page in an earlier folder hides the same page in a later
    one.

    Raises NothingFound where there is no page of section 2 and no capabilities(7), and
    CaphistoryError where a page cannot be read.
    """
    sources = _read_sources(folders, _SYSCALLS)
    overview = _read_sources(folders, _OVERVIEWS, _OVERVIEW).get(_OVERVIEW)
    if not sources and overview is None:
        raise NothingFound(_explain_absence(folders))
    aliases: dict[str, set[str]] = {}
    for title in sources:
        aliases.setdefault(_resolve_alias(title, sources), set()).add(_strip_section(title))
    pages = [_make_page(title, sources[title], names) for title, names in aliases.items()]
    by_function = {name: page for page in reversed(pages) for name in page.names}
    by_file = {name: page for page in pages for name in aliases[page.title]}
    first = overview or next(iter(sources.values()))
    return Manual(
        _read_edition(first.text),
        tuple(pages),
        None if overview is None else _make_page(_OVERVIEW, overview, ()),
        {**by_function, **by_file},
    )


def _explain_absence(folders: Iterable[Path]) -> str:
    """Return the message for folders without any manual."""
    places = ", ".join(dict.fromkeys(map(str, folders)))
    return (
        f"no manual page of section 2 and no capabilities(7) in {places}: install them (Debian and"
        " Ubuntu: apt install manpages manpages-dev), or name the folder that holds man2 and man7"
        " with --manual"
    )


def _read_sources(
    folders: Iterable[Path], sections: Sequence[str], only: str | None = None
) -> dict[str, _Source]:
    """Return the pages of ``sections`` by title, in the order of their titles."""
    files: dict[str, Path] = {}
    for folder in folders:
        for section in sections:
            for file in _list_files(folder / section):
                title = _read_title(file)
                if title is not None and only in (None, title):
                    files.setdefault(title, file)
    return {title: _Source(file, _read_text(file)) for title, file in sorted(files.items())}


def _list_files(folder: Path) -> list[Path]:
    """Return the files in a folder, sorted; none if there is no such folder."""
    try:
        return sorted(file for file in folder.iterdir() if file.is_file())
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise CaphistoryError(f"cannot read {folder}: {error.strerror}") from error


def _read_title(file: Path) -> str | None:
    """Return ``mount(2)`` for ``mount.2.gz``, None for what is no page."""
    match = _FILE.fullmatch(file.name)
    return f"{match['name']}({match['section']})" if match else None


def _read_edition(text: str) -> str:
    """Return the edition of the manual that the heading of a page names."""
    heading = re.search(r"^\.TH\s+(.*)", text, re.MULTILINE)
    given = [strip_escapes(argument) for argument in split_arguments(heading[1])] if heading else []
    if len(given) < 4 or not given[3].strip():
        return "manual"
    # Before 6.00 it says only "Linux": the date tells the edition.
    return given[3] if re.search(r"\d", given[3]) else f"{given[3]} {given[2]}"


def _strip_section(title: str) -> str:
    """Return ``mount`` for ``mount(2)``."""
    return title.partition("(")[0]


def _read_text(file: Path) -> str:
    """Return the text of a file, unpacked; raises CaphistoryError if it cannot be read."""
    try:
        content = file.read_bytes()
        unpack = _UNPACK.get(file.suffix)
        content = unpack(content) if unpack else content
    except (OSError, EOFError, ValueError, lzma.LZMAError, zlib.error) as error:
        raise CaphistoryError(f"cannot read {file}: {error}") from error
    # Translations and old pages are in Latin-1.
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _resolve_alias(title: str, sources: Mapping[str, _Source]) -> str:
    """Return the title of the page whose text ``title`` shows: by .so, by a link, or its own."""
    seen = set()
    while title not in seen:
        seen.add(title)
        file, text = sources[title]
        includes = (_INCLUDE.fullmatch(line) for line in text.splitlines()[:5])
        include = next((match["page"] for match in includes if match), file.resolve().name)
        target = _read_title(Path(include))
        title = target if target is not None and target in sources else title
    return title


def _make_page(title: str, source: _Source, aliases: Iterable[str]) -> Page:
    """Return the page of a source; ``aliases`` are the names of the files that show it."""
    passages = read_page(source.text)
    functions, names = frozenset(_list_declared(passages)), frozenset(_list_named(passages))
    return Page(title, source.file, functions, functions | names | set(aliases), passages)


def _list_declared(passages: Iterable[Passage]) -> Iterator[str]:
    """Give the functions that SYNOPSIS declares (that of ioctl_tty(2) declares ioctl), and the
    syscalls that it calls by SYS_name for want of a function in the library."""
    for passage in passages:
        if passage.section == "SYNOPSIS":
            for line in passage.lines:
                declared = re.match(r"[^(#/]*[\s*](\w+)\(", line.text)
                yield from declared.groups() if declared else ()
                yield from re.findall(r"\bSYS_(\w+)", line.text)


def _list_named(passages: Iterable[Passage]) -> Iterator[str]:
    """Give the names in NAME, and the functions in its one line (that of ioctl_iflags(2), which has
    no SYNOPSIS, mentions ioctl())."""
    for passage in passages:
        if passage.section == "NAME":
            listed, _, what = passage.text.partition(" - ")
            yield from re.findall(r"\w+", listed)
            yield from re.findall(r"\b(\w+)\(\)", what)
