-- Whether a caller of the API made the change that an event tells of, and not the server by itself.
ALTER TABLE event ADD COLUMN by_caller boolean NOT NULL DEFAULT false;
