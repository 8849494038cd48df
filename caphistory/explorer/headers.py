"""Set the headers of every page: security, compression, and what a browser may keep."""

from __future__ import annotations

import zlib
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
Receive = Callable[[], Awaitable[Message]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]

PAGES = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self' data:;"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
"""The headers of this package's pages. They contain no scripts, so nothing that came from a kernel
can run as one."""

SCRIPTED = {
    "Content-Security-Policy": PAGES["Content-Security-Policy"] + "; script-src 'self'",
}
"""The headers of the two pages whose lists can be filtered as one types: by a file of this package
alone."""

DATASETTES = {
    **PAGES,
    # Datasette's own pages contain inline scripts and styles.
    "Content-Security-Policy": "default-src 'self'; script-src 'self' 'unsafe-inline';"
    " style-src 'self' 'unsafe-inline'; img-src 'self' data:; form-action 'self';"
    " base-uri 'none'; frame-ancestors 'none'",
}
"""The headers of Datasette's own pages, which may at least load nothing from other hosts."""

_TEXTS = (b"text/", b"application/json", b"application/javascript", b"image/svg")


def add_headers(application: Application, headers: dict[str, str]) -> Application:
    """Return ``application`` with ``headers`` added to every response that does not set them."""
    lines = [(name.lower().encode(), value.encode()) for name, value in headers.items()]

    async def wrapped(scope: Message, receive: Receive, send: Send) -> None:
        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = list(message.get("headers", []))
                names = {name.lower() for name, _ in given}
                message["headers"] = given + [line for line in lines if line[0] not in names]
            await send(message)

        await application(scope, receive, sending)

    return wrapped


def compress(application: Application) -> Application:
    """Return ``application`` with texts compressed for clients that take gzip."""

    async def wrapped(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _takes_gzip(scope):
            await application(scope, receive, send)
            return
        # 31: gzip, with the largest window.
        packer = zlib.compressobj(6, zlib.DEFLATED, 31)
        packed = False

        async def sending(message: Message) -> None:
            nonlocal packed
            if message["type"] == "http.response.start":
                packed = _is_text(message)
                if packed:
                    message["headers"] = [
                        *(
                            line
                            for line in message["headers"]
                            if line[0].lower() != b"content-length"
                        ),
                        (b"content-encoding", b"gzip"),
                        (b"vary", b"accept-encoding"),
                    ]
            elif message["type"] == "http.response.body" and packed:
                more = message.get("more_body", False)
                body = packer.compress(message.get("body", b""))
                body += packer.flush(zlib.Z_SYNC_FLUSH if more else zlib.Z_FINISH)
                message = {**message, "body": body}
            await send(message)

        await application(scope, receive, sending)

    return wrapped


def _takes_gzip(scope: Message) -> bool:
    return any(
        name.lower() == b"accept-encoding" and b"gzip" in value for name, value in scope["headers"]
    )


def _is_text(message: Message) -> bool:
    headers = {name.lower(): value for name, value in message.get("headers", [])}
    return (
        message["status"] not in (204, 304)
        and b"content-encoding" not in headers
        and headers.get(b"content-type", b"").startswith(_TEXTS)
    )
