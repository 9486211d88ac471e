-- Of an invalid row only its place and its fault are kept: the text of its address may be a person's, and erasing that
-- person could not always tell.
ALTER TABLE lead_import_outcome DROP COLUMN linkedin_url;
