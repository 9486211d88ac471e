-- Why a campaign paused by itself; null for one that a person paused, and for every other status.
ALTER TABLE campaign ADD COLUMN pause_reason text;
