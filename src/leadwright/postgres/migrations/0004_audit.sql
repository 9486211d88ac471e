-- Who did what: one row a request or command that changed something, written in the transaction of the change.

-- accounts ----------------------------------------------------------------------------------------------------------
CREATE TABLE audit_entry (
    workspace_id uuid NOT NULL,
    id           uuid NOT NULL,
    at           timestamptz NOT NULL,
    action       text NOT NULL,         -- the operation id of the route: add_leads
    path         text NOT NULL,         -- with its query; ids, never personal data
    status       smallint NOT NULL,
    key_id       uuid,                  -- null: the command line
    key_name     text NOT NULL,         -- as it was then
    address      text,
    request_id   text,
    PRIMARY KEY (workspace_id, id)
);

-- Append-only: nothing changes an entry, and only the retention job, which says so, removes old ones.
CREATE FUNCTION keep_audit_entries() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND current_setting('leadwright.retention', true) = 'on' THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'the audit log is append-only';
END
$$;
CREATE TRIGGER audit_entries_stay BEFORE UPDATE OR DELETE ON audit_entry
    FOR EACH ROW EXECUTE FUNCTION keep_audit_entries();
CREATE TRIGGER audit_log_stays BEFORE TRUNCATE ON audit_entry
    FOR EACH STATEMENT EXECUTE FUNCTION keep_audit_entries();
