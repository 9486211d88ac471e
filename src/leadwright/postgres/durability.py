"""Whether a PostgreSQL of the operator's own keeps what was acknowledged, whatever dies."""

from leadwright.postgres.pool import Connection

_LOSES = {
    "fsync": "a crash of the machine can destroy the database",
    "full_page_writes": "a crash of the machine can destroy pages of the database",
    "synchronous_commit": "a crash of the server loses what it acknowledged last",
}
"""What comes of a setting that is off. The others of synchronous_commit's words all wait for the server's own disk."""


async def loosened(connection: Connection) -> dict[str, str]:
    """The settings that are off, each with what that means."""
    cursor = await connection.execute(
        "SELECT name FROM pg_settings WHERE name = ANY(%s) AND setting = 'off' ORDER BY name", (list(_LOSES),)
    )
    return {name: _LOSES[name] for (name,) in await cursor.fetchall()}
