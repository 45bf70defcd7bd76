-- Processes that serve from this store.
CREATE TABLE nodes (
    session    TEXT COLLATE "C" PRIMARY KEY,  -- of one process, random
    id         TEXT COLLATE "C" NOT NULL,  -- [queue] node, or the host's name
    host       TEXT COLLATE "C" NOT NULL,
    version    TEXT COLLATE "C" NOT NULL,
    setup      TEXT COLLATE "C" NOT NULL,  -- SHA-256 of the numbers and agents of its configuration
    turns      BIGINT NOT NULL,  -- that run there
    started_ms BIGINT NOT NULL,
    seen_ms    BIGINT NOT NULL
);

-- Names this store among others: what is kept of it elsewhere is under its name.
CREATE TABLE installation (id BIGINT PRIMARY KEY CHECK (id = 1), name TEXT COLLATE "C" NOT NULL);
INSERT INTO installation VALUES (1, substr(replace(gen_random_uuid()::text, '-', ''), 1, 16));
