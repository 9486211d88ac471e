"""Brings a server's database to N leads and N events, with all that is listed beside them."""

import time
from typing import Any, LiteralString

import psycopg

from bench.fill import CONSTANTS, ID_FUNCTION, Fill
from leadwright.inbox.continuation import Continuation

LEADS_A_STATEMENT = 100_000
ENROLLED = 60
"""Of 100 leads; the others have not had a first step, as most of a campaign that has just been filled."""
SENDERS = 10
"""The first of them has no unread conversation."""
DAYS, STEPS = 60, 6
"""For which each campaign has counts."""

RARE_TYPE, UNUSED_TYPE = "lead.tag.updated", "campaign.finished"
RARE_ACTION, UNUSED_ACTION = "create_webhook", "delete_webhook"
COMMON_KEY, RARE_KEY = "a" * 32, "b" * 32
"""Bare ids of keys in the audit log: of all entries but one in 5,000."""

_CHUNK = """
    CREATE TEMPORARY TABLE bench_chunk AS
    SELECT l.workspace_id, l.id, l.campaign_id, l.identity_key, l.linkedin_url, l.first_name, l.last_name,
           l.created_at AS at, (extract(epoch FROM l.created_at) * 1000)::bigint AS ms,
           %(base)s + row_number() OVER (ORDER BY l.id) AS n
    FROM lead l JOIN bench_constant USING (workspace_id) WHERE l.id > %(after)s::uuid ORDER BY l.id LIMIT %(size)s
"""
_EVENTS = """
    INSERT INTO event (workspace_id, id, position, type, stream, lead_id, campaign_id, data, created_at)
    SELECT workspace_id, pg_temp.bench_id(ms, 1, 'event ' || n), n,
           (CASE WHEN n %% 10000 = 7 THEN 'lead.tag.updated' WHEN n %% 100 < 45 THEN 'connection_request.sent'
               WHEN n %% 100 < 65 THEN 'message.sent' WHEN n %% 100 < 75 THEN 'connection_request.accepted'
               WHEN n %% 100 < 80 THEN 'reply.received' ELSE 'lead.updated' END)::event_type,
           'lead_' || replace(id::text, '-', ''), id, campaign_id,
           json_build_object('leadId', 'lead_' || replace(id::text, '-', ''),
               'campaignId', 'camp_' || replace(campaign_id::text, '-', ''), 'linkedinUrl', linkedin_url,
               'message', 'Hi ' || first_name || ', thanks for connecting. Have you ten minutes this week?'),
           at
    FROM bench_chunk ORDER BY n
"""
_HEAD = """
    INSERT INTO event_head (workspace_id, position) SELECT workspace_id, max(n) FROM bench_chunk GROUP BY 1
    ON CONFLICT (workspace_id) DO UPDATE SET position = excluded.position
"""
# One conversation for ten leads. One in five has something unread, but for those of the first sender.
_CONVERSATIONS = """
    WITH begun AS (
        SELECT c.*, (%(senders)s::uuid[])[1 + (n / 10) %% 10] AS sender_id,
               at + interval '1 day' + interval '1 minute' * (hashint8(n) %% 40000) AS active
        FROM bench_chunk c WHERE n %% 10 = 0
    ), related AS (
        INSERT INTO relationship (workspace_id, sender_id, identity_kind, identity_key, state, connected_at,
            last_lead_id)
        SELECT workspace_id, sender_id, 'slug', identity_key, 'connected', at, id FROM begun
    )
    INSERT INTO conversation (workspace_id, id, sender_id, identity_kind, identity_key, participant_name,
        participant_url, last_content, last_direction, last_activity_at, unread_count, created_at, updated_at)
    SELECT workspace_id, pg_temp.bench_id(ms, 2, 'conversation ' || n), sender_id, 'slug', identity_key,
           first_name || ' ' || last_name, linkedin_url, 'Thanks, tell me more', 'received', active,
           (n %% 50 = 0 AND (n / 10) %% 10 <> 0)::int, at, active
    FROM begun ORDER BY n
"""
_FIRST_CONVERSATION = "SELECT id FROM conversation ORDER BY id LIMIT 1"
# Three in each conversation, and one for every tenth lead in the first, which so gets long.
_MESSAGES = """
    INSERT INTO message (workspace_id, id, conversation_id, direction, content, sent_at, lead_id)
    SELECT workspace_id, pg_temp.bench_id(ms, 3 + place, 'message ' || n),
           CASE WHEN n %% 10 = 5 THEN %(first)s ELSE pg_temp.bench_id(ms, 2, 'conversation ' || n) END,
           CASE WHEN place = 1 THEN 'received' ELSE 'sent' END,
           'Thanks ' || first_name || ', tell me more about what you do for companies like ours.',
           at + interval '1 hour' * place, id
    FROM bench_chunk CROSS JOIN LATERAL generate_series(0, CASE WHEN n %% 10 = 5 THEN 0 ELSE 2 END) AS place
    WHERE n %% 10 IN (0, 5) ORDER BY n, place
"""
# Of 100 entries 80 name a person, 15 an address, 4 a domain, one a company.
_SUPPRESSIONS = """
    INSERT INTO suppression (workspace_id, id, kind, value, shown, reason, created_at)
    SELECT workspace_id, pg_temp.bench_id(ms, 4, 'suppression ' || n), kind::suppression_kind,
           CASE WHEN kind = 'person' THEN 'slug:' || word ELSE word END,
           CASE WHEN kind = 'person' THEN 'https://www.linkedin.com/in/' || word ELSE word END, 'asked us to', at
    FROM bench_chunk CROSS JOIN LATERAL (
        SELECT left(md5('suppressed ' || n), 12) || n AS hash,
               CASE WHEN n %% 1000 < 800 THEN 'person' WHEN n %% 1000 < 950 THEN 'email'
                   WHEN n %% 1000 < 990 THEN 'email_domain' ELSE 'company' END AS kind
    ) AS chosen CROSS JOIN LATERAL (
        SELECT CASE kind WHEN 'email' THEN hash || '@example.com' WHEN 'email_domain' THEN hash || '.example'
            ELSE hash END AS word
    ) AS named
    WHERE n %% 10 = 1 ORDER BY n
"""
_AUDIT = """
    INSERT INTO audit_entry (workspace_id, id, at, action, path, status, key_id, key_name, address, request_id)
    SELECT workspace_id, pg_temp.bench_id(ms, 5, 'audit ' || n), at,
           CASE WHEN n %% 10000 = 2 THEN %(rare_action)s WHEN n %% 100 < 80 THEN 'add_leads'
               ELSE 'set_lead_status' END,
           '/v1/leads', 200, (CASE WHEN n %% 50000 = 12 THEN %(rare_key)s ELSE %(common_key)s END)::uuid, 'bench',
           '127.0.0.1', left(md5('request ' || n), 20)
    FROM bench_chunk WHERE n %% 10 = 2 ORDER BY n
"""
_COUNTS = """
    INSERT INTO campaign_counter (workspace_id, campaign_id, dimension, counter, value)
    SELECT workspace_id, id, dimension, counter, 1 + hashtext(dimension) %% 100 + 100
    FROM campaign CROSS JOIN (
        SELECT 'day:' || (date '2026-01-01' + d) FROM generate_series(1, %(days)s) AS d
        UNION ALL SELECT 'step:step-' || s FROM generate_series(1, %(steps)s) AS s
        UNION ALL SELECT 'variant:step-2:' || v FROM generate_series(0, 1) AS v
        UNION ALL SELECT 'sender:' || replace(s::text, '-', '') FROM unnest(%(senders)s::uuid[]) AS s
    ) AS of (dimension) CROSS JOIN unnest(ARRAY['leads_contacted', 'connections_sent', 'connections_accepted',
        'messages_sent', 'replies_received', 'deeds_done']) AS c (counter)
    ON CONFLICT DO NOTHING
"""
_WORKSPACE = "SELECT id FROM workspace ORDER BY created_at LIMIT 1"
_NO_ID = "0" * 32


class ReadsFill:
    """Fills one server's database step by step. ``senders``: bare ids of ``SENDERS`` that it has."""

    def __init__(self, conninfo: str, senders: list[str]) -> None:
        self.fill = Fill(conninfo, enrolled=ENROLLED)
        self.senders = senders
        self._reached = 0
        self._last_lead = _NO_ID

    def reach(self, leads: int) -> float:
        """Adds what is missing to as many leads and events; then as after a quiet night. Returns the seconds."""
        began = time.monotonic()
        self.fill.add(leads)
        with psycopg.connect(self.fill.conninfo, autocommit=True) as connection:
            connection.execute("SET synchronous_commit = off")
            connection.execute(CONSTANTS.encode())
            connection.execute(ID_FUNCTION.encode())
            while self._add_beside(connection):
                pass
            names = {"days": DAYS, "steps": STEPS, "senders": self.senders}
            connection.execute(_COUNTS.encode(), names)
        self.fill.rest()
        return time.monotonic() - began

    def _add_beside(self, connection: psycopg.Connection[Any]) -> int:
        """What belongs to the next leads; how many those are."""
        names = {"base": self._reached, "after": self._last_lead, "size": LEADS_A_STATEMENT}
        connection.execute("DROP TABLE IF EXISTS bench_chunk")
        connection.execute(_CHUNK.encode(), names)
        last = connection.execute("SELECT id, n FROM bench_chunk ORDER BY n DESC LIMIT 1").fetchone()
        if last is None:
            return 0
        for statement in (_EVENTS, _HEAD, _CONVERSATIONS, _SUPPRESSIONS):
            connection.execute(statement.encode(), {"senders": self.senders})
        audited = {"rare_action": RARE_ACTION, "rare_key": RARE_KEY, "common_key": COMMON_KEY}
        connection.execute(_AUDIT.encode(), audited)
        connection.execute(_MESSAGES.encode(), {"first": self.value(_FIRST_CONVERSATION)})
        added, self._reached, self._last_lead = last[1] - self._reached, last[1], last[0]
        return added

    def value(self, statement: str, parameters: dict[str, Any] | None = None) -> Any:
        """The one value that a statement answers."""
        with psycopg.connect(self.fill.conninfo) as connection:
            found = connection.execute(statement.encode(), parameters).fetchone()
        assert found is not None
        return found[0]

    @property
    def workspace_id(self) -> str:
        return self.value(_WORKSPACE).hex

    def deep_id(self, table: LiteralString) -> str:
        """The bare id of a row nine tenths down a table, in the order of ids."""
        statement = f"SELECT id FROM {table} ORDER BY id OFFSET (SELECT count(*) * 9 / 10 FROM {table}) LIMIT 1"
        return self.value(statement).hex

    def long_conversation(self) -> tuple[str, str]:
        """The bare ids of the conversation with most messages and of its sender."""
        return self._conversation("ORDER BY id LIMIT 1")

    def short_conversation(self) -> tuple[str, str]:
        return self._conversation("ORDER BY id DESC LIMIT 1")

    def _conversation(self, which: LiteralString) -> tuple[str, str]:
        with psycopg.connect(self.fill.conninfo) as connection:
            found = connection.execute("SELECT id, sender_id FROM conversation " + which).fetchone()
        assert found is not None
        return found[0].hex, found[1].hex

    def deep_conversation(self, sender: str | None = None) -> Continuation:
        """A place nine tenths down the list of conversations, of all or of one sender, as it stands now."""
        return self._place(
            """
            SELECT last_activity_at, id, pg_current_snapshot()::text FROM conversation
            WHERE %(sender)s::uuid IS NULL OR sender_id = %(sender)s::uuid
            ORDER BY last_activity_at DESC, id DESC
            OFFSET (SELECT count(*) * 9 / 10 FROM conversation
                    WHERE %(sender)s::uuid IS NULL OR sender_id = %(sender)s::uuid) LIMIT 1
            """,
            {"sender": sender},
        )

    def deep_message(self, conversation: str) -> Continuation:
        """A place nine tenths down a conversation."""
        return self._place(
            """
            SELECT sent_at, id, NULL FROM message WHERE conversation_id = %(conversation)s ORDER BY sent_at, id
            OFFSET (SELECT count(*) * 9 / 10 FROM message WHERE conversation_id = %(conversation)s) LIMIT 1
            """,
            {"conversation": conversation},
        )

    def _place(self, statement: str, parameters: dict[str, Any]) -> Continuation:
        with psycopg.connect(self.fill.conninfo) as connection:
            found = connection.execute(statement.encode(), parameters).fetchone()
        assert found is not None
        return Continuation(found[0], found[1].hex, found[2])
