-- When a part may be sent, by the pace that WhatsApp allows; and how often it was sent without an answer
-- that says what became of it.
ALTER TABLE parts ADD COLUMN due_ms INTEGER;
ALTER TABLE parts ADD COLUMN unclear INTEGER NOT NULL DEFAULT 0;
UPDATE parts SET unclear = 1 WHERE state = 'planned' AND error IS NOT NULL;

-- When a number may send a second of messages at once again, after all that is planned.
CREATE TABLE paces (
    number  TEXT PRIMARY KEY,
    full_us INTEGER NOT NULL        -- Unix microseconds
) STRICT, WITHOUT ROWID;

-- When a turn gave up, until somebody replays or drops it.
ALTER TABLE turns ADD COLUMN dead_ms INTEGER;
CREATE INDEX turns_dead ON turns (dead_ms) WHERE dead_ms IS NOT NULL;
