-- Who answers a leased message, until when, and the turn it belongs to.
ALTER TABLE messages ADD COLUMN lease_owner TEXT;
ALTER TABLE messages ADD COLUMN lease_until_ms INTEGER;
ALTER TABLE messages ADD COLUMN turn TEXT;
UPDATE messages SET turn = t.id FROM turns t
    WHERE t.number = messages.number AND t.message = messages.provider_id;

-- Of what was heard, so that a turn that is taken up again still knows it.
ALTER TABLE turns ADD COLUMN language TEXT;

-- What the turn cost.
ALTER TABLE turns ADD COLUMN spent TEXT; -- turn::Spent as JSON

-- Parts say what they are to the turn instead of being known by their index, and may carry any
-- kind of content.
CREATE TABLE new_parts (
    turn        TEXT NOT NULL REFERENCES turns (id),
    idx         INTEGER NOT NULL,
    role        TEXT NOT NULL,       -- turn::Role
    state       TEXT NOT NULL CHECK (state IN ('planned', 'sent', 'failed')),
    content     TEXT NOT NULL,       -- turn::Content as JSON
    provider_id TEXT,
    error       TEXT,
    planned_ms  INTEGER NOT NULL,
    sent_ms     INTEGER,
    PRIMARY KEY (turn, idx)
) STRICT, WITHOUT ROWID;
INSERT INTO new_parts
    SELECT turn, idx,
           CASE WHEN idx >= 1000 THEN 'fallback' WHEN idx >= 900 THEN 'beside' ELSE 'answer' END,
           state, json_object(kind, content), provider_id, error, planned_ms, sent_ms
    FROM parts;
DROP TABLE parts;
ALTER TABLE new_parts RENAME TO parts;
CREATE INDEX parts_provider ON parts (provider_id);
