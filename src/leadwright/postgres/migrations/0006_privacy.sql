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
