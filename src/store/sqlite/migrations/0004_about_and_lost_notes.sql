-- What a message refers to: turn::About as JSON, NULL if to nothing.
ALTER TABLE messages ADD COLUMN about TEXT;

-- Turns are also looked for by their time.
CREATE INDEX turns_created ON turns (created_ms);
