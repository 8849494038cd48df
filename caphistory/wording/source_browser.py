"""Where the source of a release can be looked at elsewhere."""

from __future__ import annotations

import re
from urllib.parse import quote

#: A source browser that holds every release of the default history. It names releases as its
#: repository names its tags: with ``v`` from 2.5 on, without before.
SOURCE_BROWSER = "https://elixir.bootlin.com/linux"
_FIRST_WITH_V = (2, 5)


def source(release: str, path: str, line: int | None = None) -> str:
    """The address of a file of a release in the public source browser, at a line of it."""
    number = re.match(r"(\d+)\.(\d+)", release)
    newer = number is not None and (int(number[1]), int(number[2])) >= _FIRST_WITH_V
    tag = f"v{release}" if newer else release
    at = f"#L{line}" if line else ""
    return f"{SOURCE_BROWSER}/{quote(tag, safe='')}/source/{quote(path)}{at}"
