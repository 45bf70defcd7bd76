-- Whom the business knows, whether they ever wrote or not. A contact is a customer by its user id or
-- its phone number.
CREATE TABLE customers (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id    TEXT UNIQUE,
    phone      TEXT UNIQUE,          -- digits
    known      INTEGER NOT NULL,     -- 0: the server that was asked does not know them
    name       TEXT,
    language   TEXT,
    fields     TEXT NOT NULL,        -- turn::CustomerFields as JSON
    source     TEXT NOT NULL CHECK (source IN ('import', 'api', 'lookup')),
    version    INTEGER NOT NULL,
    created_ms INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL,
    expires_ms INTEGER,              -- of what was looked up
    CHECK (user_id IS NOT NULL OR phone IS NOT NULL)
) STRICT;
CREATE INDEX customers_expire ON customers (expires_ms) WHERE expires_ms IS NOT NULL;
