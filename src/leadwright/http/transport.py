"""Sends the head of an answer and its body together: one packet and one wake-up of the caller instead of two."""

import asyncio
from typing import Any

_HEAD = b"HTTP/1.1 "


class JoiningTransport:
    """A transport that holds a head back until the body comes or the event loop has gone round once.

    The HTTP server writes them one after the other, and without Nagle each write goes out by itself.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._held = b""

    def write(self, data: bytes) -> None:
        if self._held:
            data, self._held = self._held + data, b""
        elif data.startswith(_HEAD):
            self._held = data
            asyncio.get_running_loop().call_soon(self._flush)
            return
        self._transport.write(data)

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        if self._held:
            held, self._held = self._held, b""
            self._transport.write(held)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)
