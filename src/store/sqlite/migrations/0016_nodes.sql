-- Processes that serve from this store.
CREATE TABLE nodes (
    session    TEXT PRIMARY KEY,    -- of one process, random
    id         TEXT NOT NULL,       -- [queue] node, or the host's name
    host       TEXT NOT NULL,
    version    TEXT NOT NULL,
    setup      TEXT NOT NULL,       -- SHA-256 of the numbers and agents of its configuration
    turns      INTEGER NOT NULL,    -- that run there
    started_ms INTEGER NOT NULL,
    seen_ms    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
