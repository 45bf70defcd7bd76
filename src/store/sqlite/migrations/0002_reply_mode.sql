-- How a person asked to be answered: by text, or by voice again. NULL: they never said.
ALTER TABLE contacts ADD COLUMN reply_mode TEXT CHECK (reply_mode IN ('text', 'voice'));
