"""``leadwright work``: deliveries in a process of their own, and an end in time whatever receivers do."""

import json
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from typing import Any

import httpx
import pytest

ALLOWED = {"webhook_allow_hosts": "127.0.0.1"}


@contextmanager
def receiver() -> Iterator[tuple[str, "Queue[dict[str, Any]]"]]:
    got: Queue[dict[str, Any]] = Queue()

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/", got
        server.shutdown()
        thread.join()


@contextmanager
def at_work(leadwright: Any, *options: str) -> Iterator["subprocess.Popen[str]"]:
    with subprocess.Popen(
        [sys.executable, "-m", "leadwright", "work", *options],
        env=leadwright.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            parts = "deliveries" if "--deliveries" in options else "deliveries, engine"
            assert process.stdout.readline() == f"Leadwright is at work: {parts}. Stop it with ^C.\n"
            yield process
        finally:
            process.kill()


def caller(leadwright: Any, url: str) -> httpx.Client:
    key = leadwright.done("keys", "create", "--name", "test").splitlines()[-1]
    return httpx.Client(base_url=url, headers={"X-API-Key": key}, trust_env=False, timeout=30)


def start_campaign(client: httpx.Client) -> None:
    steps = {"steps": [{"id": "visit", "type": "visit_profile"}]}
    sender = client.post("/v1/senders", json={"name": "Sue", "linkedinUrl": "in/sue", "channel": "simulator"}).json()[
        "id"
    ]
    told = {"name": "Told", "senderIds": [sender], "sequence": steps}
    campaign = client.post("/v1/campaigns", json=told).json()["id"]
    assert client.patch(f"/v1/campaigns/{campaign}", json={"action": "start"}).status_code == 200


def test_it_delivers_what_a_server_without_work_leaves(leadwright) -> None:
    with leadwright.but(**ALLOWED).serving("--no-work") as server, receiver() as (url, got):
        with caller(leadwright, server.url) as client:
            webhook = client.post("/v1/webhooks", json={"url": url}).json()["id"]
            start_campaign(client)
            with at_work(leadwright.but(**ALLOWED), "--deliveries") as process:
                assert got.get(timeout=30)["eventType"] == "campaign.started"
                process.send_signal(signal.SIGTERM)
                assert process.wait(timeout=10) == 0
            log = client.get(f"/v1/webhooks/{webhook}/deliveries").json()["deliveries"]
        assert [each["status"] for each in log] == ["delivered"]
        assert got.empty()


@pytest.mark.parametrize("command", ["serve", "work"])
def test_a_receiver_that_hangs_does_not_hold_up_the_end(leadwright, command) -> None:
    """The post that is cut off is given back: another process may send it at once."""
    ours = leadwright.but(**ALLOWED)
    with socket.create_server(("127.0.0.1", 0)) as hanging, receiver() as (url, got):
        with (
            ours.serving(*([] if command == "serve" else ["--no-work"])) as server,
            caller(leadwright, server.url) as client,
        ):
            webhook = client.post("/v1/webhooks", json={"url": f"http://127.0.0.1:{hanging.getsockname()[1]}/"}).json()[
                "id"
            ]
            start_campaign(client)
            if command == "work":
                with at_work(ours) as process:
                    accepted, _ = hanging.accept()
                    process.send_signal(signal.SIGTERM)
                    assert process.wait(timeout=10) == 0
            else:
                accepted, _ = hanging.accept()
            with accepted:
                assert client.patch(f"/v1/webhooks/{webhook}", json={"url": url}).status_code == 200
                assert server.end(signal.SIGTERM) == 0
        with at_work(ours):
            assert got.get(timeout=20)["eventType"] == "campaign.started"


def test_an_event_stream_does_not_hold_up_the_end(leadwright) -> None:
    with leadwright.serving() as server, caller(leadwright, server.url) as client:
        with client.stream("GET", "/v1/events", headers={"Accept": "text/event-stream"}) as answer:
            lines = answer.iter_lines()
            assert next(lines) == "retry: 2000"
            server.process.send_signal(signal.SIGTERM)
            assert list(lines) == [""]
        assert server.process.wait(timeout=5) == 0
