-- Senders, what they know of people, and the deeds that the engine does through them.

-- senders -----------------------------------------------------------------------------------------------------------
CREATE TYPE sender_status AS ENUM ('active', 'rate_limited', 'disconnected');

CREATE TABLE sender (
    workspace_id  uuid NOT NULL,
    id            uuid NOT NULL,
    name          text NOT NULL,
    first_name    text,
    last_name     text,
    linkedin_url  text NOT NULL,
    identity_kind identity_kind NOT NULL,
    identity_key  text COLLATE "C" NOT NULL,
    channel       text NOT NULL,
    config        text NOT NULL,                     -- sealed JSON object
    limits        jsonb NOT NULL,
    ramp_up       jsonb,
    schedule      jsonb,                             -- null: always open
    status        sender_status NOT NULL DEFAULT 'active',
    status_reason text,
    status_until  timestamptz,                       -- when it is tried again by itself; null: by a person
    failures      integer NOT NULL DEFAULT 0,        -- in a row
    removed_at    timestamptz,                       -- kept for the conversations it had
    created_at    timestamptz NOT NULL,
    updated_at    timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, id)
);
CREATE UNIQUE INDEX sender_account ON sender (workspace_id, channel, identity_kind, identity_key) WHERE removed_at IS NULL;

-- Not a counter: the one row that is locked when a deed is planned. kind: connections, messages, visits, likes, emails.
CREATE TABLE sender_quota (
    workspace_id uuid NOT NULL,
    sender_id    uuid NOT NULL,
    kind         text NOT NULL,
    period       text NOT NULL CHECK (period IN ('day', 'week')),
    starts_on    date NOT NULL,                      -- in the zone of the sender's schedule, else UTC; weeks begin on Monday
    used         integer NOT NULL DEFAULT 0,
    PRIMARY KEY (workspace_id, sender_id, kind, period, starts_on)
);
-- The minimum gap: when the sender's next deed may be planned, and when it may begin. A row only where there is a gap.
CREATE TABLE sender_pace (
    workspace_id uuid NOT NULL,
    sender_id    uuid NOT NULL,
    plan_at      timestamptz NOT NULL DEFAULT '-infinity',
    begin_at     timestamptz NOT NULL DEFAULT '-infinity',
    PRIMARY KEY (workspace_id, sender_id)
);

-- engine ------------------------------------------------------------------------------------------------------------
CREATE TABLE campaign_day (
    workspace_id uuid NOT NULL,
    campaign_id  uuid NOT NULL,
    day          date NOT NULL,                      -- in the zone of the campaign's schedule, else UTC
    new_leads    integer NOT NULL DEFAULT 0,
    PRIMARY KEY (workspace_id, campaign_id, day)
);

ALTER TABLE enrolment
    ADD COLUMN sequence_version integer,             -- the version whose step step_id is
    ADD COLUMN step_since  timestamptz,              -- when the lead reached step_id: the end of the step before
    ADD COLUMN hold_rule   text,                     -- why it is held: a rule of the contract's "why"
    ADD COLUMN hold_detail jsonb,
    ADD COLUMN contacted_at timestamptz,             -- its first invitation, message or e-mail
    ADD COLUMN messages_sent integer NOT NULL DEFAULT 0;

CREATE TYPE action_state AS ENUM ('planned', 'performing', 'done', 'failed', 'uncertain', 'cancelled');

-- One intended deed with its rendered content, written before it is done.
CREATE TABLE action (
    workspace_id     uuid NOT NULL,
    id               uuid NOT NULL,
    lead_id          uuid,                           -- null: a one-off deed of the inbox
    campaign_id      uuid,
    sender_id        uuid NOT NULL,
    identity_kind    identity_kind NOT NULL,
    identity_key     text COLLATE "C" NOT NULL,
    linkedin_url     text NOT NULL,
    step_id          text,
    step_number      integer,                        -- the contract's sequenceStep
    sequence_version integer,
    variant          smallint,
    kind             text NOT NULL,                  -- a step type
    content          jsonb NOT NULL,                 -- {text, subject, title, url, payload}: as rendered
    state            action_state NOT NULL DEFAULT 'planned',
    awaiting         text CHECK (awaiting IN ('person', 'channel')), -- a performing one whose outcome comes later
    attempt          smallint NOT NULL DEFAULT 0,
    due_at           timestamptz NOT NULL,           -- when a planned one may be performed, an uncertain one asked about
    lease_until      timestamptz,
    token            bigint NOT NULL DEFAULT 0,
    error_code       text,
    error_message    text,
    external_id      text,                           -- the channel's own name of the deed
    quota            jsonb NOT NULL DEFAULT '[]',    -- [[kind, period, starts_on]]: what to give back
    planned_at       timestamptz NOT NULL,
    performing_at    timestamptz,
    finished_at      timestamptz,
    PRIMARY KEY (workspace_id, id)
);
CREATE UNIQUE INDEX action_of_step ON action (workspace_id, lead_id, step_id, kind) WHERE lead_id IS NOT NULL;
CREATE INDEX action_planned ON action (due_at) WHERE state = 'planned';
CREATE INDEX action_leased ON action (lease_until) WHERE state = 'performing' AND awaiting IS NULL;
CREATE INDEX action_uncertain ON action (due_at) WHERE state = 'uncertain';
CREATE INDEX action_open ON action (workspace_id, state, id) WHERE state IN ('planned', 'performing', 'uncertain');
CREATE INDEX action_of_person ON action (workspace_id, identity_kind, identity_key, id);

-- Leads are walked through after the do-not-contact list got entries by which no index finds them.
CREATE TABLE suppression_walk (
    workspace_id uuid PRIMARY KEY,
    behind       uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000', -- the lead that was looked at last
    again        boolean NOT NULL DEFAULT false      -- there was another entry meanwhile
);

-- inbox -------------------------------------------------------------------------------------------------------------
CREATE TYPE connection_state AS ENUM ('none', 'invited', 'connected');

-- What a sender has with a person.
CREATE TABLE relationship (
    workspace_id     uuid NOT NULL,
    sender_id        uuid NOT NULL,
    identity_kind    identity_kind NOT NULL,
    identity_key     text COLLATE "C" NOT NULL,
    state            connection_state NOT NULL DEFAULT 'none',
    invited_at       timestamptz,
    connected_at     timestamptz,
    last_sent_at     timestamptz,
    last_received_at timestamptz,
    last_lead_id     uuid,                           -- the lead that this sender contacted last
    PRIMARY KEY (workspace_id, sender_id, identity_kind, identity_key)
);
CREATE INDEX relationship_of_person ON relationship (workspace_id, identity_kind, identity_key);

-- Opened when a message to the person is planned; shown from its first message on.
CREATE TABLE conversation (
    workspace_id     uuid NOT NULL,
    id               uuid NOT NULL,
    sender_id        uuid NOT NULL,
    identity_kind    identity_kind NOT NULL,
    identity_key     text COLLATE "C" NOT NULL,
    participant_name text,
    participant_url  text NOT NULL,
    last_content     text,                           -- the first characters of the last message
    last_direction   text,                           -- null: no message yet
    last_activity_at timestamptz NOT NULL,
    moved_by         xid8 NOT NULL DEFAULT pg_current_xact_id(), -- whose message was the last to come in
    unread_count     integer NOT NULL DEFAULT 0,
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, id),
    UNIQUE (workspace_id, sender_id, identity_kind, identity_key)
);
CREATE INDEX conversation_by_activity ON conversation (workspace_id, last_activity_at, id)
    WHERE last_direction IS NOT NULL;
CREATE INDEX conversation_of_sender ON conversation (workspace_id, sender_id, last_activity_at, id)
    WHERE last_direction IS NOT NULL;
CREATE INDEX conversation_unread ON conversation (workspace_id, last_activity_at, id) WHERE unread_count > 0;
CREATE INDEX conversation_moved ON conversation (workspace_id, moved_by);
CREATE INDEX conversation_of_person ON conversation (workspace_id, identity_kind, identity_key);

-- kept_by: so that a list can be read on as it stood when its first page was read.
CREATE TABLE message (
    workspace_id    uuid NOT NULL,
    id              uuid NOT NULL,
    conversation_id uuid NOT NULL,
    direction       text NOT NULL CHECK (direction IN ('sent', 'received')),
    content         text NOT NULL,
    sent_at         timestamptz NOT NULL,
    read_at         timestamptz,                     -- when a received one was read here
    external_id     text,
    action_id       uuid,
    lead_id         uuid,
    kept_by         xid8 NOT NULL DEFAULT pg_current_xact_id(),
    PRIMARY KEY (workspace_id, id)
);
CREATE INDEX message_of_conversation ON message (workspace_id, conversation_id, sent_at, id);
CREATE INDEX message_received ON message (workspace_id, conversation_id) WHERE direction = 'received';

-- Facts that came in under a name of the channel's, so that the second telling changes nothing.
CREATE TABLE inbound_fact (
    workspace_id uuid NOT NULL,
    sender_id    uuid NOT NULL,
    external_id  text NOT NULL,
    type         text NOT NULL,
    lead_id      uuid,
    received_at  timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, sender_id, external_id)
);

-- channels ----------------------------------------------------------------------------------------------------------
-- What the simulated network will do: a person accepts or answers at this time.
CREATE TABLE simulated_fact (
    workspace_id  uuid NOT NULL,
    sender_id     uuid NOT NULL,
    external_id   text NOT NULL,
    type          text NOT NULL CHECK (type IN ('connection_accepted', 'reply')),
    linkedin_url  text NOT NULL,
    text          text,
    due_at        timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, sender_id, external_id)
);
CREATE INDEX simulated_fact_due ON simulated_fact (due_at);

-- What the simulated network did: so that it does nothing twice, and can be asked. Names no person.
CREATE TABLE simulated_deed (
    workspace_id uuid NOT NULL,
    sender_id    uuid NOT NULL,
    id           uuid NOT NULL,                      -- the action's
    performed_at timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, sender_id, id)
);
CREATE INDEX simulated_deed_by_time ON simulated_deed (workspace_id, sender_id, performed_at);
CREATE INDEX simulated_deed_age ON simulated_deed USING brin (performed_at) WITH (autosummarize = on);
-- How many deeds of a sender are forgotten. A row only where there are some.
CREATE TABLE simulated_account (
    workspace_id uuid NOT NULL,
    sender_id    uuid NOT NULL,
    forgotten    bigint NOT NULL,
    PRIMARY KEY (workspace_id, sender_id)
);
