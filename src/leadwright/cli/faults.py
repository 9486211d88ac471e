"""What a fault says on the command line: one sentence saying what is wrong, one saying what to do."""

from dataclasses import dataclass

import psycopg
from psycopg_pool import PoolTimeout

from leadwright.client.errors import ApiError, ClientError
from leadwright.crypto import SecretKeyError
from leadwright.errors import InvalidRequest, LeadwrightError
from leadwright.postgres.embedded_errors import EmbeddedPostgresError
from leadwright.postgres.migrate import MigrationError

FAILED = 1
WRONG_USAGE = 2


class CommandError(Exception):
    """A command cannot do its work. The message says what is wrong and what to do, and holds no secret."""


@dataclass(frozen=True, slots=True)
class Fault:
    line: str
    exit_code: int


def explained(error: Exception) -> Fault | None:
    """The fault as a person is told it; None for one that nobody expected and that deserves its traceback."""
    sentence = _sentence(error)
    if sentence is None:
        return None
    code = WRONG_USAGE if isinstance(error, InvalidRequest) else FAILED
    return Fault(" ".join(sentence.split()), code)


def _sentence(error: Exception) -> str | None:
    match error:
        case LeadwrightError():
            return error.message
        case ClientError():
            return f"The server says: {error}" if isinstance(error, ApiError) else str(error)
        case CommandError() | EmbeddedPostgresError() | MigrationError() | SecretKeyError():
            return str(error)
        case psycopg.Error() | PoolTimeout():
            return database_sentence(error)
        case OSError():
            return f"{error.strerror or error}: {error.filename}" if error.filename else str(error)
        case _:
            return None


def database_sentence(error: Exception) -> str:
    """What PostgreSQL or its client says, without the connection string, which may hold a password."""
    state = getattr(error, "sqlstate", None)
    if isinstance(error, psycopg.ProgrammingError) and state is None:
        return (
            "LEADWRIGHT_DATABASE_URL is not a connection string that PostgreSQL understands; "
            "expected one like postgresql://user:password@host:5432/database"
        )
    if isinstance(error, psycopg.OperationalError) and state is None:
        return f"The database cannot be reached; check LEADWRIGHT_DATABASE_URL and the server. It says: {error}"
    return f"The database says: {error}"
