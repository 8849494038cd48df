"""Asking Datasette for a page without a network."""

from __future__ import annotations

import asyncio
import html
from collections.abc import Mapping
from urllib.parse import urlencode

import httpx
from datasette.app import Datasette


def page(explorer: Datasette, path: str, /, **parameters: str) -> httpx.Response:
    """What the explorer answers at ``path``; a parameter's trailing ``_`` is left out."""
    return _get(explorer, path, parameters, follow=False)


def page_in_the_end(explorer: Datasette, path: str, /, **parameters: str) -> httpx.Response:
    """The same, or what the explorer answers where it redirects to."""
    return _get(explorer, path, parameters, follow=True)


def _get(
    explorer: Datasette, path: str, parameters: Mapping[str, str], *, follow: bool
) -> httpx.Response:
    async def get() -> httpx.Response:
        await explorer.invoke_startup()
        query = {name.rstrip("_"): value for name, value in parameters.items()}
        address = path + ("?" + urlencode(query) if query else "")
        answer: httpx.Response = await explorer.client.get(address, follow_redirects=follow)
        return answer

    return asyncio.run(get())


def escaped(text: str) -> str:
    """``text`` as templates write it in HTML."""
    return html.escape(text).replace("&#x27;", "&#39;")
