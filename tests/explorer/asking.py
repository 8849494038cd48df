"""Asking Datasette for a page without a network."""

from __future__ import annotations

import asyncio
import html
from urllib.parse import urlencode

import httpx
from datasette.app import Datasette


def page(explorer: Datasette, path: str, /, **parameters: str) -> httpx.Response:
    """What the explorer answers at ``path``; a parameter's trailing ``_`` is left out."""

    async def get() -> httpx.Response:
        await explorer.invoke_startup()
        query = {name.rstrip("_"): value for name, value in parameters.items()}
        address = path + ("?" + urlencode(query) if query else "")
        answer: httpx.Response = await explorer.client.get(address)
        return answer

    return asyncio.run(get())


def follow(explorer: Datasette, path: str, /, **parameters: str) -> httpx.Response:
    """What the explorer answers at ``path``, or where that leads to, as ``page`` asks."""
    response = page(explorer, path, **parameters)
    while response.status_code in (301, 302):
        response = page(explorer, response.headers["location"])
    return response


def escaped(text: str) -> str:
    """``text`` as templates write it in HTML."""
    return html.escape(text).replace("&#x27;", "&#39;")
