"""The database finds a lead's field where templates find it, whatever the names and values."""

import itertools
from typing import Any

import httpx

from leadwright import ids
from leadwright.accounts.model import Workspace
from leadwright.engine import preview_store
from leadwright.engine.preview_fields import BLANKS, places
from leadwright.postgres.pool import Database
from leadwright.templates import look_up

KEYS = ["firstName", "first_name", "FIRST-NAME", "Job Title", "jobTitle", "title", "Straße", "STRASSE", "email"]
VALUES: list[Any] = [None, "", " \u00a0\t", "Ada", "ada", 1, 1.0, True, 0, False]
STANDARD = ("firstName", "title", "email")
NAMES = ["firstName", "first_name", "FirstName", "jobTitle", "job title", "position", "title", "strasse", "straße"]
NAMES += ["E-Mail", "emailAddress", "unheard-of"]


def rows() -> list[dict[str, Any]]:
    """Leads with two or three fields, every value in every kind of company."""
    made: list[dict[str, Any]] = [{}]
    for number, (one, other) in enumerate(itertools.combinations(KEYS, 2)):
        made += ({one: value, other: VALUES[(at * 3 + number) % len(VALUES)]} for at, value in enumerate(VALUES))
    for number, three in enumerate(itertools.combinations(KEYS, 3)):
        made += [{key: VALUES[(number * (at + 1)) % len(VALUES)] for at, key in enumerate(three)}]
    # Standard fields are texts: the others would be refused.
    return [
        {
            **{k: (str(v) if k in STANDARD and v is not None else v) for k, v in row.items()},
            "linkedinUrl": f"https://www.linkedin.com/in/person-{number}",
        }
        for number, row in enumerate(made)
    ]


async def test_a_name_is_found_where_templates_find_it(
    client: httpx.AsyncClient, database: Database, workspace: Workspace
) -> None:
    campaign = (await client.post("/v1/campaigns", json={"name": "Fields"})).json()["id"]
    sent = rows()
    for begin in range(0, len(sent), 100):
        body = {"campaignId": campaign, "leads": sent[begin : begin + 100]}
        assert (await client.post("/v1/leads", json=body)).json()["invalidEntries"] == 0
    bare = ids.bare(ids.Prefix.CAMPAIGN, campaign)
    assert bare is not None
    async with database.session() as connection:
        keys = await preview_store.custom_keys(connection, workspace.id, bare)
        asked = places(NAMES, keys)
        found = await (
            await connection.execute(
                "WITH "
                + preview_store.PLACES
                + "SELECT d.id, (SELECT jsonb_agg("
                + preview_store.VALUE
                + " ORDER BY p.n) FROM asked p) FROM (SELECT l.id, "
                + preview_store.LEAD_FIELDS
                + " AS doc FROM lead l WHERE campaign_id = %(campaign)s ORDER BY l.id) AS d",
                {"campaign": bare, **preview_store.place_names(asked)},
            )
        ).fetchall()
        groups = await preview_store.lacking(connection, workspace.id, bare, asked)
    assert len(found) == len(sent)
    lacking: dict[frozenset[int], int] = {}
    for row, (_, values) in zip(sent, found, strict=True):
        standard = dict.fromkeys(("firstName", "lastName", "company", "title", "email"))
        expected = [look_up({**standard, **row}, name) for name in NAMES]
        assert values == expected, row
        lacked = frozenset(at for at, value in enumerate(expected) if value is None)
        lacking[lacked] = lacking.get(lacked, 0) + 1
    assert {group.fields: group.leads for group in groups} == lacking
    assert all(1 <= len(group.examples) <= 3 for group in groups)


def test_blank_is_what_python_says() -> None:
    assert all(letter.isspace() for letter in BLANKS)
    assert not any(chr(code).isspace() for code in range(0x3001, 0x11000))
