-- Senders that got quota back: lanes that were closed until there would be more are to be opened, and then the row goes.
-- A row each time and not a mark on the sender or its lanes: whoever gives back holds what planners wait for.
CREATE TABLE sender_quota_returned (
    workspace_id uuid NOT NULL,
    sender_id    uuid NOT NULL,
    id           bigint GENERATED ALWAYS AS IDENTITY,
    PRIMARY KEY (workspace_id, sender_id, id)
);
