"""A load generator that costs little: keep-alive connections that send prepared requests, in a process of its own."""

import asyncio
import json
import multiprocessing
import time
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Load:
    """What one run of the generator saw."""

    seconds: float
    latencies: list[float]
    answers: list[dict[str, object]]

    def percentile(self, share: float) -> float:
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def post_all(port: int, path: str, key: str, bodies: Sequence[bytes], *, connections: int) -> Load:
    """Posts every body once over ``connections`` connections to 127.0.0.1; every answer must be a 2xx."""
    with multiprocessing.get_context("fork").Pool(1) as pool:
        return pool.apply(_run, (port, path, key, list(bodies), connections))


def _run(port: int, path: str, key: str, bodies: list[bytes], connections: int) -> Load:
    return asyncio.run(_post_all(port, path, key, bodies, connections))


async def _post_all(port: int, path: str, key: str, bodies: list[bytes], connections: int) -> Load:
    head = f"POST {path} HTTP/1.1\r\nHost: bench\r\nX-API-Key: {key}\r\nContent-Type: application/json\r\n"
    requests = [f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body for body in bodies]
    waiting = iter(requests)
    latencies: list[float] = []
    answers: list[dict[str, object]] = []

    async def connection() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for request in waiting:
            started = time.perf_counter()
            writer.write(request)
            answers.append(await _answer(reader))
            latencies.append(time.perf_counter() - started)
        writer.close()

    started = time.perf_counter()
    await asyncio.gather(*(connection() for _ in range(connections)))
    return Load(time.perf_counter() - started, latencies, answers)


async def _answer(reader: asyncio.StreamReader) -> dict[str, object]:
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines[1:] if ": " in line)
    body = await reader.readexactly(int(headers["content-length"]))
    if lines[0].split()[1][0] != "2":
        raise RuntimeError(f"{lines[0]}: {body[:300]!r}")
    return json.loads(body)
