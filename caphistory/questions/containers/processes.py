"""The capabilities of processes as /proc/PID/status, capsh and getpcaps print them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from caphistory.errors import UsageError
from caphistory.questions.containers.model import Container, Sets
from caphistory.questions.descriptions import list_numbers, read_descriptions

_FIELDS = {
    "Inh": "inheritable",
    "Prm": "permitted",
    "Eff": "effective",
    "Bnd": "bounding",
    "Amb": "ambient",
}
_STATUS = re.compile(
    r"^(?:(?P<file>\S*?)[:-])?[ \t]*Cap(?P<set>Inh|Prm|Eff|Bnd|Amb)[:=\s]\s*(?:0x)?"
    r"(?P<mask>[0-9a-fA-F]{1,16})\s*$",
    re.MULTILINE,
)
_MASK = re.compile(r"\s*(?:0x)?(?P<mask>[0-9a-fA-F]{8,16})\s*")
_CAPSH = re.compile(r"^\s*(?P<set>Current|Bounding set|Ambient set)\s*[:=]", re.MULTILINE)
_PCAPS = re.compile(
    r"^(?:Capabilities for [`']?(?P<old>\d+)'?|(?P<pid>\d+)): *(?P<text>.*)$", re.MULTILINE
)
_CLAUSE = re.compile(r"(?P<names>[\w,]*)(?P<changes>(?:[=+-][eip]*)+)")


def is_status(text: str) -> bool:
    """Whether ``text`` has Cap lines of /proc/PID/status, or is a mask alone."""
    return bool(_STATUS.search(text) or _MASK.fullmatch(text))


def read_status(text: str) -> Iterator[Container]:
    """Yield the processes whose Cap lines ``text`` has, one after the other; raise UsageError if
    one lacks CapEff."""
    alone = _MASK.fullmatch(text)
    if alone:
        yield Container("mask", runtime="", sets=Sets(effective=int(alone["mask"], 16)))
        return
    sets: dict[str, int] = {}
    before = None
    for line in _STATUS.finditer(text):
        field = _FIELDS[line["set"]]
        if sets and (field in sets or line["file"] != before):
            yield _make_process(text, sets, before)
            sets = {}
        sets[field], before = int(line["mask"], 16), line["file"]
    yield _make_process(text, sets, before)


def _make_process(text: str, sets: dict[str, int], file: str | None) -> Container:
    if "effective" not in sets:
        raise UsageError("a process has no CapEff line: what it holds is not known")
    named = re.search(r"^Name:\s*(\S+)", text, re.MULTILINE)
    found = re.search(r"^NoNewPrivs:\s*1", text, re.MULTILINE)
    name = file or (named[1] if named else "process")
    return Container(
        name, runtime="", sets=Sets(**sets), no_new_privileges=found is not None
    )


def is_capsh(text: str) -> bool:
    """Whether ``text`` is what ``capsh --print`` prints."""
    return _CAPSH.search(text) is not None


def read_capsh(text: str) -> Container:
    """Return the process that ``capsh --print`` describes; raise UsageError if the line with the
    current set is missing."""
    lines = {
        found["set"]: line[found.end() :]
        for line in text.splitlines()
        if (found := _CAPSH.match(line))
    }
    if "Current" not in lines:
        raise UsageError("the line Current: of capsh --print is missing")
    remarks: list[str] = []
    sets = _parse_text(lines["Current"], remarks)
    bounding = _list_names(lines.get("Bounding set", ""), remarks)
    ambient = _list_names(lines.get("Ambient set", ""), remarks)
    return Container(
        "process",
        runtime="",
        sets=sets._replace(bounding=bounding, ambient=ambient),
        remarks=tuple(remarks),
    )


def is_pcaps(text: str) -> bool:
    """Whether ``text`` is what ``getpcaps`` prints."""
    return any(_is_set(line["text"]) for line in _PCAPS.finditer(text))


def read_pcaps(text: str) -> Iterator[Container]:
    """Yield the processes that ``getpcaps`` describes."""
    for line in _PCAPS.finditer(text):
        if _is_set(line["text"]):
            remarks: list[str] = []
            sets = _parse_text(line["text"], remarks)
            yield Container(
                line["old"] or line["pid"], runtime="", sets=sets, remarks=tuple(remarks)
            )


def _is_set(text: str) -> bool:
    return text.strip() == "=" or ("=" in text and all(map(_CLAUSE.fullmatch, text.split())))


def _parse_text(text: str, remarks: list[str]) -> Sets:
    """Return the sets that libcap's text means (cap_from_text(3)): clauses such as
    ``cap_chown,cap_kill=ep``, where no names are all names."""
    sets: dict[str, set[str]] = {"e": set(), "i": set(), "p": set()}
    for clause in text.split():
        found = _CLAUSE.fullmatch(clause)
        if found is None:
            raise UsageError(f"{clause!r} is no set of capabilities as libcap writes it")
        names = set(_list_names(found["names"] or "all", remarks))
        for sign, flags in re.findall(r"([=+-])([eip]*)", found["changes"]):
            for letter, held in sets.items():
                if sign == "=" or (sign == "-" and letter in flags):
                    held -= names
                if sign != "-" and letter in flags:
                    held |= names
    return Sets(*(_order(sets[letter]) for letter in "epi"))


def _list_names(text: str, remarks: list[str]) -> tuple[str, ...]:
    """Return the capabilities in a list with commas; numbers are those without a name in
    libcap."""
    names = []
    for word in filter(None, re.split(r"[,\s]+", text.strip())):
        name = list_numbers().get(int(word), word) if word.isdecimal() else word.upper()
        if name == "ALL":
            names += list(read_descriptions())
        elif name in read_descriptions():
            names.append(name)
        else:
            remarks.append(f"ignored, no capability: {word}")
    return tuple(names)


def _order(names: set[str]) -> tuple[str, ...]:
    known = tuple(read_descriptions())
    return ("ALL",) if names.issuperset(known) else tuple(name for name in known if name in names)
