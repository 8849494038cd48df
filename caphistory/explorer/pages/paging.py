"""Cut a long list into pages whose addresses keep what is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeVar
from urllib.parse import urlencode

from caphistory.errors import UsageError
from caphistory.explorer.pages.page import Asked

Item = TypeVar("Item")

_SIZE = 100


class Pages(NamedTuple):
    """Where a page is in its list: ``number`` of ``last``; ``query`` is the rest of its address."""

    number: int
    last: int
    query: tuple[tuple[str, str], ...]

    def address(self, number: int) -> str:
        """Return the address of another page of the list, relative to this one."""
        return "?" + urlencode([*self.query, ("page", str(number))])


def cut_page(asked: Asked, rows: Sequence[Item], size: int = _SIZE) -> tuple[Sequence[Item], Pages]:
    """Return the rows of the page asked for (parameter ``page``, from 1) and where it is; raise
    UsageError if there is no such page."""
    last = max(1, -(-len(rows) // size))
    text = asked.given("page") or "1"
    if not text.isdigit() or not 1 <= int(text) <= last:
        raise UsageError(f"no page {text!r}; the list has {last}")
    number = int(text)
    kept = tuple((name, value) for name, value in asked.query.items() if name != "page" and value)
    return rows[(number - 1) * size : number * size], Pages(number, last, kept)
