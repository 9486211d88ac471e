"""A name server that does not answer holds up no other name, and not the end of the process."""

import asyncio
import socket
import subprocess
import sys
import threading
from collections import Counter

import pytest

from leadwright.outbound.allowed import AllowedHosts
from leadwright.outbound.client import Failure, FailureCode, OutboundClient
from leadwright.outbound.resolving import MOST_LOOKUPS, SystemResolver, ask_system


class NameServer:
    """Knows every name; of one below ``dead.example`` it says nothing until it is ``released``."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.released = threading.Event()

    def __call__(self, host: str, family: socket.AddressFamily) -> list[tuple]:
        self.asked[host] += 1
        if host.endswith("dead.example"):
            assert self.released.wait(60)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.216.34", 0))]


@pytest.fixture
def server():
    made = NameServer()
    yield made
    made.released.set()


async def test_names_that_hang_hold_up_no_other(server):
    resolve = SystemResolver(server)
    dead = [asyncio.create_task(resolve(f"{number % 50}.dead.example", 443, socket.AF_INET)) for number in range(500)]
    async with asyncio.timeout(30):
        (found,) = await resolve("well.example", 8443, socket.AF_INET)
        assert (found["host"], found["port"]) == ("93.184.216.34", 8443)
        server.released.set()
        await asyncio.gather(*dead)
    assert set(server.asked.values()) == {1}, "who asks for a name that is being asked for shares the answer"


async def test_there_are_never_more_threads_than_places(server):
    resolve = SystemResolver(server)
    many = MOST_LOOKUPS + 20
    dead = [asyncio.create_task(resolve(f"{number}.dead.example", 443, socket.AF_INET)) for number in range(many)]
    for _ in range(10):
        await asyncio.sleep(0)
    assert sum(each.name == "resolve" for each in threading.enumerate()) <= MOST_LOOKUPS
    server.released.set()
    async with asyncio.timeout(30):
        await asyncio.gather(*dead)
    assert server.asked.total() == many


async def test_who_gives_up_takes_nobody_along(server):
    resolve = SystemResolver(server)
    first, second = (asyncio.create_task(resolve("a.dead.example", 443, socket.AF_INET)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    server.released.set()
    async with asyncio.timeout(30):
        assert await second
    assert first.cancelled()


async def test_an_unknown_name_is_told_and_asked_for_again():
    asked = 0

    def unknown(host: str, family: socket.AddressFamily) -> list[tuple]:
        nonlocal asked
        asked += 1
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    async with OutboundClient(AllowedHosts(), total=30, resolve=SystemResolver(unknown)) as client:
        for _ in range(2):
            outcome = await client.post("https://nowhere.example.com/", b"{}", {})
            assert isinstance(outcome, Failure)
            assert outcome.code is FailureCode.DNS_FAILED
    assert asked == 2


def test_the_system_is_asked():
    assert {info[4][0] for info in ask_system("127.0.0.1", socket.AF_INET)} == {"127.0.0.1"}


PROGRAM = """
import asyncio, socket, threading
from leadwright.outbound.resolving import SystemResolver

begun = threading.Event()

def never(host, family):
    begun.set()
    threading.Event().wait()

async def main():
    asking = asyncio.create_task(SystemResolver(never)("dead.example", 443, socket.AF_INET))
    await asyncio.to_thread(begun.wait)

asyncio.run(main())
"""


def test_the_end_of_the_process_waits_for_no_name():
    subprocess.run([sys.executable, "-c", PROGRAM], check=True, timeout=60, capture_output=True)
