-- The language that a person asked to be answered in. NULL: they never said.
ALTER TABLE contacts ADD COLUMN asked_language TEXT;

-- What an agent has noted of the older part of a conversation.
CREATE TABLE summaries (
    contact_id INTEGER NOT NULL REFERENCES contacts (id),
    number     TEXT NOT NULL,
    text       TEXT NOT NULL,
    upto_ms    INTEGER NOT NULL,     -- turns.created_ms of the last turn in it
    made_ms    INTEGER NOT NULL,
    PRIMARY KEY (contact_id, number)
) STRICT, WITHOUT ROWID;
