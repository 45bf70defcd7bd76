-- Files that agents know, beside those that the configuration names. Written and deleted in many short
-- transactions, since no webhook should wait for a large one: only what is 'there' is seen.
CREATE TABLE sources (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    agent    TEXT NOT NULL,          -- its name, in the store or in the configuration
    name     TEXT NOT NULL,          -- the file's
    key      BLOB NOT NULL,          -- SHA-256 of name and contents
    bytes    INTEGER NOT NULL,
    passages INTEGER NOT NULL,
    added_ms INTEGER NOT NULL,
    state    TEXT NOT NULL CHECK (state IN ('coming', 'there', 'gone'))
) STRICT;
CREATE UNIQUE INDEX sources_there ON sources (agent, name) WHERE state = 'there';

-- What is in them, as it is searched.
CREATE TABLE passages (
    source   INTEGER NOT NULL,       -- sources.id
    place    INTEGER NOT NULL,       -- which one of its source, from 0
    question TEXT,
    answer   TEXT NOT NULL,
    also     TEXT NOT NULL,          -- searched and never said
    heading  TEXT NOT NULL,          -- where in the file it is
    PRIMARY KEY (source, place)
) STRICT, WITHOUT ROWID;

-- What an embedding model said of passages, wherever they are from.
CREATE TABLE vectors (
    model    TEXT NOT NULL,
    text     BLOB NOT NULL,          -- SHA-256 of the words
    vector   BLOB NOT NULL,
    used_day INTEGER NOT NULL,       -- days since 1970; a vector that nobody uses is deleted
    PRIMARY KEY (model, text)
) STRICT, WITHOUT ROWID;
CREATE INDEX vectors_used ON vectors (used_day);
