"""Find what no configuration of a release builds."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from caphistory.history.model import BrokenObject
from caphistory.indexing.kconfig import Option, possible_options, read_options

# Where the program that reads Kconfig is, with files to try it on.
_READER = "scripts/kconfig/"
# By ABI, the folders of arch/ whose options its kernels may have: that of x86_64 took some of
# i386's files up to 2.6.23.
_ARCHITECTURES = {"i386": ("i386", "x86"), "x86_64": ("x86_64", "i386", "x86")}
_CONTINUED = re.compile(r"\\\n")
_ASSIGNMENT = re.compile(r"(?P<name>[\w.$(){}-]+)\s*[:+?]?=(?P<value>.*)")
_BY_OPTION = re.compile(r"[\w.-]*-\$[({]CONFIG_(\w+)[)}]")
_VARIABLE = re.compile(r"\$[({]\w+[)}]")
_OBJECT = re.compile(rf"((?:[\w./-]|{_VARIABLE.pattern})+)\.o\b")


class Rule(NamedTuple):
    """A line of a Makefile that names objects, without their ``.o``: the variable that it adds them
    to, and the option that it needs, or ``""``."""

    variable: str
    option: str
    objects: tuple[str, ...]


class Said(NamedTuple):
    """What a file says of options: those that it defines, those that it sets itself, the paths of
    other files that define some, and what it builds."""

    options: tuple[Option, ...] = ()
    given: frozenset[str] = frozenset()
    sources: frozenset[str] = frozenset()
    rules: tuple[Rule, ...] = ()


def find_unbuilt(
    blobs: Mapping[str, str], read: Callable[[str], bytes], abi: str, cache: dict[str, Said]
) -> set[str]:
    """Return the C files that need an option which no kernel with an ABI has: fs/umsdos of 2.6
    waits for CONFIG_UMSDOS, but the option is CONFIG_UMSDOS_FS; drivers/scsi/cxlflash of 6.8 is for
    powerpc.

    ``blobs`` are git blob ids by path, which ``read`` takes; ``cache`` keeps what files say, by git
    id, from release to release. A release without Kconfig (2.4), or with a part of it, tells
    nothing.
    """
    said = dict(_read_all(blobs, read, cache))
    sources = {source for each in said.values() for source in each.sources}
    if not sources or any(not one.startswith("arch/") for one in sources - said.keys()):
        return set()
    own = (each for path, each in said.items() if _is_of(path, abi))
    options = possible_options((option for each in own for option in each.options), abi)
    options = options.union({""}, *(each.given for each in said.values()))
    unbuilt = set[str]()
    for path, each in said.items():
        needy = [rule for rule in each.rules if rule.option not in options]
        if needy:
            unbuilt.update(_places(path, _parts_of(needy, each.rules)))
    if not unbuilt:
        return unbuilt
    for path, each in said.items():
        names = {name for rule in each.rules for name in rule.objects}
        needy = [rule for rule in each.rules if rule.option not in options]
        built = _places(path, names - _parts_of(needy, each.rules))
        unbuilt -= built
        for varied in (one for one in built if "$" in one):
            # signal_$(BITS).o of arch/x86/kernel (6.8) is signal_32.o.
            like = re.compile(".+".join(map(re.escape, _VARIABLE.split(varied))))
            unbuilt = {place for place in unbuilt if not like.fullmatch(place)}
    return unbuilt


def _is_of(path: str, abi: str) -> bool:
    """Whether a path is not one of other architectures."""
    top, _, rest = path.partition("/")
    return top != "arch" or "/" not in rest or rest.partition("/")[0] in _ARCHITECTURES[abi]


def _places(makefile: str, names: Iterable[str]) -> set[str]:
    """The paths of objects' C files, as a Makefile names the objects."""
    folder = posixpath.dirname(makefile)
    return {posixpath.normpath(posixpath.join(folder, f"{name}.c")) for name in names}


def _parts_of(needy: list[Rule], rules: Iterable[Rule]) -> set[str]:
    """The objects that only rules name which need what is not there, and those that they alone are
    made of: ``umsdos-objs := dir.o``."""
    gone = {name for rule in needy for name in rule.objects}
    while True:
        stems = {f"{name}-{end}" for name in gone for end in ("objs", "y")}
        lost = [rule for rule in rules if rule in needy or rule.variable in stems]
        kept = {name for rule in rules if rule not in lost for name in rule.objects}
        found = {name for rule in lost for name in rule.objects} - kept
        if found == gone:
            return found
        gone = found


def _read_all(
    blobs: Mapping[str, str], read: Callable[[str], bytes], cache: dict[str, Said]
) -> Iterator[tuple[str, Said]]:
    """What each Makefile and Kconfig says, by path; those that cannot be read say nothing."""
    for path, blob in blobs.items():
        name = posixpath.basename(path)
        makes = name in ("Makefile", "Kbuild")
        if makes or (name.startswith("Kconfig") and not path.startswith(_READER)):
            if blob not in cache:
                try:
                    cache[blob] = _read_rules(read(blob)) if makes else _read_options(read(blob))
                except BrokenObject:
                    continue
            yield path, cache[blob]


def _read_options(kconfig: bytes) -> Said:
    options, sources = read_options(kconfig.decode("latin-1"))
    return Said(tuple(options), sources=frozenset(sources))


def _read_rules(makefile: bytes) -> Said:
    options, rules = set[str](), list[Rule]()
    for line in _CONTINUED.sub(" ", makefile.decode("latin-1")).splitlines():
        text = line.partition("#")[0].strip()
        assigned = _ASSIGNMENT.fullmatch(text.removeprefix("export "))
        if not assigned:
            continue
        name = assigned["name"]
        if name.startswith("CONFIG_"):
            options.add(name.removeprefix("CONFIG_"))
        elif objects := _OBJECT.findall(assigned["value"]):
            option = _BY_OPTION.fullmatch(name)
            rules.append(Rule(name, option[1] if option else "", tuple(objects)))
    return Said(given=frozenset(options), rules=tuple(rules))
