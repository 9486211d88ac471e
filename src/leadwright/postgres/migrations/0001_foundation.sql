-- Workspaces, keys, campaigns, leads, suppression and events.
-- Every table of a workspace has workspace_id first in its keys; each table is written by the one room named above it.
-- There are no foreign keys on the hot path: the ingest statement checks the campaign itself, once a batch, where a
-- constraint would check once a row.

-- accounts ----------------------------------------------------------------------------------------------------------
CREATE TABLE workspace (
    id         uuid PRIMARY KEY,
    name       text NOT NULL,
    created_at timestamptz NOT NULL
);
INSERT INTO workspace (id, name, created_at) VALUES (gen_random_uuid(), 'Default', now());

CREATE TABLE api_key (
    workspace_id uuid NOT NULL REFERENCES workspace (id),
    id           uuid NOT NULL UNIQUE,
    name         text NOT NULL,
    shown        text NOT NULL,         -- the first characters, all that can ever be shown again
    digest       bytea NOT NULL UNIQUE, -- SHA-256; a key has 214 random bits, so it needs no slow hash
    scopes       text[] NOT NULL,
    created_at   timestamptz NOT NULL,
    expires_at   timestamptz,
    revoked_at   timestamptz,
    last_used_at timestamptz,
    PRIMARY KEY (workspace_id, id)
);

-- Unlogged: after a crash every bucket is full again, which harms nobody.
CREATE UNLOGGED TABLE rate_bucket (
    key_id      uuid PRIMARY KEY,
    tokens      float8 NOT NULL,
    granted     integer NOT NULL,
    refilled_at timestamptz NOT NULL
);

-- http --------------------------------------------------------------------------------------------------------------
CREATE TABLE idempotency_record (
    workspace_id uuid NOT NULL,
    key          text NOT NULL,
    request_hash bytea NOT NULL,
    status       smallint,
    body         bytea,
    created_at   timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, key)
);
CREATE INDEX idempotency_record_age ON idempotency_record (created_at);

-- campaigns ---------------------------------------------------------------------------------------------------------
CREATE TYPE campaign_status AS ENUM ('draft', 'started', 'paused', 'finished');

CREATE TABLE campaign (
    workspace_id           uuid NOT NULL,
    id                     uuid NOT NULL,
    name                   text NOT NULL,
    description            text,
    status                 campaign_status NOT NULL DEFAULT 'draft',
    finished_by            text,                    -- api, user or system; set while the status is finished
    sender_ids             uuid[] NOT NULL DEFAULT '{}',
    schedule               jsonb,                   -- null: always open
    sequence_version       integer NOT NULL DEFAULT 1,
    missing_variable       text NOT NULL DEFAULT 'hold' CHECK (missing_variable IN ('hold', 'skip_step')),
    acceptance_timeout     interval NOT NULL DEFAULT '14 days',
    max_new_leads_per_day  integer,
    approach_despite_other_conversation boolean NOT NULL DEFAULT false,
    entry_lane_id          bigint NOT NULL,         -- where new leads wait for their first deed
    started_at             timestamptz,
    created_at             timestamptz NOT NULL,
    updated_at             timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, id),
    CHECK ((status = 'finished') = (finished_by IS NOT NULL))
);
CREATE INDEX campaign_by_status ON campaign (workspace_id, status, id);

-- Every version that was ever saved, so that the one a lead saw is known. The compiled form is made on reading.
CREATE TABLE campaign_sequence (
    workspace_id uuid NOT NULL,
    campaign_id  uuid NOT NULL,
    version      integer NOT NULL,
    sequence     jsonb NOT NULL,
    created_at   timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, campaign_id, version)
);

-- Counters are exact and never a hot row: writers append deltas, a background job folds them, readers add both up.
CREATE TABLE campaign_counter (
    workspace_id uuid NOT NULL,
    campaign_id  uuid NOT NULL,
    counter      text NOT NULL,
    value        bigint NOT NULL,
    PRIMARY KEY (workspace_id, campaign_id, counter)
);
CREATE TABLE campaign_counter_delta (
    id           bigint GENERATED ALWAYS AS IDENTITY,
    workspace_id uuid NOT NULL,
    campaign_id  uuid NOT NULL,
    counter      text NOT NULL,
    delta        bigint NOT NULL,
    PRIMARY KEY (workspace_id, campaign_id, id)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000);

-- engine ------------------------------------------------------------------------------------------------------------
-- A lane says when to look: all leads of it are bound by the same sender and kind of deed. A campaign's first one is
-- made, and all are deleted, with the campaign by its room.
CREATE TABLE lane (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    workspace_id uuid NOT NULL,
    campaign_id  uuid NOT NULL,
    sender_id    uuid,
    kind         text NOT NULL,         -- 'enter' for leads that have not had a deed
    open_at      timestamptz NOT NULL DEFAULT '-infinity',
    UNIQUE NULLS NOT DISTINCT (workspace_id, campaign_id, sender_id, kind)
);

-- people ------------------------------------------------------------------------------------------------------------
-- A person is a key in a workspace, not a row. Rows stand only where there is something to say of a person.
CREATE TYPE identity_kind AS ENUM ('slug', 'member_token', 'sales_token', 'pub');

-- This key is also known as that one: straight to the canonical key, never chained.
CREATE TABLE alias (
    workspace_id uuid NOT NULL,
    kind         identity_kind NOT NULL,
    key          text COLLATE "C" NOT NULL,
    person_kind  identity_kind NOT NULL,
    person_key   text COLLATE "C" NOT NULL,
    learned_at   timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, kind, key)
);
CREATE INDEX alias_of_person ON alias (workspace_id, person_kind, person_key);

-- leads -------------------------------------------------------------------------------------------------------------
CREATE TYPE lead_status AS ENUM (
    'PENDING', 'PROCESSING', 'MESSAGE_SENT', 'CONNECTION_SENT', 'CONNECTION_ACCEPTED', 'CONNECTION_ALREADY_SENT',
    'REPLY_RECEIVED', 'FOLLOWUP_SENT', 'BLOCKED', 'PROFILE_UNREACHABLE', 'RATE_LIMITED', 'FAILED', 'SUCCESS',
    'UNSUBSCRIBED', 'IRRELEVANT', 'SKIPPED', 'DONE', 'MEETING_BOOKED', 'OPPORTUNITY', 'LIKED_POST',
    'MESSAGE_SCHEDULED', 'CONNECTION_SCHEDULED', 'LIKE_POST_SCHEDULED', 'VIEW_PROFILE_SCHEDULED', 'CONNECTED',
    'CONNECTION_WITHDRAWN', 'WITHDRAWAL_SCHEDULED', 'WITHDRAWAL_NOT_POSSIBLE', 'NOT_CONNECTED', 'ICP_MATCH',
    'ICP_NOT_MATCH', 'PROFILE_VIEWED', 'STARTED', 'STOPPED', 'WAITING', 'NOT_INTERESTED'
);

-- A person in a campaign, as the caller sent it. Its place in the sequence is beside it, in enrolment, since a wide row
-- would be written anew at every step; and there only from its first step on, so that adding writes one row a lead
-- (docs/decisions/0010-enrolment-layout.md). Until then the lead is PENDING and due.
CREATE TABLE lead (
    workspace_id  uuid NOT NULL,
    id            uuid NOT NULL,
    campaign_id   uuid NOT NULL,
    identity_kind identity_kind NOT NULL,  -- of the canonical key, aliases followed
    identity_key  text COLLATE "C" NOT NULL,
    linkedin_url  text NOT NULL,           -- what the caller sent
    first_name    text,
    last_name     text,
    company       text,
    title         text,
    email         text,
    custom        jsonb NOT NULL,
    profile       jsonb,                   -- what channels learned
    import_id     uuid NOT NULL,
    enrolled      boolean NOT NULL DEFAULT false, -- whether it has an enrolment
    created_at    timestamptz NOT NULL,
    updated_at    timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, id)
);
-- Decides duplicates, and finds a person in all campaigns.
CREATE UNIQUE INDEX lead_of_person ON lead (workspace_id, identity_kind, identity_key, campaign_id);
-- A campaign's leads in order, and the next to be enrolled.
CREATE INDEX lead_of_campaign ON lead (workspace_id, campaign_id, enrolled, id);

-- due: waits for its due_at; leased: a worker has it until lease_until; held: outside the due index until something
-- happens (a field is filled in, an invitation accepted); done: through, nothing more will happen.
CREATE TYPE enrolment_state AS ENUM ('due', 'leased', 'held', 'done');

CREATE TABLE enrolment (
    workspace_id  uuid NOT NULL,
    lead_id       uuid NOT NULL,
    campaign_id   uuid NOT NULL,
    status        lead_status NOT NULL DEFAULT 'PENDING',
    custom_status text,
    state         enrolment_state NOT NULL DEFAULT 'due',
    step_id       text,                    -- null: before the first step
    sender_id     uuid,
    lane_id       bigint NOT NULL,
    due_at        timestamptz NOT NULL,
    lease_until   timestamptz,
    token         bigint NOT NULL DEFAULT 0, -- fences off a worker whose lease has passed on
    updated_at    timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, lead_id)
) WITH (fillfactor = 80);
CREATE INDEX enrolment_by_status ON enrolment (workspace_id, campaign_id, status, lead_id);
CREATE INDEX enrolment_due ON enrolment (lane_id, due_at) WHERE state = 'due';

-- One add call: the one history record of its batch. Counters agree with the rows, since both are one statement's.
CREATE TABLE lead_import (
    workspace_id uuid NOT NULL,
    id           uuid NOT NULL,
    campaign_id  uuid NOT NULL,
    api_key_id   uuid NOT NULL,
    received     integer NOT NULL,
    added        integer NOT NULL,
    updated      integer NOT NULL,
    duplicates   integer NOT NULL,
    invalid      integer NOT NULL,
    created_at   timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, id),
    CHECK (received = added + updated + duplicates + invalid)
);
CREATE INDEX lead_import_of_campaign ON lead_import (workspace_id, campaign_id, id);

-- What became of a row that was not added; an added lead names its import.
CREATE TABLE lead_import_outcome (
    workspace_id  uuid NOT NULL,
    import_id     uuid NOT NULL,
    row_index     smallint NOT NULL,
    outcome       text NOT NULL,
    code          text,
    identity_kind identity_kind,           -- of a row whose address names a person
    identity_key  text COLLATE "C",
    linkedin_url  text,                    -- of a row whose address does not
    PRIMARY KEY (workspace_id, import_id, row_index)
);

-- The private record of one lead, fuller than the public events. Its first entry is its import.
CREATE TABLE history (
    workspace_id uuid NOT NULL,
    lead_id      uuid NOT NULL,
    id           bigint GENERATED ALWAYS AS IDENTITY,
    at           timestamptz NOT NULL,
    type         text NOT NULL,
    step_id      text,
    detail       jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (workspace_id, lead_id, id)
);

-- suppression -------------------------------------------------------------------------------------------------------
CREATE TYPE suppression_kind AS ENUM ('person', 'email', 'email_domain', 'company');

CREATE TABLE suppression (
    workspace_id uuid NOT NULL,
    id           uuid NOT NULL,
    kind         suppression_kind NOT NULL,
    value        text COLLATE "C" NOT NULL, -- what is matched: slug:jane-smith, jane@example.com, example.com, acme inc
    shown        text NOT NULL,             -- what the caller sent
    reason       text,
    created_at   timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, id),
    UNIQUE (workspace_id, kind, value)
);
CREATE INDEX suppression_by_kind ON suppression (workspace_id, kind, id);

-- events ------------------------------------------------------------------------------------------------------------
-- seq: taken under the lead's or campaign's row lock, so the events of one subject are in order.
-- position: given by the publisher to committed events, gap-free in a workspace; all cursors go by it.
-- data: json and not jsonb, because the text must stay the same to the byte: a receiver may get an event twice.
CREATE TYPE event_type AS ENUM (
    'message.sent', 'reply.received', 'connection_request.sent', 'connection_request.accepted',
    'campaign.started', 'campaign.paused', 'campaign.resumed', 'campaign.finished',
    'lead.updated', 'lead.tag.updated', 'lead_database.search.completed', 'lead_extractor.job.completed'
);

CREATE TABLE event (
    workspace_id uuid NOT NULL,
    id           uuid NOT NULL,
    seq          bigint GENERATED ALWAYS AS IDENTITY,
    position     bigint,
    type         event_type NOT NULL,
    stream       text NOT NULL,   -- what its order is kept by: lead_…, conv_… or camp_…
    lead_id      uuid,
    campaign_id  uuid,
    data         json NOT NULL,
    simulated    boolean NOT NULL DEFAULT false,
    created_at   timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, id)
);
CREATE UNIQUE INDEX event_feed ON event (workspace_id, position) WHERE position IS NOT NULL;
CREATE INDEX event_feed_of_type ON event (workspace_id, type, position) WHERE position IS NOT NULL;
CREATE INDEX event_unpublished ON event (seq) WHERE position IS NULL;
CREATE INDEX event_of_lead ON event (workspace_id, lead_id, seq) WHERE lead_id IS NOT NULL;

CREATE TABLE event_head (
    workspace_id uuid PRIMARY KEY,
    position     bigint NOT NULL
);

-- One row a background duty; whoever holds its row lock has the duty. Safe behind a transaction pooler.
CREATE TABLE duty (
    name text PRIMARY KEY
);
INSERT INTO duty (name) VALUES ('publish_events'), ('fold_counters'), ('forget_expired');
