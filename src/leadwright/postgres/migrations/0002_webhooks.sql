-- Webhooks: endpoints, and what waits for them.

-- webhooks ----------------------------------------------------------------------------------------------------------
CREATE TABLE webhook (
    workspace_id     uuid NOT NULL,
    id               uuid NOT NULL,
    name             text NOT NULL,
    url              text NOT NULL,
    events           text[] NOT NULL,                -- {*} or names of event types
    event_names      text NOT NULL DEFAULT 'current' CHECK (event_names IN ('current', 'legacy')),
    enabled          boolean NOT NULL DEFAULT true,
    disabled_reason  text,                           -- gone: it answered 410; else a person did it
    headers          text,                           -- sealed JSON object of custom headers
    secret           text NOT NULL,                  -- sealed
    previous_secret  text,                           -- sealed, works until previous_until
    previous_until   timestamptz,
    accepts_previous boolean NOT NULL DEFAULT false, -- by which of the two it accepted last
    accepted_at      timestamptz,                    -- when it accepted last
    paused_at        timestamptz,                    -- nothing but probes goes out while set
    pause_reason     text,
    probe_at         timestamptz,
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, id)
);

CREATE TYPE delivery_status AS ENUM ('pending', 'delivered', 'failed');

-- The log: one row an event and endpoint. The body is made from the event's row, byte for byte the same each time.
CREATE TABLE webhook_delivery (
    workspace_id    uuid NOT NULL,
    id              uuid NOT NULL,
    webhook_id      uuid NOT NULL,
    event_id        uuid NOT NULL,
    event_type      text NOT NULL,                   -- as the endpoint is told it
    stream          text NOT NULL,
    position        bigint NOT NULL,                 -- of the event in the feed; 0 for a test
    test_body       json,                            -- of a test, whose event stands in no feed
    status          delivery_status NOT NULL DEFAULT 'pending',
    attempts        jsonb NOT NULL DEFAULT '[]',     -- [{at, statusCode, error, durationMs, answer}]
    retries_used    smallint NOT NULL DEFAULT 0,
    first_failed_at timestamptz,
    created_at      timestamptz NOT NULL,
    finished_at     timestamptz,
    PRIMARY KEY (workspace_id, id)
);
CREATE INDEX webhook_delivery_of_webhook ON webhook_delivery (workspace_id, webhook_id, id);
CREATE INDEX webhook_delivery_by_status ON webhook_delivery (workspace_id, webhook_id, status, id);
CREATE INDEX webhook_delivery_waiting ON webhook_delivery (webhook_id, stream, position, id) WHERE status = 'pending';
CREATE INDEX webhook_delivery_finished ON webhook_delivery (finished_at) WHERE finished_at IS NOT NULL;
CREATE INDEX webhook_delivery_of_event ON webhook_delivery (workspace_id, event_id);

-- What is claimed: a stream of one endpoint that has pending deliveries. Only its first delivery can be on its way, so
-- order within it is kept; publisher and deliverer meet on this row's lock. Gone when nothing of it is pending.
CREATE TABLE webhook_stream (
    webhook_id   uuid NOT NULL,
    stream       text NOT NULL,
    workspace_id uuid NOT NULL,
    due_at       timestamptz NOT NULL,               -- of one that is on its way: when its lease ends
    token        bigint NOT NULL DEFAULT 0,          -- fences off a deliverer whose lease has passed on
    PRIMARY KEY (webhook_id, stream)
) WITH (fillfactor = 80);
CREATE UNIQUE INDEX webhook_by_id ON webhook (id);
CREATE INDEX webhook_stream_due ON webhook_stream (webhook_id, due_at);
