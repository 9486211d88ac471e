-- Lists of leads that stay as fast at ten million, and tags.

-- leads -------------------------------------------------------------------------------------------------------------
CREATE INDEX enrolment_of_workspace ON enrolment (workspace_id, status, lead_id);
-- PENDING leads of all campaigns, as lead lists show them.
CREATE INDEX lead_not_enrolled ON lead (workspace_id, id) WHERE NOT enrolled;
ALTER TABLE lead ADD COLUMN tags text[] NOT NULL DEFAULT '{}';
