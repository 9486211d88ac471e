"""One serving process from its first check to its last connection, for ``serve`` and ``demo``."""

import asyncio
import contextlib
import errno
import gc
import signal
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import uvloop

from leadwright.cli import development
from leadwright.cli.faults import CommandError
from leadwright.cli.serve import DEFAULT_PORT
from leadwright.cli.session import bring_to_schema, connect, database_of, load_settings
from leadwright.clock import system_clock
from leadwright.crypto import SecretBox, load_secret_key
from leadwright.http.server import Server, bind, serving
from leadwright.outbound.allowed import AllowedHosts
from leadwright.outbound.client import OutboundClient
from leadwright.postgres import durability
from leadwright.postgres.cluster_folder import make_data_dir
from leadwright.postgres.embedded_errors import explained
from leadwright.postgres.pool import Database
from leadwright.settings import Settings, unknown_settings
from leadwright.telemetry import logs
from leadwright.workers import ALL_PARTS, Part, working

STOP_WITHIN_SECONDS = 9.0

_log = logs.logger("leadwright.serve")


def serve(host: str, port: int, *, dev: bool, working: bool = True) -> None:
    """Serves until SIGTERM or SIGINT. Raises what faults.explained() knows when it cannot start."""
    settings = _begun_settings()
    parts = ALL_PARTS if working else frozenset[Part]()
    listening = listen(host, port, dev=dev)
    with listening:
        secrets = open_secrets(settings)
        with database_of(settings) as conninfo, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(
                _until_told(
                    settings,
                    conninfo,
                    lambda database: accepting(database, settings, secrets, listening, parts=parts),
                    lambda database: _announce(database, address_of(listening), secrets if dev else None),
                )
            )


def work(parts: Collection[Part]) -> None:
    """Does the chosen work until SIGTERM or SIGINT. Raises what faults.explained() knows when it cannot start."""
    settings = _begun_settings()
    secrets = open_secrets(settings)
    with database_of(settings) as conninfo, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(
            _until_told(
                settings,
                conninfo,
                lambda database: _at_work(database, settings, secrets, parts),
                lambda _: _tell_work(parts),
            )
        )


def _begun_settings() -> Settings:
    """The settings, with logging set up by them."""
    settings = load_settings()
    logs.configure(settings.log_level, settings.log_format)
    for name in unknown_settings():
        _log.warning("unknown setting", setting=name, advice="see the list of settings in the documentation")
    return settings


def listen(host: str, port: int, *, dev: bool = False) -> socket.socket:
    """Raises CommandError when the address cannot be had."""
    try:
        return bind(host, port)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise CommandError(_busy(port, dev=dev)) from error
        reason = error.strerror or str(error)
        raise CommandError(
            f"Cannot listen on {host} port {port}: {reason}; choose others with --host and --port"
        ) from error


def _busy(port: int, *, dev: bool) -> str:
    other = DEFAULT_PORT + 1 if port == DEFAULT_PORT else DEFAULT_PORT
    if dev:
        advice = f"leadwright serve --dev --port {other} (or: make run PORT={other})"
    else:
        advice = f"leadwright serve --port {other}"
    return f"Port {port} is in use. Take another one: {advice}"


def open_secrets(settings: Settings) -> SecretBox:
    """Loads the secret key, making its file on first use, so that a wrong one shows at the start."""
    configured = settings.secret_key.get_secret_value() if settings.secret_key else None
    data_dir = settings.data_dir.expanduser()
    with explained(data_dir):
        if settings.embedded:
            data_dir = make_data_dir(data_dir).path
        elif configured is None:
            _make_private(data_dir)
        return load_secret_key(configured, data_dir)


def _make_private(folder: Path) -> None:
    """With a database elsewhere the folder holds the secret key alone: nobody else need pass through."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


async def _until_told(
    settings: Settings,
    conninfo: str,
    doing: Callable[[Database], AbstractAsyncContextManager[Callable[[], Awaitable[object]]]],
    ready: Callable[[Database], Awaitable[None]],
) -> None:
    """Does it from when the database is ready until a signal, or until it ends by itself, a fault."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await bring_to_schema(conninfo, embedded=settings.embedded)
    await _warn_of_loss(conninfo)
    try:
        async with (
            asyncio.timeout(None) as limit,
            open_pool(settings, conninfo) as database,
            doing(database) as ended,
        ):
            await ready(database)
            await _either(stop.wait, ended)
            limit.reschedule(loop.time() + STOP_WITHIN_SECONDS)
            _log.info("stopping")
    except TimeoutError:
        if not stop.is_set():
            raise
        _log.warning("stopped without waiting any longer", seconds=STOP_WITHIN_SECONDS)


async def _warn_of_loss(conninfo: str) -> None:
    async with await connect(conninfo) as connection:
        for setting, harm in (await durability.loosened(connection)).items():
            _log.warning("the database does not keep what it acknowledges", setting=setting, harm=harm)


@asynccontextmanager
async def open_pool(settings: Settings, conninfo: str) -> AsyncGenerator[Database]:
    database = Database(conninfo, size=settings.database_pool_size)
    await database.open()
    try:
        yield database
    finally:
        await database.close()


@asynccontextmanager
async def accepting(
    database: Database,
    settings: Settings,
    secrets: SecretBox,
    listening: socket.socket,
    *,
    parts: Collection[Part] = ALL_PARTS,
) -> AsyncGenerator[Callable[[], Awaitable[object]]]:
    """A server that accepts requests while the block runs. Yields how to wait for its end, a fault."""
    async with serving(database, settings, system_clock, secrets, parts=parts) as app:
        server = Server(app)
        running = asyncio.create_task(server.serve(sockets=[listening]))
        running.add_done_callback(lambda _: server.accepting.set())
        await server.accepting.wait()
        calm_collector()
        try:
            yield lambda: asyncio.wait([running])
        finally:
            server.stop()
            await running


@asynccontextmanager
async def _at_work(
    database: Database, settings: Settings, secrets: SecretBox, parts: Collection[Part]
) -> AsyncGenerator[Callable[[], Awaitable[object]]]:
    """Background work while the block runs. Yields how to wait for its end, which never comes."""
    async with (
        OutboundClient(AllowedHosts.parse(settings.webhook_allow_hosts), total=settings.webhook_timeout) as outbound,
        working(database, settings, system_clock, secrets, outbound, parts=parts),
    ):
        calm_collector()
        yield asyncio.Event().wait


async def _tell_work(parts: Collection[Part]) -> None:
    """Says that the work has begun; where nobody listens (a closed pipe) nothing is lost."""
    chosen = ", ".join(sorted(parts))
    _log.info("ready", work=chosen)
    with contextlib.suppress(OSError):
        print(f"Leadwright is at work: {chosen}. Stop it with ^C.", flush=True)


def calm_collector() -> None:
    """A request makes thousands of short-lived objects and no cycles: by default 6 % of the time goes into looking."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


async def _either(*waits: Callable[[], Awaitable[object]]) -> None:
    tasks = [asyncio.ensure_future(wait()) for wait in waits]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()


def address_of(listening: socket.socket) -> str:
    """The URL under which a caller on this machine reaches the socket."""
    address: tuple[str, int] = listening.getsockname()[:2]
    host, port = address
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 -- read, not bound
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


async def _announce(database: Database, url: str, dev: SecretBox | None) -> None:
    """Says that the server is ready; where nobody listens (a closed pipe) nothing is lost."""
    _log.info("ready", url=url)
    access = await _development_access(database, dev) if dev else None
    with contextlib.suppress(OSError):
        if access is not None:
            development.show(access, url)
        print(f"Leadwright is ready: {url} (documentation: {url}/docs). Stop it with ^C.", flush=True)


async def _development_access(database: Database, secrets: SecretBox) -> development.Access:
    async with database.transaction() as connection:
        return await development.prepare(connection, secrets, system_clock())
