-- Lists that stay as fast whatever else there is: each filter has an index that gives its rows in order.

-- campaigns ---------------------------------------------------------------------------------------------------------
-- The leads of a workspace are the sum of its campaigns' counts, which stand among some hundreds a campaign.
CREATE INDEX campaign_counter_of_leads ON campaign_counter (workspace_id, campaign_id)
    WHERE counter = 'leads' AND dimension = '';

-- inbox -------------------------------------------------------------------------------------------------------------
CREATE INDEX conversation_unread_of_sender ON conversation (workspace_id, sender_id, last_activity_at, id)
    WHERE unread_count > 0;

-- accounts ----------------------------------------------------------------------------------------------------------
CREATE INDEX audit_entry_of_key ON audit_entry (workspace_id, key_id, id);
CREATE INDEX audit_entry_of_action ON audit_entry (workspace_id, action, id);
