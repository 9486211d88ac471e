"""``leadwright db``: the database's schema and its backups."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

app = typer.Typer(
    help="Migrate, dump and restore the database.\n\nThe embedded one, or that of LEADWRIGHT_DATABASE_URL.",
    no_args_is_help=True,
)


@app.command()
def migrate() -> None:
    """Bring the schema up to this program's version. Safe to repeat, and while others run."""
    import asyncio

    from leadwright.cli.session import database_of, load_settings
    from leadwright.postgres import migrate as migrations

    with database_of(load_settings()) as conninfo:
        applied = asyncio.run(migrations.migrate(conninfo))
    print("\n".join(f"applied {migration.name}" for migration in applied) or "The schema is current.")


@app.command()
def status(as_json: Annotated[bool, typer.Option("--json", help="A JSON object.")] = False) -> None:
    """Show which database is used, its version, and whether migrations are pending. Changes nothing in it."""
    import asyncio

    from leadwright.cli.output import show_json, show_table
    from leadwright.cli.session import database_of, load_settings

    settings = load_settings()
    with database_of(settings) as conninfo:
        found = asyncio.run(_status(conninfo))
    found = {"database": "embedded" if settings.embedded else "external", **found}
    if as_json:
        show_json(found)
    else:
        shown = found | {"pending": ", ".join(found["pending"]) or "none"}
        show_table(("name", "value"), list(shown.items()))


async def _status(conninfo: str) -> dict[str, Any]:
    from leadwright.cli.session import connect, without_secrets
    from leadwright.postgres import migrate as migrations

    async with await connect(conninfo) as connection:
        waiting = await migrations.pending(connection)
        cursor = await connection.execute("SELECT pg_database_size(current_database())")
        size = await cursor.fetchone()
        version = connection.info.parameter_status("server_version")
    return {
        "connection": without_secrets(conninfo),
        "version": version,
        "sizeBytes": size[0] if size else None,
        "applied": len(migrations.known()) - len(waiting),
        "pending": [migration.name for migration in waiting],
    }


@app.command()
def dump(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="FILE|-", help="- is standard output. Without it, a name with the time."),
    ] = None,
) -> None:
    """Write all that is in the database into one file.

    In PostgreSQL's custom format, a consistent snapshot; the server may run meanwhile.

    The file holds no secret key: keep secret.key of the data folder, or LEADWRIGHT_SECRET_KEY, beside it.
    """
    from leadwright.cli import archive
    from leadwright.cli.output import remark
    from leadwright.cli.session import database_of, load_settings

    chosen = file or Path(f"leadwright-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.dump")
    with database_of(load_settings()) as conninfo:
        archive.dump(archive.target(conninfo), chosen)
    if chosen != archive.STANDARD_OUTPUT:
        print(chosen)
    remark("Keep the secret key (secret.key of the data folder, or LEADWRIGHT_SECRET_KEY) with the dump.")


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="Made by `db dump`.")],
    replace: Annotated[bool, typer.Option("--replace", help="Throw away what the database holds now.")] = False,
) -> None:
    """Fill an empty database from a dump, in one transaction: all of it, or nothing is changed.

    Stop the server first. A dump of an older version is migrated when the server starts.
    """
    from leadwright.cli import archive
    from leadwright.cli.output import remark
    from leadwright.cli.session import database_of, load_settings

    with database_of(load_settings()) as conninfo:
        archive.restore(archive.target(conninfo), file, replace=replace)
    remark(f"Restored {file}. Stored secrets open with the secret key they were written under.")


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def psql(context: typer.Context) -> None:
    """Open psql on the database; what follows goes to psql, such as: leadwright db psql -c 'SELECT 1'."""
    from leadwright.cli import archive
    from leadwright.cli.session import database_of, load_settings

    with database_of(load_settings()) as conninfo:
        code = archive.psql(archive.target(conninfo), context.args)
    raise typer.Exit(code)
