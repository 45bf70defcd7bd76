-- People who wrote to us. The key is the business-scoped user id if there is one; the phone
-- number is an alias, or the key of contacts that have no user id yet.
CREATE TABLE contacts (
    id           INTEGER PRIMARY KEY,
    user_id      TEXT UNIQUE,
    phone        TEXT UNIQUE,
    profile_name TEXT,
    language     TEXT,               -- of the last transcript
    created_ms   INTEGER NOT NULL
) STRICT;

-- Inbound messages; the rows in state queued or leased are the queue.
CREATE TABLE messages (
    id           INTEGER PRIMARY KEY,
    number       TEXT NOT NULL,      -- phone_number_id
    provider_id  TEXT NOT NULL,
    contact_id   INTEGER REFERENCES contacts (id),
    raw_type     TEXT NOT NULL,
    body         TEXT NOT NULL,      -- turn::Body as JSON
    sent_ms      INTEGER NOT NULL,
    received_ms  INTEGER NOT NULL,
    state        TEXT NOT NULL CHECK (state IN ('queued', 'leased', 'done', 'stored', 'expired')),
    attempts     INTEGER NOT NULL DEFAULT 0,
    available_ms INTEGER NOT NULL,
    UNIQUE (number, provider_id)
) STRICT;
CREATE INDEX messages_lanes ON messages (number, contact_id, id) WHERE state IN ('queued', 'leased');
CREATE INDEX messages_queue ON messages (state, available_ms) WHERE state IN ('queued', 'leased');
CREATE INDEX messages_contact ON messages (contact_id);

CREATE TABLE turns (
    id          TEXT PRIMARY KEY,
    number      TEXT NOT NULL,
    contact_id  INTEGER NOT NULL REFERENCES contacts (id),
    message     TEXT NOT NULL,       -- provider id of the message that started it
    agent       TEXT NOT NULL,
    attempt     INTEGER NOT NULL,
    heard       TEXT,
    report      TEXT,                -- turn::TurnReport as JSON, once finished
    outcome     TEXT,                -- of the report, or what a failed status made of it
    reason      TEXT,
    queue_ms    REAL,
    created_ms  INTEGER NOT NULL,
    finished_ms INTEGER
) STRICT;
CREATE INDEX turns_contact ON turns (contact_id, created_ms);

-- Outbound messages. A row is written before the call that sends it.
CREATE TABLE parts (
    turn        TEXT NOT NULL REFERENCES turns (id),
    idx         INTEGER NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('planned', 'sent', 'failed')),
    kind        TEXT NOT NULL CHECK (kind IN ('voice', 'text')),
    content     TEXT NOT NULL,       -- the text, or the media id of the uploaded note
    provider_id TEXT,
    error       TEXT,
    planned_ms  INTEGER NOT NULL,
    sent_ms     INTEGER,
    PRIMARY KEY (turn, idx)
) STRICT, WITHOUT ROWID;
CREATE INDEX parts_provider ON parts (provider_id);

-- Every delivery status, in the order it came.
CREATE TABLE statuses (
    id          INTEGER PRIMARY KEY,
    number      TEXT NOT NULL,
    provider_id TEXT NOT NULL,
    status      TEXT NOT NULL,
    at_ms       INTEGER NOT NULL,
    error_code  INTEGER,
    error_title TEXT,
    turn        TEXT,                -- from biz_opaque_callback_data
    idx         INTEGER,
    UNIQUE (provider_id, status)
) STRICT;
CREATE INDEX statuses_turn ON statuses (turn, idx);
