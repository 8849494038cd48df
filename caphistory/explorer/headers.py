"""Set the security headers of every page."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Callable[[], Awaitable[Message]], Send], Awaitable[None]]

PAGES = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self' data:;"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
"""The headers of this package's pages. They contain no scripts, so nothing that came from a kernel
can run as one."""

DATASETTES = {
    **PAGES,
    # Datasette's own pages contain inline scripts and styles.
    "Content-Security-Policy": "default-src 'self'; script-src 'self' 'unsafe-inline';"
    " style-src 'self' 'unsafe-inline'; img-src 'self' data:; form-action 'self';"
    " base-uri 'none'; frame-ancestors 'none'",
}
"""The headers of Datasette's own pages, which may at least load nothing from other hosts."""


def add_headers(application: Application, headers: dict[str, str]) -> Application:
    """Return ``application`` with ``headers`` added to every response that does not set them."""
    lines = [(name.lower().encode(), value.encode()) for name, value in headers.items()]

    async def wrapped(
        scope: Message, receive: Callable[[], Awaitable[Message]], send: Send
    ) -> None:
        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = list(message.get("headers", []))
                names = {name.lower() for name, _ in given}
                message["headers"] = given + [line for line in lines if line[0] not in names]
            await send(message)

        await application(scope, receive, sending)

    return wrapped
