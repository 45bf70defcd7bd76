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

-- Names this store among others: what is kept of it elsewhere is under its name.
CREATE TABLE installation (id INTEGER PRIMARY KEY CHECK (id = 1), name TEXT NOT NULL) STRICT;
INSERT INTO installation VALUES (1, lower(hex(randomblob(8))));
