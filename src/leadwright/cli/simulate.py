"""``leadwright simulate``: a whole campaign in seconds, with the people of the simulated network."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from leadwright.cli.session import Session
    from leadwright.engine.simulate import Play, Timeline

_COLUMNS = ("time", "lead", "sender", "what", "step", "text")
_SHOWN_TEXT = 60
_LAST_YEAR = 9_000
"""A play may go on for years, and the calendar ends with 9999."""


def simulate(
    campaign: Annotated[str | None, typer.Argument(metavar="CAMPAIGN", help="The campaign's id.")] = None,
    file: Annotated[
        Path | None, typer.Option("--file", metavar="JSON", help='A sequence instead: {"steps": […]}.')
    ] = None,
    leads: Annotated[int, typer.Option("--leads", min=1, max=10_000, help="How many leads play.")] = 10,
    seed: Annotated[
        int | None,
        typer.Option("--seed", min=0, help="Another seed, other people. Else the sender's own, or 1."),
    ] = None,
    start: Annotated[
        datetime | None, typer.Option("--start", formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M"], help="In UTC. Else now.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON list.")] = False,
) -> None:
    """Play a whole campaign on a virtual clock and show what happens to whom.

    A campaign plays with its oldest leads, invented ones when it has none, and with people who behave as the config of
    its simulator senders says. Nothing is stored and nothing goes out. The same sequence, leads, seed and start give
    the same run.
    """
    from leadwright.cli.faults import CommandError
    from leadwright.cli.output import show_json, show_table
    from leadwright.engine.simulate import simulate as play

    if (campaign is None) == (file is None):
        raise typer.BadParameter("expected a campaign or --file, one of the two", param_hint="CAMPAIGN")
    played = _play(campaign, file, leads, seed, start)
    timeline = play(played)
    if timeline.why_nothing is not None:
        raise CommandError(f"Nothing happens: {timeline.why_nothing}")
    lines = [_line(timeline, at) for at in range(len(timeline.lines))]
    if as_json:
        show_json([dict(zip(_COLUMNS, line, strict=True)) for line in lines])
        return
    show_table(_COLUMNS, [[*line[:5], _short(line[5])] for line in lines])
    _summarise(timeline, leads - len(played.characters), leads)


def _play(campaign: str | None, file: Path | None, leads: int, seed: int | None, start: datetime | None) -> "Play":
    from datetime import UTC

    from leadwright.cli.session import in_transaction
    from leadwright.clock import system_clock
    from leadwright.engine import simulate_service as service

    begins = system_clock().replace(second=0, microsecond=0) if start is None else start.replace(tzinfo=UTC)
    if begins.year > _LAST_YEAR:
        raise typer.BadParameter(f"expected a year up to {_LAST_YEAR}", param_hint="--start")
    if file is not None:
        return service.of_sequence(_read(file), leads, seed, begins)

    async def read(session: "Session") -> "Play":
        from leadwright.cli.forecast import find_campaign, stored_secrets

        assert campaign is not None
        workspace_id, campaign_id = await find_campaign(session, campaign)
        return await service.of_campaign(
            session.connection, stored_secrets, workspace_id, campaign_id, leads, seed, begins
        )

    return in_transaction(read)


def _read(file: Path) -> object:
    """Raises CommandError for what is no JSON file."""
    import json

    from leadwright.cli.faults import CommandError

    try:
        return json.loads(file.read_bytes())
    except OSError as error:
        raise CommandError(f"The file {file} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise CommandError(f"The file {file} is not valid JSON: {error}") from error


def _line(timeline: "Timeline", at: int) -> list[str | None]:
    from leadwright.clock import iso

    line = timeline.lines[at]
    return [iso(line.at), line.lead, line.sender, line.what, line.step_id, line.text]


def _short(text: str | None) -> str | None:
    if text is None or len(text) <= _SHOWN_TEXT:
        return text
    return text[: _SHOWN_TEXT - 1] + "…"


def _summarise(timeline: "Timeline", lacking: int, wanted: int) -> None:
    from leadwright.cli.output import remark

    if lacking:
        remark(f"The campaign has {wanted - lacking} leads, not {wanted}: those play, and nobody is invented.")
    counts = ", ".join(f"{count} {what}" for what, count in sorted(timeline.counts.items()) if what != "leads")
    remark(f"{timeline.counts['leads']} leads: {counts or 'nothing happened'}.")
