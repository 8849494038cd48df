"""Link to the source of a release in a public source browser, and to an archive."""

from __future__ import annotations

import re
from urllib.parse import quote

#: A source browser that has every release of the default history. It names releases as its
#: repository names its tags: with ``v`` since 2.5, without before.
SOURCE_BROWSER = "https://elixir.bootlin.com/linux"
_FIRST_WITH_V = (2, 5)


def link_to_source(release: str, path: str, line: int | None = None) -> str:
    """Return the URL of a file of a release in the source browser, at ``line`` if given."""
    number = re.match(r"(\d+)\.(\d+)", release)
    newer = number is not None and (int(number[1]), int(number[2])) >= _FIRST_WITH_V
    tag = f"v{release}" if newer else release
    at = f"#L{line}" if line else ""
    return f"{SOURCE_BROWSER}/{quote(tag, safe='')}/source/{quote(path)}{at}"


def link_to_archive(swhid: str) -> str:
    """Return the URL of what a SWHID names in the archive of Software Heritage."""
    return f"https://archive.softwareheritage.org/{quote(swhid, safe=':;=')}"
