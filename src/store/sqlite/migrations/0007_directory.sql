-- Numbers that are answered, set up while the service runs; without their secrets.
CREATE TABLE numbers (
    id         TEXT PRIMARY KEY,     -- phone_number_id
    spec       TEXT NOT NULL,        -- registry::Number as JSON
    version    INTEGER NOT NULL,
    created_ms INTEGER NOT NULL,
    changed_ms INTEGER NOT NULL
) STRICT;

-- Every version of every agent. The highest is the one in use; one without a spec says that the
-- agent was removed. A row never changes.
CREATE TABLE agents (
    name       TEXT NOT NULL,
    version    INTEGER NOT NULL,
    spec       TEXT,                 -- registry::Agent as JSON, without its secrets
    sealed     BLOB,                 -- its secrets by their place in the spec, encrypted
    restores   INTEGER,              -- the version that a rollback brought back
    created_ms INTEGER NOT NULL,
    PRIMARY KEY (name, version)
) STRICT;

-- Secrets of numbers and of the webhook, encrypted. Several of one name are valid side by side.
CREATE TABLE secrets (
    id         TEXT PRIMARY KEY,
    owner      TEXT NOT NULL,        -- numbers.id, or '@webhook'
    name       TEXT NOT NULL,        -- app_secret, access_token, verify_token
    sealed     BLOB NOT NULL,
    created_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX secrets_owner ON secrets (owner, created_ms);

-- Shows that a key is the one that the secrets were encrypted with.
CREATE TABLE vault (
    id     INTEGER PRIMARY KEY CHECK (id = 1),
    sealed BLOB NOT NULL
) STRICT;

-- Access to the API. Of a token only its hash is kept.
CREATE TABLE tokens (
    id           TEXT PRIMARY KEY,
    name         TEXT NOT NULL,
    role         TEXT NOT NULL CHECK (role IN ('admin', 'operator')),
    hash         TEXT NOT NULL,      -- SHA-256 of the token, hexadecimal
    created_ms   INTEGER NOT NULL,
    last_used_ms INTEGER,
    revoked_ms   INTEGER
) STRICT;

-- Answers to requests that named an idempotency key, encrypted: one may show a new token.
CREATE TABLE idempotency (
    principal  TEXT NOT NULL,        -- tokens.id
    key        TEXT NOT NULL,
    request    TEXT NOT NULL,        -- SHA-256 of method, path and body
    sealed     BLOB,                 -- the answer; NULL while it is being made
    created_ms INTEGER NOT NULL,
    PRIMARY KEY (principal, key)
) STRICT;
CREATE INDEX idempotency_created ON idempotency (created_ms);

-- Counts the changes of numbers, agents and secrets, so that every node sees that there was one.
CREATE TABLE revision (id INTEGER PRIMARY KEY CHECK (id = 1), number INTEGER NOT NULL) STRICT;
INSERT INTO revision (id, number) VALUES (1, 0);

-- The version of the agent that answered; NULL: one of the configuration file.
ALTER TABLE turns ADD COLUMN agent_version INTEGER;
