"""The SQL of which leads lack which fields, by the rules of ``templates.look_up``."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import LiteralString

import msgspec

from leadwright.engine.preview_fields import BLANKS, Place
from leadwright.postgres.pool import Connection

MOST_EXAMPLES = 3

LEAD_FIELDS: LiteralString = """
    l.custom || jsonb_build_object('firstName', l.first_name, 'lastName', l.last_name, 'company', l.company,
        'title', l.title, 'email', l.email, 'linkedinUrl', l.linkedin_url)
"""
"""All fields of the lead ``l`` in one object: a standard one hides a custom one of its name."""

VALUE: LiteralString = """
    CASE WHEN btrim(d.doc ->> p.exact, %(blanks)s) <> '' THEN d.doc -> p.exact
         WHEN cardinality(p.alike) = 1 THEN CASE
            WHEN btrim(d.doc ->> p.alike[1], %(blanks)s) <> '' THEN d.doc -> p.alike[1]
            WHEN btrim(d.doc ->> p.alias, %(blanks)s) <> '' THEN d.doc -> p.alias END
         WHEN cardinality(p.alike) > 1 THEN (
            SELECT CASE count(DISTINCT CASE jsonb_typeof(d.doc -> k)
                            WHEN 'boolean' THEN to_jsonb((d.doc -> k)::boolean::int) ELSE d.doc -> k END)
                   WHEN 1 THEN (jsonb_agg(d.doc -> k)) -> 0
                   WHEN 0 THEN CASE WHEN btrim(d.doc ->> p.alias, %(blanks)s) <> '' THEN d.doc -> p.alias END END
            FROM unnest(p.alike) AS k WHERE btrim(d.doc ->> k, %(blanks)s) <> '')
         WHEN btrim(d.doc ->> p.alias, %(blanks)s) <> '' THEN d.doc -> p.alias END
"""
"""What a lead has under a name, null when it lacks it: of the place ``p`` in the object ``d.doc``.

A CASE stops at what decides: most fields cost one look into the object.
"""

PLACES: LiteralString = """
    asked AS MATERIALIZED (
        SELECT n, exact, ARRAY(SELECT jsonb_array_elements_text(alike)) AS alike, alias
        FROM jsonb_to_recordset(%(places)s::jsonb) AS r(n integer, exact text, alike jsonb, alias text)
    )
"""


def place_names(places: Sequence[Place]) -> dict[str, str]:
    """The parameters of ``PLACES`` and ``VALUE``."""
    return {"places": msgspec.json.encode([asdict(place) for place in places]).decode(), "blanks": BLANKS}


async def custom_keys(connection: Connection, workspace_id: str, campaign_id: str) -> frozenset[str]:
    """Every name under which a lead of the campaign has a custom field."""
    cursor = await connection.execute(
        """
        SELECT DISTINCT k FROM lead l, jsonb_object_keys(l.custom) AS k
        WHERE l.workspace_id = %s AND l.campaign_id = %s
        """,
        (workspace_id, campaign_id),
    )
    return frozenset(row[0] for row in await cursor.fetchall())


@dataclass(frozen=True, slots=True)
class Lacking:
    """Leads that lack the same fields: how many, and the first of them."""

    fields: frozenset[int]
    leads: int
    examples: Sequence[str]


async def lacking(
    connection: Connection, workspace_id: str, campaign_id: str, places: Sequence[Place]
) -> list[Lacking]:
    """The leads of a campaign that are not through, by which of the places are empty; those that lack nothing too."""
    cursor = await connection.execute(
        "WITH "
        + PLACES
        + """
        SELECT lacking, count(*), (array_agg(id ORDER BY id))[:%(most)s]
        FROM (
            SELECT d.id, ARRAY(SELECT p.n FROM asked p WHERE
        """
        + "("
        + VALUE
        + """) IS NULL ORDER BY p.n) AS lacking
            FROM (SELECT l.id, """
        + LEAD_FIELDS
        + """ AS doc
                  FROM lead l LEFT JOIN enrolment e ON e.workspace_id = l.workspace_id AND e.lead_id = l.id
                  WHERE l.workspace_id = %(workspace)s AND l.campaign_id = %(campaign)s
                    AND e.state IS DISTINCT FROM 'done' OFFSET 0) AS d
        ) AS leads
        GROUP BY lacking
        """,
        {"workspace": workspace_id, "campaign": campaign_id, "most": MOST_EXAMPLES, **place_names(places)},
    )
    return [Lacking(frozenset(row[0]), row[1], row[2]) for row in await cursor.fetchall()]
