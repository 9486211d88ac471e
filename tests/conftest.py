"""The real things that tests run against: one embedded PostgreSQL a run, a database a module, an HTTP server."""

import asyncio
import os
import secrets
import select
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import psycopg
import pytest
from hypothesis import settings as hypothesis_settings
from tests.starting import sender_body

from leadwright.accounts import service as accounts
from leadwright.accounts.model import Workspace
from leadwright.clock import system_clock
from leadwright.crypto import SecretBox
from leadwright.http.server import Server, bind, serving
from leadwright.identity import Identity, linkedin_identity
from leadwright.outbound.allowed import AllowedHosts
from leadwright.postgres.embedded import attach
from leadwright.postgres.guardian_lock import guardian_pidfd
from leadwright.postgres.migrate import migrate
from leadwright.postgres.pool import Database
from leadwright.senders import model as senders_model
from leadwright.senders import service as senders
from leadwright.senders.limits import DEFAULT_PER_DAY, DEFAULT_PER_WEEK, Limits
from leadwright.settings import Settings

# The same examples in every run, so that a change is judged by what it did and not by what the dice found that day;
# `make test-search` throws them. Time limits of single examples would say something about the machine alone.
hypothesis_settings.register_profile("same", deadline=None, derandomize=True)
hypothesis_settings.register_profile("random", deadline=None)
hypothesis_settings.load_profile(os.environ.get("TEST_EXAMPLES", "same"))


def run_folder(run: str) -> Path:
    """Under /tmp itself: pytest's own folders are closed to the unprivileged user that the database runs as."""
    return Path(tempfile.gettempdir()) / f"leadwright-test-{run}"


def is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


def pytest_configure(config: pytest.Config) -> None:
    """Names the run, so that this process knows which folder its workers used; databases end with their last client."""
    os.environ["LEADWRIGHT_POSTGRES_LINGER_SECONDS"] = "0"
    if not is_worker(config) and not config.option.testrunuid:
        config.option.testrunuid = secrets.token_hex(8)


def pytest_unconfigure(config: pytest.Config) -> None:
    folder = run_folder(str(config.option.testrunuid))
    if not is_worker(config) and folder.exists():
        wait_until_stopped(folder)
        shutil.rmtree(folder, ignore_errors=True)


def wait_until_stopped(folder: Path) -> None:
    """The guardian holds the lock of clients alone while it stops the database, and is gone when that is done."""
    watched = guardian_pidfd(folder)
    if watched is not None:
        select.select([watched], [], [], 30)
        os.close(watched)


@pytest.fixture(scope="session")
def cluster(pytestconfig: pytest.Config, testrun_uid: str) -> Iterator[str]:
    """The conninfo of a PostgreSQL that all workers of this run share."""
    run = testrun_uid if is_worker(pytestconfig) else str(pytestconfig.option.testrunuid)
    with attach(run_folder(run)) as embedded:
        yield embedded.conninfo


@dataclass
class DatabaseMaker:
    conninfo: str

    def __call__(self, *, migrated: bool = True) -> str:
        """A fresh database's conninfo; migrated ones are copied from a template, which takes milliseconds."""
        name = f"test_{tempfile.mktemp(dir='').strip('/').lower()}"
        with psycopg.connect(self.conninfo, autocommit=True) as connection:
            connection.execute("SELECT pg_advisory_lock(1)")
            if migrated:
                self._ensure_template(connection)
            connection.execute(f"CREATE DATABASE {name} {'TEMPLATE leadwright_migrated' if migrated else ''}")
        return psycopg.conninfo.make_conninfo(self.conninfo, dbname=name)

    def _ensure_template(self, connection: psycopg.Connection) -> None:
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = 'leadwright_migrated'").fetchone():
            return
        connection.execute("CREATE DATABASE leadwright_draft")
        asyncio.run(migrate(psycopg.conninfo.make_conninfo(self.conninfo, dbname="leadwright_draft")))
        connection.execute("ALTER DATABASE leadwright_draft RENAME TO leadwright_migrated")


@pytest.fixture(scope="session")
def make_database(cluster: str) -> Callable[..., str]:
    """Databases are not dropped: their folder goes as a whole at the end of the run, which takes no checkpoints."""
    return DatabaseMaker(cluster)


@pytest.fixture(scope="module")
async def database(make_database: Callable[..., str]) -> AsyncIterator[Database]:
    """An open pool on a fresh migrated database, one a module."""
    opened = Database(await asyncio.to_thread(make_database), size=40)
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture(scope="module")
async def workspace(database: Database) -> Workspace:
    async with database.session() as connection:
        return await accounts.default_workspace(connection)


@pytest.fixture(scope="module")
async def other_workspace(database: Database) -> Workspace:
    async with database.transaction() as connection:
        return await accounts.create_workspace(connection, "Other", datetime.now(UTC))


@dataclass(frozen=True)
class SenderMaker:
    database: Database
    workspace: Workspace

    async def __call__(self, workspace_id: str | None = None) -> str:
        """A simulator sender of the default workspace unless said otherwise; answers its bare id."""
        account = sender_body()["linkedinUrl"]
        identity = linkedin_identity(account)
        assert isinstance(identity, Identity)
        limits = Limits(DEFAULT_PER_DAY, DEFAULT_PER_WEEK, timedelta())
        settings = senders_model.Settings("Max Muster", account, identity, senders_model.ChannelName.SIMULATOR, limits)
        keeping = senders.Keeping(SecretBox("a key for tests only"), AllowedHosts())
        async with self.database.transaction() as connection:
            made = await senders.create(
                connection, workspace_id or self.workspace.id, keeping, settings, datetime.now(UTC)
            )
        return made.sender.id


@pytest.fixture(scope="module")
def make_sender(database: Database, workspace: Workspace) -> SenderMaker:
    return SenderMaker(database, workspace)


@dataclass(frozen=True)
class KeyMaker:
    database: Database

    async def __call__(
        self, *scopes: str, workspace_id: str | None = None, expires_at: datetime | None = None
    ) -> dict[str, str]:
        """The headers of a fresh key: of the default workspace and with all scopes unless said otherwise."""
        async with self.database.transaction() as connection:
            _, secret = await accounts.create_key(
                connection,
                name="test",
                scopes=scopes,
                workspace_id=workspace_id,
                expires_at=expires_at,
                now=datetime.now(UTC),
            )
        return {"X-API-Key": secret}


@pytest.fixture(scope="module")
def make_key(database: Database) -> KeyMaker:
    return KeyMaker(database)


@pytest.fixture(scope="module")
async def headers(make_key: KeyMaker) -> dict[str, str]:
    """A key for everything in the default workspace."""
    return await make_key()


@pytest.fixture(scope="module")
async def other_headers(make_key: KeyMaker, other_workspace: Workspace) -> dict[str, str]:
    """A key for everything in another workspace."""
    return await make_key(workspace_id=other_workspace.id)


@pytest.fixture(scope="module")
def settings() -> Settings:
    """Override in a module to serve with other settings."""
    return Settings(rate_limit=100_000)


@pytest.fixture(scope="module")
async def base_url(database: Database, settings: Settings) -> AsyncIterator[str]:
    """A real server on a free port of 127.0.0.1, with its background duties."""
    async with serving(database, settings, system_clock, SecretBox("a key for tests only")) as app:
        server = Server(app)
        listening = bind("127.0.0.1", 0)
        running = asyncio.create_task(server.serve(sockets=[listening]))
        await server.accepting.wait()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.stop()
        await running


@pytest.fixture(scope="module")
async def anonymous(base_url: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client without a key."""
    async with httpx.AsyncClient(base_url=base_url, timeout=60, trust_env=False) as client:
        yield client


@pytest.fixture(scope="module")
async def client(base_url: str, headers: dict[str, str]) -> AsyncIterator[httpx.AsyncClient]:
    """A client with a key for everything in the default workspace."""
    async with httpx.AsyncClient(base_url=base_url, headers=headers, timeout=60, trust_env=False) as client:
        yield client
