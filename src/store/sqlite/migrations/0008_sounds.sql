-- Files of sound, which lie elsewhere. A row is there before its file is written, and goes after its
-- file was deleted; it outlives its turn, so that a forgotten person's files are found.
CREATE TABLE sounds (
    turn          TEXT NOT NULL,     -- turns.id
    side          TEXT NOT NULL CHECK (side IN ('in', 'out')),
    key           TEXT NOT NULL,     -- the file's name where it lies
    type          TEXT NOT NULL,     -- its media type
    bytes         INTEGER NOT NULL,
    kept_ms       INTEGER NOT NULL,
    kept_until_ms INTEGER NOT NULL,  -- 0: to be deleted at once
    written_ms    INTEGER,           -- NULL: it was not written, or nobody knows
    PRIMARY KEY (turn, side)
) STRICT, WITHOUT ROWID;
CREATE INDEX sounds_due ON sounds (kept_until_ms, turn, side);
