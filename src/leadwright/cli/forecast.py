"""``leadwright forecast``: when a campaign will do what."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from leadwright.cli.remote import Key, Url, connected

if TYPE_CHECKING:
    from leadwright.cli.session import Session
    from leadwright.crypto import SecretBox

_COLUMNS = (
    "date",
    "connections",
    "messages",
    "visits",
    "likes",
    "emails",
    "other",
    "new leads",
    "limited by",
    "waiting",
)


def forecast(
    campaign: Annotated[str, typer.Argument(metavar="CAMPAIGN", help="The campaign's id.")],
    days: Annotated[int, typer.Option("--days", min=1, max=365, help="How many days, today among them.")] = 90,
    accept_rate: Annotated[
        float | None,
        typer.Option(
            "--accept-rate",
            min=0,
            max=1,
            help="Who accepts, as a share of 1. Else its own or its simulators' rate, or 0.35.",
        ),
    ] = None,
    reply_rate: Annotated[
        float | None, typer.Option("--reply-rate", min=0, max=1, help="Who answers a message, as a share of 1.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The answer of the API.")] = False,
    url: Url = None,
    key: Key = None,
) -> None:
    """Show when a campaign will do what, and what limits it.

    The engine's own rules run on a virtual clock. Nothing is changed.
    """
    from leadwright.cli.output import show_json, show_table

    asked = (campaign, days, accept_rate, reply_rate)
    found = _remote(url, key, *asked) if url else _foreseen(*asked)
    if as_json:
        show_json(found)
        return
    show_table(_COLUMNS, [_line(day) for day in found["perDay"] if day["touches"]["total"] or day["limitedBy"]])
    _summarise(found)


def _remote(
    url: str, key: str | None, campaign: str, days: int, accept_rate: float | None, reply_rate: float | None
) -> dict[str, Any]:
    """The server's answer as it comes, with its own times."""
    from leadwright.client.request import request

    query = {"days": days, "acceptRate": accept_rate, "replyRate": reply_rate}
    with connected(url, key) as client:
        return client.send(
            request("GET", "/v1/campaigns/{campaign_id}/forecast", dict[str, Any], campaign, query=query)
        )


def _foreseen(campaign: str, days: int, accept_rate: float | None, reply_rate: float | None) -> dict[str, Any]:
    """The same from the database."""
    from leadwright.cli.session import in_transaction
    from leadwright.engine.forecast_service import Assumed, Prospect, foresee, prospect
    from leadwright.engine.forecast_wire import forecast_body

    async def read(session: "Session") -> Prospect:
        workspace_id, campaign_id = await find_campaign(session, campaign)
        assumed = Assumed(accept_rate, reply_rate)
        return await prospect(session.connection, stored_secrets, workspace_id, campaign_id, days, assumed, session.now)

    return forecast_body(foresee(in_transaction(read))).model_dump(mode="json", by_alias=True)


def stored_secrets() -> "SecretBox":
    """What opens the configuration of senders as the server has stored it."""
    from leadwright.cli.process import open_secrets
    from leadwright.cli.session import load_settings

    return open_secrets(load_settings())


async def find_campaign(session: "Session", public_id: str) -> tuple[str, str]:
    """The bare ids of the workspace and the campaign, whichever workspace has it. Raises NotFound."""
    from leadwright.accounts import store
    from leadwright.campaigns import service

    campaign_id = service.known_id(public_id)
    for workspace in await store.workspaces(session.connection):
        if await service.exists(session.connection, workspace.id, campaign_id):
            return workspace.id, campaign_id
    raise service.not_found()


def _line(day: dict[str, Any]) -> list[object]:
    touches, limit = day["touches"], day["limitedBy"]
    counts = [touches[kind] for kind in _COLUMNS[1:7]]
    if limit is None:
        return [day["date"], *counts, day["newLeads"], "", ""]
    what = limit["rule"] if limit["kind"] is None else f"{limit['rule']} ({limit['kind']})"
    return [day["date"], *counts, day["newLeads"], what, limit["waiting"]]


def _end(found: dict[str, Any]) -> str:
    """When it is done, and if never within the days, whether for want of days."""
    if found["finishesAt"]:
        return f", done at {found['finishesAt']}"
    on_the_way = found["leads"] - found["through"] - sum(found["held"].values())
    return f", {on_the_way} still on their way after {found['days']} days" if on_the_way else ""


def _replying_from(assumed: dict[str, Any]) -> str:
    """Servers from before said nothing of it."""
    return f" ({assumed['replyRateFrom']})" if "replyRateFrom" in assumed else ""


def _summarise(found: dict[str, Any]) -> None:
    from leadwright.cli.output import remark

    assumed = found["assumptions"]
    if assumed["asIfStarted"]:
        remark(f"The campaign is {found['status']}: this is as if it were running from now on.")
    remark(
        f"Assumed: {assumed['acceptRate']:.0%} accept ({assumed['acceptRateFrom']}), "
        f"{assumed['replyRate']:.0%} of those who get a message reply{_replying_from(assumed)}."
    )
    remark(f"First touch {found['firstTouchAt'] or 'never'}, last {found['lastTouchAt'] or 'never'}.")
    remark(f"{found['touches']['total']} touches; {found['through']} of {found['leads']} leads through{_end(found)}.")
    for rule, leads in found["held"].items():
        remark(f"{leads} leads go no further by themselves: {rule}.")
    more = found["oneMoreSender"]
    if more is not None:
        sooner = "" if more["daysSooner"] is None else f", done {more['daysSooner']} days sooner"
        told = f"{more['moreTouches']:+} touches, {more['moreThrough']:+} leads through{sooner}"
        remark(f"One more sender like its first: {told}.")
