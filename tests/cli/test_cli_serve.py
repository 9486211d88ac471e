"""``leadwright serve``: its start, what it shows, its end."""

import json
import shlex
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

SEED_ANSWER = {"success": True, "leadsAdded": 2, "duplicatesSkipped": 0, "invalidEntries": 0}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_told_to_stop(leadwright, number: signal.Signals) -> None:
    with leadwright.serving() as server, httpx.Client(base_url=server.url, trust_env=False) as client:
        assert client.get("/healthz").status_code == 200
        assert client.get("/readyz").status_code == 200
        assert client.get("/docs").status_code == 200
        assert (
            server.shown == f"Leadwright is ready: {server.url} (documentation: {server.url}/docs). Stop it with ^C.\n"
        )
        # The connection is kept open: an idle one must not hold the end up.
        process = server.process
        process.send_signal(number)
        assert process.wait(timeout=10) == 0


def test_logs_are_json_on_standard_error_and_name_unknown_settings(leadwright) -> None:
    with leadwright.but(rate_limt="5").serving() as server:
        assert server.end(signal.SIGTERM) == 0
        lines = [json.loads(line) for line in server.log.read_text().splitlines()]
    assert "LEADWRIGHT_RATE_LIMT" in [line.get("setting") for line in lines if line["level"] == "warning"]
    assert [line["url"] for line in lines if line["event"] == "ready"] == [server.url]


@pytest.mark.parametrize(
    ("options", "advice"),
    [
        ([], "Take another one: leadwright serve --port 8080"),
        (["--dev"], "Take another one: leadwright serve --dev --port 8080 (or: make run PORT=8080)"),
    ],
)
def test_a_busy_port(leadwright, options: list[str], advice: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = leadwright("serve", "--port", str(port), *options)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == f"leadwright: Port {port} is in use. {advice}\n"


def test_an_address_that_is_not_this_machines(leadwright) -> None:
    refused = leadwright("serve", "--host", "192.0.2.1", "--port", "0")
    assert refused.returncode == 1
    assert refused.stderr.startswith("leadwright: Cannot listen on 192.0.2.1 port 0: ")


def send(command: str) -> httpx.Response:
    """Sends what the shown curl would: the shell's words, taken apart."""
    words = shlex.split(command)
    assert words[:3] == ["curl", "-X", "POST"]
    headers = dict(words[at + 1].split(": ") for at, word in enumerate(words) if word == "-H")
    body = words[words.index("-d") + 1]
    return httpx.post(words[3], headers=headers, content=body, trust_env=False)


def shown_command(shown: str) -> str:
    command = shown[shown.index("curl ") :]
    return command[: command.index("}'") + 2]


def test_development_shows_a_request_that_works_and_ends_the_last_key(leadwright) -> None:
    with leadwright.serving("--dev") as server:
        command = shown_command(server.shown)
        assert send(command).json() == SEED_ANSWER
        words = shlex.split(command)
        key = words[words.index("-H") + 1].removeprefix("X-API-Key: ")
        assert server.shown.count(key) == 5, "in the list, in each request and in the variables"
        assert server.end(signal.SIGINT) == 0
        assert key not in server.log.read_text()
    with leadwright.serving("--dev") as server:
        assert send(command.replace(words[3], f"{server.url}/v1/leads")).status_code == 401
        assert send(shown_command(server.shown)).json() == SEED_ANSWER | {"leadsAdded": 0, "duplicatesSkipped": 2}
    (campaign,) = json.loads(leadwright.done("campaigns", "list", "--json"))
    assert (campaign["name"], campaign["status"], campaign["totalLeads"]) == ("First campaign", "draft", 2)
    keys = json.loads(leadwright.done("keys", "list", "--json"))
    assert [(each["name"], each["revokedAt"] is None) for each in keys] == [
        ("development", False),
        ("development", True),
    ]


def test_the_secret_key_file_is_made_at_the_start(leadwright) -> None:
    file = Path(leadwright.settings["data_dir"]) / "secret.key"
    with leadwright.serving():
        assert file.stat().st_mode & 0o777 == 0o600
    with leadwright.but(secret_key="0123456789abcdef", data_dir="/nonexistent/leadwright").serving() as server:
        assert httpx.get(f"{server.url}/readyz", trust_env=False).status_code == 200


@pytest.mark.parametrize("closed", ["2>&-", "0<&- 2>&-", "0<&- 1>&- 2>&-"])
def test_it_serves_with_its_standard_streams_closed(leadwright, closed: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    command = f'exec "{sys.executable}" -m leadwright serve --port {port} {closed}'
    process = subprocess.Popen(["sh", "-c", command], env=leadwright.environment, cwd=leadwright.folder)
    try:
        with httpx.Client(transport=httpx.HTTPTransport(retries=8), trust_env=False) as client:
            assert client.get(f"http://127.0.0.1:{port}/readyz").status_code == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
    finally:
        process.kill()
        process.wait()
