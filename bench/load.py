"""A load generator that costs little: keep-alive connections that send prepared requests, in a process of its own."""

import asyncio
import json
import multiprocessing
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from typing import Self

import uvloop

from bench.batches import Batch


@dataclass(frozen=True, slots=True)
class Request:
    """A GET of ``path``, or with a batch a POST of it."""

    path: str
    batch: Batch | None = None

    def encoded(self, key: str) -> bytes:
        body = b"" if self.batch is None else self.batch.body()
        head = (
            f"{'GET' if self.batch is None else 'POST'} {self.path} HTTP/1.1\r\n"
            f"Host: bench\r\nX-API-Key: {key}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body


@dataclass(slots=True)
class Load:
    """What one run of the generator saw. ``counted`` adds up the numbers in the answers to POSTs."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list[float])
    counted: Counter[str] = field(default_factory=Counter[str])


def percentile(latencies: Sequence[float], share: float) -> float:
    ordered = sorted(latencies)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


class Generator:
    """A process that sends. It writes the requests before the clock starts."""

    def __enter__(self) -> Self:
        self._process = ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"))
        return self

    def __exit__(self, *_: object) -> None:
        self._process.shutdown()

    def send(self, port: int, key: str, requests: Sequence[Request], *, connections: int) -> Load:
        """Sends each request once to 127.0.0.1. Raises RuntimeError for an answer that is not a 2xx."""
        return self._process.submit(_run, port, key, list(requests), connections).result()


def _run(port: int, key: str, requests: list[Request], connections: int) -> Load:
    encoded = [(request.encoded(key), request.batch is not None) for request in requests]
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_send_all(port, encoded, connections))


async def _send_all(port: int, requests: list[tuple[bytes, bool]], connections: int) -> Load:
    load = Load()
    waiting = iter(requests)
    opened = [await asyncio.open_connection("127.0.0.1", port) for _ in range(connections)]
    started = time.perf_counter()
    await asyncio.gather(*(_send(reader, writer, waiting, load) for reader, writer in opened))
    load.seconds = time.perf_counter() - started
    for _, writer in opened:
        writer.close()
    return load


async def _send(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, waiting: Iterator[tuple[bytes, bool]], load: Load
) -> None:
    for request, counts in waiting:
        started = time.perf_counter()
        writer.write(request)
        body = await _answer(reader)
        load.latencies.append(time.perf_counter() - started)
        if counts:
            load.counted.update({name: n for name, n in json.loads(body).items() if type(n) is int})


async def _answer(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines[1:] if ": " in line)
    body = await reader.readexactly(int(headers["content-length"]))
    if lines[0].split()[1][0] != "2":
        raise RuntimeError(f"{lines[0]}: {body[:300]!r}")
    return body
