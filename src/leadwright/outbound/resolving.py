"""Asking the system for the addresses of a name, so that a name server that does not answer holds up no other name."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable
from typing import Any

from aiohttp.abc import ResolveResult

AddressInfos = list[tuple[Any, ...]]
Lookup = Callable[[str, socket.AddressFamily], AddressInfos]
MOST_LOOKUPS = 100
"""Names that are asked for at the same time; the next ones wait."""


def ask_system(host: str, family: socket.AddressFamily) -> AddressInfos:
    return socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, family=family)


class SystemResolver:
    """``getaddrinfo`` blocks for as long as it likes and cannot be stopped, so each lookup has a thread of its own.

    Not one of the event loop's few, which a handful of dead names would fill for all the others, and which the end of
    the process would wait for. Who asks for a name that is being asked for shares the answer.
    """

    def __init__(self, lookup: Lookup = ask_system) -> None:
        self._lookup = lookup
        self._under_way: dict[tuple[str, socket.AddressFamily], asyncio.Future[AddressInfos]] = {}
        self._places = asyncio.Semaphore(MOST_LOOKUPS)

    async def __call__(self, host: str, port: int, family: socket.AddressFamily) -> list[ResolveResult]:
        """Raises OSError when the name cannot be resolved."""
        key = (host, family)
        if key not in self._under_way:
            task = asyncio.get_running_loop().create_task(self._ask(host, family), name="resolve")
            self._under_way[key] = task
            task.add_done_callback(lambda ended: self._ended(key, ended))
        found = await asyncio.shield(self._under_way[key])
        return [_result(host, port, each) for each in found]

    def _ended(self, key: tuple[str, socket.AddressFamily], ended: "asyncio.Future[AddressInfos]") -> None:
        del self._under_way[key]
        if not ended.cancelled():
            ended.exception()  # those who asked may have given up: then nobody else looks at it

    async def _ask(self, host: str, family: socket.AddressFamily) -> AddressInfos:
        async with self._places:
            answer: asyncio.Future[AddressInfos] = asyncio.get_running_loop().create_future()
            threading.Thread(target=self._in_thread, args=(host, family, answer), daemon=True, name="resolve").start()
            return await answer

    def _in_thread(self, host: str, family: socket.AddressFamily, answer: "asyncio.Future[AddressInfos]") -> None:
        try:
            found: AddressInfos | Exception = self._lookup(host, family)
        except Exception as error:  # noqa: BLE001 -- of whatever kind, it is for those who asked
            found = error
        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
            answer.get_loop().call_soon_threadsafe(_tell, answer, found)


def _tell(answer: "asyncio.Future[AddressInfos]", found: AddressInfos | Exception) -> None:
    if answer.done():
        return
    if isinstance(found, Exception):
        answer.set_exception(found)
    else:
        answer.set_result(found)


def _result(host: str, port: int, info: tuple[Any, ...]) -> ResolveResult:
    family, _, proto, _, address = info
    return ResolveResult(
        hostname=host,
        host=str(address[0]),
        port=port,
        family=family,
        proto=proto,
        flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
    )
