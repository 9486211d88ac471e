"""What ``serve --dev`` adds: a campaign to try, a fresh key, and the request that uses both."""

import json
import sys
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from leadwright import ids
from leadwright.accounts import service as accounts
from leadwright.campaigns import service as campaigns
from leadwright.campaigns.model import Overview, Settings
from leadwright.cli.output import printable
from leadwright.crypto import SecretBox
from leadwright.engine.sequence import parse_sequence
from leadwright.identity import Identity, linkedin_identity
from leadwright.leads.wire import ADD_LEADS_EXAMPLE
from leadwright.outbound.allowed import AllowedHosts
from leadwright.postgres.pool import Connection
from leadwright.senders import service as senders
from leadwright.senders.limits import DEFAULT_PER_DAY, DEFAULT_PER_WEEK, Limits
from leadwright.senders.model import ChannelName
from leadwright.senders.model import Settings as SenderSettings

KEY_NAME = "development"
CAMPAIGN_NAME = "First campaign"
_SENDER_URL = "https://www.linkedin.com/in/sim-sender"

_NETWORK: dict[str, Any] = {
    "seed": 16,
    "acceptRate": 0.7,
    "acceptAfter": {"seconds": 15},
    "replyRate": 0.5,
    "replyAfter": {"seconds": 15},
    "lagSpread": 0.5,
}
"""Its people are quick, so that a newcomer can watch them: of the two leads to try, both accept and one answers."""

_SEQUENCE: dict[str, Any] = {
    "steps": [
        {"id": "visit", "type": "visit_profile"},
        {
            "id": "invite",
            "type": "connect",
            "after": {"seconds": 5},
            "note": "Hi {{firstName | default: 'there'}}, I would be glad to connect.",
        },
        {
            "id": "asked",
            "type": "condition",
            "when": "connected",
            "within": {"minutes": 1},
            "then": [
                {
                    "id": "hello",
                    "type": "message",
                    "after": {"seconds": 5},
                    "variants": [
                        {"text": "Thanks for connecting, {{firstName | default: 'and hello'}}!", "weight": 1},
                        {"text": "Good to be in touch. {{icebreaker | default: 'How are things'}}?", "weight": 1},
                    ],
                },
                {"id": "bump", "type": "message", "after": {"seconds": 30}, "text": "May I ask what you work on?"},
            ],
            "else": [{"id": "withdraw", "type": "withdraw_connection"}],
        },
    ]
}


@dataclass(frozen=True, slots=True)
class Access:
    """``key`` is the secret text of a key for everything, shown once and stored nowhere."""

    workspace_id: str
    workspace_name: str
    campaign_id: str
    campaign_name: str
    key: str


async def prepare(connection: Connection, secrets: SecretBox, now: datetime) -> Access:
    """The default workspace's oldest campaign, and a fresh key. If there is none, one is made, ready to be
    started, with a sender of the simulated network: nobody real is ever approached.

    The development key of the last start ends.
    """
    workspace = await accounts.default_workspace(connection)
    campaign = await _first_campaign(connection, secrets, workspace.id, now)
    key = await accounts.replace_key(connection, name=KEY_NAME, workspace_id=workspace.id, now=now)
    return Access(
        workspace_id=ids.public(ids.Prefix.WORKSPACE, workspace.id),
        workspace_name=workspace.name,
        campaign_id=ids.public(ids.Prefix.CAMPAIGN, campaign.id),
        campaign_name=campaign.campaign.settings.name,
        key=key,
    )


async def _first_campaign(connection: Connection, secrets: SecretBox, workspace_id: str, now: datetime) -> Overview:
    existing, _ = await campaigns.page(connection, workspace_id, status=None, after=None, offset=0, limit=1)
    if existing:
        return existing[0]
    sender_id = await _sender(connection, secrets, workspace_id, now)
    settings = Settings(CAMPAIGN_NAME, sender_ids=(sender_id,), sequence=parse_sequence(_SEQUENCE).to_json())
    return await campaigns.create(connection, workspace_id, settings, now)


async def _sender(connection: Connection, secrets: SecretBox, workspace_id: str, now: datetime) -> str:
    """The bare id of the workspace's oldest sender, made if there is none."""
    present = await senders.list_all(connection, workspace_id, secrets)
    if present:
        return present[0].id
    identity = linkedin_identity(_SENDER_URL)
    assert isinstance(identity, Identity)
    limits = Limits(DEFAULT_PER_DAY, DEFAULT_PER_WEEK, timedelta())
    settings = SenderSettings("Sim Sender", _SENDER_URL, identity, ChannelName.SIMULATOR, limits, config=_NETWORK)
    made = await senders.create(connection, workspace_id, senders.Keeping(secrets, AllowedHosts()), settings, now)
    return made.sender.id


def add_leads_command(url: str, access: Access) -> str:
    """The request of the API's documentation, for this server, key and campaign."""
    body = json.dumps(ADD_LEADS_EXAMPLE | {"campaignId": access.campaign_id}, indent=2).replace("\n", "\n  ")
    return (
        f"curl -X POST {url}/v1/leads \\\n"
        f'  -H "X-API-Key: {access.key}" \\\n'
        f'  -H "Content-Type: application/json" \\\n'
        f"  -d '{body}'"
    )


def start_commands(url: str, access: Access) -> str:
    """Starts the campaign, and follows what happens."""
    return (
        f"curl -X PATCH {url}/v1/campaigns/{access.campaign_id} \\\n"
        f'  -H "X-API-Key: {access.key}" -H "Content-Type: application/json" -d \'{{"action": "start"}}\'\n'
        f'curl -H "X-API-Key: {access.key}" "{url}/v1/leads?campaignId={access.campaign_id}"'
    )


def export_command(url: str, access: Access) -> str:
    """Sets the variables that the snippets of the README and the guides read."""
    return f"export SERVER={url} API_KEY={access.key} CAMPAIGN_ID={access.campaign_id}"


def show(access: Access, url: str) -> None:
    """On a terminal with some colour. The command is free of frames and breaks, so that it can be copied."""
    from rich.console import Console
    from rich.text import Text

    console = Console(file=sys.stdout, highlight=False, soft_wrap=True)
    for label, value, remark in (
        ("Workspace", access.workspace_id, access.workspace_name),
        ("Campaign ", access.campaign_id, access.campaign_name),
        ("API key  ", access.key, "fresh; the one of the last start has ended"),
    ):
        console.print(Text.assemble((label, "bold"), "  ", (value, "cyan"), "  ", (f"({printable(remark)})", "dim")))
    console.print(Text.assemble("\n", ("Add two leads:", "bold"), "\n\n", add_leads_command(url, access), "\n"))
    console.print(Text.assemble(("Let them walk, and watch them:", "bold"), "\n\n", start_commands(url, access), "\n"))
    console.print(
        Text.assemble(("For what the README and the guides show:", "bold"), "\n\n", export_command(url, access), "\n")
    )
