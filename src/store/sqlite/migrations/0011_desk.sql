-- What one contact and one number say to each other until nobody says anything for a while.
CREATE TABLE conversations (
    id         INTEGER PRIMARY KEY,
    number     TEXT NOT NULL,        -- phone_number_id
    contact_id INTEGER NOT NULL REFERENCES contacts (id),
    opened_ms  INTEGER NOT NULL,
    last_ms    INTEGER NOT NULL,     -- when the last message came or went
    closed_ms  INTEGER
) STRICT;
CREATE UNIQUE INDEX conversations_open ON conversations (number, contact_id) WHERE closed_ms IS NULL;
CREATE INDEX conversations_contact ON conversations (contact_id);
CREATE INDEX conversations_idle ON conversations (last_ms) WHERE closed_ms IS NULL;

ALTER TABLE messages ADD COLUMN conversation INTEGER REFERENCES conversations (id);
CREATE INDEX messages_conversation ON messages (conversation, id);
ALTER TABLE turns ADD COLUMN conversation INTEGER REFERENCES conversations (id);
CREATE INDEX turns_conversation ON turns (conversation, created_ms);
-- Who answered, where that was a person.
ALTER TABLE turns ADD COLUMN operator TEXT;
-- Why a rule opens a ticket when the turn ends: turn::TicketReason.
ALTER TABLE turns ADD COLUMN ticket TEXT;

-- What was sent when: notes that were not played are looked for by it.
CREATE INDEX parts_sent ON parts (sent_ms) WHERE state = 'sent';

-- People who take over.
CREATE TABLE operators (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL,
    skills     TEXT NOT NULL,        -- JSON list; empty: everything
    languages  TEXT NOT NULL,        -- JSON list; empty: every language
    available  INTEGER NOT NULL,
    hours      TEXT,                 -- turn::WorkingHours as JSON; NULL: always
    version    INTEGER NOT NULL,
    created_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What a person is wanted for. One of a contact and a number is open at a time.
CREATE TABLE tickets (
    id          TEXT PRIMARY KEY,
    conversation INTEGER NOT NULL REFERENCES conversations (id),
    number      TEXT NOT NULL,
    contact_id  INTEGER NOT NULL REFERENCES contacts (id),
    reason      TEXT NOT NULL,       -- turn::TicketReason
    summary     TEXT,
    skill       TEXT,                -- who is wanted
    language    TEXT,
    turn        TEXT,                -- the turn that opened it
    operator    TEXT,                -- operators.id, or the name that another help desk gave
    opened_ms   INTEGER NOT NULL,
    assigned_ms INTEGER,
    last_ms     INTEGER NOT NULL,    -- when it was opened, assigned, or the person or operator last wrote
    closed_ms   INTEGER,
    closed_by   TEXT,                -- turn::TicketEnd
    version     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX tickets_open ON tickets (number, contact_id) WHERE closed_ms IS NULL;
CREATE INDEX tickets_conversation ON tickets (conversation);
CREATE INDEX tickets_contact ON tickets (contact_id);
CREATE INDEX tickets_time ON tickets (opened_ms, id);

-- Voice notes that an operator recorded, until they are sent.
CREATE TABLE recordings (
    number     TEXT NOT NULL,
    message    TEXT NOT NULL,        -- messages.provider_id
    note       BLOB NOT NULL,        -- Ogg/Opus
    made_ms    INTEGER NOT NULL,
    PRIMARY KEY (number, message)
) STRICT, WITHOUT ROWID;

-- Every step, written in the transaction that makes it true.
CREATE TABLE events (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    type         TEXT NOT NULL,      -- turn::EventType
    number       TEXT NOT NULL,
    contact_id   INTEGER NOT NULL,
    conversation INTEGER,
    at_ms        INTEGER NOT NULL,
    data         TEXT NOT NULL       -- JSON
) STRICT;
CREATE INDEX events_contact ON events (contact_id);
CREATE INDEX events_time ON events (at_ms);

-- Who is told of events by HTTP. Their secrets are in `secrets`.
CREATE TABLE event_webhooks (
    id         TEXT PRIMARY KEY,
    url        TEXT NOT NULL,
    types      TEXT NOT NULL,        -- JSON list; empty: all
    number     TEXT,                 -- NULL: of every number
    active     INTEGER NOT NULL,
    delivered  INTEGER NOT NULL,     -- events.id up to which all are told
    error      TEXT,                 -- why the last one could not be told
    failed_ms  INTEGER,
    version    INTEGER NOT NULL,
    created_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Events that somebody could not be told of in time.
CREATE TABLE dead_events (
    webhook    TEXT NOT NULL REFERENCES event_webhooks (id) ON DELETE CASCADE,
    event      INTEGER NOT NULL REFERENCES events (id) ON DELETE CASCADE,
    error      TEXT NOT NULL,
    at_ms      INTEGER NOT NULL,
    again      INTEGER NOT NULL,     -- it is to be told again
    PRIMARY KEY (webhook, event)
) STRICT, WITHOUT ROWID;
CREATE INDEX dead_events_event ON dead_events (event);
