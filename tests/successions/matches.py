"""Small kernels given as text: their check sites, and what became of them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from caphistory.successions.contexts import File, Site, read_file
from caphistory.successions.matching import Match, Side, match

_CHECK = re.compile(r"(suser|fsuser)\(\)|(capable)\((\w+)\)|current->(euid) == 0")

Kernel = Mapping[str, str]
"""The text of each file by its path."""


def files(kernel: Kernel, first: int = 0) -> list[File]:
    """Its files with the sites in them, numbered from ``first`` on."""
    read = []
    for path, text in kernel.items():
        found = []
        for number, line in enumerate(text.split("\n"), 1):
            for check in _CHECK.finditer(line):
                name = check[1] or check[2] or "uid0"
                found.append(Site(first, path, None, number, name, check[3], None, "deny"))
                first += 1
        contexts = read_file(path, text.encode(), found).contexts
        named = [one.site._replace(function=one.function.name) for one in contexts]
        read.append(read_file(path, text.encode(), named))
    return read


def became(before: Kernel, after: Kernel) -> list[tuple[str, str, str]]:
    """What became of the checks: before, fate and after, each check as ``function asks``."""
    old, new = files(before), files(after, 1000)
    sites = {
        one.site.key: f"{one.site.function} {one.site.capability or one.site.check_name}"
        for file in (*old, *new)
        for one in file.contexts
    }
    return sorted(
        (
            sites.get(one.before or 0, "") if one.before is not None else "",
            one.fate,
            sites[one.after] if one.after is not None else "",
        )
        for one in matches(before, after)
    )


def matches(before: Kernel, after: Kernel) -> list[Match]:
    """The matches between two kernels."""
    return match(Side(files(before)), Side(files(after, 1000)))
