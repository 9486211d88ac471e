-- Counts by step, variant, sender and day; the erased persons' hashes; what retention and erasure look rows up by.

-- campaigns ---------------------------------------------------------------------------------------------------------
-- Of a count the total stands under the dimension '', and beside it what of that fell to each step, variant, sender and
-- day: 'step:hello', 'variant:hello:1', 'sender:<id>', 'day:2026-03-01'. So every page of statistics reads as many rows
-- as it shows, whatever the number of leads.
ALTER TABLE campaign_counter ADD COLUMN dimension text COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE campaign_counter DROP CONSTRAINT campaign_counter_pkey;
ALTER TABLE campaign_counter ADD PRIMARY KEY (workspace_id, campaign_id, dimension, counter);

-- Null: counts for no step, variant, sender or day.
ALTER TABLE campaign_counter_delta
    ADD COLUMN step_id   text,
    ADD COLUMN variant   smallint,
    ADD COLUMN sender_id uuid,
    ADD COLUMN day       date;           -- in UTC

-- suppression -------------------------------------------------------------------------------------------------------
-- The one key under which erased persons are hashed. Never rotated: with another one nobody would be recognised. It is
-- here and not in the data folder, so that every backup of the hashes has it.
CREATE TABLE erasure_key (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    key      bytea NOT NULL                          -- 244 random bits
);
INSERT INTO erasure_key (key) VALUES (uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));

-- All that is kept of an erased person: a keyed hash of each identity key and e-mail address they were known by.
CREATE TABLE erased_person (
    workspace_id uuid NOT NULL,
    digest       text COLLATE "C" NOT NULL,
    erased_at    timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, digest)
);

-- leads -------------------------------------------------------------------------------------------------------------
-- Who a lead was whose row is gone while events of it stay: without it erasing that person could not find them.
CREATE TABLE former_lead (
    workspace_id  uuid NOT NULL,
    lead_id       uuid NOT NULL,
    identity_kind identity_kind NOT NULL,
    identity_key  text COLLATE "C" NOT NULL,
    PRIMARY KEY (workspace_id, lead_id)
);
CREATE INDEX former_lead_of_person ON former_lead (workspace_id, identity_kind, identity_key);

-- Somebody of this company answered, as this lead. The company as the do-not-contact list would match it.
CREATE TABLE company_reply (
    workspace_id uuid NOT NULL,
    company      text COLLATE "C" NOT NULL,
    lead_id      uuid NOT NULL,
    PRIMARY KEY (workspace_id, company, lead_id)
);
CREATE INDEX company_reply_of_lead ON company_reply (workspace_id, lead_id);

-- What retention looks for by age. Rows come in the order of time, so a summary of each block range will do: it costs
-- the writers next to nothing.
CREATE INDEX history_age ON history USING brin (at) WITH (autosummarize = on);
CREATE INDEX lead_import_age ON lead_import USING brin (created_at) WITH (autosummarize = on);

-- accounts ----------------------------------------------------------------------------------------------------------
CREATE INDEX audit_entry_age ON audit_entry USING brin (at) WITH (autosummarize = on);

-- events ------------------------------------------------------------------------------------------------------------
CREATE INDEX event_age ON event USING brin (created_at) WITH (autosummarize = on);
-- Of conversations with nobody's lead, which are found by their stream alone.
CREATE INDEX event_of_stream ON event (workspace_id, stream) WHERE lead_id IS NULL;

-- inbox -------------------------------------------------------------------------------------------------------------
CREATE INDEX message_age ON message USING brin (sent_at) WITH (autosummarize = on);

-- engine ------------------------------------------------------------------------------------------------------------
CREATE INDEX action_with_content ON action (finished_at) WHERE finished_at IS NOT NULL AND content <> '{}';

-- privacy -----------------------------------------------------------------------------------------------------------
INSERT INTO duty (name) VALUES ('forget_old');
