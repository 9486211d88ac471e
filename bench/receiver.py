"""A receiver of webhooks that costs as little as can be: counts posts and answers 204, below ``/hang`` nothing.

``GET /`` answers how many posts it has accepted.
"""

import asyncio


class Receiver(asyncio.Protocol):
    accepted = 0

    def __init__(self) -> None:
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            head = self._received[:end]
            whole = end + 4 + _length(head)
            if len(self._received) < whole:
                return
            self._received = self._received[whole:]
            self._answer(head)

    def _answer(self, head: bytes) -> None:
        if head.startswith(b"GET "):
            count = str(Receiver.accepted).encode()
            self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(count), count))
        elif not head.startswith(b"POST /hang"):
            Receiver.accepted += 1
            self._transport.write(b"HTTP/1.1 204 No Content\r\n\r\n")


def _length(head: bytes) -> int:
    _, found, rest = head.lower().partition(b"content-length: ")
    return int(rest.partition(b"\r\n")[0]) if found else 0


async def main() -> None:
    server = await asyncio.get_running_loop().create_server(Receiver, "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
